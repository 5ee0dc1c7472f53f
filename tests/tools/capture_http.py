# SPDX-License-Identifier: GPL-2.0-only
"""HTTP/1 on a connection of tests/tools/captures.py, what must not be shown of it, and what only looks like it."""
PSH_ACK = 24

EXCHANGES = [
    (b"GET /index.html HTTP/1.1\r\nCookie: secret\r\n\r\n", b"HTTP/1.1 200 OK\r\nServer: x\r\n\r\nbody"),
    (b"GET /login?password=secret HTTP/1.1\r\n\r\n", b"HTTP/1.1 404 Not Found\r\n\r\n"),
    (b"GET /" + b"a" * 200 + b" HTTP/1.1\r\n\r\n", b"HTTP/1.0 302 \x1b[31m\xc3\xa9\n\n"),
    (b"MAIL FROM:<secret>\r\n", b"250 secret\r\n"),
    (b"GET /half-a-line", b"HTTP/1.1 200 half a line"),
]


def http(c):
    """Requests and answers, of which `ladder --long` shows the first lines."""
    at, back = 1, 1  # behind the SYNs
    c.handshake()
    for asked, answered in EXCHANGES:
        c.send(PSH_ACK, at, back, asked, window=502)
        at += len(asked)
        c.recv(PSH_ACK, back, at, answered, window=509)
        back += len(answered)
    c.close(at, back)
