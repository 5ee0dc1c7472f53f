#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What is served no more: a port whose listener has been gone for an hour, and one that came to be translated after its own
# listener had made it served.
#
# test: slow no-kernels
set -u
ROOT=$(readlink -f "$(dirname "$0")/../..")
# shellcheck source=tests/lib/network.sh
. "$ROOT/tests/lib/network.sh"
# shellcheck source=tests/lib/counters.sh
. "$ROOT/tests/lib/counters.sh"

# becomes REASON PORT: whether nearly all of 500 SYNs to it do
becomes() {
	local before
	scrape
	before=$(packets "$1")
	flood -q -r 5000 -c 500 -p "$2"
	scrape
	[ $(($(packets "$1") - before)) -gt 450 ]
}

# get PORT SOURCE
get() {
	in_client curl -s -m 5 --interface "$2" -o /dev/null -w '%{http_code}' "http://$SERVER_ADDR:$1/"
}

# served_keys PORT: of its entries, a line of bytes each
served_keys() {
	bpftool -j map dump pinned "$(pin_dir)/served" |
		jq -r ".[] | select(.formatted.key.port == $1) | .key | join(\" \")"
}

are_served() {
	[ "$(served_keys "$1" | wc -l)" = "$2" ]
}

# is_idle PORT: no listener is left on it, as far as `run` knows
is_idle() {
	in_server "$SYNWARDEN" status --json | jq -e ".ports[] | select(.port == $1) | .listening | not" >/dev/null
}

# backdate PORT SECONDS: the port's entry has had no listener for so long
backdate() {
	local key since
	key=$(served_keys "$1")
	[ -n "$key" ] || return
	since=$(python3 -c "
import time
print(*((int(time.clock_gettime(time.CLOCK_MONOTONIC)) - $2) % 2**32).to_bytes(4, 'little'))")
	# shellcheck disable=SC2086 # a number for each byte
	bpftool map update pinned "$(pin_dir)/served" key $key value $since exist 2>/dev/null
}

# The sweep comes every ten seconds, and may note its own time in between.
gone_of_age() {
	backdate 7771 3601
	are_served 7771 0
}

# Entries of two ports whose listener has gone: one for more than an hour, one for less.
test_sweep() {
	local listener port
	start_synwarden --port-budget 1000
	start_in_server python3 -c '
import signal, socket
held = [socket.create_server(("", port)) for port in (7771, 7772)]
signal.pause()'
	listener=$!
	for port in 7771 7772; do
		check "port $port has a listener" wait_for listens $port
		in_client python3 -c 'import socket, sys; socket.create_connection(sys.argv[1:], 5)' $SERVER_ADDR $port
		check "a client makes port $port served" wait_for are_served $port 1
	done
	stop $listener
	check "the listeners are gone" wait_for is_idle 7771
	check "both" wait_for is_idle 7772
	check "one has been gone for 50 minutes" backdate 7772 3000
	check "the other one for an hour: it is served no more" wait_for gone_of_age
	check "the one of 50 minutes still is" are_served 7772 1
	stop_synwarden
}

# revoked PORT: after one client more has tried it
revoked() {
	CLIENTS_TRIED=$((CLIENTS_TRIED + 1))
	get "$1" 10.99.1.$((2 + CLIENTS_TRIED % 250)) >/dev/null
	grep -q "port $1: valid cookies come back" "$TMP/run.err"
}

# A port is translated after a client of its own listener has made it served: clients are challenged, and their valid
# cookies end with the listener of another port, which refuses them.
test_translated() {
	local CLIENTS_TRIED=0 FLOODER
	start_synwarden --port-budget 1
	check_equal "a client makes port 8080 served" 200 "$(get 8080 10.99.1.1)"
	in_server nft -f - <<-END
		table ip translated {
			chain prerouting {
				type nat hook prerouting priority -100
				tcp dport 8080 redirect to :80
			}
		}
	END
	check "translated: a flood to it is challenged all the same" wait_for becomes challenged 8080
	start_in_client "$FLOOD" -q -r 200 -c 1000000 -t 60 -s 0 -p 8080 c0 "$(mac in_server s0)" $SERVER_ADDR
	FLOODER=$!
	check "no connection comes of valid cookies: the log says so" wait_for revoked 8080
	scrape
	check "some had come back ($(packets cookie_ack))" test "$(packets cookie_ack)" -ge 8
	stop $FLOODER
	check "its entry is gone" are_served 8080 0
	check "a flood to it is not challenged any more" becomes not_served 8080
	check_equal "and a client gets through" 200 "$(get 8080 10.99.1.254)"
	stop_synwarden
	in_server nft delete table ip translated
}

net_up
start_nginx 'listen 8080; listen [::]:8080;'
take_replies
test_sweep
test_translated
finish
