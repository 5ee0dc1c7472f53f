#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Servers that fail in the ways that tests/e2e/fetch.sh asks for, and a name server.

fetch_server.py ADDRESS: serves until it is killed; prints "ready" once all listen.
"""
import socket
import struct
import sys
import threading
import time

RESET = struct.pack("ii", 1, 0)
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"
NAMES = {b"site": ["10.99.0.1"], b"two": ["10.99.0.3", "10.99.0.1"]}
NXDOMAIN, SERVFAIL = 3, 2


def reset(peer):
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)


def part(peer, end):
    peer.sendall(HEAD + b"abc")
    end(peer)


def redirect(peer, place):
    peer.sendall(b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: " + place + b"\r\n\r\n")


def stay_open(peer):
    peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc")
    peer.recv(1)


def silence(peer):
    time.sleep(60)


def trickle(peer):
    peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    while True:
        peer.sendall(b"a")
        time.sleep(0.05)


def two_pieces(peer):
    peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc")
    time.sleep(0.1)
    peer.sendall(b"def")
    peer.recv(1)


WAYS = {
    8001: reset,
    8002: lambda peer: None,
    8003: lambda peer: part(peer, lambda peer: (time.sleep(0.2), reset(peer))),
    8004: lambda peer: part(peer, lambda peer: None),
    8005: lambda peer: part(peer, silence),
    8006: silence,
    8007: lambda peer: peer.sendall(b"SSH-2.0-none\r\n"),
    8008: lambda peer: redirect(peer, b"http://site.test/"),
    8010: stay_open,
    8011: trickle,
    8012: two_pieces,
    8009: lambda peer: redirect(peer, b"http://site.test:8009/"),
}


def serve_one(peer, way):
    with peer:
        peer.recv(65536)
        way(peer)


def serve(listener, way):
    while True:
        peer, _ = listener.accept()
        threading.Thread(target=serve_one, args=(peer, way), daemon=True).start()


def answer(query):
    """None for a name that begins with "silent"."""
    end = query.index(b"\0", 12) + 1
    label = query[13:13 + query[12]]
    question = query[12:end + 4]
    is_a = question[-4:-2] == b"\0\1"
    addresses = NAMES.get(label, []) if is_a else []
    code = SERVFAIL if label == b"broken" else 0 if label in NAMES else NXDOMAIN
    if label == b"silent":
        return None
    records = b"".join(b"\xc0\x0c\0\1\0\1" + struct.pack(">IH", 300, 4) + socket.inet_aton(a) for a in addresses)
    return query[:2] + struct.pack(">HHHHH", 0x8180 | code, 1, len(addresses), 0, 0) + question + records


def serve_names(names):
    while True:
        query, peer = names.recvfrom(4096)
        message = answer(query)
        if message:
            names.sendto(message, peer)


def main():
    address = sys.argv[1]
    for port, way in WAYS.items():
        listener = socket.create_server((address, port))
        threading.Thread(target=serve, args=(listener, way), daemon=True).start()
    names = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    names.bind((address, 53))
    print("ready", flush=True)
    serve_names(names)


main()
