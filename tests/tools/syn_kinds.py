# SPDX-License-Identifier: GPL-2.0-only
"""
SYNs that deviate from a plain one in one or two ways, each made from a seed and a number: the deviations are the rows
of FRAME, V4, V6 and TCP.
"""
import ipaddress
import random
import struct

TCP_PROTO, PORT = 6, 80
HOPOPTS, ROUTING, FRAGMENT, ESP, AH, NONE, DSTOPTS, MOBILITY, HIP, SHIM6 = 0, 43, 44, 50, 51, 59, 60, 135, 139, 140


class Syn:
    """A plain SYN, with everything in it that a deviation may change."""

    def __init__(self, rng, family):
        self.rng, self.family, self.names = rng, family, []
        self.mac, self.tags = None, []  # None: the server's
        self.source, self.destination = self.stranger(), None  # None: the server's address
        self.hops, self.tos, self.flow, self.frag, self.id = 64, 0, 0, 0x4000, rng.randrange(65536)
        self.ip_options, self.ip_sum, self.ip_length = b"", 0, 0  # what is added to the right values
        self.headers, self.last = [], TCP_PROTO  # IPv6: (type, bytes behind the next header)
        self.sport, self.dport, self.ack = rng.randrange(1024, 65536), PORT, 0
        self.flags, self.reserved, self.window, self.urgent = 2, 0, 64240, 0
        self.options, self.doff, self.tcp_sum, self.data, self.tail = linux_options(rng), 0, 0, b"", b""

    def stranger(self):
        if self.family == 4:
            return bytes((self.rng.choice((11, 100, 198, 203)),)) + self.rng.randbytes(3)
        return b"\x2a\x00" + self.rng.randbytes(14)

    def pick(self, *choices):
        return self.rng.choice(choices)


def linux_options(rng):
    stamp = struct.pack("!II", rng.randrange(1, 1 << 32), 0)
    return b"\x02\x04\x05\xb4\x04\x02\x08\x0a" + stamp + b"\x01\x03\x03" + bytes((rng.randrange(15),))


def v4(text):
    return ipaddress.IPv4Address(text).packed


def v6(text):
    return ipaddress.IPv6Address(text).packed


def in_net(syn, first):
    """An IPv4 address with this first byte."""
    return bytes((first,)) + syn.rng.randbytes(3)


def setter(field, value):
    def change(syn):
        setattr(syn, field, value(syn) if callable(value) else value)
    return change


