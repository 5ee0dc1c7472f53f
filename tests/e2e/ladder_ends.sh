#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# test: slow
#
# How connections end, as ladders of both ends show it: a RST after the request, a FIN without an answer, what meets a
# mini-socket in FIN_WAIT2; and a connection in a namespace that only its process holds. The judges are tcpdump and
# `synwarden states --json`.
# shellcheck disable=SC2034 # pids, by name
set -u
ROOT=$(readlink -f "$(dirname "$0")/../..")
# shellcheck source=tests/lib/network.sh
. "$ROOT/tests/lib/network.sh"
# shellcheck source=tests/lib/ladder.sh
. "$ROOT/tests/lib/ladder.sh"

# play SCENARIO: of tests/tools/ladder_peer.py, seen from both ends
play() {
	begin_both
	python3 "$ROOT/tests/tools/ladder_peer.py" "/run/netns/$SERVER" "/run/netns/$CLIENT" "$1" $SERVER_ADDR 10.99.0.2 $PORT \
		>"$TMP/peer" 2>&1 || die "$1 does not go as it should: $(cat "$TMP/peer")"
	end_both
	check_judges "$1" in_client
	check_judges "$1" in_server
}

# The peer ends it: what becomes of each end.
play_endings() {
	local PORT=82
	play reset_after_request
	check_equal "RST after the request: the client" "reset null reset_received" "$(ending_of "$TMP/in_client.ladder")"
	check_equal "RST after the request: the server" "reset null reset_sent" "$(ending_of "$TMP/in_server.ladder")"
	play fin_without_answer
	check_equal "FIN without an answer: the client" "closed remote fin" "$(ending_of "$TMP/in_client.ladder")"
	check_equal "FIN without an answer: the server" "closed local time_wait" "$(ending_of "$TMP/in_server.ladder")"
	play fin_to_mini_socket
	check_equal "a FIN that meets a mini-socket in FIN_WAIT2 leads it to TIME_WAIT" \
		"SYN_SENT ESTABLISHED FIN_WAIT1 FIN_WAIT2 TIME_WAIT" "$(states_of "$TMP/in_client.ladder")"
	play rst_to_mini_socket
	check_equal "a RST that meets a mini-socket in FIN_WAIT2 ends it" \
		"SYN_SENT ESTABLISHED FIN_WAIT1 FIN_WAIT2 CLOSE" "$(states_of "$TMP/in_client.ladder")"
	check_equal "its ending" "reset local reset_received" "$(ending_of "$TMP/in_client.ladder")"
}

# A RST may end TIME_WAIT (RFC 1337), of which the kernel says nothing.
play_assassination() {
	local PORT=82
	in_client sysctl -qw net.ipv4.tcp_rfc1337=0
	in_server nft -f - <<-END
		table ip wire {
			chain input {
				type filter hook input priority 0
				ip dscp ef drop
			}
		}
	END
	play rst_to_time_wait
	check_equal "a RST that meets TIME_WAIT: there is none any more" "" \
		"$(in_client ss -Htn state time-wait "sport = :$(jq 'select(.kind == "end").lport' "$TMP/in_client.ladder")")"
	check_equal "it is shown as what ends it" "TIME_WAIT kernel ~CLOSE inferred" "$(jq -r '
		(select(.kind == "state") | "\(.state) \(.known)"),
		(select(.kind == "segment" and (.flags | index("RST"))) | "~\(.local_passed[]) \(.local_known)")' \
		"$TMP/in_client.ladder" | paste -sd' ')"
	check_equal "the server's end has sent it" "reset remote reset_sent" "$(ending_of "$TMP/in_server.ladder")"
}

# A namespace that only its process holds, as a container's, seen from outside.
play_container() {
	local pid netns
	start unshare --net sh -c "ip link set lo up && exec python3 '$ROOT/tests/tools/ladder_peer.py' alone" >"$TMP/container" 2>&1
	pid=$!
	wait_for grep -q ready "$TMP/container" || die "no container: $(cat "$TMP/container")"
	netns=$(stat -Lc %i "/proc/$pid/ns/net")
	start "$SYNWARDEN" ladder --json --netns "/proc/$pid/ns/net" >"$TMP/in_container.ladder" 2>"$TMP/in_container.err"
	LADDER_in_container=$! # for over()
	wait_for grep -q waiting "$TMP/in_container.err"
	kill -USR1 "$pid"
	over in_container
	check_equal "a container: its namespace" "$netns" "$(jq -r .netns "$TMP/in_container.ladder" | uniq)"
	check_equal "a container: its connection" "closed local time_wait" "$(ending_of "$TMP/in_container.ladder")"
	wait "$pid"
}

net_up
play_endings
play_assassination
play_container
finish
