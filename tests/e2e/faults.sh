#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What goes wrong around `run`, and what must come of it: stopped for a while, a second one, bpffs or BTF missing, no room
# for its output, a web server that restarts under a flood, attached and detached again and again. What the filter does
# goes on, what is lost is counted, and nothing stays behind. tests/faults.sh lists the faults that other tests cover.
# LONG=1: it is stopped for a minute, and attached and detached a hundred times.
#
# test: slow long asan-slow no-kernels
# fault: Its table of files is full | it goes on, and ends cleanly | no file can,no file could
# fault: Two runs that begin at once | one of them filters | two runs at once
# fault: Its user side is stopped under load | the filter goes on, losses are counted, all recovers | stopped
# fault: bpffs is missing | it is mounted | no bpffs: it is mounted
# fault: bpffs is read-only | an error | bpffs read-only
# fault: No BTF | an error that names it | no BTF
# fault: The disk is full | `run` filters on; `states` and `conns` end with an error | disk full
# fault: stdout is closed | it filters on | stdout closed
# fault: nginx restarts, or takes another configuration, under a flood | clients are served, the port counts on | nginx
# fault: Attached and detached again and again under traffic | no connection is dropped; no program, map, pin or byte is left | attached and detached
set -u
ROOT=$(readlink -f "$(dirname "$0")/../..")
# shellcheck source=tests/lib/network.sh
. "$ROOT/tests/lib/network.sh"
# shellcheck source=tests/lib/counters.sh
. "$ROOT/tests/lib/counters.sh"
# shellcheck source=tests/lib/cgroup.sh
. "$ROOT/tests/lib/cgroup.sh"

STOPPED=$(long_or 60 2) # seconds
CYCLES=$(long_or 100 5)
CHARGED_KIB=64 # of the kernel's memory may stay charged to an empty control group: it is freed in batches
# keep.py FILE: twenty connections, each with a request every moment until there is FILE; then how many they were. A
# connection that fails is not opened again: it is the end.
KEEP='
import os, socket, sys, time
def ask(held):
	held.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
	answer = b""
	while not answer.endswith(b"It works.\n"):
		part = held.recv(4096)
		if not part:
			sys.exit("closed")
		answer += part
all = [socket.create_connection((to, 80), timeout=10) for to in ["10.99.0.1", "fd99::1"] * 10]
asked = 0
while not os.path.exists(sys.argv[1]):
	for held in all:
		ask(held)
		asked += 1
	print(asked, flush=True)
	time.sleep(0.05)
'

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

# served_now SOURCE: within three seconds
served_now() {
	[ "$(get 10.99.0.1 "$1" --max-time 3)" = 200 ]
}

# A reader of its stream, and a tracker that is not stopped.
follow_both() {
	start "$SYNWARDEN" states --json --netns "$SERVER" >"$TMP/prompt" 2>"$TMP/prompt.err"
	PROMPT=$!
	wait_for grep -q following "$TMP/prompt.err" || die "no tracker: $(cat "$TMP/prompt.err")"
	start_in_server curl -sN http://127.0.0.1:9798/events >"$TMP/events"
	FOLLOWER=$!
	wait_for grep -q '^: follows$' "$TMP/events" || die "nothing comes from /events: $(cat "$TMP/run.err")"
	mark "$TMP/events" 1
}

port_80() {
	sw status --json | jq ".ports[] | select(.port == 80) | $1"
}

# The evidence is of now again: of 5,000 sources, all are counted.
evidence_is_back() {
	port_80 '"\(.under_attack) \(.distinct_sources >= 4850 and .distinct_sources <= 5150)"' | grep -qx '"true true"'
}

syncookies_are() {
	[ "$(in_server sysctl -n net.ipv4.tcp_syncookies)" = "$1" ]
}

