#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# block, unblock, allow, unallow and list while clients send requests without a pause: which sources a prefix names, from
# when on it holds, and how long; whether `run` is running or not.
#
# test: slow no-kernels
set -u
ROOT=$(readlink -f "$(dirname "$0")/../..")
# shellcheck source=tests/lib/network.sh
. "$ROOT/tests/lib/network.sh"
# shellcheck source=tests/lib/counters.sh
. "$ROOT/tests/lib/counters.sh"

LOOPS=()

# ask NAME ADDRESS SOURCE: requests, one after the other, until the end
ask() {
	start ask_on "$2" "$3" >"$TMP/$1"
	LOOPS+=($!)
}

ask_on() {
	while :; do
		get "$@"
		sleep 0.02
	done
}

# answers STATUS NAME...: the last three requests of each all ended so
answers() {
	local status=$1 name
	shift
	for name in "$@"; do
		[ "$(tail -n3 "$TMP/$name" | tr '\n' ' ')" = "$status $status $status " ] || return 1
	done
}

# both_have V4 V6: more requests than that have ended
both_have() {
	[ "$(wc -l <"$TMP/v4")" -gt "$1" ] && [ "$(wc -l <"$TMP/v6")" -gt "$2" ]
}

# change STATUS COMMAND...: as soon as the lists say so, v4 and v6 are answered thus
change() {
	local status=$1 v4 v6
	shift
	check_equal "$*" "" "$(sw "$@" 2>&1 >/dev/null)"
	v4=$(wc -l <"$TMP/v4")
	v6=$(wc -l <"$TMP/v6")
	wait_for both_have "$v4" "$v6" # what was under way has ended
	wait_for answers "$status" v4 v6 || check "$*: those it names get $status" false
}

history_of() {
	uniq "$TMP/$1" | paste -sd' '
}

test_under_traffic() {
	ask v4 10.99.0.1 10.99.1.128
	ask v6 '[fd99::1]' fd99:1::80
	ask beside4 10.99.0.1 10.99.1.127
	ask beside6 '[fd99::1]' fd99:1::79
	wait_for answers 200 v4 v6
	change 000 block 10.99.1.128/25 fd99:1::80/121
	change 200 unblock 10.99.1.128/25 fd99:1::80/121
	change 000 block 0.0.0.0/1 fd99:1::80
	change 200 allow 10.99.1.128 fd99:1::80/122
	change 000 unallow 10.99.1.128 fd99:1::80/122
	change 000 block 10.99.1.128
	change 000 unblock 0.0.0.0/1
	change 200 unblock 10.99.1.128 fd99:1::80
	kill "${LOOPS[@]}"
	check_equal "under traffic, IPv4" "200 000 200 000 200 000 200" "$(history_of v4)"
	check_equal "under traffic, IPv6" "200 000 200 000 200 000 200" "$(history_of v6)"
	check_equal "the address before the first of the prefix" "200 000 200" "$(history_of beside4)"
	check_equal "the address before the first of the prefix, IPv6" 200 "$(history_of beside6)"
}

# The last of those that asked meanwhile may still be served.
none_is_established() {
	[ -z "$(in_server ss -Htn state established)" ]
}

