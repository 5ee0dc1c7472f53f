#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What goes wrong around `run`, and what must come of it: stopped for a while, tables full, bpffs or BTF missing, no room
# for its output, a web server that restarts under a flood, a CPU that goes and comes. What the filter does goes on, what
# is lost is counted, and nothing stays behind. tests/faults.sh knows which faults are where else.
#
#	FAULT_CYCLES=N		attach and detach so often under traffic
#	FAULT_HOTPLUG=1		take the machine's CPU 1 away for a second
set -u
HERE=$(dirname "$(readlink -f "$0")")
# shellcheck source=tests/lib.sh
. "$HERE/lib.sh"
# shellcheck source=tests/counters.sh
. "$HERE/counters.sh"

CYCLES=${FAULT_CYCLES:-5}
CPU=/sys/devices/system/cpu/cpu1/online

# Instead of lib.sh's: a CPU that a test took away comes back.
leave() {
	local status=$?
	[ "${FAULT_HOTPLUG:-0}" != 1 ] || echo 1 >"$CPU"
	(exit "$status")
	cleanup
}
trap leave EXIT

# start_flood RATE [FLOOD OPTION...]: until stop_flood
start_flood() {
	start_in_client "$FLOOD" -x -q -r "$1" -c 1000000000 -t 60 "${@:2}" c0 "$(mac in_server s0)" "$SERVER_ADDR"
	FLOODER=$!
}

stop_flood() {
	stop "$FLOODER"
}

# What is there is removed, and then nothing is.
expect_clean() {
	sw detach >"$TMP/detach" 2>&1 || sed 's/^/# /' "$TMP/detach"
	[ ! -e "$(pin_dir)" ] && ! has_program s0
}

# The kernel side needs nobody: arming, challenges and counters go on.
test_stopped() {
	local before
	start_synwarden --protect 80
	kill -STOP "$SW"
	mark_rx s0
	start_flood 20000 -s 0
	sleep 2
	check_equal "while run is stopped: a client that is challenged gets in" 200 \
		"$(in_client curl -s -o /dev/null -w '%{http_code}' --max-time 5 --interface 10.99.1.9 http://10.99.0.1/)"
	stop_flood
	kill -CONT "$SW"
	before=$(date +%s%N)
	wait_for 5 filtering 127.0.0.1:9798
	check_between "run goes on at once (ms)" 0 2000 $((($(date +%s%N) - before) / 1000000))
	check_sums "and has counted all that came meanwhile" s0
	check "most was challenged ($(packets challenged))" test "$(packets challenged)" -gt 20000
	stop_synwarden
}

# 1,100 listening ports, beside those of nginx and the endpoint; and 4,200 served addresses, of which there may be 4,096.
LISTENERS='
import resource, signal, socket, sys
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

test_full_tables() {
	in_server ip route add local 10.96.0.0/16 dev lo
	in_client ip route add 10.96.0.0/16 via 10.99.0.1
	start_synwarden --quiet --port-budget 10 --challenge off
	start_in_server python3 -c "$LISTENERS" >"$TMP/listeners"
	wait_for 10 grep -q ready "$TMP/listeners"
	in_client python3 -c "$CONNECTS"
	scrape
	check_equal "ports beyond 1,023 are counted as a failure, once each" $((1100 + 2 - 1023)) \
		"$(value 'bookkeeping_failures_total{table="ports"}')"
	check_equal "served addresses beyond 4,096 too" 104 "$(value 'bookkeeping_failures_total{table="served"}')"
	check_equal "a port without a slot is served all the same" 0 \
		"$(in_client bash -c ': >/dev/tcp/10.99.0.1/21099' 2>/dev/null && echo 0)"
	stop_synwarden
	in_client ip route del 10.96.0.0/16
}

# without COMMAND RUN_OPTION...: what `run` says where a mount namespace of its own has been changed by COMMAND. A PID
# namespace hides those that see the machine's.
without() {
	# shellcheck disable=SC2016
	in_server timeout 10 unshare -mpf --mount-proc bash -c 'eval "$1" && exec "$0" "${@:2}"' "$SYNWARDEN" "$1" run "${@:2}" \
		>"$TMP/without.out" 2>"$TMP/without.err"
	cat "$TMP/without.err"
}

