#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# How `run` begins and ends: however it ends, nothing stays that must go, and what must stay goes on; the next one takes over
# without a gap; connections do not notice.
#
# test: slow asan-slow
# fault: SIGKILL while it filters | the filter goes on; the next run takes over its lists and counters | after SIGKILL,take-over
set -u
ROOT=$(readlink -f "$(dirname "$0")/../..")
# shellcheck source=tests/lib/network.sh
. "$ROOT/tests/lib/network.sh"
# shellcheck source=tests/lib/counters.sh
. "$ROOT/tests/lib/counters.sh"

# kill_run: as a crash would
kill_run() {
	kill -KILL "$SW"
	wait "$SW" 2>/dev/null
}

# check_summary NAME: what `run` prints last
check_summary() {
	check_equal "$1: the summary is there" "VERDICT STATE lost:" \
		"$(awk '/^(VERDICT|STATE|lost:)/ { printf "%s%s", blank, $1; blank = " " }' "$TMP/run.out")"
}

test_signal() {
	local objects
	start_synwarden
	objects=$(objects_of "$SW")
	get 10.99.0.1 10.99.1.1 >/dev/null
	stop_synwarden "$1"
	check_equal "SIG$1: exit status" 0 $?
	check_summary "SIG$1"
	check_equal "SIG$1: messages" "synwarden: s0: filtering in native mode" "$(messages)"
	check_gone "SIG$1" "$objects" s0
}

test_duration() {
	local begun objects
	begun=$(date +%s%N)
	urgently start_synwarden --duration 2 --quiet
	objects=$(objects_of "$SW")
	get 10.99.0.1 10.99.1.1 >/dev/null
	wait "$SW"
	check_equal "--duration 2: exit status" 0 $?
	check "--duration 2: it took two seconds" test $((($(date +%s%N) - begun) / 1000000)) -ge 2000
	check_summary "--duration 2"
	check_equal "--quiet: no live lines" "" "$(grep "/s  passed" "$TMP/run.out")"
	check_gone "--duration 2" "$objects" s0
}

test_keep() {
	local objects
	start_synwarden --keep
	objects=$(objects_of "$SW")
	sw block 10.99.1.2 >/dev/null
	stop_synwarden
	check_equal "--keep: exit status" 0 $?
	check_equal "--keep: what it says" \
		"synwarden: the filter stays; synwarden run takes it over, synwarden detach removes it" \
		"$(tail -n1 "$TMP/run.err")"
	check_equal "--keep: the filter drops" 000 "$(get 10.99.0.1 10.99.1.2)"
	check_equal "--keep: and passes" 200 "$(get 10.99.0.1 10.99.1.3)"
	check_dead "--keep"
	start_synwarden --keep
	check_equal "--keep, then run: the filter is taken over" 000 "$(get 10.99.0.1 10.99.1.2)"
	check_equal "--keep, then run: what it says" "synwarden: taking over the filter that a former run left: its lists and \
counters go on" "$(head -n1 "$TMP/run.err")"
	objects+=$'\n'$(objects_of "$SW")
	stop_synwarden
	expect "--keep: detach" 0 "" "" sw detach
	check_gone "--keep, then detach" "$(sort -u <<<"$objects")" s0
	expect "detach where nothing is" 0 "" "synwarden: nothing to detach in this network namespace" sw detach
	check_equal "detach: the source is not blocked any more" 200 "$(get 10.99.0.1 10.99.1.2)"
}

# A link stays in its mode, whatever mode the next run asks for: that one makes another link.
test_other_mode() {
	start_synwarden --keep --xdp-mode generic
	sw block 10.99.1.2 >/dev/null
	stop_synwarden
	start_synwarden --keep --xdp-mode native
	check "--keep, then another --xdp-mode: it is in that one" interface_is s0 native
	check_equal "--keep, then another --xdp-mode: the lists go on" 000 "$(get 10.99.0.1 10.99.1.2)"
	stop_synwarden
	start_synwarden
	check "--keep, then no --xdp-mode: it is as it was" interface_is s0 native
	stop_synwarden
	check "--keep, then another --xdp-mode: nothing is left" fails has_program s0
}

# check_dead NAME: status knows that no run is there
check_dead() {
	check "$1: status says that no run is alive" grep -q "^no run is alive:" <<<"$(sw status)"
	check_equal "$1: status --json says so" "false null" \
		"$(sw status --json | jq -r '"\(.running) \(.pid)"')"
}

