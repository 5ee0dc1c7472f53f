#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The endpoint of a running filter: every series from the start, numbers equal to what was sent and requested, the right
# status for every path and method, answers during a flood; and its memory.
#
# test: asan-slow
set -u
ROOT=$(readlink -f "$(dirname "$0")/../..")
# shellcheck source=tests/lib/network.sh
. "$ROOT/tests/lib/network.sh"
# shellcheck source=tests/lib/counters.sh
. "$ROOT/tests/lib/counters.sh"

REQUESTS=20
MAPS_MAX=$(((64 + $(nproc --all)) * 1024 * 1024))

# The labels of the packets' reasons, from the source.
reason_labels() {
	sed -n 's/^[[:space:]]X([A-Z0-9_]*, \(PASS\|DROP\|TX\), "\([a-z0-9_]*\)".*/\2/p' "$ROOT/include/reasons.h"
}

# check_zero SERIES...
check_zero() {
	local one
	for one in "$@"; do
		check_equal "from the start: $one" 0 "$(value "$one")"
	done
}

test_start() {
	scrape
	check_equal "from the start: a series for each reason, packets and bytes" "$(reason_labels | sort | sed p)" \
		"$(series packets_total bytes_total | sed 's/.*reason="\([a-z0-9_]*\)".*/\1/' | sort)"
	check_equal "from the start: they are 0" 0 $(($(sum_of packets_total) + $(sum_of bytes_total)))
	check_zero 'syns_total{port="80"}' 'syns_total{port="other"}' 'handshakes_total{port="80",outcome="completed"}' \
		'half_open_connections{port="80"}' 'tcp_connections{state="CLOSING"}' \
		'tcp_state_transitions_total{from="FIN_WAIT1",to="CLOSING"}' \
		'tcp_state_duration_seconds_count{state="CLOSING"}' \
		'tcp_state_duration_seconds_bucket{state="CLOSING",le="+Inf"}' \
		'events_lost_total{stage="ring"}' 'events_lost_total{stage="reentry"}' 'events_lost_total{stage="census"}' 'events_lost_total{stage="storage"}' \
		'bookkeeping_failures_total{table="sources"}' 'bookkeeping_failures_total{table="ports"}' dry_run
	check_equal "what runs" \
		"build_info{version=\"$(sw version | cut -d' ' -f2)\",kernel=\"$(uname -r)\",xdp_mode=\"native\"} 1" \
		"$(series build_info)"
	[ "${PATIENCE:-1}" != 1 ] || # the machines of tests/kernels/run.sh have none
		check "promtool finds no fault" promtool check metrics < <(in_server curl -s http://127.0.0.1:9798/metrics)
}

# ADDED is what each transition counts more than in the file BEFORE: matrix_since BEFORE
matrix_since() {
	series tcp_state_transitions_total | sort | join "$1" - | awk '$3 != $2 { print $1, $3 - $2 }'
}

# expected_matrix REQUESTS: nginx's side of these, which their clients close first, and both sides of one scrape
expected_matrix() {
	local name
	for name in SYN_SENT,ESTABLISHED CLOSE,SYN_SENT ESTABLISHED,FIN_WAIT1 FIN_WAIT1,FIN_WAIT2 FIN_WAIT2,TIME_WAIT; do
		echo "tcp_state_transitions_total{from=\"${name%,*}\",to=\"${name#*,}\"} 1"
	done
	for name in LISTEN,SYN_RECV SYN_RECV,ESTABLISHED ESTABLISHED,CLOSE_WAIT CLOSE_WAIT,LAST_ACK LAST_ACK,CLOSE; do
		echo "tcp_state_transitions_total{from=\"${name%,*}\",to=\"${name#*,}\"} $(($1 + 1))"
	done
}

# What was under way has ended: nothing is between LISTEN and CLOSE but what scrapes.
is_quiet() {
	[ -z "$(in_server ss -Htn state connected exclude time-wait exclude syn-recv)" ]
}

test_requests() {
	local i scrapes
	wait_for is_quiet
	scrape
	series tcp_state_transitions_total | sort >"$TMP/before"
	scrapes=$(value 'handshakes_total{port="9798",outcome="completed"}')
	for ((i = 1; i <= REQUESTS; i++)); do
		get 10.99.0.1 "10.99.1.$i"
	done >"$TMP/answers"
	for ((i = 1; i <= REQUESTS; i++)); do
		get '[fd99::1]' "fd99:1::$i"
	done >>"$TMP/answers"
	check_equal "requests: all are answered" "$((2 * REQUESTS)) 200" \
		"$(sort "$TMP/answers" | uniq -c | awk '{ print $1, $2 }')"
	wait_for is_quiet
	scrape
	check_equal "requests: every transition" "$(expected_matrix $((2 * REQUESTS)) | sort)" \
		"$(matrix_since "$TMP/before" | sort)"
	check_equal "requests: handshakes completed" $((2 * REQUESTS)) \
		"$(value 'handshakes_total{port="80",outcome="completed"}')"
	check_equal "requests: SYNs" "$((2 * REQUESTS)) $((2 * REQUESTS))" \
		"$(value 'syns_total{port="80"}') $(packets syn)"
	check_equal "a scrape is a handshake too" $((scrapes + 1)) \
		"$(value 'handshakes_total{port="9798",outcome="completed"}')"
	wait_for listeners_told
	check_equal "listening sockets, as ss counts them" "$(listening_sockets)" "$(value 'tcp_connections{state="LISTEN"}')"
}

listening_sockets() {
	in_server ss -Htln | wc -l
}

# The census is taken once a second.
listeners_told() {
	scrape
	[ "$(value 'tcp_connections{state="LISTEN"}')" = "$(listening_sockets)" ]
}

test_flood() {
	local before
	before=$(packets syn)
	flood -c 5000 -r 20000 -t 60 -s 1000 -q
	wait_for packets_agree s0
	check_equal "flood: SYNs" "5000 $((5000 + 2 * REQUESTS))" \
		"$(($(packets syn) - before)) $(value 'syns_total{port="80"}')"
	check_equal "flood: no handshake more" $((2 * REQUESTS)) "$(value 'handshakes_total{port="80",outcome="completed"}')"
	check_sums "flood: the sum over all reasons is what the interface saw" s0
	wait_for half_open_told
	check_between "flood: half-open connections are counted" 1 4096 "$(value 'half_open_connections{port="80"}')"
}

half_open_told() {
	scrape
	[ "$(value 'half_open_connections{port="80"}')" -gt 0 ]
}

# page PATH [CURL OPTION...]: status and type
page() {
	in_server curl -s -o "$TMP/page" -w '%{http_code} %{content_type}' --max-time 5 "${@:2}" "http://127.0.0.1:9798$1"
}

test_pages() {
	local text="text/plain; charset=utf-8"
	check_equal "/" "200 text/html; charset=utf-8" "$(page /)"
	check "/ leads to /metrics" grep -q 'href="metrics"' "$TMP/page"
	check_equal "/healthz" "200 $text ok" "$(page /healthz) $(cat "$TMP/page")"
	check_equal "/metrics" "200 text/plain; version=0.0.4; charset=utf-8" "$(page /metrics)"
	check_equal "HEAD /metrics" "200 text/plain; version=0.0.4; charset=utf-8" "$(page /metrics -I)"
	check_equal "another path" "404 $text" "$(page /nothing)"
	check_equal "a path that only begins so" "404 $text" "$(page /metrics/)"
	check_equal "POST" "405 $text" "$(page /metrics -d x)"
	check_equal "DELETE" "405 $text" "$(page /metrics -X DELETE)"
	check "405 names what is allowed" \
		grep -q "^Allow: GET, HEAD" <<<"$(in_server curl -s -i -d x http://127.0.0.1:9798/metrics)"
}

# Ten seconds of scrapes without a pause, in the midst of a flood of which nothing gets further than the filter.
test_load() {
	local bytes end=$(($(date +%s) + 10)) scrapes=0 failed=0 last=0 now backwards=0
	sw block 198.18.0.0/15 >/dev/null
	bytes=$(maps_bytes)
	start_in_client "$FLOOD" -S 198.18.0.0 -s 131072 -r 100000 -c 10000000 -t 9 c0 "$(mac in_server s0)" "$SERVER_ADDR" \
		>"$TMP/flood"
	while [ "$(date +%s)" -lt "$end" ]; do
		scrape || failed=$((failed + 1))
		now=$(packets blocked)
		[ "${now:-0}" -ge "$last" ] || backwards=$((backwards + 1))
		last=${now:-0}
		scrapes=$((scrapes + 1))
	done
	wait $!
	check_equal "$scrapes scrapes during a flood: those that failed, or counted backwards" "0 0" "$failed $backwards"
	check_sums "scrapes during a flood: the sum over all reasons is what the interface saw" s0
	check_between "scrapes during a flood: packets dropped" 100000 "$(jq .sent "$TMP/flood")" "$(packets blocked)"
	check_resident "memory of run, KiB" 1 $RSS_MAX_KIB "$(rss_kib)"
	check_between "memory of the maps, bytes" 1 $MAPS_MAX "$bytes"
	check_equal "the flood did not add to it" "$bytes" "$(maps_bytes)"
	sleep 2.5 # two censuses without a scrape, which is a connection too: a lasting difference would count
	check_equal "nothing was lost" 0 "$(($(sum_of events_lost_total) + $(sum_of bookkeeping_failures_total)))"
}

net_up
silence 0
start_nginx
mark_rx s0
start_synwarden --source-limit 1000 --port-budget 0
test_start
test_requests
test_flood
test_pages
test_load
stop_synwarden
check_equal "it ends well" 0 $?
finish
