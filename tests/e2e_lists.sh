#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# block, unblock, allow, unallow and list while clients ask without pause: whom a prefix names, when it holds, and how
# long; whether or not `run` is alive.
set -u
HERE=$(dirname "$(readlink -f "$0")")
# shellcheck source=tests/lib.sh
. "$HERE/lib.sh"
# shellcheck source=tests/counters.sh
. "$HERE/counters.sh"

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

# change STATUS COMMAND...: as soon as the lists say so, v4 and v6 are answered thus
change() {
	local status=$1
	shift
	check_equal "$*" "" "$(sw "$@" 2>&1)"
	sleep 0.6 # what was under way has ended
	wait_for 5 answers "$status" v4 v6 || check "$*: those it names get $status" false
}

history_of() {
	uniq "$TMP/$1" | paste -sd' '
}

test_under_traffic() {
	ask v4 10.99.0.1 10.99.1.128
	ask v6 '[fd99::1]' fd99:1::80
	ask beside4 10.99.0.1 10.99.1.127
	ask beside6 '[fd99::1]' fd99:1::79
	wait_for 5 answers 200 v4 v6
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

test_list() {
	sw block 10.0.0.0/8 192.0.2.1 2001:db8::/32 0.0.0.0/0
	sw block --for 10m 198.51.100.0/24
	sw allow 10.1.0.0/16 ::/0
	sw block 192.0.2.1 # once more
	check_equal "list" "allow 10.1.0.0/16 until removed
allow ::/0 until removed
block 0.0.0.0/0 until removed
block 10.0.0.0/8 until removed
block 192.0.2.1 until removed
block 198.51.100.0/24 9m5Xs
block 2001:db8::/32 until removed" "$(sw list | sed 's/5[0-9]s$/5Xs/; s/  */ /g' | sort)"
	check_equal "list: its columns" "block  192.0.2.1                                    until removed" \
		"$(sw list | grep -F 192.0.2.1)"
	check_equal "list --json" '{"list":"allow","cidr":"10.1.0.0/16","expires_in_seconds":null}
{"list":"allow","cidr":"::/0","expires_in_seconds":null}
{"list":"block","cidr":"0.0.0.0/0","expires_in_seconds":null}
{"list":"block","cidr":"10.0.0.0/8","expires_in_seconds":null}
{"list":"block","cidr":"192.0.2.1","expires_in_seconds":null}
{"list":"block","cidr":"198.51.100.0/24","expires_in_seconds":X}
{"list":"block","cidr":"2001:db8::/32","expires_in_seconds":null}' \
		"$(sw list --json | sed 's/:\(59[0-9]\|600\)}/:X}/' | sort)"
	expect "unblock what is not there" 1 "" \
		"synwarden: 192.0.2.2 is not on the block list; see it with: synwarden list" sw unblock 192.0.2.2
	expect "unallow what is not there" 1 "" \
		"synwarden: 10.0.0.0/8 is not on the allow list; see it with: synwarden list" sw unallow 10.0.0.0/8
	expect "one bad prefix, and none is taken" 2 "" \
		"synwarden: block: \"10.9.9.9/24\" is not a prefix: bits are set behind its length; did you mean 10.9.9.0/24?" \
		sw block 203.0.113.0/24 10.9.9.9/24
	check "list after that" fails grep -qF 203.0.113 <<<"$(sw list)"
	sw unblock 10.0.0.0/8 192.0.2.1 2001:db8::/32 0.0.0.0/0 198.51.100.0/24
	sw unallow 10.1.0.0/16 ::/0
	expect "list, empty again" 0 "" "" sw list
}

is_answered() {
	[ "$(get 10.99.0.1 "$1")" = 200 ]
}

# check_expiry NAME ADDRESS: blocked for 2 s
check_expiry() {
	local begun
	begun=$(date +%s%N)
	sw block --for 2s "$2"
	check_equal "$1: a blocked source gets nothing" 000 "$(get 10.99.0.1 "$2")"
	check_equal "$1: list shows the entry" "block $2" "$(sw list | awk '{ print $1, $2 }')"
	wait_for 5 is_answered "$2"
	check_between "$1: milliseconds until it is answered" 1900 3500 $((($(date +%s%N) - begun) / 1000000))
	check_equal "$1: the entry is gone from list" "" "$(sw list)"
}

test_expiry() {
	check_expiry "--for 2s" 10.99.1.9
	sw block 10.99.1.0/28
	sw block --for 1s 10.99.1.9
	sleep 1.2
	check_equal "an expired entry does not hide a wider one" 000 "$(get 10.99.0.1 10.99.1.9)"
	sw unblock 10.99.1.0/28
	sw block 10.99.1.10
	kill -KILL "$SW"
	wait "$SW" 2>/dev/null
	sw unblock 10.99.1.10
	check_equal "after SIGKILL: lists still change" 200 "$(get 10.99.0.1 10.99.1.10)"
	check_expiry "--for 2s, after SIGKILL" 10.99.1.11
}

net_up
silence 0
start_nginx
expect "list without a run" 1 "" \
	"synwarden: synwarden is not at work in this network namespace; start it: synwarden run IFACE" sw list
start_synwarden
test_under_traffic
test_list
test_expiry
finish
