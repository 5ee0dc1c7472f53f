#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Entries made by commands over the end of `run`: saved within a second of a change, restored with the time that they have
# left, whatever the clocks say, and not from a file that others may change. And restarts under a service manager that keeps
# descriptors: no packet, of one a millisecond, gets past the filter in any of them.
#
# test: slow long asan-slow no-kernels
set -u
ROOT=$(readlink -f "$(dirname "$0")/../..")
# shellcheck source=tests/lib/network.sh
. "$ROOT/tests/lib/network.sh"
# shellcheck source=tests/lib/counters.sh
. "$ROOT/tests/lib/counters.sh"
# shellcheck source=tests/lib/conf.sh
. "$ROOT/tests/lib/conf.sh"
# shellcheck source=tests/lib/probe.sh
. "$ROOT/tests/lib/probe.sh"

KEEP_STATE=1
FILE=$STATE_DIRECTORY/netns-$SERVER.lists

entries() {
	sw list | awk '{ print $1, $2, $NF }' | sort | paste -sd,
}

# saved ENTRY: whether the file has it
saved() {
	grep -q "^$1 " "$FILE"
}

# left CIDR: seconds
left() {
	sw list --json | jq "select(.cidr == \"$1\").expires_in_seconds"
}

restart() {
	stop_synwarden "$@"
	[ "${1:-}" != KILL ] || sw detach # as after a reboot: nothing is left but the file
	start_synwarden
}

test_restart() {
	local began=$EPOCHSECONDS all="allow 10.99.1.128/25 command,allow 2001:db8::1 command,block 10.99.1.9 command,block 192.0.2.0/24 command"
	start_synwarden
	sw block 10.99.1.9 192.0.2.0/24 >/dev/null
	sw allow --for 1h 10.99.1.128/25 2001:db8::1 >/dev/null
	check "saved" wait_for saved "allow 2001:db8::1 command"
	check_equal "for root alone" "600 700" "$(stat -c %a "$FILE") $(stat -c %a "$STATE_DIRECTORY")"
	restart
	check_equal "a restart: they are there, by command" "$all" "$(entries)"
	check_left "with the time that they have left" 3600 "$began" "$(left 2001:db8::1)"
	check_equal "and in force" 000 "$(get 10.99.0.1 10.99.1.9)"
	sw unblock 192.0.2.0/24 >/dev/null
	check "what is taken off is saved, too" wait_for fails saved "block 192.0.2.0/24 command"
	restart KILL
	check_equal "killed, and nothing is left but the file: they are there" "${all%,*}" "$(entries)"
	sw unblock 10.99.1.9 >/dev/null
	stop_synwarden
	check "the last change before the end is saved" fails saved "block 10.99.1.9 command"
}

# A command writes maps, and no file.
test_commands_write_maps() {
	local before
	start_synwarden
	stop_synwarden KILL
	before=$(stat -c '%i %y' "$FILE")
	sw block 192.0.2.7 >/dev/null
	check_equal "without a run, a command writes no file" "$before" "$(stat -c '%i %y' "$FILE")"
	start_synwarden
	check "the next run saves what it did" wait_for saved "block 192.0.2.7 command"
	stop_synwarden
}

# date_file BOOT MONOTONIC WALL: the first line
date_file() {
	sed -i "1s/.*/synwarden-lists-1 $1 $2 $3/" "$FILE"
}

# entries_by BOOT MONOTONIC WALL: what is restored of an hour and of ten minutes, with seconds left
entries_by() {
	printf '\nblock 192.0.2.1 command 3600000000000\nblock 192.0.2.2 command 600000000000\n' >"$FILE"
	date_file "$@"
	start_synwarden
	echo "$(left 192.0.2.1) $(left 192.0.2.2)"
	stop_synwarden
}

