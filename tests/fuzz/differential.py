#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""
Judges frames by what tshark decodes of them, and compares with what the filter program said of the same frames.

differential.py FRAMES [SEED]: build/tests/fuzz/differential makes the frames, in parts; each part goes through tshark, and
through judge(), which is written from the table of reasons in docs/output.md. They must agree wherever tshark says enough; the
exit status is 1 if they do not. The result is kept in build/differential/README.md.
"""
import collections
import concurrent.futures
import os
import subprocess
import sys
import tempfile

PART = 25000
OUT = "build/differential"
VLAN_TAGS = 8
EXTENSIONS = 8
TCP = 6

# What tshark's fields leave open: it reads nothing behind a mobility or HIP header, nor behind options that it cannot
# make sense of. So many of the frames may be of this class.
NOT_DECODED = "not decoded"
NOT_DECODED_MOST = 0.05
COLUMNS = ("agreed", NOT_DECODED, "different")

# IPv6 extension header -> tshark's name of the protocol, and its fields: next header, length; its length in bytes.
IN_EIGHTS = lambda length: 8 * (length + 1)
EXTENSION = {
    0: ("ipv6.hopopts", "ipv6.hopopts.nxt", "ipv6.hopopts.len", IN_EIGHTS),
    43: ("ipv6.routing", "ipv6.routing.nxt", "ipv6.routing.len", IN_EIGHTS),
    44: ("ipv6.fraghdr", "ipv6.fraghdr.nxt", "ipv6.fraghdr.offset", lambda _: 8),
    51: ("ah", "ah.next_header", "ah.length", lambda length: 4 * (length + 2)),
    60: ("ipv6.dstopts", "ipv6.dstopts.nxt", "ipv6.dstopts.len", IN_EIGHTS),
    135: ("mipv6", "mip6.proto", "mip6.hlen", IN_EIGHTS),
    139: ("hip", "hip.proto", "hip.hdr_len", IN_EIGHTS),
    140: ("shim6", "shim6.nxt", "shim6.len", IN_EIGHTS),
}
LAST_FOR_TSHARK = (135, 139)
FRAGMENT = 44

FIELDS = ["frame.len", "frame.protocols", "_ws.malformed", "ieee8021ad.cvid", "ip.version", "ip.hdr_len", "ip.len", "ip.flags.mf",
          "ip.frag_offset", "ip.proto", "ipv6.version", "ipv6.plen", "ipv6.nxt", "ipv6.fraghdr.more", "tcp.hdr_len",
          "tcp.flags"]
FIELDS += sorted({field for row in EXTENSION.values() for field in row[1:3]})

# What tshark is to decode; anything else would go on where the filter stops.
PROTOCOLS = {"frame", "eth", "ethertype", "vlan", "ieee8021ad", "ip", "ipv6", "tcp", "data"} | \
    {row[0] for row in EXTENSION.values()}
PREFERENCES = {
    "ip.defragment": "FALSE", "ipv6.defragment": "FALSE", "ip.tso_support": "FALSE",
    "vlan.qinq_ethertype": "ffff",  # the kernel takes 0x9100 for no tag
    "tcp.analyze_sequence_numbers": "FALSE", "tcp.desegment_tcp_streams": "FALSE",
}


class NotDecoded(Exception):
    """tshark does not say enough."""


class Frame:
    """One line of tshark's: fields by name, each a list of numbers."""

    def __init__(self, line):
        texts = dict(zip(FIELDS, line.rstrip("\n").split("\t")))
        self.protocols = texts.pop("frame.protocols").split(":")
        self.texts = texts
        self.taken = collections.Counter()

    def all(self, name):
        return [int(text, 0) for text in self.texts[name].split(",") if text]

    def first(self, name):
        values = self.all(name)
        return values[0] if values else None

    def next(self, name):
        """The next one of a field that may be there several times."""
        values = self.all(name)
        at = self.taken[name]
        self.taken[name] += 1
        return values[at] if at < len(values) else None


def judge_tcp(frame, left, fragmented):
    if left < 20:
        return "tcp_fragmented" if fragmented else "tcp_truncated"
    header = frame.first("tcp.hdr_len")
    if header is None:
        raise NotDecoded
    if header < 20:
        return "tcp_doff_short"
    if header > left:
        return "tcp_fragmented" if fragmented else "tcp_doff_end"
    flags = frame.first("tcp.flags")
    if flags is None:
        raise NotDecoded
    fin, syn, rst, psh, ack, urg = (flags & 1 << bit for bit in range(6))
    if not flags & 0x3f:
        return "tcp_no_flags"
    if syn and fin:
        return "tcp_syn_fin"
    if syn and rst:
        return "tcp_syn_rst"
    if fin and psh and urg and not ack:
        return "tcp_xmas"
    return "syn" if syn and not ack else "segment"


def judge_ipv4(frame, left):
    if left < 20:
        return "ipv4_truncated"
    header, total = frame.first("ip.hdr_len"), frame.first("ip.len")
    if frame.first("ip.version") != 4 or header < 20:
        return "ipv4_header"
    if total is None:
        raise NotDecoded
    if total < header:
        return "ipv4_header"
    if total > left:
        return "ipv4_truncated"
    if frame.first("ip.frag_offset"):
        return "fragment"
    if frame.first("ip.proto") != TCP:
        return "not_tcp"
    return judge_tcp(frame, total - header, frame.first("ip.flags.mf"))


