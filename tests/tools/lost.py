#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Connections that a server loses without a word, as one that crashes does, and clients that find out.

    lost.py serve ADDRESS PORT COMMANDS
        accepts, and answers nothing. Commands, lines of the FIFO, each answered by "done":
        lose: its connections end without a FIN or a RST (TCP_REPAIR); restart: its listener, too, and a new one begins
    lost.py ask ADDRESS PORT CONNECTIONS COMMANDS
        connects, and prints "ready". For each line of the FIFO, each connection sends a byte; it prints how many
        of them got a RST within ten seconds.
    lost.py abort ADDRESS PORT CONNECTIONS PATH
        asks for PATH on each connection, reads a part of it, and closes: the rest of what is under way meets a RST each
"""
import socket
import sys
import time

TCP_REPAIR = 19
PATIENCE = 10


def lines(path):
    with open(path) as commands:
        yield from commands


def listen(place):
    listener = socket.create_server(place, backlog=1024, reuse_port=True)
    listener.setblocking(False)
    return listener


def accept_all(listener):
    accepted = []
    while True:
        try:
            accepted.append(listener.accept()[0])
        except BlockingIOError:
            return accepted


def serve(place, commands):
    listener = listen(place)
    print("ready", flush=True)
    for command in lines(commands):
        for connection in accept_all(listener):
            connection.setsockopt(socket.SOL_TCP, TCP_REPAIR, 1)
            connection.close()
        if command.strip() == "restart":
            listener.close()
            listener = listen(place)
        print("done", flush=True)


def is_reset(connection, end):
    connection.settimeout(max(end - time.monotonic(), 0.01))
    try:
        connection.recv(1)
    except ConnectionResetError:
        return True
    except TimeoutError:
        pass
    return False


def ask(place, count, commands):
    held = [socket.create_connection(place) for _ in range(count)]
    print("ready", flush=True)
    for _ in lines(commands):
        end = time.monotonic() + PATIENCE
        for connection in held:
            connection.sendall(b"x")
        print(sum(is_reset(connection, end) for connection in held), flush=True)


def abort(place, count, path):
    request = f"GET {path} HTTP/1.0\r\n\r\n".encode()
    for _ in range(count):
        with socket.create_connection(place) as connection:
            connection.sendall(request)
            connection.recv(1000)


def main():
    mode, address, port = sys.argv[1:4]
    place = (address, int(port))
    if mode == "serve":
        serve(place, sys.argv[4])
    elif mode == "ask":
        ask(place, int(sys.argv[4]), sys.argv[5])
    else:
        abort(place, int(sys.argv[4]), sys.argv[5])


main()
