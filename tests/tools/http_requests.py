#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Sends requests of several kinds over connections that are kept alive: http_requests.py ADDR PORT COUNT

Connections carry 1, 2, 5, 50 and 200 requests in turn; of those that carry 1, the server is asked to close. Prints how
many connections there were, and how many of them the server was to close.
"""

import itertools
import socket
import sys

KINDS = [
    ("GET", "/", ""), ("GET", "/nope", ""), ("HEAD", "/", ""), ("GET", "/", "Range: bytes=0-3\r\n"), ("GET", "/gone", ""),
    ("GET", "/", "If-None-Match: *\r\n"), ("GET", "/?query=1", ""), ("POST", "/", "Content-Length: 4\r\n"),
]


def read_head(stream):
    length = 0
    status = int(stream.readline().split()[1])
    for line in iter(stream.readline, b"\r\n"):
        if line.lower().startswith(b"content-length:"):
            length = int(line.split(b":")[1])
    return status, length


def ask(sock, stream, kind, last):
    method, path, fields = kind
    body = b"data" if method == "POST" else b""
    fields += "Connection: close\r\n" if last else ""
    sock.sendall(f"{method} {path} HTTP/1.1\r\nHost: site.test\r\n{fields}\r\n".encode() + body)
    status, length = read_head(stream)
    if method != "HEAD" and status != 304 and len(stream.read(length)) != length:
        raise EOFError


def main():
    addr, port, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    kinds, connections, closed = itertools.cycle(KINDS), 0, 0
    for most in itertools.cycle((1, 2, 5, 50, 200)):
        if not count:
            break
        with socket.create_connection((addr, port)) as sock, sock.makefile("rb") as stream:
            connections += 1
            for _ in range(min(most, count)):
                ask(sock, stream, next(kinds), most == 1)
                count -= 1
            if most == 1:
                closed += 1
                stream.read()
    print(connections, closed)


if __name__ == "__main__":
    main()
