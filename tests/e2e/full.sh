#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Full tables, each of them: an entry without room passes, is counted as "other", or is tried again; how many were affected is
# reported, and entries with room are not. tests/bpf/source_limit.c and tests/bpf/challenge.c have the tables that only
# packets fill, tests/e2e/overflow.sh the rings, tests/e2e/hostile.sh the endpoint.
#
# test: slow asan-slow no-kernels
# fault: No room for a listening port or a served address | they pass, and are counted | ports full,served full,ports and served full
# fault: No room for alerts or estimators | every armed port is noticed; a port without an estimator reports no sources | alerts full,estimators full
# fault: The lists are full | an error, and their entries hold | lists full
# fault: The owners of listeners are too many | an owner that is forgotten is not named | listen_pids
set -u
ROOT=$(readlink -f "$(dirname "$0")/../..")
# shellcheck source=tests/lib/network.sh
. "$ROOT/tests/lib/network.sh"
# shellcheck source=tests/lib/counters.sh
. "$ROOT/tests/lib/counters.sh"
# shellcheck source=tests/lib/conf.sh
. "$ROOT/tests/lib/conf.sh"

MAX_LIST=65536
MAX_PORTS=895 # beside those kept for ports that are named
MAX_SERVED=4096
ESTIMATORS=16
ARMED=200
# 1,100 listening ports, beside those of nginx and the endpoint; and 4,200 addresses that are served.
LISTENERS='
import resource, socket
resource.setrlimit(resource.RLIMIT_NOFILE, (20000, 20000))
held = [socket.create_server(("0.0.0.0", 20000 + i)) for i in range(1100)]
print("ready", flush=True)
while True:
	held[0].accept()[0].close()
'
CONNECTS='
import socket
for i in range(4200):
	socket.create_connection((f"10.96.{i >> 8}.{i & 255}", 20000)).close()
'
# knock.py PORTS TIMES: connects so often to each of so many ports, and leaves by RST.
KNOCK='
import socket, struct, sys
for i in range(int(sys.argv[1]) * int(sys.argv[2])):
	with socket.create_connection(("10.99.0.1", 20000 + i % int(sys.argv[1]))) as knock:
		knock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
'
# leave.py FILE: listens, leaves the listener to a child, and ends a moment later; prints both pids. Connects once there
# is FILE.
LEAVE='
import os, signal, socket, sys, time
made, told = os.pipe()
maker = os.fork()
if not maker:
	server = socket.create_server(("127.0.0.1", 7050))
	holder = os.fork()
	if holder:
		time.sleep(0.5)
		os.write(told, b"%d" % holder)
		os._exit(0)
	while True:
		server.accept()[0].close()
os.waitpid(maker, 0)
holder = int(os.read(made, 16))
print(maker, holder, flush=True)
while not os.path.exists(sys.argv[1]):
	time.sleep(0.05)
socket.create_connection(("127.0.0.1", 7050)).recv(1)
time.sleep(0.5)
os.kill(holder, signal.SIGTERM)
'

# flood_at ADDRESS PORT: 200 SYNs
flood_at() {
	in_client "$FLOOD" -q -r 5000 -c 200 -s 0 -p "$2" c0 "$(mac in_server s0)" "$1"
	wait_for packets_agree s0
}

# gained REASON: what a scrape has more of it than the one before
gained() {
	local before
	before=$(awk -F'[" ]' -v reason="$1" '/^packets_total/ && $4 == reason { print $6 }' "$TMP/scrape.before")
	echo $(($(packets "$1") - before))
}

remember() {
	scrape
	cp "$TMP/scrape" "$TMP/scrape.before"
}

connects_to() {
	in_client timeout 5 bash -c ": >/dev/tcp/$1/$2" 2>/dev/null
}

