#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What has happened: an attack with its figures, which are what the kernel side counted, in the log, in `events` and over
# HTTP, and in a report with a sample of its SYNs; interfaces, reloads, restarts; also over a restart, and of an attack in
# which `run` was killed; not from a file that is damaged.
#
# test: slow asan-slow no-kernels
set -u
ROOT=$(readlink -f "$(dirname "$0")/../..")
# shellcheck source=tests/lib/network.sh
. "$ROOT/tests/lib/network.sh"
# shellcheck source=tests/lib/counters.sh
. "$ROOT/tests/lib/counters.sh"
# shellcheck source=tests/lib/conf.sh
. "$ROOT/tests/lib/conf.sh"

KEEP_STATE=1
FILE=$STATE_DIRECTORY/netns-$SERVER.events
RATE=10000

# events FILTER [OPTION...]: of each, by jq
events() {
	sw events --json "${@:2}" | jq -rc "$1"
}

# attack FIELD: of the last one
attack() {
	events 'select(.event == "attack") | '"$1" | tail -n 1
}

over_http() {
	in_server curl -sf "http://127.0.0.1:9798/api/$1"
}

is_over() {
	[ "$(over_http events | jq '[.[] | select(.event == "attack")][0] | .ongoing')" = false ]
}

has_event() {
	sw events | grep -qE "^[-0-9]+T[0-9:]+Z  #[0-9]+ +$1\$"
}

has_said() {
	grep -qF "$1" "$TMP/run.err"
}

# start_flood SECONDS: of RATE a second
start_flood() {
	start_in_client "$FLOOD" -x -q -e -s 5000 -r "$RATE" -c $((RATE * $1)) -t $(($1 + 10)) c0 \
		"$(mac in_server s0)" "$SERVER_ADDR"
	FLOODER=$!
}

# seconds_of: SYN/s in each second that was judged, by the kernel side's counters and clock
seconds_of() {
	over_http history | jq '[.[] | {at: .monotonic_us, syns: (.passed + .challenged + .dropped)}] | . as $all |
		[range(1; length) | ($all[.].at - $all[. - 1].at) as $us | ($all[.].syns - $all[. - 1].syns) * 1000000 / $us | floor]'
}

# counted FIELD: of port 80, since `run` started
counted() {
	of_port 80 "$1"
}

in_numbers() {
	LC_ALL=C sed -E ':more; s/([0-9])([0-9]{3})($|,)/\1,\2\3/; t more' <<<"$1"
}

# The numbers of the log's line at the attack's begin
first_rate() {
	sed -n 's/.*port 80 is under SYN attack: \([0-9,]*\) SYN.*/\1/p' "$TMP/run.err" | tr -d , | head -n 1
}

# Of the file, which is written later where the disk is slow
log_has_figures() {
	has_said "port 80 is no longer under attack: $(sw events | sed -n 's/.*attack on port 80[^:]*: //p')"
}

is_in_the_file() {
	sw events | grep -q 'attack on port 80: '
}

test_figures() {
	local seconds
	start_flood 6
	wait_for has_said "port 80 is under SYN attack"
	get "$SERVER_ADDR" 10.99.1.7 --max-time 5 >"$TMP/got"
	check_equal "a client gets in meanwhile" 200 "$(cat "$TMP/got")"
	wait "$FLOODER"
	seconds=$(seconds_of)
	wait_for is_over
	# A last second with no more than half of the budget is no part of it.
	check_between "all SYNs, but for some of the last second" $(($(counted syns) - 500)) "$(counted syns)" \
		"$(over_http events | jq '.[0].syns')"
	check_equal "what became of them" \
		"$(over_http events | jq '.[0].syns') $(counted answered) $(counted completed) $(counted dropped)" \
		"$(over_http events | jq -r '.[0] | "\(.passed + .challenged + .dropped) \(.answered) \(.completed) \(.dropped)"')"
	seconds=$(seconds_of)
	check_between "the peak is that of the busiest second" $(($(jq max <<<"$seconds") - 20)) \
		$(($(jq max <<<"$seconds") + 20)) "$(over_http events | jq '.[0].peak_syn_rate')"
	check_between "the rate at its begin is that of the seconds so far" \
		"$(jq "[.[] | select(. > $RATE / 10)] | .[1:4] | min - 20" <<<"$seconds")" \
		"$(jq "[.[] | select(. > $RATE / 10)] | .[0:4] | max + 20" <<<"$seconds")" "$(first_rate)"
	check_between "distinct sources of 5,000 and one" 4850 5150 "$(over_http events | jq '.[0].distinct_sources')"
	check_equal "by minutes: the same SYNs" "$(counted syns) 60" \
		"$(over_http events | jq -r '.[0] | "\(.syns_by_step | add) \(.step_seconds)"')"
	check "the log has its figures" wait_for log_has_figures
	check_equal "status has the last attack, with the same figures" \
		"$(wait_for is_in_the_file && sw events | sed -n 's/.*attack on port 80: //p')" \
		"$(sw status | tr '\n' ' ' | sed -E 's/.* last attack: port 80, ended [0-9.ms ]+ ago: (.* SYN\/s)  .*/\1/')"
	check "and the peak" grep -q "no longer under attack: .*, peak $(in_numbers "$(over_http events | jq '.[0].peak_syn_rate')") SYN/s" \
		"$TMP/run.err"
}