# A blocked source sends without a pause through the crash, the time without a run, the take-over and the next one.
test_takeover() {
	local objects former lists flood
	mark_rx s0
	start_synwarden
	objects=$(objects_of "$SW")
	former=$SW
	sw block 198.18.0.0/15 10.99.1.2 >/dev/null
	sw allow 10.99.1.3 >/dev/null
	get 10.99.0.1 10.99.1.3 >/dev/null
	start_in_client "$FLOOD" -r $((5000 / ${PATIENCE:-1})) -c 1000000 -t 60 c0 "$(mac in_server s0)" "$SERVER_ADDR" >"$TMP/flood"
	flood=$!
	wait_for blocked_some
	kill_run
	check_equal "after SIGKILL: the filter drops" 000 "$(get 10.99.0.1 10.99.1.2)"
	check_equal "after SIGKILL: and passes" 200 "$(get 10.99.0.1 10.99.1.3)"
	check_dead "after SIGKILL"
	lists=$(sw list)

	try sw run --dry-run --tls-cert /nowhere --tls-key /nowhere s0
	check_equal "a start that fails after that" "1 synwarden: --tls-cert: cannot use \"/nowhere\": No such file \
or directory" "$STATUS $ERR"
	check_equal "a start that fails: the filter drops" 000 "$(get 10.99.0.1 10.99.1.2)"
	check_dead "a start that fails"

	start_synwarden
	check_equal "take-over: what it says" \
		"synwarden: taking over the filter that run $former left: its lists and counters go on
synwarden: s0: filtering in native mode" "$(messages)"
	check_equal "take-over: the lists go on" "$lists" "$(sw list)"
	check_equal "take-over: status" "true $SW" "$(sw status --json | jq -r '"\(.running) \(.pid)"')"
	check_equal "take-over: the filter drops" 000 "$(get 10.99.0.1 10.99.1.2)"
	check_equal "take-over: and passes" 200 "$(get 10.99.0.1 10.99.1.3)"
	stop "$flood"
	check_sums "take-over: the sum over all reasons is what the interface saw in all that time" s0
	check_equal "take-over: nothing of the blocked source was passed" 0 "$(packets syn)"
	check "take-over: all of it is counted" test "$(packets blocked)" -ge "$(jq .sent "$TMP/flood")"
	check_ports
	objects+=$'\n'$(objects_of "$SW")
	stop_synwarden
	check_equal "take-over, then SIGTERM: exit status" 0 $?
	check_gone "take-over, then SIGTERM" "$(sort -u <<<"$objects")" s0
}

blocked_some() {
	scrape
	[ "$(packets blocked)" -gt 1000 ]
}

# A port that begins to listen after a take-over does not share another one's counters.
check_ports() {
	local before
	scrape
	before=$(value 'syns_total{port="80"}')
	start_in_server python3 -c 'import socket, time; s = socket.create_server(("", 8080)); time.sleep(60)'
	wait_for listens 8080
	flood -p 8080 -c 50 -q
	wait_for packets_agree s0
	check_equal "take-over: SYNs to a port that listens only now" 50 "$(value 'syns_total{port="8080"}')"
	check_equal "take-over: SYNs to the port that listened before" "$before" "$(value 'syns_total{port="80"}')"
}

# resets_sent: by the kernel's own counter
# shellcheck disable=SC2016 # awk's
resets_sent() {
	in_server awk '/^Tcp:/ && n { print $n } /^Tcp:/ { for (i = 1; i <= NF; i++) if ($i == "OutRsts") n = i }' /proc/net/snmp
}

sent_resets() {
	[ "$(resets_sent)" -ge "$1" ]
}

# uncounted_resets: what the kernel has sent, less what is counted; it falls where some are counted twice, and rises where the
# kernel runs no program (docs/limits.md)
uncounted_resets() {
	scrape
	echo $(($(resets_sent) - $(value 'resets_total{direction="sent"}')))
}

# What a stopped flood has sent is answered.
no_more_resets() {
	local last=$RESETS
	RESETS=$(resets_sent)
	[ "$last" = "$RESETS" ]
}

# Each SYN to a port without a listener has a reset sent, which the programs of both runs see as long as both are there:
# ten a millisecond. On each CPU one may be under way between the two when the new run begins to count.
test_counted_once() {
	local before twice flood i
	start_synwarden --quiet
	before=$(uncounted_resets)
	start_in_client "$FLOOD" -q -p 4444 -s 0 -r 10000 -c 1000000 -t 60 c0 "$(mac in_server s0)" "$SERVER_ADDR"
	flood=$!
	for ((i = 0; i < 4; i++)); do
		wait_for sent_resets $(($(resets_sent) + 1000))
		kill_run
		start_synwarden --quiet
	done
	stop "$flood"
	RESETS=
	wait_for no_more_resets
	twice=$((before - $(uncounted_resets)))
	check "four take-overs: of thousands of resets, $twice are counted twice" test $twice -le $((4 * $(nproc)))
	stop_synwarden
}

test_detach() {
	local objects
	start_synwarden
	objects=$(objects_of "$SW")
	expect "detach while run is alive" 1 "" \
		"synwarden: synwarden is already running in this network namespace (pid $SW); stop it first: kill $SW" sw detach
	kill_run
	expect "SIGKILL, then detach" 0 "" "" sw detach
	check_gone "SIGKILL, then detach" "$objects" s0
}

