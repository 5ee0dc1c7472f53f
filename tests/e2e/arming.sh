#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Arming and release: at once, and after ten seconds under half the budget; the sysctls that are raised with it, and
# that they are put back: by release, by the end of run, by the next run after a SIGKILL, by detach. Downloads
# do not notice any of it. tests/e2e/dry_run.sh has dry runs.
#
# test: slow asan-slow no-kernels
# fault: SIGKILL while a port is armed | the next run, or `detach`, restores the kernel's settings | .*SIGKILL
set -u
ROOT=$(readlink -f "$(dirname "$0")/../..")
# shellcheck source=tests/lib/network.sh
. "$ROOT/tests/lib/network.sh"
# shellcheck source=tests/lib/counters.sh
. "$ROOT/tests/lib/counters.sh"
# shellcheck source=tests/lib/sysctls.sh
. "$ROOT/tests/lib/sysctls.sh"

# start_flood RATE [FLOOD OPTION...]: from random sources until stop_flood
start_flood() {
	start_in_client "$FLOOD" -x -q -s 0 -r "$1" -c 1000000000 -t 60 "${@:2}" c0 "$(mac in_server s0)" "$SERVER_ADDR"
	FLOODER=$!
}

stop_flood() {
	stop "$FLOODER"
}

# check_within NAME MS COMMAND...: until COMMAND succeeds; the name shows the time
check_within() {
	local name=$1 limit=$2 began ms
	began=$(date +%s%N)
	shift 2
	wait_for "$@"
	ms=$((($(date +%s%N) - began) / 1000000))
	check "$name ($ms ms)" test "$ms" -le "$limit"
}

