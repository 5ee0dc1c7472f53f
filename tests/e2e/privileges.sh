#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The privileges of `run`: as root no more than it needs once it runs, in each of its threads; without root three capabilities
# alone, and an error that names the missing one; and no user without rights reads connections, changes lists or removes the
# filter.
#
# fault: Rights are missing | an error that names the capability
set -u
ROOT=$(readlink -f "$(dirname "$0")/../..")
# shellcheck source=tests/lib/network.sh
. "$ROOT/tests/lib/network.sh"
# shellcheck source=tests/lib/counters.sh
. "$ROOT/tests/lib/counters.sh"

NOBODY=65534
CAPABILITIES="bpf net_admin perfmon"

# rights_of_threads: capabilities, no_new_privs and seccomp mode, once for each combination among the run's threads
rights_of_threads() {
	local thread
	for thread in /proc/"$SW"/task/*; do
		awk '/^(CapPrm|CapEff|CapAmb|NoNewPrivs|Seccomp):/ { printf "%s%s", blank, $2; blank = " " } END { print "" }' \
			"$thread/status"
	done | sort -u
}

# confined: what status adds where this kernel has Landlock
confined() {
	sw doctor --json s0 | jq -r 'select(.check == "Landlock" and (.detail | startswith("version"))) | "; files confined"'
}

test_dropped() {
	start_synwarden --protect 80 --harden
	check_equal "status: what is left" \
		"rights left to it: cap_net_admin,cap_perfmon,cap_bpf; no new privileges; system calls filtered$(confined)" \
		"$(sw status | tr '\n' ' ' | sed 's/.* rights/rights/; s/ dashboard:.*//')"
	start_in_server curl -sN http://127.0.0.1:9798/events >"$TMP/events"
	wait_for grep -q '^: follows$' "$TMP/events"
	check "there are several threads" test "$(find /proc/"$SW"/task -mindepth 1 -maxdepth 1 | wc -l)" -ge 4
	check_equal "each of them has three capabilities, no new privileges, and a filter" \
		"000000c000001000 000000c000001000 0000000000000000 1 2" "$(rights_of_threads)"
	check_equal "all that it does it can still do: an event, a page, a reload" "200 ok" \
		"$(get 10.99.0.1 10.99.1.1) $(in_server curl -s http://127.0.0.1:9798/healthz)"
	check "the event comes" wait_for grep -q '"new":"ESTABLISHED"' "$TMP/events"
	kill -HUP "$SW"
	check "the reload is answered" wait_for grep -q "to be read again" "$TMP/run.err"
	flood -x -q -s 0 -r 10000 -c 10000
	check "sysctls are raised" wait_for raised
	stop_synwarden
	check_equal "and put back" 1 "$(in_server sysctl -n net.ipv4.tcp_syncookies)"
	check "and the pins are gone" test ! -e "$(pin_dir)"
}

raised() {
	[ "$(in_server sysctl -n net.ipv4.tcp_syncookies)" = 2 ]
}

# as_nobody CAPABILITIES COMMAND...: in a bpffs of its own, with these capabilities and no other
as_nobody() {
	local capability ambient=()
	for capability in $1; do
		ambient+=("+$capability")
	done
	# shellcheck disable=SC2016
	in_server timeout 20 unshare -mpf --mount-proc bash -c '
		mount -t bpf -o mode=1777 none /sys/fs/bpf
		exec setpriv --reuid "$0" --regid "$0" --clear-groups --bounding-set "$1" --inh-caps "$1" --ambient-caps "$1" "${@:2}"' \
		"$NOBODY" "$(IFS=,; echo "-all,${ambient[*]}")" "${@:2}"
}

test_unprivileged_run() {
	local missing others
	forget_state # which is of root
	install -d -o "$NOBODY" "$STATE_DIRECTORY"
	check_equal "with three capabilities, not root: it filters" "synwarden: s0: filtering in generic mode" \
		"$(as_nobody "$CAPABILITIES" "$TMP/synwarden" run --duration 1 --http on s0 2>&1 >"$TMP/summary" |
			grep -v "is a container's")"
	check "and tells what came" grep -q '^VERDICT' "$TMP/summary"
	for missing in bpf perfmon; do
		others=$(tr ' ' '\n' <<<"$CAPABILITIES" | grep -vx $missing | xargs)
		check_equal "without cap_$missing: it says so" "synwarden: cannot load the BPF programs: not permitted: this process \
lacks CAP_${missing^^}; run as root, or with CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON" \
			"$(as_nobody "$others" "$TMP/synwarden" run --duration 1 s0 2>&1 >"$TMP/summary")"
	done
	check_equal "without cap_net_admin: it says so" "synwarden: cannot load the BPF programs: not permitted: this process \
lacks CAP_NET_ADMIN; run as root, or with CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON" \
		"$(as_nobody "bpf perfmon" "$TMP/synwarden" run --duration 1 s0 2>&1 >"$TMP/summary")"
	check "nothing is left of those" fails has_program s0
}

nobody() {
	in_server setpriv --reuid "$NOBODY" --regid "$NOBODY" --clear-groups "$@"
}

test_nobody() {
	local denied command
	start_synwarden
	denied="synwarden: cannot open $(pin_dir): Permission denied; run as root"
	check_equal "the pins' directories are root's alone" "700 0 700 0" \
		"$(stat -c '%a %u' /sys/fs/bpf/synwarden "$(pin_dir)" | xargs)"
	for command in status list top "block 192.0.2.1" "unblock 192.0.2.1" "allow 192.0.2.1" detach "why 192.0.2.1"; do
		# shellcheck disable=SC2086
		try nobody "$TMP/synwarden" $command
		check_equal "nobody: $command" "1 $denied" "$STATUS $ERR"
	done
	for command in states conns "conns --open"; do
		# shellcheck disable=SC2086
		try nobody "$TMP/synwarden" $command
		check_equal "nobody: $command" "1 synwarden: cannot load the BPF programs: not permitted: this process lacks CAP_BPF, \
CAP_NET_ADMIN, CAP_PERFMON; run as root, or with CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON" "$STATUS $ERR"
	done
	check_equal "the lists are as they were" "" "$(sw list | grep -v '^LIST')"
	check "the filter is there" has_program s0
	stop_synwarden
}

net_up
start_nginx
install -m 755 "$SYNWARDEN" "$TMP/synwarden"
test_dropped
test_unprivileged_run
test_nobody
finish
