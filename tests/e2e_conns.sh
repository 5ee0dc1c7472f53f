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

declare -A PORT PLAYER PEER BEGAN TRACKER NETNS
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
		wait_for 10 grep -q following "$TMP/$name.err" || die "no tracker: $(cat "$TMP/$name.err")"
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
	PEER[$label]=$2
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
	MARKER_PORT=$((MARKER_PORT - 1))
}

# line CLIENT|SERVER PORT LOCAL_PORT: the JSON of one side; of all local ports, where that is ""
line() {
	jq -c --arg side "$1" --argjson port "$2" --arg local "$3" --argjson netns "${NETNS[$1]}" '
		select(.netns == $netns)
		| select(if $side == "client" then .rport == $port and ($local == "" or .lport == ($local | tonumber))
		         else .lport == $port and ($local == "" or .rport == ($local | tonumber)) end)' "$TMP/json"
}

# fields JSON FILTER...: values of one line
fields() {
	jq -r "[$2] | map(tostring) | join(\" \")" <<<"$1"
}

ENDED='.role, .established, .closed_first, .reason, .state'

# The two lines of a request: what curl knows, what nginx's side must mirror, what the kernels prescribe.
judge_request() {
	local label=$1 local_port sent header body connect first wall client server
	{
		read -r local_port sent header body connect first
		read -r wall
	} <"$TMP/$label.curl"
	client=$(line client "${PORT[$label]}" "$local_port")
	server=$(line server "${PORT[$label]}" "$local_port")
	check_equal "$label: bytes that curl sent and received" "$sent $((header + body))" \
		"$(fields "$client" '.sent_bytes, .received_bytes')"
	check_equal "$label: nginx's side mirrors it" "$((header + body)) $sent" \
		"$(fields "$server" '.sent_bytes, .received_bytes')"
	check_equal "$label: both name the same two ends" \
		"$(fields "$client" '.family, .laddr, .lport, .raddr, .rport')" \
		"$(fields "$server" '.family, .raddr, .rport, .laddr, .lport')"
	if [ "${PEER[$label]}" = client ]; then
		check_equal "$label: curl's end" "client true local time_wait FIN_WAIT2" "$(fields "$client" "$ENDED")"
		check_equal "$label: nginx's end" "server true remote fin LAST_ACK" "$(fields "$server" "$ENDED")"
	else
		check_equal "$label: curl's end" "client true remote fin LAST_ACK" "$(fields "$client" "$ENDED")"
		check_equal "$label: nginx's end" "server true local time_wait FIN_WAIT2" "$(fields "$server" "$ENDED")"
	fi
	check_equal "$label: curl owns its side" "connect ${PLAYER[$label]} curl 0" \
		"$(fields "$client" '.owner, .pid, .comm, .uid')"
	check "$label: a worker of nginx owns the other" grep -qxF -- "$(fields "$server" '.pid')" \
		<<<"$(pgrep -P "$NGINX")"
	check_equal "$label: the worker accepted it, and is nobody" "accept nginx $(id -u nobody)" \
		"$(fields "$server" '.owner, .comm, .uid')"
	check_between "$label: microseconds of curl's side" "$(micros "$first - $connect")" $((wall + 500000)) \
		"$(fields "$client" '.duration_us | floor')"
	check_between "$label: microseconds of curl's handshake" 1 "$(micros "$connect")" \
		"$(fields "$client" '.handshake_us | floor')"
	check_between "$label: microseconds of nginx's handshake" 1 "$(micros "$connect")" \
		"$(fields "$server" '.handshake_us | ceil')"
	check_equal "$label: the line says what the object says" "$(as_text "$client")" "$(text_of "$client")"
}

micros() {
	awk "BEGIN { printf \"%d\", ($1) * 1000000 }"
}

