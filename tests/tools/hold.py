#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Holds connections over loopback in the current network namespace, both ends of each, until it is killed.

    hold.py CONNECTIONS

Prints "ready" once all stand. Each child process has as many of them as its limit of open files lets it, and ends with
its parent, which holds the pipe that it reads from.
"""
import os
import resource
import signal
import socket
import sys

SPARE = 100  # descriptors that are not the connections' own
PORTS = 20000  # connections to one listener: below the number of ephemeral ports


def hold(count):
    """Both ends of `count` connections; the listeners are closed again."""
    held = []
    while len(held) < 2 * count:
        with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
            for _ in range(min(count - len(held) // 2, PORTS)):
                client = socket.create_connection(listener.getsockname())
                held += client, listener.accept()[0]
    return held


def child(count, ready, end):
    held = hold(count)
    os.write(ready, b"!")
    os.read(end, 1)
    return held


def main():
    total = int(sys.argv[1])
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, soft))
    share = (soft - SPARE) // 2
    shares = [min(share, total - at) for at in range(0, total, share)]
    ready, told = os.pipe()
    ends, end = os.pipe()
    for count in shares:
        if not os.fork():
            os.close(end)
            child(count, told, ends)
            os._exit(0)
    os.close(ends)
    os.close(told)
    for _ in shares:
        if not os.read(ready, 1):
            sys.exit("hold.py: a child died")
    print("ready", flush=True)
    signal.pause()


main()
