#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Devices: link-local connections and sockets that are bound to one are shown with it, by its name in their own network
# namespace, as `ss` shows them; others without.
set -u
ROOT=$(readlink -f "$(dirname "$0")/../..")
# shellcheck source=tests/lib/network.sh
. "$ROOT/tests/lib/network.sh"

PORT=7650

# link_local in_server|in_client DEVICE
link_local() {
	"$1" ip -j -6 addr show dev "$2" scope link -tentative | jq -r '.[0].addr_info[] | select(.local) | .local'
}

# shown STATE: local end, device and pid of the namespace's sockets in that state, by JSON
shown() {
	"$SYNWARDEN" conns --open --json --netns "$SERVER" --port $PORT --state "$1" |
		jq -r '"\(.laddr) \(.lport) \(.device) \(.comm)"' | sort
}

has_link_local() {
	[ -n "$(link_local "$@")" ]
}

net_up
wait_for has_link_local in_server s0 || die "no link-local address"
wait_for has_link_local in_client c0 || die "no link-local address"
ADDRESS=$(link_local in_server s0)
start_in_server python3 -c "
import socket, time
listener = socket.create_server(('::', $PORT), family=socket.AF_INET6)
bound = socket.socket()
bound.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b's0')
bound.bind(('10.99.0.1', $PORT + 1))
bound.listen()
accepted = listener.accept()
time.sleep(60)"
listens() {
	[ "$(in_server ss -Hltn "sport = $PORT or sport = $((PORT + 1))" | wc -l)" = 2 ]
}
wait_for listens || die "no listeners"
start "$SYNWARDEN" states --json --port $PORT >"$TMP/states" 2>"$TMP/states.err"
TRACKER=$!
wait_for grep -q following "$TMP/states.err" || die "no tracker: $(cat "$TMP/states.err")"
start_in_client python3 -c "
import socket, time
end = socket.getaddrinfo('$ADDRESS%c0', $PORT)[0][4]
sock = socket.socket(socket.AF_INET6)
sock.connect(end)
time.sleep(60)"
accepted() {
	[ -n "$(in_server ss -Htn state established "sport = $PORT")" ]
}
wait_for accepted || die "no connection"

check_equal "a link-local connection has its device" "$ADDRESS $PORT s0 python3" "$(shown ESTAB)"
check_equal "an unbound listener has none" ":: $PORT null python3" "$(shown LISTEN)"
check_equal "a bound listener has its device" "10.99.0.1 $((PORT + 1)) s0 python3" \
	"$("$SYNWARDEN" conns --open --json --netns "$SERVER" --port $((PORT + 1)) |
		jq -r '"\(.laddr) \(.lport) \(.device) \(.comm)"')"
check_equal "the text is that of ss" "$(in_server ss -Htn state established "sport = $PORT" | awk '{ print $3 }')" \
	"$("$SYNWARDEN" conns --open --netns "$SERVER" --port $PORT --state ESTAB | grep -o '\[[^ ]*' | head -1)"
wait_for grep -q '"new":"ESTABLISHED"' "$TMP/states"
stop "$TRACKER" INT
check_equal "transitions name it in both namespaces" "c0 s0" \
	"$(jq -r 'select(.new == "ESTABLISHED") | .device' "$TMP/states" | sort | xargs)"
finish
