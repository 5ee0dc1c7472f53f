#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A storm of random connections (tests/tools/storm.py), of which a part of the segments is lost: what `conns` says of each
# socket is what its program did with it, and the sums are the kernel's counters of each namespace, and those of `run`.
# Over IPv4, IPv6 and loopback, without RPS and with it. SEED=N repeats one. LONG=1: ten storms.
#
# test: long slow asan-slow no-kernels
set -u
ROOT=$(readlink -f "$(dirname "$0")/../..")
# shellcheck source=tests/lib/network.sh
. "$ROOT/tests/lib/network.sh"

PORT=7600 # and the next ones; each storm has ports of its own
SEED=${SEED:-1}
CONNECTIONS=$(long_or 3000 360)
ATTEMPTS=5

storm() {
	python3 "$ROOT/tests/tools/storm.py" "$@"
}

# prepare_side in_server|in_client: loses what is marked, and one segment of 61, but for SYNs, which would be waited for, and
# RSTs, which nobody sends again. Ports in TIME_WAIT are not used again, so that they can be counted.
prepare_side() {
	"$1" sysctl -qw net.ipv4.tcp_tw_reuse=0
	"$1" nft -f - <<-END
		table inet storm {
			chain input {
				type filter hook input priority 0
				ip dscp ef drop
				meta l4proto tcp tcp flags & (syn | rst) == 0 numgen inc mod 61 == 7 drop
			}
		}
	END
}

# run_counts: how many connections have ended how in the server's namespace, how many RSTs were sent, and what was lost,
# as `run` says
run_counts() {
	in_server "$SYNWARDEN" status --json | jq -c '([.endings[] | {(.reason): (.established + .never_established)}] | add) +
		{RSTs: .resets_sent, lost: (.lost | add)}'
}

kernel_resets() {
	in_server nstat -asz TcpOutRsts | awk '/^Tcp/ { print $2 }'
}

# gained BEFORE AFTER: what has been added to, as "NAME COUNT"
gained() {
	jq -nr --argjson before "$1" --argjson after "$2" '$after | to_entries[] | .value -= ($before[.key] // 0) |
		select(.value != 0) | "\(.key) \(.value)"' | sort
}

# play SEED: leaves what the programs, the kernel, `conns` and `run` say in $TMP
play() {
	local tracker before resets
	start "$SYNWARDEN" conns --json >"$TMP/conns" 2>"$TMP/conns.err"
	tracker=$!
	wait_for grep -q following "$TMP/conns.err" || die "no tracker: $(cat "$TMP/conns.err")"
	before=$(run_counts)
	resets=$(kernel_resets)
	: >"$TMP/log" # several processes append to it
	storm play "/run/netns/$SERVER" "/run/netns/$CLIENT" "$CONNECTIONS" "$1" $((PORT += 10)) >>"$TMP/log" 2>"$TMP/log.err" ||
		die "no storm: $(cat "$TMP/log.err")"
	gained "$before" "$(run_counts)" >"$TMP/run_counts"
	stop "$tracker" INT
	{
		echo "RSTs $(($(kernel_resets) - resets))"
		jq -r --argjson netns "$NETNS" 'select(.netns == $netns) | .reason' "$TMP/conns" | sort | uniq -c | awk '{ print $2, $1 }'
	} | sort >"$TMP/counts"
}

# What is reported as lost makes sums differ.
lost_some() {
	grep -q '"lost"' "$TMP/conns" || grep -q '^lost' "$TMP/run_counts"
}

agrees() {
	storm judge "$TMP/log" "$TMP/conns" && { lost_some || diff "$TMP/counts" "$TMP/run_counts"; }
}

# weather LABEL SEED: a softirq (a timer; with RPS, any packet) may interrupt a thread for which the kernel calls no program
# (docs/limits.md, Tracking), and what `conns` cannot know of is missed silently: of a few attempts, one must be without.
weather() {
	local attempt
	for ((attempt = 0; attempt < ATTEMPTS; attempt++)); do
		play $(($2 + 100 * attempt))
		! agrees >"$TMP/judged" || break
		echo "# $1, seed $(($2 + 100 * attempt)):"
		sed 's/^/#  /' "$TMP/judged"
	done
	check "$1, seed $2: conns and run tell of all sockets what their programs did, and as many as the kernel counts" agrees
}

net_up
NETNS=$(in_server stat -L -c %i /proc/self/ns/net)
prepare_side in_server
prepare_side in_client
start_synwarden --listen off
for ((round = 0; round < $(long_or 5 1); round++)); do
	steer_packets 0
	weather "without RPS" $((SEED + round))
	steer_packets 3
	weather "with RPS" $((SEED + round))
done
finish
