#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What `synwarden conns` says of endings that are easily told wrongly (tests/tools/endings.py): ICMP errors, resets in
# every state, TCP_LINGER2, TCP Fast Open, TCP_REPAIR, a FIN that never comes, bytes that the local firewall drops.
set -u
ROOT=$(readlink -f "$(dirname "$0")/../..")
# shellcheck source=tests/lib/network.sh
. "$ROOT/tests/lib/network.sh"

HELD_SERVER=10.97.0.1 # addresses that nobody answers ARP for, see wire.py
HELD_CLIENT=10.97.0.2

endings() {
	python3 "$ROOT/tests/tools/endings.py" "$@"
}

# prepare_side in_server|in_client
prepare_side() {
	"$1" sysctl -qw net.ipv4.conf.all.arp_ignore=1 net.ipv4.tcp_fastopen=3
	"$1" nft -f - <<-END
		table ip wire {
			chain input {
				type filter hook input priority 0
				ip dscp ef drop
				ip dscp cs5 reject with icmp host-unreachable
				ip dscp cs4 reject with icmp port-unreachable
			}
			chain output {
				type filter hook output priority 0
				tcp dport 7999 reject with icmp port-unreachable
				tcp dport 7998 tcp flags & (syn | fin) == 0 numgen inc mod 20 == 7 drop
			}
		}
	END
}

net_up
prepare_side in_server
prepare_side in_client
in_server ip addr add $HELD_SERVER/32 dev lo
in_client ip addr add $HELD_CLIENT/32 dev lo
in_server ip route add $HELD_CLIENT dev s0 src $HELD_SERVER
in_client ip route add $HELD_SERVER dev c0 src $HELD_CLIENT
in_client ip route add 10.97.9.1 dev c0 src 10.99.0.2
in_client ip neigh add 10.97.9.1 dev c0 lladdr "$(mac in_server s0)"
start "$SYNWARDEN" conns --json >"$TMP/conns" 2>"$TMP/conns.err"
TRACKER=$!
wait_for grep -q following "$TMP/conns.err" || die "no tracker: $(cat "$TMP/conns.err")"
endings play "/run/netns/$SERVER" "/run/netns/$CLIENT" >"$TMP/log" 2>"$TMP/play.err"
check_equal "the scenarios are played" 0 "$?$(cat "$TMP/play.err")"
all_told() {
	endings judge "$TMP/log" "$TMP/conns" >/dev/null
}
wait_for all_told
stop "$TRACKER" INT
check_equal "the tracker ends well" 0 $?
check "each ends as it did" endings judge "$TMP/log" "$TMP/conns"
finish
