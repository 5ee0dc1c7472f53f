#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The verdict "under attack": reported of a flood, in every output, with its evidence, and ended with the flood; never
# reported of many clients, of a page with many objects, or of a benchmark, none of which fails. The sources of a million
# SYNs are counted. `why` says what would happen to a source.
#
# test: slow asan-slow no-kernels
set -u
ROOT=$(readlink -f "$(dirname "$0")/../..")
# shellcheck source=tests/lib/network.sh
. "$ROOT/tests/lib/network.sh"
# shellcheck source=tests/lib/counters.sh
. "$ROOT/tests/lib/counters.sh"

NUMBER='[0-9]{1,3}(,[0-9]{3})*'
SENTENCE="port 80 is under SYN attack: $NUMBER SYN/s from about $NUMBER sources in 10 s, [0-9.]+ % of handshakes"
SENTENCE+=" complete, $NUMBER challenges unanswered"

# start_flood RATE [FLOOD OPTION...]: until stop_flood
start_flood() {
	start_in_client "$FLOOD" -x -q -r "$1" -c 1000000000 -t 60 "${@:2}" c0 "$(mac in_server s0)" "$SERVER_ADDR"
	FLOODER=$!
}

stop_flood() {
	stop "$FLOODER"
}

# field FILTER: of port 80 in status --json
field() {
	sw status --json | jq ".ports[] | select(.port == 80) | $1"
}

under_attack() {
	[ "$(field .under_attack)" = true ]
}

# The last ten seconds are all of the flood, once so many SYNs were challenged that another second's are among them.
evidence_is_whole() {
	[ "$(field '.syn_rate >= 9000 and .distinct_sources >= 4850 and .challenges_unanswered > 50000')" = true ]
}

log() {
	sed -n 's/^synwarden: \(warning: \)\?//p' "$TMP/run.err"
}

# judged_before SENTENCE: the seconds that were judged before it was first printed
judged_before() {
	head -n "$(grep -nxE -m 1 "$1" "$TMP/run.out" | cut -d : -f 1)" "$TMP/run.out" | grep -c '/s  passed'
}

test_attack() {
	local began
	start_synwarden --protect 80
	check_equal "before: not under attack" "false false" "$(field '"\(.armed) \(.under_attack)"' | tr -d '"')"
	began=$(seconds_judged)
	start_flood 10000 -s 5000
	wait_for under_attack
	wait_for evidence_is_whole
	scrape
	check_equal "metrics: under attack, attacks, served, budget" "1 1 1 1000" \
		"$(value 'under_attack{port="80"}') $(value 'attacks_total{port="80"}') $(value 'served{port="80"}') $(value 'port_budget{port="80"}')"
	check_between "SYN/s" 9000 11000 "$(field .syn_rate)"
	check_between "distinct sources of 5,000" 4850 5150 "$(field .distinct_sources)"
	check "challenges are unanswered" test "$(field .challenges_unanswered)" -gt 50000
	check "hardly a handshake completes" test "$(field .completed_permille)" -lt 10
	sw status >"$TMP/status"
	check "status has the sentence" grep -qE " $SENTENCE " <(tr '\n' ' ' <"$TMP/status")
	check_equal "status fits 80 columns" "" "$(awk 'length > 80' "$TMP/status")"
	check_equal "status has two tables of ports" "PORT BUDGET SYNS PASSED CHALLENGED DROPPED
80 1,000
PORT HANDSHAKES COMPLETED LISTEN DROPS HALF-OPEN ACCEPT QUEUE
80 0" "$(sed -nE 's/ +/ /g; /^PORT/p; s/^(80 (1,000|[0-9]+ - )).*/\1/; s/^(80 [0-9]+) - $/\1/; /^80/p' "$TMP/status")"
	check "the live output has the sentence" grep -qxE "$SENTENCE" "$TMP/run.out"
	check_between "under attack within 6 s, by the seconds judged" 1 6 $(($(judged_before "$SENTENCE") - began))
	check "the log has the sentence" grep -qxE "$SENTENCE" <(log)
	stop_flood
	wait_for fails under_attack
	check "it ends with the flood" fails under_attack
	check "the log says so" grep -qE "^port 80 is no longer under attack: [0-9.ms ]+, peak $NUMBER SYN/s, " <(log)
	check "port 80 is still armed" test "$(field .armed)" = true
	stop_synwarden
}

is_armed() {
	[ "$(field .armed)" = true ]
}

