# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The scenarios of peer.py: a network in which each goes as its name says, and their players. To be sourced after
# network.sh; golden_states.sh and golden_conns.sh judge what trackers print of them.

# shellcheck disable=SC2034 # for the scripts
V4="10.99.0.1 10.99.0.2"
V6="fd99::1 fd99::2"
MAPPED="::ffff:10.99.0.1 ::ffff:10.99.0.2"
# A scenario that holds packets back needs two of its own without an answer to ARP.
HELD=("10.97.0.1 10.97.0.2" "10.97.1.1 10.97.1.2" "10.97.2.1 10.97.2.2" "10.97.3.1 10.97.3.2" "10.97.4.1 10.97.4.2")

declare -A PORT PLAYER BEGAN NETNS # by label, BEGAN in nanoseconds; NETNS by side
PLAYED=()
LAST_PORT=7000

# cut_marked in_server|in_client: what comes in there with wire.py's CUT or UNREACHABLE; first SYNs, and those that are
# sent again, are counted
cut_marked() {
	"$1" nft -f - <<-END
		table ip wire {
			counter cut_syns { }
			chain input {
				type filter hook input priority 0
				ip dscp ef tcp flags & (syn | ack) == syn counter name cut_syns
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

# play SCENARIO ADDRESSES [LABEL]: in the background
play() {
	local label=${3:-$1}
	PLAYED+=("$label")
	PORT[$label]=$((++LAST_PORT))
	BEGAN[$label]=$(date +%s%N)
	# shellcheck disable=SC2086
	start python3 "$ROOT/tests/tools/peer.py" "/run/netns/$SERVER" "/run/netns/$CLIENT" "$1" $2 "$LAST_PORT" \
		>"$TMP/$label.out" 2>"$TMP/$label.err"
	PLAYER[$label]=$!
}

# await_players LABEL...: a scenario must have gone as its name says, or its transitions prove nothing.
await_players() {
	local label
	for label; do
		wait "${PLAYER[$label]}"
		check_equal "$label is played" 0 "$?$(cat "$TMP/$label.err")"
	done
}
