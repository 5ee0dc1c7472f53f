#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Lists at scale, and the fleet's: --max-entries bounds a list, 100,000 entries (in the long form) are there in 3 s, the commands say what only
# the fleet has blocked and how to undo it, and its pins are there only with a section [sync].
#
# test: long no-kernels no-asan
set -u
ROOT=$(readlink -f "$(dirname "$0")/../..")
# shellcheck source=tests/lib/network.sh
. "$ROOT/tests/lib/network.sh"
# shellcheck source=tests/lib/counters.sh
. "$ROOT/tests/lib/counters.sh"
# shellcheck source=tests/lib/conf.sh
. "$ROOT/tests/lib/conf.sh"

MANY=$(long_or 100000 10000)
FILL_MS=$((MANY * 3 / 100)) # of CPU, which other processes do not add to

# hosts COUNT FIRST: addresses, no two of them neighbours
hosts() {
	awk -v count="$1" -v first="$2" 'BEGIN { for (i = 0; i < count; i++)
		printf "%d.%d.%d.%d\n", first, i / 32768, i / 128 % 256, i % 128 * 2 }'
}

# cpu_ms COMMAND...: what it takes, in the server's namespace
cpu_ms() {
	in_server python3 -c 'import resource, subprocess, sys
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(int((used.ru_utime + used.ru_stime) * 1000))' "$@"
}

# fleet VERB LIST SECONDS [SOURCE [ORIGIN [SCENARIO]]]: as sync would, of the prefixes on stdin
fleet() {
	in_server "$BUILD/tests/tools/fleet_fill" "$@"
}

lists_in_status() {
	status '.lists | map("\(.list) \(.entries) of \(.capacity)") | join(", ")'
}

lists_are() {
	[ "$(lists_in_status)" = "$1" ]
}

saved_are() {
	[ "$(cat "$STATE_DIRECTORY"/*.lists | grep -c '^block ')" = "$1" ]
}

# start_refused: what a start says that fails for the size of the lists
start_refused() {
	in_server timeout 60 "$SYNWARDEN" run --config "$CONF" 2>&1 | grep 'have no room'
}

has_no_fleet_pins() {
	[ "$(fleet_pins)" = 0 ]
}

fleet_pins() {
	in_server ls "$(pin_dir)" | grep -c '^fleet_'
}

test_size() {
	local took
	printf 'interface = s0\nmax-entries = 1024\n' | conf
	start_conf
	check_equal "without [sync]: no pins of a fleet" 0 "$(fleet_pins)"
	hosts 1024 10 >"$TMP/hosts"
	check_equal "--max-entries: so many fit" "1,024 prefixes of \"$TMP/hosts\" are blocked until removed" \
		"$(sw block --file "$TMP/hosts" | cut -d';' -f1)"
	expect "and no more" 1 "" "synwarden: the block list is full (1024 entries); remove some: synwarden unblock CIDR" \
		sw block 192.0.2.1
	check_equal "status" "allow 0 of 1024, block 1024 of 1024" "$(lists_in_status)"
	check_equal "status, as text" "lists: 0 allowed, 1,024 blocked, of 1,024 each;" \
		"$(sw status | grep -o '^lists: .* each;')"
	printf 'interface = s0\nmax-entries = 131072\n' | conf
	reload
	check_equal "a reload does not change it" \
		"synwarden: $CONF is read again and in force, but for max-entries: changed only by a restart" "$(said)"
	kill -9 "$SW" && wait "$SW" 2>/dev/null
	KEEP_STATE=1 start_conf
	check "a take-over with other sizes has the entries" \
		wait_for lists_are "allow 0 of 131072, block 1024 of 131072" # until then, status reads the former maps
	hosts "$MANY" 20 >"$TMP/hosts"
	took=$(cpu_ms "$SYNWARDEN" block --file "$TMP/hosts")
	check_between "$MANY entries: CPU milliseconds" 1 "$FILL_MS" "$took"
	check_equal "they are there" $((MANY + 1024)) "$(sw list --from command --count)"
	check "and are saved" wait_for saved_are $((MANY + 1024))
	printf 'interface = s0\nmax-entries = 1024\n' | conf
	kill -9 "$SW" && wait "$SW" 2>/dev/null
	check_equal "a take-over with too few is refused" "synwarden: $MANY entries of the block list of the former run have no \
room (max-entries: 1024 entries); start with more of them" "$(start_refused)"
	check "and the former run's filter stays, and has them" lists_are "allow 0 of 131072, block $((MANY + 1024)) of 131072"
	sw detach
	check_equal "as is a start" "synwarden: $MANY entries of the block list of $(echo "$STATE_DIRECTORY"/*.lists) have no room (max-entries: \
1024 entries); start with more of them" "$(start_refused)"
	printf 'interface = s0\nmax-entries = 131072\n' | conf
	KEEP_STATE=1 start_conf
	check_equal "with enough, all are there again" $((MANY + 1024)) "$(sw list --from command --count)"
	stop_synwarden
}

