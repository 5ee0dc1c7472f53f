# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What `synwarden conns` prints of the scenarios and of curl, in $TMP/json and $TMP/text, against what nginx, curl and
# peer.py know of them: exact bytes each way, retransmissions, roles, owners and endings, durations and handshakes between
# bounds that others measured. To be sourced after golden.sh.

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

# of SIDE PORT LOCAL NAME...: these values of that connection's line; of any client port, where LOCAL is "any"
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
	# shellcheck disable=SC2153 # of the script that sources this
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
	check_equal "$label: the command that shows the next one, at the client and at the server" \
		"synwarden ladder --addr $(of client "$port" "$local_port" raddr) --port $port
synwarden ladder --addr $(of client "$port" "$local_port" laddr) --port $port" \
		"$(of client "$port" "$local_port" ladder)
$(of server "$port" "$local_port" ladder)"
	judge_text "$label" "$port" "$local_port"
}

micros() {
	awk "BEGIN { printf \"%d\", ($1) * 1000000 }"
}

# The line of text has the values of the object; times, and sizes of other units than bytes, are another test's.
judge_text() {
	local laddr raddr lport rport pid comm rest sent received
	read -r laddr lport raddr rport pid comm sent received rest < <(of client "$2" "$3" \
		laddr lport raddr rport pid comm sent_bytes received_bytes retransmits reason closed_first)
	case $laddr in *:*) laddr="[$laddr]" raddr="[$raddr]" ;; esac
	check_equal "$1: the line says what the object says" \
		"$pid $comm $laddr:$lport -> $raddr:$rport TIME TIME $(size "$sent") $(size "$received") ${rest% * *} - - $(
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
judge_conns_slept() {
	local least most side
	read -r _ least most < <(grep ^slept "$TMP/slept.out")
	for side in client server; do
		check_between "slept: microseconds of the $side" "$least" "$most" "$(of $side "${PORT[slept]}" any duration_us)"
	done
}

# judge_failed SCENARIO REASON RETRANSMITS LEAST MOST TEXT: a connect that failed
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

judge_conns_endings() {
	local syns
	syns=$(in_server nft -j list counter ip wire cut_syns | jq '.nftables[].counter.packets? // empty')
	judge_failed refused refused 0 1 1000000 refused
	judge_failed connect_timeout timeout $((syns - 2)) 3000000 4500000 "no answer \(timeout\)"
	judge_failed connect_aborted aborted 0 1 1000000 aborted
	judge_ended reset_linger "null reset_sent ESTABLISHED" "null reset_received ESTABLISHED"
	judge_ended killed "null aborted ESTABLISHED" "null reset_received ESTABLISHED"
	judge_ended reset_close_wait "remote reset_sent CLOSE_WAIT" "local reset_received FIN_WAIT2"
}

# A connection that is older than the tracker: at least as old as when we looked for it, at most as old as its process.
judge_conns_existing() {
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

judge_conns_fields() {
	local fields="ts cookie family laddr lport raddr rport role state duration_us"
	local more="established handshake_us sent_bytes received_bytes retransmits protocol requests closed_first"
	local last="pid comm owner uid cgroup netns ladder"
	check_equal "the fields are those of the README" \
		"$fields duration_at_least_us $more reason $last"$'\n'"$fields $more reason $last" \
		"$(jq -r 'del(.device) | keys_unsorted | join(" ")' "$TMP/json" | sort -u)"
	check_equal "of HTTP nothing is known, where no run counts it" "null null" \
		"$(jq -r '"\(.protocol) \(.requests)"' "$TMP/json" | sort -u)"
	check_equal "nothing was lost" "" "$(grep '"lost"' "$TMP/json")"
	check_equal "the only message is that it runs" "synwarden: following every TCP connection until stopped" \
		"$(cat "$TMP/json.err")"
}

# chosen NAME: what the tracker NAME reported of the two test namespaces, by cookie
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
