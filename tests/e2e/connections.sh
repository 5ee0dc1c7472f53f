#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What `synwarden states`, `synwarden conns` and the counters of `run` say of every way in which a TCP connection can begin
# and end. All scenarios of peer.py run at once, each on a port of its own, while trackers watch, with various filters; then
# come nginx and curl, SYN cookies, and an nginx that forks. The scenarios are played once, and judged by
# tests/lib/golden_states.sh, golden_conns.sh and golden_open.sh.
#
# test: alone
set -u
ROOT=$(readlink -f "$(dirname "$0")/../..")
# shellcheck source=tests/lib/network.sh
. "$ROOT/tests/lib/network.sh"
# shellcheck source=tests/lib/counters.sh
. "$ROOT/tests/lib/counters.sh"
# shellcheck source=tests/lib/golden.sh
. "$ROOT/tests/lib/golden.sh"
# shellcheck source=tests/lib/golden_states.sh
. "$ROOT/tests/lib/golden_states.sh"
# shellcheck source=tests/lib/golden_conns.sh
. "$ROOT/tests/lib/golden_conns.sh"
# shellcheck source=tests/lib/golden_open.sh
. "$ROOT/tests/lib/golden_open.sh"

# curl would close as soon as it has what Content-Length announced: a race with nginx.
NGINX_FIRST=(-H "Connection: close" --ignore-content-length)
CURLS=(curl_first nginx_first curl_first_v6 nginx_first_v6)
MARKER_PORT=6999

declare -A CLOSER TRACKER # by label, by name

# lose_first EXPRESSION...: of the packets that nft chooses by it, the first one is lost
lose_first() {
	echo "$* limit rate 1/hour burst 1 packets drop"
}

# Port 81 is never connected, the first SYN to 82 and the first segment of a page from 83 get lost.
prepare_ports() {
	in_client nft -f - <<-END
		table ip lossy {
			chain input {
				type filter hook input priority 0
				tcp sport 81 tcp flags & (syn | ack) == syn | ack drop
				$(lose_first tcp sport 83 ip length \> 200)
			}
			chain output {
				type filter hook output priority 0
				$(lose_first tcp dport 82 tcp flags syn)
			}
		}
	END
	start_nginx "listen 81; listen 82; listen 83; error_page 405 =200 /index.html;"
	head -c 300000 /dev/zero >"$TMP/nginx/www/big"
	head -c 10000 /dev/zero >"$TMP/body"
}

# track NAME COMMAND [OPTION...]: a tracker in the background; its lines go to $TMP/NAME
track() {
	local name=$1
	start "$SYNWARDEN" "${@:2}" >"$TMP/$name" 2>"$TMP/$name.err"
	TRACKER[$name]=$!
}

start_trackers() {
	local name
	track states states --json
	track json conns --json
	track text conns
	track "--comm --port" conns --json --comm curl --port 80
	track "--state" conns --json --state LAST_ACK
	track "--count" conns --json --count 1 --netns "$CLIENT" --comm curl
	for name in "${!TRACKER[@]}"; do
		wait_for grep -q following "$TMP/$name.err" || die "no tracker: $(cat "$TMP/$name.err")"
	done
}

stop_trackers() {
	local name
	wait "${TRACKER[--count]}"
	check_equal "--count ends by itself, after one" "0 1" "$? $(wc -l <"$TMP/--count")"
	unset "TRACKER[--count]"
	for name in "${!TRACKER[@]}"; do
		stop "${TRACKER[$name]}" INT
		check_equal "the tracker $name ends well" 0 $?
	done
}

# Sockets that are older than the trackers. The one of `existing` stays until it was listed.
play_existing() {
	local scenario
	for scenario in existing existing_listener; do
		play $scenario "$V4"
		wait_for grep -q ready "$TMP/$scenario.out"
	done
	EXISTING_SEEN=$(date +%s%N)
}

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

# request LABEL CLOSER PORT URL [CURL OPTION...]: one curl, whose numbers are kept
request() {
	local label=$1 url=$4
	BEGAN[$label]=$(date +%s%N)
	PORT[$label]=$3
	start_in_client curl -sf -g -o "$TMP/page" --max-time 10 \
		-w '%{local_port} %{size_request} %{size_header} %{size_download} %{time_connect} %{time_starttransfer}\n' \
		"${@:5}" "$url" >"$TMP/$label.curl"
	PLAYER[$label]=$!
	CLOSER[$label]=$2
	wait $!
	check_equal "$label: curl gets its page" 0 $?
	echo $((($(date +%s%N) - BEGAN[$label]) / 1000)) >>"$TMP/$label.curl"
}

request_all() {
	request curl_first client 80 http://10.99.0.1/
	request nginx_first server 80 http://10.99.0.1/ "${NGINX_FIRST[@]}"
	request curl_first_v6 client 80 "http://[fd99::1]/big"
	request nginx_first_v6 server 80 "http://[fd99::1]/big" "${NGINX_FIRST[@]}"
	request upload client 80 http://10.99.0.1/ --data-binary "@$TMP/body"
	request lost_syn client 82 http://10.99.0.1:82/
	request lost_page client 83 http://10.99.0.1:83/
	read -r TIME_WAIT_PORT _ <"$TMP/curl_first.curl"
}

