#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Makes the bench's tables.

    tables.py MACHINE ROWS DIRECTORY

MACHINE is a JSON object that says where and when; ROWS has one measurement a line, as tests/bench/run.sh records them. The
tables are printed, and written to DIRECTORY: README.md in Markdown, bench.json with every measurement and every median.
Medians are taken over rounds; what is compared is compared within its round first.
"""
import json
import os
import statistics
import sys

SOURCES = {1: "1", 65536: "2^16", 0: "2^32"}
NAMES = {
    "bare": "bare XDP_DROP",
    "nft_drop": "nftables netdev ingress drop",
    "nft_limit": "nftables per-source limit",
    "nft_synproxy": "nftables synproxy",
    "xdp_filter": "xdp-filter",
    "syncookies_1": "kernel, tcp_syncookies=1",
    "syncookies_2": "kernel, tcp_syncookies=2",
    "xdp_tx": "bare XDP_TX (no cookie)",
    "cookies_0": "unprotected, tcp_syncookies=0",
    "cookies_1": "unprotected, tcp_syncookies=1",
    "ideal": "control: the ideal filter",
}
MIN_SUCCESS = 99.9


def name_of(case):
    return NAMES.get(case, case)


def median(values):
    values = [v for v in values if v is not None]
    return statistics.median(values) if values else None


def show(value, digits=0, unit=""):
    return "-" if value is None else f"{value:,.{digits}f}{unit}"


def judged(value, limit, digits=0, most=True):
    """A figure beside its budget, and whether it holds."""
    if value is None:
        return "-"
    holds = value <= limit if most else value >= limit
    return f"{'at most' if most else 'at least'} {limit:,.{digits}f}: {'holds' if holds else 'MISSED'}"


def ratio(a, b):
    return a / b if a is not None and b else None


class Rows:
    """Measurements, in the order in which they were taken."""

    def __init__(self, rows):
        self.rows = rows

    def where(self, **wanted):
        return Rows([r for r in self.rows if all(r.get(k) == v for k, v in wanted.items())])

    def values(self, key):
        return [r[key] for r in self.rows if r.get(key) is not None]

    def distinct(self, key):
        return list(dict.fromkeys(self.values(key)))

    def median(self, key):
        return median(self.values(key))

    def unavailable(self):
        reasons = self.values("unavailable")
        return reasons[0] if reasons else None


def packet_ns(rows):
    return [1e9 / pps for pps in rows.values("pps") if pps]


def marginal_ns(rows, bare):
    """The n-th round's time less the bare one's of the same round."""
    return median([a - b for a, b in zip(packet_ns(rows), packet_ns(bare))])


class Report:
    """Tables, in Markdown and as data."""

    def __init__(self, machine, rows):
        self.machine, self.rows = machine, rows
        self.text, self.data = [], {}

    def title(self, text):
        self.text += ["", f"### {text}", ""]

    def table(self, key, heads, lines):
        cells = [[str(c) for c in line] for line in [heads] + lines]
        widths = [max(len(line[i]) for line in cells) for i in range(len(heads))]
        numeric = [all(self.is_figure(line[i]) for line in cells[1:]) for i in range(len(heads))]
        cells.insert(1, ["-" * (w - 1) + ":" if n else "-" * w for w, n in zip(widths, numeric)])
        for line in cells:
            self.text.append("| " + " | ".join(c.rjust(w) if n else c.ljust(w)
                                               for c, w, n in zip(line, widths, numeric)) + " |")
        self.data[key] = [dict(zip(heads, line)) for line in cells[2:]]

    @staticmethod
    def is_figure(cell):
        return cell == "-" or cell[:1].isdigit() or cell[:1] == "-"

    def section(self, name):
        return self.rows.where(section=name)

    def drop(self):
        rows, lines = self.section("drop"), []
        if not rows.rows:
            return
        totals = []
        for sources in rows.distinct("sources"):
            ours = rows.where(sources=sources, case="synwarden")
            bare = rows.where(sources=sources, case="bare")
            marginal, total = marginal_ns(ours, bare), median(packet_ns(ours))
            totals.append(total)
            lines.append([SOURCES[sources], show(median(packet_ns(bare)), 1), show(total, 1), show(marginal, 1),
                          judged(marginal, 35)])
        for section, name, budget in (("limit", "2^32, --source-limit", 60), ("list", "2^32, 10,000 blocked", None)):
            ours, bare = (self.section(section).where(case=case) for case in ("synwarden", "bare"))
            if not ours.rows:
                continue
            marginal = marginal_ns(ours, bare)
            lines.append([name, show(median(packet_ns(bare)), 1), show(median(packet_ns(ours)), 1), show(marginal, 1),
                          judged(marginal, budget) if budget else "reported"])
        self.title("Dropping a spoofed SYN")
        self.table("drop", ["sources", "bare XDP_DROP, ns", "synwarden, ns", "marginal, ns", "budget"], lines)
        if None not in totals:
            apart = (max(totals) / min(totals) - 1) * 100
            self.text += ["", f"Total time from one source to 2^32 is {apart:.1f} % apart ({judged(apart, 3)})."]
            self.data["drop_apart_percent"] = apart

    def peers(self):
        rows, lines = self.section("peers"), []
        for case in rows.distinct("case"):
            own = rows.where(case=case)
            if own.unavailable():
                lines.append([name_of(case), f"not available: {own.unavailable()}", "", ""])
                continue
            for sources in own.distinct("sources"):
                these, bare = own.where(sources=sources), rows.where(sources=sources, case="bare")
                lines.append([name_of(case), SOURCES[sources], show(ratio(these.median("pps"), 1e6), 2),
                              show(marginal_ns(these, bare), 0)])
        if lines:
            self.title("The same flood, dropped by others")
            self.table("peers", ["program", "sources", "Mpps on one core", "marginal, ns"], lines)

    def answer(self):
        rows, lines = self.section("answer"), []
        if not rows.rows:
            return
        marginals = {}
        for case in rows.distinct("case"):
            own = rows.where(case=case)
            if case != "bare" and not own.unavailable():
                bare = rows.where(case="bare", group=own.values("group")[0])
                marginals[case] = marginal_ns(own, bare)
        ours = marginals.get("synwarden")
        for case in [c for c in rows.distinct("case") if c != "bare"]:
            own = rows.where(case=case)
            if own.unavailable():
                lines.append([name_of(case), f"not available: {own.unavailable()}", "", "", ""])
                continue
            replied = ratio(sum(own.values("replies")), sum(own.values("sent")))
            times = ratio(marginals[case], ours)
            holds = judged(ours, 175) if case == "synwarden" else "-"
            if case.startswith("syncookies"):
                holds = judged(times, 7, most=False)
            lines.append([name_of(case), show(None if replied is None else replied * 100, 1),
                          show(marginals[case]), show(times, 1), holds])
        self.title("Answering a SYN with a cookie (random sources, replies dropped in XDP at the sender's end)")
        self.table("answer", ["program", "SYNs answered, %", "marginal, ns", "times synwarden's", "budget"], lines)

    def scaling(self):
        rows, lines = self.section("scaling"), []
        for case in rows.distinct("case"):
            own = rows.where(case=case)
            if own.unavailable():
                lines.append([name_of(case), f"not available: {own.unavailable()}", "", "", "", ""])
                continue
            for sources in own.distinct("sources"):
                one = own.where(sources=sources, cores=1).median("pps")
                two = own.where(sources=sources, cores=2).median("pps")
                times = ratio(two, one)
                lines.append([name_of(case), SOURCES[sources], show(ratio(one, 1e6), 2), show(ratio(two, 1e6), 2),
                              show(times, 2), "-" if case == "bare" else judged(times, 1.9, 1, most=False)])
        if lines:
            self.title("Two cores at once")
            self.table("scaling", ["program", "sources", "one core, Mpps", "two cores, Mpps", "times", "budget"], lines)

    def passing(self):
        rows, lines = self.section("pass"), []
        for case, limit in (("unarmed", 15), ("armed", 45)):
            own = rows.where(case=case)
            if own.unavailable():
                lines.append([case, f"not available: {own.unavailable()}", "", "", ""])
            elif own.rows:
                marginal = median([r["ns"] - r["empty_ns"] for r in own.rows])
                lines.append([case, show(own.median("empty_ns"), 1), show(own.median("ns"), 1), show(marginal, 1),
                              judged(marginal, limit)])
        if lines:
            self.title("Passing a data packet of an established connection (BPF_PROG_TEST_RUN)")
            self.table("pass", ["port", "empty XDP_PASS, ns", "synwarden, ns", "marginal, ns", "budget"], lines)

    def clients(self):
        rows, lines = self.section("clients"), []
        for family in rows.distinct("family"):
            for rate in rows.where(family=family).distinct("rate"):
                control = rows.where(family=family, rate=rate, case="ideal").median("p99_ms")
                for case in rows.distinct("case"):
                    own = rows.where(family=family, rate=rate, case=case)
                    if own.rows:
                        lines.append([f"IPv{family}", show(own.median("pps")), name_of(case)]
                                     + self.clients_cells(own, case, control))
        if lines:
            self.title("Clients never seen before, under a SYN flood from random sources")
            self.text += ["The flood has a core and a queue of the link to itself; clients and web server have another.",
                          ""]
            self.table("clients", ["", "SYN/s sent", "protection", "clients", "served, %", "connect p50, ms", "p99, ms",
                                   "lost by the link", "budget"], lines)

    @staticmethod
    def clients_cells(own, case, control):
        count = sum(own.values("clients"))
        served = ratio(sum(own.values("served")) * 100, count)
        p99, lost, holds = own.median("p99_ms"), sum(own.values("lost")), "-"
        if case == "synwarden":
            slower = ratio(p99, control)
            holds = "served " + judged(served, MIN_SUCCESS, 1, most=False)
            holds += f"; {show(slower, 2)} x control's p99: " + ("holds" if slower and slower <= 2 else "MISSED")
            if "MISSED" in holds and lost:
                holds = "not judged: the link itself lost packets"
        return [show(count), show(served, 1), show(own.median("p50_ms"), 2), show(p99, 2),
                show(lost), holds]

    def download(self):
        rows, lines = self.section("download"), []
        for rate in rows.distinct("rate"):
            control = rows.where(rate=rate, case="ideal")
            ours = rows.where(rate=rate, case="synwarden")
            share = median([ratio(a, b) for a, b in zip(ours.values("bytes_per_s"), control.values("bytes_per_s"))])
            share = None if share is None else share * 100
            lines.append([f"{rate:,}" if rate != "max" else rate, show(ratio(control.median("bytes_per_s"), 1e6)),
                          show(ratio(ours.median("bytes_per_s"), 1e6)), show(share, 1),
                          judged(share, 95, most=False)])
        if lines:
            self.title("A download that runs already")
            self.text += [f"Medians of {len(control.values('bytes_per_s'))} rounds.", ""]
            self.table("download", ["SYN/s", "control, MB/s", "synwarden, MB/s", "share, %", "budget"], lines)

    def tracker(self):
        rows, lines = self.section("tracker"), []
        for rps in rows.distinct("rps"):
            own = rows.where(rps=rps)
            without = own.where(case="without")
            peer = own.where(case="tcpstates_statistics").median("ns")
            for who, case, statistics_of in (("synwarden", "with", "statistics"),
                                             ("tcpstates", "tcpstates", "tcpstates_statistics")):
                tracked = own.where(case=case)
                ns = own.where(case=statistics_of).median("ns")
                if ns is None:
                    continue
                taken = median([(1 - ratio(b, a)) * 100
                                for a, b in zip(without.values("rate"), tracked.values("rate")) if a])
                lost = sum(tracked.values("lost"))
                holds = "-"
                if case == "with":
                    holds = f"ns {judged(ns, 400)}; requests % {judged(taken, 5)}; lost {judged(lost, 0)}"
                    if peer:
                        holds += f"; tcpstates' ns {judged(ratio(peer, ns), 24, most=False)}"
                lines.append(["on" if rps else "off", who, show(ns), show(ratio(peer, ns), 1),
                              show(without.median("rate")), show(tracked.median("rate")), show(taken, 1),
                              show(sum(tracked.values("events"))), show(lost), holds])
            lines.append(["on" if rps else "off", "an empty program", show(own.where(case="empty_statistics").median("ns")),
                          "-", "-", "-", "-", "-", "-", "-"])
        if lines:
            self.title("Following every transition (wrk, a connection for each request, streamed to a file)")
            self.text += ["The kernel's statistics take time themselves, which they count: see the empty program. synwarden has "
                          "two programs there.", ""]
            self.table("tracker", ["RPS", "program", "ns an event", "tcpstates / this", "requests/s without", "with",
                                   "taken, %", "events", "lost", "budget"], lines)

    def segments(self):
        rows = self.rows.where(section="segments")
        lines = []
        for case, name, budget in (("empty", "programs that do nothing", None),
                                   ("ladder_other", "ladder of another port", 160), ("ladder_watched", "ladder of it", 300),
                                   ("ladder_pid", "ladder by pid, port not named", None),
                                   ("tcpdump_other", "libpcap, another port", None),
                                   ("tcpdump_watched", "libpcap, that port", None)):
            ns = rows.where(case=case).median("ns")
            if ns is not None:
                lines.append([name, show(ns), judged(ns, budget) if budget else "-"])
        if lines:
            self.title("What a packet costs at one host while a connection is watched")
            self.text += [f"100 bytes to and fro over loopback, {show(rows.median('without'))} ns a segment for both ends "
                          "without an observer; each is attached and detached within one run.", ""]
            self.table("segments", ["observer", "ns a packet", "budget"], lines)

    def http(self):
        rows = self.section("http")
        lines = []
        for case, name, budgets in (("empty", "programs that do nothing", (None, None, None)),
                                    ("run", "run --http on", (800, 4, 180)), ("http", "http", (1100, 6, None))):
            own = rows.where(case=case)
            figures = (own.where(of="request").median("ns"), own.where(of="web").median("taken"),
                       own.where(of="other").median("ns"))
            if figures[0] is None:
                continue
            holds = [f"{what} {judged(figure, budget)}"
                     for what, figure, budget in zip(("request", "%", "packet"), figures, budgets) if budget]
            lines.append([name, show(figures[0]), show(figures[1], 1), show(figures[2]), "; ".join(holds) or "-"])
        paced = rows.where(case="paced")
        if not lines:
            return
        web = rows.where(of="web")
        self.title("What HTTP costs at a server while it is counted")
        self.text += [f"A request takes {show(rows.where(of='request').median('without'))} ns of one end without an "
                      "observer, over loopback; requests/s are nginx's, on connections that wrk keeps alive, "
                      f"{show(web.median('without') / 1000)} us of both. Each observer is attached and detached within one run.",
                      ""]
        self.table("http", ["observer", "ns a request", "of requests/s, %", "ns a packet of another protocol", "budget"],
                   lines)
        lost, rate = sum(paced.values("lost")), paced.median("rate")
        holds = judged(lost, 0) if rate and rate > 19000 else "not judged: the machine was too busy for 20,000"
        self.text += ["", f"At {show(rate)} requests/s, both ends of {show(sum(paced.values('requests')))} "
                      f"requests shown by http: lost {show(lost)} ({holds})."]
        self.data["http_lost"] = lost

    def build(self):
        machine = self.machine
        self.text = [f"Measured on {machine['date'][:10]} with `BENCH_ROUNDS={machine['rounds']} make bench`: "
                     f"{machine['version']}, {machine['kernel']} {machine['machine']}, "
                     f"{machine['cpus']} x {machine['cpu']}; medians of {machine['rounds']} rounds, load before "
                     f"{machine['load']}. Sender and receiver "
                     "share a core of one machine, over veth: the difference counts, not the rate."]
        for part in (self.drop, self.answer, self.passing, self.scaling, self.peers, self.clients, self.download,
                     self.tracker, self.segments, self.http):
            part()
        return "\n".join(self.text) + "\n"


def main():
    machine_file, rows_file, directory = sys.argv[1:]
    with open(machine_file, encoding="utf-8") as file:
        machine = json.load(file)
    with open(rows_file, encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    report = Report(machine, Rows(rows))
    text = report.build()
    with open(os.path.join(directory, "README.md"), "w", encoding="utf-8") as file:
        file.write(text)
    with open(os.path.join(directory, "bench.json"), "w", encoding="utf-8") as file:
        json.dump({"machine": machine, "tables": report.data, "measurements": rows}, file, indent=1)
    print(text, end="")
    print(f"\nKept in {directory}/bench.json and README.md.")


main()
