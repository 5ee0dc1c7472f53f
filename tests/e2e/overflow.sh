#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A late reader of the stream: `states --json` is stopped while more transitions happen than its ring holds, and goes on.
# What it prints and what it reports as lost add up to what happened, to the last transition, by a second tracker that was
# not stopped; and the gauges of `run` are those of ss.
#
# test: alone asan-slow no-kernels
# fault: The ring is full | the loss is reported, gauges are right within a second
set -u
ROOT=$(readlink -f "$(dirname "$0")/../..")
# shellcheck source=tests/lib/network.sh
. "$ROOT/tests/lib/network.sh"
# shellcheck source=tests/lib/gauges.sh
. "$ROOT/tests/lib/gauges.sh"

PORT=61001      # no ephemeral one, and of no other test: the trackers see all namespaces
HAPPEN=157001  # transitions: 10 of a connection that came and went, 4 of one that stays, 1 of the listener
ENDS=3001      # 6 of each that stayed, 1 of the listener
RING=130000    # 16 MiB of one CPU hold so many at least
TOLERANCE=1000 # one in so many may be hidden from BPF by a virtual machine's host: see e2e/rps.sh

# start_tracker NAME: its events go into $TMP/NAME; of one port, as the machine may have others
start_tracker() {
	start "$SYNWARDEN" states --json --port $PORT >"$TMP/$1" 2>"$TMP/$1.err"
	TRACKERS[$1]=$!
	wait_for grep -q following "$TMP/$1.err" || die "no tracker: $(cat "$TMP/$1.err")"
}

events() {
	grep -c '"old":' "$TMP/$1"
}

# lost NAME: events, of those for which the ring was full
lost() {
	jq -s 'map(select(.stage == "ring").lost) | add // 0' <(grep '"lost":' "$TMP/$1")
}

all_told() {
	[ $(($(events late) + $(lost late))) = "$(events prompt)" ]
}

test_overflow() {
	kill -STOP "${TRACKERS[late]}"
	taskset -cp 0 $BASHPID >/dev/null # what happens on one CPU is in one ring
	start_mixed $PORT 10.99.1.1 TIME_WAIT=8000 DONE=7500 ESTABLISHED=500
	await_mixed $PORT
	kill -CONT "${TRACKERS[late]}"
	check_gauges "the gauges of run are those of ss"
	wait_for all_told
	check_between "all happened" $((HAPPEN - HAPPEN / TOLERANCE)) $HAPPEN "$(events prompt)"
	check_equal "the prompt reader has lost nothing" 0 "$(lost prompt)"
	check_between "the late reader is given what the ring held" $RING $((HAPPEN - 1)) "$(events late)"
	check_equal "what it did not get is reported as lost" $(($(events prompt) - $(events late))) "$(lost late)"
}

# What is read after the loss is whole again.
test_afterwards() {
	local name lost
	lost=$(lost late)
	for name in late prompt; do
		SEEN[$name]=$(wc -l <"$TMP/$name")
	done
	stop $MIXED
	wait_for both_told
	check_between "afterwards, the late reader gets every end" $((ENDS - ENDS / TOLERANCE)) $ENDS "$(wc -l <<<"$TOLD")"
	check_equal "as the prompt one is" "$(since prompt)" "$TOLD"
	check_equal "and no more is lost" "$lost" "$(lost late)"
}

# since NAME: the transitions after its first lines, in one order
since() {
	tail -n +$((SEEN[$1] + 1)) "$TMP/$1" | exact | jq -r '"\(.cookie) \(.old) \(.new)"' | sort
}

# Nothing is left that could end.
all_ended() {
	[ -z "$(in_server ss -Hta state all exclude time-wait "( sport = $PORT or dport = $PORT )")" ] &&
		[ -z "$(in_client ss -Hta state all exclude time-wait "( sport = $PORT or dport = $PORT )")" ]
}

both_told() {
	TOLD=$(since late)
	all_ended && [ "$(wc -l <<<"$TOLD")" -ge $((ENDS - ENDS / TOLERANCE)) ] && [ "$TOLD" = "$(since prompt)" ]
}

declare -A TRACKERS SEEN
net_up
for side in client server; do # fewer sockets stay, and a census comes every second
	"in_$side" sysctl -qw net.ipv4.tcp_max_tw_buckets=1000
done
start_synwarden --port-budget 0 --listen $METRICS
start_tracker late
start_tracker prompt
test_overflow
test_afterwards
stop_synwarden
finish
