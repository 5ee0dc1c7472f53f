#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The state of protection, played: each situation has one expected row, which status, its exit status, its JSON, the endpoint,
# its metrics and the log show. The long form plays more of them, and asks `top`, the page and the alerts too.
#
# test: alone slow asan-slow no-kernels long
set -u
ROOT=$(readlink -f "$(dirname "$0")/../..")
# shellcheck source=tests/lib/network.sh
. "$ROOT/tests/lib/network.sh"
# shellcheck source=tests/lib/counters.sh
. "$ROOT/tests/lib/counters.sh"
# shellcheck source=tests/lib/listeners.sh
. "$ROOT/tests/lib/listeners.sh"
# shellcheck source=tests/lib/browser.sh
. "$ROOT/tests/lib/browser.sh"
# shellcheck source=tests/lib/terminal.sh
. "$ROOT/tests/lib/terminal.sh"
# shellcheck source=tests/lib/situations.sh
. "$ROOT/tests/lib/situations.sh"

NOT_FILTERED="CRITICAL: port 80 is under SYN attack and not filtered"
HELD_OFF="no longer critical: WARNING: port 80"

# start_flood [PORT [ADDRESS]]: 3,000 SYN/s until stop_flood
start_flood() {
	start_in_client "$FLOOD" -q -r 3000 -c 10000000 -t 600 -s 0 -p "${1:-80}" c0 "$(mac in_server s0)" "${2:-$SERVER_ADDR}"
	FLOODER=$!
}

stop_flood() {
	stop "$FLOODER"
}

# logged TEXT
logged() {
	grep -q "$1" "$TMP/run.err"
}

# fix: the command of status --check
fix() {
	sw status --check | sed -n 's/.*; fix: //p'
}

test_no_run() {
	local says="UNKNOWN: no filter can be read here: none runs, no rights, or another version; see: sudo synwarden doctor" option
	for option in --check -c -jc -cj; do
		expect "no run: status $option" 3 "$says" \
			"synwarden: no synwarden is running in this network namespace; start one: synwarden run IFACE" sw status $option
	done
	try sw status --check --bogus
	check_equal "wrong usage" 3 "$STATUS"
}

# Until a first client proves that the port is this host's, a flood to it passes. A half-open connection would be proof too:
# with cookies alone, none is left.
test_not_served() {
	in_server sysctl -qw net.ipv4.tcp_syncookies=2
	situation "empty host" protected null fine null
	start_nginx
	situation "a port without a client" not_protected not_served warning 80
	check_equal "its fix" "sed -i '1i protect = 80' /etc/synwarden.conf && systemctl reload synwarden" "$(fix)"
	start_flood
	situation "an attack on it" attacked_not_filtered not_served critical 80
	check "an attack on it: the log says so" wait_for logged "$NOT_FILTERED"
	check_equal "an attack on it: doctor" "broken sed" "$(sw doctor --json s0 |
		jq -r 'select(.check == "protection") | "\(.status) \(.command[:3])"')"
	check_equal "a client connects" 200 "$(get $SERVER_ADDR 10.99.1.1 -m 5)"
	situation "from then on, the same attack" attacked_held_off null warning 80
	check "from then on: the log says so" wait_for logged "$HELD_OFF"
}

# The last seconds begin anew with the new run, the attack goes on.
test_restart() {
	stop_synwarden
	check_equal "the log: an attack that is not filtered, once" 1 "$(grep -c "$NOT_FILTERED" "$TMP/run.err")"
	check_equal "the log: an attack that is held off, once" 1 "$(grep -c "$HELD_OFF" "$TMP/run.err")"
	start_synwarden --quiet --protect 80
	situation "a restart under attack" attacked_held_off null warning 80
	stop_flood
	situation "after the attack" protected null fine null
}

