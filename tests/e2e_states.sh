#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What `synwarden states --json` says of every way in which a TCP connection can begin and end, against what RFC 9293
# and the kernel prescribe: the exact transitions of each socket, its addresses, its owner, its durations. One tracker
# watches while all scenarios of peer.py run at once, each on a port of its own; then come nginx and curl.
set -u
HERE=$(dirname "$(readlink -f "$0")")
# shellcheck source=tests/lib.sh
. "$HERE/lib.sh"

OPEN="CLOSE>SYN_SENT SYN_SENT>ESTABLISHED"
CHILD="LISTEN>SYN_RECV SYN_RECV>ESTABLISHED"
FIRST="ESTABLISHED>FIN_WAIT1 FIN_WAIT1>FIN_WAIT2 FIN_WAIT2>TIME_WAIT(time_wait)"
SECOND="ESTABLISHED>CLOSE_WAIT CLOSE_WAIT>LAST_ACK LAST_ACK>CLOSE(fin)"
LISTENER="CLOSE>LISTEN LISTEN>CLOSE(unlistened)"
AT_ONCE="CLOSE>SYN_SENT SYN_SENT>SYN_RECV SYN_RECV>ESTABLISHED ESTABLISHED>FIN_WAIT1 FIN_WAIT1>CLOSING"
AT_ONCE+=" CLOSING>TIME_WAIT(time_wait)"

V4="10.99.0.1 10.99.0.2"
V6="fd99::1 fd99::2"
MAPPED="::ffff:10.99.0.1 ::ffff:10.99.0.2"
HELD="10.97.0.1 10.97.0.2"

# curl would close as soon as it has what Content-Length announced: a race with nginx.
NGINX_FIRST=(-H "Connection: close" --ignore-content-length)

declare -A PORT PLAYER NETNS
declare -a CURLS
LAST_PORT=7000
MARKER_PORT=6999

prepare_net() {
	local side
	net_up
	for side in client server; do
		NETNS[$side]=$("in_$side" stat -L -c %i /proc/self/ns/net)
		# peer.py's CUT and UNREACHABLE
		"in_$side" nft -f - <<-END
			table ip wire {
				chain input {
					type filter hook input priority 0
					ip dscp ef drop
					ip dscp cs5 reject with icmp host-unreachable
				}
			}
		END
		# Nobody answers ARP for an address of lo: peer.py's hold() and release() make these neighbours.
		"in_$side" sysctl -qw net.ipv4.conf.all.arp_ignore=1
		# Up to a minute, and FIN_WAIT2 of a closed socket is at once the kernel's: TIME_WAIT stays unseen.
		"in_$side" sysctl -qw net.ipv4.tcp_fin_timeout=120
	done
	in_server ip addr add 10.97.0.1/32 dev lo
	in_client ip addr add 10.97.0.2/32 dev lo
	in_server ip route add 10.97.0.2 dev s0 src 10.97.0.1
	in_client ip route add 10.97.0.1 dev c0 src 10.97.0.2
}

start_tracker() {
	start "$SYNWARDEN" states --json >"$TMP/events" 2>"$TMP/tracker.err"
	TRACKER=$!
	wait_for 10 grep -q following "$TMP/tracker.err" || die "no tracker: $(cat "$TMP/tracker.err")"
}

# play SCENARIO ADDRESSES [LABEL]: in the background
play() {
	local label=${3:-$1}
	PORT[$label]=$((++LAST_PORT))
	# shellcheck disable=SC2086
	start python3 "$HERE/peer.py" "/run/netns/$SERVER" "/run/netns/$CLIENT" "$1" $2 "$LAST_PORT" \
		>"$TMP/$label.out" 2>"$TMP/$label.err"
	PLAYER[$label]=$!
}

# A scenario must have gone as its name says, or its transitions prove nothing.
await_players() {
	local label
	for label in "${!PLAYER[@]}"; do
		wait "${PLAYER[$label]}"
		check_equal "$label is played" 0 "$?$(cat "$TMP/$label.err")"
	done
}

