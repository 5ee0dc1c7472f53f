#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# No invalid access and no leak in the commands that terminate, by valgrind; with rights and without, where they succeed and
# where they fail. LONG=1: also those that load BPF programs; valgrind takes half a minute to read the kernel's type
# information.
#
# test: long no-asan no-kernels
set -u
ROOT=$(readlink -f "$(dirname "$0")/../..")
# shellcheck source=tests/lib/network.sh
. "$ROOT/tests/lib/network.sh"
# shellcheck source=tests/lib/counters.sh
. "$ROOT/tests/lib/counters.sh"

FOUND=99
KINDS=definite,indirect,possible
CHECKED=(valgrind -q --error-exitcode="$FOUND" --suppressions="$ROOT/tests/e2e/valgrind.supp" --leak-check=full
	--show-leak-kinds="$KINDS" --errors-for-leak-kinds="$KINDS")
# valgrind does not know how much bpf() writes: a value for each CPU, and all of its newer commands. What comes from
# there would count as not initialised.
FROM_MAPS=--undef-value-errors=no

# clean STATUS OPTION... -- ARGUMENT...: the command ends so, and valgrind has said nothing but that it does not know
# each call to the kernel
clean() {
	local status=$1 options=()
	shift
	for (( ; $# > 0; )); do
		[ "$1" != -- ] || break
		options+=("$1")
		shift
	done
	shift
	in_server "${CHECKED[@]}" "${options[@]}" "$SYNWARDEN" "$@" >"$TMP/out" 2>"$TMP/err" </dev/null
	[ "$?" = "$status" ] || {
		cat "$TMP/err"
		return 1
	}
}

test_without_kernel() {
	printf 'interface = s0\nport-budget = 30\n[allow]\ncidr = 192.0.2.0/24\n[block]\nfile = %s\n' "$TMP/list" >"$TMP/good"
	printf '198.51.100.0/24\n2001:db8::/32\n' >"$TMP/list"
	printf 'interface =\nport-budget = many\nnothing\n[port 80]\nbudget = 1\nbudget = 2\n[block]\nfile = /nowhere\n' >"$TMP/bad"
	check "version" clean 0 -- version
	check "help" clean 0 -- help
	check "help run" clean 0 -- help run
	check "check-config: a good file" clean 0 -- check-config "$TMP/good"
	check "check-config: a bad file" clean 1 -- check-config "$TMP/bad"
	check "run: refused options" clean 2 -- run --protect 10.0.0.1:80,, s0
	check "status: nothing runs" clean 1 -- status
}

test_with_run() {
	start_synwarden --quiet
	sw block 192.0.2.0/24 >/dev/null
	check "list" clean 0 $FROM_MAPS -- list
	check "status" clean 0 $FROM_MAPS -- status --json
	check "why" clean 0 $FROM_MAPS -- why 192.0.2.7
	check "allow" clean 0 $FROM_MAPS -- allow 2001:db8::/32 198.51.100.1 --for 10m
	stop_synwarden
}

# connect_soon: so that `states --count` has what to count, whenever it begins
connect_soon() {
	while [ ! -e "$TMP/enough" ]; do
		in_client bash -c ": >/dev/tcp/$SERVER_ADDR/80"
		sleep 0.2
	done 2>/dev/null
}

test_loading() {
	local connects
	connect_soon &
	connects=$!
	check "states --count 1" clean 0 $FROM_MAPS -- states --count 1
	check "states --json --count 20" clean 0 $FROM_MAPS -- states --json --count 20
	check "conns --count 3" clean 0 $FROM_MAPS -- conns --count 3
	touch "$TMP/enough"
	wait $connects
	check "conns --open" clean 0 $FROM_MAPS -- conns --open --json
	check "doctor" clean 3 $FROM_MAPS -- doctor s0
	check "run --duration 1" clean 0 $FROM_MAPS -- run --config "$TMP/good" --duration 1
	check "it was let do so" fails has_program s0
}

net_up
start_nginx
test_without_kernel
test_with_run
[ -z "${LONG:-}" ] || test_loading
finish
