#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Closes connections in all orders, with pauses between the two sides' FINs, and judges what trackers said of them.

    closes.py play SERVER_NETNS CLIENT_NETNS COUNT PORT >LOG
    closes.py judge LOG STATES CONNS

The log has an object a line: each connection with its two cookies, who closed first, how, and when the other side
answered; and samples of `ss`. The judge reads the JSON of `synwarden states` and `synwarden conns`, and prints what
contradicts the log.
"""
import datetime
import heapq
import json
import random
import socket
import sys
import time

sys.dont_write_bytecode = True
from wire import Side, cookie_of, reset

PAUSE_MOST = 0.2
BYTES_MOST = 100000
PLACES = [("10.99.0.1", "10.99.0.2"), ("fd99::1", "fd99::2"), ("127.0.0.1", None)]  # None: in the server's namespace
OPEN_MOST = 100  # connections that are open or wait for their close at a time


def close(sock):
    sock.close()


def shut(sock):
    sock.shutdown(socket.SHUT_WR)


LATE = b"late"


def send(sock):
    """Data for a socket that is closed."""
    sock.sendall(LATE)


def read_fin(sock):
    """Waits for the other side's FIN."""
    assert sock.recv(1) == b""


# By name: what the first side does, and later; what the other side does after the pause; how each ends.
ORDERS = {
    "close": ([close], [read_fin, close], "time_wait", "fin"),
    "close_shut": ([close], [read_fin, shut, close], "time_wait", "fin"),
    "shut": ([shut], [read_fin, close], "time_wait", "fin"),
    "shut_close": ([shut, close], [read_fin, close], "time_wait", "fin"),
    "reset": ([close], [read_fin, reset], "reset_received", "reset_sent"),
    "shut_reset": ([shut, close], [read_fin, reset], "reset_received", "reset_sent"),
    "data": ([close], [read_fin, send], "reset_received", "reset_received"),
}


class Player:
    """Opens connections, and does what is due."""

    def __init__(self, server, client, port):
        self.sides = {}
        self.listeners = {}
        self.due = []
        self.open = 0
        self.serial = 0
        for place in PLACES:
            here, there = place
            sides = Side(server, here), Side(client if there else server, there or here)
            listener = sides[0].socket()
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((here, port))
            listener.listen(128)
            self.sides[place], self.listeners[place] = sides, listener

    def at(self, when, what, *arguments):
        self.serial += 1
        heapq.heappush(self.due, (when, self.serial, what, arguments))

    def pair(self, place):
        client = self.sides[place][1].socket()
        client.connect(self.listeners[place].getsockname()[:2])
        return client, self.listeners[place].accept()[0]

    @staticmethod
    def talk(sender, receiver):
        """Sends what the other side reads to its end; returns how much."""
        size = random.choice([0, 1, random.randrange(1000), random.randrange(BYTES_MOST)])
        left = size
        while left:
            some = under_way = sender.send(b"x" * min(left, 16384))
            while under_way:
                under_way -= len(receiver.recv(under_way))
            left -= some
        return size

    def begin(self, place, name):
        pair = self.pair(place)
        for sock in pair:  # acknowledge a FIN at once, or after 40 ms: until then the first side is in FIN_WAIT1
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, random.randrange(2))
        first = random.randrange(2)
        log = {"order": name, "first": cookie_of(pair[first]), "other": cookie_of(pair[1 - first]),
               "first_bytes": self.talk(pair[first], pair[1 - first]),
               "other_bytes": self.talk(pair[1 - first], pair[first])}
        acts, answers, log["first_ends"], log["other_ends"] = ORDERS[name]
        pause = random.choice([0, random.uniform(0, 0.01), random.uniform(0, PAUSE_MOST)])
        now = time.monotonic()
        self.open += 1
        for i, act in enumerate(acts):
            self.at(now + pause * i / len(acts), act, pair[first])
        self.at(now + pause, self.answer, answers, pair[1 - first], log)
        self.at(now + pause + 0.05, self.end, pair)

    def answer(self, answers, sock, log):
        log["answered"] = time.time_ns()
        for act in answers:
            act(sock)
        log["after"] = time.time_ns()
        print(json.dumps(log))

    def end(self, pair):
        for sock in pair:
            sock.close()
        self.open -= 1

    def sample(self, side):
        before = time.time_ns()
        lines = side.run("ss", "-Htan", "state", "fin-wait-2").splitlines()
        print(json.dumps({"before": before, "end": time.time_ns(),
                          "fin_wait2": [line.split()[2:4] for line in lines]}))

    def run(self):
        while self.due and self.due[0][0] <= time.monotonic():
            _, _, what, arguments = heapq.heappop(self.due)
            what(*arguments)
        time.sleep(0.0005)


