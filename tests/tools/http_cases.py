#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""HTTP connections, segment by segment, and what `synwarden http` is to make of each at both ends; and what `conns` tells of
the server's end, where a `run --http on` counts.

http_cases.py SYNWARDEN SERVER_NETNS CLIENT_NETNS SERVER_ADDR PORT

Both ends are sockets of this process, in two network namespaces. Each step sends one piece, and waits until the other
end has all of it, so that every piece is a segment of its own. Prints "ok - NAME" or "not ok - NAME: WHY" a case and end.
"""

import collections
import ctypes  # for setns(), which Python 3.11 lacks
import json
import os
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import time

PATIENCE = float(os.environ.get("PATIENCE", "1"))
SECONDS = 20 * PATIENCE
CLIENT, SERVER = "client", "server"
LIBC = ctypes.CDLL(None, use_errno=True)
PENDING = {}  # by socket: what did not fit into its buffer yet

GET = b"GET /a?secret=1 HTTP/1.1\r\nHost: site.test\r\nAuthorization: Basic c2VjcmV0\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
POST = b"POST /up HTTP/1.1\r\nHost: site.test\r\nContent-Length: %d\r\n\r\n"
GET_B, GET_C = GET.replace(b"/a?", b"/b?"), GET.replace(b"/a?", b"/c?")

Step = collections.namedtuple("Step", "by data cut")
Case = collections.namedtuple("Case", "name steps requests end options")


def client(data, cut=0):
    return Step(CLIENT, data, cut)


def server(data, cut=0):
    return Step(SERVER, data, cut)


def request(method, path, status, **more):
    return dict({"method": method, "path": path, "status": status}, **more)


def end(requests, by, **more):
    return dict({"kind": "end", "requests": requests, "closed_by": by}, **more)


def case(name, steps, requests, ending, **options):
    return Case(name, steps, requests, ending, options)


def get(path="/a", status=200, **more):
    return request("GET", path, status, **more)


def hello():
    """A ClientHello, as a TLS library makes it."""
    out = ssl.MemoryBIO()
    context = ssl.create_default_context()
    context.set_alpn_protocols(["h2", "http/1.1"])
    try:
        context.wrap_bio(ssl.MemoryBIO(), out, server_hostname="api.example.org").do_handshake()
    except ssl.SSLWantReadError:
        pass
    return out.read()


BODY_LIKE_REQUEST = b"GET /x HTTP/1.1\r\n\r\n"
BODY_LIKE_STATUS = b"HTTP/1.1 500 Oops\r\n\r\n"
BIG = b"B" * 200000
LENGTH = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
TOO_LARGE = b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n"
ONE = end(1, CLIENT, answered=1, pipelined=0, requests_at_least=False)
NONE_SEEN = None
HTTP1 = {"protocol": "http1", "requests_at_least": None}

CASES = [
    case("one request", [client(GET), server(OK)],
         [get(request_bytes=len(GET), response_bytes=len(OK), bytes_exact=True, duration_known="exact", pipelined=False,
              host="site.test", version="1.1", n=1, n_at_least=False, truncated=False)], ONE),
    case("three requests, one after another", [client(GET), server(OK), client(GET_B), server(OK), client(GET_C), server(OK)],
         [get(n=1), get("/b", n=2), get("/c", n=3)], end(3, CLIENT, answered=3, pipelined=0)),
    case("a head in segments of one byte", [client(GET, 1), server(OK)],
         [get(request_bytes=len(GET), response_bytes=len(OK))], ONE),
    case("an answer in segments of one byte", [client(GET), server(OK, 1)],
         [get(response_bytes=len(OK), duration_known="exact")], ONE),
    case("a status line in segments of five bytes", [client(GET), server(OK, 5)], [get()], ONE),
    case("three requests in one segment", [client(GET + GET_B + GET_C), server(OK), server(OK), server(OK)],
         [get(pipelined=False), get("/b", pipelined=True), get("/c", pipelined=True)],
         end(3, CLIENT, answered=3, pipelined=2), life=dict(HTTP1, requests=1, requests_at_least=True)),
    case("three requests in one segment, three answers in one", [client(GET + GET_B + GET_C), server(OK * 3)],
         [get(response_bytes=len(OK)), get("/b", response_bytes=len(OK)), get("/c", response_bytes=len(OK))],
         end(3, CLIENT, answered=3, pipelined=2), life=dict(HTTP1, requests=1)),
    case("three requests in three segments", [client(GET), client(GET_B), client(GET_C), server(OK), server(OK), server(OK)],
         [get(), get("/b"), get("/c")], end(3, CLIENT, answered=3, pipelined=2)),
    case("a second request within the first answer, in tiny pieces",
         [client(GET), server(OK[:40]), client(GET_B), server(OK[40:], 3), server(OK, 5)],
         [get(response_bytes=len(OK), pipelined=False), get("/b", response_bytes=len(OK), pipelined=True)],
         end(2, CLIENT, answered=2, pipelined=1)),
    case("100-continue", [client(POST.replace(b"\r\n\r\n", b"\r\nExpect: 100-continue\r\n\r\n") % 4),
                          server(b"HTTP/1.1 100 Continue\r\n\r\n"), client(b"data"), server(OK)],
         [request("POST", "/up", 200, response_bytes=len(OK))], ONE),
    case("100-continue, with a body that looks like a request",
         [client(POST % len(BODY_LIKE_REQUEST)), server(b"HTTP/1.1 100 Continue\r\n\r\n"), client(BODY_LIKE_REQUEST),
          server(OK)], [request("POST", "/up", 200)], ONE),
    case("100 and 200 in one segment", [client(POST % 4 + b"data"), server(b"HTTP/1.1 100 Continue\r\n\r\n" + OK)],
         [request("POST", "/up", 200)], ONE),
    case("103, then 200", [client(GET), server(b"HTTP/1.1 103 Early Hints\r\nLink: </s.css>\r\n\r\n"), server(OK)], [get()], ONE),
    case("HEAD", [client(GET.replace(b"GET", b"HEAD")), server(LENGTH % 5000), client(GET_B), server(OK)],
         [request("HEAD", "/a", 200, response_bytes=len(LENGTH % 5000)), get("/b")], end(2, CLIENT, answered=2)),
    case("304", [client(GET), server(b"HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n"), client(GET_B), server(OK)],
         [get(status=304), get("/b")], end(2, CLIENT, answered=2)),
    case("chunked", [client(GET), server(CHUNKED + b"5\r\nhello\r\n"), server(b"0\r\n\r\n"), client(GET_B), server(OK)],
         [get(duration_known="exact", response_bytes=len(CHUNKED) + 15), get("/b")], end(2, CLIENT, answered=2)),
    case("chunked, larger than what is copied",
         [client(GET), server(CHUNKED), server(b"30d40\r\n" + BIG + b"\r\n0\r\n\r\n"), client(GET_B), server(OK)],
         [get(duration_known="chunked", response_bytes=len(CHUNKED) + 7 + len(BIG) + 7), get("/b")],
         end(2, CLIENT, answered=2)),
    case("a long document", [client(GET), server(LENGTH % len(BIG) + BIG), client(GET_B), server(OK)],
         [get(duration_known="exact", response_bytes=len(LENGTH % len(BIG)) + len(BIG), bytes_exact=True), get("/b")],
         end(2, CLIENT, answered=2)),
    case("a long upload", [client(POST % len(BIG) + BIG), server(OK), client(GET), server(OK)],
         [request("POST", "/up", 200, request_bytes=len(POST % len(BIG)) + len(BIG)), get()], end(2, CLIENT, answered=2)),
    case("a status line in the document", [client(GET), server(LENGTH % len(BODY_LIKE_STATUS)), server(BODY_LIKE_STATUS),
                                            client(GET_B), server(OK)], [get(), get("/b")], end(2, CLIENT, answered=2),
         life=dict(HTTP1, requests=2, requests_at_least=True)),
    case("a segment of the body that looks like a request", [client(POST % len(BODY_LIKE_REQUEST)), client(BODY_LIKE_REQUEST),
                                                             server(OK)], [request("POST", "/up", 200)], ONE),
    case("413 before the body is through, which looks like a request",
         [client(POST % len(BODY_LIKE_REQUEST)), server(TOO_LARGE), client(BODY_LIKE_REQUEST)],
         [request("POST", "/up", 413)], ONE),
    case("413, the rest of the body, and another request",
         [client(POST % len(BODY_LIKE_REQUEST)), server(TOO_LARGE), client(BODY_LIKE_REQUEST), client(GET), server(OK)],
         [request("POST", "/up", 413), get()], end(2, CLIENT, answered=2)),
    case("HTTP/1.0 until the server closes", [client(b"GET /a HTTP/1.0\r\n\r\n"), server(b"HTTP/1.0 200 OK\r\n\r\n"), server(b"text")],
         [get(duration_known="exact", version="1.0", response_bytes=23, host=None)], end(1, SERVER, answered=1), closes=SERVER),
    case("an empty line before the request", [client(b"\r\n" + GET), server(OK)], [get()], ONE),
    case("websocket", [client(GET.replace(b"\r\n\r\n", b"\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")),
                       server(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"),
                       client(b"GET "), server(b"HTTP/1.1 200 OK\r\n\r\n")], [get(status=101)], ONE),
    case("CONNECT", [client(b"CONNECT far.test:443 HTTP/1.1\r\nHost: far.test:443\r\n\r\n"),
                     server(b"HTTP/1.1 200 OK\r\n\r\n"), client(BODY_LIKE_REQUEST), server(BODY_LIKE_STATUS)],
         [request("CONNECT", "far.test:443", 200)], ONE),
    case("an absolute form with credentials", [client(b"GET http://me:secret@far.test/p?q HTTP/1.1\r\n\r\n"), server(OK)],
         [get("/p", host="far.test")], ONE),
    case("unanswered, closed by the server", [client(GET)],
         [get(status=None, answered=False, closed_by=SERVER)], end(1, SERVER, answered=0), closes=SERVER),
    case("unanswered, reset by the client", [client(GET)],
         [get(status=None, answered=False, closed_by=CLIENT)], end(1, CLIENT, answered=0), resets=CLIENT),
    case("reset within the answer", [client(GET), server(LENGTH % 100 + b"abc")],
         [get(status=200, cut=True, closed_by=SERVER, response_bytes=len(LENGTH % 100) + 3)],
         end(1, SERVER, answered=1), resets=SERVER),
    case("TLS, its first message in two segments", [client(hello(), 100), server(b"\x15\x03\x03\x00\x02\x02\x28")],
         [], {"kind": "tls", "server_name": "api.example.org", "alpn": "h2,http/1.1"}),
    case("HTTP/2 in cleartext", [client(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0"), server(b"\0\0\0\4\0\0\0\0\0")],
         [], {"kind": "http2"}),
    case("HTTP/2 in cleartext, in segments of one byte",
         [client(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0", 1), server(b"\0\0\0\4\0\0\0\0\0")], [], {"kind": "http2"}),
    case("the server speaks first", [server(b"220 mail.test ESMTP\r\n"), client(b"EHLO me\r\n"), server(b"250 OK\r\n")], [], NONE_SEEN),
    case("no HTTP", [client(b"GET me out of here\r\n"), server(b"-ERR unknown command\r\n")], [], NONE_SEEN),
    case("bytes of anything", [client(bytes(range(256))), server(bytes(range(255, -1, -1)))], [], NONE_SEEN),
    case("data with the last ACK of the handshake", [client(GET), server(OK), client(GET_B), server(OK)],
         [get(n=1), get("/b", n=2)], end(2, CLIENT, answered=2, requests_at_least=False), early=True,
         life=dict(HTTP1, requests=2, requests_at_least=True)),
    case("data with the last ACK of the handshake, unanswered", [client(GET)],
         [get(status=None)], end(1, SERVER, answered=0), early=True, closes=SERVER, life={"protocol": None, "requests": None}),
    case("a head that is lost once", [client(GET), server(OK), client(GET_B), server(OK)],
         [get(n=1), get("/b", n=2, request_bytes=len(GET_B))], end(2, CLIENT, answered=2), drops=2),
    case("begun before", [client(GET), server(OK), client(GET_B), server(OK)],
         [get("/b", n=1, n_at_least=True)], end(1, CLIENT, answered=1, requests_at_least=True), before=2, life=dict(HTTP1, requests=2)),
    case("begun before, in the middle of a request",
         [client(GET), server(OK), client(GET_B), server(OK), client(GET_C), server(OK)],
         [request(None, None, 200, n=None), get("/c", n=1, n_at_least=True)],
         end(1, CLIENT, answered=1, requests_at_least=True), before=3, life=dict(HTTP1, requests=3)),
]


def enter(path):
    """Sockets that are made from here on are in this namespace."""
    with open(path, "rb") as netns:
        if LIBC.setns(netns.fileno(), 0x40000000):
            raise OSError("setns")


class Connection:
    def __init__(self, world, one):
        self.case = one
        enter(world.client_netns)
        self.client = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        if one.options.get("early"):
            self.client.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, 1)
        self.client.connect(world.address)
        self.port = self.client.getsockname()[1]
        self.server = None
        self.world = world
        self.client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if not one.options.get("early"):
            self.accept()

    def accept(self):
        if self.server is None:
            self.server = self.world.listener.accept()[0]
            self.server.settimeout(SECONDS)
            self.server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, step):
        data, cut = step.data, step.cut or len(step.data)
        for at in range(0, len(data), cut):
            piece = data[at:at + cut]
            if step.by == CLIENT:
                self.push(self.client, piece)
            self.accept()
            if step.by == SERVER:
                self.push(self.server, piece)
            self.take(self.server if step.by == CLIENT else self.client, len(piece))

    @staticmethod
    def push(end, piece):
        end.setblocking(False)
        sent = end.send(piece)
        end.settimeout(SECONDS)
        if sent < len(piece):
            PENDING[end] = piece[sent:]

    def take(self, end, count):
        other = self.client if end is self.server else self.server
        end.settimeout(SECONDS)
        while count:
            some = end.recv(min(count, 1 << 16))
            if not some:
                raise EOFError
            count -= len(some)
            rest = PENDING.pop(other, b"")
            if rest:
                self.push(other, rest)

    def play(self, steps):
        for step in steps:
            self.send(step)

    def lose(self, steps):
        """The next segment of the client is dropped once on its way in."""
        rule = ("add table ip lose; add chain ip lose in { type filter hook input priority 0; };"
                f"add rule ip lose in tcp sport {self.port} tcp flags & psh == psh limit rate 1/hour burst 1 packets counter drop")
        subprocess.run(["nsenter", f"--net={self.world.server_netns}", "nft", rule], check=True)
        self.play(steps)
        listed = subprocess.run(["nsenter", f"--net={self.world.server_netns}", "nft", "list", "table", "ip", "lose"],
                                check=True, capture_output=True, text=True).stdout
        if "packets 1 " not in listed:
            raise RuntimeError(f"nothing was dropped: {listed}")
        subprocess.run(["nsenter", f"--net={self.world.server_netns}", "nft", "delete", "table", "ip", "lose"], check=True)

    def close(self):
        resets = self.case.options.get("resets")
        first = self.server if (resets or self.case.options.get("closes")) == SERVER else self.client
        last = self.client if first is self.server else self.server
        if resets:
            first.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        first.close()
        try:
            while last.recv(1 << 16):
                pass
        except ConnectionResetError:
            pass
        last.close()


class Follower:
    """A command that prints what it sees until it is stopped."""

    def __init__(self, synwarden, command, *options):
        self.command = [synwarden, command, "--json", *options]
        self.out = tempfile.NamedTemporaryFile("w+")
        self.err = tempfile.NamedTemporaryFile("w+")
        self.process = None

    def start(self):
        self.process = subprocess.Popen(self.command, stdout=self.out, stderr=self.err)
        wait_for(lambda: "following" in self.said(), f"{self.command[1]} does not start", self.said)

    def said(self):
        with open(self.err.name, encoding="utf-8") as err:
            return err.read()

    def records(self):
        with open(self.out.name, encoding="utf-8") as out:
            lines = [line for line in out.read().split("\n")[:-1] if line]
        return [json.loads(line) for line in lines]

    def stop(self):
        self.process.terminate()
        if self.process.wait(SECONDS):
            raise RuntimeError(self.said())
        return self.records()

    def kill(self):
        if self.process and self.process.poll() is None:
            self.process.kill()


class World:
    def __init__(self, synwarden, server_netns, client_netns, addr, port):
        self.server_netns, self.client_netns = server_netns, client_netns
        self.address = (addr, int(port))
        self.inode = {SERVER: os.stat(server_netns).st_ino, CLIENT: os.stat(client_netns).st_ino}
        enter(server_netns)
        self.listener = socket.create_server(self.address, backlog=len(CASES))
        self.listener.settimeout(SECONDS)
        self.http = Follower(synwarden, "http", "--port", port)
        self.conns = Follower(synwarden, "conns", "--port", port, "--netns", server_netns)

    def of(self, records, port, role):
        """Of one end of a connection."""
        own = "rport" if role == SERVER else "lport"
        return [r for r in records if "lost" not in r and r["netns"] == self.inode[role] and r[own] == port
                and r["role"] in (role, "unknown")]


def wait_for(what, message, more):
    until = time.monotonic() + SECONDS
    while not what():
        if time.monotonic() > until:
            raise RuntimeError(f"{message}: {more()}")
        time.sleep(0.05)


def differs(record, expected):
    for name, value in expected.items():
        if record.get(name) != value:
            return f"{name} is {record.get(name)!r}, not {value!r}, in {record}"
    return None


def judge(one, records):
    requests = [r for r in records if r["kind"] == "request"]
    others = [r for r in records if r["kind"] != "request"]
    if len(requests) != len(one.requests):
        return f"{len(requests)} requests, not {len(one.requests)}: {records}"
    for record, expected in zip(requests, one.requests):
        if differs(record, expected):
            return differs(record, expected)
        if not (0 if record["method"] is None else 1e-3) <= record["duration_us"] < SECONDS * 1e6:
            return f"its duration is {record['duration_us']}"
        if expected["status"] and record["method"] and not 0 <= record["first_byte_us"] <= record["duration_us"]:
            return f"its first byte came after {record['first_byte_us']} of {record['duration_us']}"
    if one.end is NONE_SEEN:
        return f"told of: {others}" if others else None
    if len(others) != 1:
        return f"{len(others)} other records: {others}"
    return differs(others[0], one.end)


def life_of(one):
    """What `run --http on` knows of the server's end. Requests that share a segment are one to it."""
    if "life" in one.options:
        return one.options["life"]
    if one.end is NONE_SEEN:
        return {"protocol": "other", "requests": None}
    if one.end["kind"] != "end":
        return {"protocol": {"http2": "h2c"}.get(one.end["kind"], one.end["kind"]), "requests": None}
    return dict(HTTP1, requests=one.end["requests"])


