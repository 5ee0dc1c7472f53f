#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What `synwarden conns` says of whole connections, against what nginx, curl and peer.py know of them: exact bytes each
# way, retransmissions, roles, owners and endings, durations and handshakes between bounds that others measured; and
# that --open lists what ss lists, in every state. Trackers with various filters watch at once.
set -u
HERE=$(dirname "$(readlink -f "$0")")
# shellcheck source=tests/lib.sh
. "$HERE/lib.sh"
# shellcheck source=tests/counters.sh
. "$HERE/counters.sh"

V4="10.99.0.1 10.99.0.2"
# curl would close as soon as it has what Content-Length announced: a race with nginx.
NGINX_FIRST=(-H "Connection: close" --ignore-content-length)

declare -A PORT PLAYER CLOSER BEGAN TRACKER NETNS
LAST_PORT=7100
MARKER_PORT=6990

# Of what goes through an expression of nft, the first packet is lost.
lose_first() {
	echo "$* limit rate 1/hour burst 1 packets drop"
}

prepare_net() {
	local side
	net_up
	for side in client server; do
		# Up to a minute, and FIN_WAIT2 of a closed socket is at once the kernel's: TIME_WAIT stays unseen.
		"in_$side" sysctl -qw net.ipv4.tcp_fin_timeout=120
		NETNS[$side]=$("in_$side" stat -L -c %i /proc/self/ns/net)
	done
	in_client nft -f - <<-END
		table ip wire {
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
	# peer.py's CUT: the first SYNs of connect_timeout and connect_aborted, and what is sent again
	in_server nft -f - <<-END
		table ip wire {
			counter cut { }
			chain input {
				type filter hook input priority 0
				ip dscp ef counter name cut drop
			}
		}
	END
}

prepare_nginx() {
	start_nginx "listen 81; listen 82; listen 83; error_page 405 =200 /index.html;"
	head -c 300000 /dev/zero >"$TMP/nginx/www/big"
	head -c 10000 /dev/zero >"$TMP/body"
}

# track NAME [OPTION...]: a tracker in the background; its lines go to $TMP/NAME
track() {
	local name=$1
	start "$SYNWARDEN" conns "${@:2}" >"$TMP/$name" 2>"$TMP/$name.err"
	TRACKER[$name]=$!
}

await_trackers() {
	local name
	for name in "${!TRACKER[@]}"; do
		wait_for 30 grep -q following "$TMP/$name.err" || die "no tracker: $(cat "$TMP/$name.err")"
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

# play SCENARIO: both sides of one in the background
play() {
	PORT[$1]=$((++LAST_PORT))
	BEGAN[$1]=$(date +%s%N)
	# shellcheck disable=SC2086
	start python3 "$HERE/peer.py" "/run/netns/$SERVER" "/run/netns/$CLIENT" "$1" $V4 "$LAST_PORT" \
		>"$TMP/$1.out" 2>"$TMP/$1.err"
	PLAYER[$1]=$!
}

await_play() {
	wait "${PLAYER[$1]}"
	check_equal "$1 is played" 0 "$?$(cat "$TMP/$1.err")"
}

# Lines come in order: with that of one more connect, all are there.
read_lines() {
	in_client bash -c ": >/dev/tcp/10.99.0.1/$MARKER_PORT" 2>/dev/null
	wait_for 10 grep -q "\"rport\":$MARKER_PORT," "$TMP/json" || die "the tracker is silent"
	wait_for 10 grep -q ":$MARKER_PORT " "$TMP/text" || die "the tracker is silent"
	tabulate
}

# tabulate: a row for each line of JSON, with the names in the first one: the side, the server's port, the client's,
# then all fields; microseconds are whole
tabulate() {
	jq -rs --argjson server "${NETNS[server]}" --argjson client "${NETNS[client]}" '
		map(select(.netns == $server or .netns == $client)
			| if .netns == $client then {side: "client", port: .rport, local: .lport} + .
			  else {side: "server", port: .lport, local: .rport} + . end)
		| (map(keys_unsorted) | add | unique) as $names
		| $names, (.[] as $row | $names | map($row[.] | if type == "number" then floor else . end))
		| map(tostring) | join("|")' "$TMP/json" >"$TMP/table"
}

# of SIDE PORT LOCAL NAME...: what the line of that connection says; of any client port, where LOCAL is "any"
of() {
	awk -F'|' -v wanted="${*:4}" -v side="$1" -v port="$2" -v local="$3" '
		NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; n = split(wanted, names, " "); next }
		$at["side"] == side && $at["port"] == port && (local == "any" || $at["local"] == local) {
			for (i = 1; i <= n; i++) printf "%s%s", $at[names[i]], i < n ? " " : "\n"
		}' "$TMP/table"
}

ENDED="role established closed_first reason state"

# The two lines of a request: what curl knows, what nginx's side must mirror, what the kernels prescribe.
judge_request() {
	local label=$1 port=${PORT[$1]} local_port sent header body connect first wall ends
	{
		read -r local_port sent header body connect first
		read -r wall
	} <"$TMP/$label.curl"
	check_equal "$label: bytes that curl sent and received" "$sent $((header + body))" \
		"$(of client "$port" "$local_port" sent_bytes received_bytes)"
	check_equal "$label: nginx's side mirrors it" "$((header + body)) $sent" \
		"$(of server "$port" "$local_port" sent_bytes received_bytes)"
	check_equal "$label: both name the same two ends" \
		"$(of client "$port" "$local_port" family laddr lport raddr rport)" \
		"$(of server "$port" "$local_port" family raddr rport laddr lport)"
	ends=("client true local time_wait FIN_WAIT2" "server true remote fin LAST_ACK")
	[ "${CLOSER[$label]}" = client ] ||
		ends=("client true remote fin LAST_ACK" "server true local time_wait FIN_WAIT2")
	check_equal "$label: curl's end" "${ends[0]}" "$(of client "$port" "$local_port" "$ENDED")"
	check_equal "$label: nginx's end" "${ends[1]}" "$(of server "$port" "$local_port" "$ENDED")"
	check_equal "$label: curl owns its side" "connect ${PLAYER[$label]} curl 0" \
		"$(of client "$port" "$local_port" owner pid comm uid)"
	check_equal "$label: the worker that accepted owns the other, and is nobody" "accept nginx $(id -u nobody)" \
		"$(of server "$port" "$local_port" owner comm uid)"
	check "$label: it is a worker" grep -qxF "$(of server "$port" "$local_port" pid)" <<<"$(pgrep -P "$NGINX")"
	check_between "$label: microseconds of curl's side" "$(micros "$first - $connect")" $((wall + 500000)) \
		"$(of client "$port" "$local_port" duration_us)"
	check_between "$label: microseconds of curl's handshake" 1 "$(micros "$connect")" \
		"$(of client "$port" "$local_port" handshake_us)"
	check_between "$label: microseconds of nginx's handshake" 1 "$(micros "$connect")" \
		"$(of server "$port" "$local_port" handshake_us)"
	judge_text "$label" "$port" "$local_port"
}

micros() {
	awk "BEGIN { printf \"%d\", ($1) * 1000000 }"
}

# The line for people says what the object says; times, and sizes of other units than bytes, are another test's.
judge_text() {
	local laddr raddr lport rport pid comm rest sent received
	read -r laddr lport raddr rport pid comm sent received rest < <(of client "$2" "$3" \
		laddr lport raddr rport pid comm sent_bytes received_bytes retransmits reason closed_first)
	case $laddr in *:*) laddr="[$laddr]" raddr="[$raddr]" ;; esac
	check_equal "$1: the line says what the object says" \
		"$pid $comm $laddr:$lport -> $raddr:$rport TIME TIME $(size "$sent") $(size "$received") ${rest% * *} $(
			cut -d' ' -f2 <<<"$rest"), $(cut -d' ' -f3 <<<"$rest") closed first" \
		"$(awk -v local="$laddr:$lport" -v pid="$pid" '$2 == pid && $4 == local' "$TMP/text" | sed -E 's/ +/ /g; s/^[0-9:.]+ //
			s/ [0-9.]+ (us|ms|s) [0-9.]+ (us|ms|s) / TIME TIME /; s/ [0-9.]+ KiB/ SIZE/g')"
}