# about BEGAN EXPECTED ACTUAL: each number, or below it by what has passed since BEGAN (EPOCHSECONDS)
about() {
	local expected actual passed=$((EPOCHSECONDS - $1 + 2))
	shift
	paste <(tr ' ' '\n' <<<"$1") <(tr ' ' '\n' <<<"$2") | while read -r expected actual; do
		[ -n "$actual" ] && [ "$actual" -le "$expected" ] && [ "$actual" -ge $((expected - passed)) ] || exit 1
	done
}

test_clocks() {
	local boot wall monotonic ns=000000000
	boot=$(cat /proc/sys/kernel/random/boot_id)
	wall=$EPOCHSECONDS
	monotonic=$(cut -d. -f1 /proc/uptime)
	check "this boot, ten seconds ago" about "$wall" "3590 590" "$(entries_by "$boot" $((monotonic - 10))$ns $((wall - 10))$ns)"
	check "this boot, the wall clock was set a day on" about "$wall" "3590 590" \
		"$(entries_by "$boot" $((monotonic - 10))$ns $((wall - 86400))$ns)"
	check "this boot, the wall clock was set a day back" about "$wall" "3590 590" \
		"$(entries_by "$boot" $((monotonic - 10))$ns $((wall + 86400))$ns)"
	check "another boot, five minutes ago" about "$wall" "3300 300" "$(entries_by another 999999$ns $((wall - 300))$ns)"
	check "another boot, a clock that stands before the file: as long as was left" about "$wall" "3600 600" \
		"$(entries_by another 1$ns $((wall + 1000000))$ns)"
	check_equal "another boot, an hour and a bit ago: both are over" " " "$(entries_by another 1$ns $((wall - 3601))$ns)"
}

has_said() {
	grep -qF "$1" "$TMP/run.err"
}

test_bad_files() {
	printf '\nblock 192.0.2.1 command 0\n' >"$FILE"
	date_file another 1 1
	chmod 666 "$FILE"
	INVOCATION_ID=1 start_synwarden
	check "a file that others may change: a service takes nothing of it" has_said \
		"the entries that commands made are not restored: $FILE: every user of this host may change $FILE"
	check_equal "nothing" "" "$(sw list)"
	stop_synwarden
	printf '\nblock 192.0.2.1 command 0\nblock nonsense\ndrop 192.0.2.2 command 0\nblock 192.0.2.3 nobody 0\n' >"$FILE"
	date_file another 1 1
	start_synwarden
	check "a bad line is named" has_said "$FILE:3: \"block nonsense\" is no entry of a list"
	check_equal "and so are the others" 3 "$(grep -c 'is no entry of a list' "$TMP/run.err")"
	check_equal "the rest is restored" "block 192.0.2.1 command" "$(entries)"
	stop_synwarden
	echo "something else" >"$FILE"
	start_synwarden
	check "another format" has_said "$FILE is of another format"
	mkdir "$FILE.new"
	sw block 192.0.2.9 >/dev/null
	check "what cannot be saved is said" wait_for has_said "cannot save the lists in $FILE: Is a directory"
	rmdir "$FILE.new"
	check "and saved once it can be" wait_for saved "block 192.0.2.9 command"
	stop_synwarden
	rm "$FILE"
}

# A list file that is gone after a reboot: its list is as it last was.
test_list_file() {
	printf 'interface = s0\n[block]\nfile = %s\n' "$TMP/list" | conf
	printf '192.0.2.1\n192.0.2.2\n' >"$TMP/list"
	start_conf
	sw block 192.0.2.3 >/dev/null
	wait_for saved "block 192.0.2.3 command"
	stop_synwarden
	echo 192.0.2.8 >"$TMP/list"
	start_conf
	check_equal "of a file that is taken, nothing is restored" "block 192.0.2.3 command,block 192.0.2.8 file" "$(entries)"
	stop_synwarden
	rm "$TMP/list"
	start_conf
	check_equal "of one that is gone, what it last had is" "block 192.0.2.3 command,block 192.0.2.8 file" "$(entries)"
	stop_synwarden
	rm "$FILE"
}

