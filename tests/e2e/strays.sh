#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Floods of segments that belong to no connection, to a listening port and without a SYN flood beside them: the kernel's own
# RSTs arm the port, the rest is dropped, and neither connections nor clients notice. What only looks like such a flood
# arms nothing: aborted downloads, and the clients of a server that was restarted.
#
# test: no-kernels
# fault: ACK, FIN, RST or SYN-ACK floods without a SYN flood | what is over the budget is dropped, connections stay
set -u
ROOT=$(readlink -f "$(dirname "$0")/../..")
# shellcheck source=tests/lib/network.sh
. "$ROOT/tests/lib/network.sh"
# shellcheck source=tests/lib/counters.sh
. "$ROOT/tests/lib/counters.sh"

RATE=$(long_or 200000 50000)
BUDGET=1000
HELD=50
DROP=-x # what answers a flood; one flood at a time can
BACKEND=sw$$b
BACKEND_ADDR=10.97.0.2
LOST=100

# start_strays KIND [FLOOD OPTION...]: until stop_strays
start_strays() {
	start_in_client "$FLOOD" -k "$1" "$DROP" -q -s 0 -r "$RATE" -c 1000000000 -t 120 "${@:2}" c0 "$(mac in_server s0)" $SERVER_ADDR
	FLOODER=$!
}

# begin OPTION...: a run whose start is long ago; for 30 s, strays may be of this host's former clients
begin() {
	start_synwarden "$@"
	bpftool -j map lookup pinned "$(pin_dir)/strays" key 0 0 0 0 | jq -r '.value | .[8:12] = ["0x00", "0x00", "0x00", "0x00"] | .[]' |
		xargs bpftool map update pinned "$(pin_dir)/strays" key 0 0 0 0 value
}

stop_strays() {
	stop "$FLOODER"
}

# is_armed 0|1 [PORT]
is_armed() {
	scrape
	[ "$(value "armed_strays{port=\"${2:-80}\"}")" = "$1" ]
}

out_resets() {
	in_server nstat -asz TcpOutRsts | awk '$1 == "TcpOutRsts" { print $2 }'
}

# resets_in SECONDS: RSTs that the server sends in that time
resets_in() {
	local before
	before=$(out_resets)
	sleep "$1"
	echo $(($(out_resets) - before))
}

# served FIRST LAST: how many clients that were never seen are served, of each address one
served() {
	local n
	for ((n = $1; n <= $2; n++)); do
		get $SERVER_ADDR "10.99.1.$n"
	done | grep -c '^200$'
}

# told FIFO OUTPUT LINE: writes it, and prints the next line of the output
told() {
	local lines
	lines=$(wc -l <"$2")
	echo "$3" >"$1"
	wait_for lines_of "$2" $((lines + 1))
	tail -n 1 "$2"
}

lines_of() {
	[ "$(wc -l <"$1")" -ge "$2" ]
}

# Connections that are held: each asks when it is told to, and must be answered.
hold() {
	mkfifo "$TMP/ask"
	# shellcheck disable=SC2034 # it keeps the FIFO open
	exec {ASK}<>"$TMP/ask"
	start_in_client python3 -c '
import socket, sys
held = [socket.create_connection((sys.argv[1], 80)) for _ in range(int(sys.argv[2]))]
print("ready", flush=True)
for line in open(sys.argv[3]):
    answered = 0
    for s in held:
        s.sendall(b"GET /index.html HTTP/1.1\r\nHost: x\r\n\r\n")
        s.settimeout(10)
        answered += s.recv(4096).startswith(b"HTTP/1.1 200")
    print(answered, flush=True)
' $SERVER_ADDR $HELD "$TMP/ask" >"$TMP/held"
	wait_for grep -q ready "$TMP/held" || die "no connections are held"
}

held_answer() {
	told "$TMP/ask" "$TMP/held" x
}

# drops_more_than REASON COUNT
drops_more_than() {
	scrape
	[ "$(packets "$1")" -gt "$2" ]
}

# test_flood KIND REASON FIRST
test_flood() {
	local kind=$1 least=0 before
	check "$kind: the port is not armed before" wait_for is_armed 0
	before=$(packets "$2")
	check_equal "$kind: none is dropped before" 0 "$before"
	start_strays "$kind"
	check "$kind: the port is armed" wait_for is_armed 1
	check "$kind: it is not armed for SYNs" test "$(value 'armed{port="80"}')" = 0
	[ "$kind" = rst ] || least=$((BUDGET / 2)) # a RST gets none
	check_between "$kind: RSTs a second, while armed" $least $((BUDGET * 6 / 5)) $(($(resets_in 2) / 2))
	check_equal "$kind: clients that were never seen are served" 5 "$(served "$3" $(($3 + 4)))"
	check_equal "$kind: connections that are held are answered" $HELD "$(held_answer)"
	check "$kind: what is over the budget is dropped" wait_for drops_more_than "$2" "$RATE"
	stop_strays
	[ -n "${DOWNLOAD:-}" ] || check_sums "$kind: the sum over all reasons is what the interface saw" s0
	scrape
	check_equal "$kind: no other stray is counted" "$(packets "$2")" \
		"$(($(packets stray_ack) + $(packets stray_fin) + $(packets stray_rst) + $(packets stray_synack)))"
	check_equal "$kind: by port and kind, too" "$(packets "$2")" "$(sum_of strays_dropped_total)"
}

# Each kind in a run of its own, which begins unarmed; a download is under way during the last one.
test_floods() {
	local kind first=10
	for kind in "$@"; do
		[ "$kind" != "${*: -1}" ] || start_download
		mark_rx s0
		begin --stray-budget $BUDGET
		served $first $first >/dev/null # the address is served
		case $kind in
		ack | data) test_flood "$kind" stray_ack $((first + 1)) ;;
		*) test_flood "$kind" "stray_$kind" $((first + 1)) ;;
		esac
		first=$((first + 10))
		[ "$kind" = "${*: -1}" ] || stop_synwarden
	done
}