# text_of JSON: the line of the same connection for people, its runs of spaces made one, without times and sizes
text_of() {
	local laddr lport
	read -r laddr lport < <(fields "$1" 'if .family == 6 then "[\(.laddr)]" else .laddr end, .lport')
	awk -v local="$laddr:$lport" '$4 == local' "$TMP/text" |
		sed -E 's/ +/ /g; s/^[0-9:.]+ //; s/ [0-9.]+ (us|ms|s)( |$)/ TIME /g; s/ [0-9.]+ (us|ms|s)( |$)/ TIME /g; s/ [0-9.]+ KiB/ SIZE/g'
}

# as_text JSON: what text_of must give for a client's
as_text() {
	jq -r 'def ends(a; p): if .family == 6 then "[\(a)]:\(p)" else "\(a):\(p)" end;
		def size: if . < 1024 then "\(.) B" else "SIZE" end;
		"\(.pid) \(.comm) \(ends(.laddr; .lport)) -> \(ends(.raddr; .rport)) TIME TIME \(.sent_bytes | size) \(
		.received_bytes | size) \(.retransmits) \(.reason), \(.closed_first) closed first"' <<<"$1"
}

# The first SYN, and the first segment of a page, got lost.
judge_losses() {
	local json
	json=$(line client 82 "")
	check_equal "lost SYN: sent again once, by the client only" "1 0" \
		"$(fields "$json" .retransmits) $(fields "$(line server 82 "")" .retransmits)"
	check_between "lost SYN: microseconds of the client's handshake" 1000000 2000000 \
		"$(fields "$json" '.handshake_us | floor')"
	check_between "lost SYN: microseconds of the server's handshake" 1 500000 \
		"$(fields "$(line server 82 "")" '.handshake_us | ceil')"
	check_equal "lost page: sent again once, by the server only" "0 1" \
		"$(fields "$(line client 83 "")" .retransmits) $(fields "$(line server 83 "")" .retransmits)"
}

# Both ends lived at least as long as peer.py slept, and at most as long as the whole took.
judge_slept() {
	local least most side
	read -r _ least most < <(grep ^slept "$TMP/slept.out")
	for side in client server; do
		check_between "slept: microseconds of the $side" "$least" "$most" \
			"$(fields "$(line $side "${PORT[slept]}" "")" '.duration_us | floor')"
	done
}

# judge_failed SCENARIO REASON RETRANSMITS LEAST MOST TEXT: a connect that came to nothing
judge_failed() {
	local json
	json=$(line client "${PORT[$1]}" "")
	check_equal "$1: the client's end" "client false null $2 SYN_SENT null 0 0 $3 ${PLAYER[$1]}" \
		"$(fields "$json" "$ENDED, .handshake_us, .sent_bytes, .received_bytes, .retransmits, .pid")"
	check_between "$1: microseconds" "$4" "$5" "$(fields "$json" '.duration_us | floor')"
	check "$1: and for people" grep -qE -- "-> 10\.99\.0\.1:${PORT[$1]} .* never established: $6\$" "$TMP/text"
}

judge_endings() {
	local syns
	syns=$(in_server nft -j list counter ip wire cut | jq '.nftables[].counter.packets? // empty')
	judge_failed refused refused 0 1 1000000 refused
	judge_failed connect_timeout timeout $((syns - 2)) 3000000 4500000 "no answer \(timeout\)"
	judge_failed connect_aborted aborted 0 1 1000000 aborted
	check_equal "reset: this side" "client true null reset_sent ESTABLISHED" \
		"$(fields "$(line client "${PORT[reset_linger]}" "")" "$ENDED")"
	check_equal "reset: the other side" "server true null reset_received ESTABLISHED" \
		"$(fields "$(line server "${PORT[reset_linger]}" "")" "$ENDED")"
	check_equal "killed: this side" "client true null aborted ESTABLISHED" \
		"$(fields "$(line client "${PORT[killed]}" "")" "$ENDED")"
	check_equal "reset after a FIN: who closed first is known" "remote reset_sent CLOSE_WAIT local reset_received FIN_WAIT2" \
		"$(fields "$(line client "${PORT[reset_close_wait]}" "")" '.closed_first, .reason, .state') $(
			fields "$(line server "${PORT[reset_close_wait]}" "")" '.closed_first, .reason, .state')"
}

