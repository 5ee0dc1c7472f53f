#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# --protect auto: ports with a listener are served on every address of this host, without a first handshake, as long as
# nothing may translate them. Listeners, rules and settings are followed; status and why tell.
set -u
ROOT=$(readlink -f "$(dirname "$0")/../..")
# shellcheck source=tests/lib/network.sh
. "$ROOT/tests/lib/network.sh"
# shellcheck source=tests/lib/counters.sh
. "$ROOT/tests/lib/counters.sh"


# How the ports count as served: "80 auto, 8080 null"
served_ports() {
	in_server "$SYNWARDEN" status --json |
		jq -r '[.ports[] | select(.listening and .port != 9798) | "\(.port) \(.protected)"] | join(", ")'
}

served_are() {
	[ "$(served_ports)" = "$1" ]
}

# becomes NAME PORTS
becomes() {
	wait_for served_are "$2"
	check_equal "$1" "$2" "$(served_ports)"
}

status_line() {
	in_server "$SYNWARDEN" status | sed -n 's/, 9798//; s/9798, //; s/^protect auto: *//p'
}

listen_on() {
	start_in_server python3 -c '
import socket, sys, time
listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(("", int(sys.argv[1])))
listener.listen(64)
time.sleep(600)' "$1"
	LISTENER=$!
}

# answered ADDRESS PORT: of 100 SYNs, how many are answered with a challenge
answered() {
	local before
	exhaust_budget "$2"
	scrape
	before=$(packets challenged)
	in_client "$FLOOD" -q -r 5000 -c 100 -p "$2" c0 "$(mac in_server s0)" "$1"
	scrape
	echo $(($(packets challenged) - before))
}

test_served() {
	start_synwarden --port-budget 1 --protect auto
	becomes "ports with a listener" "80 auto, 8080 auto"
	check_equal "SYNs over the budget are challenged before any handshake" 100 "$(answered $SERVER_ADDR 80)"
	in_server ip addr add 10.99.0.9/24 dev s0
	check "an address that comes is served too" wait_for equals 100 answered 10.99.0.9 80
	check_equal "and an address of another interface" 100 "$(answered 10.98.0.1 80)"
	stop "$LISTENER"
	becomes "a listener ends" "80 auto"
	listen_on 8081
	becomes "a listener begins" "80 auto, 8081 auto"
}

equals() {
	[ "$("${@:2}")" = "$1" ]
}

test_translated() {
	in_server nft -f - <<-END
		table ip translated {
			chain prerouting {
				type nat hook prerouting priority -100
				tcp dport 8081 dnat to 10.97.0.2:80
			}
		}
	END
	becomes "a rule translates a port" "80 auto, 8081 null"
	check_equal "status says so" "serves 80 may be translated 8081" "$(status_line)"
	check_equal "its SYNs pass" 0 "$(answered $SERVER_ADDR 8081)"
	check "why says so" grep -q 'not_served.*auto does not take the port' \
		<(in_server "$SYNWARDEN" why 192.0.2.1 --to $SERVER_ADDR --port 8081)
	in_server nft add rule ip translated prerouting ip saddr 192.0.2.0/24 dnat to 10.97.0.2
	becomes "a rule that names no port translates" "80 null, 8081 null"
	check_equal "status says so" "none served, as any may be translated: 80, 8081" "$(status_line)"
	check "and the log says why" grep -q 'auto takes no port: a rule that translates names no single port' "$TMP/run.err"
	in_server nft delete table ip translated
	becomes "the rules are gone" "80 auto, 8081 auto"
	in_server iptables-legacy -t nat -A PREROUTING -p tcp --dport 80 -j DNAT --to-destination 10.97.0.2
	becomes "a rule of iptables-legacy translates a port" "80 null, 8081 auto"
	in_server iptables-legacy -t nat -F
	becomes "it is gone" "80 auto, 8081 auto"
	in_server tc qdisc add dev s0 clsact
	becomes "TC may have a filter on the interface" "80 null, 8081 null"
	in_server tc qdisc del dev s0 clsact
	becomes "it has none any more" "80 auto, 8081 auto"
}

# A former run leaves what it took; what is named meanwhile stays.
test_settings() {
	kill -KILL "$SW"
	wait "$SW" 2>/dev/null
	cat >"$TMP/conf" <<-END
		interface = s0
		xdp-mode = native
		protect = 8081
	END
	start_synwarden --config "$TMP/conf"
	becomes "taken over without auto" "80 null, 8081 named"
	echo "protect = auto" >>"$TMP/conf"
	kill -HUP "$SW"
	becomes "auto by a reload, beside a port that is named" "80 auto, 8081 named"
	sed -i 's/8081/80/; /auto/d' "$TMP/conf"
	kill -HUP "$SW"
	becomes "a port is named that auto took" "80 named, 8081 named"
	stop_synwarden
}

net_up
second_link
start_nginx
in_server sysctl -qw net.ipv4.tcp_syncookies=2
take_replies
listen_on 8080
wait_for listens 8080
test_served
test_translated
test_settings
finish
