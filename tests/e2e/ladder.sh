#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# test: slow
#
# `synwarden ladder`, live, on the network drawn in tests/lib/network.sh: what happens to a connection, seen at its
# client's and at its server's end. The judges are tcpdump (segments), `synwarden states --json` (states of this host's
# ends, by cookie), nft's counters and nstat.
# shellcheck disable=SC2034,SC2154 # pids, by name
set -u
ROOT=$(readlink -f "$(dirname "$0")/../..")
# shellcheck source=tests/lib/network.sh
. "$ROOT/tests/lib/network.sh"
# shellcheck source=tests/lib/ladder.sh
. "$ROOT/tests/lib/ladder.sh"

fetch() {
	in_client curl -s --max-time 10 "$@" http://$SERVER_ADDR/ >/dev/null
}

play_request() {
	begin_both
	fetch
	end_both
	check_equal "a request: it begins and ends as the textbook says" \
		">SYN <ACK+SYN >ACK" "$(segments_of "$TMP/in_client.ladder" | cut -d' ' -f1-3)"
	check_judges "a request" in_client
	check_judges "a request" in_server
	check_equal "a request: how it ended here" "closed local time_wait" "$(ending_of "$TMP/in_client.ladder")"
	check_equal "a request: how it ended there" "closed remote fin" "$(ending_of "$TMP/in_server.ladder")"
	check_equal "a request: the server's segments are the client's" "$(numbers_of "$TMP/in_client.ladder")" \
		"$(numbers_of "$TMP/in_server.ladder")"
}

play_server_first() {
	begin_both
	in_client bash -c "exec 3<>/dev/tcp/$SERVER_ADDR/80; printf 'GET / HTTP/1.0\r\n\r\n' >&3; cat <&3" >/dev/null
	end_both
	check_judges "the server closes first" in_client
	check_judges "the server closes first" in_server
	check_equal "the server closes first: its ending" "closed local time_wait" "$(ending_of "$TMP/in_server.ladder")"
}

play_refused() {
	watch in_client --port 81
	in_client curl -s http://$SERVER_ADDR:81/
	over in_client
	check_equal "refused: a SYN and a RST" ">SYN <ACK+RST" "$(segments_of "$TMP/in_client.ladder")"
	check_equal "refused: the states" "SYN_SENT CLOSE" "$(states_of "$TMP/in_client.ladder")"
	check_equal "refused: the ending" "refused null refused" "$(ending_of "$TMP/in_client.ladder")"
	check_equal "refused: the RST says what it answers" answers \
		"$(jq -r 'select(.flags == ["RST", "ACK"]) | .marks[]' "$TMP/in_client.ladder")"
}

