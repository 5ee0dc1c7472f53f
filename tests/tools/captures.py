#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Writes capture files of TCP conversations, for the tests of `synwarden ladder`.

captures.py DIRECTORY [NAME...]: DIRECTORY/NAME.pcap (or .pcapng) for each scenario, all without names. Every file is
the same at each call. A scenario is a function of this file; its docstring says what happens in it.
"""
import os
import struct
import sys

sys.dont_write_bytecode = True
from capture_files import write_pcap, write_pcapng
from capture_http import http

CLIENT, SERVER = "192.0.2.1", "192.0.2.2"
CPORT, SPORT = 40000, 80
X, Y = 1000, 5000  # initial sequence numbers
START_NS = 1767225600 * 10**9  # 2026-01-01T00:00:00Z
US, MS, S = 10**3, 10**6, 10**9
FIN, SYN, RST, PSH, ACK, URG, ECE, CWR = 1, 2, 4, 8, 16, 32, 64, 128

ETHERNET, NULL, RAW, SLL, SLL2 = 1, 0, 101, 113, 276

SYN_OPTIONS = b"\x02\x04\x05\xb4" + b"\x04\x02" + b"\x08\x0a" + bytes(8) + b"\x01" + b"\x03\x03\x07"


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def packed(addr):
    if ":" in addr:
        import socket
        return socket.inet_pton(socket.AF_INET6, addr)
    return bytes(int(part) for part in addr.split("."))


class Capture:
    """The packets of a scenario. send() is from the client, recv() from the server."""

    def __init__(self, link=ETHERNET, client=CLIENT, server=SERVER, tags=(), extensions=b"", x=X, y=Y):
        self.link, self.client, self.server = link, packed(client), packed(server)
        self.tags, self.extensions, self.x, self.y = tags, extensions, x, y
        self.now, self.packets, self.cport = START_NS, [], CPORT

    def wait(self, ns):
        self.now += ns

    def tcp(self, source, target, ports, seq, ack, flags, payload, window, options):
        options += b"\x01" * (-len(options) % 4)
        head = struct.pack("!HHIIBBHHH", *ports, seq % 2**32, ack % 2**32 if flags & ACK else 0,
                           (20 + len(options)) // 4 << 4, flags, window, 0, 0) + options
        pseudo = source + target + (struct.pack("!BBH", 0, 6, len(head) + len(payload)) if len(source) == 4 else
                                    struct.pack("!IHBB", len(head) + len(payload), 0, 0, 6))
        return head[:16] + struct.pack("!H", checksum(pseudo + head + payload)) + head[18:] + payload

    def ip(self, source, target, segment):
        if len(source) == 4:
            head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(segment), len(self.packets), 0x4000, 64, 6, 0, source,
                               target)
            return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + segment
        following = self.extensions[0] if self.extensions else 6
        body = self.extensions[1:] + segment
        return struct.pack("!IHBB16s16s", 6 << 28, len(body), following, 64, source, target) + body

    def frame(self, packet):
        ethertype = 0x0800 if packet[0] >> 4 == 4 else 0x86dd
        if self.link == ETHERNET:
            tags = b"".join(struct.pack("!HH", 0x8100, tag) for tag in self.tags)
            return bytes(5) + b"\x01" + bytes(5) + b"\x02" + tags + struct.pack("!H", ethertype) + packet
        if self.link == SLL:
            return struct.pack("!HHH8sH", 0, 1, 6, bytes(8), ethertype) + packet
        if self.link == SLL2:
            return struct.pack("!HHIHBB8s", ethertype, 0, 1, 1, 0, 6, bytes(8)) + packet
        if self.link == NULL:
            return struct.pack("<I", 2 if ethertype == 0x0800 else 30) + packet
        return packet

    def add(self, from_client, flags, seq, ack, payload, window, options, after):
        self.now += after
        ends = [(self.client, self.cport), (self.server, SPORT)]
        (source, sport), (target, dport) = ends if from_client else reversed(ends)
        seq += self.x if from_client else self.y
        ack += self.y if from_client else self.x
        segment = self.tcp(source, target, (sport, dport), seq, ack, flags, payload, window, options)
        self.packets.append((self.now, self.frame(self.ip(source, target, segment))))

    def send(self, flags, seq, ack=0, payload=b"", window=64240, options=b"", after=100 * US):
        """seq counts from the client's SYN, ack from the server's."""
        self.add(True, flags, seq, ack, payload, window, options, after)

    def recv(self, flags, seq, ack=0, payload=b"", window=65160, options=b"", after=100 * US):
        self.add(False, flags, seq, ack, payload, window, options, after)

    def handshake(self):
        self.send(SYN, 0, options=SYN_OPTIONS, after=0)
        self.recv(SYN | ACK, 0, 1, options=SYN_OPTIONS)
        self.send(ACK, 1, 1, window=502)

    def request(self, asked=79, answered=234):
        self.send(PSH | ACK, 1, 1, b"q" * asked, window=502)
        self.recv(ACK, 1, 1 + asked, window=509)
        self.recv(PSH | ACK, 1, 1 + asked, b"a" * answered, window=509)
        self.send(ACK, 1 + asked, 1 + answered, window=501)

    def close(self, seq=80, ack=235):
        """The client first, each FIN acknowledged by itself, with a pause before the server's."""
        self.send(FIN | ACK, seq, ack, window=501)
        self.recv(ACK, ack, seq + 1, window=509)
        self.recv(FIN | ACK, ack, seq + 1, window=509, after=50 * MS)
        self.send(ACK, seq + 1, ack + 1, window=501)