# A connection that is older than the tracker: at least as old as when we looked for it, at most as old as its process.
judge_existing() {
	local side json
	for side in client server; do
		json=$(line $side "${PORT[existing]}" "")
		check_equal "existing: the $side's end" "unknown true null null snapshot ${PLAYER[existing]}" \
			"$(fields "$json" '.role, .established, .duration_us, .handshake_us, .owner, .pid')"
		check_between "existing: microseconds, at least, of the $side" \
			$(((EXISTING_END - EXISTING_SEEN) / 1000)) $((($(date +%s%N) - BEGAN[existing]) / 1000)) \
			"$(fields "$json" '.duration_at_least_us | floor')"
	done
	check_equal "existing: who closed first" "local time_wait remote fin" \
		"$(fields "$(line client "${PORT[existing]}" "")" '.closed_first, .reason') $(
			fields "$(line server "${PORT[existing]}" "")" '.closed_first, .reason')"
	check "existing: and for people" grep -qE \
		"^[0-9:.]+ +${PLAYER[existing]} +python3 .*:${PORT[existing]} +-- .* >[0-9.]+ (s|ms) .* fin, remote closed first\$" \
		"$TMP/text"
}

judge_fields() {
	local fields="ts cookie family laddr lport raddr rport role state duration_us"
	local more="established handshake_us sent_bytes received_bytes retransmits closed_first"
	local last="pid comm uid cgroup owner netns"
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
		"$(fields "$(jq -c 'select(.state == "SYN_SENT")' "$TMP/living")" '.role, .rport, .established, .pid, .comm, .snapshot')"
	check_equal "--open: a TIME_WAIT has nobody" "80 true local null null null unknown true" \
		"$(fields "$(jq -c --argjson port "$TIME_WAIT_PORT" 'select(.state == "TIME_WAIT" and .lport == $port)' "$TMP/living")" \
			'.rport, .established, .closed_first, .sent_bytes, .retransmits, .pid, .owner, .snapshot')"
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
	check_equal "--open: its columns" "STATE AGE PID COMM OWNER LOCAL REMOTE SENT RECEIVED RETRANS" \
		"$(head -n1 "$TMP/open.text" | tr -s ' ' | sed 's/ $//')"
	check "--open: a listener for people" grep -qE \
		"^LISTEN +- +[0-9]+ +nginx +snapshot +0\.0\.0\.0:80 +-- 0\.0\.0\.0:0 +- +- +-  snapshot\$" "$TMP/open.text"
	check "--open: a half-open one for people" grep -qE \
		"^NEW_SYN_RECV +[0-9.]+ (ms|s) +[0-9]+ +nginx +snapshot +10\.99\.0\.1:81 +<- 10\.99\.0\.2:[0-9]+ +- +- +[0-9]\$" \
		"$TMP/open.text"
	check "--open: one that existed, for people" grep -qE \
		"^ESTABLISHED +>[0-9.]+ (ms|s) +${PLAYER[existing]} +python3 +snapshot +10\.99\.0\.1:${PORT[existing]} +-- .* 0 B +0 B +0  snapshot\$" \
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
track "--port" --json --port 80
track "--family" --json --family 6
track "--addr" --json --addr fd99::/64
track "--comm" --json --comm curl
track "--netns" --json --netns "$SERVER"
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
check_chosen --port '.lport == 80 or .rport == 80'
check_chosen --family '.family == 6'
check_chosen --addr '.laddr | startswith("fd99:")'
check_chosen --comm '.comm == "curl"'
check_chosen --netns ".netns == ${NETNS[server]}"
check_chosen --state '.state == "LAST_ACK"'
finish
