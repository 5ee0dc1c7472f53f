#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What is this host's: addresses that move away and come back, prefixes of addresses (AnyIP), frames for another
# station, and a MAC address that changes.
#
# test: no-kernels
set -u
ROOT=$(readlink -f "$(dirname "$0")/../..")
# shellcheck source=tests/lib/network.sh
. "$ROOT/tests/lib/network.sh"
# shellcheck source=tests/lib/counters.sh
. "$ROOT/tests/lib/counters.sh"
# shellcheck source=tests/lib/becomes.sh
. "$ROOT/tests/lib/becomes.sh"

VIP=10.99.0.9

get() {
	in_client curl -s -m 5 --interface "$2" -o /dev/null -w '%{http_code}' "http://$1/"
}

# served_entries PORT
served_entries() {
	bpftool -j map dump pinned "/sys/fs/bpf/synwarden/$(in_server stat -Lc %i /proc/self/ns/net)/served" |
		jq "[.[] | select(.formatted.key.port == $1)] | length"
}

test_address_moves() {
	in_server ip addr add $VIP/24 dev s0
	start_synwarden --port-budget 1
	check_equal "a client reaches the address" 200 "$(get $VIP 10.99.1.1)"
	check "a flood to it is challenged" wait_for becomes 1 $VIP "$(mac in_server s0)"
	in_server ip addr del $VIP/24 dev s0
	check "it leaves: its SYNs are not local" wait_for becomes 2 $VIP "$(mac in_server s0)"
	in_server ip addr add $VIP/24 dev s0
	check "it comes back: they are challenged" wait_for becomes 1 $VIP "$(mac in_server s0)"
	stop_synwarden
	in_server ip addr del $VIP/24 dev s0
}

test_protect() {
	start_synwarden --port-budget 1 --protect 80
	check "--protect PORT: not for an address that is not local" becomes 2 $VIP "$(mac in_server s0)"
	check_equal "nothing is armed by that" 0 "$(value 'armed{port="80"}')"
	in_server ip addr add $VIP/24 dev s0
	check "--protect PORT: for an address that comes" wait_for becomes 1 $VIP "$(mac in_server s0)"
	in_server ip addr del $VIP/24 dev s0
	stop_synwarden
}

test_macs() {
	local before
	before=$(mac in_server s0)
	in_server ip link set s0 promisc on
	start_synwarden --port-budget 1 --protect 80
	check "promiscuous: SYNs to another station are not local" becomes 2 $SERVER_ADDR 02:00:00:00:00:77
	check_equal "and arm nothing" 0 "$(value 'armed{port="80"}')"
	in_server ip link set s0 address 02:00:00:00:00:78
	check "the MAC address changes: SYNs to it are challenged" \
		wait_for becomes 1 $SERVER_ADDR 02:00:00:00:00:78
	check "and those to the former one are not local" becomes 2 $SERVER_ADDR "$before"
	in_server ip link set s0 promisc off address "$before"
	stop_synwarden
}

# All addresses of a prefix are this host's: they have one entry.
test_anyip() {
	local i before
	in_server ip route add local 10.92.0.0/24 dev lo
	in_client ip route add 10.92.0.0/24 via $SERVER_ADDR
	start_synwarden --port-budget 1000
	before=$(served_entries 80)
	for i in {1..20}; do
		get "10.92.0.$i" 10.99.1.1
	done >/dev/null
	check_equal "AnyIP: 20 addresses are served, as one" 1 $(($(served_entries 80) - before))
	stop_synwarden
	start_synwarden --port-budget 1
	get 10.92.0.1 10.99.1.1 >/dev/null
	check "AnyIP: a flood to another of them is challenged" wait_for becomes 1 10.92.0.77 "$(mac in_server s0)"
	stop_synwarden
}

# What the host reaches itself, by whatever address, proves nothing.
test_self() {
	start_synwarden --port-budget 1
	in_server setpriv --reuid 65534 --clear-groups /usr/bin/python3 -c '
import socket
listener = socket.socket()
listener.bind(("", 7777))
listener.listen(1024)
for n in range(2000):
    client = socket.create_connection((f"127.0.{n >> 8}.{n & 255 or 1}", 7777))
    listener.accept()[0].close()
    client.close()
client = socket.socket()
client.bind(("127.0.0.1", 0))
client.connect(("10.99.0.1", 7777))
'
	check_equal "2,000 connections of the host to itself: nothing is served" 0 "$(served_entries 7777)"
	stop_synwarden
}

net_up
start_nginx
take_replies
test_address_moves
test_protect
test_macs
test_anyip
test_self
finish
