# SPDX-License-Identifier: GPL-2.0-only
"""Two hosts, each in a network namespace of its own, and what is between them.

A socket stays in the namespace that its thread was in when it was made, so one process can hold both ends. The test
network drops what carries the DSCP of CUT and answers UNREACHABLE with an ICMP error: a socket cuts its own line.
"""
import contextlib
import ctypes
import errno
import json
import os
import select
import socket
import struct
import subprocess
import time

CLONE_NEWNET = 0x40000000
SO_COOKIE = 57
ESTABLISHED, SYN_RECV, FIN_WAIT1, FIN_WAIT2, CLOSE, CLOSE_WAIT = 1, 3, 4, 5, 7, 8
CUT, UNREACHABLE = 46 << 2, 40 << 2
PATIENCE = 90 * int(os.environ.get("PATIENCE", "1"))  # see tests/lib/network.sh
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
        """What a command prints."""
        self.enter()
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout


class Wire:
    """The two hosts and the server's port."""

    def __init__(self, server, client, port):
        self.server, self.client, self.port = server, client, port

    def listen(self, backlog=128):
        sock = self.server.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((self.server.addr, self.port))
        sock.listen(backlog)
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

    def send_fast(self, sock, data):
        """TCP Fast Open: connects, with data in the SYN if this client has the server's cookie."""
        target = (self.server.addr, self.port)
        sent = sock.sendto(data, socket.MSG_FASTOPEN, target)
        tell("client", sock, target)
        return sent

    def half_open(self):
        """How many connections wait for the last segment of their handshake."""
        return len(self.server.run("ss", "-Htn", "state", "syn-recv", "sport", "=", f":{self.port}").splitlines())

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


def cookie_of(sock):
    return struct.unpack("Q", sock.getsockopt(socket.SOL_SOCKET, SO_COOKIE, 8))[0]


def tell(role, sock, peer):
    laddr, lport = sock.getsockname()[:2]
    family = 4 if "." in laddr else 6
    print("socket", role, cookie_of(sock), family, plain(laddr), lport, plain(peer[0]), peer[1], flush=True)


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


def let_go(side, entry):
    side.run("ip", "neigh", "replace", *entry, "nud", "permanent")


def release_to(receiver, sender):
    let_go(sender, neighbour(sender, receiver))


def release(wire):
    """Both at once: looking a neighbour up takes a while."""
    to_server = neighbour(wire.client, wire.server)
    to_client = neighbour(wire.server, wire.client)
    let_go(wire.client, to_server)
    let_go(wire.server, to_client)
