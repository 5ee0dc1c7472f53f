#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Owners of MPTCP sockets: of the listener, the client and the accepted one, as `ss` names them, for a tracker that finds
# them and for one that sees them begin. Go's servers listen with MPTCP.
set -u
ROOT=$(readlink -f "$(dirname "$0")/../..")
# shellcheck source=tests/lib/network.sh
. "$ROOT/tests/lib/network.sh"

PORT=7600

# serve NAME: an MPTCP server and its client, in one namespace, connected
serve() {
	start_in_server python3 "$ROOT/tests/tools/mptcp.py" serve $PORT "$TMP/$1"
	SERVES=$!
	wait_for test -e "$TMP/$1.listens" || die "no MPTCP server"
	start_in_server python3 "$ROOT/tests/tools/mptcp.py" connect $PORT
	CONNECTS=$!
	wait_for test -e "$TMP/$1" || die "no MPTCP client"
}

# owners: of the namespace's sockets at $PORT, "STATE SIDE PID"
owners() {
	"$SYNWARDEN" conns --open --json --netns "$SERVER" --port $PORT |
		jq -r --argjson port $PORT '"\(.state) \(if .lport == $port then "server" else "client" end) \(.pid)"' | sort
}

if [ "$(cat /proc/sys/net/mptcp/enabled 2>/dev/null)" != 1 ]; then
	echo "1..0 # SKIP this kernel has no MPTCP"
	exit
fi
net_up
serve existing
check_equal "each has its owner" "ESTABLISHED client $CONNECTS
ESTABLISHED server $SERVES
LISTEN server $SERVES" "$(owners)"
check_equal "ss names the same listener" "pid=$SERVES" \
	"$(in_server ss -Htlnp "sport = $PORT" | grep -o 'pid=[0-9]*')"
check_equal "ss names the same owners" "$(printf "pid=%s\n" $CONNECTS $SERVES $SERVES | sort | xargs)" \
	"$(in_server ss -HManp "( sport = $PORT or dport = $PORT )" | grep -o 'pid=[0-9]*' | sort | xargs)"
stop "$CONNECTS"
stop "$SERVES"
start "$SYNWARDEN" states --json --netns "$SERVER" --port $PORT >"$TMP/states" 2>"$TMP/states.err"
TRACKER=$!
wait_for grep -q following "$TMP/states.err" || die "no tracker: $(cat "$TMP/states.err")"
serve new
sleep 0.2
stop "$TRACKER" INT
check_equal "those that begin under a tracker have theirs" "client $CONNECTS
server $SERVES" "$(jq -r --argjson port $PORT 'select(.new == "ESTABLISHED") |
	"\(if .lport == $port then "server" else "client" end) \(.pid)"' "$TMP/states" | sort)"
finish