size() {
	if [ "$1" -lt 1024 ]; then
		echo "$1 B"
	else
		echo SIZE
	fi
}

# The first SYN, and the first segment of a page, got lost.
judge_losses() {
	check_equal "lost SYN: sent again once, by the client only" "1 0" \
		"$(of client 82 any retransmits) $(of server 82 any retransmits)"
	check_between "lost SYN: microseconds of the client's handshake" 1000000 2000000 "$(of client 82 any handshake_us)"
	check_between "lost SYN: microseconds of the server's handshake" 1 500000 "$(of server 82 any handshake_us)"
	check_equal "lost page: sent again once, by the server only" "0 1" \
		"$(of client 83 any retransmits) $(of server 83 any retransmits)"
}

# Both ends lived at least as long as peer.py slept, and at most as long as the whole took.
judge_slept() {
	local least most side
	read -r _ least most < <(grep ^slept "$TMP/slept.out")
	for side in client server; do
		check_between "slept: microseconds of the $side" "$least" "$most" "$(of $side "${PORT[slept]}" any duration_us)"
	done
}

# judge_failed SCENARIO REASON RETRANSMITS LEAST MOST TEXT: a connect that came to nothing
judge_failed() {
	check_equal "$1: the client's end" "client false null $2 SYN_SENT null 0 0 $3 ${PLAYER[$1]}" \
		"$(of client "${PORT[$1]}" any "$ENDED" handshake_us sent_bytes received_bytes retransmits pid)"
	check_between "$1: microseconds" "$4" "$5" "$(of client "${PORT[$1]}" any duration_us)"
	check "$1: and for people" grep -qE -- "-> 10\.99\.0\.1:${PORT[$1]} .* never established: $6\$" "$TMP/text"
}