test_queue() {
	start python3 "$ROOT/tests/tools/peer.py" "/run/netns/$SERVER" "/run/netns/$CLIENT" queue_full 10.99.0.1 10.99.0.2 7003 \
		>"$TMP/queue.out"
	local queue=$!
	wait_for grep -q ready "$TMP/queue.out"
	start_in_client sh -c "while sleep 1; do curl -s -m 1 -o /dev/null http://$SERVER_ADDR:7003/; done"
	local asker=$!
	situation "a full accept queue" clients_turned_away accept_queue_full critical 7003
	kill -USR1 $queue
	wait $queue
	stop $asker
	situation "its program ends" protected null fine null
}

test_killed() {
	kill -KILL "$SW"
	wait "$SW" 2>/dev/null
	situation "run is killed" unknown null unknown null
	start_synwarden --quiet --protect 80
	situation "the next one takes over" protected null fine null
	stop_synwarden
}

test_dry_run() {
	start_synwarden --quiet --protect 80 --dry-run
	situation "a dry run" not_protected dry_run warning null
	start_flood
	situation "an attack in a dry run" not_protected dry_run critical 80
	stop_flood
	stop_synwarden
}

# 80 clients a second behind one address, each of which is served once its SYN passes
NAT='
import socket, sys, time
held = []
while True:
	held.append(socket.socket())
	held[-1].setblocking(False)
	held[-1].connect_ex((sys.argv[1], 80))
	if len(held) > 400:
		held.pop(0).close()
	time.sleep(1 / 80)'

test_source_limit() {
	start_synwarden --quiet --protect 80 --source-limit 5
	start_in_client python3 -c "$NAT" "$SERVER_ADDR"
	local nat=$! limited="10.99.0.2 is the most limited source of all ports"
	situation "many clients behind one address" clients_turned_away source_limit critical 80
	check_equal "its fix" "synwarden status" "$(fix)"
	check_equal "who it is" "$limited" "$(sw status --json | jq -r .state_sentence | sed 's/.*; //')"
	sw allow 10.99.0.2 >/dev/null
	situation "once it is allowed" protected null fine null
	stop $nat
	stop_synwarden
}

# A challenged client's ACK is the first that the connection tracking sees, new and no SYN. One client is on the allow list,
# so that some connect.
test_firewall() {
	in_server nft -f - <<-END
		table ip firewall {
			chain input {
				type filter hook input priority 0
				ct state new tcp flags & (syn | ack) == ack drop
			}
		}
	END
	start_synwarden --quiet --protect 80 --port-budget 100
	sw allow 10.99.1.254 >/dev/null
	start_flood
	wait_for armed_80
	exhaust_budget
	start_in_client sh -c "while sleep 1; do curl -s -m 2 -o /dev/null --interface 10.99.1.254 http://$SERVER_ADDR/; done"
	local allowed=$!
	start_in_client "$BUILD/tests/tools/clients" -n 1000 -r 20 10.99.1.2 "$SERVER_ADDR" 80 >/dev/null
	local clients=$!
	situation "a firewall drops the answers to challenges" clients_turned_away firewall critical 80
	stop $clients
	stop $allowed
	stop_flood
	stop_synwarden
	in_server nft delete table ip firewall
}

armed_80() {
	[ "$(sw status --json | jq '.ports[] | select(.port == 80).armed')" = true ]
}

test_table_full() {
	start_synwarden --quiet --protect 80
	start_listeners
	situation "more ports than the table holds" not_protected table_full warning null
	stop $!
	stop_synwarden
}

test_gone() {
	start_synwarden --quiet --protect 80
	situation "before the interface goes" protected null fine null
	in_server ip link del s0
	situation "the only interface is gone" gone null critical null
	stop_synwarden
}

# Where a client has connected, and nowhere else
is_served() {
	[ "$(sw status --json | jq -c '.ports[] | select(.port == 80).served')" = true ]
}

test_loopback() {
	start_in_server python3 -c 'import socket, time
listener = socket.create_server(("127.0.0.1", 7001))
time.sleep(600)'
	local listener=$!
	wait_for listens 7001
	situation "a listener on loopback alone" protected null fine null
	stop $listener
}

