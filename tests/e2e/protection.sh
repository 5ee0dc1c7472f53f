#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The state of protection, played: each situation has one expected row, which status, its exit status, its JSON, the endpoint,
# its metrics and the log show.
#
# test: alone slow asan-slow no-kernels
set -u
ROOT=$(readlink -f "$(dirname "$0")/../..")
# shellcheck source=tests/lib/network.sh
. "$ROOT/tests/lib/network.sh"
# shellcheck source=tests/lib/counters.sh
. "$ROOT/tests/lib/counters.sh"
# shellcheck source=tests/lib/listeners.sh
. "$ROOT/tests/lib/listeners.sh"

declare -A CODES=([fine]=0 [warning]=1 [critical]=2 [unknown]=3) # exit statuses of status --check
declare -A LABELS=([fine]=PROTECTED [warning]=WARNING [critical]=CRITICAL [unknown]=UNKNOWN)
NOT_FILTERED="CRITICAL: port 80 is under SYN attack and not filtered"
HELD_OFF="no longer critical: WARNING: port 80"

# state_now: STATE REASON SEVERITY PORT, of the host
state_now() {
	sw status --json | jq -r '"\(.state) \(.state_reason) \(.severity) \(.state_port)"'
}

is_state() {
	[ "$(state_now)" = "$*" ]
}

# situation NAME STATE REASON SEVERITY PORT: it comes to that, by status, its exit status, its JSON, the endpoint and its metrics. PORT null: the host as a whole
situation() {
	local name=$1 severity=$4 port=$5
	shift
	wait_for is_state "$@"
	check_equal "$name: status --json" "$*" "$(state_now)"
	try sw status --check
	check_equal "$name: status --check" "${CODES[$severity]} ${LABELS[$severity]} 1" \
		"$STATUS ${OUT%%:*} $(wc -l <"$TMP/out")"
	check_equal "$name: first line of status" "${LABELS[$severity]}" "$(sw status | head -n 1 | sed 's/:.*//')"
	[ "$port" = null ] || check_equal "$name: the port" "$1 $2" "$(sw status --json |
		jq -r ".ports[] | select(.port == $port) | \"\(.state) \(.state_reason)\"")"
	[ "$severity" = unknown ] || of_endpoint "$name" "$@"
}

# of_endpoint NAME STATE REASON SEVERITY PORT: the same by /api/status and /metrics
of_endpoint() {
	local name=$1 port=$5
	check_equal "$name: /api/status" "$2 $3 $4 $5" "$(in_server curl -s http://127.0.0.1:9798/api/status |
		jq -r '"\(.state) \(.state_reason) \(.severity) \(.state_port)"')"
	scrape
	check_equal "$name: /metrics" "${CODES[$4]}" "$(value protection_severity)"
	[ "$port" = null ] || check_equal "$name: /metrics, the port" "$2" \
		"$(sed -n "s/^protection_state{port=\"$port\",state=\"\(.*\)\"} 1/\1/p" "$TMP/scrape")"
}

# 3,000 SYN/s until stop_flood
start_flood() {
	start_in_client "$FLOOD" -q -r 3000 -c 10000000 -t 600 -s 0 -p 80 c0 "$(mac in_server s0)" "$SERVER_ADDR"
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

net_up
take_replies
test_no_run
start_synwarden --quiet
test_not_served
test_restart
test_queue
test_killed
test_dry_run
test_source_limit
test_firewall
test_table_full
test_gone
finish