def header(kind, body):
    """Puts an extension header in; `body` is what follows its next header and length bytes, padded here."""
    def change(syn):
        content = body(syn) if callable(body) else body
        syn.headers.append((kind, bytes((len(content) // 8,)) + content))
    return change


def fragment(offset_and_more):
    def change(syn):
        syn.headers.append((FRAGMENT, struct.pack("!BHI", 0, offset_and_more, syn.rng.randrange(1 << 32))))
    return change


def addresses(count):
    return lambda syn: b"".join(v6("2a01::%x" % syn.rng.randrange(1, 65536)) for _ in range(count))


def routing(kind, left, count=1):
    return header(ROUTING, lambda syn: bytes((kind, left, 0, 0, 0, 0)) + addresses(count)(syn))


def options_header(kind, option):
    """Options of a hop-by-hop or destination header, padded to a multiple of eight with zeros (Pad1)."""
    return header(kind, option + bytes(-(len(option) + 2) % 8))


def pad_n(length):
    return bytes((1, length)) + bytes(length)


OWN = object()
FRAME = {
    "MAC of another station": setter("mac", lambda syn: b"\x02\xee" + syn.rng.randbytes(4)),
    "MAC broadcast": setter("mac", b"\xff" * 6),
    "MAC multicast": setter("mac", lambda syn: b"\x01\x00\x5e" + bytes((syn.rng.randrange(128),)) + syn.rng.randbytes(2)),
    "VLAN priority tag": setter("tags", lambda syn: [syn.pick(0x8100, 0x88A8)]),
    "bytes behind the packet": setter("tail", lambda syn: syn.rng.randbytes(syn.rng.randrange(1, 64))),
}
V4 = {
    "source 0.0.0.0": setter("source", v4("0.0.0.0")),
    "source 0/8": setter("source", lambda syn: in_net(syn, 0)),
    "source 127/8": setter("source", lambda syn: in_net(syn, 127)),
    "source 224/4": setter("source", lambda syn: in_net(syn, syn.rng.randrange(224, 240))),
    "source 240/4": setter("source", lambda syn: in_net(syn, syn.rng.randrange(240, 255))),
    "source 255.255.255.255": setter("source", b"\xff" * 4),
    "source own": setter("source", OWN),
    "source own, the other one": setter("source", v4("10.99.0.9")),
    "source directed broadcast": setter("source", v4("10.99.0.255")),
    "destination 255.255.255.255": setter("destination", b"\xff" * 4),
    "destination directed broadcast": setter("destination", v4("10.99.0.255")),
    "destination network": setter("destination", v4("10.99.0.0")),
    "destination multicast": setter("destination", lambda syn: in_net(syn, syn.rng.randrange(224, 240))),
    "destination 127/8": setter("destination", lambda syn: in_net(syn, 127)),
    "destination 0/8": setter("destination", lambda syn: in_net(syn, 0)),
    "destination elsewhere": setter("destination", lambda syn: in_net(syn, 198)),
    "destination own, the other one": setter("destination", v4("10.99.0.9")),
    "IP checksum wrong": setter("ip_sum", lambda syn: syn.rng.randrange(1, 65535)),
    "IP length too long": setter("ip_length", lambda syn: syn.rng.randrange(1, 64)),
    "IP length too short": setter("ip_length", lambda syn: -syn.rng.randrange(1, 40)),
    "fragment, first": setter("frag", 0x2000),
    "fragment, later": setter("frag", lambda syn: syn.rng.randrange(1, 8192) | syn.pick(0, 0x2000)),
    "no DF": setter("frag", 0),
    "reserved flag": setter("frag", 0x8000),
    "TTL": setter("hops", lambda syn: syn.pick(0, 1, 2, 128, 255)),
    "TOS": setter("tos", lambda syn: syn.rng.randrange(256)),
    "options NOP": setter("ip_options", b"\x01\x01\x01\x01"),
    "options end": setter("ip_options", b"\x00\x00\x00\x00"),
    "options record route": setter("ip_options", b"\x07\x07\x04\x00\x00\x00\x00\x00"),
    "options timestamp": setter("ip_options", b"\x44\x08\x05\x00\x00\x00\x00\x00"),
    "options router alert": setter("ip_options", b"\x94\x04\x00\x00"),
    "options CIPSO": setter("ip_options", b"\x86\x06\x00\x00\x00\x01\x00\x00"),
    "options LSRR": setter("ip_options", lambda syn: b"\x83\x07" + syn.pick(b"\x04", b"\x08") + v4("10.99.0.2") + b"\x00"),
    "options SSRR": setter("ip_options", lambda syn: b"\x89\x07" + syn.pick(b"\x04", b"\x08") + v4("10.99.0.2") + b"\x00"),
    "options length 0": setter("ip_options", b"\x07\x00\x04\x00"),
    "options length 1": setter("ip_options", b"\x07\x01\x04\x00"),
    "options past the end": setter("ip_options", lambda syn: bytes((syn.pick(7, 68, 130, 136), 40, 4, 0))),
    "IP options random": setter("ip_options", lambda syn: syn.rng.randbytes(4 * syn.rng.randrange(1, 11))),
}
V6 = {
    "source ::": setter("source", v6("::")),
    "source ::1": setter("source", v6("::1")),
    "source multicast": setter("source", lambda syn: b"\xff" + syn.rng.randbytes(15)),
    "source v4-mapped": setter("source", lambda syn: v6("::ffff:0:0")[:12] + syn.stranger()[:4]),
    "source own": setter("source", OWN),
    "source own, the other one": setter("source", v6("fd99::9")),
    "source link-local": setter("source", lambda syn: v6("fe80::")[:8] + syn.rng.randbytes(8)),
    "destination ::": setter("destination", v6("::")),
    "destination ::1": setter("destination", v6("::1")),
    "destination all nodes": setter("destination", v6("ff02::1")),
    "destination multicast": setter("destination", lambda syn: b"\xff" + syn.rng.randbytes(15)),
    "destination v4-mapped": setter("destination", v6("::ffff:10.99.0.1")),
    "destination anycast": setter("destination", v6("fd99::")),
    "destination elsewhere": setter("destination", lambda syn: syn.stranger()),
    "destination own, the other one": setter("destination", v6("fd99::9")),
    "hop limit": setter("hops", lambda syn: syn.pick(0, 1, 2, 128, 255)),
    "traffic class": setter("tos", lambda syn: syn.rng.randrange(256)),
    "flow label": setter("flow", lambda syn: syn.rng.randrange(1 << 20)),
    "length too long": setter("ip_length", lambda syn: syn.rng.randrange(1, 64)),
    "length too short": setter("ip_length", lambda syn: -syn.rng.randrange(1, 40)),
    "atomic fragment": fragment(0),
    "fragment, first": fragment(1),
    "fragment, later": fragment(0x4008),
    "hop-by-hop padding": options_header(HOPOPTS, pad_n(4)),
    "hop-by-hop padding too long": options_header(HOPOPTS, pad_n(12)),
    "hop-by-hop router alert": options_header(HOPOPTS, b"\x05\x02\x00\x00"),
    "hop-by-hop unknown, skip": options_header(HOPOPTS, b"\x1e\x02\x00\x00"),
    "hop-by-hop unknown, discard": options_header(HOPOPTS, b"\x5e\x02\x00\x00"),
    "hop-by-hop unknown, discard and tell": options_header(HOPOPTS, b"\x9e\x02\x00\x00"),
    "hop-by-hop past the end": options_header(HOPOPTS, b"\x1e\x40\x00\x00"),
    "hop-by-hop jumbo": options_header(HOPOPTS, b"\xc2\x04\x00\x01\x00\x00"),
    "destination padding": options_header(DSTOPTS, pad_n(4)),
    "destination unknown, skip": options_header(DSTOPTS, b"\x1e\x02\x00\x00"),
    "destination unknown, discard": options_header(DSTOPTS, b"\x5e\x02\x00\x00"),
    "destination home address": options_header(DSTOPTS, b"\xc9\x10" + v6("2a02::1")),
    "destination past the end": options_header(DSTOPTS, b"\x1e\x40\x00\x00"),
    "routing 0, none left": routing(0, 0),
    "routing 0, one left": routing(0, 1),
    "routing 2, one left": routing(2, 1),
    "routing 3, one left": routing(3, 1),
    "routing 4, none left": routing(4, 0),
    "routing 4, one left": routing(4, 1),
    "routing 253, none left": routing(253, 0),
    "routing 253, one left": routing(253, 1),
    "AH": lambda syn: syn.headers.append((AH, bytes((4,)) + syn.rng.randbytes(22))),
    "ESP": setter("last", ESP),
    "no next header": setter("last", NONE),
    "HIP": header(HIP, bytes(6)),
    "Shim6": header(SHIM6, bytes(6)),
    "mobility": header(MOBILITY, bytes(6)),
    "hop-by-hop twice": lambda syn: [options_header(HOPOPTS, pad_n(4))(syn) for _ in range(2)],
    "hop-by-hop behind destination": lambda syn: [options_header(kind, pad_n(4))(syn) for kind in (DSTOPTS, HOPOPTS)],
}
TCP = {
    "checksum wrong": setter("tcp_sum", lambda syn: syn.rng.randrange(1, 65535)),
    "flags": setter("flags", lambda syn: 2 | syn.pick(0x08, 0x20, 0x28, 0x40, 0x80, 0xC0)),
    "flags impossible": setter("flags", lambda syn: syn.pick(3, 6, 7, 0x2B, 0)),
    "ECN": lambda syn: (setattr(syn, "flags", 0xC2), setattr(syn, "tos", syn.rng.randrange(4))),
    "reserved bits": setter("reserved", lambda syn: syn.rng.randrange(1, 16)),
    "window": setter("window", lambda syn: syn.pick(0, 1, 1024, 65535)),
    "urgent pointer": setter("urgent", lambda syn: syn.rng.randrange(1, 65536)),
    "acknowledgement number": setter("ack", lambda syn: syn.rng.randrange(1, 1 << 32)),
    "source port": setter("sport", lambda syn: syn.pick(0, 1, 79, 80, 443, 1023)),
    "another port": setter("dport", lambda syn: syn.pick(0, 81, 65535)),
    "data offset": setter("doff", lambda syn: syn.pick(-6, -1, 1, 5)),
    "data": setter("data", lambda syn: syn.rng.randbytes(syn.rng.randrange(1, 1200))),
    "no options": setter("options", b""),
    "MSS": setter("options", lambda syn: struct.pack("!BBH", 2, 4, syn.pick(0, 1, 87, 88, 536, 1220, 1440, 8960, 65535))),
    "MSS twice": setter("options", b"\x02\x04\x05\xb4\x02\x04\x02\x18"),
    "no MSS": lambda syn: setattr(syn, "options", syn.options[4:]),
    "window scale": lambda syn: setattr(syn, "options", syn.options[:-1] + bytes((syn.pick(0, 14, 15, 255),))),
    "options NOPs": setter("options", b"\x01" * 40),
    "option length 0": lambda syn: setattr(syn, "options", b"\xfe\x00\x01\x01" + syn.options),
    "option length 1": lambda syn: setattr(syn, "options", b"\xfe\x01\x01\x01" + syn.options),
    "option past the end": lambda syn: setattr(syn, "options", syn.options + b"\x08\x0a\x01\x01"),
    "options random": setter("options", lambda syn: syn.rng.randbytes(4 * syn.rng.randrange(1, 11))),
    "Fast Open": lambda syn: setattr(syn, "options", syn.options + syn.pick(b"\x22\x02\x01\x01", b"\x22\x0a" + bytes(8) + b"\x01\x01")),
    "MPTCP": lambda syn: setattr(syn, "options", syn.options + b"\x1e\x04\x01\x01"),
    "MD5": setter("options", lambda syn: b"\x02\x04\x05\xb4\x01\x01\x13\x12" + syn.rng.randbytes(16)),
    "AO": setter("options", lambda syn: b"\x02\x04\x05\xb4\x1d\x10\x01\x01" + syn.rng.randbytes(12)),
}
FAMILIES = {4: {**FRAME, **V4, **TCP}, 6: {**FRAME, **V6, **TCP}}


def make(number, seed):
    """The SYN of this number."""
    rng = random.Random(f"{seed} {number}")
    syn = Syn(rng, 4 if number % 2 else 6)
    rows = FAMILIES[syn.family]
    for name in rng.sample(sorted(rows), rng.choices((0, 1, 2, 3), (1, 12, 5, 2))[0]):
        rows[name](syn)
        syn.names.append(name)
    return syn
