#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Shared lists: from a LAPI of CrowdSec (tests/tools/lapi.py, whose forms and defects are those that were recorded) and from
# lists on a web server and in a file, to packets that are dropped. What is taken off, what stays when a source fails, what
# is known after a restart, and what is never blocked.
#
# test: long slow fetch
set -u
ROOT=$(readlink -f "$(dirname "$0")/../..")
# shellcheck source=tests/lib/network.sh
. "$ROOT/tests/lib/network.sh"
# shellcheck source=tests/lib/counters.sh
. "$ROOT/tests/lib/counters.sh"

CONF=$TMP/synwarden.conf
LAPI=$TMP/lapi
KEY=0123456789abcdef0123456789abcdef
SYNC= # the pid of `synwarden sync`
MOCK= # and of the LAPI

# Sources with public addresses: private ones are protected.
add_clients() {
	local i
	for i in {1..30}; do
		echo "addr add 203.0.113.$i/32 dev lo"
	done | in_client ip -batch -
	in_server ip addr add 198.51.100.1/32 dev lo
	in_server ip route add 192.0.2.128/25 via 192.0.2.200 dev s0 onlink
}

start_lapi() {
	start_in_client python3 "$ROOT/tests/tools/lapi.py" 10.99.0.2 8080 $KEY "$LAPI"
	MOCK=$!
	wait_for lapi_answers || die "the LAPI does not start"
}

lapi_answers() {
	in_client curl -s -o /dev/null http://10.99.0.2:8080/
}

write_conf() {
	cat >"$CONF" <<-END
		interface = s0
		xdp-mode = native
		[crowdsec]
		url = http://10.99.0.2:8080/
		key-file = $TMP/key
		interval = 1s
		spread = 0s
		[list drop]
		url = http://10.99.0.1/drop.txt
		interval = 1s
		[list friends]
		file = $TMP/friends
		verb = allow
	END
}

# start_sync: returns once each source has been read, or could not be
start_sync() {
	start_in_server "$SYNWARDEN" sync --config "$CONF" >"$TMP/sync.out" 2>>"$TMP/sync.err"
	SYNC=$!
	wait_for sync_has_tried || die "sync does not start: $(cat "$TMP/sync.err")"
}

sync_has_tried() {
	gone "$SYNC" || [ "$(sw sync status --json | jq -s 'length == 3 and all(.fresh or .failures > 0)')" = true ]
}

stop_sync() {
	stop "$SYNC" "$@"
}

# decide LINE...: they are the decisions from now on
decide() {
	printf '%s\n' "$@" >"$LAPI/decisions.new"
	mv "$LAPI/decisions.new" "$LAPI/decisions"
}

is_blocked() {
	[ "$(get 10.99.0.1 "203.0.113.$1")" = 000 ]
}

is_open() {
	[ "$(get 10.99.0.1 "203.0.113.$1")" = 200 ]
}

# of SOURCE FILTER: what status says of it, through jq
of() {
	sw sync status --json | jq -c "select(.source == \"$1\") | $2"
}

# of_is SOURCE FILTER VALUE
of_is() {
	[ "$(of "$1" "$2")" = "$3" ]
}

# ms_until COMMAND...: milliseconds until it succeeds
ms_until() {
	local began=${EPOCHREALTIME/./}
	wait_for "$@" || return
	echo $(((${EPOCHREALTIME/./} - began) / 1000))
}

test_decisions() {
	check_equal "no list, no entry" "" "$(sw list)"
	check "before: answered" is_open 7
	decide "1 203.0.113.7 3600 CAPI crowdsecurity/ssh-bf" "2 203.0.113.19/29 3600" "3 203.0.113.8 3600 cscli manual captcha" \
		"4 ::ffff:203.0.113.9 3600" "5 FR 3600 cscli manual Country" "6 0.0.0.0/3 3600"
	echo "# ms until a decision drops: $(ms_until is_blocked 7)"
	check "a decision drops" is_blocked 7
	check "host bits are cleared: the range is blocked" is_blocked 22
	check "beside the range" is_open 24
	check "a captcha is no ban" is_open 8
	check "a v4-mapped address is one of IPv4" is_blocked 9
	check_equal "what is left out" '{"full":0,"protected":0,"short":1,"scope":1,"type":1,"syntax":0}' "$(of crowdsec .left_out)"
	scrape
	check "packets are dropped for this reason" test "$(packets fleet_blocked)" -gt 0
	check "why names it" grep -q 'drop (fleet_blocked)' <<<"$(sw why 203.0.113.7)"
	decide "2 203.0.113.19/29 3600"
	echo "# ms until its deletion lets in: $(ms_until is_open 7)"
	check "its deletion lets in" is_open 7
	check "and no other" is_blocked 17
	check_equal "User-Agent, one full answer, then deltas" "full 1.4 synwarden/$VERSION delta 1.4 synwarden/$VERSION" \
		"$(uniq "$LAPI/requests" | paste -sd' ')"
}