test_release() {
	check "ten quiet seconds release the port" wait_for is_armed 0
	check "it is said when the port is armed" grep -q 'port 80 is armed: segments without a connection' "$TMP/run.err"
	check "and released" wait_for grep -q 'port 80 is released: ten seconds under half the stray budget' "$TMP/run.err"
}

# answered_more_than COUNT: RSTs to strays of port 80
answered_more_than() {
	scrape
	[ "$(value 'strays_answered_total{port="80"}')" -gt "$1" ]
}

is_armed_for_syns() {
	scrape
	[ "$(value 'armed{port="80"}')" = 1 ]
}

# test_start: segments of clients that a host had before it started are no flood
test_start() {
	start_synwarden --stray-budget $BUDGET
	served 91 91 >/dev/null # the address is served
	start_strays ack
	check "after the start: strays are answered" wait_for answered_more_than $((BUDGET * 10))
	check "after the start: the port is not armed" is_armed 0
	check_equal "after the start: none is dropped" 0 "$(sum_of strays_dropped_total)"
	stop_strays
	stop_synwarden
}

# test_charged_once: 60 % of the budget, while the port is armed for SYNs alone, so that XDP and the kernel both see them
test_charged_once() {
	local syns
	begin --port-budget 100 --stray-budget $BUDGET
	served 90 90 >/dev/null # the address is served
	RATE=5000 start_strays syn
	syns=$FLOODER
	check "60 % of the budget: the port is armed for SYNs" wait_for is_armed_for_syns
	DROP=-q RATE=$((BUDGET * 6 / 10)) start_strays ack
	check "60 % of the budget: five seconds of it are answered" wait_for answered_more_than $((BUDGET * 3))
	check "60 % of the budget: the port is not armed for strays" is_armed 0
	check_equal "60 % of the budget: no stray is dropped" 0 "$(sum_of strays_dropped_total)"
	stop_strays
	stop "$syns"
	stop_synwarden
}

# Connections to port 81, which the server then loses.
start_lost() {
	mkfifo "$TMP/serve" "$TMP/clients"
	# shellcheck disable=SC2034 # they keep the FIFOs open
	exec {SERVE}<>"$TMP/serve" {CLIENTS}<>"$TMP/clients"
	start_in_server python3 "$ROOT/tests/tools/lost.py" serve 0.0.0.0 81 "$TMP/serve" >"$TMP/serve.out"
	wait_for grep -q ready "$TMP/serve.out"
}

begin_lost() {
	start_in_client python3 "$ROOT/tests/tools/lost.py" ask $SERVER_ADDR 81 $LOST "$TMP/clients" >"$TMP/clients.out"
	LOST_PID=$!
	wait_for grep -q ready "$TMP/clients.out"
}

