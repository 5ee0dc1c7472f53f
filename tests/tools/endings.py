#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Brings about endings that a tracker is easily wrong about, and judges what `synwarden conns --json` said of them.

    endings.py play SERVER_NETNS CLIENT_NETNS >LOG
    endings.py judge LOG CONNS

The log has an object for each socket: the scenario, the cookie, and what fields its line must have. The network is that
of tests/e2e/endings.sh: it drops what is marked CUT, and rejects what is marked REJECTED or UNREACHABLE.
"""
import contextlib
import ctypes
import errno
import json
import select
import socket
import struct
import sys
import time

sys.dont_write_bytecode = True
from wire import (CLOSE, CLOSE_WAIT, CUT, FIN_WAIT1, FIN_WAIT2, LIBC, SYN_RECV, UNREACHABLE, Side, Wire, cookie_of,
                  error_of, expect, hold, mark, release, release_to, reset, tcp_info, until, until_state)

V4, HELD = ("10.99.0.1", "10.99.0.2"), ("10.97.0.1", "10.97.0.2")
LAST_ACK, CLOSING = 9, 11
REJECTED = 32 << 2  # answered with ICMP port unreachable
BLOCKED_PORT = 7999  # rejected as it leaves
LOSSY_PORT = 7998  # one segment of twenty is dropped as it leaves
TCP_REPAIR, TCP_LINGER2, TCP_USER_TIMEOUT, IP_RECVERR = 19, 8, 18, 11


def ends(name, sock, **fields):
    """What the tracker must say of the socket; to be called while it is open."""
    print(json.dumps({"scenario": name, "cookie": cookie_of(sock), "fields": fields}))


def unread(sock):
    select.select([sock], [], [], 5)


def stuff(sock):
    """Fills the other side's window and more: what stands behind it is not sent."""
    sock.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        while True:
            sock.send(b"x" * 65536)
    time.sleep(0.05)


def connect_only(wire, port, tos=0):
    sock = wire.client.socket()
    mark(tos, sock)
    sock.setblocking(False)
    sock.connect_ex((wire.server.addr, port))
    return sock


def rejected_connect(wire):
    """The ICMP error comes while the connect holds the socket: it stays in sk_err_soft."""
    for tos, reason in ((REJECTED, "refused"), (UNREACHABLE, "unreachable")):
        sock = connect_only(wire, wire.port, tos)
        ends("rejected across the network", sock, reason=reason, state="SYN_SENT", established=False)
        time.sleep(0.05)
        sock.close()
    sock = connect_only(wire, BLOCKED_PORT)
    ends("rejected as it leaves", sock, reason="refused", state="SYN_SENT", established=False)
    time.sleep(0.05)
    sock.close()
    for tos, port, reason, error in ((REJECTED, wire.port, "refused", errno.ECONNREFUSED),
                                     (UNREACHABLE, wire.port, "unreachable", errno.EHOSTUNREACH),
                                     (0, BLOCKED_PORT, "refused", errno.ECONNREFUSED)):
        sock = connect_only(wire, port, tos)
        ends("rejected, and the error fetched", sock, reason=reason, state="SYN_SENT", established=False)
        expect(error_of(sock), error)
        sock.close()
    sock = connect_only(wire, BLOCKED_PORT)  # the socket's next connection has none of its errors
    expect(error_of(sock), errno.ECONNREFUSED)
    disconnect(sock)
    mark(CUT, sock)
    sock.connect_ex((wire.server.addr, wire.port))
    ends("given up, after a rejected connect", sock, reason="aborted", state="SYN_SENT", established=False)
    sock.close()


def last_ack(wire):
    """The server in LAST_ACK, with its FIN cut, and "hello" unread."""
    client, server = wire.pair()
    client.sendall(b"hello")
    client.shutdown(socket.SHUT_WR)
    until_state(server, CLOSE_WAIT)
    mark(CUT, server)
    server.shutdown(socket.SHUT_WR)
    expect(tcp_info(server)[0], LAST_ACK)
    return client, server


