#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# NICs with drivers of their own, and devices that stand on them: who is over the budget is challenged and gets in, lists
# hold, and each is counted. The NICs are those of tests/kernels/nics.sh, and therefore this runs in the machines that
# tests/kernels/run.sh starts:
#
#	$SERVER s0, s1 (virtio_net, four queues), v0 (vmxnet3) --- c0, c1, w0 (virtio_net) $CLIENT
#
# A device that has 10.N.0.1 is reached from 10.N.0.2, behind which clients have 10.N.1.1 to 10.N.1.254.
#
# test: machine
set -u
ROOT=$(readlink -f "$(dirname "$0")/../..")
# shellcheck source=tests/lib/network.sh
. "$ROOT/tests/lib/network.sh"
# shellcheck source=tests/lib/counters.sh
. "$ROOT/tests/lib/counters.sh"
[ "$(uname -m)" = x86_64 ] || finish # the others have no NICs

CLIENTS=20
TRIES=5	       # while a port becomes armed, some pass unchallenged
PATIENCE_MS=30000 # of a client
NEXT=1	       # the last byte of a client that was never seen before

# Answers with a line, where DEVICE is the one on which connections must arrive: BOUND DEVICE
BOUND='
import socket, sys
listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, sys.argv[1].encode())
listener.bind(("", 8080))
listener.listen(1024)
while True:
    client = listener.accept()[0]
    client.send(b"It works.\n")
    client.close()
'

# Nothing comes that a test does not send.
silence_ipv6() {
	"$1" sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
}

# take_nic NUMBER NAME NAMESPACE
take_nic() {
	local device
	device=$(ip -j link | jq -r --arg mac "52:54:00:00:00:0$1" '.[] | select(.address == $mac).ifname')
	[ -n "$device" ] || die "there is no NIC $1"
	ip link set dev "$device" name "$2" netns "$3" || die "cannot take NIC $1"
}

nics_up() {
	modprobe -a virtio_pci virtio_net vmxnet3 bonding 8021q bridge macvlan vrf
	ip netns add "$SERVER"
	ip netns add "$CLIENT"
	mount_bpffs
	set_sysctls in_server
	set_sysctls in_client
	silence_ipv6 in_server
	silence_ipv6 in_client
	take_nic 0 s0 "$SERVER"
	take_nic 1 c0 "$CLIENT"
	take_nic 2 s1 "$SERVER"
	take_nic 3 c1 "$CLIENT"
	take_nic 4 v0 "$SERVER"
	take_nic 5 w0 "$CLIENT"
}

# join DEVICE N PEER: 10.N.0.1 on the server's device, and 10.N.0.2 on the client's
join() {
	in_client ip addr add "10.$2.0.2/24" dev "$3"
	in_client ip link set "$3" up
	in_client ip route add local "10.$2.1.0/24" dev lo
	in_server ip link set "$1" up
	in_server ip addr add "10.$2.0.1/24" dev "$1"
	in_server ip route add "10.$2.1.0/24" via "10.$2.0.2" dev "$1" onlink
}

# some_get_in N PORT REASON: clients that were never seen before are served, and REASON counted most of them
some_get_in() {
	local before served first=$NEXT
	scrape
	before=$(packets "$3")
	NEXT=$((NEXT + CLIENTS < 230 ? NEXT + CLIENTS : 1))
	served=$(in_client "$BUILD/tests/tools/clients" -n $CLIENTS -t $PATIENCE_MS "10.$1.1.$first" "10.$1.0.1" "$2" |
		jq .served)
	scrape
	echo "# port $2: $served of $CLIENTS, $3 $(($(packets "$3") - before))"
	[ "$served" = $CLIENTS ] && [ $(($(packets "$3") - before)) -ge $((CLIENTS / 2)) ]
}

# check_clients WHAT N PORT REASON
check_clients() {
	local left=$TRIES
	until some_get_in "$2" "$3" "$4" || [ $left = 0 ]; do
		left=$((left - 1))
	done
	check "$1: clients of port $3 get in, by $4" test $left != 0
}

# check_list WHAT N
check_list() {
	sw block "10.$2.1.250" >/dev/null
	scrape
	BLOCKED=$(packets blocked)
	check_equal "$1: a blocked client does not get in" 0 \
		"$(in_client "$BUILD/tests/tools/clients" -n 1 -t 500 "10.$2.1.250" "10.$2.0.1" 80 | jq .served)"
	scrape
	check "$1: and is counted" test "$(packets blocked)" -gt "$BLOCKED"
	sw unblock "10.$2.1.250" >/dev/null
}

# check_bound WHAT N DEVICE REASON: port 8080 of that device alone; as what its clients get in
check_bound() {
	local listener
	start_in_server python3 -c "$BOUND" "$3"
	listener=$!
	wait_for bound_listens
	check_clients "$1, a listener bound to $3" "$2" 8080 "$4"
	stop $listener
}

