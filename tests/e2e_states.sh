#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What `synwarden states --json` says of every way in which a TCP connection can begin and end, against what RFC 9293
# and the kernel prescribe: the exact transitions of each socket, its addresses, its owner, its durations. One tracker
# watches while all scenarios of peer.py run at once, each on a port of its own; then come SYN cookies, nginx and curl.
set -u
HERE=$(dirname "$(readlink -f "$0")")
# shellcheck source=tests/lib.sh
. "$HERE/lib.sh"
# shellcheck source=tests/golden.sh
. "$HERE/golden.sh"

# curl would close as soon as it has what Content-Length announced: a race with nginx.
NGINX_FIRST=(-H "Connection: close" --ignore-content-length)
declare -a CURLS

play_all() {
	local scenario
	for scenario in client_closes server_closes client_half_closes server_half_closes slept reset_unread reset_linger \
		reset_close_wait reset_fin_wait2 killed refused retried connect_timeout connect_unreachable connect_aborted \
		data_timeout fin_timeout keepalive_timeout listener_closes listener_returns listener_closes_queued \
		orphaned; do
		play $scenario "$V4"
	done
	play simultaneous "${HELD[0]}"
	play handshake_reset "${HELD[1]}"
	play fastopen "${HELD[2]}"
	play fastopen_reset "${HELD[3]}"
	play fastopen_early "${HELD[4]}"
	for scenario in client_closes server_closes reset_unread refused; do
		play $scenario "$V6" ${scenario}_v6
		play $scenario "$MAPPED" ${scenario}_mapped
	done
}

judge_all() {
	local suffix label
	for suffix in "" _v6 _mapped; do
		expect_pair client_closes$suffix "$FIRST" "$SECOND"
		expect_pair server_closes$suffix "$SECOND" "$FIRST"
		expect_pair reset_unread$suffix "ESTABLISHED>CLOSE(reset_received)" "ESTABLISHED>CLOSE(reset_sent)"
		expect_life refused$suffix client "CLOSE>SYN_SENT SYN_SENT>CLOSE(refused)"
		expect_owner client_closes$suffix listener listen
		expect_owner client_closes$suffix client connect
		expect_owner client_closes$suffix server listen accept
	done
	expect_pair client_half_closes "$FIRST" "$SECOND"
	expect_pair server_half_closes "$SECOND" "$FIRST"
	expect_life simultaneous client "$AT_ONCE"
	expect_life simultaneous server "$AT_ONCE"
	expect_pair reset_linger "ESTABLISHED>CLOSE(reset_sent)" "ESTABLISHED>CLOSE(reset_received)"
	expect_pair reset_close_wait "ESTABLISHED>CLOSE_WAIT CLOSE_WAIT>CLOSE(reset_sent)" \
		"ESTABLISHED>FIN_WAIT1 FIN_WAIT1>FIN_WAIT2 FIN_WAIT2>CLOSE(reset_received)"
	expect_pair reset_fin_wait2 "ESTABLISHED>CLOSE_WAIT CLOSE_WAIT>CLOSE(reset_received)" \
		"ESTABLISHED>FIN_WAIT1 FIN_WAIT1>FIN_WAIT2 FIN_WAIT2>CLOSE(reset_sent)"
	expect_pair killed "ESTABLISHED>CLOSE(aborted)" "ESTABLISHED>CLOSE(reset_received)"
	expect_life retried client "CLOSE>SYN_SENT SYN_SENT>CLOSE(refused) $OPEN $FIRST"
	expect_life retried server "$CHILD $SECOND"
	expect_life connect_timeout client "CLOSE>SYN_SENT SYN_SENT>CLOSE(timeout)"
	expect_life connect_unreachable client "CLOSE>SYN_SENT SYN_SENT>CLOSE(unreachable)"
	expect_life connect_aborted client "CLOSE>SYN_SENT SYN_SENT>CLOSE(aborted)"
	expect_pair data_timeout "ESTABLISHED>CLOSE(timeout)" "ESTABLISHED>CLOSE(reset_sent)"
	expect_pair fin_timeout "ESTABLISHED>FIN_WAIT1 FIN_WAIT1>CLOSE(timeout)" "ESTABLISHED>CLOSE(reset_sent)"
	expect_pair keepalive_timeout "ESTABLISHED>CLOSE(timeout)" "ESTABLISHED>CLOSE(reset_sent)"
	expect_life listener_closes listener "$LISTENER"
	expect_life listener_returns listener "$LISTENER $LISTENER"
	expect_life listener_closes_queued listener "$LISTENER"
	expect_life listener_closes_queued client "$(twice "$OPEN ESTABLISHED>CLOSE(reset_received)")"
	expect_life listener_closes_queued server "$(twice "$CHILD ESTABLISHED>CLOSE(reset_sent)")"
	expect_pair orphaned "ESTABLISHED>FIN_WAIT1 FIN_WAIT1>FIN_WAIT2 FIN_WAIT2>CLOSE(orphaned)" "$SECOND"
	judge_handshakes
	for label in "${!PORT[@]}"; do
		expect_sockets "$label"
	done
	judge_slept
}

