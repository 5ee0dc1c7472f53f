#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Plays both sides of TCP connections, each side in a network namespace of its own, so that real kernels bring
about one particular ending.

    peer.py SERVER_NETNS CLIENT_NETNS SCENARIO SERVER_ADDR CLIENT_ADDR PORT

Prints what the two kernels say about each socket, "socket ROLE COOKIE FAMILY LADDR LPORT RADDR RPORT", and what else
a scenario measured. A scenario that does not go as its name says ends the program with an exception.
"""
import contextlib
import errno
import select
import signal
import socket
import sys
import time

sys.dont_write_bytecode = True
from wire import (CLOSE, CLOSE_WAIT, CUT, ESTABLISHED, FIN_WAIT1, FIN_WAIT2, PATIENCE, SYN_RECV, UNREACHABLE, Side,
                  Wire, error_of, expect, expect_reset, hold, mark, release, release_to, reset, tcp_info, tell, until,
                  until_queued, until_state)


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


def half_close(first, second):
    """100 KiB are sent after the other side's FIN, and all are read."""
    first.shutdown(socket.SHUT_WR)
    expect(second.recv(1), b"")
    until_state(first, FIN_WAIT2)
    for _ in range(100):
        second.sendall(b"x" * 1024)
        expect(len(first.recv(1024, socket.MSG_WAITALL)), 1024)
    second.close()
    expect(first.recv(1), b"")
    first.close()


def client_half_closes(wire):
    client, server = wire.pair()
    half_close(client, server)


def server_half_closes(wire):
    client, server = wire.pair()
    half_close(server, client)


def slept(wire):
    """Tells between how many microseconds both ends were ESTABLISHED."""
    begin = time.monotonic()
    client, server = wire.pair()
    between = time.monotonic()
    time.sleep(0.5)
    least = time.monotonic() - between
    close_in_turn(client, server)
    print("slept", int(least * 1e6), int((time.monotonic() - begin) * 1e6))


def handshake_slow(wire):
    """Tells between how many microseconds the SYN-ACK was under way. Only for held addresses."""
    with wire.listen():
        client = wire.client.socket()
        hold(wire)
        begin = time.monotonic()
        wire.connect(client)
        release_to(wire.server, wire.client)
        until(lambda: wire.half_open() == 1)
        between = time.monotonic()
        time.sleep(0.3)
        least = time.monotonic() - between
        release_to(wire.client, wire.server)
        until_state(client, ESTABLISHED)
        print("took", int(least * 1e6), int((time.monotonic() - begin) * 1e6))


def await_tracker():
    """What is to see it as it is now, looks between "ready" and SIGUSR1."""
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


def handshake_reset(wire):
    """The client is gone when the SYN-ACK comes, and its kernel answers with a RST. Only for held addresses."""
    with wire.listen():
        client = wire.client.socket()
        hold(wire)
        wire.connect(client)
        client.close()
        release_to(wire.server, wire.client)
        until(lambda: wire.half_open() == 1)
        release_to(wire.client, wire.server)
        until(lambda: wire.half_open() == 0)


def listen_fast(wire):
    """A listener that takes data in the SYN, and one connection: with it the client has its cookie."""
    listener = wire.listen()
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_FASTOPEN, 5)
    release(wire)
    client = wire.client.socket()
    client.setblocking(True)
    expect(wire.send_fast(client, b"hello"), 5)
    server = wire.accept(listener)
    expect(server.recv(5), b"hello")
    close_in_turn(client, server)
    return listener


def open_fast(wire, listener):
    """The server has read what came in the SYN before its SYN-ACK leaves."""
    client = wire.client.socket()
    hold(wire)
    client.setblocking(False)
    expect(wire.send_fast(client, b"hello"), 5)
    client.settimeout(PATIENCE)
    release_to(wire.server, wire.client)
    server = wire.accept(listener)
    expect(server.recv(5), b"hello")
    expect(tcp_info(server)[0], SYN_RECV)
    return client, server


def fastopen(wire):
    """TCP Fast Open. Only for held addresses."""
    with listen_fast(wire) as listener:
        client, server = open_fast(wire, listener)
    release_to(wire.client, wire.server)
    until_state(client, ESTABLISHED)
    close_in_turn(client, server)


def fastopen_reset(wire):
    """The client is gone when the SYN-ACK of its Fast Open comes. Only for held addresses."""
    with listen_fast(wire) as listener:
        client, server = open_fast(wire, listener)
    client.close()
    release_to(wire.client, wire.server)
    expect_reset(server)


def fastopen_early(wire):
    """The server closes before the client's Fast Open is acknowledged. Only for held addresses."""
    with listen_fast(wire) as listener:
        client, server = open_fast(wire, listener)
    server.close()
    release_to(wire.client, wire.server)
    until_state(client, CLOSE_WAIT)
    client.close()


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


def keepalive_timeout(wire):
    client, server = wire.pair()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option in (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT):
        client.setsockopt(socket.IPPROTO_TCP, option, 1)
    mark(CUT, client, server)
    until_state(client, CLOSE)
    expect(error_of(client), errno.ETIMEDOUT)
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


def queue_full(wire):
    """A backlog of 5 holds 6 connections that nobody accepts; two more do not come in, and give up."""
    with wire.listen(5) as listener:
        clients = [wire.client.socket() for _ in range(8)]
        for count, client in enumerate(clients, 1):
            wire.connect(client)
            until_queued(listener, min(count, 6))
        for client in clients[6:]:
            client.close()
        await_tracker()


def orphaned(wire):
    """The client closes for good; its FIN is acknowledged, but the server goes on for a while."""
    client, server = wire.pair()
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_LINGER2, 1)
    client.close()
    expect(server.recv(1), b"")
    server.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
    time.sleep(0.2)
    server.close()


def left(wire):
    """The server closes for good at the signal; no FIN answers it, and a timer ends its FIN_WAIT2."""
    client, server = wire.pair()
    await_tracker()
    server.setsockopt(socket.IPPROTO_TCP, socket.TCP_LINGER2, 4)
    server.close()
    expect(client.recv(1), b"")
    await_tracker()


SCENARIOS = [
    client_closes, server_closes, client_half_closes, server_half_closes, slept, existing, existing_listener,
    simultaneous, handshake_slow, handshake_reset, fastopen, fastopen_reset, fastopen_early,
    reset_unread, reset_linger, reset_close_wait, reset_fin_wait2, killed,
    refused, retried, connect_timeout, connect_unreachable, connect_aborted, data_timeout, fin_timeout,
    keepalive_timeout, listener_closes, listener_returns, listener_closes_queued,
    queue_full, orphaned, left,
]


def main():
    server_netns, client_netns, name, server_addr, client_addr, port = sys.argv[1:]
    scenario = {scenario.__name__: scenario for scenario in SCENARIOS}[name]
    scenario(Wire(Side(server_netns, server_addr), Side(client_netns, client_addr), int(port)))


main()