test_ports_and_served() {
	local third fourth
	# A local route to all of them would be one entry (e2e/local).
	for third in {0..16}; do
		for fourth in {0..255}; do
			echo "addr add 10.96.$third.$fourth/32 dev lo"
		done
	done | in_server ip -batch -
	in_client ip route add 10.96.0.0/16 via 10.99.0.1
	mark_rx s0
	start_synwarden --quiet --port-budget 10 --challenge off
	start_in_server python3 -c "$LISTENERS" >"$TMP/listeners"
	wait_for grep -q ready "$TMP/listeners"
	in_client python3 -c "$CONNECTS"
	scrape
	check_equal "ports full: those beyond $MAX_PORTS are counted as a failure, once each" $((1100 + 2 - MAX_PORTS)) \
		"$(value 'bookkeeping_failures_total{table="ports"}')"
	check_equal "served full: addresses beyond $MAX_SERVED are counted as a failure, once each" $((4200 - MAX_SERVED)) \
		"$(value 'bookkeeping_failures_total{table="served"}')"
	remember
	flood_at 10.99.0.1 21099
	check_equal "ports full: a further one has no budget, all of its SYNs pass" 200 "$(gained syn)"
	check "ports full: a further one is served" connects_to 10.99.0.1 21099
	remember
	flood_at 10.96.0.5 20000
	check "served full: a port of an address that is in keeps its budget ($(gained port_budget) dropped)" \
		test "$(gained port_budget)" -ge 180
	remember
	flood_at 10.96.16.90 20000
	check_equal "served full: of a further address nothing is dropped" "200 0" \
		"$(($(gained syn) + $(gained not_served))) $(gained port_budget)"
	check "served full: and it is served" connects_to 10.96.16.90 20000
	# The two that were connected to are of further addresses.
	check_equal "ports and served full: status tells the losses" $((4202 - MAX_SERVED)),$((1100 + 2 - MAX_PORTS)) \
		"$(sw status --json | jq -r '"\(.lost.served),\(.lost.ports)"')"
}

armed_ports() {
	sw status --json | jq "[.ports[] | select(.armed and .port >= 20000$1)] | length"
}

armed_are() {
	[ "$(armed_ports "$2")" = "$1" ]
}

# The ring of alerts has room for 128, and no reader; there are estimators for 16 ports.
test_alerts_and_estimators() {
	kill -STOP "$SW"
	in_client python3 -c "$KNOCK" $ARMED 20
	kill -CONT "$SW"
	check "alerts full: $ARMED ports are armed, and all are noticed" wait_for armed_are $ARMED ""
	in_client python3 -c "$KNOCK" $ARMED 3
	check "estimators full: of $ARMED armed ports, $ESTIMATORS have their sources counted" \
		wait_for armed_are $ESTIMATORS " and .distinct_sources > 0"
	check_equal "estimators full: all others report 0 sources" $((ARMED - ESTIMATORS)) \
		"$(sw status | grep -cE '^port 20[0-9]{3} is .* from about 0 sources')"
	check "estimators full: all ports are released" wait_for armed_are 0 ""
	in_client python3 -c "$KNOCK" 1 40
	wait_for armed_are 1 ""
	in_client python3 -c "$KNOCK" 1 40
	check "estimators full, then free again: the next armed port has one" \
		wait_for armed_are 1 " and .distinct_sources > 0"
	stop_synwarden
	check_equal "ports, served, alerts, estimators full: it ends well" 0 $?
}