# judge_ended SCENARIO CLIENT SERVER
judge_ended() {
	check_equal "$1: both ends" "client true $2 server true $3" \
		"$(of client "${PORT[$1]}" any "$ENDED") $(of server "${PORT[$1]}" any "$ENDED")"
}

judge_endings() {
	local syns
	syns=$(in_server nft -j list counter ip wire cut | jq '.nftables[].counter.packets? // empty')
	judge_failed refused refused 0 1 1000000 refused
	judge_failed connect_timeout timeout $((syns - 2)) 3000000 4500000 "no answer \(timeout\)"
	judge_failed connect_aborted aborted 0 1 1000000 aborted
	judge_ended reset_linger "null reset_sent ESTABLISHED" "null reset_received ESTABLISHED"
	judge_ended killed "null aborted ESTABLISHED" "null reset_received ESTABLISHED"
	judge_ended reset_close_wait "remote reset_sent CLOSE_WAIT" "local reset_received FIN_WAIT2"
}

# A connection that is older than the tracker: at least as old as when we looked for it, at most as old as its process.
judge_existing() {
	local side
	for side in client server; do
		check_equal "existing: the $side's end" "unknown true null null snapshot ${PLAYER[existing]}" \
			"$(of $side "${PORT[existing]}" any role established duration_us handshake_us owner pid)"
		check_between "existing: microseconds, at least, of the $side" \
			$(((EXISTING_END - EXISTING_SEEN) / 1000)) $((($(date +%s%N) - BEGAN[existing]) / 1000)) \
			"$(of $side "${PORT[existing]}" any duration_at_least_us)"
	done
	check_equal "existing: who closed first" "local time_wait remote fin" \
		"$(of client "${PORT[existing]}" any closed_first reason) $(of server "${PORT[existing]}" any closed_first reason)"
	check "existing: and for people" grep -qE \
		"^[0-9:.]+ +${PLAYER[existing]} +python3 .*:${PORT[existing]} +-- .* >([0-9.]+ (ms|s)|[0-9]+m[0-9]+s) .* fin, remote closed first\$" \
		"$TMP/text"
}

judge_fields() {
	local fields="ts cookie family laddr lport raddr rport role state duration_us"
	local more="established handshake_us sent_bytes received_bytes retransmits closed_first"
	local last="pid comm owner uid cgroup netns"
	check_equal "the fields are those of the README" \
		"$fields duration_at_least_us $more reason $last"$'\n'"$fields $more reason $last" \
		"$(jq -r 'keys_unsorted | join(" ")' "$TMP/json" | sort -u)"
	check_equal "nothing was lost" "" "$(grep '"lost"' "$TMP/json")"
	check_equal "the only message is that it runs" "synwarden: following every TCP connection until stopped" \
		"$(cat "$TMP/json.err")"
}

# chosen NAME: what the tracker NAME told of the two test namespaces, by cookie
chosen() {
	jq -r --argjson server "${NETNS[server]}" --argjson client "${NETNS[client]}" \
		'select(.netns == $server or .netns == $client) | .cookie' "$TMP/$1" | sort
}

# check_chosen NAME CONDITION: the tracker NAME told just those for which CONDITION holds of all
check_chosen() {
	local all
	all=$(jq -r --argjson server "${NETNS[server]}" --argjson client "${NETNS[client]}" \
		"select(.netns == \$server or .netns == \$client) | select($2) | .cookie" "$TMP/json" | sort)
	check "$1 chooses something" test -n "$all"
	check_equal "$1 chooses what it says" "$all" "$(chosen "$1")"
}

