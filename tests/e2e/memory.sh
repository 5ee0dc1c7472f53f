#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Resident memory of `run`: no more after dozens of followers and of reloads than after half as many, and within its bound
# while both streams are followed in the midst of an attack. LONG=1: more of both. tests/bpf/memory.c has the trackers behind
# the streams come and go.
#
# test: slow long no-asan no-kernels
set -u
ROOT=$(readlink -f "$(dirname "$0")/../..")
# shellcheck source=tests/lib/network.sh
. "$ROOT/tests/lib/network.sh"
# shellcheck source=tests/lib/counters.sh
. "$ROOT/tests/lib/counters.sh"
# shellcheck source=tests/lib/conf.sh
. "$ROOT/tests/lib/conf.sh"

FOLLOWERS=$(long_or 80 32)
RELOADS=$(long_or 40 20)
GROWTH_KIB=96 # the caches of threads that stay fill for a while
EVENTS=4096 # in the queues of user/endpoint/feed.c
ENDED=1024
URL=http://127.0.0.1:9798

# least_kib: what is resident, but for what is needed just now for a moment
least_kib() {
	for _ in {1..10}; do
		rss_kib
		sleep 0.1
	done | sort -n | head -n 1
}

# check_flat WHAT COMMAND...: does COMMAND once, then again until it leaves no more than before, three times at most. A leak
# grows each time; what the heap keeps for more of them at once than before, as on a loaded machine, grows once.
check_flat() {
	local what=$1 before now turn
	shift
	"$@"
	now=$(least_kib)
	for turn in 1 2 3; do
		before=$now
		"$@"
		now=$(least_kib)
		[ $((now - before)) -gt $GROWTH_KIB ] || break
	done
	check_resident "$what: growth in turn $turn, KiB" -1024 $GROWTH_KIB $((now - before))
}

# Each of them, one after the other, until its stream begins; then until no stream is followed. Their connections have
# transitions of their own, with which it is noticed that those before them are gone.
half_of_followers() {
	in_server python3 -c '
import socket, time
def follow(stream):
	with socket.create_connection(("127.0.0.1", 9798), 20) as follower:
		follower.sendall(b"GET /%s HTTP/1.1\r\nHost: localhost\r\n\r\n" % stream)
		said = b""
		while b": follows" not in said and b" 503 " not in said:
			more = follower.recv(4096)
			assert more, said
			said += more
		return b" 503 " not in said
for i in range('$((FOLLOWERS / 2))'):
	while not follow((b"events", b"ended")[i % 2]):
		time.sleep(0.02)' || die "the streams are not served"
	wait_for holds_objects "$OBJECTS"
}

half_of_reloads() {
	for ((turn = 0; turn < RELOADS / 2; turn++)); do
		write_conf "$turn"
		reload
	done
}

# write_conf TURN: another budget each time
write_conf() {
	conf <<-END
		interface = s0
		port-budget = $((200 + $1))
		[port 8080]
		budget = $((1 + $1))
		[allow]
		cidr = 10.99.0.2
	END
}

# follow STREAM: until the end of the test
follow() {
	start_in_server curl -sN "$URL/$1" >"$TMP/$1"
	FOLLOWING+=($!)
	wait_for grep -q '^: follows$' "$TMP/$1" || die "nothing comes from /$1: $(cat "$TMP/run.err")"
}

# The queues of both streams are full, and a port's sources are counted.
test_both_followed() {
	local pid
	follow events
	follow ended
	in_client wrk -t1 -c10 -d2 -H 'Connection: close' "http://$SERVER_ADDR/" >"$TMP/wrk"
	check_between "/events: what happened, more than its queue holds" $EVENTS 100000000 "$(told events)"
	check_between "/ended: what ended, more than its queue holds" $ENDED 100000000 "$(told ended)"
	start_in_client "$FLOOD" -q -s 0 -r 20000 -c 200000 -t 10 c0 "$(mac in_server s0)" "$SERVER_ADDR"
	FOLLOWING+=($!)
	check "sources are counted" wait_for sources_are_counted
	check_resident "with both streams followed and under attack, KiB" 1 $RSS_MAX_KIB "$(least_kib)"
	for pid in "${FOLLOWING[@]}"; do
		stop "$pid"
	done
}

# told STREAM: records, without those that it says are lost
told() {
	grep -c '^data: {"ts"' "$TMP/$1"
}

sources_are_counted() {
	[ "$(of_port 80 distinct_sources)" -gt 1000 ]
}

FOLLOWING=()
OBJECTS= # that it holds while nobody follows
net_up
start_nginx
write_conf 0
start_conf --quiet
check_flat "$RELOADS reloads" half_of_reloads
OBJECTS=$(least_objects)
AT_REST=$(least_kib)
check_flat "$FOLLOWERS followers came and went" half_of_followers
test_both_followed
check "the trackers are gone" wait_for holds_objects "$OBJECTS"
check_resident "at rest again: more than before, KiB" -1024 512 $(($(least_kib) - AT_REST))
stop_synwarden
check_equal "it ends well" 0 $?
finish
