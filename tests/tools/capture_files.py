# SPDX-License-Identifier: GPL-2.0-only
"""Capture files: pcap and pcapng, with times in nanoseconds, of what tests/tools/captures.py makes."""
import struct

S = 10**9


def write_pcap(path, capture, snaplen=262144):
    with open(path, "wb") as out:
        out.write(struct.pack("<IHHiIII", 0xa1b23c4d, 2, 4, 0, 0, snaplen, capture.link))
        for when, frame in capture.packets:
            kept = frame[:snaplen]
            out.write(struct.pack("<IIII", when // S, when % S, len(kept), len(frame)) + kept)


def block(kind, body):
    body += b"\0" * (-len(body) % 4)
    return struct.pack("<II", kind, len(body) + 12) + body + struct.pack("<I", len(body) + 12)


def write_pcapng(path, capture):
    """Two interfaces, used in turn; times in nanoseconds."""
    nanoseconds = struct.pack("<HHB3xHH", 9, 1, 9, 0, 0)
    with open(path, "wb") as out:
        out.write(block(0x0a0d0d0a, struct.pack("<IHHq", 0x1a2b3c4d, 1, 0, -1)))
        for _ in range(2):
            out.write(block(1, struct.pack("<HHI", capture.link, 0, 0) + nanoseconds))
        for i, (when, frame) in enumerate(capture.packets):
            head = struct.pack("<IIIII", i % 2, when >> 32, when & 0xffffffff, len(frame), len(frame))
            out.write(block(6, head + frame))