# The kernel side needs no `run`: arming, challenges and counters go on.
test_stopped() {
	local lost
	start_synwarden --protect 80
	sw block 10.99.1.2 >/dev/null
	sw block 10.99.1.3 --for 1s >/dev/null
	follow_both
	mark_rx s0
	kill -STOP "$SW"
	start_flood 20000 -s 5000
	in_server wrk -t 1 -c 10 -d 1 -H 'Connection: close' http://127.0.0.1/ >"$TMP/wrk"
	sleep $((STOPPED - 1))
	check "stopped for $STOPPED s: a client that is challenged gets in" served_now 10.99.1.9
	check_equal "stopped: a blocked one does not" 000 "$(get 10.99.0.1 10.99.1.2)"
	check "stopped: one that was blocked for a second does" served_now 10.99.1.3
	stop_flood
	start_flood 20000 -s 5000
	kill -CONT "$SW"
	check "stopped, then goes on: it answers" wait_for filtering 127.0.0.1:9798
	check "stopped, then goes on: tcp_syncookies is raised" wait_for syncookies_are 2
	check "stopped, then goes on: the attack and its sources are reported" wait_for evidence_is_back
	mark "$TMP/events" 2
	marked "$TMP/prompt" 2 || wait_for marked "$TMP/prompt" 2
	stop $PROMPT
	stop $FOLLOWER
	lost=$(sed -n 's/^data: {"lost":\([0-9]*\),"stage":"ring"}$/\1/p' "$TMP/events" | jq -s 'add // 0')
	check "stopped, then goes on: what its stream lost is counted ($lost)" test "$lost" -gt 1000
	check_equal "stopped, then goes on: what its stream told and lost is what happened" "$(between_marks "$TMP/prompt")" \
		"$(between_marks "$TMP/events")"
	stop_flood
	check_sums "stopped, then goes on: the sum over all reasons is what the interface saw" s0
	check "stopped, then goes on: it has counted the challenges ($(packets challenged))" \
		test "$(packets challenged)" -gt $((STOPPED * 10000))
	stop_synwarden
}

# Its table of files is full for a moment, and it is stopped in the next one.
test_files() {
	start_synwarden
	prlimit --pid "$SW" --nofile=4:4096
	check "no file can be opened: it is said" wait_for grep -q "cannot count the sockets: Too many open files" \
		"$TMP/run.err"
	prlimit --pid "$SW" --nofile=4096:4096
	stop_synwarden
	check_equal "no file could be opened, then SIGTERM: exit status" 0 $?
	check "no file could be opened, then SIGTERM: nothing is left" test ! -e "$(pin_dir)"
	check "no file could be opened, then SIGTERM: the summary comes" grep -q "^STATE" "$TMP/run.out"
}

# Both begin in the same moment.
test_two_at_once() {
	local one other
	start_in_server "$SYNWARDEN" run s0 >"$TMP/run.out" 2>"$TMP/run.err"
	one=$!
	start_in_server "$SYNWARDEN" run s0 >"$TMP/other.out" 2>"$TMP/other.err"
	other=$!
	wait_for filtering 127.0.0.1:9798
	wait_for either_gone $one $other
	check "two runs at once: one filters" served_now 10.99.1.1
	gone $one || SW=$one
	gone $other || SW=$other
	check_equal "two runs at once: the other one is refused" 1 "$(cat "$TMP/run.err" "$TMP/other.err" |
		grep -cxE "synwarden: (another synwarden is starting in this network namespace; see it with: pgrep -a synwarden|\
synwarden is already running in this network namespace \(pid $SW\); stop it first: kill $SW)")"
	wait $((one + other - SW))
	check_equal "two runs at once: its exit status" 1 $?
	stop_synwarden
	check_equal "two runs at once: the one ends well" 0 $?
	check "two runs at once: nothing is left" expect_clean
}

either_gone() {
	gone "$1" || gone "$2"
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
synwarden: s0: filtering in generic mode" \
		"$(without 'mount -t sysfs none /sys' --duration 1 --listen off s0)"
	check "no BTF, no bpffs: nothing is left" expect_clean
}

# sampled COUNT: so many seconds have been judged, and so many live lines written
sampled() {
	[ "$(in_server curl -s http://127.0.0.1:9798/api/history | jq length)" -ge "$1" ]
}