# The verdict of a killed run does not outlast the attack.
test_killed() {
	start_synwarden --protect 80
	start_flood 10000 -s 5000
	wait_for under_attack
	kill -KILL "$SW"
	wait "$SW" 2>/dev/null
	check "killed: still under attack, while its filter is armed" under_attack
	stop_flood
	wait_for fails is_armed
	check_equal "killed: no longer, once it is not" "false 0 0" \
		"$(field '"\(.under_attack) \(.syn_rate) \(.distinct_sources)"' | tr -d '"')"
	start_synwarden
	scrape
	check_equal "killed: nor do the metrics of the next run say so" 0 "$(value 'under_attack{port="80"}')"
	check_equal "killed: that attack stays counted" 1 "$(value 'attacks_total{port="80"}')"
	stop_synwarden
}

sources_are_counted() {
	[ "$(field .distinct_sources)" -gt 0 ]
}

# million_is_counted BEFORE LEAST: SYNs, and their sources, which `run` estimates once a second
million_is_counted() {
	[ $(($(field .syns) - $1)) -ge 1000000 ] && [ "$(field .distinct_sources)" -ge "$2" ]
}

# As fast as it goes: a second, of the ten that are looked back on. Of a million sources, drawn from 3.74 billion, 134 are
# drawn again.
test_million_sources() {
	local before right=999866
	start_synwarden --protect 80 --port-budget 100 --challenge off
	start_flood 2000 -s 0
	wait_for sources_are_counted
	stop_flood
	before=$(field .syns)
	flood -x -q -r 0 -s 0 -c 1000000
	wait_for million_is_counted "$before" $((right * 97 / 100))
	check_equal "a million SYNs from random sources have come" 1000000 $(($(field .syns) - before))
	check_between "their sources are counted within 3 %" $((right * 97 / 100)) $((right * 103 / 100)) \
		"$(field .distinct_sources)"
	stop_synwarden
}

# why_is NAME ADDRESS VERDICT REASON [OPTION...]
why_is() {
	check_equal "why: $1" "$3 $4" "$(sw why "$2" --json "${@:5}" | jq -r '"\(.verdict) \(.reason)"')"
}

reason_is() {
	[ "$(sw why "$1" --json | jq -r .reason)" = "$2" ]
}

# why_says ADDRESS PATTERN
why_says() {
	sw why "$1" | grep -qE "$2"
}

test_why() {
	start_synwarden --protect 80 --source-limit 100
	why_is "nothing is armed" 10.99.1.1 pass syn
	sw allow 192.0.2.0/24 >/dev/null
	sw block 192.0.2.128/25 >/dev/null
	sw block 2001:db8:bad::/48 >/dev/null
	why_is "on the allow list" 192.0.2.1 pass allowed
	why_is "on both lists" 192.0.2.129 pass allowed
	why_is "on the block list" 2001:db8:bad::1 drop blocked
	start_flood 5000 -s 0
	wait_for port_is_armed
	get $SERVER_ADDR 10.99.1.1 --max-time 5 >/dev/null
	why_is "it has answered a challenge" 10.99.1.1 pass verified --port 80
	why_is "it has not" 10.99.1.2 challenge challenged
	why_is "another port is armed" 10.99.1.2 pass syn --port 443
	check "why, in words" why_says 10.99.1.2 \
		'^10\.99\.1\.2: challenge \(challenged\): port 80 is over --port-budget 1000: '
	check "why: until when it is verified" why_says 10.99.1.1 ': for another 4m[0-9]{2}s, up to 100 of '
	stop_flood
	start_flood 2000 -s 1 -S 198.18.7.7
	check "why: over --source-limit" wait_for reason_is 198.18.7.7 source_limit
	check "why: and how many of its SYNs were dropped" why_says 198.18.7.7 \
		"; --source-limit dropped $NUMBER of its SYNs in the last "
	check "why: on a port without a listener" grep -q "on this port, on which nothing listens" \
		<<<"$(sw why 198.51.100.9 --port 9)"
	stop_flood
	stop_synwarden
	start_synwarden --protect 80 --challenge off
	start_flood 5000 -s 0
	wait_for port_is_armed
	why_is "challenge off" 10.99.1.2 drop port_budget
	stop_flood
	stop_synwarden
}

# More SYN/s than a verified source may send past the challenge
test_why_verified() {
	start_synwarden --protect 80
	start_flood 5000 -s 0
	wait_for port_is_armed
	get $SERVER_ADDR 10.99.1.1 --max-time 5 >/dev/null
	why_is "within a verified source's rate" 10.99.1.1 pass verified
	stop_flood
	start_flood 2000 -s 1 -S 10.99.1.1
	check "why: over a verified source's rate" wait_for why_says 10.99.1.1 \
		'^10\.99\.1\.1: challenge \(challenged\): .* sends more than the 100 SYN/s .* \(for another 4m[0-9]{2}s\), or all such sources more than 10 budgets: '
	stop_flood
	stop_synwarden
}

