#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""
The same seeded SYNs for two servers, and what they answer.

syns.py send DEVICE MAC IPV4 IPV6 COUNT SEED FILE: sends COUNT SYNs from DEVICE to the server that has MAC and both
addresses, and writes each answer to FILE. A SYN's number stands in its sequence number, so that its answer names it.

syns.py listen [TTL TOS]: listens on port 80 in both families, with TTL and TOS of its own where they are given.

syns.py compare COUNT SEED KERNEL FILTER: compares the answers of a kernel on its own with those of a filter in front
of it, and prints a table: per kind of SYN, how many were answered alike, by the kernel alone, by the filter alone, and
with different fields. The exit status is 1 where a difference is not known.

What SYNs there are: syn_kinds.py.
"""
import collections
import json
import signal
import socket
import struct
import sys
import time

from syn_kinds import OWN, PORT, TCP_PROTO, make, v4, v6

ETH_P_ALL, ETH_P_IP, ETH_P_IPV6 = 3, 0x0800, 0x86DD
SO_RCVBUFFORCE, SOL_PACKET, PACKET_IGNORE_OUTGOING = 33, 263, 23
BATCH = 32  # a veth's ring holds 256 frames
QUIET_S = 0.002  # no answer for so long: the batch has been worked off

# What is known to differ: deviations that the kernel alone answers, and fields that differ with a deviation. See
# docs/limits.md.
KERNEL_ALONE = {
    "source 0/8", "source 240/4", "source ::",  # no host has them
    # what stands between the IP and the TCP header
    "options NOP", "options end", "options record route", "options timestamp", "options router alert", "options CIPSO",
    "IP options random", "hop-by-hop padding", "hop-by-hop router alert", "hop-by-hop unknown, skip",
    "destination padding", "destination unknown, skip", "routing 0, none left", "routing 253, none left",
    # TCP options whose length cannot be, near the end of the header
    "option length 0", "option length 1", "option past the end", "options random", "data offset",
}
# The checksum of a SYN with data is not verified, nor of one whose length makes data of options or padding.
WITH_DATA = {"data", "data offset", "bytes behind the packet"}
WRONG_SUMS = {"checksum wrong", "IP length too short", "length too short", "IP length too long", "length too long"}
FIELDS_DIFFER = {
    "source directed broadcast": {"to"},  # the kernel answers to the broadcast MAC address
}


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def bend(total, by):
    """Another checksum, in ones' complement too."""
    return (total - 1 + by) % 0xFFFF + 1 if by else total


def tcp_bytes(syn, source, destination, number):
    options = syn.options + bytes(-len(syn.options) % 4)
    words = 5 + len(options) // 4 + syn.doff
    head = struct.pack("!HHIIBBHHH", syn.sport, syn.dport, number, syn.ack, (words & 15) << 4 | syn.reserved, syn.flags,
                       syn.window, 0, syn.urgent)
    body = head + options + syn.data
    pseudo = source + destination + struct.pack("!II", len(body), TCP_PROTO)
    total = bend(checksum(pseudo + body), syn.tcp_sum)
    return body[:16] + struct.pack("!H", total) + body[18:]


def ipv4_bytes(syn, source, destination, payload):
    length = max(0, 20 + len(syn.ip_options) + len(payload) + syn.ip_length)
    head = struct.pack("!BBHHHBBH", 4 << 4 | 5 + len(syn.ip_options) // 4, syn.tos, length, syn.id, syn.frag, syn.hops,
                       TCP_PROTO, 0) + source + destination + syn.ip_options
    total = bend(checksum(head), syn.ip_sum)
    return head[:10] + struct.pack("!H", total) + head[12:] + payload


def ipv6_bytes(syn, source, destination, payload):
    following, chain = syn.last, b""
    for kind, body in reversed(syn.headers):
        chain, following = bytes((following,)) + body + chain, kind
    length = max(0, len(chain) + len(payload) + syn.ip_length)
    return struct.pack("!IHBB", 6 << 28 | syn.tos << 20 | syn.flow, length, following, syn.hops) + source + \
        destination + chain + payload


def frame(syn, number, own_mac, mac, own):
    """The bytes on the wire; `own`: the server's addresses by family."""
    source = own[syn.family] if syn.source is OWN else syn.source
    destination = syn.destination or own[syn.family]
    payload = tcp_bytes(syn, source, destination, number)
    packet = (ipv4_bytes if syn.family == 4 else ipv6_bytes)(syn, source, destination, payload)
    tags = b"".join(struct.pack("!HH", tpid, 0) for tpid in syn.tags)
    ethertype = struct.pack("!H", ETH_P_IP if syn.family == 4 else ETH_P_IPV6)
    return (syn.mac or mac) + own_mac + tags + ethertype + packet + syn.tail


def read_options(options):
    """Options of an answer, without what differs from one cookie to the next: the time."""
    found, at = [], 0
    while at < len(options) and options[at]:
        size = 1 if options[at] == 1 else options[at + 1]
        value = options[at + 2:at + size]
        if options[at] == 8:
            value = bytes((value[3] & 63,)) + value[4:]
        found.append((options[at], value.hex()))
        at += size
    return found


def read_ip_options(options):
    """Options of an answer's IP header, without the times that the kernel writes into a timestamp option (RFC 791)."""
    found, at = bytearray(options), 0
    while at + 1 < len(options) and options[at]:
        size = 1 if options[at] == 1 else max(options[at + 1], 2)
        if options[at] == 68:
            found[at + 4:at + size] = bytes(len(found[at + 4:at + size]))
        at += size
    return found.hex()