def last_ack_unread(wire):
    client, server = last_ack(wire)
    ends("LAST_ACK, unread data", server, reason="reset_sent", state="LAST_ACK", closed_first="remote")
    server.close()
    reset(client)


def last_ack_silent(wire):
    """SO_LINGER of 0 behind a FIN: the kernel forgets the socket, and sends nothing."""
    client, server = last_ack(wire)
    expect(server.recv(5), b"hello")
    ends("LAST_ACK, nothing sent", server, reason="aborted", state="LAST_ACK")
    reset(server)
    reset(client)


def last_ack_unsent(wire):
    client, server = wire.pair()
    client.shutdown(socket.SHUT_WR)
    until_state(server, CLOSE_WAIT)
    stuff(server)
    server.shutdown(socket.SHUT_WR)
    expect(tcp_info(server)[0], LAST_ACK)
    ends("LAST_ACK, unsent data", server, reason="reset_sent", state="LAST_ACK", closed_first="remote")
    reset(server)
    client.close()


def closing_unread(wire):
    client, server = wire.pair()
    client.sendall(b"hello")
    unread(server)
    mark(CUT, server)
    server.shutdown(socket.SHUT_WR)
    client.shutdown(socket.SHUT_WR)
    until_state(server, CLOSING)
    ends("CLOSING, unread data", server, reason="reset_sent", state="CLOSING", closed_first="local")
    server.close()
    reset(client)


def linger2(wire):
    client, server = wire.pair()
    client.setsockopt(socket.IPPROTO_TCP, TCP_LINGER2, struct.pack("i", -1))
    ends("TCP_LINGER2 below 0", client, reason="reset_sent", state="FIN_WAIT2", closed_first="local")
    client.shutdown(socket.SHUT_WR)
    until_state(client, FIN_WAIT2)
    client.close()
    server.close()


def fin_never_comes(wire):
    """FIN_WAIT2 of a closed socket lasts as long as TCP_LINGER2 says, and as the timer's wheel turns."""
    client, server = wire.pair()
    client.setsockopt(socket.IPPROTO_TCP, TCP_LINGER2, 1)
    ends("no FIN", client, reason="timeout", state="FIN_WAIT2", closed_first="local", established=True)
    client.close()
    return server


def stale_error(wire):
    """An ICMP error that nobody reads, of a connection that recovers."""
    client, server = wire.pair()
    client.setsockopt(socket.IPPROTO_IP, IP_RECVERR, 1)
    mark(UNREACHABLE, client)
    client.sendall(b"hello")
    time.sleep(0.05)
    mark(0, client)
    server.settimeout(5)
    expect(server.recv(5), b"hello")
    ends("stale error, closed first", client, reason="time_wait", closed_first="local")
    ends("stale error, the other side", server, reason="fin", closed_first="remote")
    client.shutdown(socket.SHUT_WR)
    expect(server.recv(1), b"")
    server.close()
    until_state(client, CLOSE)
    client.close()


def timeout_after_icmp(wire):
    client, server = wire.pair()
    client.setsockopt(socket.IPPROTO_TCP, TCP_USER_TIMEOUT, 400)
    mark(REJECTED, client)
    ends("time-out after ICMP", client, reason="timeout", state="ESTABLISHED", established=True)
    client.sendall(b"hello")
    until_state(client, CLOSE)
    client.close()
    reset(server)


def listen_fast(wire):
    listener = wire.listen()
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_FASTOPEN, 5)
    release(wire)
    client = wire.client.socket()
    client.setblocking(True)
    client.sendto(b"hello", socket.MSG_FASTOPEN, (wire.server.addr, wire.port))
    server = listener.accept()[0]
    expect(server.recv(5), b"hello")
    client.close()
    server.close()
    return listener


def fast_child(wire):
    """A child of TCP Fast Open whose SYN-ACK is under way, and its client."""
    client = wire.client.socket()
    hold(wire)
    client.setblocking(False)
    client.sendto(b"hello", socket.MSG_FASTOPEN, (wire.server.addr, wire.port))
    release_to(wire.server, wire.client)
    server = wire.fast.accept()[0]
    expect(tcp_info(server)[0], SYN_RECV)
    return client, server


