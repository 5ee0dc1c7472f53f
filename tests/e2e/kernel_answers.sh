#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The same SYNs to the kernel with cookies alone, and with the filter in front of it: what the kernel leaves unanswered
# the filter leaves unanswered, and answers have the same fields; with the settings of the namespace, and those of a
# listener. The long form sends 100,000.
#
# test: asan-slow long
set -u
ROOT=$(readlink -f "$(dirname "$0")/../..")
# shellcheck source=tests/lib/network.sh
. "$ROOT/tests/lib/network.sh"

SEED=1
SYNS=$(long_or 50000 3000) # twice

# send_syns FILE: and writes the answers there
send_syns() {
	in_client python3 "$ROOT/tests/tools/syns.py" send c0 "$(mac in_server s0)" $SERVER_ADDR $SERVER_ADDR6 "$SYNS" $SEED "$1"
}

# test_answers NAME
test_answers() {
	send_syns "$TMP/kernel"
	start_synwarden --listen off --port-budget 1 --protect 80
	send_syns "$TMP/filter"
	python3 "$ROOT/tests/tools/syns.py" compare "$SYNS" $SEED "$TMP/kernel" "$TMP/filter" >"$TMP/table" 2>"$TMP/different"
	check_equal "$1: $SYNS SYNs, no difference that is not known" "0 " "$? $(cat "$TMP/different")"
	check_between "$1: so many were answered by the filter" $((SYNS / 4)) "$SYNS" \
		"$(in_server "$SYNWARDEN" status --json | jq '.verdicts[] | select(.reason == "challenged").packets')"
	stop_synwarden
	[ -z "${KEEP_TABLE:-}" ] || cp "$TMP/table" "$KEEP_TABLE"
}

net_up
in_server ip addr add 10.99.0.9/24 dev s0
in_server ip addr add fd99::9/64 dev s0 nodad
in_server sysctl -qw net.ipv4.tcp_syncookies=2 net.ipv4.tcp_timestamps=2
take_replies

in_server sysctl -qw net.ipv4.ip_default_ttl=77 net.ipv6.conf.s0.hop_limit=78
start_in_server python3 "$ROOT/tests/tools/syns.py" listen
LISTENER=$!
wait_for listening 80
test_answers "settings of the namespace"

stop $LISTENER
in_server sysctl -qw net.ipv4.tcp_reflect_tos=1
start_in_server python3 "$ROOT/tests/tools/syns.py" listen 200 40
wait_for listening 80
test_answers "settings of the listener"
finish
