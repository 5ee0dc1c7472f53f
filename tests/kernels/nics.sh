#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# nics.sh QEMU [OPTION...]: runs qemu with NICs, for tests/kernels/devices.sh. They are taps of the network namespace in
# which it runs, in pairs that a bridge joins; the last byte of their MAC addresses says which they are.
set -eu

OPTIONS=()

# nic NUMBER BRIDGE MODEL QUEUES
nic() {
	local multi=()
	[ "$4" = 1 ] || multi=(multi_queue)
	ip tuntap add dev "tap$1" mode tap vnet_hdr "${multi[@]}"
	ip link set dev "tap$1" master "$2" up
	ip link set dev "tap$1" type bridge_slave group_fwd_mask 0x4 # LACP
	OPTIONS+=(-netdev "tap,id=n$1,ifname=tap$1,script=no,downscript=no,vhost=off,queues=$4")
	OPTIONS+=(-device "$3,netdev=n$1,mac=52:54:00:00:00:0$1")
}

# pair NUMBER MODEL: with a peer of virtio, whose number is the next one
pair() {
	ip link add "br$1" type bridge mcast_snooping 0
	ip link set dev "br$1" up
	nic "$1" "br$1" "${@:2}"
	nic $(($1 + 1)) "br$1" virtio-net-pci 1
}

sysctl -qw net.ipv6.conf.default.disable_ipv6=1
pair 0 virtio-net-pci,mq=on,vectors=10 4
pair 2 virtio-net-pci,mq=on,vectors=10 4
pair 4 vmxnet3 1
exec "$@" "${OPTIONS[@]}"