# rule NFT...: of a table that drops, with a counter; `rule` alone removes it
rule() {
	in_client nft delete table inet drops 2>/dev/null
	[ $# = 0 ] || in_client nft "add table inet drops; add chain inet drops c { type filter hook $1 priority 0; };
		add rule inet drops c ${*:2} counter drop"
}

drops_of() {
	jq -r 'select(.kind == "drop") | .drop_reason' "$1" | sort | uniq -c | xargs
}

play_dropped_answers() {
	rule input tcp sport 80 tcp flags syn / syn,ack,rst ct state new,established limit rate over 1000/second
	rule input tcp sport 80 tcp flags "&" "(syn|ack)" == "(syn|ack)"
	watch in_client --port 80
	start nsenter --net="/run/netns/$CLIENT" curl -s --max-time 10 -o /dev/null http://$SERVER_ADDR/
	wait_for grep -q sent_again "$TMP/in_client.ladder"
	rule
	over in_client
	check "dropped SYN-ACKs: each is said to be dropped, and by what" \
		test "$(drops_of "$TMP/in_client.ladder" | cut -d' ' -f2)" = NETFILTER_DROP
	check_equal "dropped SYN-ACKs: the connection comes about in the end" "closed local time_wait" \
		"$(ending_of "$TMP/in_client.ladder")"
}

play_dropped_syns() {
	rule output tcp dport 80
	watch in_client --port 80 --duration 3
	fetch --max-time 2
	over in_client
	check_equal "dropped SYNs: no segment left" "" "$(segments_of "$TMP/in_client.ladder")"
	check "dropped SYNs: NETFILTER_DROP is named" test "$(drops_of "$TMP/in_client.ladder" | cut -d' ' -f2)" = NETFILTER_DROP
	rule
}

retransmits() {
	in_client nstat -asz TcpRetransSegs | awk '$1 == "TcpRetransSegs" { print $2 }'
}

play_silent() {
	local before
	before=$(retransmits)
	in_server nft "add table inet drops; add chain inet drops c { type filter hook input priority 0; };
		add rule inet drops c tcp dport 80 drop"
	watch in_client --port 80 --duration 4
	fetch --max-time 3
	over in_client
	check "no answer: SYNs are sent again" test "$(jq -r 'select(.kind == "segment") | .marks[]' \
		"$TMP/in_client.ladder" | sort -u)" = sent_again
	check_equal "no answer: as many were sent again as the kernel counts" \
		"$(($(retransmits) - before))" "$(jq -r 'select(.kind == "end") | .sent_again' "$TMP/in_client.ladder")"
	check_equal "no answer: it says so" "unanswered null aborted" "$(ending_of "$TMP/in_client.ladder")"
	in_server nft delete table inet drops
}

# play_loopback: both ends are here, and both states the kernel's own
play_loopback() {
	start "$SYNWARDEN" ladder --json --netns "/run/netns/$SERVER" --port 80 >"$TMP/in_server.ladder" 2>"$TMP/in_server.err"
	LADDER_in_server=$! # for over()
	wait_for grep -q waiting "$TMP/in_server.err"
	in_server curl -s http://127.0.0.1/ >/dev/null
	over in_server
	check_equal "loopback: each segment once" "" \
		"$(jq -c 'select(.kind == "segment") | [.seq, .ack, .len, .flags]' "$TMP/in_server.ladder" | sort | uniq -d)"
	check_equal "loopback: both ends' states are the kernel's in the end" "kernel kernel" \
		"$(jq -r 'select(.kind == "segment") | "\(.local_known) \(.remote_known)"' "$TMP/in_server.ladder" | tail -n1)"
	check_equal "loopback: the client's states" "SYN_SENT ESTABLISHED FIN_WAIT1 FIN_WAIT2 TIME_WAIT" \
		"$(states_of "$TMP/in_server.ladder")"
}

play_rps() {
	steer_packets 3
	begin_both
	fetch
	end_both
	check_judges "with RPS" in_server
}

play_texts() {
	start nsenter --net="/run/netns/$CLIENT" "$SYNWARDEN" ladder --port 80 --netns "/run/netns/$CLIENT" --width 80 \
		>"$TMP/text" 2>"$TMP/text.err"
	LADDER_text=$! # for over()
	wait_for grep -q waiting "$TMP/text.err"
	fetch
	over text
	check "text: this host's states have no ~" grep -q '^ *0      SYN_SENT |-- SYN seq=x -*>| ~LISTEN$' "$TMP/text"
	check "text: the owner is named" grep -qE '   (owner: )?curl \([0-9]+\)' "$TMP/text"
	check "text: the end" grep -qE '^closed: this host first \(time_wait\); [0-9]+ segments, none sent again;' "$TMP/text"
	check_equal "text: no line is wider than the terminal" "" "$(grep -E '^.{81}' "$TMP/text")"
}

play_rights() {
	watch in_client --port 80
	check_equal "rights: none are left once it waits" "0000000000000000 1" \
		"$(awk '/^(CapEff|NoNewPrivs):/ { printf "%s%s", blank, $2; blank = " " }' "/proc/$LADDER_in_client/status")"
	fetch
	over in_client
	check_equal "rights: it shows all the same" "closed local time_wait" "$(ending_of "$TMP/in_client.ladder")"
	check_equal "rights: CAP_BPF and CAP_PERFMON are enough, and CAP_NET_ADMIN for the namespace" 0 \
		"$(in_client setpriv --bounding-set=-all,+bpf,+perfmon,+net_admin --inh-caps=-all --reuid=0 \
			"$SYNWARDEN" ladder --port 80 --duration 1 >/dev/null 2>"$TMP/rights.err"; echo $?)"
}

is_stopped() {
	[ "$(ps -o state= -p "$1")" = T ]
}

# play_pid: the connection of one process, beside another one that is busy all the time
play_pid() {
	local pid
	start_download
	# shellcheck disable=SC2016 # for the inner shell
	start_in_client sh -c 'kill -STOP $$; exec curl -s -o /dev/null "$0"' http://$SERVER_ADDR/
	pid=$!
	wait_for is_stopped $pid || die "no process that waits"
	watch in_client --pid $pid
	kill -CONT $pid
	over in_client
	check_equal "by pid: its connection, from the beginning" ">SYN <ACK+SYN >ACK" \
		"$(segments_of "$TMP/in_client.ladder" | cut -d' ' -f1-3)"
	check_equal "by pid: to the end, and no other" "closed local time_wait" "$(ending_of "$TMP/in_client.ladder")"
	stop "$DOWNLOAD"
}

play_usage() {
	check_equal "live, something must select" \
		"synwarden ladder: one of --port, --addr, --netns and --pid is needed, or --read FILE (synwarden help ladder)" \
		"$("$SYNWARDEN" ladder 2>&1)"
	check_equal "no such interface" \
		"synwarden ladder: \"nosuch\" is no interface of this network namespace (synwarden help ladder)" \
		"$("$SYNWARDEN" ladder --port 80 --interface nosuch 2>&1)"
}

net_up
start_nginx
in_client sysctl -qw net.ipv4.tcp_syn_retries=2
play_usage
play_request
play_server_first
play_refused
play_dropped_answers
play_dropped_syns
play_silent
play_loopback
play_texts
play_rights
play_pid
play_rps
finish
