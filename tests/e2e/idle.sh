#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What a `run` that has nothing to do costs: calls of bpf(), counted one by one from one second's work to the next, which no
# load of the machine changes. Its CPU time: tests/e2e/idle_cpu.sh.
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
has_seen() {
	[ "$(grep -c BPF_PROG_TEST_RUN "$TMP/trace")" -gt "$1" ]
}

# calls_a_second: of the seconds that were seen whole, the median; every tenth also removes entries whose time is over
calls_a_second() {
	local tracer
	: >"$TMP/trace"
	start strace -f -qq -e trace=bpf -o "$TMP/trace" -p "$SW"
	tracer=$!
	wait_for has_seen $SECONDS_SEEN
	stop "$tracer" INT
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

net_up
silence 0
start_synwarden --quiet
check_cost "idle" 45
start_listeners
wait_for ports_are 800 || die "not all that can have counters have them" # the rest count as "other"
check_cost "1,000 listening ports" 95
finish