def read_answer(data, own_mac):
    """(the SYN's number, fields of its answer), or None."""
    at = 12
    while data[at:at + 2] in (b"\x81\x00", b"\x88\xa8"):
        at += 4
    ethertype, at = struct.unpack_from("!H", data, at)[0], at + 2
    fields = {"to": data[:6] == own_mac, "tags": data[12:at - 2].hex()}
    if ethertype == ETH_P_IP and data[at + 9] == TCP_PROTO:
        size = (data[at] & 15) * 4
        fields |= {"tos": data[at + 1], "id": data[at + 4:at + 6].hex(), "frag": data[at + 6:at + 8].hex(),
                   "hops": data[at + 8], "ip options": read_ip_options(data[at + 20:at + size]),
                   "ip checksum": checksum(data[at:at + size])}
        addresses_of = data[at + 12:at + 20]
        tcp = data[at + size:at + struct.unpack_from("!H", data, at + 2)[0]]
    elif ethertype == ETH_P_IPV6 and data[at + 6] == TCP_PROTO:
        word, length = struct.unpack_from("!IH", data, at)
        fields |= {"tos": word >> 20 & 255, "hops": data[at + 7]}
        addresses_of = data[at + 8:at + 40]
        tcp = data[at + 40:at + 40 + length]
    else:
        return None
    _, _, _, ack, doff, flags, window, _, urgent = struct.unpack_from("!HHIIBBHHH", tcp)
    if flags & 0x12 != 0x12:
        return None
    fields |= {"addresses": addresses_of.hex(), "ports": tcp[:4].hex(), "reserved": doff & 15, "flags": flags,
               "window": window, "urgent": urgent, "options": read_options(tcp[20:(doff >> 4) * 4]),
               "tcp checksum": checksum(addresses_of + struct.pack("!II", len(tcp), TCP_PROTO) + tcp)}
    return (ack - 1) & 0xFFFFFFFF, fields


class Line:
    """The device, and the answers that have come by it."""

    def __init__(self, device):
        self.sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        self.sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 64 << 20)
        self.sock.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
        self.sock.bind((device, ETH_P_ALL))
        self.sock.settimeout(QUIET_S)
        self.mac = self.sock.getsockname()[4]
        self.answers = {}

    def read(self):
        try:
            while True:
                answer = read_answer(self.sock.recv(4096), self.mac)
                if answer:
                    self.answers.setdefault(*answer)
        except TimeoutError:
            pass


def send(device, mac, ipv4, ipv6, numbers, seed, path):
    line = Line(device)
    mac, own = bytes.fromhex(mac.replace(":", "")), {4: v4(ipv4), 6: v6(ipv6)}
    for at in range(0, len(numbers), BATCH):
        for number in numbers[at:at + BATCH]:
            line.sock.send(frame(make(number, seed), number, line.mac, mac, own))
        line.read()
    time.sleep(0.1)
    line.read()
    with open(path, "w", encoding="utf-8") as out:
        json.dump(line.answers, out)


def listen(own):
    servers = []
    for family, level, fields in ((socket.AF_INET, socket.IPPROTO_IP, (socket.IP_TTL, socket.IP_TOS)),
                                  (socket.AF_INET6, socket.IPPROTO_IPV6,
                                   (socket.IPV6_UNICAST_HOPS, socket.IPV6_TCLASS))):
        server = socket.socket(family, socket.SOCK_STREAM)
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        for field, value in zip(fields, own):
            server.setsockopt(level, field, int(value))
        server.bind(("", PORT))
        server.listen(1024)
        servers.append(server)
    signal.pause()


def explain(names, column, fields):
    if column == "kernel":
        return any(name in KERNEL_ALONE for name in names)
    if column == "filter":
        return bool(WITH_DATA & set(names) and WRONG_SUMS & set(names))
    return column == "fields" and set(fields) <= set().union(*(FIELDS_DIFFER.get(name, ()) for name in names))


def compare(count, seed, kernel_path, filter_path):
    with open(kernel_path, encoding="utf-8") as kernel_file, open(filter_path, encoding="utf-8") as filter_file:
        by_kernel, by_filter = json.load(kernel_file), json.load(filter_file)
    table, wrong = collections.defaultdict(collections.Counter), []
    for number in range(count):
        kernel, ours = by_kernel.get(str(number)), by_filter.get(str(number))
        if kernel is None and ours is None:
            column = "neither"
        elif ours is None:
            column = "kernel"
        elif kernel is None:
            column = "filter"
        else:
            column = "alike" if kernel == ours else "fields"
        syn = make(number, seed)
        for name in syn.names or ["plain"]:
            table[f"IPv{syn.family}", name][column] += 1
        fields = {k: (kernel[k], ours[k]) for k in kernel if kernel[k] != ours.get(k)} if column == "fields" else {}
        if column in ("kernel", "filter", "fields") and not explain(syn.names, column, fields):
            wrong.append(f"{number}: IPv{syn.family} {', '.join(syn.names)}: {column} {fields or ''}")
    columns = ("alike", "neither", "kernel", "filter", "fields")
    print("| SYN | " + " | ".join(columns) + " |\n| --- |" + " ---: |" * len(columns))
    for (family, name), row in sorted(table.items()):
        print(f"| {family} {name} | " + " | ".join(str(row[column]) for column in columns) + " |")
    for text in wrong[:60]:
        print(text, file=sys.stderr)
    print(f"{count} SYNs, {len(by_kernel)} answered by the kernel, {len(by_filter)} with the filter, {len(wrong)} wrong")
    return 1 if wrong else 0


def main():
    if sys.argv[1] == "compare":
        return compare(int(sys.argv[2]), sys.argv[3], *sys.argv[4:6])
    if sys.argv[1] == "listen":
        return listen(sys.argv[2:])
    device, mac, ipv4, ipv6, count, seed, path = sys.argv[2:9]
    send(device, mac, ipv4, ipv6, range(int(count)), seed, path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
