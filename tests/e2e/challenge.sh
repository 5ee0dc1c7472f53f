#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Clients under a spoofed flood: a source that was never seen before passes a challenge, with the TCP options that it asked
# for; segments without a socket are dropped; packets that the host forwards, translates or intercepts pass untouched.
#
# Beside what tests/lib/network.sh draws, a third namespace $BACKEND (swPIDb) stands behind the server, for traffic that is not
# the server's own: s9 10.97.0.1/24 -- veth -- b0 10.97.0.2/24, a web server on ports 80 and 8080.
#
# test: slow asan-slow no-kernels
set -u
ROOT=$(readlink -f "$(dirname "$0")/../..")
# shellcheck source=tests/lib/network.sh
. "$ROOT/tests/lib/network.sh"
# shellcheck source=tests/lib/counters.sh
. "$ROOT/tests/lib/counters.sh"

CLIENTS=100
BACKEND=sw$$b
BACKEND_ADDR=10.97.0.2
# web_server.py DIRECTORY PORT: Python's own would have a queue of five for all that connect at once.
WEB_SERVER='
import http.server, os, sys
os.chdir(sys.argv[1])
http.server.ThreadingHTTPServer.request_queue_size = 1024
http.server.ThreadingHTTPServer(("", int(sys.argv[2])), http.server.SimpleHTTPRequestHandler).serve_forever()
'

# Instead of tests/lib/network.sh's: one namespace more.
net_down() {
	local netns
	for netns in "$SERVER" "$CLIENT" "$BACKEND"; do
		ip netns del "$netns" 2>/dev/null
	done
}

in_backend() {
	nsenter --net="/run/netns/$BACKEND" "$@"
}

# start_flood RATE [FLOOD OPTION...]: from random sources until stop_flood; returns when the filter has seen it
start_flood() {
	local to=${FLOOD_TO:-$SERVER_ADDR} rate=$1 before
	shift
	[ "${1:-}" != -6 ] || to=$SERVER_ADDR6
	before=$(rx s0 | cut -d' ' -f1)
	start_in_client "$FLOOD" "$@" -x -q -s 0 -r "$rate" -c 1000000000 -t 60 c0 "$(mac in_server s0)" "$to"
	FLOODER=$!
	wait_for has_come $((before + rate / 2)) || die "no flood comes"
}

has_come() {
	[ "$(rx s0 | cut -d' ' -f1)" -ge "$1" ]
}

stop_flood() {
	stop "$FLOODER"
}

# served FIRST LAST ADDRESS PREFIX: how many of the clients PREFIXn were served, eight at a time, none with a second SYN
served() {
	local n
	for ((n = $1; n <= $2; n++)); do
		printf 'next\nurl = http://%s/\ninterface = %s%d\noutput = /dev/null\ngloboff\nmax-time = 10\n' "$3" "$4" "$n"
		printf '%s\n' 'write-out = "%{http_code} %{time_connect}\n"'
	done | sed 1d | in_client curl --no-progress-meter --parallel --parallel-max 8 --config - |
		awk '$1 == 200 && $2 < 0.9 { n++ } END { print n + 0 }'
}

begin() {
	mark_rx s0
	start_synwarden "$@"
	scrape
}

# test_clients RATE [-6]: sources that were never seen before: not by the filter, which is new, nor by the kernel.
test_clients() {
	local name="$1 SYN/s${2:+ over IPv6}" to=$SERVER_ADDR from=10.99.1. before ms
	[ "${2:-}" != -6 ] || to="[$SERVER_ADDR6]" from=fd99:1::
	begin --protect 80
	start_flood "$@"
	before=$(date +%s%N)
	check_equal "$name: clients served of $CLIENTS" $CLIENTS "$(served 1 $CLIENTS "$to" "$from")"
	scrape
	ms=$((($(date +%s%N) - before) / 1000000))
	check "$name: it was a flood ($(packets challenged) challenges in $ms ms)" \
		test "$(packets challenged)" -gt $(($1 * ms / 2000))
	check "$name: most clients were challenged ($(packets cookie_ack))" test "$(packets cookie_ack)" -gt $((CLIENTS * 3 / 4))
	check "$name: the port is armed" test "$(value 'armed{port="80"}')" = 1
	stop_flood
	check_sums "$name: the sum over all reasons is what the interface saw" s0
	stop_synwarden
}

