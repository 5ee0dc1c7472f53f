#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# How long it takes from the start of the process to the first packet that is judged. It is bounded, and so asked of a
# machine that does nothing else.
set -u
HERE=$(dirname "$(readlink -f "$0")")
# shellcheck source=tests/lib.sh
. "$HERE/lib.sh"
# shellcheck source=tests/counters.sh
. "$HERE/counters.sh"

# The least of three.
test_start() {
	local begun ms least=999999
	for _ in 1 2 3; do
		begun=$(date +%s%N)
		start_in_server "$SYNWARDEN" run s0 >"$TMP/run.out" 2>"$TMP/run.err"
		SW=$!
		wait_for 5 has_program s0
		ms=$((($(date +%s%N) - begun) / 1000000))
		[ $ms -gt $least ] || least=$ms
		wait_for 5 filtering 127.0.0.1:9798
		stop_synwarden
	done
	check_time "milliseconds until it filters" 0 1000 $least
}

net_up
silence 0
test_start
finish
