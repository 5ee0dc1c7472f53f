#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The time from the start of the process to the first packet that is judged.
#
# test: alone timed asan-slow no-kernels
set -u
ROOT=$(readlink -f "$(dirname "$0")/../..")
# shellcheck source=tests/lib/network.sh
. "$ROOT/tests/lib/network.sh"
# shellcheck source=tests/lib/counters.sh
. "$ROOT/tests/lib/counters.sh"

# The least of three.
test_start() {
	local begun ms least=999999
	for _ in 1 2 3; do
		begun=$(date +%s%N)
		start_in_server "$SYNWARDEN" run s0 >"$TMP/run.out" 2>"$TMP/run.err"
		SW=$!
		wait_for has_program s0
		ms=$((($(date +%s%N) - begun) / 1000000))
		[ $ms -gt $least ] || least=$ms
		wait_for filtering 127.0.0.1:9798
		stop_synwarden
	done
	check_time "milliseconds until it filters" 0 1000 $least
}

net_up
silence 0
test_start
finish