test_fleet() {
	printf 'interface = s0\nmax-entries = 1024\n[sync]\nmax-entries = 2048\n' | conf
	start_conf
	check_equal "with [sync]: its pins" 8 "$(fleet_pins)"
	check_equal "with [sync]: status" "allow 0 of 1024, block 0 of 1024, fleet_allow 0 of 2048, fleet_block 0 of 2048" \
		"$(lists_in_status)"
	check_equal "a process without rights fills it" 2 \
		"$(printf '10.99.1.9\n198.51.100.0/24\n' | fleet put block 600 crowdsec CAPI crowdsecurity/ssh-bf)"
	check_equal "it drops" 000 "$(get 10.99.0.1 10.99.1.9)"
	scrape
	check "and is counted" test "$(packets fleet_blocked)" -gt 0
	check_equal "metrics" "2 2048 0 1024" "$(value 'list_entries{list="fleet_block"}') \
$(value 'list_capacity{list="fleet_block"}') $(value 'list_entries{list="block"}') $(value 'list_capacity{list="block"}')"
	check_equal "why" "10.99.1.9: drop (fleet_blocked): 10.99.1.9 is on the fleet's block list for another T, from \
crowdsec/CAPI: crowdsecurity/ssh-bf; to let it in here: synwarden allow 10.99.1.9" \
		"$(sw why 10.99.1.9 | sed 's/another [^,]*/another T/')"
	check_equal "why --json" '"fleet_blocked" "crowdsec" "CAPI" "crowdsecurity/ssh-bf"' \
		"$(sw why --json 198.51.100.7 | jq -r '[.reason, .source, .source_origin, .scenario] | map(@json) | join(" ")')"
	check_equal "list" "block 198.51.100.0/24 T by crowdsec/CAPI: crowdsecurity/ssh-bf" \
		"$(sw list --from crowdsec | grep /24 | awk '{ $3 = "T"; print }')"
	check_equal "list --json, and the endpoint" "fleet crowdsec true" "$(sw list --json --from fleet | jq -rs \
		'"\(.[0].origin) \(.[0].source)"') $(in_server curl -s http://127.0.0.1:9798/api/lists |
			jq 'map(select(.origin == "fleet" and .scenario == "crowdsecurity/ssh-bf")) | length == 2')"
	expect "unblock of what only the fleet has" 1 "" "synwarden: unblock: 10.99.1.9 comes from the fleet (crowdsec/CAPI: \
crowdsecurity/ssh-bf); here alone: synwarden allow 10.99.1.9; everywhere: at its source, as cscli decisions delete --ip 10.99.1.9" \
		sw unblock 10.99.1.9
	sw allow 10.99.1.9 >/dev/null
	check_equal "this host's own lists come first" 200 "$(get 10.99.0.1 10.99.1.9)"
	sw unallow 10.99.1.9 >/dev/null
	printf '10.99.1.9\n' | fleet put allow 0 partners >/dev/null
	check_equal "the fleet's allow list before its block list" "pass fleet_allowed" \
		"$(sw why --json 10.99.1.9 | jq -r '"\(.verdict) \(.reason)"')"
	: | fleet replace allow 0 >/dev/null
	printf '10.99.1.8\n' | fleet replace block 0 ops >/dev/null
	check_equal "replaced" "10.99.1.8 ops null" "$(sw list --json | jq -rs 'map("\(.cidr) \(.source) \(.source_origin)") | join(" ")')"
	printf '10.99.1.8\n' | fleet put block 1 ops >/dev/null
	check "an entry ends" wait_for answers_get 10.99.1.8
	check "and is swept" wait_for fleet_is_empty
	kill -9 "$SW" && wait "$SW" 2>/dev/null
	printf '10.99.1.7\n' | fleet put block 0 ops >/dev/null
	KEEP_STATE=1 start_conf
	check_equal "a take-over keeps them" 000 "$(get 10.99.0.1 10.99.1.7)"
	kill -9 "$SW" && wait "$SW" 2>/dev/null
	printf 'interface = s0\nmax-entries = 1024\n' | conf
	KEEP_STATE=1 start_conf
	check "without [sync] any more: no lists of a fleet" wait_for lists_are "allow 0 of 1024, block 0 of 1024"
	check "nor pins" wait_for has_no_fleet_pins
	check_equal "nor entries" 200 "$(get 10.99.0.1 10.99.1.7)"
	stop_synwarden
}

answers_get() {
	[ "$(get 10.99.0.1 "$1")" = 200 ]
}

fleet_is_empty() {
	[ "$(status '.lists[] | select(.list == "fleet_block").entries')" = 0 ]
}

net_up
start_nginx
test_size
test_fleet
finish
