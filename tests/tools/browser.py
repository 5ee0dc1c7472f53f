#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""browser.py FROM TO: headless Chromium, driven over the pipe of its DevTools protocol by lines that come out of the
file FROM; one line into TO for each.

open URL           "ok" once it is loaded
eval EXPRESSION    its value as JSON, a string as it is
wait SECONDS EXPR  "yes" once the expression is true, "no" where it does not become so
size WIDTH HEIGHT  of the window, in CSS pixels
scheme light|dark  the colour scheme that the user prefers
vision NAME        none, deuteranopia, achromatopsia: how the user sees colours
trust              whatever certificate
key NAME           Tab, Enter, Escape
type TEXT          into what has the focus
load FILE          runs a script of that file on the page
shot FILE          a PNG of the window; "shot FILE page": of the whole page
complaints         errors on the console, exceptions and refused requests, joined by " | "
outside ORIGIN     requests that went elsewhere, likewise
"""
import base64
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time

FLAGS = ("--headless --no-sandbox --disable-gpu --disable-dev-shm-usage --disable-extensions --no-first-run "
	 "--disable-background-networking --disable-component-update --disable-sync --hide-scrollbars "
	 "--remote-debugging-pipe --force-color-profile=srgb").split()
PATIENCE = 20
KEYS = {"Tab": 9, "Enter": 13, "Escape": 27}


class Browser:
	def __init__(self, profile):
		to_read, self.to = os.pipe()
		self.source, from_write = os.pipe()
		self.received, self.number, self.session = b"", 0, None
		self.messages, self.requests = [], []
		self.process = subprocess.Popen(
			["chromium", *FLAGS, f"--user-data-dir={profile}", "about:blank"], pass_fds=(3, 4),
			stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
			preexec_fn=lambda: self.place(to_read, from_write))
		os.close(to_read)
		os.close(from_write)
		target = next(one for one in self.call("Target.getTargets")["targetInfos"] if one["type"] == "page")
		self.session = self.call("Target.attachToTarget", targetId=target["targetId"], flatten=True)["sessionId"]
		for domain in "Page", "Runtime", "Log", "Network":
			self.call(f"{domain}.enable")

	@staticmethod
	def place(to_read, from_write):
		"""Chromium reads commands from 3 and writes to 4."""
		high = os.dup(to_read), os.dup(from_write)
		os.dup2(high[0], 3)
		os.dup2(high[1], 4)

	def receive(self, deadline):
		while b"\0" not in self.received:
			if not select.select([self.source], [], [], max(0, deadline - time.monotonic()))[0]:
				raise TimeoutError("Chromium says nothing")
			got = os.read(self.source, 1 << 20)
			if not got:
				raise EOFError("Chromium ended")
			self.received += got
		message, self.received = self.received.split(b"\0", 1)
		return json.loads(message)

	def call(self, method, **params):
		self.number += 1
		message = {"id": self.number, "method": method, "params": params}
		if self.session:
			message["sessionId"] = self.session
		os.write(self.to, json.dumps(message).encode() + b"\0")
		deadline = time.monotonic() + PATIENCE
		while True:
			answer = self.receive(deadline)
			if answer.get("id") == self.number:
				if "error" in answer:
					raise RuntimeError(answer["error"]["message"])
				return answer["result"]
			self.note(answer.get("method"), answer.get("params", {}))

	def note(self, method, params):
		if method == "Runtime.exceptionThrown":
			details = params["exceptionDetails"]
			self.messages.append(details.get("exception", {}).get("description") or details["text"])
		elif method == "Runtime.consoleAPICalled" and params["type"] in ("error", "warning", "assert"):
			self.messages.append(" ".join(str(one.get("value")) for one in params["args"]))
		elif method == "Log.entryAdded" and params["entry"]["level"] in ("error", "warning"):
			self.messages.append(f'{params["entry"]["text"]} {params["entry"].get("url", "")}')
		elif method == "Network.requestWillBeSent":
			self.requests.append(params["request"]["url"])

	def evaluate(self, expression):
		result = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
		if "exceptionDetails" in result:
			return f'exception: {result["exceptionDetails"].get("exception", {}).get("description")}'
		value = result["result"].get("value")
		return value if isinstance(value, str) else json.dumps(value)

	def wait(self, seconds, expression):
		deadline = time.monotonic() + float(seconds)
		while self.evaluate(f"!!({expression})") != "true":
			if time.monotonic() > deadline:
				return "no"
			time.sleep(0.1)
		return "yes"

	def open(self, url):
		self.call("Page.navigate", url=url)
		return "ok" if self.wait(PATIENCE, "document.readyState === 'complete'") == "yes" else "not loaded"

	def size(self, width, height):
		self.call("Emulation.setDeviceMetricsOverride", width=int(width), height=int(height), deviceScaleFactor=1,
			  mobile=False)
		return "ok"

	def scheme(self, name):
		self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": name}])
		return "ok"

	def vision(self, name):
		self.call("Emulation.setEmulatedVisionDeficiency", type=name)
		return "ok"

	def trust(self):
		self.call("Security.setIgnoreCertificateErrors", ignore=True)
		return "ok"

	def key(self, name):
		text = {"text": "\r"} if name == "Enter" else {}
		for kind in "keyDown", "keyUp":
			self.call("Input.dispatchKeyEvent", type=kind, key=name, code=name, windowsVirtualKeyCode=KEYS[name],
				  **text)
		return "ok"

	def type(self, text):
		self.call("Input.insertText", text=text)
		return "ok"

	def load(self, path):
		with open(path, encoding="utf-8") as file:
			self.evaluate(file.read() + "\n;0")
		return "ok"

	def shot(self, path, whole=""):
		data = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole == "page")
		with open(path, "wb") as file:
			file.write(base64.b64decode(data["data"]))
		return "ok"

	def complaints(self):
		self.evaluate("0")
		return " | ".join(self.messages).replace("\n", " ")

	def outside(self, origin):
		self.evaluate("0")
		return " | ".join(url for url in self.requests if not url.startswith(f"{origin}/"))

	def end(self):
		try:
			self.session = None
			self.call("Browser.close")
		except (OSError, EOFError, TimeoutError):
			self.process.kill()
		self.process.wait()


def serve(browser, lines, answers):
	arguments = {"eval": 1, "wait": 2, "open": 1, "size": 2, "scheme": 1, "vision": 1, "key": 1, "type": 1, "load": 1, "shot": 2, "outside": 1}
	names = {"eval": "evaluate"}
	for line in lines:
		verb, *rest = line.rstrip("\n").split(" ", 1)
		given = rest[0].split(" ", arguments.get(verb, 0) - 1) if rest else []
		print(getattr(browser, names.get(verb, verb))(*given), file=answers, flush=True)


def main():
	signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(0))
	with (tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile, open(sys.argv[1]) as lines,
	      open(sys.argv[2], "w") as answers):
		browser = Browser(profile)
		print("ready", file=answers, flush=True)
		try:
			serve(browser, lines, answers)
		finally:
			browser.end()


main()
