#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The gauges of `run` against ss, state by state: with 20,000 connections in mixed states exactly, while a thousand a
# second come and go within what came and went meanwhile; half-open connections and accept queues by port.
#
# test: alone asan-slow no-kernels
set -u
ROOT=$(readlink -f "$(dirname "$0")/../..")
# shellcheck source=tests/lib/network.sh
. "$ROOT/tests/lib/network.sh"
# shellcheck source=tests/lib/counters.sh
. "$ROOT/tests/lib/counters.sh"
# shellcheck source=tests/lib/gauges.sh
. "$ROOT/tests/lib/gauges.sh"
# shellcheck source=tests/lib/golden.sh
. "$ROOT/tests/lib/golden.sh"

# Each of two ports has as many; a process may hold only so many sockets.
ON_EACH_PORT=(ESTABLISHED=3000 CLOSE_WAIT=1200 FIN_WAIT2=1200 TIME_WAIT=3600 SYN_SENT=450 LAST_ACK=150 FIN_WAIT1=150
	CLOSING=150)
HALF_OPEN=200
SAMPLES=2
TOLERANCE=500 # transitions, of which one may go unseen, as in tests/e2e/rps.sh
CENSUS=30 # seconds in which a census surely comes: with that many sockets it is not taken every second

# All that stands on the two ports, and nothing else: a line "STATE COUNT" for each state
mixed_states() {
	printf '%s\n' "${ON_EACH_PORT[@]}" LISTEN=1 | awk -F= '{ print $1, 2 * $2 }'
	echo SYN_RECV $HALF_OPEN
}

test_mixed() {
	start_mixed 7001 10.99.1.1 "${ON_EACH_PORT[@]}"
	start_mixed 7002 10.99.1.2 "${ON_EACH_PORT[@]}"
	await_mixed 7001
	await_mixed 7002
	flood -q -p 7001 -c $HALF_OPEN -r 1000 -s 100000
	check_equal "20,000 connections are in mixed states" "$(mixed_states | sort)" "$(ss_states "( sport = 7001 or \
		sport = 7002 or dport = 7001 or dport = 7002 )")"
	check_gauges "in a pause, the gauges are those of ss"
	check_equal "half-open connections by port" "$HALF_OPEN 0" \
		"$(value 'half_open_connections{port="7001"}') $(value 'half_open_connections{port="7002"}')"
}

# A thousand a second, each from an address of its own, until $TMP/enough exists.
come_and_go() {
	local i
	for ((i = 0; i < SAMPLES * CENSUS; i++)); do
		[ ! -e "$TMP/enough" ] || break
		in_client "$BUILD/tests/tools/clients" -n 1000 -r 1000 10.96.0.1 10.99.0.1 80
	done
}

# moved FILE: a line "STATE COUNT", the transitions into and out of each state. Who connects leaves a listener where it
# is.
moved() {
	awk -F'"' '
		/^tcp_state_transitions_total/ {
			moved[$2] += $2 == "LISTEN" && $4 == "SYN_RECV" ? 0 : substr($5, 3)
			moved[$4] += substr($5, 3)
		}
		END { for (state in moved) print state, moved[state] }' "$1"
}

# What differs by more than was in motion: "STATE GAUGE SS MOVED"
exceeding() {
	awk '
		FNR == 1 { file++ }
		file == 1 { moved[$1] -= $2 }
		file == 2 { moved[$1] += $2 }
		file == 3 { differ[$1] += $2; gauge[$1] = $2 }
		file == 4 { differ[$1] -= $2; ss[$1] = $2 }
		END {
			for (state in differ)
				if (differ[state] ^ 2 > moved[state] ^ 2)
					print state, gauge[state] + 0, ss[state] + 0, moved[state] + 0
		}' <(moved "$TMP/before") <(moved "$TMP/after") <(gauges "$TMP/after") "$TMP/ss"
}

# Only a census changes the gauges: the last one was taken after $TMP/before, and so was $TMP/ss; both before
# $TMP/after.
census_passed() {
	mv "$TMP/between" "$TMP/before"
	mv "$TMP/after" "$TMP/between"
	ss_states >"$TMP/ss"
	scrape_outside "$TMP/after"
	[ "$(gauges "$TMP/between")" != "$(gauges "$TMP/after")" ]
}

test_churn() {
	local churn i
	come_and_go >"$TMP/clients" &
	churn=$!
	wait_for arrived
	scrape_outside "$TMP/between"
	scrape_outside "$TMP/after"
	for ((i = 1; i <= SAMPLES; i++)); do
		check "sample $i: a census comes" wait_for census_passed
		check_equal "sample $i: no gauge differs from ss by more than was in motion" "" "$(exceeding)"
	done
	check "meanwhile connections came and went" kill -0 $churn
	touch "$TMP/enough"
	wait $churn
	check_equal "all were served" true "$(jq -s 'length > 0 and all(.served == 1000)' "$TMP/clients")"
	check_gauges "after them, the gauges are those of ss"
}

arrived() {
	[ -n "$(in_server ss -Htn state connected "sport = 80")" ]
}

# queue PORT: what ss says of the accept queue, and what `status` does
queue() {
	in_server ss -Hltn "sport = $1" | awk '{ print $2, $3 }'
	sw status --json | jq -r --argjson port "$1" \
		'.ports[] | select(.port == $port) | "\(.accept_queue) \(.accept_limit) \(.accept_full) \(.listen_drops)"'
}

# A listener with a backlog of 5 takes 6; two more are dropped.
fill_queue() {
	start python3 "$ROOT/tests/tools/peer.py" "/run/netns/$SERVER" "/run/netns/$CLIENT" queue_full 10.99.0.1 10.99.0.2 7003 \
		>"$TMP/queue.out" 2>"$TMP/queue.err"
	QUEUE=$!
	wait_for grep -q ready "$TMP/queue.out" || die "no full queue: $(cat "$TMP/queue.err")"
}

test_queue() {
	check_equal "accept queue: length and limit by ss; by status also full ones and drops" $'6 5\n6 5 1 2' \
		"$(queue 7003)"
	kill -USR1 $QUEUE
	wait $QUEUE
	check_equal "accept queue: its listener goes" 0 "$?$(cat "$TMP/queue.err")"
}

net_up
cut_marked in_client
in_client ip route add local 10.96.0.0/22 dev lo
start_nginx
start_synwarden --port-budget 0 --listen $METRICS
fill_queue
test_mixed
test_queue
test_churn
check_equal "accept queue: nothing is left of it but its drops" "0 0 0 2" "$(queue 7003)"
check_equal "nothing was lost in the ring, or for lack of memory" "0 0" \
	"$(value 'events_lost_total{stage="ring"}') $(value 'events_lost_total{stage="storage"}')"
# What interrupts a thread that the kernel runs no program for is not seen (tests/e2e/rps.sh); the census tells.
check_between "transitions that were not seen, at most one in $TOLERANCE" 0 \
	"$(($(sum_of tcp_state_transitions_total) / TOLERANCE))" "$(sum_of events_lost_total)"
stop_synwarden
finish