# A connect whose SYN-ACK gets lost, until the list of open connections is judged
begin_half_open() {
	in_server sysctl -qw net.ipv4.tcp_synack_retries=8 # it is to stay, also where all goes slowly
	HALF_BEGAN=$(date +%s%N)
	start_in_client bash -c ': >/dev/tcp/10.99.0.1/81' 2>"$TMP/half.err"
	HALF_PID=$!
	wait_for half_open_at 81
	HALF_SEEN=$(date +%s%N)
}

# Each CPU has a ring, and its events come in order: with those of one more connect on every CPU, all are there.
read_trackers() {
	local cpu
	for cpu in $(python3 -c 'import os; print(*os.sched_getaffinity(0))'); do
		in_client taskset -c "$cpu" bash -c ": >/dev/tcp/10.99.0.1/$MARKER_PORT" 2>/dev/null
		wait_for grep -q "\"rport\":$MARKER_PORT,\"old\":\"SYN_SENT\"" "$TMP/states" || die "the tracker is silent"
		wait_for grep -q "\"rport\":$MARKER_PORT," "$TMP/json" || die "the tracker is silent"
		wait_for grep -q ":$MARKER_PORT " "$TMP/text" || die "the tracker is silent"
		MARKER_PORT=$((MARKER_PORT - 1))
	done
	digest
	tabulate
}

judge_curls() {
	local label
	judge_curl curl_first "curl closes first"
	judge_curl nginx_first "nginx closes first"
	judge_curl curl_first_v6 "curl closes first, IPv6"
	judge_curl nginx_first_v6 "nginx closes first, IPv6"
	for label in "${CURLS[@]}" upload lost_syn lost_page; do
		judge_request "$label"
	done
}

# judge_port SCENARIO COUNTS: an ordinary handshake, and a child that TCP Fast Open made, which may be closed before its own
# handshake is complete
judge_port() {
	check_equal "$1: handshakes completed and aborted" "$2" "$(sw status --json |
		jq -r --argjson port "${PORT[$1]}" '.ports[] | select(.port == $port) | "\(.completed) \(.aborted)"')"
}

# nstat_of NAME: how often the server's kernel has counted that
nstat_of() {
	in_server nstat -asz "$1" | awk -v name="$1" '$1 == name { print $2 }'
}

# The server keeps nothing of a SYN; the child is made of the cookie that comes back.
test_cookies() {
	local suffix
	in_server sysctl -qw net.ipv4.tcp_syncookies=2
	play client_closes "$V4" cookie
	play server_closes "$V6" cookie_v6
	play client_closes "$MAPPED" cookie_mapped
	await_players cookie cookie_v6 cookie_mapped
	check_equal "SYN cookies were sent, and came back" "3 3" \
		"$(nstat_of TcpExtSyncookiesSent) $(nstat_of TcpExtSyncookiesRecv)"
	in_server sysctl -qw net.ipv4.tcp_syncookies=1
	read_trackers
	expect_pair cookie "$FIRST" "$SECOND"
	expect_pair cookie_v6 "$SECOND" "$FIRST"
	expect_pair cookie_mapped "$FIRST" "$SECOND"
	for suffix in "" _v6 _mapped; do
		expect_owner cookie$suffix server listen accept
		expect_sockets cookie$suffix
	done
}

# The process that called listen() forks and is gone.
test_daemon() {
	stop "$NGINX"
	in_server nginx -e "$TMP/nginx/error.log" -p "$TMP/nginx" -c "$TMP/nginx/nginx.conf" -g 'daemon on;'
	wait_for test -s "$TMP/nginx/pid"
	NGINX=$(cat "$TMP/nginx/pid")
	PIDS+=("$NGINX")
	request "nginx as a daemon" client 80 http://10.99.0.1/
	read_trackers
	judge_curl "nginx as a daemon" "nginx as a daemon"
}

prepare_net
start_synwarden --quiet
play_existing
start_trackers
kill -USR1 "${PLAYER[existing_listener]}"
prepare_ports
play_all
await_players "${PLAYED[@]:1}"
request_all
begin_half_open
judge_open
kill $HALF_PID
EXISTING_END=$(date +%s%N)
kill -USR1 "${PLAYER[existing]}"
await_players existing

read_trackers
judge_states
judge_states_existing
judge_curls
judge_losses
judge_conns_slept
judge_conns_endings
judge_conns_existing
judge_port fastopen_early "2 0"
judge_port fastopen_reset "1 1"
test_cookies
test_daemon
stop_trackers
judge_states_fields
judge_conns_fields
check_chosen "--comm --port" '.comm == "curl" and .rport == 80'
check_chosen --state '.state == "LAST_ACK"'
stop_synwarden
finish
