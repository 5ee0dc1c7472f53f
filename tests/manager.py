#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""A service manager's ear: prints what comes to the socket NAME, as sd_notify(3) sends it, one assignment a line.

manager.py NAME SECONDS
"""
import os
import socket
import sys

name, seconds = sys.argv[1], float(sys.argv[2])
with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
    ear.bind(name)
    ear.settimeout(seconds)
    try:
        while True:
            print(ear.recv(65536).decode(), flush=True)
    except TimeoutError:
        sys.exit(0)
    finally:
        os.unlink(name)