bound_listens() {
	[ -n "$(in_server ss -Hltn 'sport = 8080')" ]
}

# check_device WHAT N DEVICE REASON
check_device() {
	check_clients "$1" "$2" 80 cookie_ack
	check_list "$1" "$2"
	check_bound "$@"
}

# run_on DEVICE...
run_on() {
	start_in_server "$SYNWARDEN" run --quiet --port-budget 1 --protect 80,8080 "$@" >"$TMP/run.out" 2>"$TMP/run.err"
	SW=$!
	wait_for filtering_or_gone 127.0.0.1:9798
	filtering 127.0.0.1:9798 || die "synwarden run $* does not start: $(cat "$TMP/run.err")"
}

# said WHAT: by `run`
said() {
	grep -q "$1" "$TMP/run.err"
}

# found CHECK: by the last doctor, on s0
found() {
	jq -r --arg check "$1" 'select(.interface == "s0" and .check == $check) | "\(.status): \(.detail)"' "$TMP/doctor"
}

test_nic() {
	join s0 99 c0
	run_on s0
	check "virtio_net: native mode" said 's0: filtering in native mode'
	check_device virtio_net 99 s0 cookie_ack
}

test_vlan() {
	in_server ip link add link s0 name s0.5 type vlan id 5
	in_client ip link add link c0 name c0.5 type vlan id 5
	join s0.5 95 c0.5
	check_device "a VLAN" 95 s0.5 not_served
	sw doctor --json s0 >"$TMP/doctor"
	check_equal "doctor: several queues" "ok: 4, for 2 CPUs" "$(found "RX queues")"
	check_equal "doctor: tags are left in the frame" "ok: left in the frame, for s0.5" "$(found "VLAN tags")"
	in_server ip link del s0.5
}

test_macvlan() {
	in_server ip link add link s0 name mv0 type macvlan
	join mv0 94 c0
	check_device "a macvlan" 94 mv0 not_served
	in_server ip link del mv0
}

test_bridge() {
	in_server ip link add br0 type bridge
	in_server ip link set s0 master br0
	join br0 93 c0
	check_device "a bridge" 93 br0 not_served
	in_server ip link del br0
}

# An unbound listener takes connections of a VRF once tcp_l3mdev_accept is set.
test_vrf() {
	in_server sysctl -qw net.ipv4.tcp_l3mdev_accept=1
	in_server ip link add blue type vrf table 10
	in_server ip link set blue up
	in_server ip link set s0 master blue
	in_server ip route add 10.99.1.0/24 via 10.99.0.2 dev s0 table 10 onlink
	check_device "a VRF" 99 blue not_served
	in_server ip link del blue
}

# add_bond in_server|in_client DEVICE NIC NIC [OPTION...]
add_bond() {
	"$1" ip link add "$2" type bond miimon 100 "${@:5}"
	for nic in "$3" "$4"; do
		"$1" ip link set "$nic" down
		"$1" ip link set "$nic" master "$2"
	done
}

# test_bond DEVICE...: they are filtered. Its ports run the program.
test_bond() {
	add_bond in_server bond0 s0 s1 mode active-backup primary s0
	join bond0 92 c0
	run_on "$@"
	check "a bond: native mode" said 'bond0: filtering in native mode'
	check_device "a bond" 92 bond0 not_served
}

# Made anew: the same `run` filters it again.
test_lacp() {
	in_server ip link del bond0
	wait_for said 'bond0 is gone'
	in_server ethtool -s s0 speed 1000 duplex full
	in_server ethtool -s s1 speed 1000 duplex full
	in_client ethtool -s c0 speed 1000 duplex full
	in_client ethtool -s c1 speed 1000 duplex full
	add_bond in_server bond0 s0 s1 mode 802.3ad lacp_rate fast
	add_bond in_client bond1 c0 c1 mode 802.3ad lacp_rate fast
	join bond0 91 bond1
	check "802.3ad: filtered again" wait_for said 'bond0 is back: filtering in native mode'
	check "802.3ad: both ports are in use" wait_for ports_are_two
	check_device "802.3ad" 91 bond0 not_served
}

ports_are_two() {
	in_server ip -d -j link show bond0 | jq -e '.[0].linkinfo.info_data.ad_info.num_ports == 2' >/dev/null
}

# Before Linux 6.6 its driver has no native mode.
test_vmxnet3() {
	join v0 90 w0
	if said 'v0: filtering in generic mode'; then
		check "vmxnet3: generic mode, and why" said 'v0: the driver takes no native XDP program'
	else
		check "vmxnet3: native mode" said 'v0: filtering in native mode'
	fi
	check_device vmxnet3 90 v0 cookie_ack
}

nics_up
start_nginx
in_server ip link set s1 up
test_nic
test_vlan
test_macvlan
test_bridge
test_vrf
stop_synwarden
check_equal "it ends well" 0 $?
test_bond bond0 v0
test_lacp
test_vmxnet3
stop_synwarden
check_equal "it ends well" 0 $?
finish