def play(server, client, count, port):
    player = Player(server, client, int(port))
    for number in range(int(count)):
        while player.open >= OPEN_MOST:
            player.run()
        player.begin(PLACES[number % len(PLACES)], random.choice(list(ORDERS)))
        player.run()
        if number % 50 == 49:
            player.sample(player.sides[PLACES[0]][number // 50 % 2])
    while player.open:
        player.run()


def ns_of(text):
    whole, fraction = text.rstrip("Z").split(".")
    seconds = datetime.datetime.fromisoformat(whole).replace(tzinfo=datetime.timezone.utc).timestamp()
    return int(seconds) * 10**9 + int(fraction.ljust(9, "0"))


def ends_of(event):
    form = "[{}]:{}" if event["family"] == 6 else "{}:{}"
    return form.format(event["laddr"], event["lport"]), form.format(event["raddr"], event["rport"])


def read(path):
    with open(path, encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


JITTER_NS = 1100000  # each tracker tells wall-clock time by an offset that may be 0.1 ms old; the rest is room for a slewed clock


class Judge:
    """What the trackers said, by cookie, and what is wrong with it."""

    def __init__(self, log, states, conns):
        self.log = log
        self.states, self.conns = self.by_cookie(states), self.by_cookie(conns)
        self.lost = max(sum(line.get("lost", 0) for line in lines) for lines in (states, conns))
        self.wrong = []

    @staticmethod
    def by_cookie(lines):
        told = {}
        for line in lines:
            if "lost" not in line:
                told.setdefault(line["cookie"], []).append(line)
        return told

    def complain(self, what, *about):
        self.wrong.append(" ".join([what, *(json.dumps(item) for item in about)]))

    def last(self, cookie, reason, entry):
        """The last transition of a socket, which must have this reason."""
        chain = self.states.get(cookie, [])
        lines = self.conns.get(cookie, [])
        if not chain or chain[-1].get("reason") != reason:
            self.complain(f"states: {cookie} does not end by {reason}", entry, chain[-1:])
            return None
        if [line["reason"] for line in lines] != [reason]:
            self.complain(f"conns: {cookie} does not end by {reason}", entry, lines)
            return None
        if abs(ns_of(lines[0]["ts"]) - ns_of(chain[-1]["ts"])) > JITTER_NS:
            self.complain("conns: ends at another time than states says", entry, lines, chain[-1:])
        self.judge_bytes(cookie, lines[0], entry)
        return chain

    def judge_bytes(self, cookie, line, entry):
        """What a closed socket refuses was sent, and not received."""
        late = len(LATE) if entry["order"] == "data" else 0
        sent = {entry["first"]: entry["first_bytes"], entry["other"]: entry["other_bytes"] + late}
        got = {entry["first"]: entry["other_bytes"], entry["other"]: entry["first_bytes"]}
        if line["sent_bytes"] != sent[cookie] or line["received_bytes"] != got[cookie]:
            self.complain("conns: other bytes than were sent and read", entry, line)

    def judge(self, entry):
        first = self.last(entry["first"], entry["first_ends"], entry)
        other = self.last(entry["other"], entry["other_ends"], entry)
        if not first or not other:
            return
        told = " ".join([event["old"] for event in first] + [first[-1]["new"]])
        if told.endswith("ESTABLISHED FIN_WAIT1 CLOSE") and entry["first_ends"] == "reset_received":
            return  # the answer came before the acknowledgement
        final = "TIME_WAIT" if entry["first_ends"] == "time_wait" else "CLOSE"
        if not told.endswith("ESTABLISHED FIN_WAIT1 FIN_WAIT2 " + final):
            self.complain("states: not the states of a close: " + told, entry)
            return
        ended, began = ns_of(first[-1]["ts"]), ns_of(first[-2]["ts"])
        if abs(first[-1]["duration_us"] * 1000 - (ended - began)) > JITTER_NS:
            self.complain("states: FIN_WAIT2 lasted otherwise than its times say", entry, first)
        # What ends FIN_WAIT2 leaves after the pause; and the other side ends by what answers a FIN.
        latest = ns_of(other[-1]["ts"]) if entry["other_ends"] == "fin" else None
        if ended < entry["answered"] - JITTER_NS or (latest and ended > latest + JITTER_NS):
            self.complain("states: FIN_WAIT2 does not end when the peer answers", entry, first, other[-1:])

    def lasted(self):
        """When each pair of ends, as ss writes them, was in FIN_WAIT2."""
        times = {}
        for chain in self.states.values():
            for begin, end in zip(chain, chain[1:]):
                if begin["new"] == "FIN_WAIT2":
                    times.setdefault(ends_of(begin), []).append((ns_of(begin["ts"]), ns_of(end["ts"])))
        return times

    def judge_sample(self, sample, times):
        """What ss saw in FIN_WAIT2 began before ss ended, and ended after it began."""
        for pair in sample["fin_wait2"]:
            if not any(began < sample["end"] + JITTER_NS and ended > sample["before"] - JITTER_NS
                       for began, ended in times.get(tuple(pair), [])):
                self.complain(f"ss saw FIN_WAIT2 of {pair}, states did not", times.get(tuple(pair)), sample["before"])

    def run(self):
        for entry in self.log:
            if "order" in entry:
                self.judge(entry)
        missed = len(self.wrong)
        times = self.lasted()
        for entry in self.log:
            if "order" not in entry and not missed:
                self.judge_sample(entry, times)
        # On some machines the kernel calls no program at all for a transition: each must be reported as lost.
        if missed > self.lost or len(self.wrong) > missed:
            print(f"{self.lost} lost", *self.wrong[:20], sep="\n")
            return 1
        return 0


if sys.argv[1] == "play":
    play(*sys.argv[2:])
else:
    sys.exit(Judge(*(read(path) for path in sys.argv[2:])).run())
