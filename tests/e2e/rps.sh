#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# No transition is missed where packets come by interrupt, as from a real NIC: with RPS on both ends of the veth, the
# receive softirq interrupts connect() and close(), and with them the tracker itself. wrk opens connections as fast as
# it can; the tracker's stream, the counters of `run` and nginx must agree on them.
#
# A virtual machine's kernel may run no BPF program while its host's agent is the current task, and so none in a softirq
# that interrupts it (docs/limits.md, Tracking: no recursion is counted). Hence
# TOLERANCE; a tracker that is skipped where it interrupts itself misses about four times as much. What is missed must
# be counted.
#
# test: alone asan-slow no-kernels
set -u
ROOT=$(readlink -f "$(dirname "$0")/../..")
# shellcheck source=tests/lib/network.sh
. "$ROOT/tests/lib/network.sh"

SECONDS_OF_LOAD=4
TOLERANCE=500 # one transition in so many
MARKER_PORT=6999
LATE_MS=9

# start_tracker NAME: its events are in $TMP/NAME
start_tracker() {
	# What else the machine does is not to keep it from reading: it is asked how late it is itself.
	start nice -n -20 "$SYNWARDEN" states --json >"$TMP/$1" 2>"$TMP/tracker.err"
	TRACKER=$!
	wait_for grep -q following "$TMP/tracker.err" || die "no tracker: $(cat "$TMP/tracker.err")"
}

# All that wrk left has been accepted and closed.
# shellcheck disable=SC2317
idle() {
	[ -z "$(in_server ss -Htn "sport = 80")" ]
}

# Events come in order: with those of one more connect, all are there.
# shellcheck disable=SC2317
marked() {
	tail -n 100 "$TMP/events" | grep -q "\"rport\":$MARKER_PORT,\"old\":\"SYN_SENT\""
}

# How many connections nginx accepted, with the one that asks.
accepted() {
	in_server curl -sf "http://127.0.0.1/status" | awk 'seen { print $1; exit } /accepts/ { seen = 1 }'
}

# metric NAME{LABELS}
metric() {
	awk -v name="$1" '$1 == name { print $2 }' "$TMP/metrics"
}

# Of lines "COOKIE OLD NEW": how many sockets began in the middle or skipped a state (which the next transition tells
# the tracker), and how many never came to an end (which nothing tells it).
count_gaps() {
	awk '
		($1 in state) ? state[$1] != $2 : $2 != "CLOSE" && $2 != "LISTEN" { gaps++ }
		{ state[$1] = $3 }
		END {
			for (s in state)
				if (state[s] != "CLOSE" && state[s] != "TIME_WAIT" && state[s] != "LISTEN")
					open++
			print gaps + 0, open + 0
		}' "$1"
}

# lateness FILE: the most by which an event's time is before that of an earlier line, in ms. The trackers' rings, one a CPU, are looked at
# every 50 ms: read one after the other, events would be as late as that.
lateness() {
	jq -r '.ts // empty' "$1" | awk -F'[:Z]' '
		{ ms = ($2 * 60 + $3) * 1000 } # an hour begins: what is far before the latest is far after it
		NR > 1 && latest - ms > 1800000 { latest = 0 }
		latest - ms > most { most = latest - ms }
		ms > latest { latest = ms }
		END { printf "%d", most }'
}

# load_again: a shorter load, whose events are in $TMP/again
load_again() {
	start_tracker again
	in_client wrk -t 1 -c 16 -d 2 -H "Connection: close" "http://$SERVER_ADDR/" >"$TMP/wrk"
	wait_for idle
	stop "$TRACKER" INT
}

net_up
steer_packets 3
start_synwarden --quiet
start_tracker events
start_nginx "location = /status { stub_status; }"

in_client wrk -t 1 -c 16 -d "$SECONDS_OF_LOAD" -H "Connection: close" "http://$SERVER_ADDR/" >"$TMP/wrk"
wait_for idle
in_client bash -c ": >/dev/tcp/$SERVER_ADDR/$MARKER_PORT" 2>/dev/null
check "the tracker keeps up" wait_for marked
accepted=$(accepted)
in_server curl -sf http://127.0.0.1:9798/metrics >"$TMP/metrics"
stop "$TRACKER" INT
check_equal "the tracker ends well" 0 $?

exact "$TMP/events" | jq -r --argjson server "$(in_server stat -L -c %i /proc/self/ns/net)" \
	--argjson client "$(in_client stat -L -c %i /proc/self/ns/net)" '
	select((.netns == $server and .lport == 80) or (.netns == $client and .rport == 80))
	| "\(.cookie) \(.old) \(.new)"' >"$TMP/chains"
transitions=$(wc -l <"$TMP/chains")
read -r gaps open < <(count_gaps "$TMP/chains")
lost=$(jq 'select(.lost) | .lost' "$TMP/events" | awk '{ lost += $1 } END { print lost + 0 }')
missed=$(metric 'synwarden_events_lost_total{stage="reentry"}')
handshakes=$(metric 'synwarden_handshakes_total{port="80",outcome="completed"}')
established=$(grep -c ' SYN_RECV ESTABLISHED$' "$TMP/chains")

check "wrk opened thousands of connections: $accepted" test "$accepted" -gt 1000
check_equal "only reentry was ever reported as lost" "" "$(grep '"lost"' "$TMP/events" | grep -v '"stage":"reentry"')"
check_equal "each gap in a chain of states was reported" "$gaps" "$lost"
check_between "gaps and open ends among $transitions transitions" 0 $((transitions / TOLERANCE)) $((gaps + open))
late=$(lateness "$TMP/events")
for _ in 1 2 3; do
	[ "$late" -gt $LATE_MS ] || break
	echo "# $late ms: was it the machine that stood still? Once more"
	load_again
	late=$(lateness "$TMP/again")
done
check_between "ms by which an event comes too late" 0 $LATE_MS "$late"
check_between "connections that the stream saw established" $((accepted - gaps)) "$accepted" "$established"
check_between "handshakes that run counted" $((accepted - missed)) "$accepted" "$handshakes"
check_between "transitions that run missed" 0 $((transitions / TOLERANCE)) "$missed"
check "run ends well" stop_synwarden
finish