# Connects and stays; prints ss's line of the connection on the server's side. connection ADDRESS SOURCE
connection() {
	local pid
	start_in_client python3 -c '
import socket, sys, time
s = socket.create_connection((sys.argv[1], 80), source_address=(sys.argv[2], 0), timeout=10)
print(s.getsockname()[1], flush=True)
time.sleep(60)' "$1" "$2" >"$TMP/connection"
	pid=$!
	wait_for test -s "$TMP/connection"
	in_server ss -Htino state established "sport = 80 and dst [$2] and dport = $(cat "$TMP/connection")" >"$TMP/ss"
	stop "$pid"
	cat "$TMP/ss"
}

# What of it was agreed on in the handshake
agreed() {
	tail -n1 "$TMP/ss" | tr ' ' '\n' | grep -xE '(ts|sack|ecn|ecnseen|wscale:.*|mss:.*|advmss:.*)' | paste -sd' '
}

# test_options NAME PLAIN PLAIN6 [OPTION...]: a challenged connection has what PLAIN (IPv4) and PLAIN6 say
test_options() {
	local name=$1 plain=$2 plain6=$3 before
	shift 3
	begin --protect 80 --port-budget 100 "$@"
	exhaust_budget
	start_flood 2000
	wait_for syncookies_are 2
	sleep 0.2
	before=$(scrape && packets cookie_ack)
	connection "$SERVER_ADDR" 10.99.1.250 >/dev/null
	check_equal "$name" "$plain" "$(agreed)"
	connection "$SERVER_ADDR6" fd99:1::250 >/dev/null
	check_equal "$name, IPv6" "$plain6" "$(agreed)"
	scrape
	check_equal "$name: both were challenged" 2 $(($(packets cookie_ack) - before))
	stop_flood
	stop_synwarden
}

syncookies_are() {
	[ "$(in_server sysctl -n net.ipv4.tcp_syncookies)" = "$1" ]
}

test_all_options() {
	local plain plain6
	in_client sysctl -qw net.ipv4.tcp_ecn=1
	connection "$SERVER_ADDR" 10.99.1.250 >/dev/null
	plain=$(agreed)
	connection "$SERVER_ADDR6" fd99:1::250 >/dev/null
	plain6=$(agreed)
	check "a connection without a challenge has a window scale and SACK ($plain)" grep -q 'sack.*wscale' <<<"$plain"
	test_options "--harden: through a challenge as without one" "$plain" "$plain6" --harden
	test_options "tcp_timestamps 1: the MSS" "mss:1460 advmss:1460" "mss:1440 advmss:1440"
	in_client sysctl -qw net.ipv4.tcp_ecn=2
}

# A filter that stays behind while a port is armed goes by the timestamps as they have been put back.
test_kept() {
	begin --protect 80 --port-budget 100 --harden --keep
	exhaust_budget
	start_flood 2000
	wait_for syncookies_are 2
	stop_synwarden
	in_server sysctl -qw net.ipv4.tcp_syncookies=2 # it challenges only then
	connection "$SERVER_ADDR" 10.99.1.250 >/dev/null
	check_equal "--harden --keep, ended while armed: a challenged connection is not misread" "mss:1460 advmss:1460" \
		"$(agreed)"
	stop_flood
	in_server sysctl -qw net.ipv4.tcp_syncookies=1
	sw detach
}

# refused_or_served SOURCE: a client's HTTP status; 000 where it is left waiting
refused_or_served() {
	get $SERVER_ADDR "10.99.1.$1" --max-time 2
}

# What netfilter's connection tracking sees first of a challenged connection is its ACK.
test_stateful_firewall() {
	local before
	begin --protect 80 --port-budget 100
	exhaust_budget
	start_flood 2000
	wait_for syncookies_are 2
	in_server nft -f - <<-END
		table inet firewall {
			chain input {
				type filter hook input priority 0
				iifname s0 tcp dport 80 ct state invalid drop
			}
		}
	END
	before=$(scrape && packets cookie_ack)
	check_equal "a firewall that drops what is invalid, nf_conntrack_tcp_loose 1: a challenged client is served" 200 \
		"$(refused_or_served 240)"
	in_server sysctl -qw net.netfilter.nf_conntrack_tcp_loose=0
	check_equal "nf_conntrack_tcp_loose 0: it is not" 000 "$(refused_or_served 241)"
	check_equal "nf_conntrack_tcp_loose 0: but for its next connection, as its source is verified" 200 \
		"$(refused_or_served 241)"
	in_server sysctl -qw net.netfilter.nf_conntrack_tcp_loose=1
	in_server nft add rule inet firewall input tcp dport 80 "tcp flags & (fin | syn | rst | ack) != syn" ct state new drop
	check_equal "a firewall that wants new connections to begin with a SYN: a challenged client is not served" 000 \
		"$(refused_or_served 242)"
	scrape
	check "a firewall: all three were challenged" test $(($(packets cookie_ack) - before)) -ge 3
	in_server nft delete table inet firewall
	stop_flood
	stop_synwarden
}

