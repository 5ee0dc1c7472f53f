#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Interfaces that change while `run` filters on them: one goes away and comes back, also under its former number; moves to
# another network namespace, and back; loses its filter to another tool; changes its MTU. An interface that is there is
# filtered, challenges follow its new properties, and each change is logged.
#
# test: slow asan-slow no-kernels
# fault: An interface goes away and comes back | the others are filtered meanwhile, it is filtered again once it is back | an interface goes away,an interface comes back,an interface is back,once it can be
# fault: An interface is made anew under its number | it is filtered | made anew
# fault: Another tool detaches the filter | it is logged, and filtered again | detached by another tool
# fault: An interface changes its MTU | the filter stays, challenges offer the new MSS, connections go on | MTU
# fault: An interface goes to another namespace | the filter does not go with it; both are logged | an interface goes to another namespace,it comes back from there,another one of its name
set -u
ROOT=$(readlink -f "$(dirname "$0")/../..")
# shellcheck source=tests/lib/network.sh
. "$ROOT/tests/lib/network.sh"
# shellcheck source=tests/lib/counters.sh
. "$ROOT/tests/lib/counters.sh"

BACK="synwarden: s1 is back: filtering in native mode"
GONE="synwarden: s1 is gone: it is filtered again once an interface called s1 is there"
LOST="synwarden: s1 is not filtered any more: it was made anew, or another tool has removed the filter"

# interface_is NAME MODE: as status has it
interface_is() {
	[ "$(sw status --json | jq -r --arg name "$1" '.interfaces[] | select(.name == $name).xdp_mode')" = "$2" ]
}

# said COUNT: the last lines of the log
said() {
	tail -n "$1" "$TMP/run.err"
}

has_said() {
	[ "$(said "$(wc -l <<<"$1")")" = "$1" ]
}

# What of it runs where s1 has gone.
program_elsewhere() {
	in_client ip -j link show dev s1 | jq '.[0].xdp'
}

# A NIC that is unplugged, or whose driver is loaded anew, comes back with another number.
test_returns() {
	start_synwarden s0 s1
	sw block 10.98.0.2 >/dev/null
	in_server ip link del s1
	wait_for interface_is s1 gone
	check_equal "an interface goes away: it is said" "$GONE" "$(said 1)"
	scrape
	check_equal "an interface goes away: the metrics" "1 1" \
		"$(value 'interfaces{state="filtered"}') $(value 'interfaces{state="gone"}')"
	check "an interface goes away: status" grep -q '^on s0 (native), s1 (gone)' <(sw status)
	check_equal "an interface goes away: the other one is filtered" 200 "$(get 10.99.0.1 10.99.1.1)"
	second_link
	wait_for interface_is s1 native
	check_equal "an interface comes back: it is said" "$BACK" "$(said 1)"
	check "an interface comes back: it is filtered" has_program s1
	check_equal "an interface comes back: the filter drops" 000 "$(get 10.98.0.1 10.98.0.2)"
	check "an interface comes back: its link is pinned" pinned s1
	stop_synwarden KILL
	check "an interface comes back, then SIGKILL: its filter stays" has_program s1
}

number_of() {
	in_server ip -j link show dev "$1" | jq '.[0].ifindex'
}

# What is back is pinned as soon as that can be done: `new`, the name that a pin begins with, is in the way here.
test_pinned_late() {
	start_synwarden s0 s1
	in_server ip link del s1
	wait_for interface_is s1 gone
	mkdir "$(pin_dir)/new"
	second_link
	wait_for has_program s1
	wait_for grep -q "cannot pin" "$TMP/run.err"
	check "an interface is back, and cannot be pinned: it is filtered" has_program s1
	check "an interface is back, and cannot be pinned: it is not" fails pinned s1
	rmdir "$(pin_dir)/new"
	check "once it can be, it is" wait_for pinned s1
	stop_synwarden KILL
	check "and after SIGKILL its filter stays" has_program s1
	sw detach
}

# pinned IFACE: whether its filter would outlive run
pinned() {
	[ -e "$(pin_dir)/xdp-$(number_of "$1")" ]
}

# Under the number that it had, which the kernel does not give out again by itself.
test_same_number() {
	local number
	start_synwarden s0 s1
	number=$(number_of s1)
	kill -STOP "$SW" # or it may look just in between
	in_server ip link del s1
	make_link 1 "$number"
	kill -CONT "$SW"
	check "made anew under its number: it is said, and it is filtered" wait_for has_said "$LOST"$'\n'"$BACK"
	check_equal "made anew under its number: it is the same one" "$number" "$(number_of s1)"
	check_equal "made anew under its number: the filter drops" 000 "$(get 10.98.0.1 10.98.0.2)"
	check_equal "made anew under its number: status" '"native"' \
		"$(sw status --json | jq '.interfaces[] | select(.name == "s1").xdp_mode')"
}

