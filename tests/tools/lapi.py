#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""A LAPI of CrowdSec that does what a test says: /v1/decisions/stream in the form of 1.4 or 1.7, or mangled.

usage: lapi.py ADDRESS PORT KEY FOLDER

It reads FOLDER/mode for each request: "1.4", "1.7", or how the answer is broken:
	cut		the length of the whole, but only half of it
	short		200, and valid JSON with the first tenth of the list
	status-N	status N
	garbage		200, and no JSON
	empty		200, and nothing
	huge		200, and a value without an end
	drip		200, a byte at a time, for ever
	other		200, and JSON of another form

Decisions are lines "ID VALUE SECONDS [ORIGIN [SCENARIO [TYPE]]]" of FOLDER/decisions; SECONDS count from the time at which
the line was first seen. As the real one, it keeps in mind what a key has read: a delta has what is new since then, and
`deleted` what has gone. FOLDER/requests gets a line a request: "full" or "delta", and the mode.
"""
import json
import os
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

address, port, key, folder = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
seen = {}  # line -> when it was first seen
told = {}  # id -> decision that the client has read; FOLDER/lost has ids that are in no delta


def read(name):
    try:
        with open(os.path.join(folder, name)) as file:
            return file.read()
    except FileNotFoundError:
        return ""


def duration(seconds, mode):
    sign = "-" if seconds < 0 else ""
    seconds = abs(seconds)
    whole = int(seconds)
    text = "%dh%dm" % (whole // 3600, whole // 60 % 60) if whole >= 3600 else "%dm" % (whole // 60) if whole >= 60 else ""
    rest = "%d" % (whole % 60) if mode == "1.7" else "%.9g" % (whole % 60 + seconds - whole)
    return sign + text + rest + "s"


def decisions(mode):
    now = time.monotonic()
    live = {}
    for line in read("decisions").split("\n"):
        words = line.split()
        if len(words) < 3:
            continue
        left = float(words[2]) - (now - seen.setdefault(line, now))
        if left <= 0:
            continue
        origin, scenario, kind = (words[3:] + ["cscli", "manual", "ban"][len(words) - 3:])[:3]
        scope = "Range" if "/" in words[1] else "Ip"
        if kind in ("Country", "AS"):
            scope, kind = kind, "ban"
        live[int(words[0])] = {"duration": duration(left, mode), "id": int(words[0]), "origin": origin,
                               "scenario": scenario, "scope": scope, "type": kind, "value": words[1]}
        if mode == "1.7":
            live[int(words[0])]["uuid"] = "00000000-0000-4000-8000-%012d" % int(words[0])
    return live


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def begin(self, status, length):
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        if length is None:
            self.send_header("Transfer-Encoding", "chunked")
        else:
            self.send_header("Content-Length", str(length))
        self.end_headers()

    def whole(self, body, status=200):
        self.begin(status, len(body))
        self.wfile.write(body)

    def chunked(self, body):
        self.begin(200, None)
        for at in range(0, len(body), 1000):
            part = body[at:at + 1000]
            self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
        self.wfile.write(b"0\r\n\r\n")

    def endless(self, first, part, pause):
        self.begin(200, None)
        self.close_connection = True
        self.wfile.write(b"%x\r\n%s\r\n" % (len(first), first))
        while True:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
            self.wfile.flush()
            time.sleep(pause)

    def do_HEAD(self):
        self.do_GET()

    def do_GET(self):
        global told
        mode = read("mode").strip() or "1.4"
        if self.headers.get("X-Api-Key") != key:
            self.whole(b'{"message":"access forbidden"}', 403)
            return
        full = "startup=true" in self.path
        with open(os.path.join(folder, "requests"), "a") as requests:
            requests.write("%s %s %s\n" % ("full" if full else "delta", mode, self.headers.get("User-Agent")))
        live = decisions(mode)
        lost = [int(word) for word in read("lost").split()]
        new = list(live.values()) if full else [live[i] for i in live if i not in told and i not in lost]
        gone = [dict(told[i], duration="-1.5s") for i in told if i not in live]
        told = live
        if mode == "short":
            new, gone = new[:len(new) // 10], []
        self.answer(mode, new, gone)

    def answer(self, mode, new, gone):
        if mode == "1.7":
            self.chunked(json.dumps({"new": new, "deleted": gone}).encode())
            return
        body = json.dumps({"deleted": gone or None, "new": new or None}, separators=(",", ":")).encode()
        if mode == "cut":
            self.begin(200, len(body))
            self.wfile.write(body[:len(body) // 2])
            self.close_connection = True
        elif mode.startswith("status-"):
            self.whole(b'{"message":"broken"}', int(mode.split("-")[1]))
        elif mode == "garbage":
            self.whole(b"<html><body>It works</body></html>")
        elif mode == "empty":
            self.whole(b"")
        elif mode == "huge":
            self.endless(b'{"new":[{"value":"', b"9" * 65536, 0)
        elif mode == "drip":
            self.endless(b"{", b" ", 1)
        elif mode == "other":
            self.whole(b'{"new":{"id":1},"deleted":[]}')
        else:
            self.whole(body)


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        pass


Server((address, port), Handler).serve_forever()