test_list() {
	local began
	wait_for none_is_established
	expect "block: what it did" 0 "10.0.0.0/8 is blocked until removed; no established connection from there stops
192.0.2.1 is blocked until removed; no established connection from there stops
2001:db8::/32 is blocked until removed; no established connection from there stops
0.0.0.0/0 is blocked until removed; no established connection from there stops" "" \
		sw block 10.0.0.0/8 192.0.2.1 2001:db8::/32 0.0.0.0/0
	began=$EPOCHSECONDS
	expect "block --for" 0 "198.51.100.0/24 is blocked for 10m00s; no established connection from there stops" "" \
		sw block --for 10m 198.51.100.0/24
	expect "allow: what it did" 0 "10.1.0.0/16 is allowed until removed
::/0 is allowed until removed" "" sw allow 10.1.0.0/16 ::/0
	sw block 192.0.2.1 >/dev/null # once more
	check_equal "list" "allow 10.1.0.0/16 until removed by command
allow ::/0 until removed by command
block 0.0.0.0/0 until removed by command
block 10.0.0.0/8 until removed by command
block 192.0.2.1 until removed by command
block 198.51.100.0/24 Xs by command
block 2001:db8::/32 until removed by command" "$(sw list | sed 's/[0-9]*m[0-5][0-9]s /Xs /; s/  */ /g' | sort)"
	check_equal "list: its columns" "block  192.0.2.1                                    until removed  by command" \
		"$(sw list | grep -F 192.0.2.1)"
	check_equal "list --json" '{"list":"allow","cidr":"10.1.0.0/16","expires_in_seconds":null,"origin":"command"}
{"list":"allow","cidr":"::/0","expires_in_seconds":null,"origin":"command"}
{"list":"block","cidr":"0.0.0.0/0","expires_in_seconds":null,"origin":"command"}
{"list":"block","cidr":"10.0.0.0/8","expires_in_seconds":null,"origin":"command"}
{"list":"block","cidr":"192.0.2.1","expires_in_seconds":null,"origin":"command"}
{"list":"block","cidr":"198.51.100.0/24","expires_in_seconds":X,"origin":"command"}
{"list":"block","cidr":"2001:db8::/32","expires_in_seconds":null,"origin":"command"}' \
		"$(sw list --json | sed 's/:[0-9]*,/:X,/' | sort)"
	check_left "list --json: the time that is left" 600 "$began" "$(sw list --json | jq '.expires_in_seconds // empty')"
	expect "unblock what is not there: a note" 0 "" "synwarden: 2001:db9:: is not on the block list" sw unblock 2001:db9::
	expect "unblock what a wider prefix holds" 0 "" \
		"synwarden: 10.2.0.0/16 is not on the block list by itself: it is within 10.0.0.0/8, which is" \
		sw unblock 10.2.0.0/16
	expect "unallow what is not there" 0 "" "synwarden: 192.0.2.2 is not on the allow list" sw unallow 192.0.2.2
	expect "one bad prefix, and none is taken" 2 "" \
		"synwarden: block: \"10.9.9.9/24\" is not a prefix: bits are set behind its length; did you mean 10.9.9.0/24?" \
		sw block 203.0.113.0/24 10.9.9.9/24
	check "list after that" fails grep -qF 203.0.113 <<<"$(sw list)"
	sw unblock 10.0.0.0/8 192.0.2.1 2001:db8::/32 0.0.0.0/0 198.51.100.0/24 >/dev/null
	expect "unallow: what it did" 0 "10.1.0.0/16 is off the allow list
::/0 is off the allow list" "" sw unallow 10.1.0.0/16 ::/0
	expect "list, empty again" 0 "" "" sw list
}

listed() {
	sw list | awk '{ print $1, $2 }' | sort | paste -sd' '
}

# The rest is done, whatever one of them is like.
test_all_they_can() {
	sw block 192.0.2.1 192.0.2.3 192.0.2.4 >/dev/null
	expect "unblock A MISSING B" 0 "192.0.2.1 is off the block list
192.0.2.3 is off the block list" "synwarden: 192.0.2.2 is not on the block list" sw unblock 192.0.2.1 192.0.2.2 192.0.2.3
	check_equal "A and B are unblocked" "block 192.0.2.4" "$(listed)"
	sw unblock 192.0.2.4 >/dev/null
	expect "neither argument nor file" 2 "" \
		"synwarden block: missing argument: CIDR..., or --file (synwarden help block)" sw block
}

test_files() {
	local began=$EPOCHSECONDS
	printf '; a list\r\n192.0.2.0/25 ; REC1\r\n192.0.2.7\n198.51.100.1-198.51.100.2\n' >"$TMP/list"
	expect "block --file" 0 "203.0.113.1 is blocked for 1h30m; no established connection from there stops
3 prefixes of \"$TMP/list\" are blocked for 1h30m; no established connection from there stops" "" \
		sw block --file "$TMP/list" --for 1h30m 203.0.113.1
	check_equal "what the file holds, and the argument" \
		"block 192.0.2.0/25 block 198.51.100.1 block 198.51.100.2 block 203.0.113.1" "$(listed)"
	check_left "an hour and a half" 5400 "$began" "$(sw list --json | jq -s '.[0].expires_in_seconds')"
	expect "unblock --file -, with a note" 0 "4 prefixes of \"-\" are off the block list" "synwarden: 1 of 5 prefixes were not on the block list" \
		sw unblock --file - <<-END
			192.0.2.0/25
			198.51.100.1-198.51.100.2
			203.0.113.1
			203.0.113.9
		END
	printf '10.0.0.%d\n' {0..36..4} >"$TMP/list"
	echo example.org >>"$TMP/list"
	expect "allow --file: a bad line is left out, the rest holds" 1 "10 prefixes of \"$TMP/list\" are allowed until removed" \
		"synwarden: $TMP/list:11: a text of 11 bytes is not an IPv4 or IPv6 address, optionally with /LENGTH: left out" \
		sw allow --file "$TMP/list"
	check_equal "ten of eleven" 10 "$(sw list | wc -l)"
	expect "unallow --file" 1 "10 prefixes of \"$TMP/list\" are off the allow list" \
		"synwarden: $TMP/list:11: a text of 11 bytes is not an IPv4 or IPv6 address, optionally with /LENGTH: left out" \
		sw unallow --file "$TMP/list"
	expect "none is left" 0 "" "" sw list
	echo example.org >>"$TMP/list"
	expect "more than one bad line in ten: nothing of it is taken" 1 \
		"192.0.2.1 is blocked until removed; no established connection from there stops" \
		"synwarden: $TMP/list:11: a text of 11 bytes is not an IPv4 or IPv6 address, optionally with /LENGTH: left out
synwarden: $TMP/list:12: a text of 11 bytes is not an IPv4 or IPv6 address, optionally with /LENGTH: left out
synwarden: block: nothing of \"$TMP/list\" is taken: 2 of its 12 lines are bad" sw block --file "$TMP/list" 192.0.2.1
	check_equal "but the argument is" "block 192.0.2.1" "$(listed)"
	sw unblock 192.0.2.1 >/dev/null
}

