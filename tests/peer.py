#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Plays both sides of TCP connections, each side in a network namespace of its own, so that real kernels bring
about one particular ending.

    peer.py SERVER_NETNS CLIENT_NETNS SCENARIO SERVER_ADDR CLIENT_ADDR PORT

Prints what the two kernels say about each socket, "socket ROLE COOKIE FAMILY LADDR LPORT RADDR RPORT", and what else
a scenario measured. A scenario that does not go as its name says ends the program with an exception.

A socket stays in the namespace that its thread was in when it was made, so one process can hold both ends. The test
network drops what carries the DSCP of CUT and answers UNREACHABLE with an ICMP error: a socket cuts its own line.
"""
import contextlib
import ctypes
import errno
import json
import select
import signal
import socket
import struct
import subprocess
import sys
import time

CLONE_NEWNET = 0x40000000
SO_COOKIE = 57
FIN_WAIT1, FIN_WAIT2, CLOSE, CLOSE_WAIT = 4, 5, 7, 8
CUT, UNREACHABLE = 46 << 2, 40 << 2
PATIENCE = 20
LIBC = ctypes.CDLL(None, use_errno=True)


class Side:
    """One host: its namespace and its address."""

    def __init__(self, netns, addr):
        self.netns = open(netns, "rb")
        self.addr = addr
        self.family = socket.AF_INET6 if ":" in addr else socket.AF_INET

    def enter(self):
        if LIBC.setns(self.netns.fileno(), CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")

    def socket(self):
        self.enter()
        sock = socket.socket(self.family, socket.SOCK_STREAM)
        sock.settimeout(PATIENCE)
        return sock

    def run(self, *command):
        self.enter()
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout


class Wire:
    """The two hosts and the server's port."""

    def __init__(self, server, client, port):
        self.server, self.client, self.port = server, client, port

    def listen(self):
        sock = self.server.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((self.server.addr, self.port))
        sock.listen()
        tell("listener", sock, ("::" if ":" in self.server.addr else "0.0.0.0", 0))
        return sock

    def connect(self, sock):
        """Begins to connect, and does not wait."""
        target = (self.server.addr, self.port)
        sock.setblocking(False)
        result = sock.connect_ex(target)
        if result != errno.EINPROGRESS:
            raise OSError(result, "connect")
        tell("client", sock, target)
        sock.settimeout(PATIENCE)

    def accept(self, listener):
        sock, peer = listener.accept()
        sock.settimeout(PATIENCE)
        tell("server", sock, peer)
        return sock

    def pair_by(self, listener):
        """A client's and a server's socket, connected."""
        client = self.client.socket()
        self.connect(client)
        server = self.accept(listener)
        expect(error_of(client), 0)
        return client, server

    def pair(self):
        with self.listen() as listener:
            return self.pair_by(listener)


def plain(addr):
    return addr.removeprefix("::ffff:")


def tell(role, sock, peer):
    laddr, lport = sock.getsockname()[:2]
    cookie = struct.unpack("Q", sock.getsockopt(socket.SOL_SOCKET, SO_COOKIE, 8))[0]
    family = 4 if "." in laddr else 6
    print("socket", role, cookie, family, plain(laddr), lport, plain(peer[0]), peer[1], flush=True)


def expect(got, wanted):
    if got != wanted:
        raise AssertionError(f"got {got!r} where {wanted!r} was to come")


def until(condition):
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError("waited in vain")
        time.sleep(0.005)


def tcp_info(sock):
    return sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104)


def until_state(sock, state):
    until(lambda: tcp_info(sock)[0] == state)


def until_queued(listener, count):
    """tcpi_unacked of a listener is the length of its accept queue."""
    until(lambda: struct.unpack_from("I", tcp_info(listener), 24)[0] == count)


def error_of(sock):
    """How a connect, or a connection that must end by itself, came out: an errno, 0 for none."""
    poll = select.poll()
    poll.register(sock, select.POLLOUT)
    if not poll.poll(PATIENCE * 1000):
        raise TimeoutError("neither connected nor failed")
    return sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)


