# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Plays scenarios of peer.py under one `synwarden states --json`, and holds what it says of each socket against what
# RFC 9293 and the kernel prescribe: the exact transitions, addresses, owner, durations. To be sourced after lib.sh.

# shellcheck disable=SC2034 # for the scripts
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
# A scenario that holds packets back needs two of its own that nobody answers ARP for.
HELD=("10.97.0.1 10.97.0.2" "10.97.1.1 10.97.1.2" "10.97.2.1 10.97.2.2" "10.97.3.1 10.97.3.2" "10.97.4.1 10.97.4.2")

declare -A PORT PLAYER NETNS
LAST_PORT=7000
MARKER_PORT=6999

# cut_marked in_server|in_client: what comes in there with wire.py's CUT or UNREACHABLE
cut_marked() {
	"$1" nft -f - <<-END
		table ip wire {
			chain input {
				type filter hook input priority 0
				ip dscp ef drop
				ip dscp cs5 reject with icmp host-unreachable
			}
		}
	END
}

prepare_net() {
	local side held
	net_up
	for side in client server; do
		NETNS[$side]=$("in_$side" stat -L -c %i /proc/self/ns/net)
		cut_marked "in_$side"
		# Nobody answers ARP for an address of lo: wire.py's hold() and release() make these neighbours.
		"in_$side" sysctl -qw net.ipv4.conf.all.arp_ignore=1
		# Packets wait for them for a second by question.
		"in_$side" sysctl -qw "net.ipv4.neigh.${side:0:1}0.mcast_solicit=$((3 * ${PATIENCE:-1}))"
		# Up to a minute, and FIN_WAIT2 of a closed socket is at once the kernel's: TIME_WAIT stays unseen.
		"in_$side" sysctl -qw net.ipv4.tcp_fin_timeout=120
		"in_$side" sysctl -qw net.ipv4.tcp_fastopen=3
		"in_$side" sysctl -eqw net.ipv4.tcp_syn_linear_timeouts=0 # from 6.5 on: four retries more
	done
	for held in "${HELD[@]}"; do
		in_server ip addr add "${held% *}/32" dev lo
		in_client ip addr add "${held#* }/32" dev lo
		in_server ip route add "${held#* }" dev s0 src "${held% *}"
		in_client ip route add "${held% *}" dev c0 src "${held#* }"
	done
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

# A line for each socket, in the order in which they began: PORT|ROLE|COOKIE|FAMILY LADDR LPORT RADDR RPORT|OWNER PID COMM|TRANSITIONS|SOUND, where values
# that change are joined by " / ". PORT is the server's. Sound is: times do not run backwards, and just the duration
# before the first transition of a life that we saw begin is unknown.
digest() {
	exact "$TMP/events" | jq -rs --argjson server "${NETNS[server]}" --argjson client "${NETNS[client]}" '
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
