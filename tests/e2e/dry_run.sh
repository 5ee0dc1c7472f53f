#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A dry run changes nothing, counts what it would have done, and proposes limits by the load that it saw.
#
# test: alone asan-slow no-kernels
set -u
ROOT=$(readlink -f "$(dirname "$0")/../..")
# shellcheck source=tests/lib/network.sh
. "$ROOT/tests/lib/network.sh"
# shellcheck source=tests/lib/counters.sh
. "$ROOT/tests/lib/counters.sh"
# shellcheck source=tests/lib/sysctls.sh
. "$ROOT/tests/lib/sysctls.sh"

# start_load: 250 SYN/s of one source, 50 of another, for seven seconds
start_load() {
	start_in_client "$FLOOD" -e -r 250 -c 100000 -t 7 c0 "$(mac in_server s0)" "$SERVER_ADDR" >"$TMP/load.250"
	LOAD=($!)
	start_in_client "$FLOOD" -e -r 50 -c 100000 -t 7 -S 198.19.0.1 c0 "$(mac in_server s0)" "$SERVER_ADDR" >"$TMP/load.50"
	LOAD+=($!)
}

# A flood -e does not make up for what it was late with.
load_was_steady() {
	[ "$(jq .sent "$TMP/load.250")" -ge 1720 ] && [ "$(jq .sent "$TMP/load.50")" -ge 344 ]
}

# A known load: 50 SYN/s of one source, 250 of another; what is proposed is twice the most that was seen.
test_dry_run() {
	local try
	for try in {1..5}; do
		start_synwarden --dry-run --protect 80 --port-budget 100 --harden
		start_load
		wait_for armed || break
		wait "${LOAD[@]}"
		if load_was_steady || [ "$try" = 5 ]; then break; fi
		echo "# the machine had no time for the load: once more"
		stop_synwarden
	done
	check "dry run: the port is armed" armed
	check_equal "dry run: the sysctls are as before" "$BEFORE" "$(sysctls)"
	check "dry run: challenges are counted ($(packets challenged))" test "$(packets challenged)" -gt 500
	stop_synwarden
	proposals <"$TMP/run.out"
}

# Two sources, of which half the rates are 50 and half 250: a percentile is one of the two, but for a window that the
# load began or ended in.
proposals() {
	local p50 p999 max
	awk '/^from one source/ { print "source", $4, $5, $6, $7 } /^to one port/ { print "port", $4, $5, $6, $7 }
		/^proposed/ { print "proposed", $8, $10 }' >"$TMP/proposals"
	read -r _ p50 _ p999 max < <(grep source "$TMP/proposals")
	check_between "dry run: median of the SYN/s of a source" 45 55 "$p50"
	check_between "dry run: most SYN/s of a source" 240 260 "$max"
	check_equal "dry run: p99.9 of few is the most" "$max" "$p999"
	read -r _ p50 _ p999 max < <(grep port "$TMP/proposals")
	check_between "dry run: median of the SYN/s of the port" 285 315 "$p50"
	check_between "dry run: most SYN/s of the port" 295 330 "$max"
	check_equal "dry run: what is proposed" "proposed $((max * 2)) $(awk '/^source/ { print $5 * 2 }' "$TMP/proposals")" \
		"$(grep proposed "$TMP/proposals")"
}

net_up
set_before
start_nginx
test_dry_run
finish
