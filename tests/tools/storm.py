#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Opens and ends connections at random, logs what was done, and judges what `synwarden conns --json` said of them.

    storm.py play SERVER_NETNS CLIENT_NETNS COUNT SEED PORT >LOG
    storm.py judge LOG CONNS

The log has an object for each socket, by its cookie: what its line must say; and one for each namespace: what the kernel
counted there meanwhile. The network is that of tests/e2e/storm.sh: it drops what is marked CUT, and a part of the rest.
"""
import collections
import contextlib
import errno
import fcntl
import json
import os
import random
import socket
import struct
import sys
import termios
import time

sys.dont_write_bytecode = True
from wire import CLOSE, CUT, Side, cookie_of, expect, mark, reset, until, until_state

WORKERS = 6  # each has one connection at a time
PLACES = [("10.99.0.1", "10.99.0.2"), ("fd99::1", "fd99::2"), ("127.0.0.1", None)]  # None: in the server's namespace
PAUSE_MOST = 0.01
BYTES_MOST = 60000
UNREAD_MOST = 4000
IP_LOCAL_PORT_RANGE = 51
COUNTERS = ["TcpActiveOpens", "TcpPassiveOpens", "TcpAttemptFails", "TcpEstabResets", "TcpRetransSegs"]
TIME_WAIT_LEAST = 55  # seconds for which a socket is there


def log(entry):
    """All of it at once: several processes write."""
    os.write(1, (json.dumps(entry) + "\n").encode())


class End:
    """One socket, and what its program did with it."""

    def __init__(self, sock, role):
        self.sock, self.role, self.cookie = sock, role, cookie_of(sock)
        self.sent = self.received = 0

    def send(self, size):
        self.sock.sendall(b"x" * size)
        self.sent += size

    def read(self, size):
        self.received += size
        while size:
            size -= len(self.sock.recv(size))

    def read_fin(self):
        expect(self.sock.recv(1), b"")

    def read_reset(self):
        try:
            got = self.sock.recv(1)
        except ConnectionResetError:
            self.sock.close()
            return
        raise AssertionError(f"got {got!r} where a reset was to come")

    def unread(self):
        return struct.unpack("i", fcntl.ioctl(self.sock, termios.FIONREAD, b"\0" * 4))[0]

    def tell(self, reason, first=None, established=True):
        """What its line must say."""
        log({"cookie": self.cookie, "role": self.role, "reason": reason, "established": established,
             "closed_first": first, "sent_bytes": self.sent, "received_bytes": self.received})


class Worker:
    def __init__(self, server, client, number, seed, port):
        self.random = random.Random(f"{seed}.{number}")
        self.port, self.closed_port = port + number, port + WORKERS
        self.places = []
        for here, there in PLACES:
            near, far = Side(server, here), Side(client if there else server, there or here)
            listener = near.socket()
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((here, self.port))
            listener.listen(8)
            self.places.append((listener, near, far))

    def pause(self):
        if self.random.randrange(2):
            time.sleep(self.random.uniform(0, PAUSE_MOST))

    def pair(self, listener, near, far):
        client = far.socket()
        client.connect((near.addr, self.port))
        server = listener.accept()[0]
        for sock in (client, server):  # a FIN is acknowledged at once, or after 40 ms
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, self.random.randrange(2))
        return End(client, "client"), End(server, "server")

    def talk(self, sender, receiver):
        left = self.random.choice([0, 1, self.random.randrange(1000), self.random.randrange(BYTES_MOST)])
        while left:
            size = min(left, 16384)
            sender.send(size)
            receiver.read(size)
            left -= size

    # How a connection ends, by what `a` does first. Both sides have read all that was sent.

    def close(self, a, b):
        a.sock.close()
        b.read_fin()
        self.pause()
        b.sock.close()
        a.tell("time_wait", "local")
        b.tell("fin", "remote")

    def half_close(self, a, b):
        a.sock.shutdown(socket.SHUT_WR)
        b.read_fin()
        self.pause()
        self.talk(b, a)
        b.sock.close()
        a.read_fin()
        a.sock.close()
        a.tell("time_wait", "local")
        b.tell("fin", "remote")

    def reset(self, a, b):
        reset(a.sock)
        b.read_reset()
        a.tell("reset_sent")
        b.tell("reset_received")

    def close_unread(self, a, b):
        size = self.random.randrange(1, UNREAD_MOST)
        b.send(size)
        until(lambda: a.unread() == size)
        a.received += size
        a.sock.close()
        b.read_reset()
        a.tell("reset_sent")
        b.tell("reset_received")

    def reset_after_fin(self, a, b):
        a.sock.shutdown(socket.SHUT_WR)
        b.read_fin()
        self.pause()
        reset(b.sock)
        a.read_reset()
        a.tell("reset_received", "local")
        b.tell("reset_sent", "remote")

    def data_after_close(self, a, b):
        a.sock.close()
        b.read_fin()
        self.pause()
        b.send(4)
        until_state(b.sock, CLOSE)  # after a FIN, reading does not tell of the RST
        b.sock.close()
        a.tell("reset_received", "local")
        b.tell("reset_received", "remote")

    # Connects that fail.

    def refused(self, near, far):
        sock = far.socket()
        end = End(sock, "client")
        sock.setblocking(True)  # fetches the error once the socket is closed (docs/limits.md, Tracking)
        expect(sock.connect_ex((near.addr, self.closed_port)), errno.ECONNREFUSED)
        sock.close()
        end.tell("refused", established=False)

    def given_up(self, near, far):
        if far.family != socket.AF_INET:
            return
        sock = far.socket()
        end = End(sock, "client")
        mark(CUT, sock)
        sock.setblocking(False)
        sock.connect_ex((near.addr, self.port))
        self.pause()
        sock.close()
        end.tell("aborted", established=False)

    def no_port(self, near, far):
        taken, sock = far.socket(), far.socket()
        end = End(sock, "client")
        taken.bind((far.addr, 0))
        port = taken.getsockname()[1]
        with contextlib.suppress(OSError):  # from Linux 6.3 on
            sock.setsockopt(socket.IPPROTO_IP, IP_LOCAL_PORT_RANGE, struct.pack("HH", port, port))
            expect(sock.connect_ex((near.addr, self.port)), errno.EADDRNOTAVAIL)
            end.tell("no_port", established=False)
        sock.close()
        taken.close()

    def once(self):
        listener, near, far = self.random.choice(self.places)
        if self.random.randrange(8) == 0:
            self.random.choice([self.refused, self.given_up, self.no_port])(near, far)
            return
        ends = list(self.pair(listener, near, far))
        self.random.shuffle(ends)
        self.talk(*ends)
        self.pause()
        self.talk(*reversed(ends))
        self.random.choice([self.close, self.close, self.half_close, self.reset, self.close_unread,
                            self.reset_after_fin, self.data_after_close])(*ends)


def kernel_counts(side):
    lines = side.run("nstat", "-asz", *COUNTERS).splitlines()
    return {words[0]: int(words[1]) for words in map(str.split, lines) if words[0] in COUNTERS}


def sockets(side, port, *states):
    ports = [f"{end} {bound}" for end in ("sport", "dport") for bound in (f">= :{port}", f"<= :{port + WORKERS}")]
    listed = side.run("ss", "-Htan", *(word for state in states for word in ("state", state)),
                      "( {} and {} ) or ( {} and {} )".format(*ports))
    return len(listed.splitlines())


UNENDED = ["established", "syn-sent", "syn-recv", "fin-wait-1", "fin-wait-2", "close-wait", "last-ack", "closing"]


def play(server, client, count, seed, port):
    port, began = int(port), time.monotonic()
    sides = [Side(server, PLACES[0][0]), Side(client, PLACES[0][1])]
    before = [kernel_counts(side) for side in sides]
    children = []
    for number in range(WORKERS):
        pid = os.fork()
        if not pid:
            worker = Worker(server, client, number, seed, port)
            for _ in range(int(count) // WORKERS):
                worker.once()
            os._exit(0)
        children.append(pid)
    for pid in children:
        expect(os.waitpid(pid, 0)[1], 0)
    for side, old in zip(sides, before):
        until(lambda: not sockets(side, port, *UNENDED))
        counts = kernel_counts(side)
        kernel = {name: counts[name] - old[name] for name in COUNTERS}
        time_wait = sockets(side, port, "time-wait")
        if time.monotonic() - began < TIME_WAIT_LEAST:
            kernel["time-wait"] = time_wait
        log({"netns": os.fstat(side.netns.fileno()).st_ino, "kernel": kernel})


def told_counts(lines):
    """The kernel's counters, as the tracker's lines have them."""
    count = collections.Counter()
    for line in lines:
        count["TcpActiveOpens"] += line["role"] == "client" and line["reason"] != "no_port"
        count["TcpPassiveOpens"] += line["role"] == "server"
        count["TcpAttemptFails"] += line["reason"] == "refused"
        count["TcpEstabResets"] += line["state"] in ("ESTABLISHED", "CLOSE_WAIT")
        count["TcpRetransSegs"] += line["retransmits"]
        count["time-wait"] += line["reason"] == "time_wait"
    return count


def read(path):
    with open(path, encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def agree(name, told, counted):
    """A peer that uses its port again ends a TIME_WAIT early: one in 28,000 for each connection."""
    return 0 <= told - counted <= (1 + told // 50 if name == "time-wait" else 0)


def judge(log_path, conns_path):
    entries, conns = read(log_path), read(conns_path)
    lost = sum(line.get("lost", 0) for line in conns)
    by_cookie, by_netns = collections.defaultdict(list), collections.defaultdict(list)
    for line in conns:
        if "lost" not in line:
            by_cookie[line["cookie"]].append(line)
            by_netns[line["netns"]].append(line)
    wrong = []
    for entry in (entry for entry in entries if "cookie" in entry):
        told = [{name: line[name] for name in entry} for line in by_cookie[entry["cookie"]]]
        if told != [entry]:
            wrong.append(f"{json.dumps(entry)} expected, is {json.dumps(told)}")
    for entry in (entry for entry in entries if "kernel" in entry):
        told = told_counts(by_netns[entry["netns"]])
        if not lost and not all(agree(name, told[name], count) for name, count in entry["kernel"].items()):
            wrong.append(f"the kernel counts {entry['kernel']}, the lines are {dict(told)}")
    # On some machines the kernel calls no program at all for a transition: each must be reported as lost.
    if len(wrong) > lost:
        print(f"{lost} lost", *wrong[:20], sep="\n")
    return len(wrong) > lost


if sys.argv[1] == "play":
    play(*sys.argv[2:])
else:
    sys.exit(judge(*sys.argv[2:]))
