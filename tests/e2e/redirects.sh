#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Ports that a rule of the packet filter redirects to another port of this host are named by doctor and by run, whichever
# tool made the rule: nft, iptables on nf_tables, iptables-legacy. Rules that lead elsewhere, or are not for TCP, are not.
set -u
ROOT=$(readlink -f "$(dirname "$0")/../..")
# shellcheck source=tests/lib/network.sh
. "$ROOT/tests/lib/network.sh"

# Of what make_rules makes: in order.
NAMED="85 to 8090, 86 to 8091, other ports to 8092"

# The same rules for IPv4 and IPv6, by iptables: make_rules TOOL ADDRESS FOREIGN-ADDRESS
make_rules() {
	in_server "$1" -t nat -A PREROUTING -p tcp --dport 85 -j REDIRECT --to-ports 8090
	in_server "$1" -t nat -A PREROUTING -p tcp --dport 86 -j DNAT --to-destination "$2:8091"
	in_server "$1" -t nat -A PREROUTING -p tcp --dport 87 -j DNAT --to-destination "$3:80"
	in_server "$1" -t nat -A PREROUTING -p udp --dport 88 -j REDIRECT --to-ports 8090
	in_server "$1" -t nat -A PREROUTING -p tcp -m multiport --dports 90,91 -j REDIRECT --to-ports 8092
	in_server "$1" -t nat -A PREROUTING -p tcp --dport 92 -j DNAT --to-destination "$2"
}

make_nft_rules() {
	in_server nft -f - <<-END
		table inet redirects {
			chain prerouting {
				type nat hook prerouting priority -100
				tcp dport 85 redirect to :8090
				tcp dport 86 dnat ip to $SERVER_ADDR:8091
				tcp dport 87 dnat ip to 10.97.0.2:80
				tcp dport 87 dnat ip6 to [fd97::2]:80
				udp dport 88 redirect to :8090
				tcp dport { 90, 91 } redirect to :8092
				tcp dport 92 dnat ip to $SERVER_ADDR
				tcp dport 93 redirect
			}
		}
	END
}

# The whole state of the packet filter, without counters; what legacy tools ask for makes their tables.
rules() {
	in_server nft -s list ruleset
	in_server cat /proc/net/ip_tables_names /proc/net/ip6_tables_names
}

doctor_says() {
	in_server "$SYNWARDEN" doctor --json | jq -r 'select(.check == "redirected ports") | "\(.status): \(.detail)"'
}

# What run says, as doctor would put it
run_says() {
	sed -nE 's/.*SYNs to (port )?(.*) are redirected to (port )?([0-9]+) by a rule.*/\2 to \4/p' "$TMP/run.err" |
		paste -sd, | sed 's/,/, /g'
}

# check_named NAME RULES
check_named() {
	local before
	before=$(rules)
	check_equal "$1: doctor names them" "weak: $2" "$(doctor_says)"
	start_synwarden
	stop_synwarden
	check_equal "$1: run names them" "$2" "$(run_says)"
	check_equal "$1: nothing is changed" "$before" "$(rules)"
}

net_up
check_equal "no rules: none, and no table is made by asking" "ok: none" "$(doctor_says)"
check_equal "no rules: nor by run" "" "$(start_synwarden && stop_synwarden; run_says; rules)"
make_nft_rules
check_named nft "$NAMED"
in_server nft delete table inet redirects
for tool in iptables-nft:$SERVER_ADDR:10.97.0.2 iptables-legacy:$SERVER_ADDR:10.97.0.2; do
	IFS=: read -r tool own foreign <<<"$tool"
	make_rules "$tool" "$own" "$foreign"
	check_named "$tool" "$NAMED"
	in_server "$tool" -t nat -F
	make_rules "ip6${tool#ip}" "[$SERVER_ADDR6]" "[fd97::2]"
	check_named "ip6${tool#ip}" "$NAMED"
	in_server "ip6${tool#ip}" -t nat -F
done
check_equal "no rules any more: none" "ok: none" "$(doctor_says)"
finish