# Half-open connections show an address to be served as well: the other one is new.
test_protect() {
	local other=fd99::8
	in_server ip addr add $other/64 dev s0 nodad
	in_client ip neigh replace $other lladdr "$(mac in_server s0)" nud permanent dev c0
	begin --protect "$SERVER_ADDR:80" --port-budget 10
	flood -c 1000 -r 5000 -s 0 -x -q
	flood_other() { in_client "$FLOOD" -6 -c 1000 -r 5000 -s 0 -x -q c0 "$(mac in_server s0)" $other; }
	flood_other
	wait_for packets_agree s0
	check "--protect: its address is served from the start ($(packets challenged))" test "$(packets challenged)" -gt 900
	check "--protect: others are not ($(packets not_served))" test "$(packets not_served)" -gt 900
	check_equal "--protect: which one is named" $other \
		"$(in_server "$SYNWARDEN" status --json | jq -r '.ports[] | select(.port == 80).not_served_address')"
	check_equal "--protect: a client of the other one" 200 "$(get "[$other]" fd99:1::251 --max-time 5)"
	flood_other
	wait_for packets_agree s0
	check "the first handshake makes an address served ($(packets challenged), not: $(packets not_served))" \
		test "$(packets challenged)" -gt 1800
	stop_synwarden
}

test_strays() {
	local kind
	begin --protect 80
	start_flood 5000
	wait_for syncookies_are 2
	for kind in ack rst fin; do
		start_in_client "$FLOOD" -k $kind -q -s 0 -r 20000 -c 24000 -t 10 c0 "$(mac in_server s0)" "$SERVER_ADDR"
		check_equal "a flood of $kind: clients served" 30 "$(served 1 30 $SERVER_ADDR 10.99.1.)"
		wait "$!"
		scrape
		# A full ring of the veth may lose some before they get to the filter.
		check_between "a flood of $kind is dropped" 22000 24040 "$(packets stray_$kind)"
	done
	stop_flood
	check_sums "floods of segments: the sum over all reasons is what the interface saw" s0
	stop_synwarden
}

start_backend() {
	local port
	ip netns add "$BACKEND" || die "cannot make a network namespace"
	set_sysctls in_backend
	in_server ip link add s9 type veth peer name b0 netns "$BACKEND"
	in_server ip addr add 10.97.0.1/24 dev s9
	in_server ip link set s9 up
	in_backend ip addr add $BACKEND_ADDR/24 dev b0
	in_backend ip link set b0 up
	in_backend ip route add default via 10.97.0.1
	in_client ip route add 10.97.0.0/24 via $SERVER_ADDR
	in_server sysctl -qw net.ipv4.ip_forward=1
	for port in 80 8080; do
		mkdir -p "$TMP/backend"
		start nsenter --net="/run/netns/$BACKEND" python3 -c "$WEB_SERVER" "$TMP/backend" $port >/dev/null 2>&1
	done
	in_server nft -f - <<-END
		table ip publish {
			chain prerouting {
				type nat hook prerouting priority -100
				iifname s0 ip daddr $SERVER_ADDR tcp dport 8080 dnat to $BACKEND_ADDR:8080
			}
		}
	END
	wait_for backend_listens
}

backend_listens() {
	[ "$(in_backend ss -Hltn "sport = 80 or sport = 8080" | wc -l)" = 2 ]
}

# Like docker's -p 8080:8080: the host's own listener on the port (a proxy for local clients) never sees the traffic.
test_published() {
	local from
	begin --port-budget 100
	in_server ip addr add 10.99.0.9/24 dev s0
	for from in $SERVER_ADDR 127.0.0.1 10.99.0.9; do
		check_equal "a local client at $from reaches the host's listener" 200 \
			"$(in_server curl -s --interface "$from" -o /dev/null -w '%{http_code}' "http://$SERVER_ADDR:8080/")"
	done
	start_flood 2000 -p 8080
	check_equal "a published port: clients served" 50 "$(served 1 50 $SERVER_ADDR:8080 10.99.1.)"
	stop_flood
	scrape
	check "a published port: over the budget, and not served ($(packets not_served))" test "$(packets not_served)" -gt 1000
	check_equal "a published port: none is challenged or dropped" "0 0 0" \
		"$(packets challenged) $(packets port_budget) $(packets stray_ack)"
	stop_synwarden
}

