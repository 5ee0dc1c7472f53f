#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Brings many connections of one server into the states that are asked for, and holds them there.

    mixed_states.py SERVER_NETNS CLIENT_NETNS SERVER_ADDR CLIENT_ADDR PORT STATE=COUNT...

STATE is that of the server's socket; DONE is a connection that was opened and closed, the client closing first: ten
transitions. The client needs an address of its own. Prints "ready", and holds what it made until
it is killed.
"""
import errno
import itertools
import resource
import signal
import socket
import sys

sys.dont_write_bytecode = True
from wire import CUT, Side, Wire, expect, mark

BLACKHOLE = "198.51.100.1"
FIRST_PORT = 10000


def established(_client, _server):
    pass


def close_wait(client, server):
    client.shutdown(socket.SHUT_WR)
    expect(server.recv(1), b"")


def last_ack(client, server):
    close_wait(client, server)
    fin_wait1(client, server)


def fin_wait1(_client, server):
    mark(CUT, server)
    server.shutdown(socket.SHUT_WR)


def closing(client, server):
    fin_wait1(client, server)
    client.shutdown(socket.SHUT_WR)


def fin_wait2(client, server):
    server.shutdown(socket.SHUT_WR)
    expect(client.recv(1), b"")


def time_wait(client, server):
    fin_wait2(client, server)
    client.close()
    expect(server.recv(1), b"")
    server.close()


def done(client, server):
    time_wait(server, client)


STATES = {state.__name__.upper(): state for state in (
    established, close_wait, last_ack, fin_wait1, closing, fin_wait2, time_wait, done)}


class MixedStates:
    """The connections of one listener."""

    def __init__(self, wire):
        self.wire = wire
        self.held = []
        self.client_ports = itertools.count(FIRST_PORT)  # one that is taken again would end the TIME_WAIT of the former
        self.listener = wire.server.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind((wire.server.addr, wire.port))
        self.listener.listen(4096)

    def syn_sent(self):
        sock = self.wire.server.socket()
        sock.setblocking(False)
        expect(sock.connect_ex((BLACKHOLE, self.wire.port)), errno.EINPROGRESS)
        self.held.append(sock)

    def pair(self, state):
        client = self.wire.client.socket()
        client.bind((self.wire.client.addr, next(self.client_ports)))
        client.connect((self.wire.server.addr, self.wire.port))
        server, _ = self.listener.accept()
        state(client, server)
        if server.fileno() >= 0:
            self.held += client, server

    def bring(self, name, count):
        for _ in range(count):
            if name == "SYN_SENT":
                self.syn_sent()
            else:
                self.pair(STATES[name])


def main():
    server_netns, client_netns, server_addr, client_addr, port = sys.argv[1:6]
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    mixed = MixedStates(Wire(Side(server_netns, server_addr), Side(client_netns, client_addr), int(port)))
    for wanted in sys.argv[6:]:
        name, count = wanted.split("=")
        mixed.bring(name, int(count))
    print("ready", flush=True)
    signal.pause()


main()
