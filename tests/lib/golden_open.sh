# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What `synwarden conns --open` lists while a few connections are open, against ss: every one, in every state; its filters,
# each against the whole list. To be sourced after golden_conns.sh.

# open [OPTION...]: the open connections of the two test namespaces
open() {
	"$SYNWARDEN" conns --open --json "$@" >"$TMP/open" || die "conns --open fails"
	jq -c --argjson server "${NETNS[server]}" --argjson client "${NETNS[client]}" \
		'select(.netns == $server or .netns == $client)' "$TMP/open"
}

# states SIDE: how many there are of each, by ss
states() {
	"in_$1" ss -Htan | awk '{ print $1 }' | sed 's/-/_/g; s/ESTAB/ESTABLISHED/; s/SYN_RECV/NEW_SYN_RECV/' | sort | uniq -c
}

# open_agrees SIDE: a TIME_WAIT may end between the two lists
open_agrees() {
	open >"$TMP/open.all"
	diff <(states "$1") <(jq -r --argjson netns "${NETNS[$1]}" 'select(.netns == $netns) | .state' "$TMP/open.all" |
		sort | uniq -c)
}

half_open_at() {
	[ -n "$(in_server ss -Htn state syn-recv "sport = $1")" ]
}

judge_open() {
	local side sport
	for side in client server; do
		check "--open: as many of each state as ss has, in the $side" wait_for open_agrees $side
	done
	sport=$(jq 'select(.state == "SYN_SENT") | .lport' "$TMP/open.all")
	check_equal "--open: the half-open one is its listener's" \
		"server 81 10.99.0.2 $sport false null null null false snapshot nginx 0" \
		"$(jq -r 'select(.state == "NEW_SYN_RECV") | [.role, .lport, .raddr, .rport, .established, .sent_bytes,
			.received_bytes, .closed_first, .snapshot, .owner, .comm, .uid] | map(tostring) | join(" ")' "$TMP/open.all")"
	check_between "--open: microseconds since its first SYN-ACK" $(((HALF_SEEN - HALF_BEGAN) / 2000)) \
		$((($(date +%s%N) - HALF_BEGAN) / 1000)) "$(jq 'select(.state == "NEW_SYN_RECV") | .duration_us | floor' "$TMP/open.all")"
	check_equal "--open: who waits for the answer" "client 81 false $HALF_PID bash true" \
		"$(jq -r 'select(.state == "SYN_SENT") | "\(.role) \(.rport) \(.established) \(.pid) \(.comm) \(.snapshot)"' "$TMP/open.all")"
	check_equal "--open: a TIME_WAIT has nobody" "80 true local null null null unknown true" \
		"$(jq -r --argjson port "$TIME_WAIT_PORT" 'select(.state == "TIME_WAIT" and .lport == $port) | [.rport, .established,
			.closed_first, .sent_bytes, .retransmits, .pid, .owner, .snapshot] | map(tostring) | join(" ")' "$TMP/open.all")"
	check_equal "--open: nginx's listeners are nginx's" "4 4 80 nginx; 4 81 nginx; 4 82 nginx; 4 83 nginx; 6 80 nginx" \
		"4 $(jq -rs 'map(select(.state == "LISTEN" and .lport < 100) | "\(.family) \(.lport) \(.comm)") | sort | join("; ")' "$TMP/open.all")"
	check_equal "--open: both ends of a connection that existed" "ESTABLISHED true snapshot ${PLAYER[existing]} 0 0
ESTABLISHED true snapshot ${PLAYER[existing]} 0 0" \
		"$(jq -r --argjson port "${PORT[existing]}" 'select((.lport == $port or .rport == $port) and .state != "LISTEN")
			| "\(.state) \(.established) \(.owner) \(.pid) \(.sent_bytes) \(.received_bytes)"' "$TMP/open.all")"
	judge_open_text
	judge_open_filters
}

judge_open_text() {
	"$SYNWARDEN" conns --open --netns "$SERVER" >"$TMP/open.text"
	check_equal "--open: its columns" "STATE PID COMM OWNER LOCAL REMOTE AGE SENT RECEIVED RETRANS PROTOCOL REQUESTS" \
		"$(head -n1 "$TMP/open.text" | tr -s ' ' | sed 's/ $//')"
	check "--open: a listener for people" grep -qE \
		"^LISTEN +[0-9]+ +nginx +snapshot +0\.0\.0\.0:80 +-- 0\.0\.0\.0:0 +- +- +- +- +- +- snapshot\$" "$TMP/open.text"
	check "--open: a half-open one for people" grep -qE \
		"^NEW_SYN_RECV +[0-9]+ +nginx +snapshot +10\.99\.0\.1:81 +<- 10\.99\.0\.2:[0-9]+ +([0-9.]+ (ms|s)|[0-9]+m[0-9]+s) +- +- +[0-9] +- +-\$" \
		"$TMP/open.text"
	check "--open: one that existed, for people" grep -qE \
		"^ESTABLISHED +${PLAYER[existing]} +python3 +snapshot +10\.99\.0\.1:${PORT[existing]} +-- .* >([0-9.]+ (ms|s)|[0-9]+m[0-9]+s) +0 B +0 B +0 +- +- snapshot\$" \
		"$TMP/open.text"
}

# check_open CONDITION OPTION...: what the options choose is that of --open for which CONDITION holds
check_open() {
	local all
	all=$(jq -r "select($1) | .cookie" "$TMP/open.all" | sort)
	check "--open ${*:2} chooses something" test -n "$all"
	check_equal "--open ${*:2} chooses what it says" "$all" "$(open "${@:2}" | jq -r .cookie | sort)"
}

judge_open_filters() {
	check_open '.lport == 80 or .rport == 80' --port 80
	check_open '.family == 6' --family 6
	check_open '.laddr == "10.99.0.2" or .raddr == "10.99.0.2"' --addr 10.99.0.2
	check_open '.state == "LISTEN"' --state LISTEN
	check_open '.state == "TIME_WAIT"' --state time-wait
	check_open '.state == "SYN_RECV" or .state == "NEW_SYN_RECV"' --state SYN-RECV
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