# open [OPTION...]: what lives, in the two test namespaces
open() {
	"$SYNWARDEN" conns --open --json "$@" >"$TMP/open" || die "conns --open fails"
	jq -c --argjson server "${NETNS[server]}" --argjson client "${NETNS[client]}" \
		'select(.netns == $server or .netns == $client)' "$TMP/open"
}

# states SIDE: how many there are of each, by ss
states() {
	"in_$1" ss -Htan | awk '{ print $1 }' | sed 's/-/_/g; s/ESTAB/ESTABLISHED/; s/SYN_RECV/NEW_SYN_RECV/' | sort | uniq -c
}

judge_open() {
	local side sport
	open >"$TMP/living"
	for side in client server; do
		check_equal "--open: as many of each state as ss has, in the $side" "$(states $side)" \
			"$(jq -r --argjson netns "${NETNS[$side]}" 'select(.netns == $netns) | .state' "$TMP/living" | sort | uniq -c)"
	done
	sport=$(jq 'select(.state == "SYN_SENT") | .lport' "$TMP/living")
	check_equal "--open: the half-open one is its listener's" \
		"server 81 10.99.0.2 $sport false null null null false snapshot nginx 0" \
		"$(jq -r 'select(.state == "NEW_SYN_RECV") | [.role, .lport, .raddr, .rport, .established, .sent_bytes,
			.received_bytes, .closed_first, .snapshot, .owner, .comm, .uid] | map(tostring) | join(" ")' "$TMP/living")"
	check_between "--open: microseconds since its first SYN-ACK" $(((HALF_SEEN - HALF_BEGAN) / 2000)) \
		$((($(date +%s%N) - HALF_BEGAN) / 1000)) "$(jq 'select(.state == "NEW_SYN_RECV") | .duration_us | floor' "$TMP/living")"
	check_equal "--open: who waits for the answer" "client 81 false $HALF_PID bash true" \
		"$(jq -r 'select(.state == "SYN_SENT") | "\(.role) \(.rport) \(.established) \(.pid) \(.comm) \(.snapshot)"' "$TMP/living")"
	check_equal "--open: a TIME_WAIT has nobody" "80 true local null null null unknown true" \
		"$(jq -r --argjson port "$TIME_WAIT_PORT" 'select(.state == "TIME_WAIT" and .lport == $port) | [.rport, .established,
			.closed_first, .sent_bytes, .retransmits, .pid, .owner, .snapshot] | map(tostring) | join(" ")' "$TMP/living")"
	check_equal "--open: nginx's listeners are nginx's" "4 4 80 nginx; 4 81 nginx; 4 82 nginx; 4 83 nginx; 6 80 nginx" \
		"4 $(jq -rs 'map(select(.state == "LISTEN" and .lport < 100) | "\(.family) \(.lport) \(.comm)") | sort | join("; ")' "$TMP/living")"
	check_equal "--open: both ends of a connection that existed" "ESTABLISHED true snapshot ${PLAYER[existing]} 0 0
ESTABLISHED true snapshot ${PLAYER[existing]} 0 0" \
		"$(jq -r --argjson port "${PORT[existing]}" 'select((.lport == $port or .rport == $port) and .state != "LISTEN")
			| "\(.state) \(.established) \(.owner) \(.pid) \(.sent_bytes) \(.received_bytes)"' "$TMP/living")"
	judge_open_text
	judge_open_filters
}

judge_open_text() {
	"$SYNWARDEN" conns --open --netns "$SERVER" >"$TMP/open.text"
	check_equal "--open: its columns" "STATE PID COMM OWNER LOCAL REMOTE AGE SENT RECEIVED RETRANS" \
		"$(head -n1 "$TMP/open.text" | tr -s ' ' | sed 's/ $//')"
	check "--open: a listener for people" grep -qE \
		"^LISTEN +[0-9]+ +nginx +snapshot +0\.0\.0\.0:80 +-- 0\.0\.0\.0:0 +- +- +- +- snapshot\$" "$TMP/open.text"
	check "--open: a half-open one for people" grep -qE \
		"^NEW_SYN_RECV +[0-9]+ +nginx +snapshot +10\.99\.0\.1:81 +<- 10\.99\.0\.2:[0-9]+ +([0-9.]+ (ms|s)|[0-9]+m[0-9]+s) +- +- +[0-9]\$" \
		"$TMP/open.text"
	check "--open: one that existed, for people" grep -qE \
		"^ESTABLISHED +${PLAYER[existing]} +python3 +snapshot +10\.99\.0\.1:${PORT[existing]} +-- .* >([0-9.]+ (ms|s)|[0-9]+m[0-9]+s) +0 B +0 B +0 snapshot\$" \
		"$TMP/open.text"
}