def open_close(c):
    """Handshake, a request with its answer, and the client closes first."""
    c.handshake()
    c.request()
    c.close()


def server_first(c):
    """The server closes first, and its FIN is acknowledged together with the client's own."""
    c.handshake()
    c.request()
    c.recv(FIN | ACK, 235, 80, window=509)
    c.send(FIN | ACK, 80, 236, window=501)
    c.recv(ACK, 236, 81, window=509)


def half_close(c):
    """The client closes its half, and the server goes on sending."""
    c.handshake()
    c.send(FIN | ACK, 1, 1, window=502)
    c.recv(ACK, 1, 2, window=509)
    c.recv(PSH | ACK, 1, 2, b"a" * 1000, window=509)
    c.send(ACK, 2, 1001, window=501)
    c.recv(FIN | ACK, 1001, 2, window=509)
    c.send(ACK, 2, 1002, window=501)


def simultaneous_open(c):
    """Both ends send a SYN before that of the other one comes."""
    c.send(SYN, 0, options=SYN_OPTIONS, after=0)
    c.recv(SYN, 0, options=SYN_OPTIONS, after=20 * US)
    c.send(SYN | ACK, 0, 1, options=SYN_OPTIONS)
    c.recv(SYN | ACK, 0, 1, options=SYN_OPTIONS, after=20 * US)
    c.request()
    c.close()


def simultaneous_close(c):
    """Both FINs are on their way at once: CLOSING."""
    c.handshake()
    c.send(FIN | ACK, 1, 1, window=502)
    c.recv(FIN | ACK, 1, 1, window=509, after=20 * US)
    c.send(ACK, 2, 2, window=502)
    c.recv(ACK, 2, 2, window=509, after=20 * US)


def refused(c):
    """Nobody listens: the SYN is answered with a RST."""
    c.send(SYN, 0, options=SYN_OPTIONS, after=0)
    c.recv(RST | ACK, -Y, 1, window=0)


def silent(c):
    """Three SYNs, no answer."""
    c.send(SYN, 0, options=SYN_OPTIONS, after=0)
    c.send(SYN, 0, options=SYN_OPTIONS, after=1000 * MS)
    c.send(SYN, 0, options=SYN_OPTIONS, after=2000 * MS)


def reset_syn_sent(c):
    """The client gives up: a RST after the SYN-ACK, with the number that it acknowledged."""
    c.send(SYN, 0, options=SYN_OPTIONS, after=0)
    c.recv(SYN | ACK, 0, 1, options=SYN_OPTIONS)
    c.send(RST, 1, window=0)


def reset_established(c):
    """The server resets in place of an answer."""
    c.handshake()
    c.send(PSH | ACK, 1, 1, b"q" * 79, window=502)
    c.recv(ACK, 1, 80, window=509)
    c.recv(RST | ACK, 1, 80, window=0)


def reset_fin_wait1(c):
    """The client's FIN is answered with a RST."""
    c.handshake()
    c.send(FIN | ACK, 1, 1, window=502)
    c.recv(RST, 1, window=0)


def reset_fin_wait2(c):
    """Data after the client's close, which it answers with a RST."""
    c.handshake()
    c.send(FIN | ACK, 1, 1, window=502)
    c.recv(ACK, 1, 2, window=509)
    c.recv(PSH | ACK, 1, 2, b"a" * 100, window=509)
    c.send(RST, 2, window=0)


def reset_close_wait(c):
    """The server, in CLOSE_WAIT, resets instead of closing."""
    c.handshake()
    c.send(FIN | ACK, 1, 1, window=502)
    c.recv(ACK, 1, 2, window=509)
    c.recv(RST | ACK, 1, 2, window=0)


def reset_last_ack(c):
    """The client resets when the server's FIN comes."""
    c.handshake()
    c.send(FIN | ACK, 1, 1, window=502)
    c.recv(FIN | ACK, 1, 2, window=509)
    c.send(RST | ACK, 2, 2, window=0)


