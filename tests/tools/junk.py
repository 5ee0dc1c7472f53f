#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Sends frames that no sound stack sends: junk.py IFACE DST_MAC COUNT, in the attacker's namespace.

Each frame goes out COUNT times; for each, a line "REASON PACKETS BYTES" says as what the filter must count it.
"""
import socket
import struct
import sys

V4 = 0x0800
V6 = 0x86DD
VLAN = 0x8100
SRC4, DST4 = socket.inet_aton("198.18.9.9"), socket.inet_aton("10.99.0.1")
SRC6, DST6 = (socket.inet_pton(socket.AF_INET6, a) for a in ("2001:db8::9", "fd99::1"))
SYN, SYN_FIN, SYN_RST, XMAS, ACK = 0x02, 0x03, 0x06, 0x29, 0x10


def tcp(flags, words=5, options=b""):
    return struct.pack("!HHIIBBHHH", 4000, 80, 1, 0, words << 4, flags, 1024, 0, 0) + options


def ip4(payload, head=0x45, length=None, fragment=0):
    length = 20 + len(payload) if length is None else length
    return struct.pack("!BBHHHBBH4s4s", head, 0, length, 1, fragment, 64, 6, 0, SRC4, DST4) + payload


def ip6(payload, head=0x60000000, length=None, nexthdr=6):
    length = len(payload) if length is None else length
    return struct.pack("!IHBB16s16s", head, length, nexthdr, 64, SRC6, DST6) + payload


def options6(count):
    """So many empty hop-by-hop or destination headers before a SYN."""
    return b"".join(struct.pack("!BB6x", 6 if i == count - 1 else 60, 0) for i in range(count)) + tcp(SYN)


def tagged(tags, ethertype, packet):
    return b"".join(struct.pack("!HH", 5, VLAN) for _ in range(tags - 1)) + struct.pack("!HH", 5, ethertype) + packet


FRAMES = [
    ("tcp_no_flags", V4, ip4(tcp(0))),
    ("tcp_syn_fin", V4, ip4(tcp(SYN_FIN))),
    ("tcp_syn_rst", V6, ip6(tcp(SYN_RST))),
    ("tcp_xmas", V4, ip4(tcp(XMAS))),
    ("tcp_doff_short", V4, ip4(tcp(SYN, words=4))),
    ("tcp_doff_end", V6, ip6(tcp(SYN, words=15))),
    ("tcp_truncated", V4, ip4(tcp(SYN)[:12])),
    ("tcp_fragmented", V4, ip4(tcp(SYN)[:8], fragment=0x2000)),
    ("fragment", V4, ip4(tcp(SYN), fragment=0x0010)),
    ("ipv4_header", V4, ip4(tcp(SYN), head=0x44)),
    ("ipv4_header", V4, ip4(tcp(SYN), head=0x65)),
    ("ipv4_truncated", V4, ip4(tcp(SYN), length=400)),
    ("ipv6_header", V6, ip6(tcp(SYN), head=0x40000000)),
    ("ipv6_truncated", V6, ip6(tcp(SYN), length=400)),
    ("ipv6_chain", V6, ip6(options6(9), nexthdr=60)),
    ("syn", V6, ip6(options6(8), nexthdr=60)),
    ("eth_truncated", VLAN, b"\0\5"),
    ("vlan_depth", VLAN, tagged(9, V4, ip4(tcp(SYN)))),
    ("syn", VLAN, tagged(2, V4, ip4(tcp(SYN)))),
    ("segment", VLAN, tagged(1, V6, ip6(tcp(ACK)))),
    ("not_ip", 0x88CC, b"\2\7\4" + bytes(43)),
    ("not_tcp", V6, ip6(bytes(16), nexthdr=17)),
]


def main():
    iface, mac, count = sys.argv[1], bytes.fromhex(sys.argv[2].replace(":", "")), int(sys.argv[3])
    wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    wire.bind((iface, 0))
    for reason, ethertype, packet in FRAMES:
        frame = mac + wire.getsockname()[4] + struct.pack("!H", ethertype) + packet
        for _ in range(count):
            wire.send(frame)
        print(reason, count, count * len(frame))


main()