# How many of the server's strays were dropped, of all kinds, and how many got a RST, on port 81
strays_of_81() {
	scrape
	echo "$(sum_of strays_dropped_total) $(value 'strays_answered_total{port="81"}')"
}

# test_restart: the clients of a server that was restarted are strays, more of them at once than the budget; but a
# listener has just ended.
test_restart() {
	start_lost
	begin --stray-budget 10
	begin_lost
	told "$TMP/serve" "$TMP/serve.out" restart >/dev/null
	sleep 6 # their ends are remembered for five seconds
	check_equal "a restart: each client gets its RST" $LOST "$(told "$TMP/clients" "$TMP/clients.out" x)"
	check_equal "a restart: none is dropped" "0 $LOST" "$(strays_of_81)"
	check "a restart: the port is not armed" is_armed 0 81
	stop "$LOST_PID"
	stop_synwarden
}

# The same without a restart: that would be told from it.
test_lost() {
	begin --stray-budget 10
	begin_lost
	told "$TMP/serve" "$TMP/serve.out" lose >/dev/null
	check_equal "connections lost a moment ago: each client gets its RST" $LOST "$(told "$TMP/clients" "$TMP/clients.out" x)"
	check_equal "connections lost a moment ago: none is dropped" "0 $LOST" "$(strays_of_81)"
	check "connections lost a moment ago: the port is not armed" is_armed 0 81
	stop "$LOST_PID"
	begin_lost
	told "$TMP/serve" "$TMP/serve.out" lose >/dev/null
	sleep 31 # until a restart would be forgotten as well
	told "$TMP/clients" "$TMP/clients.out" x >/dev/null
	check "connections lost long ago: the port is armed" is_armed 1 81
	stop "$LOST_PID"
	stop_synwarden
}

# What was under way to a client that aborts a download meets a RST each: more than the budget, and no flood.
test_aborted() {
	head -c 60000000 /dev/urandom >"$TMP/nginx/www/large"
	begin --stray-budget 10
	in_client python3 "$ROOT/tests/tools/lost.py" abort $SERVER_ADDR 80 200 /large
	scrape
	check "aborted downloads: the port is not armed" is_armed 0
	check_equal "aborted downloads: nothing is dropped" 0 "$(sum_of strays_dropped_total)"
	stop_synwarden
}

# closed_is_armed 0|1
closed_is_armed() {
	is_armed "$1" other
}

# test_closed KIND REASON PORTS FIRST: to so many closed ports; FIRST: of the clients
test_closed() {
	local kind=$1 ports=$3 name="$1 to $3 closed ports"
	check "$name: they are not armed before" wait_for closed_is_armed 0
	check_equal "$name: none is dropped before" 0 "$(packets "$2")"
	start_strays "$kind" -p 2000 -n "$ports"
	check "$name: they are armed" wait_for closed_is_armed 1
	check_between "$name: RSTs a second, once each port was refused" $((BUDGET / 2)) $((BUDGET * 6 / 5)) "$(least_resets)"
	check_equal "$name: clients that were never seen are served" 5 "$(served "$4" $(($4 + 4)))"
	check_equal "$name: connections that are held are answered" $HELD "$(held_answer)"
	check "$name: what is over the budget is dropped" wait_for drops_more_than "$2" "$RATE"
	stop_strays
	check_sums "$name: the sum over all reasons is what the interface saw" s0
	scrape
	check_equal "$name: by port and kind, too" "$(packets "$2")" "$(sum_of strays_dropped_total)"
	check "$name: it is said" grep -q 'closed ports are armed' "$TMP/run.err"
}

# The fewest RSTs in one of four seconds: a port that was not refused before, or ten seconds ago, is once more
least_resets() {
	for _ in {1..4}; do
		resets_in 1
	done | sort -n | head -n 1
}

test_closed_ports() {
	local kind
	for kind in "$@"; do
		mark_rx s0
		begin --stray-budget $BUDGET
		case $kind in
		syn) test_closed syn closed_port 3000 200 ;;
		*) test_closed "$kind" "stray_$kind" 3000 210 ;;
		esac
		stop_synwarden
	done
}

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

