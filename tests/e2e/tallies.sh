#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What `run` counts beside transitions: resets sent and received, SYNs, SYN-ACKs and segments sent again, and how long
# handshakes took, for both roles; exactly as many as were brought about, and as the kernel's own counters tell.
#
# test: asan-slow
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
	wait_for gained_is "$want"
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

# refuse in_server|in_client ADDRESS...: connects to a port without a listener
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
	check_gained "both roles are counted apart" 'handshake_duration_seconds_count{role="server"}' 3 \
		'handshake_duration_seconds_count{role="client"}' 3 "$ENDED{reason=\"fin\",established=\"true\"}" 3 \
		"$ENDED{reason=\"time_wait\",established=\"true\"}" 3
	begin
	in_server sysctl -qw net.ipv4.tcp_syncookies=2
	request in_client 2
	in_server sysctl -qw net.ipv4.tcp_syncookies=1
	check_gained "nobody measures the round trip of a SYN cookie" "$ENDED{reason=\"fin\",established=\"true\"}" 2
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
	python3 "$ROOT/tests/tools/peer.py" "/run/netns/$2" "/run/netns/$3" handshake_slow $4 7001 >"$TMP/slow" || die "no slow handshake"
	read -r _ least most < <(grep ^took "$TMP/slow")
	check_time "microseconds that a handshake took, as $1" "$least" $((most + 20000)) $(($(sum "$1") - before))
}

# Half-open ones whose SYN-ACK gets lost, a connect without an answer, data without an acknowledgement.
test_retransmits() {
	local total
	in_server sysctl -qw net.ipv4.tcp_synack_retries=$RETRIES net.ipv4.tcp_syn_retries=$RETRIES
	begin
	flood -q -c $HALF_OPEN -s 100000
	start_in_server bash -c ': >/dev/tcp/198.51.100.1/81' 2>/dev/null
	wait_for half_open $HALF_OPEN
	check_equal "half-open connections" $HALF_OPEN "$(half_open_now)"
	python3 "$ROOT/tests/tools/peer.py" "/run/netns/$CLIENT" "/run/netns/$SERVER" data_timeout 10.99.0.2 10.99.0.1 7002 \
		>"$TMP/data" || die "no time-out"
	wait $!
	wait_for half_open 0
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

# unsent_told: by conns
unsent_told() {
	jq -s 'map(select(.role == "client").retransmits) | add' "$TMP/unsent"
}

unsent_is_told() {
	[ "$(unsent_told)" != null ]
}

# What this host's own firewall drops as it is sent again is counted by all, or, before Linux 6.17, by all but `run`.
test_unsent() {
	local again
	in_server nft -f - <<-END
		table inet unsent {
			chain output {
				type filter hook output priority 0
				ip dscp af41 drop
			}
		}
	END
	start "$SYNWARDEN" conns --json --port 7003 >"$TMP/unsent" 2>"$TMP/unsent.err"
	TRACKER=$!
	wait_for grep -q following "$TMP/unsent.err" || die "no tracker: $(cat "$TMP/unsent.err")"
	begin
	python3 "$ROOT/tests/tools/unsent.py" "/run/netns/$SERVER" 10.99.0.1 "/run/netns/$CLIENT" 10.99.0.2 7003 \
		>"$TMP/unsent.log" || die "nothing was sent again"
	again=$(grep ^again "$TMP/unsent.log")
	wait_for unsent_is_told
	stop "$TRACKER" INT
	check_equal "segments sent again, as the socket tells" "$again" "again $(kernel TcpRetransSegs)"
	check_equal "segments sent again, as conns tells" "$again" "again $(unsent_told)"
	if reports_unsent; then
		check_gained "segments sent again, as run tells" 'retransmits_total{kind="segment"}' "${again#again }" \
			'handshake_duration_seconds_count{role="client"}' 1 "$ENDED{reason=\"fin\",established=\"true\"}" 1
	fi
}

# reports_unsent: whether the kernel's tracepoint has the error of a failed transmission
reports_unsent() {
	bpftool btf dump file /sys/kernel/btf/vmlinux format c |
		sed -n '/^struct trace_event_raw_tcp_retransmit_skb {/,/^}/p' | grep -qw err
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
test_retransmits
test_unsent
stop_synwarden
finish