# Half-open connections are no sockets to the tracker; a child that TCP Fast Open made is one before its handshake ends.
judge_handshakes() {
	expect_life handshake_reset listener "$LISTENER"
	expect_life handshake_reset client "CLOSE>SYN_SENT SYN_SENT>CLOSE(aborted)"
	expect_life handshake_reset server ""
	expect_life fastopen listener "$LISTENER"
	expect_life fastopen client "$(twice "$OPEN $FIRST")"
	expect_life fastopen server "$(twice "$CHILD $SECOND")"
	expect_life fastopen_early listener "$LISTENER"
	expect_life fastopen_early client "$OPEN $FIRST"$'\n'"$OPEN $SECOND"
	expect_life fastopen_early server "$CHILD $SECOND"$'\n'"LISTEN>SYN_RECV SYN_RECV>FIN_WAIT1 ${FIRST#* }"
	expect_life fastopen_reset listener "$LISTENER"
	expect_life fastopen_reset client "$OPEN $FIRST"$'\n'"CLOSE>SYN_SENT SYN_SENT>CLOSE(aborted)"
	expect_life fastopen_reset server "$CHILD $SECOND"$'\n'"LISTEN>SYN_RECV SYN_RECV>CLOSE(reset_received)"
}

twice() {
	printf '%s\n%s\n' "$1" "$1"
}

# Both ends were ESTABLISHED at least as long as peer.py slept, and at most as long as the whole took.
judge_slept() {
	local least most duration
	read -r _ least most < <(grep ^slept "$TMP/slept.out")
	while read -r duration; do
		check_between "slept: microseconds in ESTABLISHED" "$least" "$most" "$duration"
	done < <(jq -r --argjson port "${PORT[slept]}" --argjson server "${NETNS[server]}" \
		--argjson client "${NETNS[client]}" 'select((.lport == $port and .netns == $server or
		.rport == $port and .netns == $client) and
		.old == "ESTABLISHED") | .duration_us | floor' "$TMP/events")
	check_equal "slept: transitions" "client $OPEN $FIRST, server $CHILD $SECOND" \
		"client $(column 6 "${PORT[slept]}" client), server $(column 6 "${PORT[slept]}" server)"
}

# nstat_of NAME: how often the server's kernel has counted that
nstat_of() {
	in_server nstat -asz "$1" | awk -v name="$1" '$1 == name { print $2 }'
}

# The server keeps nothing of a SYN; the child is made of the cookie that comes back.
test_cookies() {
	local suffix
	in_server sysctl -qw net.ipv4.tcp_syncookies=2
	PLAYER=()
	play client_closes "$V4" cookie
	play server_closes "$V6" cookie_v6
	play client_closes "$MAPPED" cookie_mapped
	await_players
	check_equal "SYN cookies were sent, and came back" "3 3" \
		"$(nstat_of TcpExtSyncookiesSent) $(nstat_of TcpExtSyncookiesRecv)"
	in_server sysctl -qw net.ipv4.tcp_syncookies=1
	read_events
	expect_pair cookie "$FIRST" "$SECOND"
	expect_pair cookie_v6 "$SECOND" "$FIRST"
	expect_pair cookie_mapped "$FIRST" "$SECOND"
	for suffix in "" _v6 _mapped; do
		expect_owner cookie$suffix server listen accept
		expect_sockets cookie$suffix
	done
}

# What was there before the tracker.
judge_existing() {
	expect_life existing listener "LISTEN>CLOSE(unlistened)"
	expect_life existing client "$FIRST"
	expect_life existing server "$SECOND"
	expect_life existing_listener listener "LISTEN>CLOSE(unlistened)"
	expect_life existing_listener client "$OPEN $FIRST"
	expect_life existing_listener server "$CHILD $SECOND"
	expect_owner existing listener snapshot
	expect_owner existing client snapshot
	expect_owner existing server snapshot
	expect_owner existing_listener server snapshot
}

# request LABEL ADDRESS FIRST [CURL OPTIONS]: FIRST is who closes first
request() {
	start_in_client curl -sf -o "$TMP/page" --max-time 10 "${@:4}" "http://$2/"
	CURLS+=("$! $3 $1")
	wait $!
	check_equal "$1: curl gets its page" 0 $?
}

