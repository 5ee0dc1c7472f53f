#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# `why` where the answer depends on the kernel's sockets and settings: connections that are half-open or in TIME_WAIT, a
# full accept queue, cookies that the kernel would not accept, link-local sources; after a reload, and of a filter that
# `run --keep` left. Each answer is compared with what the filter then does to such a SYN. Lists, limits, verified
# sources and served addresses: tests/e2e/attack.sh. That it changes nothing: tests/bpf/explain.c.
#
# test: asan-slow
set -u
ROOT=$(readlink -f "$(dirname "$0")/../..")
# shellcheck source=tests/lib/network.sh
. "$ROOT/tests/lib/network.sh"
# shellcheck source=tests/lib/counters.sh
. "$ROOT/tests/lib/counters.sh"
# shellcheck source=tests/lib/conf.sh
. "$ROOT/tests/lib/conf.sh"

# why_is NAME VERDICT REASON ADDRESS [OPTION...]
why_is() {
	check_equal "why: $1" "$2 $3" "$(sw why "${@:4}" --json | jq -r '"\(.verdict) \(.reason)"')"
}

# says PATTERN ADDRESS [OPTION...]
says() {
	sw why "${@:2}" | grep -qE "$1"
}

# connects PORT [FROM-PORT]: a SYN of the client, which may be answered or not
connects() {
	in_client timeout 20 python3 -c '
import socket, sys
socket.create_connection((sys.argv[1], int(sys.argv[2])), 0.5, ("10.99.1.1", int(sys.argv[3])))' \
		"$SERVER_ADDR" "$1" "${2:-0}" 2>/dev/null
	true
}

# does NAME REASON PORT [FROM-PORT]: the filter gives the client's SYN that reason
does() {
	local before
	scrape
	before=$(packets "$2")
	connects "${@:3}"
	scrape
	check "$1: so does the filter" test "$(packets "$2")" -gt "$before"
}

in_state() {
	[ -n "$(in_server ss -Hatn state "$1" "sport = 80 and dport = $2")" ]
}

listens() {
	[ -n "$(in_server ss -Hltn "sport = $1")" ]
}

is_armed() {
	[ "$(sw status --json | jq ".ports[] | select(.port == $1) | .armed")" = true ]
}

cookies_are() {
	[ "$(in_server sysctl -n net.ipv4.tcp_syncookies)" = "$1" ]
}

# The budget of the port is used up for good; one SYN more arms it.
arm() {
	exhaust_budget "$1"
	connects "$1"
	wait_for is_armed "$1"
	wait_for cookies_are 2
}

# One connection in TIME_WAIT, one half-open: the client's ACK does not leave it. From then on the client gets no SYN-ACK
# of port 80, so that no cookie comes back and its address is never verified. (What XDP answers into a veth whose other
# end has no XDP program waits there until the stack sends something.)
make_connections() {
	in_client python3 -c '
import socket
with socket.create_connection(("'"$SERVER_ADDR"'", 80), 5, ("10.99.1.1", 40001)) as client:
	client.sendall(b"GET / HTTP/1.0\r\n\r\n")
	while client.recv(65536):
		pass'
	wait_for in_state time-wait 40001
	in_client nft -f - <<-END
		table inet late {
			chain out {
				type filter hook output priority 0;
				tcp sport 40002 tcp flags & (syn | ack) == ack drop
			}
		}
	END
	connects 80 40002
	wait_for in_state syn-recv 40002
	in_client nft -f - <<-END
		add chain inet late in { type filter hook input priority 0; }
		add rule inet late in tcp sport 80 tcp flags & (syn | ack) == (syn | ack) drop
	END
}

test_known() {
	why_is "nothing is armed" pass syn 10.99.1.1 --port 80
	make_connections
	arm 80
	why_is "no connection has the port" challenge challenged 10.99.1.1 --port 80
	does "no connection has the port" challenged 80 40009
	why_is "a half-open connection" pass known 10.99.1.1 --port 80 --source-port 40002
	why_is "a connection in TIME_WAIT" pass known 10.99.1.1 --port 80 --source-port 40001
	check "why: a connection, in words" says 'as the kernel has a connection from that port' 10.99.1.1 -p 80 -s 40001
	does "a connection in TIME_WAIT" known 80 40001
	why_is "a link-local source" pass not_served fe80::1 --port 80
	check "why: a link-local source, in words" says 'SYNs from link-local addresses are not challenged' fe80::1 -p 80
}

# A listener that accepts nothing: one connection waits, and no more may.
test_accept_queue() {
	start_in_server python3 -c '
import signal, socket
listener = socket.create_server(("0.0.0.0", 8080), backlog=0)
signal.pause()'
	wait_for listens 8080
	start_in_client python3 -c '
import signal, socket
client = socket.create_connection(("'"$SERVER_ADDR"'", 8080))
signal.pause()'
	wait_for queue_is_full
	arm 8080
	why_is "the accept queue is full" drop accept_full 10.99.1.1 --port 8080
	check "why: the accept queue is full, in words" says 'while the accept queue is full' 10.99.1.1 -p 8080
	does "the accept queue is full" accept_full 8080
}

queue_is_full() {
	in_server ss -Hltn "sport = 8080" | awk '{ full = $2 > $3 } END { exit !full }'
}

# `run` is stopped, so that it does not set the sysctl anew.
test_unready() {
	kill -STOP "$SW"
	in_server sysctl -qw net.ipv4.tcp_syncookies=1
	why_is "tcp_syncookies is 1" pass unready 10.99.1.1 --port 80
	check "why: tcp_syncookies is 1, in words" says 'as the kernel would not accept a cookie' 10.99.1.1 -p 80
	in_server sysctl -qw net.ipv4.tcp_syncookies=2
	why_is "tcp_syncookies is 2" challenge challenged 10.99.1.1 --port 80
	kill -CONT "$SW"
}

# What is frozen into the filter is asked of the one in force.
test_reload() {
	sed -i 's/^challenge = .*/challenge = off/' "$CONF"
	kill -HUP "$SW"
	wait_for grep -q 'read again' "$TMP/run.err"
	why_is "challenge is off now" drop port_budget 10.99.1.1 --port 80
	does "challenge is off now" port_budget 80
}

test_refusals() {
	expect "why: an interface that is not filtered" 1 "" \
		'synwarden: why: --interface: "lo" is not filtered; synwarden status shows those that are' \
		sw why 10.99.1.1 --interface lo
	why_is "the interface" drop port_budget 10.99.1.1 --port 80 --interface s0
	expect "why: two families" 2 "" \
		'synwarden: why: --to: "2001:db8::1" and "10.99.1.1" are not of one address family' \
		sw why 10.99.1.1 --to 2001:db8::1
}

# The pins outlive it, explain_packet's among them.
test_kept() {
	kill "$SW"
	wait_for gone "$SW"
	why_is "a filter that was kept" drop port_budget 10.99.1.1 --port 80
	sw detach
	check "no pin stays" test ! -e "$(pin_dir)"
}

net_up
start_nginx
conf <<-END
	interface = s0
	xdp-mode = native
	port-budget = 100
	challenge = auto
	protect = 80,8080
END
start_conf --keep
test_known
test_accept_queue
test_unready
test_reload
test_refusals
test_kept
finish