def judge_ipv6(frame, left):
    if left < 40:
        return "ipv6_truncated"
    if frame.first("ipv6.version") != 6:
        return "ipv6_header"
    if frame.first("ipv6.plen") > left - 40:
        return "ipv6_truncated"
    left = frame.first("ipv6.plen")
    following, headers, fragmented, behind_last = frame.first("ipv6.nxt"), 0, False, False
    while following in EXTENSION:
        if headers == EXTENSIONS:
            return "ipv6_chain"
        if left < 8:
            return "ipv6_header"
        _, next_field, length_field, size = EXTENSION[following]
        length, after = frame.next(length_field), frame.next(next_field)
        if length is None or after is None or behind_last:
            raise NotDecoded
        if size(length) > left:
            return "ipv6_header"
        if following == FRAGMENT:
            fragmented = frame.next("ipv6.fraghdr.more")
            if length:  # the offset
                return "fragment"
        left -= size(length)
        headers += 1
        behind_last = following in LAST_FOR_TSHARK
        following = after
    if following != TCP:
        return "not_tcp"
    if left >= 20 and behind_last:
        raise NotDecoded
    return judge_tcp(frame, left, fragmented)


def judge_link_alone(frame, left):
    """Nothing is decoded behind the last tag."""
    if left >= 0 and not frame.texts["_ws.malformed"]:
        return "not_ip"
    if left >= 0 and left % 4 == 0:
        # A length in place of a type and nothing behind it, or a tag that is not there: two of 802.1ad are one to tshark.
        if frame.protocols[-1] == "ieee8021ad":
            raise NotDecoded
        return "not_ip"
    return "eth_truncated" if frame.first("frame.len") < 14 + 4 * VLAN_TAGS else "vlan_depth"


def judge(frame):
    """The reason."""
    at = tags = 0
    while at < len(frame.protocols) and frame.protocols[at] in ("eth", "ethertype", "vlan", "ieee8021ad"):
        tags += frame.protocols[at] in ("vlan", "ieee8021ad")
        at += 1
    tags += len(frame.all("ieee8021ad.cvid"))  # two of 802.1ad at once
    if tags > VLAN_TAGS:
        return "vlan_depth"
    left = frame.first("frame.len") - 14 - 4 * tags
    if at == len(frame.protocols):
        return judge_link_alone(frame, left)
    if frame.protocols[at] == "ip":
        return judge_ipv4(frame, left)
    if frame.protocols[at] == "ipv6" or frame.first("ipv6.version") is not None:
        return judge_ipv6(frame, left)
    return "not_ip"


def disabled_protocols():
    names = subprocess.run(["tshark", "-G", "protocols"], capture_output=True, text=True, check=True).stdout
    names = [line.split("\t")[2] for line in names.splitlines()]
    return "".join(f"{name}\n" for name in names if name not in PROTOCOLS and not name.startswith("_ws"))


def decode(directory, pcap):
    """tshark's lines."""
    command = ["tshark", "-n", "-r", pcap, "-T", "fields"]
    for name in FIELDS:
        command += ["-e", name]
    for name, value in PREFERENCES.items():
        command += ["-o", f"{name}:{value}"]
    environment = dict(os.environ, WIRESHARK_CONFIG_DIR=directory)
    result = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    return result.stdout.splitlines()


def run_part(directory, count, seed):
    """Counts of (reason, column), and what is different."""
    pcap = f"{directory}/{seed}.pcap"
    made = subprocess.run(["build/tests/fuzz/differential", str(count), str(seed), pcap], capture_output=True, text=True)
    if made.returncode:
        raise RuntimeError(made.stderr + made.stdout)
    said, lines = made.stdout.split(), decode(directory, pcap)
    os.remove(pcap)
    if not len(said) == len(lines) == count:
        raise RuntimeError(f"{count} frames: {len(said)} verdicts, {len(lines)} lines of tshark's")
    counts, examples = collections.Counter(), []
    for number, (reason, line) in enumerate(zip(said, lines)):
        try:
            expected, how = judge(Frame(line)), "agreed"
        except NotDecoded:
            expected, how = reason, NOT_DECODED
        if expected == reason:
            counts[reason, how] += 1
        else:
            counts[reason, "different"] += 1
            examples.append(f"seed {seed}, frame {number + 1}: {reason}, by tshark {expected}: {line}")
    return counts, examples


def total(counts, column):
    return sum(count for (_, how), count in counts.items() if how == column)


def report(frames, counts):
    lines = [f"{frames:,} frames through the filter program and through tshark. Not decoded: tshark reads nothing behind "
             "a mobility or HIP header, or behind options that it cannot make sense of.", "",
             "| reason | " + " | ".join(COLUMNS) + " |", "| --- |" + " ---: |" * len(COLUMNS)]
    for reason in sorted({reason for reason, _ in counts}):
        lines.append(f"| {reason} | " + " | ".join(f"{counts[reason, column]:,}" for column in COLUMNS) + " |")
    lines.append("| all | " + " | ".join(f"{total(counts, column):,}" for column in COLUMNS) + " |")
    return "\n".join(lines)


def main():
    frames, seed = int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1
    counts, examples = collections.Counter(), []
    with tempfile.TemporaryDirectory() as directory, concurrent.futures.ProcessPoolExecutor() as pool:
        with open(f"{directory}/disabled_protos", "w", encoding="utf-8") as out:
            out.write(disabled_protocols())
        parts = [pool.submit(run_part, directory, min(PART, frames - at), seed + at // PART)
                 for at in range(0, frames, PART)]
        for part in parts:
            part_counts, part_examples = part.result()
            counts += part_counts
            examples += part_examples
    os.makedirs(OUT, exist_ok=True)
    text = report(frames, counts)
    with open(f"{OUT}/README.md", "w", encoding="utf-8") as out:
        out.write(text + "\n")
    print(text)
    for example in examples[:20]:
        print(example, file=sys.stderr)
    return 1 if examples or total(counts, NOT_DECODED) > frames * NOT_DECODED_MOST else 0


if __name__ == "__main__":
    sys.exit(main())
