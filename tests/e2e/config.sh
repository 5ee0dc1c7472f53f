#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The configuration file: what check-config reports of it, what each key does, which setting wins over which, and budgets by port.
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

test_check_config() {
	local valid="interface, dry-run, source-limit, port-budget, challenge, stray-budget, protect, harden, max-entries, http, xdp-mode, listen, tls-cert, \
tls-key, auth-file, host, duration, keep, quiet"
	expect "the example is valid" 0 "$ROOT/contrib/synwarden.conf is valid" "" \
		sw check-config "$ROOT/contrib/synwarden.conf"
	sed 's/^;//; /^file/d' "$ROOT/contrib/synwarden.conf" >"$CONF"
	expect "the example with every key uncommented is valid" 0 "$CONF is valid" "" sw check-config "$CONF"
	check_equal "the example has every option of run" "" "$(sw help run | sed -n 's/^ .*--\([a-z-]*\).*/\1/p' |
		grep -vxE 'config|help' | while read -r key; do grep -q "^$key = " "$CONF" || echo "$key"; done)"
	printf '# list\n192.0.2.0/24\n192.0.2.1/33 # bits\n' >"$TMP/list"
	conf <<-END
		port-budget = many
		colour = red
		port-budget = 5
		[port 443]
		budget = -1
		[ports]
		[block]
		file = $TMP/list
	END
	expect "every error has its line" 1 "" \
		"synwarden: $CONF:1: port-budget: \"many\" is not a number from 0 to 10000000
synwarden: $CONF:2: \"colour\" is not a key: before the first section it is one of $valid
synwarden: $CONF:3: port-budget: given twice, first on line 1
synwarden: $CONF:5: budget: \"-1\" is not a number from 0 to 10000000
synwarden: $CONF:6: [ports] is not a section: it is one of [port N], N from 1 to 65535, [allow], [block], [sync], [crowdsec], [list NAME]
synwarden: $TMP/list:3: \"192.0.2.1/33\" is not an IPv4 prefix: its length is a number from 0 to 32, or a netmask: left out
synwarden: $TMP/list: 1 of its 2 lines are bad; it is left out, and what the block list last had of it stays" \
		sw check-config "$CONF"
	conf <<<"[block]
file = $TMP/list"
	expect "a bad list alone is no reason not to start" 0 "$CONF is valid" \
		"synwarden: $TMP/list:3: \"192.0.2.1/33\" is not an IPv4 prefix: its length is a number from 0 to 32, or a netmask: left out
synwarden: $TMP/list: 1 of its 2 lines are bad; it is left out, and what the block list last had of it stays" \
		sw check-config "$CONF"
	check "but with --strict" fails sw check-config --strict "$CONF"
	expect "a file that is not there" 1 "" \
		"synwarden: cannot read the configuration file \"$TMP/none\": No such file or directory" \
		sw check-config "$TMP/none"
}

# A file that others may change opens or shuts this host for them.
test_others_file() {
	conf <<<"interface = s0"
	chmod 666 "$CONF"
	expect "a file that every user may change: a warning" 0 "$CONF is valid" \
		"synwarden: $CONF: every user of this host may change $CONF; fix: chmod o-w" sw check-config "$CONF"
	expect "a service of root's does not take it" 1 "" \
		"synwarden: cannot read the configuration file \"$CONF\": every user of this host may change $CONF; fix: chmod o-w" \
		in_server env INVOCATION_ID=1 "$SYNWARDEN" run --config "$CONF"
	chmod 644 "$CONF"
	printf '[block]\nfile = /etc/shadow\n' >"$TMP/foreign"
	sw check-config "$TMP/foreign" >"$TMP/said" 2>&1
	check "a file that is no list: its lines are not shown" fails grep -qF "$(grep -m1 -o '^[^:]*:' /etc/shadow)" "$TMP/said"
	check "a file that is no list: how long they are" grep -qE '^synwarden: /etc/shadow:1: a text of [0-9]+ bytes is not' \
		"$TMP/said"
}

test_bad_file() {
	conf <<-END
		interface = s0
		source-limit = lots
	END
	expect "run with a bad file" 1 "" "synwarden: $CONF:2: source-limit: \"lots\" is not a number from 0 to 50000" \
		sw run --config "$CONF"
	check "run with a bad file: nothing is attached" fails has_program s0
	check "run with a bad file: nothing is pinned" test ! -e "$(pin_dir)"
	conf </dev/null
	expect "a file without an interface" 2 "" \
		"synwarden run: missing argument: IFACE..., or interface = in /etc/synwarden.conf (synwarden help run)" \
		sw run --config "$CONF"
}

