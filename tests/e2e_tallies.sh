#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What `run` counts beside transitions: resets sent and received, SYNs, SYN-ACKs and segments sent again, and how long
# handshakes took, for both roles; exactly as many as were brought about, and as the kernel's own counters tell.
set -u
HERE=$(dirname "$(readlink -f "$0")")
# shellcheck source=tests/lib.sh
. "$HERE/lib.sh"
# shellcheck source=tests/counters.sh
. "$HERE/counters.sh"
# shellcheck source=tests/gauges.sh
. "$HERE/gauges.sh"
# shellcheck source=tests/golden.sh
. "$HERE/golden.sh"

RETRIES=2
HALF_OPEN=3

ENDED=connections_ended_total
COUNTED="resets_total|retransmits_total|synack_retransmits_total|handshake_duration_seconds_count|$ENDED"

# What is counted from here on: see gained.
begin() {
	in_server nstat -asz >"$TMP/nstat"
	scrape_outside "$TMP/before"
	SCRAPES=1
}

# gained: a line "SERIES COUNT" for each series that has counted since. A scrape is a handshake, and the connection of
# the one before has ended.
gained() {
	scrape_outside "$TMP/after"
	awk -v counted="^($COUNTED)" -v scrapes="$SCRAPES" '
		$1 !~ counted { next }
		NR == FNR { before[$1] = $2; next }
		{ count = $2 - before[$1] }
		/^handshake.*"server"/ || /reason="fin",established="true"/ { count -= scrapes }
		count { print $1, count }' "$TMP/before" "$TMP/after" | sort
	SCRAPES=$((SCRAPES + 1))
}

# gained_is LINES
gained_is() {
	gained >"$TMP/gained"
	[ "$(cat "$TMP/gained")" = "$1" ]
}

# check_gained NAME SERIES COUNT...: this is all that was gained
check_gained() {
	local want
	want=$(printf '%s %s\n' "${@:2}" | sort)
	wait_for 3 gained_is "$want"
	check_equal "$1" "$want" "$(cat "$TMP/gained")"
}

# gained_of SERIES: as of the last check
gained_of() {
	awk -v series="$1" '$1 == series { print $2 }' "$TMP/gained"
}

# kernel NAME: what the server's kernel has counted since begin
kernel() {
	in_server nstat -asz "$1" | awk -v name="$1" '$1 == name { count = $2 - count } END { print count }' "$TMP/nstat" -
}

# refuse in_server|in_client ADDRESS...: connects to where nobody listens
refuse() {
	local address
	for address in "${@:2}"; do
		"$1" bash -c ": >/dev/tcp/$address/81" 2>/dev/null
	done
}

test_resets() {
	begin
	refuse in_client 10.99.0.1 10.99.0.1 10.99.0.1 fd99::1 fd99::1
	if grep -q sk_rst_reason /sys/kernel/btf/vmlinux; then
		check_gained "five connects are refused here" 'resets_total{direction="sent"}' 5
	else
		check_equal "five connects are refused here, which kernels before 6.10 do not tell" "" "$(gained)"
	fi
	check_equal "as many resets as the kernel tells" 5 "$(kernel TcpOutRsts)"
	begin
	refuse in_server 10.99.0.2 10.99.0.2 10.99.0.2 fd99::2 fd99::2
	check_gained "five connects are refused there" 'resets_total{direction="received"}' 5 \
		"$ENDED{reason=\"refused\",established=\"false\"}" 5
}

# request in_server|in_client COUNT
request() {
	local i
	for ((i = 0; i < $2; i++)); do
		"$1" curl -sf -o "$TMP/page" --max-time 5 http://10.99.0.1/ || die "no page"
	done
}

test_handshakes() {
	begin
	request in_client 5
	check_gained "a handshake for each client" 'handshake_duration_seconds_count{role="server"}' 5 \
		"$ENDED{reason=\"fin\",established=\"true\"}" 5
	begin
	request in_server 3
	check_gained "both roles are told apart" 'handshake_duration_seconds_count{role="server"}' 3 \
		'handshake_duration_seconds_count{role="client"}' 3 "$ENDED{reason=\"fin\",established=\"true\"}" 3 \
		"$ENDED{reason=\"time_wait\",established=\"true\"}" 3
	begin
	in_server sysctl -qw net.ipv4.tcp_syncookies=2
	request in_client 2
	in_server sysctl -qw net.ipv4.tcp_syncookies=1
	check_gained "nobody measures the round trip of a SYN cookie" "$ENDED{reason=\"fin\",established=\"true\"}" 2
}