def mark(tos, *socks):
    for sock in socks:
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, tos)


def reset(sock):
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def expect_reset(sock):
    with contextlib.suppress(ConnectionResetError, BrokenPipeError):
        while sock.recv(1):
            pass
        expect(error_of(sock), errno.EPIPE)
    sock.close()


def talk(client, server):
    """The server reads: from here on the kernel has seen who accepted."""
    client.sendall(b"hello")
    expect(server.recv(5), b"hello")


def close_in_turn(first, second):
    """shutdown() rather than close(): FIN_WAIT2 must belong to a socket, not to the kernel, until the peer's FIN."""
    first.shutdown(socket.SHUT_WR)
    expect(second.recv(1), b"")
    second.close()
    expect(first.recv(1), b"")
    first.close()


def client_closes(wire):
    client, server = wire.pair()
    talk(client, server)
    close_in_turn(client, server)


def server_closes(wire):
    client, server = wire.pair()
    talk(client, server)
    close_in_turn(server, client)


def slept(wire):
    """Tells between how many microseconds both ends were ESTABLISHED."""
    begin = time.monotonic()
    client, server = wire.pair()
    between = time.monotonic()
    time.sleep(0.5)
    least = time.monotonic() - between
    close_in_turn(client, server)
    print("slept", int(least * 1e6), int((time.monotonic() - begin) * 1e6))


def await_tracker():
    """The tracker is started between "ready" and SIGUSR1."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
    print("ready", flush=True)
    signal.sigtimedwait({signal.SIGUSR1}, PATIENCE)


def existing(wire):
    with wire.listen() as listener:
        client, server = wire.pair_by(listener)
        await_tracker()
    close_in_turn(client, server)


def existing_listener(wire):
    with wire.listen() as listener:
        await_tracker()
        client, server = wire.pair_by(listener)
    close_in_turn(client, server)


def device(side, other):
    return json.loads(side.run("ip", "-j", "route", "get", other.addr))[0]["dev"]


def mac(side, name):
    return json.loads(side.run("ip", "-j", "link", "show", name))[0]["address"]


def neighbour(side, other):
    """The link-layer entry of `other`, as arguments for `ip neigh`. Nobody answers for it: see hold()."""
    return other.addr, "dev", device(side, other), "lladdr", mac(other, device(other, side))


def hold(wire):
    """Packets wait in the neighbour queues from now on, so that those of both sides cross on release()."""
    wire.server.run("ip", "neigh", "flush", "to", wire.client.addr, "nud", "all")
    wire.client.run("ip", "neigh", "flush", "to", wire.server.addr, "nud", "all")


def release(wire):
    to_server = neighbour(wire.client, wire.server)
    to_client = neighbour(wire.server, wire.client)
    wire.client.run("ip", "neigh", "replace", *to_server, "nud", "permanent")
    wire.server.run("ip", "neigh", "replace", *to_client, "nud", "permanent")


def simultaneous(wire):
    """Both connect at once, and later both close at once. Only for addresses that nobody answers ARP for."""
    client, server = wire.client.socket(), wire.server.socket()
    server.bind((wire.server.addr, wire.port))
    client.bind((wire.client.addr, 0))
    hold(wire)
    wire.connect(client)
    server.setblocking(False)
    expect(server.connect_ex(client.getsockname()), errno.EINPROGRESS)
    tell("server", server, client.getsockname())
    release(wire)
    expect([error_of(client), error_of(server)], [0, 0])

    hold(wire)
    client.shutdown(socket.SHUT_WR)
    server.shutdown(socket.SHUT_WR)
    expect([tcp_info(client)[0], tcp_info(server)[0]], [FIN_WAIT1, FIN_WAIT1])
    release(wire)
    until(lambda: not client.recv(1))
    server.settimeout(PATIENCE)
    expect(server.recv(1), b"")


def reset_unread(wire):
    """The server closes with data unread."""
    client, server = wire.pair()
    client.sendall(b"hello")
    select.select([server], [], [], PATIENCE)
    server.close()
    expect_reset(client)


def reset_linger(wire):
    client, server = wire.pair()
    reset(client)
    expect_reset(server)


def half_closed(wire):
    """The server is in FIN_WAIT2, the client in CLOSE_WAIT."""
    client, server = wire.pair()
    server.shutdown(socket.SHUT_WR)
    expect(client.recv(1), b"")
    until_state(server, FIN_WAIT2)
    until_state(client, CLOSE_WAIT)
    return client, server


def reset_close_wait(wire):
    client, server = half_closed(wire)
    reset(client)
    expect_reset(server)


def reset_fin_wait2(wire):
    client, server = half_closed(wire)
    reset(server)
    expect_reset(client)


def killed(wire):
    """The client's socket is closed from outside."""
    client, server = wire.pair()
    wire.client.run("ss", "-K", "dport", "=", f":{wire.port}")
    expect(error_of(client), errno.ECONNABORTED)
    expect_reset(server)