# Events come in order: with those of one more connect, all are there.
read_events() {
	in_client bash -c ": >/dev/tcp/10.99.0.1/$MARKER_PORT" 2>/dev/null
	wait_for 10 grep -q "\"rport\":$MARKER_PORT,\"old\":\"SYN_SENT\"" "$TMP/events" || die "the tracker is silent"
	MARKER_PORT=$((MARKER_PORT - 1))
	digest
}

# A line for each socket: PORT|ROLE|COOKIE|FAMILY LADDR LPORT RADDR RPORT|OWNER PID COMM|TRANSITIONS|SOUND, where values
# that change are joined by " / ". PORT is the server's. Sound is: times do not run backwards, and just the first
# duration is unknown.
digest() {
	jq -rs --argjson server "${NETNS[server]}" --argjson client "${NETNS[client]}" '
		def changes: reduce .[] as $x ([]; if .[-1] == $x then . else . + [$x] end) | join(" / ");
		map(select(.netns == $server or .netns == $client)) | group_by(.cookie)[]
		| (.[0].netns == $client) as $is_client
		| any(.old != "LISTEN" and .new == "LISTEN" or .old == "LISTEN" and .new == "CLOSE") as $is_listener
		| [(if $is_client then .[0].rport else .[0].lport end),
		   (if $is_client then "client" elif $is_listener then "listener" else "server" end),
		   .[0].cookie,
		   (map("\(.family) \(.laddr) \(.lport) \(.raddr) \(.rport)") | changes),
		   (map("\(.owner) \(.pid) \(.comm)") | changes),
		   (map("\(.old)>\(.new)" + if .reason then "(\(.reason))" else "" end) | join(" ")),
		   ((map(.ts) | . == sort) and .[0].duration_us == null and
		    all(.[1:][]; .duration_us | type == "number" and . >= 0))]
		| map(tostring) | join("|")' "$TMP/events" >"$TMP/digest"
}

# column NUMBER PORT ROLE
column() {
	awk -F'|' -v n="$1" -v port="$2" -v role="$3" '$1 == port && $2 == role { print $n }' "$TMP/digest"
}

# expect LABEL ROLE TRANSITIONS
expect() {
	check_equal "$1: transitions of the $2" "$3" "$(column 6 "${PORT[$1]}" "$2")"
}

# expect_pair LABEL CLIENT SERVER: what comes after the handshake
expect_pair() {
	expect "$1" listener "$LISTENER"
	expect "$1" client "$OPEN $2"
	expect "$1" server "$CHILD $3"
}

# expect_owner LABEL ROLE KIND...: how the peer is known as the owner, as that changes
expect_owner() {
	local label=$1 role=$2 owners
	shift 2
	printf -v owners " / %s ${PLAYER[$label]} python3" "$@"
	check_equal "$label: owner of the $role" "${owners# / }" "$(column 5 "${PORT[$label]}" "$role")"
}

# What the kernels told peer.py of each socket must stand in all its lines, and peer.py must own it.
expect_sockets() {
	local label=$1 role cookie endpoints
	while read -r _ role cookie endpoints; do
		check_equal "$label: cookie, family, addresses and ports of the $role" "$role $cookie $endpoints" \
			"$(awk -F'|' -v c="$cookie" '$3 == c { print $2, $3, $4 }' "$TMP/digest")"
	done < <(grep ^socket "$TMP/$label.out")
	check_equal "$label: every socket is owned by the peer" "${PLAYER[$label]} python3" \
		"$(awk -F'|' -v port="${PORT[$label]}" '$1 == port { print $5 }' "$TMP/digest" | sed 's, / ,\n,g' |
			cut -d' ' -f2- | sort -u)"
	check_equal "$label: times and durations are sound" true \
		"$(awk -F'|' -v port="${PORT[$label]}" '$1 == port { print $7 }' "$TMP/digest" | sort -u)"
}

