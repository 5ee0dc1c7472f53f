#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The marks of `synwarden ladder --json` beside what tshark says of the same capture file.

tshark_marks.py SYNWARDEN FILE...: prints each segment for which the two differ, but for the differences that DIFFERENCES
explains. Exit status 1 where there is one.
"""
import json
import os
import subprocess
import sys

# tcp.analysis.NAME -> mark. What is no mark of the ladder is left out: window_full, window_update, ack_rtt, ...
ANALYSIS = {
    "retransmission": "sent_again", "fast_retransmission": "fast_retransmit", "out_of_order": "out_of_order",
    "lost_segment": "gap", "duplicate_ack": "duplicate_ack", "zero_window": "zero_window",
    "zero_window_probe": "window_probe", "keep_alive": "keep_alive", "keep_alive_ack": "keep_alive_ack",
}
OWN = {"window_open", "answers", "after_fin", "port_reused", "restarts_time_wait"}  # of which tshark says nothing

# (file, number of the segment) -> what tshark says, what the ladder says, and why.
DIFFERENCES = {
    ("simultaneous_open", 3): ({"sent_again"}, set(), "a SYN-ACK after the own SYN completes a simultaneous open"),
    ("simultaneous_open", 4): ({"sent_again"}, set(), "the same of the other end"),
    ("zero_window", 6): ({"keep_alive"}, {"window_probe"}, "Linux probes a closed window with the number before the next"),
}


def ask_tshark(path):
    fields = [word for name in ANALYSIS for word in ("-e", f"tcp.analysis.{name}")]
    said = subprocess.run(["tshark", "-r", path, "-o", "tcp.analyze_sequence_numbers:TRUE", "-Y", "tcp", "-T", "fields",
                           "-e", "frame.time_epoch", *fields], capture_output=True, text=True, check=True)
    rows = [line.split("\t") for line in said.stdout.splitlines()]
    return [(row[0], {mark for mark, value in zip(ANALYSIS.values(), row[1:]) if value}) for row in rows]


def ask_ladder(program, path):
    said = subprocess.run([program, "ladder", "--read", path, "--json"], capture_output=True, text=True, check=True)
    rows = [json.loads(line) for line in said.stdout.splitlines()]
    segments = [row for row in rows if row["kind"] == "segment"]
    segments.sort(key=lambda row: row["ts"])
    return [set(row["marks"]) - OWN for row in segments]


def simplify(marks):
    # A fast retransmission is a retransmission to tshark too.
    return marks - {"sent_again"} if "fast_retransmit" in marks else marks


def compare(program, path):
    name, different = os.path.basename(path).split(".")[0], 0
    theirs, ours = ask_tshark(path), ask_ladder(program, path)
    if len(theirs) != len(ours):
        print(f"{name}: tshark has {len(theirs)} segments, the ladder {len(ours)}")
        return 1
    for number, ((_, tshark), ladder) in enumerate(zip(theirs, ours), 1):
        tshark, ladder = simplify(tshark), simplify(ladder)
        expected = DIFFERENCES.get((name, number), (tshark, tshark, ""))
        if (tshark, ladder) != expected[:2]:
            print(f"{name}, segment {number}: tshark says {sorted(tshark)}, the ladder {sorted(ladder)}")
            different += 1
    return different


if __name__ == "__main__":
    sys.exit(any([compare(sys.argv[1], path) for path in sys.argv[2:]]))