# What a later version left may be larger than all that this one knows of.
test_later_version() {
	local meta=$TMP/later
	start_synwarden
	kill_run
	later_meta >"$meta"
	rm "$(pin_dir)/meta"
	bpftool map create "$(pin_dir)/meta" type array key 4 value $(($(wc -w <"$meta") + 8192)) entries 1 name meta
	{ cat "$meta" && yes 0x41 | head -n 8192; } | xargs bpftool map update pinned "$(pin_dir)/meta" key 0 0 0 0 value
	expect "status of a later version's filter" 1 "" "synwarden: the filter in place was started by synwarden \
$("$SYNWARDEN" version | cut -d' ' -f2), whose maps this version ($("$SYNWARDEN" version | cut -d' ' -f2)) cannot read; \
stop it, or remove it: synwarden detach" sw status
	expect "detach of a later version's filter" 0 "" "" sw detach
	check "detach of a later version's filter: it is gone" fails has_program s0
	check "detach of a later version's filter: so are the pins" test ! -e "$(pin_dir)"
}

test_detach_one() {
	local objects
	start_synwarden s0 s1
	objects=$(objects_of "$SW")
	kill_run
	expect "detach of another interface" 1 "" \
		'synwarden: detach: "lo" has no filter of synwarden; see: synwarden status' sw detach s0 lo
	check "detach of another interface: nothing went" has_program s0
	expect "detach s0" 0 "" "" sw detach s0
	check "detach s0: it is gone" fails has_program s0
	check "detach s0: s1 stays" has_program s1
	expect "detach s1" 0 "" "" sw detach s1
	check_gone "detach of both, one by one" "$objects" s0 s1
}

# children_told, children_of_kernel: children of listeners in the server's namespace, by `run` and by TcpPassiveOpens
children_told() {
	sw status --json | jq '.transitions[] | select(.from == "LISTEN" and .to == "SYN_RECV") | .count'
}

children_of_kernel() {
	in_server nstat -asz TcpPassiveOpens | awk '/^Tcp/ { print $2 }'
}

# The programs of two runs are attached for some milliseconds. As with the resets, one event on each CPU may be counted by both.
test_takeover_counts() {
	local before load lost i
	before=$(children_of_kernel)
	start_synwarden --listen off
	start_in_client wrk -t1 -c4 -d60 -H "Connection: close" "http://$SERVER_ADDR/" >/dev/null
	load=$!
	for ((i = 0; i < 4; i++)); do
		kill_run
		start_synwarden --listen off
	done
	stop "$load"
	lost=$(sw status --json | jq .lost.reentry)
	check_between "take-overs under load: of some thousand connections, each is counted ($lost lost)" \
		$(($(children_of_kernel) - before - lost)) $(($(children_of_kernel) - before + 4 * $(nproc))) "$(children_told)"
	stop_synwarden
}

# The next run names other interfaces than the former one.
test_other_interfaces() {
	local objects
	start_synwarden s0
	objects=$(objects_of "$SW")
	kill_run
	start_synwarden s0 s1
	check "take-over with one interface more: it is filtered" has_program s1
	objects+=$'\n'$(objects_of "$SW")
	kill_run
	start_synwarden s1
	check "take-over with one interface less: its filter is gone" fails has_program s0
	check "take-over with one interface less: the other's is not" has_program s1
	objects+=$'\n'$(objects_of "$SW")
	in_server ip link del s1
	wait_for interface_is s1 gone
	check_equal "an interface goes: run goes on" ok "$(in_server curl -s http://127.0.0.1:9798/healthz)"
	stop_synwarden
	check_equal "an interface goes, then SIGTERM: exit status" 0 $?
	check_gone "an interface goes, then SIGTERM" "$(sort -u <<<"$objects")" s0
}

# interface_is NAME MODE: as status has it
interface_is() {
	[ "$(sw status --json | jq -r --arg name "$1" '.interfaces[] | select(.name == $name).xdp_mode')" = "$2" ]
}

download_goes_on() {
	wait_for has_grown "$(stat -c %s "$TMP/download")"
}

# A download goes on through start, crash, take-over and stop.
test_established() {
	start_download
	start_synwarden
	download_goes_on
	kill_run
	download_goes_on
	start_synwarden
	download_goes_on
	stop_synwarden
	end_download "start, crash, take-over and stop"
}

# `ip netns exec` lays a fresh /sys over the one with the pins.
test_ip_netns_exec() {
	local objects
	start ip netns exec "$SERVER" "$SYNWARDEN" run s0 >"$TMP/run.out" 2>"$TMP/run.err"
	SW=$!
	wait_for filtering 127.0.0.1:9798
	objects=$(objects_of "$SW")
	check_equal "ip netns exec: status from outside" "$SW" "$(sw status --json | jq .pid)"
	sw block 10.99.1.2 >/dev/null
	check_equal "ip netns exec: list from inside" "block 10.99.1.2" \
		"$(ip netns exec "$SERVER" "$SYNWARDEN" list | awk '{ print $1, $2 }')"
	stop_synwarden
	check_equal "ip netns exec: exit status" 0 $?
	check_gone "ip netns exec" "$objects" s0
}

net_up
silence 0
start_nginx
test_signal TERM
test_signal INT
test_duration
test_keep
test_other_mode
test_takeover
test_counted_once
test_detach
test_later_version
test_established
test_ip_netns_exec
second_link
test_detach_one
test_takeover_counts
test_other_interfaces
finish
