#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Closes in all orders, with pauses of up to 200 ms between the two FINs (tests/tools/closes.py): what `states` and
# `conns` say of how, and how long, each was in FIN_WAIT2, against the programs' own log and ss; over IPv4, IPv6 and
# loopback, without RPS and with it. Then that `run` counts the same closes, and that a FIN that never comes is reported.
# LONG=1: three rounds of a thousand closes.
#
# test: long slow no-kernels
set -u
ROOT=$(readlink -f "$(dirname "$0")/../..")
# shellcheck source=tests/lib/network.sh
. "$ROOT/tests/lib/network.sh"

PORT=7300
CLOSES=$(long_or 1000 400)

# track NAME [OPTION...]: a tracker in the background; its lines go to $TMP/NAME
track() {
	start "$SYNWARDEN" "$@" >"$TMP/$1" 2>"$TMP/$1.err"
	TRACKERS+=("$!")
	wait_for grep -q following "$TMP/$1.err" || die "no tracker: $(cat "$TMP/$1.err")"
}

closes() {
	python3 "$ROOT/tests/tools/closes.py" "$@"
}

# all_reported: by each tracker, as many connections as ended, of both sides, were reported, or lost
all_reported() {
	local tracker
	for tracker in states conns; do
		[ "$(jq -s 'map(.lost // (if .reason then 1 else 0 end)) | add' "$TMP/$tracker")" -ge $((2 * COUNT)) ] || return
	done
}

only_waits() {
	! in_server ss -Htan state connected exclude time-wait | grep -q . && ! in_client ss -Htan state connected exclude time-wait | grep -q .
}

# What is reported is so within three seconds of the last close (tcp_fin_timeout below). Where the kernel called no program
# nothing comes, and the judge sees it.
settle() {
	local i
	wait_for only_waits
	for ((i = 0; i < 80; i++)); do
		! all_reported || return
		sleep 0.1
	done
}

# kernel_counts in_server|in_client: ActiveOpens, PassiveOpens and EstabResets of a namespace
kernel_counts() {
	"$1" nstat -asz TcpActiveOpens TcpPassiveOpens TcpEstabResets | awk '/^Tcp/ { printf "%s ", $2 }'
}

# told_counts NETNS: the same by the transitions that `states` told of
told_counts() {
	jq -rs --argjson netns "$1" 'map(select(.netns == $netns) | "\(.old)>\(.new)") |
		[map(select(. == "CLOSE>SYN_SENT")), map(select(. == "LISTEN>SYN_RECV")),
		 map(select(. == "ESTABLISHED>CLOSE" or . == "CLOSE_WAIT>CLOSE"))] | map(length) | join(" ")' "$TMP/states"
}

# The kernel may call no program for a transition, see closes.py: then it is reported as lost, and sums do not add up.
nothing_lost() {
	! grep -q '"lost"' "$TMP/states" "$TMP/conns" || {
		echo "# transitions were reported as lost: $1 is not compared"
		return 1
	}
}

# judge_counts LABEL in_server|in_client BEFORE
judge_counts() {
	local netns
	netns=$("$2" stat -L -c %i /proc/self/ns/net)
	nothing_lost "$1 $2" || return
	# shellcheck disable=SC2046
	check_equal "$1: opens and resets $2 as the kernel counts them" "$(told_counts "$netns")" \
		"$(paste -d- <(xargs -n 1 <<<"$(kernel_counts "$2")") <(xargs -n 1 <<<"$3") | bc | xargs)"
}

# play COUNT: leaves what the programs and the trackers say in $TMP, and what run had counted before
play() {
	local tracker
	COUNT=$1
	TRACKERS=()
	ended >"$TMP/ended"
	track states --json --port $PORT
	track conns --json --port $PORT
	SERVER_BEFORE=$(kernel_counts in_server)
	CLIENT_BEFORE=$(kernel_counts in_client)
	closes play "/run/netns/$SERVER" "/run/netns/$CLIENT" "$COUNT" $PORT >"$TMP/log" 2>"$TMP/log.err" ||
		die "cannot close: $(cat "$TMP/log.err")"
	settle
	for tracker in "${TRACKERS[@]}"; do
		stop "$tracker" INT
	done
}

agrees() {
	closes judge "$TMP/log" "$TMP/states" "$TMP/conns"
}

# close_all LABEL COUNT ATTEMPTS
close_all() {
	local attempt
	for ((attempt = 1; attempt <= $3; attempt++)); do
		play "$2"
		agrees >"$TMP/judged" && break
		echo "# $1, attempt $attempt: $(wc -l <"$TMP/judged") contradictions"
	done
	check "$1: what the trackers say of $2 closes agrees with what the programs did" agrees
	judge_counts "$1" in_server "$SERVER_BEFORE"
	judge_counts "$1" in_client "$CLIENT_BEFORE"
}

# ended: how many connections have ended how in the server's namespace, as run has counted since it began
ended() {
	in_server "$SYNWARDEN" status --json | jq -r '.endings[] | select(.established > 0) | "\(.reason) \(.established)"' | sort
}

# ended_since FILE: how many more than FILE says
ended_since() {
	ended | awk 'FILENAME != "-" { before[$1] = $2; next } $2 > before[$1] { print $1, $2 - before[$1] }' "$1" -
}

judge_run() {
	nothing_lost "run" || return
	check_equal "run counts the same endings in its namespace" \
		"$(jq -r --argjson netns "$NETNS" 'select(.netns == $netns) | .reason' "$TMP/conns" | sort | uniq -c |
			awk '{ print $2, $1 }')" "$(ended_since "$TMP/ended")"
}

net_up
NETNS=$(in_server stat -L -c %i /proc/self/ns/net)
for side in in_server in_client; do
	# A FIN that the tracker misses, as the kernel calls no program for it, is reported as lost after this time.
	$side sysctl -qw net.ipv4.tcp_fin_timeout=2
done
start_synwarden --listen off
# The kernel may call no BPF program for a transition, and count nothing (docs/limits.md): of some attempts, one must be without.
close_all "without RPS" "$CLOSES" 10
judge_run
steer_packets 3
for ((round = 1; round <= $(long_or 3 1); round++)); do
	close_all "with RPS, round $round" "$CLOSES" 10
done
finish
