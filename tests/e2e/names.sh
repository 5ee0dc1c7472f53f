#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Interfaces that `run` names and that are not there yet, or are called otherwise by now: what is there is filtered, and what
# comes is. List files that cannot be taken: the filter starts, and each list keeps what it last had.
#
# test: slow asan-slow no-kernels
set -u
ROOT=$(readlink -f "$(dirname "$0")/../..")
# shellcheck source=tests/lib/network.sh
. "$ROOT/tests/lib/network.sh"
# shellcheck source=tests/lib/counters.sh
. "$ROOT/tests/lib/counters.sh"
# shellcheck source=tests/lib/conf.sh
. "$ROOT/tests/lib/conf.sh"

interfaces() {
	sw status --json | jq -r '[.interfaces[] | "\(.name) \(.xdp_mode)"] | join(", ")'
}

interfaces_are() {
	[ "$(interfaces)" = "$1" ]
}

has_said() {
	grep -qxF "synwarden: $1" "$TMP/run.err"
}

test_absent() {
	start_synwarden s0 s1
	check_equal "s1 is not there: s0 is filtered" "s0 native, s1 gone" "$(interfaces)"
	check "s1 is not there: it is said" has_said "s1 is not there: it is filtered once an interface of that name comes"
	second_link
	check "s1 comes: it is filtered" wait_for interfaces_are "s0 native, s1 native"
	check "s1 comes: it has a program" has_program s1
	in_server ip link del s1
	check "s1 goes" wait_for interfaces_are "s0 native, s1 gone"
	stop_synwarden KILL
	start_synwarden s0 s1
	check_equal "killed without s1: the next one starts" "s0 native, s1 gone" "$(interfaces)"
	second_link
	check "and takes s1 when it comes" wait_for interfaces_are "s0 native, s1 native"
	in_server ip link del s1
	wait_for interfaces_are "s0 native, s1 gone"
	in_server ip tuntap add dev s1 mode tun
	check "one without Ethernet frames comes: it is said once, and not filtered" \
		wait_for has_said "s1 carries no Ethernet frames, and is not filtered"
	check_equal "and the rest is as it was" "s0 native, s1 gone" "$(interfaces)"
	check_equal "doctor says what run does there" "without an Ethernet header: run refuses to filter here" \
		"$(sw doctor --json s1 | jq -r 'select(.check == "frames").detail')"
	try sw run s1
	check_equal "and run does it" "2 1" "$STATUS $(grep -c '^synwarden: run: "s1" carries no Ethernet frames' <<<"$ERR")"
	in_server ip link del s1
	stop_synwarden
	check_equal "SIGTERM: exit status" 0 $?
}

# Identity is the number, not the name.
test_renamed() {
	second_link
	start_synwarden s1 s0
	in_server ip link set s1 down
	in_server ip link set s1 name w1
	check "renamed: it is shown by its new name" wait_for interfaces_are "w1 native, s0 native"
	check "renamed: it is said which one is kept" has_said \
		"s1 is called w1 now: it is filtered as before, and an interface that is called s1 from now on is not"
	in_server ip link add s1 type veth peer name s9
	check_equal "another s1: it is not taken for filtered" "w1 native, s0 native" "$(interfaces)"
	check "another s1: it has no program" fails has_program s1
	check "the renamed one has" has_program w1
	in_server ip link del w1
	check "the renamed one goes: the one of the name that run was given is filtered" \
		wait_for interfaces_are "s1 native, s0 native"
	check "it has a program" has_program s1
	in_server ip link del s1
	stop_synwarden
	check_equal "SIGTERM: exit status" 0 $?
}

test_check_config() {
	local name
	for name in 'eth0 # uplink' 'eth0,eth1' '"eth0"' eth0:1 .. 'eth0 eth0'; do
		conf <<<"interface = $name"
		check "check-config refuses interface = $name" fails sw check-config "$CONF"
		check "and so does run" fails sw run --config "$CONF" --duration 1
	done
}

taken() {
	[ "$(sw list | awk '{ print $2 }' | sort | paste -sd' ')" = "$1" ]
}

metric() {
	scrape
	value "list_files_waiting{list=\"$1\"}"
}

test_list_files() {
	local bad="$TMP/block: 1 of its 2 lines are bad; it is left out, and what the block list last had of it stays"
	printf 'interface = s0\n[block]\nfile = %s\ncidr = 203.0.113.1\n[allow]\nfile = %s\n' "$TMP/block" "$TMP/allow" | conf
	printf '192.0.2.1\nnonsense\n' >"$TMP/block"
	start_conf
	check "a bad file and a missing one: it starts, and says so" has_said "$bad"
	check "a missing file" has_said \
		"$TMP/allow: No such file or directory; it is left out, and what the allow list last had of it stays"
	check "what the configuration file itself says is in force" taken 203.0.113.1
	check "status shows it" wait_for grep -q '^list files not taken: 2: ' <(sw status)
	check_equal "the metrics" "1 1" "$(metric allow) $(metric block)"
	check_equal "doctor" "weak 2 of them not taken: the lists are as they last were" \
		"$(sw doctor --json s0 | jq -r 'select(.check == "list files") | "\(.status) \(.detail)"')"
	printf '192.0.2.1\n192.0.2.2\n' >"$TMP/block"
	check "corrected: it is taken by itself" wait_for taken "192.0.2.1 192.0.2.2 203.0.113.1"
	check "corrected: it is said" has_said "$TMP/block is taken again: 2 entries"
	printf '198.51.100.1\nnonsense\n' >"$TMP/block"
	reload
	check "a reload with a bad file: the list stays" taken "192.0.2.1 192.0.2.2 203.0.113.1"
	check "it is said" has_said "$bad"
	sed -i 's/203.0.113.1/203.0.113.2/' "$CONF"
	reload
	check "the rest of the configuration is in force" taken "192.0.2.1 192.0.2.2 203.0.113.2"
	stop_synwarden KILL
	start_conf
	check "killed, with a bad file: the list stays" taken "192.0.2.1 192.0.2.2 203.0.113.2"
	echo 198.51.100.1 >"$TMP/block"
	check "corrected: what it no longer has goes" wait_for taken "198.51.100.1 203.0.113.2"
	stop_synwarden
	check_equal "SIGTERM: exit status" 0 $?
}

net_up
test_absent
test_renamed
test_check_config
test_list_files
finish