# test_fastopen SCENARIO ADDRESSES PORT COUNTS: handshakes completed and aborted, of an ordinary one and of a child that
# TCP Fast Open made, which may be closed before its own handshake is complete.
test_fastopen() {
	# shellcheck disable=SC2086
	python3 "$HERE/peer.py" "/run/netns/$SERVER" "/run/netns/$CLIENT" "$1" $2 "$3" >"$TMP/fast" || die "no $1"
	check_equal "$1: handshakes completed and aborted" "$4" \
		"$(sw status --json | jq -r --argjson port "$3" '.ports[] | select(.port == $port) | "\(.completed) \(.aborted)"')"
}

# sum ROLE: microseconds that handshakes have taken, in all
sum() {
	scrape_outside "$TMP/after"
	awk -v series="handshake_duration_seconds_sum{role=\"$1\"}" '$1 == series { printf "%.0f", $2 * 1e6 }' "$TMP/after"
}

# test_duration ROLE NETNS_OF_LISTENER NETNS_OF_CLIENT ADDRESSES: the scrape's own handshake takes next to no time
test_duration() {
	local before least most
	before=$(sum "$1")
	# shellcheck disable=SC2086
	python3 "$HERE/peer.py" "/run/netns/$2" "/run/netns/$3" handshake_slow $4 7001 >"$TMP/slow" || die "no slow handshake"
	read -r _ least most < <(grep ^took "$TMP/slow")
	check_time "microseconds that a handshake took, as $1" "$least" $((most + 20000)) $(($(sum "$1") - before))
}

# Half-open ones whose SYN-ACK gets lost, a connect that nobody answers, data that nobody acknowledges.
test_retransmits() {
	local total
	in_server sysctl -qw net.ipv4.tcp_synack_retries=$RETRIES net.ipv4.tcp_syn_retries=$RETRIES
	begin
	flood -q -c $HALF_OPEN -s 100000
	start_in_server bash -c ': >/dev/tcp/198.51.100.1/81' 2>/dev/null
	wait_for 5 half_open $HALF_OPEN
	check_equal "half-open connections" $HALF_OPEN "$(half_open_now)"
	python3 "$HERE/peer.py" "/run/netns/$CLIENT" "/run/netns/$SERVER" data_timeout 10.99.0.2 10.99.0.1 7002 \
		>"$TMP/data" || die "no time-out"
	wait $!
	wait_for 10 half_open 0
	total=$(kernel TcpRetransSegs)
	check_gained "what was sent again: SYNs, SYN-ACKs, segments" 'retransmits_total{kind="syn"}' $RETRIES \
		synack_retransmits_total $((HALF_OPEN * RETRIES)) \
		'retransmits_total{kind="segment"}' $((total - RETRIES - HALF_OPEN * RETRIES)) \
		'handshake_duration_seconds_count{role="client"}' 1 \
		"$ENDED{reason=\"timeout\",established=\"false\"}" 1 "$ENDED{reason=\"timeout\",established=\"true\"}" 1
	check_between "segments among them" 1 10 "$(gained_of 'retransmits_total{kind="segment"}')"
	check_equal "by port: SYN-ACKs sent again" $((HALF_OPEN * RETRIES)) \
		"$(sw status --json | jq '.ports[] | select(.port == 80).synack_retransmits')"
}

half_open_now() {
	in_server ss -Htn state syn-recv | wc -l
}

half_open() {
	[ "$(half_open_now)" = "$1" ]
}

prepare_net
start_nginx
start_synwarden --listen $METRICS
test_resets
test_handshakes
test_duration server "$SERVER" "$CLIENT" "${HELD[0]}"
test_duration client "$CLIENT" "$SERVER" "10.97.1.2 10.97.1.1"
test_fastopen fastopen_early "${HELD[1]}" 7003 "2 0"
test_fastopen fastopen_reset "${HELD[2]}" 7004 "1 1"
test_retransmits
stop_synwarden
finish