is_held() {
	in_server ss -Htn state established src 10.99.0.1 dst 10.99.0.2 | grep -q .
}

test_connections() {
	start_in_client bash -c 'exec 3<>/dev/tcp/10.99.0.1/80; exec sleep 60'
	wait_for is_held
	expect "block: the connections that it cuts" 0 "10.99.0.0/25 is blocked for 1h00m; 1 established connection from there stops
10.99.0.3 is blocked for 1h00m; no established connection from there stops" "" sw block --for 1h 10.99.0.0/25 10.99.0.3
	sw allow 10.99.0.2/31 >/dev/null
	expect "block: one from the allow list goes on" 0 \
		"10.99.0.0/25 is blocked for 1h00m; no established connection from there stops" "" sw block --for 1h 10.99.0.0/25
	sw unallow 10.99.0.2/31 >/dev/null
	stop $!
	sw unblock 10.99.0.0/25 10.99.0.3 >/dev/null
}

is_answered() {
	[ "$(get 10.99.0.1 "$1")" = 200 ]
}

# has_passed BEGAN MS: since then; it is of EPOCHREALTIME
has_passed() {
	[ $(((${EPOCHREALTIME/./} - ${1/./}) / 1000)) -ge "$2" ]
}

# check_expiry NAME ADDRESS: blocked for 2 s; where it took longer to look, for more
check_expiry() {
	local seconds begun gets shown
	for ((seconds = 2; seconds <= 32; seconds *= 2)); do
		begun=$EPOCHREALTIME
		sw block --for ${seconds}s "$2" >/dev/null
		gets=$(get 10.99.0.1 "$2")
		shown=$(sw list | awk '{ print $1, $2 }')
		has_passed "$begun" $((seconds * 1000)) || break
	done
	check_equal "$1: a blocked source gets nothing" 000 "$gets"
	check_equal "$1: list shows the entry" "block $2" "$shown"
	wait_for is_answered "$2"
	check "$1: it is answered, and not before" has_passed "$begun" $((seconds * 1000 - 100))
	check_equal "$1: the entry is gone from list" "" "$(sw list)"
	check "$1: to remove it is success" sw unblock "$2"
}

is_listed() {
	sw list | grep -q "^block *$1 "
}

test_expiry() {
	check_expiry "--for 2s" 10.99.1.9
	sw block 10.99.1.0/28 >/dev/null
	sw block --for 1s 10.99.1.9 >/dev/null
	wait_for fails is_listed 10.99.1.9
	check_equal "an expired entry does not hide a wider one" 000 "$(get 10.99.0.1 10.99.1.9)"
	sw unblock 10.99.1.0/28 >/dev/null
	sw block 10.99.1.10 >/dev/null
	kill -KILL "$SW"
	wait "$SW" 2>/dev/null
	sw unblock 10.99.1.10 >/dev/null
	check_equal "after SIGKILL: lists still change" 200 "$(get 10.99.0.1 10.99.1.10)"
	check_expiry "--for 2s, after SIGKILL" 10.99.1.11
}

net_up
silence 0
start_nginx
expect "list without a run" 1 "" \
	"synwarden: no synwarden is running in this network namespace; start one: synwarden run IFACE" sw list
start_synwarden
test_under_traffic
test_list
test_all_they_can
test_files
test_connections
test_expiry
finish
