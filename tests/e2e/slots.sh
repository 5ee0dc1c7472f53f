#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Nobody on the host ends the protection by listening on many ports: slots of ports that have stopped listening are
# given to others, and ports that the operator names have slots of their own. Nor by connecting to many addresses.
#
# test: slow no-kernels asan-slow
set -u
ROOT=$(readlink -f "$(dirname "$0")/../..")
# shellcheck source=tests/lib/network.sh
. "$ROOT/tests/lib/network.sh"
# shellcheck source=tests/lib/counters.sh
. "$ROOT/tests/lib/counters.sh"

# Listens on ports in turn, or on all at once and then waits, as nobody: listen_on turn|hold FIRST COUNT
LISTEN='
import resource, signal, socket, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))
how, first, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
held = []
for port in range(first, first + count):
    listener = socket.socket()
    listener.bind(("0.0.0.0", port))
    listener.listen(1)
    if how == "turn":
        listener.close()
    else:
        held.append(listener)
print("ready", flush=True)
if how == "hold":
    signal.pause()
'

# as_nobody TURN|HOLD FIRST COUNT
as_nobody() {
	in_server setpriv --reuid 65534 --clear-groups /usr/bin/python3 -c "$LISTEN" "$@"
}

hold() {
	start in_server setpriv --reuid 65534 --clear-groups /usr/bin/python3 -c "$LISTEN" hold "$@" >"$TMP/held"
	HELD=$!
	wait_for grep -q ready "$TMP/held" || die "cannot listen"
}

# has_slot PORT [CONDITION]
has_slot() {
	in_server "$SYNWARDEN" status --json | jq -e ".ports[] | select(.port == $1 and ${2:-.listening})" >/dev/null
}

lost_slot() {
	! has_slot "$1" true
}

ports_shown() {
	in_server "$SYNWARDEN" status --json | jq '.ports | length'
}

lost_ports() {
	in_server "$SYNWARDEN" status --json | jq .lost.ports
}

# A process of nobody listens on more ports in turn than there are slots.
test_in_turn() {
	start_synwarden --port-budget 100
	as_nobody turn 20000 1100 >/dev/null
	hold 30000 1
	check "1,100 ports in turn: the next listener has a slot, once the others are 10 s old" wait_for has_slot 30000
	check "and no loss is left to be seen for it" test "$(ports_shown)" -le 1024
	stop $HELD
	stop_synwarden
}

# And on as many at once: what is named has its place, also while it does not listen.
test_at_once() {
	start_synwarden --port-budget 100 --protect 30001
	as_nobody turn 30001 2 >/dev/null
	hold 20000 1100
	check "1,100 ports at once: one that has stopped listening loses its slot" wait_for lost_slot 30002
	check "but a port of --protect keeps it" has_slot 30001 '(.listening | not)'
	in_server /usr/bin/python3 -c "$LISTEN" hold 30001 1 &
	check "and has it when it listens again" wait_for has_slot 30001
	check "the log says that the table is full" wait_for grep -q 'more ports listen than there are counters for' "$TMP/run.err"
	check_equal "once" 1 "$(grep -c 'more ports listen' "$TMP/run.err")"
	check "and status shows how often there was none" test "$(lost_ports)" -gt 0
	stop $HELD
	stop_synwarden
}

net_up
start_nginx
test_in_turn
test_at_once
finish