def judge_life(one, lives):
    return differs(lives[0], life_of(one)) if len(lives) == 1 else f"{len(lives)} records: {lives}"


def main():
    world = World(*sys.argv[1:])
    try:
        play_and_judge(world)
    finally:
        world.http.kill()
        world.conns.kill()


def play_and_judge(world):
    before = [Connection(world, one) for one in CASES if "before" in one.options]
    for connection in before:
        connection.play(connection.case.steps[:connection.case.options["before"]])
    world.http.start()
    world.conns.start()
    played = []
    for connection in before:
        connection.play(connection.case.steps[connection.case.options["before"]:])
        connection.close()
        played.append(connection)
    for one in CASES:
        if "before" in one.options:
            continue
        connection = Connection(world, one)
        lost_at = one.options.get("drops", len(one.steps))
        connection.play(one.steps[:lost_at])
        if lost_at < len(one.steps):
            connection.lose(one.steps[lost_at:])
        connection.close()
        played.append(connection)
    expected = sum(2 for one in CASES if one.end and one.end["kind"] == "end")
    wait_for(lambda: sum(r.get("kind") == "end" for r in world.http.records()) >= expected, "ends are missing",
             lambda: [r for r in world.http.records() if r.get("kind") == "end"])
    wait_for(lambda: len(world.conns.records()) >= len(CASES), "connections are missing", world.conns.records)
    records, lives = world.http.stop(), world.conns.stop()
    lost = [r for r in records if "lost" in r]
    print(f"not ok - nothing is lost: {lost}" if lost else "ok - nothing is lost")
    text = json.dumps(records)
    print("not ok - no credentials are shown" if "secret" in text or "c2VjcmV0" in text else "ok - no credentials are shown")
    for connection in played:
        for role in (SERVER, CLIENT):
            why = judge(connection.case, world.of(records, connection.port, role))
            name = f"{connection.case.name}, at the {role}"
            print(f"not ok - {name}: {why}" if why else f"ok - {name}")
        why = judge_life(connection.case, world.of(lives, connection.port, SERVER))
        print(f"not ok - {connection.case.name}, in conns: {why}" if why else f"ok - {connection.case.name}, in conns")


if __name__ == "__main__":
    main()
