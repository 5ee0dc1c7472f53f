#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# `synwarden ladder` where a segment passes several devices: each is shown once, and GSO segments say how many they are.
# Beside the network drawn in tests/lib/network.sh:
#
#	$SERVER s2 10.97.0.1 --- m0 [bridge of $MIDDLE] m1 --- c2 10.97.0.2 $CLIENT
#	$SERVER s0 with the macvlan device mv0 10.96.0.1 --- c0 10.96.0.2 $CLIENT
#
# The judge is tcpdump at each end. VLAN devices are left out where the kernel has none.
set -u
ROOT=$(readlink -f "$(dirname "$0")/../..")
# shellcheck source=tests/lib/network.sh
. "$ROOT/tests/lib/network.sh"
# shellcheck source=tests/lib/ladder.sh
. "$ROOT/tests/lib/ladder.sh"

MIDDLE=sw$$m
BYTES=200000

in_middle() {
	log_command middle "$@"
	nsenter --net="/run/netns/$MIDDLE" "$@" {LOG}>&-
}

leave() {
	local status=$?
	ip netns del "$MIDDLE" 2>/dev/null
	(exit "$status")
	cleanup
}
trap leave EXIT

make_bridge() {
	ip netns add "$MIDDLE" || die "cannot make a network namespace"
	in_middle ip link add br0 type bridge
	in_server ip link add s2 type veth peer name m0 netns "$MIDDLE"
	in_client ip link add c2 type veth peer name m1 netns "$MIDDLE"
	in_middle ip link set m0 master br0 up
	in_middle ip link set m1 master br0 up
	in_middle ip link set br0 up
	in_server ip addr add 10.97.0.1/24 dev s2
	in_client ip addr add 10.97.0.2/24 dev c2
	in_server ip link set s2 up
	in_client ip link set c2 up
}

# make_upper TYPE DEVICE NUMBER [OPTION...]: a device on top of s0 with 10.NUMBER.0.1; not 0 where the kernel has none such.
# It alone answers for its address: s0 would answer too, and what comes then may pass by the device and its tcpdump.
make_upper() {
	in_server ip link add link s0 name "$2" type "$1" "${@:4}" 2>"$TMP/link.err" || return
	in_server sysctl -qw net.ipv4.conf.all.arp_ignore=1
	in_server ip addr add "10.$3.0.1/24" dev "$2"
	in_server ip link set "$2" up
}

# observe NAME NAMESPACE DEVICE: a ladder of that namespace, and tcpdump at that device; both wait for a connection
observe() {
	start "$SYNWARDEN" ladder --json --netns "/run/netns/$2" --port 80 >"$TMP/$1.ladder" 2>"$TMP/$1.err"
	eval "LADDER_$1=$!"
	start nsenter --net="/run/netns/$2" tcpdump -n -i "$3" --immediate-mode -s 128 -B 4096 -U -w "$TMP/$1.pcap" tcp port 80 \
		2>"$TMP/$1.dump"
	eval "DUMP_$1=$!"
	wait_for grep -q waiting "$TMP/$1.err" || die "no ladder: $(cat "$TMP/$1.err")"
	wait_for grep -q listening "$TMP/$1.dump" || die "no tcpdump: $(cat "$TMP/$1.dump")"
}

# end NAME...: each ladder ends by itself with the connection; tcpdump may be behind
end() {
	local name pid
	for name in "$@"; do
		pid=LADDER_$name
		wait_for gone "${!pid}" || die "the ladder of $name does not end: $(tail -n 3 "$TMP/$name.ladder")"
		wait_for has_closed "$TMP/$name.pcap"
		pid=DUMP_$name
		stop "${!pid}"
	done
}

# retransmitted: how many segments the kernel has sent again, at either end
retransmitted() {
	{ in_server nstat -asz TcpRetransSegs && in_client nstat -asz TcpRetransSegs; } |
		awk '/^Tcp/ { sum += $2 } END { print sum }'
}