why_is_not_served() {
	sw why 10.99.1.2 --to "$1" | grep -q not_served
}

test_why_served() {
	# Half-open connections show an address to be served: this one has none.
	in_server ip addr add 10.99.0.8/24 dev s0
	start_synwarden
	start_flood 5000 -s 0
	wait_for port_is_armed
	why_is "nothing is served" 10.99.1.2 pass not_served --to 10.99.0.8
	get $SERVER_ADDR 10.99.1.1 --max-time 5 >/dev/null
	why_is "an address is served" 10.99.1.2 challenge challenged
	why_is "none of that family is" 2001:db8::1 pass not_served
	why_is "to the one that is served" 10.99.1.2 challenge challenged --to $SERVER_ADDR
	why_is "to one that is not local" 10.99.1.2 pass not_local --to 10.99.0.9
	why_is "from this host" $SERVER_ADDR pass not_local
	in_server ip addr add 10.99.0.9/24 dev s0
	wait_for why_is_not_served 10.99.0.9
	why_is "to another" 10.99.1.2 pass not_served --to 10.99.0.9
	check_equal "why: to another, in words" "10.99.1.2: pass (not_served): port 80 is over --port-budget 1000, but \
10.99.0.9 is not known to be served there: all pass (--protect makes it known)" "$(sw why 10.99.1.2 --to 10.99.0.9)"
	expect "why: --to a network" 2 "" 'synwarden: why: --to: "10.99.0.0/24" is not an IPv4 or IPv6 address' \
		sw why 10.99.1.2 --to 10.99.0.0/24
	stop_flood
	stop_synwarden
}

port_is_armed() {
	[ "$(field .armed)" = true ]
}

# The answers of XDP_TX wait in a veth until something else comes that way, unless it has an XDP program itself: flood -x
# brings one. Only a trickle comes with it, to a port without a listener.
take_answers() {
	start_flood 1 -p 9
}

# check_no_alarm NAME: in all of a run, which ends
check_no_alarm() {
	check_equal "$1: never under attack" "" "$(grep 'under SYN attack' "$TMP/run.err" "$TMP/run.out")"
	stop_synwarden
}

# check_wrk NAME: it got answers, and those alone
check_wrk() {
	check_equal "$1: no client fails" "" "$(grep -E 'Socket errors|Non-2xx' "$TMP/wrk")"
	check "$1: $(awk '/requests in/ { print $1 }' "$TMP/wrk") requests" grep -q 'requests in' "$TMP/wrk"
}

# Each request is a connection: far over the budget, and from one source over what a verified one may.
test_many_clients() {
	start_synwarden --protect 80
	in_client wrk -t 2 -c 20 -d 8s -H 'Connection: close' "http://$SERVER_ADDR/" >"$TMP/wrk"
	check_wrk "a connection a request"
	check "a connection a request: $(field .syn_rate) SYN/s" test "$(field .syn_rate)" -ge 2000
	check "a connection a request: armed" port_is_armed
	check_no_alarm "a connection a request"
}

# slowest_is_below SECONDS: to connect, in $TMP/objects; a lost SYN costs a second
slowest_is_below() {
	awk -v most="$1" '$2 > most { print; slow++ } END { exit slow > 0 }' "$TMP/objects"
}

# A page of 200 objects, each over a connection of its own, loaded again and again.
test_page() {
	local i
	start_synwarden --protect 80 --port-budget 100
	for i in {1..200}; do
		printf 'url = "http://%s/?%s"\noutput = /dev/null\n' $SERVER_ADDR "$i"
	done >"$TMP/page"
	for i in {1..10}; do
		in_client curl --no-progress-meter --parallel --parallel-max 30 -H 'Connection: close' --interface "10.99.1.$((i % 3 + 1))" \
			-w '%{http_code} %{time_connect}\n' -K "$TMP/page"
	done >"$TMP/objects"
	check_equal "a page of 200 objects, ten times: all are served" "2000 200" \
		"$(cut -d' ' -f1 "$TMP/objects" | sort | uniq -c | awk '{ print $1, $2 }')"
	check "a page of 200 objects: none needs a second SYN" slowest_is_below 0.9
	check "a page of 200 objects: armed" port_is_armed
	judge_on 4
	check_no_alarm "a page of 200 objects"
}

test_keep_alive() {
	start_synwarden --protect 80
	in_client wrk -t 2 -c 100 -d 4s "http://$SERVER_ADDR/" >"$TMP/wrk"
	check_wrk "keep-alive"
	check "keep-alive: not armed" fails port_is_armed
	check_no_alarm "keep-alive"
}

net_up
start_nginx
test_attack
test_killed
test_million_sources
test_why
test_why_verified
test_why_served
take_answers
test_many_clients
test_page
test_keep_alive
finish