# Two decisions on an address: the one that goes takes nothing off.
test_twice() {
	decide "2 203.0.113.19/29 3600" "10 203.0.113.10 3600 CAPI a" "11 203.0.113.10 1800 cscli b"
	wait_for is_blocked 10
	decide "2 203.0.113.19/29 3600" "11 203.0.113.10 1800 cscli b"
	wait_for of_is crowdsec .block_entries 2
	wait_for asked_again
	check "one of two decisions on it was deleted" is_blocked 10
	decide "2 203.0.113.19/29 3600"
	wait_for is_open 10
	check "both were" is_open 10
}

# asked_again: two requests more have been answered than when it was first called
asked_again() {
	local now
	now=$(wc -l <"$LAPI/requests")
	ASKED=${ASKED:-$now}
	[ "$now" -ge $((ASKED + 2)) ] && unset ASKED
}

# This host, its gateway and LAPI, private addresses, and ranges that hold one of them
test_protected() {
	decide "2 203.0.113.19/29 3600" "20 10.99.0.1 3600" "21 10.99.0.2 3600" "22 10.99.1.0/24 3600" "23 198.51.100.0/24 3600" \
		"24 192.168.3.4 3600" "25 203.0.113.11 3600" "26 192.0.2.200 3600"
	wait_for is_blocked 11
	check_equal "protected entries are left out" 6 "$(of crowdsec .left_out.protected)"
	check_equal "a private address is let in" 200 "$(get 10.99.0.1 10.99.1.7)"
	decide "2 203.0.113.19/29 3600"
	wait_for is_open 11
}

# What LAPI's deltas lose, a comparison with the whole finds.
test_lost_delta() {
	echo 30 >"$LAPI/lost"
	decide "2 203.0.113.19/29 3600" "30 203.0.113.12 3600" "31 203.0.113.13 3600"
	wait_for is_blocked 13
	check "the delta has lost one" is_open 12
	kill -HUP "$SYNC"
	wait_for is_blocked 12
	check "the comparison has found it" is_blocked 12
	check_equal "it is counted" 1 "$(of crowdsec .missed_by_deltas)"
	rm "$LAPI/lost"
}

# all_stay MODE: what was blocked is, when the source has failed thus
all_stay() {
	echo "$1" >"$LAPI/mode.new"
	mv "$LAPI/mode.new" "$LAPI/mode"
	kill -HUP "$SYNC"
	wait_for of_is crowdsec '.failures > 0' true || return
	is_blocked 19 && of_is crowdsec .block_entries 3
}

test_broken_answers() {
	local mode
	for mode in cut status-500 status-403 garbage empty other huge; do
		check "$mode: nothing is taken off" all_stay $mode
		echo 1.7 >"$LAPI/mode"
		kill -HUP "$SYNC"
		wait_for of_is crowdsec .failures 0
	done
	rm "$LAPI/mode"
	check "it is as small as ever" test "$(awk '/^VmHWM/ { print $2 }' "/proc/$SYNC/status")" -lt 65536
}

many() {
	local i
	for i in {1..40}; do
		echo "$((100 + i)) 192.0.2.$i 3600"
	done
}

# The long form: without --force, the next whole answer is believed, a minute later; deltas are read meanwhile.
test_second_time() {
	rm "$LAPI/mode"
	kill -HUP "$SYNC"
	wait_for of_is crowdsec .block_entries 41
	echo short >"$LAPI/mode"
	kill -HUP "$SYNC"
	wait_for doubted_again
	wait_for of_is crowdsec .block_entries 4 || wait_for of_is crowdsec .block_entries 4
	check_equal "the second time it is believed" 4 "$(of crowdsec .block_entries)"
}

doubted_again() {
	[ "$(grep -c 'would take 37 of 41 entries off' "$TMP/sync.err")" = 2 ]
}

# A whole list that is much shorter at once is not believed, but by --force.
test_shrink() {
	mapfile -t lines < <(many)
	decide "${lines[@]}" "2 203.0.113.19/29 3600"
	wait_for of_is crowdsec .block_entries 41
	echo short >"$LAPI/mode"
	kill -HUP "$SYNC"
	check "it says so" wait_for grep -q 'its answer would take 37 of 41 entries off' "$TMP/sync.err"
	check_equal "and takes none off" 41 "$(of crowdsec .block_entries)"
	check_equal "a second sync asks the first" "the synwarden sync with pid $SYNC reads all sources in full, and believes them" \
		"$(sw sync --config "$CONF" --force)"
	check "which believes it then" wait_for of_is crowdsec .block_entries 4
	[ -z "${LONG:-}" ] || test_second_time
	rm "$LAPI/mode"
	decide "2 203.0.113.19/29 3600"
	kill -HUP "$SYNC"
	wait_for of_is crowdsec .block_entries 1
	try sw sync --config "$CONF"
	check_equal "a second sync that is not to ask: status" 1 "$STATUS"
}