# The router's own port 80 is served, at its own address; what it forwards to port 80 elsewhere is not its business.
test_router() {
	begin --port-budget 100
	get $SERVER_ADDR 10.99.1.200 --max-time 5 >/dev/null
	FLOOD_TO=$BACKEND_ADDR start_flood 2000
	check_equal "a router: clients served behind it" 50 "$(served 1 50 $BACKEND_ADDR 10.99.1.)"
	scrape
	check "a router: what it forwards is not local ($(packets not_local))" test "$(packets not_local)" -gt 1000
	check_equal "a router: none is challenged or dropped" "0 0 0" \
		"$(packets challenged) $(packets port_budget) $(packets stray_ack)"
	check_equal "a router: clients served by itself" 50 "$(served 51 100 $SERVER_ADDR 10.99.1.)"
	stop_flood
	stop_synwarden
}

# What goes to port 80 of 10.96.0.0/24, which is not this host's, goes to a transparent listener of this host.
start_tproxy() {
	in_client ip route add 10.96.0.0/24 via $SERVER_ADDR
	in_server ip rule add fwmark 1 table 100
	in_server ip route add local default dev lo table 100
	in_server nft -f - <<-END
		table ip intercept {
			chain prerouting {
				type filter hook prerouting priority mangle
				iifname s0 ip daddr 10.96.0.0/24 tcp dport 80 tproxy to :3129 meta mark set 1 accept
			}
		}
	END
	start_in_server python3 -c '
import socket, threading
def answer(client):
    client.recv(4096)
    client.sendall(b"HTTP/1.0 200 OK\r\n\r\n")
    client.close()
listener = socket.socket()
listener.setsockopt(socket.SOL_IP, socket.IP_TRANSPARENT, 1)
listener.bind(("", 3129))
listener.listen(1024)
while True:
    threading.Thread(target=answer, args=listener.accept()[:1]).start()'
	wait_for listens 3129
}

# intercepted STATE ADDRESS: whether the server has such a connection
intercepted() {
	[ -n "$(in_server ss -Htn state "$1" src "$2:80")" ]
}

# Connections that the start finds, open and in TIME_WAIT, and those after it: none makes its address a served one, where
# the wildcard listener on the same port would be challenged for.
test_tproxy() {
	local address
	get 10.96.0.2 10.99.1.200 --max-time 5 >/dev/null
	start_in_client python3 -c 'import socket, time; s = socket.create_connection(("10.96.0.1", 80)); time.sleep(60)'
	check "TPROXY: a connection is open at the start" wait_for intercepted established 10.96.0.1
	check "TPROXY: one is in TIME_WAIT" intercepted time-wait 10.96.0.2
	begin --port-budget 100
	get 10.96.0.3 10.99.1.200 --max-time 5 >/dev/null
	for address in 10.96.0.{1..3}; do
		FLOOD_TO=$address start_flood 2000
		check_equal "TPROXY: clients of $address served" 20 "$(served 1 20 "$address" 10.99.1.)"
		stop_flood
	done
	scrape
	check "TPROXY: what is intercepted is not local ($(packets not_local))" test "$(packets not_local)" -gt 1500
	check_equal "TPROXY: none is challenged or dropped" "0 0 0" \
		"$(packets challenged) $(packets port_budget) $(packets stray_ack)"
	check "TPROXY: and does not arm the port" test "$(value 'armed{port="80"}')" = 0
	check_equal "TPROXY: clients served by the host's own listener" 20 "$(served 1 20 $SERVER_ADDR 10.99.1.)"
	start_flood 2000
	check_equal "TPROXY: and beside a flood to it" 20 "$(served 21 40 $SERVER_ADDR 10.99.1.)"
	stop_flood
	scrape
	check "TPROXY: that one is challenged ($(packets challenged))" test "$(packets challenged)" -gt 500
	stop_synwarden
}

net_up
silence 0
start_nginx 'listen 8080;'
test_clients 50000
test_clients 50000 -6
test_clients 200000
test_clients 200000 -6
test_all_options
test_kept
test_protect
test_strays
start_backend
test_published
test_router
start_tproxy
test_tproxy
test_stateful_firewall # last: clients that are left waiting there keep sending
finish