# Live lines and summary have no room; then no file at all.
test_output() {
	start_in_server "$SYNWARDEN" run s0 >/dev/full 2>"$TMP/run.err"
	SW=$!
	wait_for filtering 127.0.0.1:9798
	start_flood 500
	wait_for sampled 2
	check "disk full: run filters on" served_now 10.99.1.1
	stop_flood
	stop_synwarden
	start_in_server "$SYNWARDEN" run s0 >&- 2>"$TMP/run.err"
	SW=$!
	wait_for filtering 127.0.0.1:9798
	start_flood 500
	wait_for sampled 2
	check "stdout closed: it filters" served_now 10.99.1.1
	stop_flood
	check_equal "stdout closed: nothing else got its number" /dev/null "$(readlink "/proc/$SW/fd/1")"
	stop_synwarden
	check_equal "stdout closed: it ends well" "0 synwarden: s0: filtering in generic mode" "$? $(cat "$TMP/run.err")"
	check "disk full, stdout closed: nothing is left" expect_clean
}

port_is_armed() {
	scrape
	[ "$(value 'armed{port="80"}')" = 1 ]
}

has_challenged() {
	scrape
	[ "$(packets challenged)" -gt "$1" ]
}

# Its sockets go and come: the port keeps its budget, its slot and its counters.
test_restart() {
	local syns
	start_synwarden
	get 10.99.0.1 10.99.1.20 >/dev/null
	start_flood 20000 -s 0
	wait_for port_is_armed
	check "nginx under a flood: a client is served" served_now 10.99.1.21
	stop "$NGINX"
	scrape
	syns=$(value 'syns_total{port="80"}')
	start_nginx "$KEEP_ALIVE"
	check "nginx restarts under a flood: a client is served" wait_for served_now 10.99.1.22
	kill -HUP "$NGINX"
	check "nginx takes its configuration anew under a flood: a client is served" served_now 10.99.1.23
	wait_for has_challenged 10000
	stop_flood
	scrape
	check "nginx restarts under a flood: its port counts on" test "$(value 'syns_total{port="80"}')" -gt "$syns"
	check "nginx restarts under a flood: that was challenged all along ($(packets challenged))" \
		test "$(packets challenged)" -gt 10000
	stop_synwarden
}

# more_than NUMBER FILE: FILE's last line is
more_than() {
	[ "$(tail -n 1 "$2")" -gt "$1" ]
}

charged_less() {
	[ "$(charged_kib)" -le "$1" ]
}

# A download, twenty connections that never rest, and a flood that arms the port each time.
test_cycles() {
	local keep i objects asked answered=0
	start_download
	start_in_client python3 -c "$KEEP" "$TMP/enough" >"$TMP/asked"
	keep=$!
	wait_for test -s "$TMP/asked"
	for ((i = 0; i < CYCLES; i++)); do
		[ $((i % 40)) != 0 ] || { [ $i = 0 ] || stop_flood; start_flood 2000 -s 0; }
		start_in_cgroup "$SYNWARDEN" run --quiet --protect 80 s0 >"$TMP/run.out" 2>"$TMP/run.err"
		SW=$!
		wait_for filtering 127.0.0.1:9798
		objects+=$'\n'$(objects_of "$SW")
		asked=$(tail -n 1 "$TMP/asked")
		wait_for more_than $((asked + 20)) "$TMP/asked" && answered=$((answered + 1))
		stop_synwarden
	done
	stop_flood
	check_equal "attached and detached: each time all connections go on" "$CYCLES" $answered
	end_download "attached and detached $CYCLES times"
	check_gone "attached and detached" "$(sort -u <<<"$objects" | sed '/^$/d')" s0
	if [ -n "$CGROUP" ]; then
		wait_for charged_less $CHARGED_KIB
		check_between "attached and detached: the kernel's memory that is still charged, KiB" 0 $CHARGED_KIB "$(charged_kib)"
	fi
	touch "$TMP/enough"
	wait $keep
	check_equal "attached and detached $CYCLES times: no connection was dropped, of those that asked" 0 $?
}

KEEP_ALIVE="keepalive_requests 10000000; keepalive_timeout 900;"

net_up
make_cgroup
silence 0
start_nginx "$KEEP_ALIVE"
test_stopped
test_files
test_two_at_once
test_missing
test_output
test_restart
test_cycles
finish
