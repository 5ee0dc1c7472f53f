#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""A terminal's screen as tmux captures it (capture-pane -e) on stdin, as an HTML page on stdout."""
import html
import re
import sys

COLOURS = "#20262e #ff7b72 #57c78d #e3b341 #79b8ff #d2a8ff #56d4dd #e6edf3".split()
PAGE = """<!doctype html><meta charset="utf-8"><title>terminal</title>
<style>html {{ background: #10151c; }} pre {{ margin: 14px 18px; display: inline-block; color: #d5dde6;
font: 14px/1.35 "DejaVu Sans Mono", monospace; }}</style><pre>{}</pre>
"""


def style(codes, before):
	"""The style after the codes of one SGR sequence."""
	now = dict(before)
	for code in (int(one or 0) for one in codes.split(";")):
		if code == 0:
			now = {}
		elif code in (1, 2, 7):
			now[{1: "bold", 2: "dim", 7: "reverse"}[code]] = True
		elif code in (22, 27):
			for name in {22: ("bold", "dim"), 27: ("reverse",)}[code]:
				now.pop(name, None)
		elif 30 <= code < 38:
			now["ink"] = COLOURS[code - 30]
		elif code == 39:
			now.pop("ink", None)
	return now


def css(now):
	ink, rules = now.get("ink", "#d5dde6"), []
	if now.get("reverse"):
		rules, ink = [f"background:{ink}"], "#10151c"
	rules += ["font-weight:bold"] if now.get("bold") else []
	rules += ["opacity:.65"] if now.get("dim") else []
	return ";".join([f"color:{ink}", *rules])


def main():
	now, out = {}, []
	for piece in re.split(r"(\x1b\[[0-9;]*m|\x0e|\x0f)", sys.stdin.read().rstrip("\n")):
		if piece.startswith("\x1b"):
			now = style(piece[2:-1], now)
		elif piece not in ("", "\x0e", "\x0f"):
			out.append(f'<span style="{css(now)}">{html.escape(piece)}</span>')
	sys.stdout.write(PAGE.format("".join(out)))


main()
