#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""
HTTP clients that mean ill.

hostile.py idle|slow|drip ADDRESS PORT COUNT: keeps so many connections until it is ended: idle ones say nothing, slow
ones send a header without end, a byte at a time, drip ones ask for a long page and read a byte of it now and then. One that
the server closes is opened again, a few at a time. Prints "ready" once each has been opened.

hostile.py ask ADDRESS PORT: sends requests that are malformed or too large, and prints the status of each answer.
"""
import re
import resource
import select
import socket
import sys
import time

STEP = 0.2
AT_ONCE = {"idle": 500, "slow": 100, "drip": 5}  # opened in a step: who reads slowly does not ask fast
PATIENCE = 5

REQUESTS = {
    "sound": b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "no host": b"GET /healthz HTTP/1.1\r\n\r\n",
    "HTTP/9.9": b"GET /healthz HTTP/9.9\r\nHost: localhost\r\n\r\n",
    "no version": b"GET /healthz\r\n\r\n",
    "no method": b" /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "method of 10,000 bytes": b"G" * 10000 + b" / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "path of 40,000 bytes": b"GET /" + b"a" * 40000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "header of 40,000 bytes": b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 40000 + b"\r\n\r\n",
    "10,000 headers": b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"A: b\r\n" * 10000 + b"\r\n",
    "1,000,000 bytes without a line": b"a" * 1000000,
    "body of 2^64 bytes": b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 18446744073709551616\r\n\r\n",
    "body of -1 bytes": b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
    "POST": b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n",
    "chunk without end": b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
    "NUL in the path": b"GET /health\0z HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "path out of the root": b"GET /../../etc/passwd HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "limit that is none": b"GET /api/lists?limit=99999999999999999999 HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    "1,000 pipelined": b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n" * 1000,
}


def dial(address, port):
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.setblocking(False)
    client.connect_ex((address, port))
    return client


def poke(kind, client, first):
    """What this client does next; False once it is closed."""
    try:
        if kind == "drip" and first:
            client.send(b"GET /api/conns?limit=10000 HTTP/1.1\r\nHost: localhost\r\n\r\n")
        elif kind == "slow":
            client.send(b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " if first else b"a")
        return client.recv(1) != b""
    except BlockingIOError:
        return True
    except OSError:
        return False


def hold(kind, address, port, count):
    clients = {}
    opened = 0
    while True:
        for _ in range(min(count - len(clients), AT_ONCE[kind])):
            clients[dial(address, port)] = True
            opened += 1
        time.sleep(STEP)
        poll = select.poll()
        for client in clients:
            poll.register(client, select.POLLIN | select.POLLOUT)
        writable = {fd for fd, _ in poll.poll(0)}
        for client, first in list(clients.items()):
            if client.fileno() not in writable:
                continue  # not connected yet
            clients[client] = False
            if not poke(kind, client, first):
                del clients[client]
                client.close()
        if opened >= count:
            print("ready", flush=True)


def ask(address, port, request):
    """The statuses of the answers, until the server closes or says nothing more."""
    with socket.create_connection((address, port), PATIENCE) as client:
        client.settimeout(0.5)
        answer = b""
        try:
            client.sendall(request)
            while got := client.recv(65536):
                answer += got
        except OSError:
            pass
    statuses = re.findall(rb"^HTTP/1\.1 ([0-9]{3}) ", answer, re.MULTILINE)
    first = statuses[0].decode() if statuses else "none"
    # libmicrohttpd 0.9.75 sends the head of its own refusals twice, before it closes.
    return f"{first} x {len(statuses)}" if first == "200" else first


def main():
    kind, address, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    if kind == "ask":
        for name, request in REQUESTS.items():
            print(f"{name}: {ask(address, port, request)}", flush=True)
    else:
        hold(kind, address, port, int(sys.argv[4]))


if __name__ == "__main__":
    main()
