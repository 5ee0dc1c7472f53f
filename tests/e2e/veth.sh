#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A container's own interface: a veth whose peer has no XDP program. The default mode answers new clients under a flood
# and leaves the link as it was, with GRO on the peer and without; native mode is warned of, or refused.
set -u
ROOT=$(readlink -f "$(dirname "$0")/../..")
# shellcheck source=tests/lib/network.sh
. "$ROOT/tests/lib/network.sh"

CLIENTS=20
BURST=2000

# clients FIRST: how many of CLIENTS clients never seen before get the page, each within two seconds
clients() {
	local i good=0
	for ((i = $1; i < $1 + CLIENTS; i++)); do
		[ "$(in_client curl -s -m 2 --interface "10.99.1.$i" -o /dev/null -w '%{http_code}' "http://$SERVER_ADDR/")" = 200 ] &&
			good=$((good + 1))
	done
	echo $good
}

is_armed() {
	[ "$(in_server "$SYNWARDEN" status --json | jq '[.ports[] | select(.armed)] | length')" -gt 0 ]
}

# test_auto GRO FIRST-CLIENT
test_auto() {
	local what="GRO $1 on the peer" flooding
	in_client ethtool -K c0 gro "$1"
	start_synwarden --xdp-mode auto --port-budget 1 --protect 80
	check "$what: auto takes generic mode" grep -q 's0: filtering in generic mode' "$TMP/run.err"
	start in_client "$FLOOD" -r 500 -c 10000 c0 "$(mac in_server s0)" $SERVER_ADDR >/dev/null
	flooding=$!
	check "$what: the port is armed" wait_for is_armed
	check_equal "$what: new clients get in under a flood" $CLIENTS "$(clients "$2")"
	stop $flooding
	flood -c $BURST >/dev/null
	stop_synwarden
	check "$what: $BURST SYNs at once leave the link as it was" \
		in_client curl -s -m 3 --interface "10.99.1.$(($2 + CLIENTS))" -o /dev/null "http://$SERVER_ADDR/"
}

# As many as were challenged: none is sent.
answers_are_lost() {
	[ "$(in_server "$SYNWARDEN" status --json | jq '.lost.answers >= 500 and
		.lost.answers == ([.verdicts[] | select(.reason == "challenged").packets] | add)')" = true ]
}

test_native() {
	in_client ethtool -K c0 gro off
	start_synwarden --xdp-mode native --port-budget 1 --protect 80
	flood -c 1000 -r 5000 >/dev/null
	check "native mode, no program on the peer: answers that are not sent are a loss" wait_for answers_are_lost
	check "native mode with a peer that cannot be seen: a warning" grep -q 'the peer is in another network namespace' "$TMP/run.err"
	stop_synwarden
	in_server ip link add v0 type veth peer name v1
	in_server ip link set v0 up
	in_server ip link set v1 up
	in_server ethtool -K v1 gro off
	start_synwarden --xdp-mode native s0 v0
	check "native mode, no program on the peer: a warning" grep -q 'v0: a veth in native mode .*it has none' "$TMP/run.err"
	check "doctor: broken" grep -q 'veth peer .*native mode, and v1 has no XDP program' <(in_server "$SYNWARDEN" doctor v0)
	stop_synwarden
	in_server ethtool -K v1 gro on
	check_equal "native mode, GRO and no program on the peer: refused" 1 \
		"$(in_server "$SYNWARDEN" run --duration 1 --xdp-mode native v0 >/dev/null 2>"$TMP/refused"; echo $?)"
	check "native mode, GRO and no program on the peer: it says why" grep -q 'would stall this veth' "$TMP/refused"
	in_server ip link set dev v1 xdpdrv obj "$BUILD/tests/tools/flood.bpf.o" program take_frames
	start_synwarden --xdp-mode auto v0
	check "a program on the peer: auto takes native mode" grep -q 'v0: filtering in native mode' "$TMP/run.err"
	check "a program on the peer: no warning" fails grep -q 'a veth in native mode' "$TMP/run.err"
	stop_synwarden
}

fails() {
	! "$@"
}

net_up
start_nginx
test_auto off 1
test_auto on 101
test_native
finish