def refused(wire):
    client = wire.client.socket()
    wire.connect(client)
    expect(error_of(client), errno.ECONNREFUSED)


def retried(wire):
    """One socket is refused, and then connects."""
    client = wire.client.socket()
    client.bind((wire.client.addr, wire.port))
    wire.connect(client)
    until_state(client, CLOSE)
    expect(client.connect_ex((wire.server.addr, wire.port)), errno.ECONNREFUSED)
    with wire.listen() as listener:
        wire.connect(client)
        server = wire.accept(listener)
    close_in_turn(client, server)


def connect_marked(wire, tos):
    client = wire.client.socket()
    mark(tos, client)
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_SYNCNT, 1)
    wire.connect(client)
    return client


def connect_timeout(wire):
    expect(error_of(connect_marked(wire, CUT)), errno.ETIMEDOUT)


def connect_unreachable(wire):
    """The first error comes while connect() still holds the socket, and counts only once a retry gets it again."""
    client = connect_marked(wire, UNREACHABLE)
    until_state(client, CLOSE)
    expect(error_of(client), errno.EHOSTUNREACH)


def connect_aborted(wire):
    connect_marked(wire, CUT).close()


def cut_pair(wire):
    client, server = wire.pair()
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 300)
    mark(CUT, client, server)
    return client, server


def data_timeout(wire):
    client, server = cut_pair(wire)
    client.sendall(b"hello")
    with contextlib.suppress(TimeoutError):
        expect(client.recv(1), "a time-out")
    reset(server)


def fin_timeout(wire):
    client, server = cut_pair(wire)
    client.shutdown(socket.SHUT_WR)
    with contextlib.suppress(TimeoutError):
        expect(client.recv(1), "a time-out")
    reset(server)


def listener_closes(wire):
    wire.listen().close()


def listener_returns(wire):
    """One socket listens, stops, and listens again."""
    listener = wire.listen()
    listener.shutdown(socket.SHUT_RD)
    listener.listen()
    listener.close()


def listener_closes_queued(wire):
    """Two connections are established and not yet accepted when their listener goes."""
    listener = wire.listen()
    clients = [wire.client.socket(), wire.client.socket()]
    for client in clients:
        wire.connect(client)
    until_queued(listener, 2)
    listener.close()
    for client in clients:
        expect_reset(client)


def orphaned(wire):
    """The client closes for good; its FIN is acknowledged, but the server goes on for a while."""
    client, server = wire.pair()
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_LINGER2, 1)
    client.close()
    expect(server.recv(1), b"")
    server.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
    time.sleep(0.2)
    server.close()


SCENARIOS = [
    client_closes, server_closes, slept, existing, existing_listener, simultaneous,
    reset_unread, reset_linger, reset_close_wait, reset_fin_wait2, killed,
    refused, retried, connect_timeout, connect_unreachable, connect_aborted, data_timeout, fin_timeout,
    listener_closes, listener_returns, listener_closes_queued, orphaned,
]


def main():
    server_netns, client_netns, name, server_addr, client_addr, port = sys.argv[1:]
    scenario = {scenario.__name__: scenario for scenario in SCENARIOS}[name]
    scenario(Wire(Side(server_netns, server_addr), Side(client_netns, client_addr), int(port)))


main()