# The ten lines of one curl against nginx.
judge_curl() {
	local pid=$1 first=$2 label=$3 client server lport ends
	client=$(awk -F'|' -v pid="$pid" '$2 == "client" && $5 ~ "^connect " pid " curl$"' "$TMP/digest")
	lport=$(cut -d'|' -f4 <<<"$client" | cut -d' ' -f3)
	# Another scenario's client may have the same port.
	server=$(awk -F'|' -v port="$lport" '$1 == 80 && $2 == "server" && $4 ~ " " port "$"' "$TMP/digest")
	ends=("$FIRST" "$SECOND")
	[ "$first" = client ] || ends=("$SECOND" "$FIRST")
	check_equal "$label: transitions of curl's socket, all owned by curl" "$OPEN ${ends[0]}" \
		"$(cut -d'|' -f6 <<<"$client")"
	check_equal "$label: transitions of nginx's socket" "$CHILD ${ends[1]}" "$(cut -d'|' -f6 <<<"$server")"
	check_equal "$label: both sockets name the same two ends" \
		"$(cut -d'|' -f4 <<<"$client" | awk '{ print $1, $4, $5, $2, $3 }')" "$(cut -d'|' -f4 <<<"$server")"
	check_equal "$label: times and durations are sound" "true true" \
		"$(cut -d'|' -f7 <<<"$client") $(cut -d'|' -f7 <<<"$server")"
	judge_nginx "$label" "$(cut -d'|' -f5 <<<"$server")"
	judge_order "$label" "$first" "$(cut -d'|' -f3 <<<"$client")" "$(cut -d'|' -f3 <<<"$server")"
}

# Every owner is a living process of nginx; once it has read, the worker that accepted.
judge_nginx() {
	local workers owners
	workers=$(pgrep -P "$NGINX")
	owners=$(awk '{ print $2 }' <<<"${2// \/ /$'\n'}")
	check_equal "$1: every owner is a living process of nginx" "" \
		"$(grep -vxF -e "$NGINX" -e "$workers" <<<"$owners")"
	check "$1: the worker that has read owns the connection" \
		grep -qxE "accept ($(paste -sd'|' <<<"$workers")) nginx" <<<"${2##* / }"
}

# What a segment brings about comes after what sent it.
judge_order() {
	local closer=$3 other=$4
	[ "$2" = client ] || closer=$4 other=$3
	check_equal "$1: the order is one that TCP allows" true "$(jq -s --argjson client "$3" --argjson server "$4" \
		--argjson closer "$closer" --argjson other "$other" '
		map({key: "\(.cookie) \(.new)", value: .ts}) | from_entries as $at
		| ["\($client) SYN_SENT", "\($client) ESTABLISHED", "\($server) SYN_RECV", "\($server) ESTABLISHED"],
		  ["\($closer) FIN_WAIT1", "\($other) CLOSE_WAIT", "\($closer) FIN_WAIT2", "\($other) CLOSE"],
		  ["\($other) LAST_ACK", "\($closer) TIME_WAIT"]
		| map($at[.]) | all(. != null) and . == sort' "$TMP/events" | sort -u)"
}

# The process that called listen() forks and is gone.
restart_nginx_as_daemon() {
	stop "$NGINX"
	in_server nginx -e "$TMP/nginx/error.log" -p "$TMP/nginx" -c "$TMP/nginx/nginx.conf" -g 'daemon on;'
	wait_for 5 test -s "$TMP/nginx/pid"
	NGINX=$(cat "$TMP/nginx/pid")
	PIDS+=("$NGINX")
}

judge_fields() {
	local flow="ts cookie family laddr lport raddr rport old new" owner="pid comm owner uid cgroup netns"
	check_equal "the fields are those of the design" \
		"$(printf '%s\n' "$flow duration_us "{"","duration_at_least_us "}"$owner"{""," reason"} | sort)" \
		"$(jq -r 'keys_unsorted | join(" ")' "$TMP/events" | sort -u)"
	check_equal "a reason stands on final transitions, and only there" "" \
		"$(jq -c 'select((.new == "CLOSE" or .new == "TIME_WAIT") != has("reason"))' "$TMP/events")"
	check_equal "nothing was lost" "" "$(grep '"lost"' "$TMP/events")"
	check_equal "the only message is that it runs" "synwarden: following every TCP socket until stopped" \
		"$(cat "$TMP/tracker.err")"
}

prepare_net
for scenario in existing existing_listener; do
	play $scenario "$V4"
	wait_for 10 grep -q ready "$TMP/$scenario.out"
done
start_tracker
kill -USR1 "${PLAYER[@]}"
start_nginx ""
play_all
request "curl closes first" 10.99.0.1 client
request "nginx closes first" 10.99.0.1 server "${NGINX_FIRST[@]}"
request "curl closes first, IPv6" "[fd99::1]" client
request "nginx closes first, IPv6" "[fd99::1]" server "${NGINX_FIRST[@]}"
await_players
read_events
judge_all
judge_existing
for curl in "${CURLS[@]}"; do
	read -r pid first label <<<"$curl"
	judge_curl "$pid" "$first" "$label"
done
test_cookies

restart_nginx_as_daemon
CURLS=()
request "nginx as a daemon" 10.99.0.1 client
read_events
read -r pid first label <<<"${CURLS[0]}"
judge_curl "$pid" "$first" "$label"

stop "$TRACKER" INT
check_equal "the tracker ends well" 0 $?
judge_fields
finish
