#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""One side of an MPTCP connection on loopback, which stays until it is ended.

    mptcp.py serve PORT FILE	makes FILE.listens, and FILE once a connection is accepted
    mptcp.py connect PORT
"""
import pathlib
import socket
import sys
import time

end = ("127.0.0.1", int(sys.argv[2]))
sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_MPTCP)
if sys.argv[1] == "serve":
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(end)
    sock.listen()
    pathlib.Path(sys.argv[3] + ".listens").touch()
    accepted = sock.accept()[0]
    pathlib.Path(sys.argv[3]).touch()
else:
    sock.connect(end)
time.sleep(60)