def fast_unread(wire):
    client, server = fast_child(wire)
    ends("TFO, unread data", server, reason="reset_sent", state="SYN_RECV", established=False)
    server.close()
    client.close()
    release_to(wire.client, wire.server)


def fast_never_established(wire):
    """Closed here while the handshake goes on, which the client's RST ends."""
    client, server = fast_child(wire)
    expect(server.recv(5), b"hello")
    ends("TFO, reset after the close", server, reason="reset_received", state="FIN_WAIT1", established=False)
    server.close()
    client.close()
    release_to(wire.client, wire.server)


def no_fin_sent(wire):
    """The FIN waits behind data that the peer has no room for."""
    client, server = wire.pair()
    stuff(server)
    ends("FIN never sent", server, reason="reset_received", state="FIN_WAIT1", closed_first=None)
    server.close()
    reset(client)


def fin_second(wire):
    """The peer's FIN is the first one on the wire, though this side closed before."""
    client, server = wire.pair()
    stuff(server)
    server.shutdown(socket.SHUT_WR)
    expect(tcp_info(server)[0], FIN_WAIT1)
    ends("FIN sent second", server, reason="time_wait", closed_first="remote", state="CLOSING")
    client.shutdown(socket.SHUT_WR)
    until_state(server, CLOSING)
    while client.recv(1 << 20):
        pass
    until_state(server, CLOSE)
    client.close()
    server.close()


def repaired(wire):
    client, server = wire.pair()
    client.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 1)
    ends("TCP_REPAIR", client, reason="repaired", state="ESTABLISHED")
    client.close()
    reset(server)


def port_range(side, first, last):
    side.run("sysctl", "-qw", f"net.ipv4.ip_local_port_range={first} {last}")


def no_port(wire):
    """The only local port is taken."""
    taken, lonely = wire.client.socket(), wire.client.socket()
    taken.bind((wire.client.addr, 0))
    port = taken.getsockname()[1]
    port_range(wire.client, port, port)
    ends("no local port", lonely, reason="no_port", state="SYN_SENT", established=False)
    expect(lonely.connect_ex((wire.server.addr, wire.port)), errno.EADDRNOTAVAIL)
    port_range(wire.client, 32768, 60999)
    lonely.close()
    taken.close()


def disconnect(sock):
    if LIBC.connect(sock.fileno(), ctypes.create_string_buffer(16), 16):
        raise OSError(ctypes.get_errno(), "connect")


def reconnects(wire):
    """One socket, two connections: each has its own local port."""
    with wire.listen() as listener:
        client = wire.client.socket()
        client.connect((wire.server.addr, wire.port))
        first, server = client.getsockname()[1], listener.accept()[0]
        ends("connects again", client, lport=first, reason="reset_sent")
        disconnect(client)
        server.close()
        client.connect((wire.server.addr, wire.port))
        server = listener.accept()[0]
        ends("connects again, the second time", client, lport=client.getsockname()[1], reason="time_wait")
        client.shutdown(socket.SHUT_WR)
        expect(server.recv(1), b"")
        server.close()
        until_state(client, CLOSE)
        client.close()


def lossy(wire):
    """The local firewall drops segments that the kernel then sends as new ones."""
    wire.port = LOSSY_PORT
    client, server = wire.pair()
    left = size = 1200000
    client.sendall(b"x" * 1000)
    left -= 1000
    client.setblocking(False)
    end = time.monotonic() + 30
    got = 0
    while got < size and time.monotonic() < end:
        if left:
            with contextlib.suppress(BlockingIOError):
                left -= client.send(b"x" * min(left, 65536))
        got += len(server.recv(1 << 20))
    expect(got, size)
    ends("local drops, sender", client, sent_bytes=size, received_bytes=0)
    ends("local drops, receiver", server, sent_bytes=0, received_bytes=size)
    server.close()
    client.close()


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total & 0xffff) + (total >> 16)
    return ~(total + (total >> 16)) & 0xffff