# sent_once LINE: of the requests for the web server's list from this one on, one was answered with the list
sent_once() {
	tail -n "+$1" "$TMP/drop.log" | awk '{ print $6 }' | uniq | paste -sd' ' | grep -qE '^(304 )?200 304$'
}

test_order() {
	local asked
	asked=$(wc -l <"$TMP/drop.log")
	echo 203.0.113.0/24 >"$TMP/nginx/www/drop.txt"
	wait_for is_blocked 1
	check "a list from a web server: blocked" is_blocked 1
	echo 203.0.113.1 >"$TMP/friends"
	check "fleet allow before fleet block" wait_for is_open 1
	check "the web server's list is sent when it has changed" wait_for sent_once $((asked + 1))
	sw block 203.0.113.1 >/dev/null
	check "local block before fleet allow" is_blocked 1
	sw allow 203.0.113.2 >/dev/null
	check "local allow before fleet block" is_open 2
	sw unblock 203.0.113.1 >/dev/null
	sw unallow 203.0.113.2 >/dev/null
	rm "$TMP/nginx/www/drop.txt"
	wait_for of_is drop '.failures > 0' true
	check "a list that has gone: its entries stay" is_blocked 2
	echo '; none' >"$TMP/nginx/www/drop.txt"
	check "a list that is empty: they go" wait_for is_open 2
}

# Nobody is asked: entries end on their time, and are known after a restart of all.
test_without_lapi() {
	decide "2 203.0.113.19/29 3600" "40 203.0.113.14 5" "41 203.0.113.15 3600"
	wait_for is_blocked 15
	stop $MOCK KILL
	wait_for of_is crowdsec '.failures > 0' true
	check "LAPI is dead: blocked" is_blocked 15
	wait_for is_open 14
	check "an entry has ended" is_open 14
	check "the others have not" is_blocked 15
	wait_for grep -q ' 203.0.113.15 ' "$STATE_DIRECTORY/netns-$SERVER.fleet"
	stop_sync KILL
	check "sync is dead: blocked" is_blocked 15
	stop_synwarden
	KEEP_STATE=1 start_synwarden --config "$CONF"
	check "all is new: open" is_open 15
	start_sync
	check "from the state file" is_blocked 15
	check "and the range" is_blocked 19
	start_lapi
	decide "2 203.0.113.19/29 3600"
	check "LAPI is back" wait_for is_open 15
	stop_sync
	check_equal "sync ends: status" 0 $?
}

test_once() {
	try sw sync --config "$CONF" --once
	check_equal "--once: status" 0 "$STATUS"
	decide "2 203.0.113.19/29 3600" "50 203.0.113.14 3600"
	check_equal "--once --dry-run: what would change" "+ block 203.0.113.14" \
		"$(sw sync --config "$CONF" --once --dry-run | grep '^[+-]')"
	check "nothing has" is_open 14
	try sw sync --config "$CONF" --once --export "$TMP/export"
	check_equal "--export: the list" "203.0.113.14 203.0.113.16/29" "$(grep -v '^#' "$TMP/export" | paste -sd' ')"
	stop $MOCK KILL
	try sw sync --config "$CONF" --once
	check_equal "a source that cannot be read: status" 3 "$STATUS"
	check_equal "no sync runs: status says so" "sync does not run" "$(sw sync status | sed -n 's/^crowdsec .*  //p')"
	start_sync
	stop_synwarden
	wait_for gone "$SYNC"
	stop_sync
	check_equal "the filter has ended, and so does sync: status" 1 $?
}

net_up
VERSION=$("$SYNWARDEN" version | cut -d' ' -f2)
add_clients
start_nginx "location = /drop.txt { access_log $TMP/drop.log told; }"
mkdir "$LAPI"
: >"$TMP/friends"
echo $KEY >"$TMP/key"
chmod 600 "$TMP/key"
echo '; none' >"$TMP/nginx/www/drop.txt"
start_lapi
write_conf
start_synwarden --config "$CONF"
start_sync
test_decisions
test_twice
test_protected
test_lost_delta
test_broken_answers
test_shrink
test_order
test_without_lapi
test_once
finish
