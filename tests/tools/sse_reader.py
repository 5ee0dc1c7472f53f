#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Follows /events of an endpoint, stalls on request, and counts what comes between two marks.

    sse_reader.py ADDRESS PORT MARK GO

A mark is a connect to port MARK that ends. Prints "follows" once the answer has begun, "stalls" after the first mark;
then it reads nothing more until a line comes from the FIFO GO. After the second mark it prints {"events": N, "lost": N,
"told": N} (told: how often a loss was reported).
"""
import json
import socket
import sys


def blocks(stream):
    """Events as SSE delimits them, without the chunked transfer around them."""
    pending = b""
    while size := int(stream.readline() or b"0", 16):
        pending += stream.read(size)
        stream.readline()
        *whole, pending = pending.split(b"\n\n")
        yield from whole


def main():
    mark = int(sys.argv[3])
    sock = socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=20)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.sendall(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
    stream = sock.makefile("rb")
    assert stream.readline() == b"HTTP/1.1 200 OK\r\n"
    while stream.readline() != b"\r\n":
        pass
    found = None
    for block in blocks(stream):
        kind, _, data = block.rpartition(b"data: ")
        if block == b": follows":
            print("follows", flush=True)
        if not data or block.startswith(b":"):
            continue
        told = json.loads(data)
        if told.get("rport") == mark and told["new"] == "CLOSE":
            if found:
                break
            print("stalls", flush=True)
            with open(sys.argv[4]) as go:
                go.readline()
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
            found = {"events": 0, "lost": 0, "told": 0}
        elif found and kind == b"event: lost\n":
            found["told"] += 1
            found["lost"] += told["lost"]
        elif found:
            found["events"] += 1
    print(json.dumps(found))


main()