def reset_closing(c):
    """A RST while both FINs are under way."""
    c.handshake()
    c.send(FIN | ACK, 1, 1, window=502)
    c.recv(FIN | ACK, 1, 1, window=509, after=20 * US)
    c.recv(RST | ACK, 2, 1, window=0)


def syn_again(c):
    """The first SYN is lost behind the capture."""
    c.send(SYN, 0, options=SYN_OPTIONS, after=0)
    c.send(SYN, 0, options=SYN_OPTIONS, after=1000 * MS)
    c.recv(SYN | ACK, 0, 1, options=SYN_OPTIONS)
    c.send(ACK, 1, 1, window=502)
    c.close(1, 1)


def syn_ack_again(c):
    """The SYN-ACK is sent twice, as the client's ACK was lost."""
    c.send(SYN, 0, options=SYN_OPTIONS, after=0)
    c.recv(SYN | ACK, 0, 1, options=SYN_OPTIONS)
    c.send(ACK, 1, 1, window=502)
    c.recv(SYN | ACK, 0, 1, options=SYN_OPTIONS, after=1000 * MS)
    c.send(ACK, 1, 1, window=502)
    c.close(1, 1)


def data_again(c):
    """A request goes unanswered, and is sent again after a time-out."""
    c.handshake()
    c.send(PSH | ACK, 1, 1, b"q" * 79, window=502)
    c.send(PSH | ACK, 1, 1, b"q" * 79, window=502, after=201 * MS)
    c.recv(ACK, 1, 80, window=509)
    c.close(80, 1)


def fin_again(c):
    """The FIN is sent again, and then acknowledged."""
    c.handshake()
    c.send(FIN | ACK, 1, 1, window=502)
    c.send(FIN | ACK, 1, 1, window=502, after=201 * MS)
    c.recv(FIN | ACK, 1, 2, window=509)
    c.send(ACK, 2, 2, window=502)


def fin_in_time_wait(c):
    """The last ACK is lost: the server sends its FIN again, into the client's TIME_WAIT."""
    c.handshake()
    c.close(1, 1)
    c.recv(FIN | ACK, 1, 2, window=509, after=201 * MS)
    c.send(ACK, 2, 2, window=502)


def reset_time_wait(c):
    """A RST that TIME_WAIT does not mind, and one with the next number, which ends it (RFC 1337)."""
    c.handshake()
    c.close(1, 1)
    c.recv(RST, 1, window=0)
    c.recv(RST, 2, window=0)


def out_of_order(c):
    """Two segments change places on the way."""
    c.handshake()
    c.recv(ACK, 1001, 1, b"b" * 1000, window=509)
    c.recv(ACK, 1, 1, b"a" * 1000, window=509, after=30 * US)
    c.send(ACK, 1, 2001, window=502)
    c.close(1, 2001)


def fast_retransmit(c):
    """One segment is lost before the capture; three duplicate ACKs bring it."""
    c.handshake()
    c.recv(ACK, 1, 1, b"a" * 1000, window=509)
    c.send(ACK, 1, 1001, window=502)
    for i in range(3):
        c.recv(ACK, 2001 + 1000 * i, 1, b"c" * 1000, window=509, after=20 * US)
        sack = struct.pack("!BBBBII", 1, 1, 5, 10, (c.y + 2001) % 2**32, (c.y + 3001 + 1000 * i) % 2**32)
        c.send(ACK, 1, 1001, window=502, options=sack, after=20 * US)
    c.recv(ACK, 1001, 1, b"b" * 1000, window=509, after=5 * MS)
    c.send(ACK, 1, 5001, window=502)
    c.close(1, 5001)


def zero_window(c):
    """The receiver closes its window, is asked, and opens it again."""
    c.handshake()
    c.send(PSH | ACK, 1, 1, b"d" * 1000, window=502)
    c.recv(ACK, 1, 1001, window=0)
    c.send(ACK, 1000, 1, window=502, after=200 * MS)
    c.recv(ACK, 1, 1001, window=0)
    c.send(ACK, 1001, 1, b"p", window=502, after=400 * MS)
    c.recv(ACK, 1, 1001, window=0)
    c.recv(ACK, 1, 1001, window=509, after=300 * MS)
    c.send(PSH | ACK, 1001, 1, b"d" * 500, window=502)
    c.recv(ACK, 1, 1501, window=509)
    c.close(1501, 1)


def keep_alive(c):
    """An idle connection is asked whether it is still there."""
    c.handshake()
    c.request()
    c.send(ACK, 79, 235, window=501, after=10 * S)
    c.recv(ACK, 235, 80, window=509)
    c.send(ACK, 79, 235, window=501, after=10 * S)
    c.recv(ACK, 235, 80, window=509)
    c.close()


