#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The wall clock is set an hour forward, and back, while trackers follow and a filter runs: times are the new
# clock's, and nothing else changes: not a transition, not a duration, not how long an entry of a list holds. It sets
# the clock of the whole machine, and therefore runs in those that tests/kernels/run.sh starts, and nowhere else.
#
# test: machine kernels-quick
# fault: The clock is set forward, and back | durations and expiry do not change
set -u
ROOT=$(readlink -f "$(dirname "$0")/../..")
# shellcheck source=tests/lib/network.sh
. "$ROOT/tests/lib/network.sh"
# shellcheck source=tests/lib/counters.sh
. "$ROOT/tests/lib/counters.sh"
[ "${OWN_MACHINE:-}" = 1 ] || die "sets the machine's clock; tests/kernels/run.sh runs it in a machine of its own"

HOUR=3600
TRANSITIONS='["CLOSE","SYN_SENT",null]
["SYN_SENT","ESTABLISHED",null]
["ESTABLISHED","FIN_WAIT1",null]
["FIN_WAIT1","FIN_WAIT2",null]'

declare -A AT_LEAST AT_MOST # age of a connection in microseconds, by label

# What no step of the clock changes, in microseconds.
uptime_us() {
	awk '{ printf "%.0f", $1 * 1000000 }' /proc/uptime
}

# step SECONDS
step() {
	local now
	now=$(($(date +%s%N) + $1 * 1000000000))
	date -s "@${now:0:-9}.${now: -9}" >/dev/null
}

# follow NAME: a tracker, whose output is $TMP/NAME
follow() {
	start_in_client "$SYNWARDEN" "$1" --json --netns "$NETNS" --port 80 >"$TMP/$1" 2>"$TMP/$1.err"
	wait_for grep -q following "$TMP/$1.err" || die "no tracker: $(cat "$TMP/$1.err")"
}

# hold_over LABEL SECONDS: a connection during which the clock is set
hold_over() {
	local opening opened closing holder
	mkfifo "$TMP/go"
	opening=$(uptime_us)
	# shellcheck disable=SC2016 # for the inner shell
	start_in_client bash -c 'exec 5<>/dev/tcp/10.99.0.1/80 && : >"$0/held" && read -r <"$0/go"' "$TMP"
	holder=$!
	wait_for test -e "$TMP/held" || die "no connection"
	opened=$(uptime_us)
	step "$2"
	sleep 1
	closing=$(uptime_us)
	echo >"$TMP/go"
	wait "$holder"
	AT_LEAST[$1]=$((closing - opened - 10000)) # /proc/uptime tells hundredths
	AT_MOST[$1]=$(($(uptime_us) - opening + 10000))
	rm "$TMP/go" "$TMP/held"
}

# client_events NTH FILE JQ: what JQ makes of the events of the nth connection
client_events() {
	exact "$TMP/$2" | jq -cs --argjson nth "$1" '
		(reduce .[].cookie as $c ([]; if index([$c]) then . else . + [$c] end)) as $order
		| .[] | select(.cookie == $order[$nth])' | jq -c "$3"
}

# How one ends after FIN_WAIT2, at once or by way of TIME_WAIT, depends on which side was quicker.
transitions() {
	client_events "$1" states '[.old, .new, .reason]' | head -n4
}

all_there() {
	[ "$(wc -l <"$TMP/conns")" = 3 ] && [ "$(grep -c '"old":"FIN_WAIT2"' "$TMP/states")" = 3 ]
}

# check_connection NTH LABEL SECONDS: during which the clock was set by so many
check_connection() {
	local passed
	check_equal "$2: its transitions" "$TRANSITIONS" "$(transitions "$1")"
	check_between "$2: how long it was ESTABLISHED, in us" "${AT_LEAST[$2]}" "${AT_MOST[$2]}" \
		"$(client_events "$1" states 'select(.old == "ESTABLISHED").duration_us | round')"
	check_between "$2: how long it lived, in us" "${AT_LEAST[$2]}" "${AT_MOST[$2]}" \
		"$(client_events "$1" conns '.duration_us | round')"
	passed=$(client_events "$1" states .ts | jq -rs '
		def seconds: sub("\\..*"; "Z") | fromdate;
		(.[-1] | seconds) - (.[0] | seconds)')
	# Setting takes its time, and both times are cut to whole seconds.
	check_between "$2: what its times tell, in seconds" $(($3 - 1)) \
		$(($3 + AT_MOST[$2] / 1000000 + 2)) "$passed"
}

# check_entry WHEN: the entry for 90 minutes has as much left as it was there when it was read
check_entry() {
	local left
	left=$(sw list --json | jq .expires_in_seconds)
	check_between "an entry for 90 minutes, $1: what is left, in seconds" \
		$((5399 - ($(uptime_us) - BEGAN) / 1000000)) 5400 "$left"
}

net_up
NETNS=$(in_client stat -L -c %i /proc/self/ns/net)
start_nginx "keepalive_timeout 300; client_header_timeout 300;"
start_synwarden --port-budget 0
sw block 192.0.2.0/24 --for 90m >/dev/null
BEGAN=$(uptime_us)
follow states
follow conns
hold_over "the clock goes on" 0
hold_over "an hour forward" $HOUR
hold_over "an hour back" -$HOUR
wait_for all_there
check "all connections are reported whole" all_there
check_connection 0 "the clock goes on" 0
check_connection 1 "an hour forward" $HOUR
check_connection 2 "an hour back" -$HOUR
step $HOUR
check_entry "an hour forward"
check_equal "an hour forward: the endpoint answers" ok "$(in_server curl -s http://127.0.0.1:9798/healthz)"
step -$HOUR
check_entry "an hour back"
check_equal "an hour back: the endpoint answers" ok "$(in_server curl -s http://127.0.0.1:9798/healthz)"
stop_synwarden
check_equal "it ends well" 0 $?
finish
