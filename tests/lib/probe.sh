# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A packet a millisecond from one source to the server, and what of them arrives: moments without a filter that blocks the
# source. To be sourced after network.sh.

# shellcheck disable=SC2034 # for the scripts
PROBE_SOURCE=10.99.1.77

# Numbers of packets, a line each: those sent in $TMP/sent, those that arrive in $TMP/arrived, below one line more.
start_probe() {
	start_in_server python3 -c '
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("10.99.0.1", 7007))
print("ready", flush=True)
while True:
	print(s.recv(64).decode(), flush=True)' >"$TMP/arrived"
	PROBE_IN=$!
	wait_for grep -q ready "$TMP/arrived"
	start_in_client python3 -c '
import socket, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind((sys.argv[1], 0))
n, due = 0, time.monotonic()
while True:
	n += 1
	s.sendto(str(n).encode(), ("10.99.0.1", 7007))
	print(n, flush=True)
	due = max(due + 0.001, time.monotonic() - 0.01)
	time.sleep(max(0, due - time.monotonic()))' "$PROBE_SOURCE" >"$TMP/sent"
	PROBE_OUT=$!
}

arrived_more_than() {
	[ "$(wc -l <"$TMP/arrived")" -gt "$1" ]
}

stop_probe() {
	stop "$PROBE_OUT"
	stop "$PROBE_IN"
}

# Two hundred packets in a row do not arrive: none is under way any more, and the filter is in force. For wait_for.
none_arrives() {
	local arrived sent
	arrived=$(wc -l <"$TMP/arrived")
	sent=$(wc -l <"$TMP/sent")
	wait_for sent_more_than $((sent + 200))
	[ "$(wc -l <"$TMP/arrived")" = "$arrived" ]
}

sent_more_than() {
	[ "$(wc -l <"$TMP/sent")" -gt "$1" ]
}
