#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What a `run` that has nothing to do costs: calls of bpf(), counted one by one from one second's work to the next, which no
# load of the machine changes; and that it still tells all that changes. Its CPU time: tests/e2e/idle_cpu.sh.
#
# test: slow no-asan no-kernels
set -u
ROOT=$(readlink -f "$(dirname "$0")/../..")
# shellcheck source=tests/lib/network.sh
. "$ROOT/tests/lib/network.sh"
# shellcheck source=tests/lib/counters.sh
. "$ROOT/tests/lib/counters.sh"
# shellcheck source=tests/lib/listeners.sh
. "$ROOT/tests/lib/listeners.sh"

SECONDS_SEEN=8

# Each second begins with BPF_PROG_TEST_RUN, of the program that sweeps closed connections.
begun() {
	grep -c BPF_PROG_TEST_RUN "$TMP/trace"
}

has_begun() {
	[ "$(begun)" -ge "$1" ]
}

trace() {
	: >"$TMP/trace"
	start strace -f -qq -e trace=bpf -o "$TMP/trace" -p "$SW"
	TRACER=$!
	wait_for has_begun 1
}

# await_seconds N: until so many have begun and ended
await_seconds() {
	wait_for has_begun $(($(begun) + $1 + 1))
}

# calls_a_second: of the seconds that were seen whole, the median; every tenth also removes entries whose time is over
calls_a_second() {
	trace
	await_seconds $SECONDS_SEEN
	stop "$TRACER" INT
	awk '/BPF_PROG_TEST_RUN/ { if (seen++) print calls; calls = 0 } / bpf\(/ { calls++ }' "$TMP/trace" | sort -n |
		sed -n "$((SECONDS_SEEN / 2))p"
}

kinds() {
	grep -o 'BPF_[A-Z_]*' "$TMP/trace" | sort | uniq -c | sort -rn | head -n5
}

# check_cost WHAT CALLS
check_cost() {
	check_between "$1: calls of bpf() a second" 10 "$2" "$(calls_a_second)"
	kinds | sed 's/^/# /'
}

# check_told WHAT EXPECTED JQ: `status` has it after a second's work. A census that takes long may skip one. A scrape would
# leave a connection of its own.
check_told() {
	await_seconds 2
	check_equal "$1" "$2" "$(sw status --json | jq "$3")"
}

# now STATE
now() {
	echo ".states[] | select(.state == \"$1\").now"
}

# none_in STATE
none_in() {
	[ -z "$(in_server ss -Htan state "$1")" ]
}

# What begins and ends after seconds in which nothing did.
test_told() {
	local peer
	trace
	start python3 "$ROOT/tests/tools/peer.py" "/run/netns/$SERVER" "/run/netns/$CLIENT" left 10.99.0.1 10.99.0.2 7001 \
		>"$TMP/peer"
	peer=$!
	wait_for grep -q ready "$TMP/peer"
	check_told "a connection is opened" 1 "$(now ESTABLISHED)"
	kill -USR1 $peer
	wait_for none_in established
	check_told "one side has closed it" 0 "$(now ESTABLISHED)"
	wait_for none_in fin-wait-2
	check_told "a timer has ended it" 0 "$(now FIN_WAIT2)"
	kill -USR1 $peer
	wait $peer
	flood -q -p 80 -c 1 -s 100000
	check_told "a SYN has come" 1 '.ports[] | select(.port == 80).half_open'
	in_server sysctl -qw net.ipv4.tcp_synack_retries=0
	wait_for none_in syn-recv
	check_told "a timer has ended that, too" 0 '.ports[] | select(.port == 80).half_open'
	stop "$TRACER" INT
}

net_up
silence 0
start_nginx
start_synwarden --quiet
check_cost "idle" 45
check_between "censuses in $SECONDS_SEEN seconds in which nothing moves" 0 4 "$(grep -c BPF_ITER_CREATE "$TMP/trace")"
test_told
start_listeners
wait_for ports_are 800 || die "not all that can have counters have them" # the rest count as "other"
check_cost "1,000 listening ports" 95
finish
