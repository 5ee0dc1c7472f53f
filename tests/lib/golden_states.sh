# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What `synwarden states --json` prints of the scenarios, in $TMP/states, against what RFC 9293 and the kernel prescribe: the
# exact transitions of each socket, its addresses, its owner, its durations. To be sourced after golden.sh.

OPEN="CLOSE>SYN_SENT SYN_SENT>ESTABLISHED"
CHILD="LISTEN>SYN_RECV SYN_RECV>ESTABLISHED"
FIRST="ESTABLISHED>FIN_WAIT1 FIN_WAIT1>FIN_WAIT2 FIN_WAIT2>TIME_WAIT(time_wait)"
SECOND="ESTABLISHED>CLOSE_WAIT CLOSE_WAIT>LAST_ACK LAST_ACK>CLOSE(fin)"
LISTENER="CLOSE>LISTEN LISTEN>CLOSE(unlistened)"
AT_ONCE="CLOSE>SYN_SENT SYN_SENT>SYN_RECV SYN_RECV>ESTABLISHED ESTABLISHED>FIN_WAIT1 FIN_WAIT1>CLOSING"
AT_ONCE+=" CLOSING>TIME_WAIT(time_wait)"

# digest: a line for each socket, in the order in which they began, PORT|ROLE|COOKIE|FAMILY LADDR LPORT RADDR RPORT|OWNER PID
# COMM|TRANSITIONS|SOUND, where values that change are joined by " / ". PORT is the server's. Sound means that times do not
# run backwards, and that only the duration before the first transition of a life that was seen to begin is unknown.
digest() {
	exact "$TMP/states" | jq -rs --argjson server "${NETNS[server]}" --argjson client "${NETNS[client]}" '
		def changes: reduce .[] as $x ([]; if .[-1] == $x then . else . + [$x] end) | join(" / ");
		map(select(.netns == $server or .netns == $client)) | group_by(.cookie) | sort_by(.[0].ts)[]
		| (.[0].netns == $client) as $is_client
		| any(.old != "LISTEN" and .new == "LISTEN" or .old == "LISTEN" and .new == "CLOSE") as $is_listener
		| [(if $is_client then .[0].rport else .[0].lport end),
		   (if $is_client then "client" elif $is_listener then "listener" else "server" end),
		   .[0].cookie,
		   (map("\(.family) \(.laddr) \(.lport) \(.raddr) \(.rport)") | changes),
		   (map("\(.owner) \(.pid) \(.comm)") | changes),
		   (map("\(.old)>\(.new)" + if .reason then "(\(.reason))" else "" end) | join(" ")),
		   ((map(.ts) | . == sort) and
		    (.[0] | .duration_us == null and
		     (.duration_at_least_us == null) == (.old == "CLOSE" or .new == "SYN_RECV")) and
		    all(.[1:][]; .duration_us | type == "number" and . >= 0))]
		| map(tostring) | join("|")' >"$TMP/digest"
}

# column NUMBER PORT ROLE
column() {
	awk -F'|' -v n="$1" -v port="$2" -v role="$3" '$1 == port && $2 == role { print $n }' "$TMP/digest"
}

# expect_life LABEL ROLE TRANSITIONS
expect_life() {
	check_equal "$1: transitions of the $2" "$3" "$(column 6 "${PORT[$1]}" "$2")"
}

# expect_pair LABEL CLIENT SERVER: what comes after the handshake
expect_pair() {
	expect_life "$1" listener "$LISTENER"
	expect_life "$1" client "$OPEN $2"
	expect_life "$1" server "$CHILD $3"
}

# expect_owner LABEL ROLE KIND...: how the peer is known as the owner, as that changes
expect_owner() {
	local label=$1 role=$2 owners
	shift 2
	printf -v owners " / %s ${PLAYER[$label]} python3" "$@"
	check_equal "$label: owner of the $role" "${owners# / }" "$(column 5 "${PORT[$label]}" "$role")"
}

# What the kernels told peer.py of each socket must be in all its lines, and peer.py must own it.
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

judge_states() {
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
	expect_pair orphaned "$FIRST" "$SECOND"
	judge_handshakes
	for label in "${PLAYED[@]}"; do
		expect_sockets "$label"
	done
	judge_states_slept
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
judge_states_slept() {
	local least most duration
	read -r _ least most < <(grep ^slept "$TMP/slept.out")
	while read -r duration; do
		check_between "slept: microseconds in ESTABLISHED" "$least" "$most" "$duration"
	done < <(jq -r --argjson port "${PORT[slept]}" --argjson server "${NETNS[server]}" \
		--argjson client "${NETNS[client]}" 'select((.lport == $port and .netns == $server or
		.rport == $port and .netns == $client) and
		.old == "ESTABLISHED") | .duration_us | floor' "$TMP/states")
	check_equal "slept: transitions" "client $OPEN $FIRST, server $CHILD $SECOND" \
		"client $(column 6 "${PORT[slept]}" client), server $(column 6 "${PORT[slept]}" server)"
}

# Sockets that are older than the tracker
judge_states_existing() {
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

# judge_curl CURL LABEL: its ten transitions, with those of nginx; CURL is the label of its request
judge_curl() {
	# shellcheck disable=SC2153 # of the script that sources this
	local pid=${PLAYER[$1]} first=${CLOSER[$1]} label=$2 client server lport ends
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
		| map($at[.]) | all(. != null) and . == sort' "$TMP/states" | sort -u)"
}

judge_states_fields() {
	local flow="ts cookie family laddr lport raddr rport old new" owner="pid comm owner uid cgroup netns"
	check_equal "the fields are those of the design" \
		"$(printf '%s\n' "$flow duration_us "{"","duration_at_least_us "}"$owner"{""," reason"} | sort)" \
		"$(jq -r 'del(.device) | keys_unsorted | join(" ")' "$TMP/states" | sort -u)"
	check_equal "a reason stands on final transitions, and only there" "" \
		"$(jq -c 'select((.new == "CLOSE" or .new == "TIME_WAIT") != has("reason"))' "$TMP/states")"
	check_equal "nothing was lost" "" "$(grep '"lost"' "$TMP/states")"
	check_equal "the only message is that it runs" "synwarden: following every TCP socket until stopped" \
		"$(cat "$TMP/states.err")"
}
