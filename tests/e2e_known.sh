#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Under a flood, SYNs of connections that the kernel knows come to the kernel, also where connections are not looked for
# but for sources with a mark (bpf/known.bpf.h): each of those who set one does. What the marks are worth: tests/known.c.
set -u
HERE=$(dirname "$(readlink -f "$0")")
# shellcheck source=tests/lib.sh
. "$HERE/lib.sh"
# shellcheck source=tests/counters.sh
. "$HERE/counters.sh"

# request ADDRESS PORT: the answer's code, or 000. The server closes first, so that TIME_WAIT is its own. Ports below 32768
# are the flood's.
request() {
	in_client curl -s -o /dev/null -w '%{http_code}' --max-time 10 -H "Connection: close" \
		--interface "$1" --local-port "$2" "http://$SERVER_ADDR/"
}

# known FIELD: of the pinned epochs
known() {
	bpftool -j map lookup pinned "$(pin_dir)/known" key 0 0 0 0 | jq ".formatted.value.$1"
}

# Whether the filter relies on marks now.
relies() {
	[ "$(bpftool -j map lookup pinned "$(pin_dir)/cookie_policy" key 0 0 0 0 | jq .formatted.value.always)" = 1 ] &&
		[ "$(known until_ns)" -gt "$(awk '{ printf "%.0f", $1 * 1e9 }' /proc/uptime)" ]
}

# How many marks are of this epoch.
marks() {
	bpftool -j map lookup pinned "$(pin_dir)/known_marks" key 0 0 0 0 |
		jq --argjson mark "$(($(known epoch) + 1))" '[.formatted.value.marks[] | select(. == $mark)] | length'
}

in_state() {
	[ -n "$(in_server ss -Hatn state "$1" "sport = 80 and dport = $2")" ]
}

start_flood() {
	start_in_client "$FLOOD" -x -q -s 0 -r 20000 -c 1000000000 -t 60 c0 "$(mac in_server s0)" "$SERVER_ADDR"
	FLOODER=$!
}

# check_known NAME ADDRESS PORT: the connection's second SYN comes to the kernel, which takes it
check_known() {
	local before
	scrape
	before=$(packets known)
	check "$1: it is in TIME_WAIT" in_state time-wait "$3"
	check_equal "$1: it is served again" 200 "$(request "$2" "$3")"
	scrape
	check_equal "$1: its SYN was known" $((before + 1)) "$(packets known)"
}

# A connection that the census cannot see, as `run` is stopped.
test_tracker() {
	local before
	kill -STOP "$SW"
	before=$(marks)
	check_equal "a connection while run is stopped" 200 "$(request 10.99.1.3 40003)"
	check_equal "the tracker marks its source" $((before + 1)) "$(marks)"
	sleep 3
	check "marks are not relied on where nobody tends them" fails relies
	kill -CONT "$SW"
	check "they are again" wait_for 5 relies
}

# The first SYN has come through, its answer has not; the next ones come while the port is armed.
test_half_open() {
	local client before
	in_client nft -f - <<-END
		table inet late {
			chain input {
				type filter hook input priority 0
				tcp dport 40004 tcp flags & (syn | ack) == (syn | ack) drop
			}
		}
	END
	request 10.99.1.4 40004 >"$TMP/late" &
	client=$!
	wait_for 5 in_state syn-recv 40004
	scrape
	before=$(packets known)
	start_flood
	wait_for 5 relies
	in_client nft delete table inet late
	wait $client
	check_equal "half-open since before the flood: it is served" 200 "$(cat "$TMP/late")"
	scrape
	check "half-open since before the flood: its SYNs were known" test "$(packets known)" -gt "$before"
}

net_up
silence 0
start_nginx
check_equal "before run" 200 "$(request 10.99.1.1 40001)"
start_synwarden --protect 80 --port-budget 10 --quiet
check "without a flood, marks are not relied on" fails relies
check_equal "before the flood" 200 "$(request 10.99.1.2 40002)"
test_half_open
check_known "a connection from before run" 10.99.1.1 40001
check_known "a connection from before the flood" 10.99.1.2 40002
test_tracker
stop "$FLOODER"
stop_synwarden
finish