# Behind the server: its port 2080 is translated to port 80 of the backend
start_backend() {
	ip netns add "$BACKEND" || die "cannot make a network namespace"
	set_sysctls in_backend
	in_server ip link add s9 type veth peer name b0 netns "$BACKEND"
	in_server ip addr add 10.97.0.1/24 dev s9
	in_server ip link set s9 up
	in_backend ip addr add $BACKEND_ADDR/24 dev b0
	in_backend ip link set b0 up
	in_backend ip route add default via 10.97.0.1
	in_server sysctl -qw net.ipv4.ip_forward=1
	in_server nft add table ip publish
	in_server nft add chain ip publish to "{ type nat hook prerouting priority -100; }"
	in_server nft add rule ip publish to ip daddr $SERVER_ADDR tcp dport 2080 dnat to $BACKEND_ADDR:80
	start nsenter --net="/run/netns/$BACKEND" python3 -m http.server 80 -d "$TMP/nginx/www" >/dev/null 2>&1
	start_in_client python3 -m http.server 80 -d "$TMP/nginx/www" >/dev/null 2>&1
	wait_for in_client curl -s -o /dev/null "http://$SERVER_ADDR:2080/"
}

# The backend's connections leave by the server's address, from ports that the flood goes to as well.
masquerade() {
	in_server nft add chain ip publish from "{ type nat hook postrouting priority 100; }"
	in_server nft add rule ip publish from ip saddr $BACKEND_ADDR oifname s0 masquerade
}

# served_behind FIRST LAST: clients of the translated port
served_behind() {
	local n
	for ((n = $1; n <= $2; n++)); do
		get $SERVER_ADDR:2080 "10.99.1.$n"
	done | grep -c '^200$'
}

# asked_from_behind FIRST: how many of 20 requests of the backend are answered by the client; from ports of their own, as
# those of former ones are in TIME_WAIT
asked_from_behind() {
	local n
	for ((n = 0; n < 20; n++)); do
		in_backend curl -s -o /dev/null -w '%{http_code}\n' --local-port $((2000 + $1 + n)) --max-time 30 http://10.99.0.2/
	done | grep -c '^200$'
}

# drops_in_all COUNT: more than that
drops_in_all() {
	scrape
	[ "$(sum_of strays_dropped_total)" -gt "$1" ]
}

# test_forwarded KIND FIRST: the flood is to the ports that others use through this host, too
test_forwarded() {
	local RATE=50000 # what the veth's ring loses is no verdict
	begin --stray-budget $BUDGET
	start_strays "$1" -p 2000 -n 200
	check "$1 beside what is forwarded: closed ports are armed" wait_for closed_is_armed 1
	sleep 1 # the rules are read anew each second
	check_equal "$1 beside what is forwarded: clients of a translated port" 20 "$(served_behind "$2" $(($2 + 19)))"
	check "$1 beside a translated port: others are dropped" wait_for drops_in_all 10000
	stop_strays
	stop_synwarden
	masquerade
	begin --stray-budget $BUDGET
	start_strays "$1" -p 2000 -n 200
	check "$1 beside masquerading: closed ports are armed" wait_for closed_is_armed 1
	check_equal "$1 beside masquerading: clients of a translated port" 20 "$(served_behind "$2" $(($2 + 19)))"
	check_equal "$1 beside masquerading: connections from behind" 20 "$(asked_from_behind "$2")"
	scrape
	check_equal "$1 beside masquerading: nothing is dropped" 0 "$(sum_of strays_dropped_total)"
	stop_strays
	stop_synwarden
	in_server nft delete chain ip publish from
}

# reported: whether this kernel reports RSTs without a socket (from 6.10 on)
reported() {
	[ "$(printf '%s\n6.10\n' "$(uname -r)" | sort -V | head -n 1)" = 6.10 ]
}

net_up
silence 0
start_nginx
hold
# shellcheck disable=SC2046 # several words
test_floods $(long_or "ack data fin rst synack" "ack rst")
test_release
end_download "floods of strays"
stop_synwarden
test_start
test_charged_once
if reported; then
	# shellcheck disable=SC2046
	test_closed_ports $(long_or "syn synack" syn)
	start_backend
	test_forwarded syn 100
	[ -z "${LONG:-}" ] || test_forwarded synack 130
fi
test_aborted
test_restart
[ -z "${LONG:-}" ] || test_lost
finish