# record WHAT ADDRESS NAME:NAMESPACE:DEVICE...: the document's way, seen by a ladder and tcpdump at each of these. Where the
# kernel had to wait too long for an acknowledgement, and sent a segment again, that was another way: again.
record() {
	local what=$1 address=$2 at before got attempt
	shift 2
	for ((attempt = 0; attempt < 10; attempt++)); do
		for at; do
			# shellcheck disable=SC2086
			observe ${at//:/ }
		done
		before=$(retransmitted)
		got=$(fetch "$address")
		end "${@%%:*}"
		[ "$(retransmitted)" != "$before" ] || break
	done
	check_equal "$what: the document arrives" $BYTES "$got"
}

# check_once WHAT NAME [JUDGE]: the ladder's segments are those that tcpdump sees there, or at JUDGE
check_once() {
	check_equal "$1: the segments are those of tcpdump" "$(numbers_in "$TMP/${3:-$2}.pcap" | sort)" \
		"$(numbers_of "$TMP/$2.ladder" | sort)"
	check_unrepeated "$@"
}

# check_unrepeated WHAT NAME [JUDGE]
check_unrepeated() {
	check_equal "$1: nothing is taken for a retransmission, and nothing is missing" "" \
		"$(jq -r 'select(.kind == "segment").marks[] | select(IN("sent_again", "fast_retransmit", "out_of_order",
			"gap"))' "$TMP/$2.ladder")"
	check_equal "$1: each byte once" "$(payload_in "$TMP/${3:-$2}.pcap")" "$(payload_of "$TMP/$2.ladder")"
}

payload_in() {
	numbers_in "$1" | awk '{ sum += $3 } END { print sum }'
}

payload_of() {
	jq -s 'map(select(.kind == "segment").len) | add' "$1"
}

# wire_segments_of LADDER: how many segments of the wire carry the document
wire_segments_of() {
	jq -s 'map(select(.kind == "segment" and .len > 0).segments) | add' "$1"
}

# fetch ADDRESS: the document; its length
fetch() {
	in_client curl -s --max-time 10 "http://$1/big" | wc -c
}

play_bridge() {
	record bridge 10.97.0.1 "server:$SERVER:s2" "middle:$MIDDLE:m1" "client:$CLIENT:c2"
	check_once "bridge, at the server" server
	check_once "bridge, at the client" client
	check_once "bridge, on its way" middle
	check "bridge: GSO segments say that they are several" \
		test "$(jq -s 'map(select(.kind == "segment").segments) | max' "$TMP/server.ladder")" -gt 1
}

# play_upper TYPE DEVICE ADDRESS CLIENT_DEVICE: with segmentation offload in s0, and then without: s0 gets in parts what
# the device above it had as one segment
play_upper() {
	in_client ethtool -K c0 gro off >/dev/null
	in_server ethtool -K s0 tx on tso on >/dev/null
	record "$1" "$3" "server:$SERVER:$2" "client:$CLIENT:$4"
	check_once "$1" server client
	in_server ethtool -K s0 tx off tso off >/dev/null
	record "$1, without offload" "$3" "server:$SERVER:$2" "client:$CLIENT:$4"
	check_unrepeated "$1, without offload" server client
	check "$1, without offload: the device above s0 had GSO segments" \
		test "$(numbers_of "$TMP/server.ladder" | wc -l)" -lt "$(numbers_of "$TMP/client.ladder" | wc -l)"
	check_equal "$1, without offload: they say how many segments they are" "$(wire_segments_of "$TMP/client.ladder")" \
		"$(wire_segments_of "$TMP/server.ladder")"
}

net_up
start_nginx
head -c $BYTES /dev/urandom >"$TMP/nginx/www/big"
make_bridge
play_bridge
make_upper macvlan mv0 96 mode bridge || die "no macvlan: $(cat "$TMP/link.err")"
in_client ip addr add 10.96.0.2/24 dev c0
play_upper macvlan mv0 10.96.0.1 c0
if make_upper vlan s0.5 95 id 5; then
	in_client ip link add link c0 name c0.5 type vlan id 5
	in_client ip addr add 10.95.0.2/24 dev c0.5
	in_client ip link set c0.5 up
	play_upper VLAN s0.5 10.95.0.1 c0.5
else
	echo "# this kernel has no VLAN devices: $(cat "$TMP/link.err")"
fi
finish