test_keys() {
	local objects
	conf <<-END
		; each key but duration
		interface = s0 s1
		dry-run = yes
		source-limit = 77
		port-budget = 55
		challenge = off
		xdp-mode = generic
		listen = 127.0.0.1:9797
		protect = 80
		protect = 8080,[fd99::1]:81
		quiet = yes
		keep = yes
		[port 80]
		budget = 44
		challenge = auto
		[block]
		cidr = 192.0.2.0/24
		[allow]
		file = $TMP/allow
	END
	printf '# two\n192.0.2.1\n\n  fd99:2::/64  # a network\n' >"$TMP/allow"
	start_conf
	objects=$(objects_of "$SW")
	check_equal "status shows the file's options" 'true 77 55 off [["s0","generic"],["s1","generic"]]' "$(status '
		"\(.dry_run) \(.source_limit) \(.port_budget) \(.challenge) \([.interfaces[] | [.name, .xdp_mode]])"')"
	check_equal "a port's own budget and challenge" "44 auto" "$(of_port 80 'budget') $(of_port 80 challenge)"
	check_equal "listen" ok "$(in_server curl -s http://127.0.0.1:9797/healthz)"
	check_equal "the lists, inline and by file" "allow 192.0.2.1
allow fd99:2::/64
block 192.0.2.0/24" "$(sw list | awk '{ print $1, $2 }' | sort)"
	stop_synwarden
	check_equal "quiet: no live lines" "" "$(grep "/s  passed" "$TMP/run.out")"
	check "keep: the filter stays" has_program s0
	sw detach
	check_gone "keep, then detach" "$objects" s0 s1
}

# The command line wins, also after a reload; a port's own section is more specific than both.
test_command_line() {
	conf <<-END
		interface = s1
		port-budget = 55
		source-limit = 77
		[port 80]
		challenge = off
	END
	start_conf --port-budget 66 s0
	check_equal "the command line wins" '66 77 ["s0"]' \
		"$(status '"\(.port_budget) \(.source_limit) \([.interfaces[].name])"')"
	check_equal "the port takes the budget that it does not name from there" "66 off" \
		"$(of_port 80 budget) $(of_port 80 challenge)"
	sed -i 's/^port-budget.*/port-budget = 99/; s/^source-limit.*/source-limit = 88/' "$CONF"
	reload
	check_equal "after a reload too" "66 88" "$(status '"\(.port_budget) \(.source_limit)"')"
	stop_synwarden
}

test_duration() {
	local began
	conf <<<"interface = s0
duration = 2"
	began=$(now_us)
	sw run --config "$CONF" >"$TMP/run.out" 2>"$TMP/run.err"
	check_equal "duration: it ends by itself" 0 $?
	check "duration: and not before" test $(($(now_us) - began)) -ge 2000000
	check "duration: the filter was there, and is gone" test "$(grep -c '^VERDICT' "$TMP/run.out")" = 1 -a \
		-z "$(in_server ip -j link show dev s0 | jq '.[0].xdp // empty')"
}

test_port_budgets() {
	conf <<-END
		interface = s0
		port-budget = 100
		challenge = off
		protect = 80,8080,8081
		[port 8080]
		budget = 1000
		[port 8081]
		challenge = auto
	END
	start_in_server python3 -c 'import socket, time
s = [socket.create_server(("", port), backlog=4096) for port in (8080, 8081)]
time.sleep(120)'
	wait_for listens 8081
	start_conf
	check_budget 80 100
	check_budget 8080 1000
	check_equal "challenge = off: the rest is dropped" "0 true" "$(status '[.ports[] | select(.port == 80 or .port == 8080)] |
		"\(map(.challenged) | add) \(map(.dropped) | add > 20000)"')"
	flood -q -p 8081 -s 0 -r 4000 -c 4000 -t 60 -x
	check_equal "challenge = auto on one port: it is challenged there" "0 true" \
		"$(of_port 8081 dropped) $(status '.ports[] | select(.port == 8081) | .challenged > 2000')"
	check "why: the budget of the port" grep -qF "port 8080 is over its budget of 1000: " <<<"$(sw why 10.99.1.9 -p 8080)"
	sed -i '/^\[port/,$d' "$CONF"
	reload
	check_budget 8080 100
	stop_synwarden
}

# A listener that comes only later has its port's rule at once.
test_late_listener() {
	conf <<-END
		interface = s0
		challenge = off
		protect = 8082
		[port 8082]
		budget = 20
	END
	start_conf
	start_in_server python3 -c 'import socket, time; s = socket.create_server(("", 8082), backlog=4096); time.sleep(60)'
	wait_for listens 8082
	check_budget 8082 20
	stop_synwarden
}

net_up
second_link
silence 0
start_nginx
test_check_config
test_others_file
test_bad_file
test_keys
test_command_line
test_duration
test_port_budgets
test_late_listener
finish