test_missing() {
	check_equal "no BTF: it is said" "synwarden: cannot load the BPF programs: this kernel has no BTF \
(/sys/kernel/btf/vmlinux); boot one built with CONFIG_DEBUG_INFO_BTF=y" \
		"$(without 'mount -t tmpfs none /sys/kernel/btf' s0)"
	check_equal "bpffs read-only: it is said" "synwarden: cannot open $(pin_dir): Read-only file system" \
		"$(without 'mount -t bpf none /sys/fs/bpf && mount -o remount,ro /sys/fs/bpf' s0)"
	check_equal "no bpffs: it is mounted" "synwarden: mounted bpffs at /sys/fs/bpf
synwarden: s0: filtering in native mode" \
		"$(without 'mount -t sysfs none /sys' --duration 1 --listen off s0)"
	check "nothing is left of those" expect_clean
}

test_output() {
	start_in_server bash -c "exec '$SYNWARDEN' run s0 >/dev/full" 2>"$TMP/run.err"
	SW=$!
	wait_for 5 filtering 127.0.0.1:9798
	start_flood 1000
	sleep 1.5
	check_equal "no room for the live lines: it filters on" ok "$(in_server curl -s http://127.0.0.1:9798/healthz)"
	stop_flood
	stop_synwarden
	start_in_server bash -c "exec '$SYNWARDEN' run s0 >&-" 2>"$TMP/run.err"
	SW=$!
	wait_for 5 filtering 127.0.0.1:9798
	check_equal "stdout closed: it filters" ok "$(in_server curl -s http://127.0.0.1:9798/healthz)"
	stop_synwarden
	check "nothing is left of those either" expect_clean
}

served_now() {
	[ "$(in_client curl -s -o /dev/null -w '%{http_code}' --max-time 3 --interface "$1" http://10.99.0.1/)" = 200 ]
}

# Its sockets go and come: the port keeps its budget, its slot and its counters.
test_restart() {
	local syns
	start_synwarden
	get 10.99.0.1 10.99.1.20 >/dev/null
	start_flood 20000 -s 0
	sleep 1
	check "under a flood a client is served" served_now 10.99.1.21
	stop "$NGINX"
	scrape
	syns=$(value 'syns_total{port="80"}')
	start_nginx
	check "the web server restarts: a client is served" wait_for 10 served_now 10.99.1.22
	kill -HUP "$NGINX"
	check "and takes its configuration anew: a client is served" served_now 10.99.1.23
	stop_flood
	scrape
	check "its port counts on" test "$(value 'syns_total{port="80"}')" -gt "$syns"
	check "the flood was challenged all along ($(packets challenged))" test "$(packets challenged)" -gt 10000
	stop_synwarden
}

# What a CPU had counted stays counted.
test_hotplug() {
	[ "${FAULT_HOTPLUG:-0}" = 1 ] || return
	start_synwarden --source-limit 100 --port-budget 0
	mark_rx s0
	start_flood 10000 -s 1
	sleep 1
	echo 0 >"$CPU"
	sleep 1
	echo 1 >"$CPU"
	sleep 1
	stop_flood
	check_sums "a CPU goes and comes: the sum over all reasons is what the interface saw" s0
	check_between "and the source is held to its limit" 300 1200 "$(packets syn)"
	stop_synwarden
}

test_cycles() {
	local curl i objects
	head -c 40000000 /dev/urandom >"$TMP/nginx/www/large"
	start_in_client curl -s --max-time 300 --limit-rate 1M -o "$TMP/large" http://10.99.0.1/large
	curl=$!
	wait_for 5 test -s "$TMP/large"
	for ((i = 0; i < CYCLES; i++)); do
		start_synwarden --quiet
		objects+=$'\n'$(objects_of "$SW")
		stop_synwarden
	done
	check "$CYCLES times attached and detached: the download goes on" kill -0 $curl
	check_gone "attached and detached" "$(sort -u <<<"$objects" | sed '/^$/d')" s0
	stop $curl
	check "what came is what was sent" cmp -n "$(stat -c %s "$TMP/large")" "$TMP/large" "$TMP/nginx/www/large"
}

net_up
silence 0
start_nginx
test_stopped
test_missing
test_output
test_restart
test_hotplug
test_cycles
test_full_tables
finish