# check_open CONDITION OPTION...: what the options choose is that of --open for which CONDITION holds
check_open() {
	local all
	all=$(jq -r "select($1) | .cookie" "$TMP/living" | sort)
	check "--open ${*:2} chooses something" test -n "$all"
	check_equal "--open ${*:2} chooses what it says" "$all" "$(open "${@:2}" | jq -r .cookie | sort)"
}

judge_open_filters() {
	check_open '.lport == 80 or .rport == 80' --port 80
	check_open '.family == 6' --family 6
	check_open '.laddr == "10.99.0.2" or .raddr == "10.99.0.2"' --addr 10.99.0.2
	check_open '.state == "LISTEN"' --state LISTEN
	check_open '.state == "TIME_WAIT"' --state TIME_WAIT
	check_open ".pid == ${PLAYER[existing]}" --pid "${PLAYER[existing]}"
	check_open '.comm == "nginx"' --comm nginx
	check_open ".netns == ${NETNS[client]}" --netns "$CLIENT"
	check_open '.comm == "nginx" and .family == 6' --comm nginx --family 6
	check_equal "--open --count" 2 "$("$SYNWARDEN" conns --open --json --count 2 | wc -l)"
	try "$SYNWARDEN" conns --open --json --netns 1
	check_equal "--open --netns of none" "1 synwarden: no network namespace has the inode number 1; lsns -t net lists them" \
		"$STATUS $ERR"
	try "$SYNWARDEN" conns --open --duration 1
	check_equal "--open takes no --duration" \
		"2 synwarden: conns: --duration has no meaning with --open, which lists once; leave one of them out" \
		"$STATUS $ERR"
}

prepare_net
prepare_nginx
play existing
wait_for 10 grep -q ready "$TMP/existing.out"
EXISTING_SEEN=$(date +%s%N)
track json --json
track text
track "--comm --port" --json --comm curl --port 80
track "--state" --json --state LAST_ACK
track "--count" --json --count 1 --netns "$CLIENT" --comm curl
await_trackers
for scenario in slept refused connect_timeout connect_aborted reset_linger killed reset_close_wait; do
	play $scenario
done
request curl_first client 80 http://10.99.0.1/
request nginx_first server 80 http://10.99.0.1/ "${NGINX_FIRST[@]}"
request curl_first_v6 client 80 "http://[fd99::1]/big"
request nginx_first_v6 server 80 "http://[fd99::1]/big" "${NGINX_FIRST[@]}"
request upload client 80 http://10.99.0.1/ --data-binary "@$TMP/body"
request lost_syn client 82 http://10.99.0.1:82/
request lost_page client 83 http://10.99.0.1:83/
read -r TIME_WAIT_PORT _ <"$TMP/curl_first.curl"

in_server sysctl -qw net.ipv4.tcp_synack_retries=8 # it is to stay, also where all goes slowly
HALF_BEGAN=$(date +%s%N)
start_in_client bash -c ': >/dev/tcp/10.99.0.1/81' 2>"$TMP/half.err"
HALF_PID=$!
sleep 0.2
HALF_SEEN=$(date +%s%N)
for scenario in slept refused connect_timeout connect_aborted reset_linger killed reset_close_wait; do
	await_play $scenario
done
judge_open
kill $HALF_PID
EXISTING_END=$(date +%s%N)
kill -USR1 "${PLAYER[existing]}"
await_play existing

read_lines
for label in curl_first nginx_first curl_first_v6 nginx_first_v6 upload lost_syn lost_page; do
	judge_request $label
done
judge_losses
judge_slept
judge_endings
judge_existing
judge_fields
wait "${TRACKER[--count]}"
check_equal "--count ends by itself, after one" "0 1" "$? $(wc -l <"$TMP/--count")"
unset "TRACKER[--count]"
for name in "${!TRACKER[@]}"; do
	stop "${TRACKER[$name]}" INT
	check_equal "the tracker $name ends well" 0 $?
done
check_chosen "--comm --port" '.comm == "curl" and .rport == 80'
check_chosen --state '.state == "LAST_ACK"'
finish