evidence_is() {
	[ "$(sw status --json | jq -c '.ports[] | select(.port == 80) |
		[.syn_rate, .completed_permille, .distinct_sources, .challenges_unanswered]')" = "$1" ]
}

# The port stays armed over half its budget, and ten seconds longer.
test_release() {
	start_synwarden --protect 80
	start_flood 20000
	check_within "tcp_syncookies is 2 at once" 500 sysctls_are "2 512 5 1"
	check "the port is armed" armed
	stop_flood
	start_flood 700
	judge_on 12
	check "the port is armed while it has over half its budget" armed
	check_equal "so are the sysctls" "2 512 5 1" "$(sysctls)"
	stop_flood
	start_flood 300
	judge_on 8
	check "and for ten seconds after" armed
	check_within "then all is put back" 4000 sysctls_are "$BEFORE"
	check "the port is released" fails armed
	check "and its evidence is 0" wait_for evidence_is "[0,0,0,0]"
	stop_flood
	check "the live line showed the armed port" grep -qE 'SYN .*  armed 80$' "$TMP/run.out"
	check_equal "the log" "port 80 is armed: its SYNs are over the budget
port 80 is released: ten seconds under half the budget" "$(sed -n 's/^synwarden: \(warning: \)\?//; /armed\|released/p' "$TMP/run.err")"
	stop_synwarden
	check_equal "after the end" "$BEFORE" "$(sysctls)"
}

# Released again, the timestamps stay for a minute: cookies that are under way depend on them.
test_harden() {
	start_synwarden --protect 80 --harden
	check_equal "--harden: nothing is changed before it is needed" "$BEFORE" "$(sysctls)"
	start_flood 20000
	check_within "--harden: all are raised at once" 500 sysctls_are "$HARDENED"
	stop_flood
	in_server sysctl -qw net.ipv4.tcp_synack_retries=7
	check_within "--harden: release puts all back but what another process set, and timestamps" 13000 \
		sysctls_are "1 512 7 2"
	check "--harden: the log says what was left alone" grep -q "tcp_synack_retries is 7, which synwarden did not set" \
		"$TMP/run.err"
	stop_synwarden
	check_equal "--harden: after the end" "1 512 7 1" "$(sysctls)"
	set_before
}

armed_and_killed() {
	start_synwarden --protect 80 --harden
	start_flood 20000
	wait_for sysctls_are "$HARDENED"
	stop_synwarden KILL
	check_equal "$1: the sysctls stay as they were" "$HARDENED" "$(sysctls)"
}

test_kill() {
	armed_and_killed "SIGKILL while armed"
	check_equal "SIGKILL while armed: clients are served by the filter that stays" 200 \
		"$(get $SERVER_ADDR 10.99.1.7 --max-time 5)"
	start_synwarden --protect 80
	check_within "the next run: what it needs is raised, the rest put back" 500 sysctls_are "2 512 5 1"
	check_equal "the next run: clients are served" 200 "$(get $SERVER_ADDR 10.99.1.8 --max-time 5)"
	stop_flood
	stop_synwarden
	check_equal "after the end of the next run" "$BEFORE" "$(sysctls)"

	armed_and_killed "SIGKILL before detach"
	stop_flood
	sw detach
	check_equal "detach puts all back" "$BEFORE" "$(sysctls)"
	check "detach leaves no program" fails has_program s0
}

test_other_version() {
	armed_and_killed "SIGKILL of another version"
	later_meta | xargs bpftool map update pinned "$(pin_dir)/meta" key 0 0 0 0 value
	stop_flood
	sw detach
	check_equal "detach puts back what another version has set" "$BEFORE" "$(sysctls)"
	check "detach leaves no program of it" fails has_program s0

	armed_and_killed "SIGKILL of another version, before a run"
	later_meta | xargs bpftool map update pinned "$(pin_dir)/meta" key 0 0 0 0 value
	start_synwarden --protect 80
	check_equal "the next run: what it says" "synwarden: taking over from synwarden $("$SYNWARDEN" version | cut -d' ' -f2): \
its lists go on, its counters cannot be reused" "$(head -n1 "$TMP/run.err")"
	stop_flood
	stop_synwarden
	check_equal "and all is put back at its end" "$BEFORE" "$(sysctls)"
}

# Where /proc cannot be read as run ends, what the sysctls were stays noted; and so where detach cannot read it.
# shellcheck disable=SC2016
test_unreadable() {
	start_in_server unshare -m "$SYNWARDEN" run --protect 80 s0 >"$TMP/run.out" 2>"$TMP/run.err"
	SW=$!
	wait_for filtering 127.0.0.1:9798
	start_flood 20000
	wait_for sysctls_are "2 512 5 1"
	stop_flood
	nsenter --mount --target "$SW" mount -t tmpfs none /proc/sys
	stop_synwarden
	check_equal "a sysctl cannot be read at the end: exit status" 1 $?
	check_equal "a sysctl cannot be read at the end: what it says" \
		"synwarden: cannot read /proc/sys/net/ipv4/tcp_syncookies, which was 1 before synwarden: No such file or directory
synwarden: the filter stays; synwarden run takes it over, synwarden detach removes it" "$(tail -n2 "$TMP/run.err")"
	check_equal "a sysctl cannot be read at the end: it stays as it was" "2 512 5 1" "$(sysctls)"
	expect "detach cannot read it" 1 "" "synwarden: cannot read /proc/sys/net/ipv4/tcp_syncookies, which was 1 before \
synwarden: No such file or directory
synwarden: the filter is removed, but not all sysctls are restored; their former values stay in $(pin_dir); try again: \
synwarden detach" in_server unshare -m sh -c 'mount -t tmpfs none /proc/sys && exec "$0" detach' "$SYNWARDEN"
	check "detach cannot read it: the filter is gone" fails has_program s0
	expect "detach again" 0 "" "" sw detach
	check_equal "detach again puts it back" "$BEFORE" "$(sysctls)"
	check "detach again leaves no pins" test ! -e "$(pin_dir)"
}

bytes_in() {
	stat -c %s "$TMP/download" 2>/dev/null || echo 0
}

# bytes_in_2s: of the download
bytes_in_2s() {
	local before
	before=$(bytes_in)
	sleep 2
	echo $(($(bytes_in) - before))
}

# At a rate far below what the machine reaches beside the flood and another test: what is asked is whether the
# connection is disturbed.
test_download() {
	local rate=5242880 bytes download
	head -c $((8 * rate)) /dev/urandom >"$TMP/nginx/www/large"
	start_synwarden --protect 80
	start_in_client curl -s --limit-rate $rate -o "$TMP/download" "http://$SERVER_ADDR/large"
	download=$!
	wait_for test -s "$TMP/download"
	start_flood 50000
	bytes=$(bytes_in_2s)
	check "a download goes on beside arming and a flood ($bytes bytes in 2 s)" test "$bytes" -ge $((rate * 2 * 9 / 10))
	check "the port is armed" armed
	wait $download
	check "a download is whole" cmp "$TMP/nginx/www/large" "$TMP/download"
	stop_flood
	stop_synwarden
}

net_up
set_before
start_nginx
test_release
test_harden
test_kill
test_other_version
test_unreadable
test_download
finish