# Each list as full as it gets, one entry of it by a command.
test_lists() {
	local list
	seq -f '10.1.%.0f' 0 255 | awk '{ for (i = 0; i < 256; i++) print $0 "." i }' | head -n $((MAX_LIST - 1)) >"$TMP/blocked"
	sed 's/^10\.1\./10.2./' "$TMP/blocked" >"$TMP/allowed"
	printf 'interface = s0\n[block]\nfile = %s\n[allow]\nfile = %s\n' "$TMP/blocked" "$TMP/allowed" | conf
	start_conf
	sw block 10.99.0.0/16 >/dev/null
	sw allow 10.99.1.3 >/dev/null
	check_equal "lists full: $MAX_LIST entries each" "$MAX_LIST $MAX_LIST" \
		"$(sw list | awk '{ count[$1]++ } END { print count["block"], count["allow"] }')"
	for list in block allow; do
		expect "lists full: $list one more" 1 "" \
			"synwarden: the $list list is full ($MAX_LIST entries); remove some: synwarden un$list CIDR" sw $list 192.0.2.1
	done
	check_equal "lists full: an entry that is there is given a time" "0 " "$(sw block 10.99.0.0/16 --for 1h 2>&1 >/dev/null
		echo "$? ")"
	remember
	in_client "$FLOOD" -q -r 5000 -c 200 -S 10.1.7.0 -s 200 c0 "$(mac in_server s0)" "$SERVER_ADDR"
	in_client "$FLOOD" -q -r 5000 -c 200 -S 10.2.7.0 -s 200 c0 "$(mac in_server s0)" "$SERVER_ADDR"
	wait_for counted_lists
	check_equal "lists full: their entries are dropped, and passed" "200 200" "$(gained blocked) $(gained allowed)"
	check_equal "lists full: a command's entries hold" "000 200" "$(get 10.99.0.1 10.99.1.2) $(get 10.99.0.1 10.99.1.3)"
	sw unblock 10.99.0.0/16 >/dev/null
	check_equal "lists full: a client on none is served" 200 "$(get 10.99.0.1 10.99.1.4)"
	expect "lists full: where one goes, there is room for one" 0 \
		"10.99.1.5 is blocked until removed; no established connection from there stops" "" sw block 10.99.1.5
	stop_synwarden
}

counted_lists() {
	scrape
	[ "$(gained blocked) $(gained allowed)" = "200 200" ]
}

# ended MAP PID: 1 where the map knows that it ended, 0 where it runs; nothing where the map does not know it
ended() {
	# shellcheck disable=SC2046 # four bytes
	bpftool -j map lookup id "$1" key $(($2 & 255)) $(($2 >> 8 & 255)) $(($2 >> 16 & 255)) 0 2>/dev/null |
		jq '.formatted.value // empty'
}

# id_of MAP PID: of the map of this name that the process holds
id_of() {
	local kind id
	objects_of "$2" | while read -r kind id; do
		[ "$kind" != map ] || bpftool -j map show id "$id"
	done | jq --arg name "$1" 'select(.name == $name).id'
}

# A process that made a listener and has ended is no owner: not even where so many others listened since that it is forgotten.
test_listen_pids() {
	local tracker leave map maker holder cpu
	start_in_server "$SYNWARDEN" states --json --port 7050 >"$TMP/states" 2>"$TMP/states.err"
	tracker=$!
	wait_for grep -q following "$TMP/states.err"
	start_in_server python3 -c "$LEAVE" "$TMP/go" >"$TMP/leave"
	leave=$!
	wait_for test -s "$TMP/leave"
	read -r maker holder <"$TMP/leave"
	map=$(id_of listen_pids $tracker)
	check_equal "listen_pids: that who made a listener has ended is known" 1 "$(ended "$map" "$maker")"
	# Numbers that no process has. Each twice, as each listens and ends; from each CPU, as each has a part of the room.
	awk -v map="$map" 'BEGIN {
		for (i = 0; i < 16384; i++)
			print "map update id " map " key", int(i / 2) % 256, int(i / 512), 0, 2, "value", i % 2, 0, 0, 0 }' >"$TMP/batch"
	for ((cpu = 0; cpu < $(nproc); cpu++)); do
		taskset -c $cpu bpftool batch file "$TMP/batch" >"$TMP/batch.out"
	done
	check_equal "listen_pids full: it is forgotten" "" "$(ended "$map" "$maker")"
	touch "$TMP/go"
	wait $leave
	wait_for grep -q '"new":"CLOSE".*unlistened' "$TMP/states"
	stop $tracker INT
	check_equal "listen_pids full: a connection is not said to be its, but who holds the listener's" "$holder snapshot" \
		"$(jq -r 'select(.lport == 7050 and .old == "LISTEN" and .new == "SYN_RECV") | "\(.pid) \(.owner)"' "$TMP/states")"
}

net_up
silence 0
start_nginx
test_ports_and_served
test_alerts_and_estimators
test_lists
test_listen_pids
finish
