#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Reads a capture that tcpdump wrote of an Ethernet device, TCP over IPv4 or IPv6 without extension headers.

pcap_numbers.py FILE: a line for each segment: sequence number, acknowledgment number (0 without the flag ACK), bytes of
payload, flags. What is cut off at the end of the file is left out, as tcpdump may still be writing.
"""
import struct
import sys

ACK = 0x10


def segments(data):
    at = 24
    while at + 16 <= len(data):
        _, _, length, _ = struct.unpack_from("<IIII", data, at)
        frame = data[at + 16:at + 16 + length]
        at += 16 + length
        if len(frame) == length:
            yield frame


def show(frame):
    ethertype, = struct.unpack_from("!H", frame, 12)
    packet = frame[14:]
    if ethertype == 0x0800:
        tcp = (packet[0] & 15) * 4
        end, = struct.unpack_from("!H", packet, 2)
    else:
        tcp = 40
        end = 40 + struct.unpack_from("!H", packet, 4)[0]
    seq, ack, offset, flags = struct.unpack_from("!IIBB", packet, tcp + 4)
    print(seq, ack if flags & ACK else 0, end - tcp - (offset >> 4) * 4, flags)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    with open(sys.argv[1], "rb") as file:
        data = file.read()
    for frame in segments(data):
        show(frame)


main()