def fast_open(c):
    """TCP Fast Open: data in the SYN."""
    cookie = b"\x22\x0a" + bytes(8)
    c.send(SYN, 0, payload=b"q" * 79, options=SYN_OPTIONS + cookie, after=0)
    c.recv(SYN | ACK, 0, 80, options=SYN_OPTIONS)
    c.recv(PSH | ACK, 1, 80, b"a" * 234, window=509)
    c.send(ACK, 80, 235, window=501)
    c.close()


def wrap(c):
    """The numbers of both ends wrap at 2^32."""
    open_close(c)


def middle(c):
    """The capture begins in the middle of a connection."""
    c.send(PSH | ACK, 500, 900, b"q" * 79, window=502, after=0)
    c.recv(ACK, 900, 579, window=509)
    c.recv(PSH | ACK, 900, 579, b"a" * 234, window=509)
    c.send(ACK, 579, 1134, window=501)
    c.close(579, 1134)


def port_again(c):
    """The same ports are used again out of TIME_WAIT."""
    open_close(c)
    c.wait(2 * S)
    c.x, c.y = 700000, 800000
    open_close(c)


def two_connections(c):
    """Two connections at the same time."""
    first = c.cport
    c.handshake()
    c.cport = first + 1
    c.handshake()
    c.cport = first
    c.request()
    c.close()
    c.cport = first + 1
    c.close(1, 1)


def offload(c):
    """Segmentation offload: more than an MTU in one."""
    c.handshake()
    c.recv(ACK, 1, 1, b"a" * 30000, window=509)
    c.send(ACK, 1, 30001, window=502)
    c.close(1, 30001)


def after_fin(c):
    """Data beyond the sender's own FIN, which no sound end sends."""
    c.handshake()
    c.send(FIN | ACK, 1, 1, window=502)
    c.send(PSH | ACK, 2, 1, b"z" * 10, window=502)
    c.recv(RST, 1, window=0)


SCENARIOS = [open_close, server_first, half_close, simultaneous_open, simultaneous_close, refused, silent, reset_syn_sent,
             reset_established, reset_fin_wait1, reset_fin_wait2, reset_close_wait, reset_last_ack, reset_closing, syn_again,
             syn_ack_again, data_again, fin_again, fin_in_time_wait, reset_time_wait, out_of_order, fast_retransmit, zero_window, keep_alive, fast_open, wrap,
             middle, port_again, two_connections, offload, after_fin, http]

# How the same open_close may be stored: name, file format, what Capture() is given.
HOP_BY_HOP = b"\x00" + b"\x06\x00" + b"\x01\x04" + bytes(4)  # behind its own number: next header, length, PadN
LINKS = [("link_sll", "pcap", {"link": SLL}), ("link_sll2", "pcap", {"link": SLL2}), ("link_null", "pcap", {"link": NULL}),
         ("link_raw", "pcap", {"link": RAW}), ("link_vlan", "pcap", {"tags": (5,)}),
         ("link_qinq", "pcap", {"tags": (5, 6)}), ("link_ng", "pcapng", {}),
         ("link_ipv6", "pcap", {"client": "2001:db8::1", "server": "2001:db8::2"}),
         ("link_extensions", "pcap", {"client": "2001:db8::1", "server": "2001:db8::2", "extensions": HOP_BY_HOP})]


def make(directory, wanted):
    def is_wanted(name):
        return not wanted or name in wanted

    for scenario in SCENARIOS:
        if not is_wanted(scenario.__name__):
            continue
        capture = Capture(x=2**32 - 40, y=2**32 - 100) if scenario is wrap else Capture()
        scenario(capture)
        write_pcap(os.path.join(directory, scenario.__name__ + ".pcap"), capture)
    for name, kind, how in LINKS:
        if is_wanted(name):
            capture = Capture(**how)
            open_close(capture)
            (write_pcapng if kind == "pcapng" else write_pcap)(os.path.join(directory, f"{name}.{kind}"), capture)
    capture = Capture()
    open_close(capture)
    if is_wanted("snaplen"):
        write_pcap(os.path.join(directory, "snaplen.pcap"), capture, 60)
    if is_wanted("headless"):
        write_pcap(os.path.join(directory, "headless.pcap"), capture, 40)
    if is_wanted("cut"):
        write_pcap(os.path.join(directory, "cut.pcap"), capture)
        with open(os.path.join(directory, "cut.pcap"), "r+b") as file:
            file.truncate(os.path.getsize(file.name) - 30)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    os.makedirs(sys.argv[1], exist_ok=True)
    make(sys.argv[1], sys.argv[2:])