test_kinds() {
	printf 'interface = s0\ninterface = s1\nprotect = 80\nquiet = yes\n' | conf
	reload
	echo "nonsense" | conf
	reload
	in_server ip link del s1
	wait_for has_said "s1 is gone"
	second_link
	wait_for has_said "s1 is back"
	stop_synwarden
	printf 'interface = s0\ninterface = s1\nprotect = 80\n' | conf
	start_conf
	check_equal "a restart: what happened before is kept" \
		"started attack reloaded reload_refused interface_gone interface_back stopped started" \
		"$(wait_for events_are 8 && events .event | paste -sd' ')"
	check_equal "for root alone" "600" "$(stat -c %a "$FILE")"
	check_equal "/api/events is what events --json says, the last one first" "$(sw events --json | jq -s reverse)" \
		"$(over_http events | jq .)"
	check_equal "?limit=2: the last ones" "[8,7]" "$(over_http "events?limit=2" | jq -c '[.[].id]')"
	check "as text: a reload" has_event "$CONF is read again and in force"
	check "as text: one refused" has_event "$CONF is refused: what was in force stays"
	check "as text: an interface gone" has_event "s1 is gone: not filtered"
	check "as text: and back" has_event "s1 is filtered again"
	check_equal "since a time" "7 8" "$(events .id --since "$(events 'select(.id == 7).time')" | paste -sd' ')"
	check_equal "since an hour ago: all" 8 "$(events .id --since 1h | wc -l)"
	expect "since nonsense" 2 "" "synwarden events: --since: \"yesteryear\" is not how long ago, like 2h, or a time, like \
\"2026-01-02 03:04\" or 2026-01-02T03:04:05Z (synwarden help events)" sw events --since yesteryear
}

events_are() {
	[ "$(events .id | wc -l)" = "$1" ]
}

# told LINE: whether the report has it, whatever the number of spaces
told() {
	tr -s ' ' <"$TMP/report" | grep -qE "^ ?$1\$"
}

test_report() {
	local from to syns
	from=$(date -d "$(attack .time)" +%s%N) to=$(date -d "$(attack .released)" +%s%N)
	syns=$(attack '.syns_by_step[0]')
	sw report --pcap "$TMP/pcap" >"$TMP/report"
	check "a report names the port, and the event" told "TCP SYN flood against port 80 of .* \(event 2, recorded by synwarden\)"
	check "its peak" told "Peak $(in_numbers "$(attack .peak_syn_rate)") SYN/s, in its busiest second"
	check "its SYNs" told "SYNs $(in_numbers "$(attack .syns)")"
	check "by the minute, until the release" told "SYNs by 60 s, UTC, until the port was released:"
	check "its rate is of the time until then" told "$(attack .time | cut -c 1-19)Z $(in_numbers "$syns") \
$(in_numbers $((syns * 1000 / ((to - from) / 1000000))))/s"
	check "the network of a sample" told "198.18.0.0/16 (100|99) of 100"
	check "what its SYNs look like" told "(100|99) of 100: TTL [0-9]+, window [0-9]+, .*bytes"
	check_equal "the sample: a hundred SYNs, as tcpdump reads it" 100 \
		"$(tcpdump -nr "$TMP/pcap" "tcp[tcpflags] == tcp-syn and dst host $SERVER_ADDR and dst port 80" 2>"$TMP/tcpdump" | wc -l)"
	check_equal "report 2 is the same" "$(cat "$TMP/report")" "$(sw report 2)"
	expect "an event that is no attack" 1 "" "synwarden: report: there is no such attack; see: synwarden events" sw report 1
}

is_attacked() {
	[ "$(attack ".ongoing and .syns > $RATE")" = true ]
}

test_killed() {
	start_flood 30
	wait_for is_attacked
	check "an attack that goes on is shown" has_event "attack on port 80, going on: .*"
	stop_synwarden KILL
	stop "$FLOODER"
	start_conf
	wait_for has_event "synwarden .* began to filter, and took over the filter of a former run"
	check_equal "killed: an attack whose end is not known" "false true null" "$(attack '"\(.ongoing) \(.interrupted) \(.released)"')"
	check "its figures are those up to then" test "$(attack .syns)" -gt $RATE -a "$(attack .syns)" -le "$(counted syns)"
	stop_synwarden
}

test_damaged() {
	head -c 300 "$FILE" >"$TMP/cut"
	cp "$TMP/cut" "$FILE"
	mkdir "$FILE.new"
	start_conf
	check "a damaged file is said" has_said "a new log of events is begun, and the former one set aside as $FILE.damaged: line"
	check "and set aside" cmp "$TMP/cut" "$FILE.damaged"
	check "what cannot be saved is said" wait_for has_said "cannot save the events in $FILE: Is a directory"
	rmdir "$FILE.new"
	check "and saved once it can be" wait_for has_said "the events are saved in $FILE again"
	check_equal "the log begins anew" "1 started" "$(events '"\(.id) \(.event)"')"
	stop_synwarden
}

net_up
second_link
start_nginx
printf 'interface = s0\ninterface = s1\nprotect = 80\n' | conf
start_conf
test_figures
test_kinds
test_report
test_killed
test_damaged
finish
