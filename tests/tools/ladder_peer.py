#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Connections whose end tests/e2e/ladder_ends.sh looks at.

    ladder_peer.py SERVER_NETNS CLIENT_NETNS SCENARIO SERVER_ADDR CLIENT_ADDR PORT
    ladder_peer.py alone	one over loopback, once SIGUSR1 has come; prints "ready" when it waits for that
"""
import signal
import socket
import sys

sys.dont_write_bytecode = True
from wire import CLOSE, CLOSE_WAIT, CUT, Side, Wire, expect, expect_reset, mark, reset, until, until_state

REQUEST = b"GET /index.html HTTP/1.0\r\nCookie: secret\r\n\r\n"


def ask(wire):
    client, server = wire.pair()
    client.sendall(REQUEST)
    expect(server.recv(len(REQUEST), socket.MSG_WAITALL), REQUEST)
    return client, server


def reset_after_request(wire):
    client, server = ask(wire)
    reset(server)
    expect_reset(client)


def fin_without_answer(wire):
    client, server = ask(wire)
    server.close()
    expect(client.recv(1), b"")
    client.close()


def close_client(wire):
    """The client's end is left to the kernel, in FIN_WAIT2."""
    client, server = ask(wire)
    client.close()
    expect(server.recv(1), b"")
    until(lambda: wire.client.run("ss", "-Htn", "state", "fin-wait-2", "dport", "=", f":{wire.port}"))
    return server


def fin_to_mini_socket(wire):
    close_client(wire).close()


def rst_to_mini_socket(wire):
    reset(close_client(wire))


def rst_to_time_wait(wire):
    """The client's last ACK is lost, and what the server has not read makes a RST of its close."""
    client, server = wire.pair()
    client.sendall(REQUEST)
    client.shutdown(socket.SHUT_WR)
    until_state(server, CLOSE_WAIT)
    mark(CUT, client)
    server.shutdown(socket.SHUT_WR)
    server.close()
    until_state(client, CLOSE)
    client.close()


SCENARIOS = {play.__name__: play for play in (reset_after_request, fin_without_answer, fin_to_mini_socket,
                                              rst_to_mini_socket, rst_to_time_wait)}


def alone():
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
    with socket.create_server(("127.0.0.1", 80)) as listener:
        print("ready", flush=True)
        signal.sigwait({signal.SIGUSR1})
        client = socket.create_connection(listener.getsockname())
        server, _ = listener.accept()
        client.sendall(REQUEST)
        expect(server.recv(len(REQUEST), socket.MSG_WAITALL), REQUEST)
        client.close()
        expect(server.recv(1), b"")
        server.close()


if sys.argv[1] == "alone":
    alone()
else:
    SCENARIOS[sys.argv[3]](Wire(Side(sys.argv[1], sys.argv[4]), Side(sys.argv[2], sys.argv[5]), int(sys.argv[6])))