play_all() {
	local scenario
	for scenario in client_closes server_closes slept reset_unread reset_linger reset_close_wait reset_fin_wait2 \
		killed refused retried connect_timeout connect_unreachable connect_aborted data_timeout fin_timeout \
		listener_closes listener_returns listener_closes_queued orphaned; do
		play $scenario "$V4"
	done
	play simultaneous "$HELD"
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
		expect refused$suffix client "CLOSE>SYN_SENT SYN_SENT>CLOSE(refused)"
		expect_owner client_closes$suffix listener listen
		expect_owner client_closes$suffix client connect
		expect_owner client_closes$suffix server listen accept
	done
	expect simultaneous client "$AT_ONCE"
	expect simultaneous server "$AT_ONCE"
	expect_pair reset_linger "ESTABLISHED>CLOSE(reset_sent)" "ESTABLISHED>CLOSE(reset_received)"
	expect_pair reset_close_wait "ESTABLISHED>CLOSE_WAIT CLOSE_WAIT>CLOSE(reset_sent)" \
		"ESTABLISHED>FIN_WAIT1 FIN_WAIT1>FIN_WAIT2 FIN_WAIT2>CLOSE(reset_received)"
	expect_pair reset_fin_wait2 "ESTABLISHED>CLOSE_WAIT CLOSE_WAIT>CLOSE(reset_received)" \
		"ESTABLISHED>FIN_WAIT1 FIN_WAIT1>FIN_WAIT2 FIN_WAIT2>CLOSE(reset_sent)"
	expect_pair killed "ESTABLISHED>CLOSE(aborted)" "ESTABLISHED>CLOSE(reset_received)"
	expect retried client "CLOSE>SYN_SENT SYN_SENT>CLOSE(refused) $OPEN $FIRST"
	expect retried server "$CHILD $SECOND"
	expect connect_timeout client "CLOSE>SYN_SENT SYN_SENT>CLOSE(timeout)"
	expect connect_unreachable client "CLOSE>SYN_SENT SYN_SENT>CLOSE(unreachable)"
	expect connect_aborted client "CLOSE>SYN_SENT SYN_SENT>CLOSE(aborted)"
	expect_pair data_timeout "ESTABLISHED>CLOSE(timeout)" "ESTABLISHED>CLOSE(reset_sent)"
	expect_pair fin_timeout "ESTABLISHED>FIN_WAIT1 FIN_WAIT1>CLOSE(timeout)" "ESTABLISHED>CLOSE(reset_sent)"
	expect listener_closes listener "$LISTENER"
	expect listener_returns listener "$LISTENER $LISTENER"
	expect listener_closes_queued listener "$LISTENER"
	expect listener_closes_queued client "$(twice "$OPEN ESTABLISHED>CLOSE(reset_received)")"
	expect listener_closes_queued server "$(twice "$CHILD ESTABLISHED>CLOSE(reset_sent)")"
	expect_pair orphaned "ESTABLISHED>FIN_WAIT1 FIN_WAIT1>FIN_WAIT2 FIN_WAIT2>CLOSE(orphaned)" "$SECOND"
	for label in "${!PORT[@]}"; do
		expect_sockets "$label"
	done
	judge_slept
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
	done < <(jq -r --argjson port "${PORT[slept]}" 'select((.lport == $port or .rport == $port) and
		.old == "ESTABLISHED") | .duration_us | floor' "$TMP/events")
	check_equal "slept: transitions" "client $OPEN $FIRST, server $CHILD $SECOND" \
		"client $(column 6 "${PORT[slept]}" client), server $(column 6 "${PORT[slept]}" server)"
}

# What was there before the tracker.
judge_existing() {
	expect existing listener "LISTEN>CLOSE(unlistened)"
	expect existing client "$FIRST"
	expect existing server "$SECOND"
	expect existing_listener listener "LISTEN>CLOSE(unlistened)"
	expect existing_listener client "$OPEN $FIRST"
	expect existing_listener server "$CHILD $SECOND"
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
	server=$(awk -F'|' -v port="$lport" '$2 == "server" && $4 ~ " " port "$"' "$TMP/digest")
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
	local fields="ts cookie family laddr lport raddr rport old new duration_us pid comm owner uid cgroup netns"
	check_equal "the fields are those of the design" "$fields"$'\n'"$fields reason" \
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