# Another tool can detach a link by force.
test_detached() {
	bpftool link detach pinned "$(pin_dir)/xdp-$(number_of s1)"
	check "detached by another tool: it is said, and it is filtered" \
		wait_for has_said "$LOST"$'\n'"$BACK"$'\n'"$LOST"$'\n'"$BACK"
	check_equal "detached by another tool: the filter drops" 000 "$(get 10.98.0.1 10.98.0.2)"
	sw unblock 10.98.0.2 >/dev/null
	check_equal "detached by another tool: and passes" 200 "$(get 10.98.0.1 10.98.0.2)"
	sw block 10.98.0.2 >/dev/null
	stop_synwarden
	check_equal "interfaces made anew, then SIGTERM: exit status" 0 $?
	check "interfaces made anew, then SIGTERM: no program" fails has_program s1
}

test_namespace() {
	local objects
	start_synwarden s0 s1
	objects=$(objects_of "$SW")
	sw block 10.98.0.2 >/dev/null
	in_server ip link set s1 netns "$CLIENT"
	wait_for interface_is s1 gone
	check_equal "an interface goes to another namespace: it is said" "$GONE" "$(said 1)"
	check_equal "an interface goes to another namespace: its filter does not" null "$(program_elsewhere)"
	check_equal "an interface goes to another namespace: run goes on" ok \
		"$(in_server curl -s http://127.0.0.1:9798/healthz)"
	in_client ip link set s1 netns "$SERVER"
	wait_for interface_is s1 native
	check_equal "it comes back from there: it is said" "$BACK" "$(said 1)"
	set_up_end in_server s1 10.98.0.1/24 fd98::1/64
	check_equal "it comes back from there: the filter drops" 000 "$(get 10.98.0.1 10.98.0.2)"
	sw unblock 10.98.0.2 >/dev/null
	check_equal "it comes back from there: and passes" 200 "$(get 10.98.0.1 10.98.0.2)"
	in_server ip link set s1 netns "$CLIENT"
	wait_for interface_is s1 gone
	in_server ip link add s1 type veth peer name s9
	check "another one of its name comes: it is filtered" wait_for interface_is s1 native
	objects+=$'\n'$(objects_of "$SW")
	stop_synwarden
	check_equal "interfaces go and come, then SIGTERM: exit status" 0 $?
	check_gone "interfaces go and come, then SIGTERM" "$(sort -u <<<"$objects")" s0 s1
	in_server ip link del s1
	in_client ip link del s1
}

# mss_of_challenged SOURCE: of a connection that is challenged, as the client has it
mss_of_challenged() {
	local before pid
	scrape
	before=$(packets cookie_ack)
	start_in_client python3 -c '
import socket, sys, time
s = socket.create_connection((sys.argv[1], 80), source_address=(sys.argv[2], 0), timeout=10)
print("connected", flush=True)
time.sleep(60)' "$SERVER_ADDR" "$1" >"$TMP/connection"
	pid=$!
	wait_for grep -q connected "$TMP/connection"
	in_client ss -Htino "src $1 and dport = 80" | grep -oE '\bmss:[0-9]+' | cut -d: -f2
	stop "$pid"
	scrape
	[ "$(packets cookie_ack)" = $((before + 1)) ] || echo "not challenged"
}

# The cookie's SYN-ACK says how large a segment the interface takes; established connections do not notice.
test_mtu() {
	local mtu source=20 curl
	head -c 2000000 /dev/urandom >"$TMP/nginx/www/large"
	in_client ip link set c0 mtu 3000 # more would not go with the program of flood -x
	start_synwarden --protect 80 --port-budget 100 s0
	exhaust_budget
	start_in_client curl -s --limit-rate 200k --max-time 60 -o "$TMP/slow" "http://$SERVER_ADDR/large"
	curl=$!
	wait_for test -s "$TMP/slow"
	start_in_client "$FLOOD" -x -q -s 0 -r 2000 -c 1000000 -t 60 c0 "$(mac in_server s0)" "$SERVER_ADDR"
	FLOODER=$!
	wait_for syncookies_are 2
	for mtu in 1280 3000 576 1500; do
		in_server ip link set s0 mtu $mtu
		check "MTU $mtu: the filter stays" has_program s0
		check_equal "MTU $mtu: a client is challenged, with the MSS of it" $((mtu - 40)) \
			"$(mss_of_challenged "10.99.1.$source")"
		source=$((source + 1))
		in_client curl -s --max-time 10 --interface "10.99.1.$source" -o "$TMP/large" "http://$SERVER_ADDR/large"
		check "MTU $mtu: what another one downloads is whole" cmp "$TMP/nginx/www/large" "$TMP/large"
		source=$((source + 1))
	done
	stop "$FLOODER"
	wait $curl
	check_equal "MTU changes: an established connection goes on" 0 $?
	check "MTU changes: what it downloads is whole" cmp "$TMP/nginx/www/large" "$TMP/slow"
	stop_synwarden
	in_client ip link set c0 mtu 1500
}

syncookies_are() {
	[ "$(in_server sysctl -n net.ipv4.tcp_syncookies)" = "$1" ]
}

net_up
silence 0
start_nginx
test_mtu
second_link
test_pinned_late
test_returns
test_same_number
test_detached
test_namespace
finish
