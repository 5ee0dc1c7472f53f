#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Under a flood, SYNs of connections that the kernel knows come to the kernel, also where connections are not looked for
# but for sources with a mark (bpf/known.bpf.h): over IPv4, IPv6 and both. What the marks are worth, and that SYNs set
# them: tests/bpf/known.c.
#
# test: asan-slow
set -u
ROOT=$(readlink -f "$(dirname "$0")/../..")
# shellcheck source=tests/lib/network.sh
. "$ROOT/tests/lib/network.sh"
# shellcheck source=tests/lib/counters.sh
. "$ROOT/tests/lib/counters.sh"

# request ADDRESS PORT: the answer's code, or 000. The client waits until the server has closed, so that TIME_WAIT is the
# server's. Ports below 32768 are the flood's.
request() {
	local to=$SERVER_ADDR
	case $1 in *:*) to=$SERVER_ADDR6 ;; esac
	in_client python3 -c '
import socket, sys
with socket.create_connection((sys.argv[1], 80), 20, (sys.argv[2], int(sys.argv[3]))) as client:
	client.sendall(b"GET / HTTP/1.0\r\n\r\n")
	print(b"".join(iter(lambda: client.recv(65536), b"")).split()[1].decode())' "$to" "$@" 2>/dev/null || echo 000
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

# check_known NAME ADDRESS PORT: the connection's next SYN comes to the kernel, which takes it. Where the flood makes a
# pause, it is within the budget, and asked again.
check_known() {
	local before now try
	check "$1: it is in TIME_WAIT" in_state time-wait "$3"
	for try in 1 2 3; do
		scrape
		before=$(packets known)
		check_equal "$1: it is served again ($try)" 200 "$(request "$2" "$3")"
		scrape
		now=$(packets known)
		[ "$now" = "$before" ] || break
	done
	check_equal "$1: its SYN was known" $((before + 1)) "$now"
}

# A connection that the census cannot see, as `run` is stopped.
test_tracker() {
	local before
	kill -STOP "$SW"
	before=$(marks)
	check_equal "a connection while run is stopped" 200 "$(request 10.99.1.3 40003)"
	check_equal "the tracker marks its source" $((before + 1)) "$(marks)"
	check "marks are not relied on where nobody tends them" wait_for fails relies
	kill -CONT "$SW"
	check "they are again" wait_for relies
}

more_known() {
	scrape
	[ "$(packets known)" -gt "$1" ]
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
	wait_for in_state syn-recv 40004
	scrape
	before=$(packets known)
	start_flood
	check "half-open since before the flood: its SYNs are known" wait_for more_known "$before"
	check "marks are relied on" wait_for relies
	in_client nft delete table inet late
	wait $client
	check_equal "half-open since before the flood: it is served" 200 "$(cat "$TMP/late")"
}

# One listener for both families, to which IPv4 clients come with mapped addresses.
test_dual_stack() {
	local root=$TMP/nginx
	stop "$NGINX"
	sed -i '/listen 80;/d; s/listen \[::\]:80;/listen [::]:80 ipv6only=off;/' "$root/nginx.conf"
	start_in_server nginx -e "$root/error.log" -p "$root" -c "$root/nginx.conf" -g 'daemon off;'
	wait_for listens 80
	check_equal "a listener for both families" 200 "$(request 10.99.1.6 40006)"
	stop_synwarden # clients are verified, till now
	stop "$FLOODER"
	start_synwarden --protect 80 --port-budget 1 --quiet
	start_flood
	check "a new run: marks are relied on" wait_for relies
	check_known "a connection to a listener for both families" 10.99.1.6 40006
}

net_up
silence 0
start_nginx
check_equal "before run" 200 "$(request 10.99.1.1 40001)"
start_synwarden --protect 80 --port-budget 1 --quiet
check "without a flood, marks are not relied on" fails relies
check_equal "before the flood" 200 "$(request 10.99.1.2 40002)"
sleep 1.1 # the budget has room for one again
check_equal "before the flood, over IPv6" 200 "$(request fd99:1::5 40005)"
sleep 1.1
test_half_open
check_known "a connection from before run" 10.99.1.1 40001
check_known "a connection from before the flood" 10.99.1.2 40002
check_known "a connection over IPv6" fd99:1::5 40005
test_tracker
test_dual_stack
stop "$FLOODER"
stop_synwarden
finish
