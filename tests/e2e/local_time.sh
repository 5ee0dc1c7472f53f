#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# How soon the filter follows an address that moves away and comes back: within a second.
#
# test: timed
set -u
ROOT=$(readlink -f "$(dirname "$0")/../..")
# shellcheck source=tests/lib/network.sh
. "$ROOT/tests/lib/network.sh"
# shellcheck source=tests/lib/counters.sh
. "$ROOT/tests/lib/counters.sh"
# shellcheck source=tests/lib/becomes.sh
. "$ROOT/tests/lib/becomes.sh"

VIP=10.99.0.9
MOVES=5
MOST_MS=1500 # a second, and two floods: the one that is under way, and the one that shows it

# ms_until NUMBER: until a flood to the address becomes that
ms_until() {
	local began=${EPOCHREALTIME/./}
	wait_for becomes "$1" $VIP "$MAC"
	echo $(((${EPOCHREALTIME/./} - began) / 1000))
}

net_up
start_nginx
take_replies
MAC=$(mac in_server s0)
start_synwarden --port-budget 1 --protect 80
in_server ip addr add $VIP/24 dev s0
check "a flood to it is challenged" wait_for becomes 1 $VIP "$MAC"
for ((i = 0; i < MOVES; i++)); do
	in_server ip addr del $VIP/24 dev s0
	check_time "it leaves: ms until its SYNs are not local" 0 $MOST_MS "$(ms_until 2)"
	in_server ip addr add $VIP/24 dev s0
	check_time "it comes back: ms until they are challenged" 0 $MOST_MS "$(ms_until 1)"
done
stop_synwarden
finish
