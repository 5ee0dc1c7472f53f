#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A CPU goes and comes while a filter and a tracker run: what it had counted stays counted, the limit holds, no
# transition is lost; and one that was away as they started is served like the others once it comes. It is one of the
# whole machine's, and therefore this runs in those that tests/kernels/run.sh starts, and nowhere else.
#
# test: machine kernels-quick
# fault: A CPU goes and comes | what it counted stays counted, limits hold, no transition is lost
set -u
ROOT=$(readlink -f "$(dirname "$0")/../..")
# shellcheck source=tests/lib/network.sh
. "$ROOT/tests/lib/network.sh"
# shellcheck source=tests/lib/counters.sh
. "$ROOT/tests/lib/counters.sh"
[ "${OWN_MACHINE:-}" = 1 ] || die "takes a CPU away; tests/kernels/run.sh runs it in a machine of its own"

CPU=/sys/devices/system/cpu/cpu1/online
LIMIT=100
CLIENTS=3
TOLD=0 # connections, so far

# follow: a tracker in the server
follow() {
	start_in_server "$SYNWARDEN" conns --json --port 80 --netns "$(stat -L -c %i "/run/netns/$SERVER")" >"$TMP/conns" \
		2>"$TMP/conns.err"
	TRACKER=$!
	wait_for grep -q following "$TMP/conns.err" || die "no tracker: $(cat "$TMP/conns.err")"
	TOLD=0
}

# check_clients WHEN: they are served from CPU 0, and from CPU 1 where it is there, and the tracker reports them all.
check_clients() {
	local cpu served=0 i
	for ((i = 0; i < CLIENTS; i++)); do
		cpu=$((i % 2 * $(cat $CPU)))
		[ "$(in_client taskset -c $cpu curl -s -o /dev/null -w '%{http_code}' --max-time 30 --interface 10.99.1.7 \
			http://10.99.0.1/)" != 200 ] || served=$((served + 1))
	done
	TOLD=$((TOLD + CLIENTS))
	check_equal "$1: clients are served" $CLIENTS $served
	wait_for all_told
	check_equal "$1: all their connections are reported, none lost" "$TOLD 0" "$(told) $(grep -c '"lost"' "$TMP/conns")"
}

told() {
	grep -c '"role":"server".*"reason":"fin"' "$TMP/conns"
}

all_told() {
	[ "$(told)" = "$TOLD" ]
}

test_goes_and_comes() {
	local before passed flooder
	start_synwarden --source-limit $LIMIT --port-budget 0
	follow
	mark_rx s0
	before=$(uptime_ds)
	start_in_client "$FLOOD" -q -r 1000 -c 1000000 -t 60 -s 1 c0 "$(mac in_server s0)" "$SERVER_ADDR"
	flooder=$!
	check_clients "before a CPU goes"
	echo 0 >$CPU
	check_clients "a CPU is gone"
	echo 1 >$CPU
	check_clients "the CPU is back"
	stop $flooder
	check_sums "a CPU goes and comes: the sum over all reasons is what the interface saw" s0
	passed=$(($(packets syn) - 3 * CLIENTS))
	# At first as many at once as come in a second.
	check_between "a CPU goes and comes: the source is held to its limit" 1 \
		$((LIMIT + LIMIT * ($(uptime_ds) - before) / 10)) $passed
	check "a CPU goes and comes: and was over it ($(packets source_limit))" test "$(packets source_limit)" -gt 0
	stop $TRACKER INT
	stop_synwarden
	check_equal "a CPU goes and comes: it ends well" 0 $?
}

# Tenths of seconds.
uptime_ds() {
	awk '{ printf "%.0f", $1 * 10 }' /proc/uptime
}

test_comes_later() {
	echo 0 >$CPU
	start_synwarden --source-limit $LIMIT --port-budget 0
	follow
	mark_rx s0
	check_clients "started while a CPU was away"
	echo 1 >$CPU
	check_clients "started while a CPU was away, which comes"
	check_sums "started while a CPU was away: the sum over all reasons is what the interface saw" s0
	stop $TRACKER INT
	stop_synwarden
	check_equal "started while a CPU was away: it ends well" 0 $?
}

net_up
silence 0
start_nginx
test_goes_and_comes
test_comes_later
finish