test_without_a_name() {
	local before said
	before=$(ls "$STATE_DIRECTORY")
	# shellcheck disable=SC2016
	said=$(unshare --net sh -c 'ip link set lo up; exec "$0" run --listen off --quiet --duration 1 lo' "$SYNWARDEN" 2>&1)
	check "a namespace without a name keeps nothing, and this is said" \
		grep -q '^synwarden: entries made by commands end with this run' <<<"$said"
	check_equal "there is no file of it" "$before" "$(ls "$STATE_DIRECTORY")"
}

started() {
	[ "$(grep -c ^started "$TMP/manager")" -ge "$1" ] && filtering off &&
		[ "$(sw status --json | jq .pid)" = "$(sed -n 's/^started //p' "$TMP/manager" | tail -n1)" ]
}

test_no_gap() {
	local before sent restarts n
	restarts=$(long_or 50 3)
	start_probe
	check "without the filter, the packets arrive" wait_for arrived_more_than 10
	start_in_server "$ROOT/tests/tools/manager.py" "$TMP/notify" run "$SYNWARDEN" run --quiet --listen off \
		--xdp-mode native s0 >"$TMP/manager" 2>"$TMP/run.err"
	SW=$!
	wait_for started 1 || die "it does not start: $(cat "$TMP/run.err")"
	sw block "$PROBE_SOURCE" >/dev/null
	wait_for none_arrives || die "what is blocked arrives"
	before=$(wc -l <"$TMP/arrived")
	sent=$(wc -l <"$TMP/sent")
	for ((n = 2; n <= restarts; n++)); do
		kill -HUP "$SW"
		check "restart $((n - 1))" wait_for started "$n"
	done
	check_equal "restarts: the lists and counters go on" "$((restarts - 1)) block $PROBE_SOURCE command" \
		"$(grep -c 'taking over the filter that run [0-9]* left: its lists and counters go on' "$TMP/run.err") $(entries)"
	wait_for another_version_stays "$(sw status --json | jq -r .version)"
	kill -HUP "$SW"
	check "a restart from another version" wait_for started "$n"
	check "another version: its lists go on" has_said "taking over from synwarden 0.0.1: its lists go on"
	check_equal "another version: the entry is there" "block $PROBE_SOURCE command" "$(entries)"
	check_between "packets sent meanwhile" 500 1000000 $(($(wc -l <"$TMP/sent") - sent))
	check_equal "packets that got past the filter" 0 $(($(wc -l <"$TMP/arrived") - before))
	stop "$SW"
	check "a stop removes the filter" wait_for fails has_program s0
	check "and the packets arrive" wait_for arrived_more_than "$before"
	check "no pin is left" test ! -e "$(pin_dir)"
	stop_probe
}

# change_layout VERSION: as if the pinned state had been written by another version: its number of the layout, and its name
change_layout() {
	bpftool -j map dump pinned "$(pin_dir)/meta" >"$TMP/meta.json"
	python3 - "$(pin_dir)/meta" "$TMP/meta.json" "$1" <<-'END'
		import json, subprocess, sys
		value = [int(byte, 16) for byte in json.load(open(sys.argv[2]))[0]["value"]]
		value[0:4] = [1, 0, 0, 0]
		version = bytes(value).index(sys.argv[3].encode())
		value[version:version + 16] = list(b"0.0.1".ljust(16, b"\0"))
		subprocess.check_call(["bpftool", "map", "update", "pinned", sys.argv[1], "key", "0", "0", "0", "0", "value"]
		                      + [str(byte) for byte in value])
	END
}

# another_version_stays VERSION: in its first second a run writes once more, that it is confined
another_version_stays() {
	change_layout "$1"
	sleep 1.5
	fails sw status
}

net_up
silence 0
start_nginx
test_restart
test_commands_write_maps
test_clocks
test_bad_files
test_list_file
test_without_a_name
test_no_gap
finish