test_second_address() {
	in_server ip addr add 10.99.0.9/24 dev s0
	start_synwarden --quiet
	check_equal "a client of the first address" 200 "$(get $SERVER_ADDR 10.99.1.1 -m 5)"
	wait_for is_served
	start_flood 80 10.99.0.9
	situation "an attack on another address of the same port" attacked_not_filtered not_served critical 80
	stop_flood
	stop_synwarden
	in_server ip addr del 10.99.0.9/24 dev s0
}

test_two_ports() {
	listen_on 443
	start_synwarden --quiet --protect 80 --protect 443
	start_flood 443
	local first=$FLOODER
	situation "an attack on one of two ports" attacked_held_off null warning 443
	start_flood
	situation "an attack on two ports at once" attacked_held_off null warning 80
	check_equal "the other one is attacked too" "attacked_held_off 2" "$(sw status --json |
		jq -r '"\(.ports[] | select(.port == 443).state) \([.ports[] | select(.under_attack)] | length)"')"
	stop_flood
	stop "$first"
	stop "$LISTENER"
	stop_synwarden
}

# A second of flood, and one without
test_pulses() {
	start_synwarden --quiet --protect 80
	start_in_client sh -c 'while sleep 1; do "$@"; done' pulses "$FLOOD" -q -r 6000 -c 6000 -t 5 -s 0 -p 80 c0 \
		"$(mac in_server s0)" "$SERVER_ADDR"
	local pulses=$!
	situation "an attack in pulses" attacked_held_off null warning 80
	stop $pulses
	stop_synwarden
}

test_spike() {
	start_synwarden --quiet --protect 80 --port-budget 20
	start_in_client "$BUILD/tests/tools/clients" -n 1000 -r 50 10.99.1.2 "$SERVER_ADDR" 80 >/dev/null
	local clients=$!
	wait_for armed_80
	situation "more clients than the budget, and all connect" protected null fine null
	check_equal "its port is armed, and not under attack" "true false" \
		"$(sw status --json | jq -r '.ports[] | select(.port == 80) | "\(.armed) \(.under_attack)"')"
	stop $clients
	stop_synwarden
}

test_unchallenged() {
	start_synwarden --quiet --protect 80 --port-budget 100 --challenge off
	start_flood
	situation "an attack, and no challenge" clients_turned_away port_budget critical 80
	stop_flood
	stop_synwarden
	start_synwarden --quiet --protect 80 --port-budget 0
	situation "no port has a budget" not_protected no_budget fine null
	stop_synwarden
}

# shellcheck disable=SC2016
test_read_only_sysctls() {
	in_server sysctl -qw net.ipv4.tcp_syncookies=0
	start_in_server unshare -m sh -c 'mount --bind /proc/sys /proc/sys && mount -o remount,bind,ro /proc/sys &&
		exec "$0" run --quiet --protect 80 --xdp-mode native s0' "$SYNWARDEN" >"$TMP/run.out" 2>"$TMP/run.err"
	SW=$!
	wait_for filtering 127.0.0.1:9798
	situation "cookies cannot be forced" not_protected no_cookie warning null
	start_flood
	situation "an attack, and cookies cannot be forced" not_protected no_cookie critical 80
	stop_flood
	stop_synwarden
	in_server sysctl -qw net.ipv4.tcp_syncookies=2
}

test_one_of_two_interfaces() {
	second_link
	start_synwarden --quiet --protect 80 s0 s1
	situation "two interfaces" protected null fine null
	in_server ip link del s1
	situation "one of two interfaces is gone" not_protected interface_not_filtered critical null
	second_link
	situation "it is back" protected null fine null
	stop_synwarden
}

# Those that the long form adds; nginx runs.
test_more() {
	test_dry_run
	test_source_limit
	test_firewall
	test_table_full
	test_second_address
	test_two_ports
	test_pulses
	test_spike
	test_unchallenged
	test_read_only_sysctls
	test_one_of_two_interfaces
}

net_up
take_replies
test_no_run
start_synwarden --quiet
[ -z "${LONG:-}" ] || {
	begin_situations
	test_loopback
}
test_not_served
test_restart
test_queue
test_killed
[ -z "${LONG:-}" ] || test_more
test_gone
[ -z "${LONG:-}" ] || end_situations
finish