def segment(source, target, seq, ack, flags, data):
    """An IP packet with a TCP segment; source and target are (address, port)."""
    ends = [socket.inet_aton(end[0]) for end in (source, target)]
    parts = [source[1], target[1], seq, ack & 0xffffffff, 5 << 4, flags, 65535]
    bare = struct.pack("!HHIIBBHHH", *parts, 0, 0) + data
    pseudo = struct.pack("!4s4sBBH", *ends, 0, socket.IPPROTO_TCP, len(bare)) + bare + b"\0" * (len(bare) % 2)
    tcp = struct.pack("!HHIIBBHHH", *parts, checksum(pseudo), 0) + data
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(tcp), 0, 0, 64, socket.IPPROTO_TCP, 0, *ends)
    return ip[:10] + struct.pack("!H", checksum(ip)) + ip[12:] + tcp


FIN, SYN, ACK = 1, 2, 16
RAW = ("10.97.9.1", 7700)  # an address of nobody, which is routed to the server


def fin_in_synack(wire):
    """The answer to a SYN of TCP Fast Open brings all that the server has to say, and its FIN."""
    wire.server.enter()
    raw = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0800))
    raw.bind(("s0", 0x0800))
    raw.settimeout(5)
    client = wire.client.socket()
    client.setblocking(False)
    wire.client.run("sysctl", "-qw", "net.ipv4.tcp_fastopen=7")  # data in the SYN without a cookie
    with contextlib.suppress(BlockingIOError):
        client.sendto(b"hello", socket.MSG_FASTOPEN, RAW)
    wire.client.run("sysctl", "-qw", "net.ipv4.tcp_fastopen=3")
    while True:
        packet, sender = raw.recvfrom(2048)
        if packet[9] == socket.IPPROTO_TCP and socket.inet_ntoa(packet[16:20]) == RAW[0]:
            break
    port, _, seq = struct.unpack_from("!HHI", packet, 20)
    data = len(packet) - 20 - (packet[32] >> 4) * 4
    end = (wire.client.addr, port)
    raw.sendto(segment(RAW, end, 1000, seq + 1 + data, SYN | ACK | FIN, b"answer"), sender)
    until_state(client, CLOSE_WAIT)
    expect(client.recv(100), b"answer")
    ends("FIN in the SYN-ACK", client, reason="fin", closed_first="remote", sent_bytes=5, received_bytes=6)
    client.shutdown(socket.SHUT_WR)
    raw.sendto(segment(RAW, end, 1008, seq + 7, ACK, b""), sender)
    until_state(client, CLOSE)
    client.close()


def play(server, client):
    wire = Wire(Side(server, V4[0]), Side(client, V4[1]), 7400)
    late = [scenario(wire) for scenario in (fin_never_comes,)]
    for scenario in (rejected_connect, last_ack_unread, last_ack_silent, last_ack_unsent, closing_unread, linger2,
                     stale_error, timeout_after_icmp, no_fin_sent, fin_second, repaired, no_port, reconnects, lossy):
        wire.port += 1
        scenario(wire)
    fin_in_synack(wire)
    held = Wire(Side(server, HELD[0]), Side(client, HELD[1]), 7500)
    held.fast = listen_fast(held)
    fast_unread(held)
    fast_never_established(held)
    time.sleep(2)
    for sock in late:
        sock.close()


def judge(log, conns):
    told = {}
    with open(conns, encoding="utf-8") as lines:
        for line in map(json.loads, lines):
            told.setdefault(line.get("cookie"), []).append(line)
    wrong = 0
    with open(log, encoding="utf-8") as lines:
        for entry in (json.loads(line) for line in lines if line.startswith("{")):
            fields = entry["fields"]
            found = [{name: line.get(name) for name in fields} for line in told.get(entry["cookie"], [])]
            wrong += fields not in found
            if fields not in found:
                print(f"{entry['scenario']}: {json.dumps(fields)} expected, is {json.dumps(found)}")
    return wrong > 0


if sys.argv[1] == "play":
    play(*sys.argv[2:])
else:
    sys.exit(judge(*sys.argv[2:]))
