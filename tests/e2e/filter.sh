#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The filter on real traffic: every packet is counted under one reason and none is missed; a dry run counts the same and
# drops nothing; generic mode and two interfaces do as native mode and one.
#
# test: slow asan-slow
set -u
ROOT=$(readlink -f "$(dirname "$0")/../..")
# shellcheck source=tests/lib/network.sh
. "$ROOT/tests/lib/network.sh"
# shellcheck source=tests/lib/counters.sh
. "$ROOT/tests/lib/counters.sh"

COUNT=1000
RATE=$((10000 / ${PATIENCE:-1})) # a second; a veth's ring has room for 256

# begin [OPTION...]: a run whose sums check_sums can compare
begin() {
	mark_rx s0
	start_synwarden --port-budget 0 --stray-budget 0 "$@"
	scrape
}

# came_after COMMAND...: REASON PACKETS BYTES of what was counted since the last scrape
came_after() {
	verdicts >"$TMP/before"
	"$@"
	wait_for packets_agree s0
	verdicts | awk -v before="$TMP/before" '
		BEGIN {
			while ((getline line <before) > 0) {
				split(line, v, " ")
				packets[v[1]] = v[2]
				bytes[v[1]] = v[3]
			}
		}
		$2 != packets[$1] { print $1, $2 - packets[$1], $3 - bytes[$1] }'
}

test_kinds() {
	local kind reason bytes bytes6
	begin
	while read -r kind reason bytes bytes6; do
		check_equal "$kind: what was counted" "$reason $COUNT $((COUNT * bytes))" \
			"$(came_after flood -k "$kind" -r $RATE -c $COUNT -s 50 -q)"
		check_equal "$kind over IPv6: what was counted" "$reason $COUNT $((COUNT * bytes6))" \
			"$(came_after flood -6 -k "$kind" -r $RATE -c $COUNT -s 50 -q)"
	done <<-END
		syn syn 74 94
		ack segment 54 74
		rst segment 54 74
		fin segment 54 74
		data segment 118 138
		udp not_tcp 106 126
	END
	flood -p 81 -r $RATE -c $COUNT -q
	check_sums "every kind: the sum over all reasons is what the interface saw" s0
	check_equal "every kind: packets and bytes that the interface saw, and sent" \
		"$((13 * COUNT)) $(sum_of bytes_total)" "$(seen_by s0)"
	check_equal "SYNs to a listening port" $((2 * COUNT)) "$(value 'syns_total{port="80"}')"
	check_equal "SYNs to where nobody listens" $COUNT "$(value 'syns_total{port="other"}')"
	stop_synwarden
}

# As fast as it goes, from many sources, all of them blocked.
flood_fast() {
	flood -r 0 -c 3000000 -s 131071 -t 4 >"$TMP/flood"
}

test_fast() {
	local came
	begin
	sw block 198.18.0.0/15 >/dev/null
	came=$(came_after flood_fast)
	check_equal "a fast flood: every packet is dropped and counted, with its bytes" \
		"$(jq -r '"blocked \(.sent) \(.sent * 74)"' "$TMP/flood")" "$came"
	check_sums "a fast flood: the sum over all reasons is what the interface saw" s0
	stop_synwarden
}

# Sound and unsound, blocked and not.
send_mixture() {
	sw block 198.18.0.0/16 2001:db8::/48 >/dev/null
	in_client python3 "$ROOT/tests/tools/junk.py" c0 "$(mac in_server s0)" 20 >"$TMP/junk"
	flood -c 500 -s 100 -q
	flood -k udp -c 500 -s 100 -q
	flood -6 -k data -c 500 -q
	flood -S 198.19.0.1 -c 500 -q
}

# What is sound of the junk comes from a blocked source.
expected_of_mixture() {
	awk '$1 ~ /^(syn|segment|fragment|not_tcp)$/ { $1 = "blocked" }
		{ packets[$1] += $2; bytes[$1] += $3 }
		END { for (reason in packets) print reason == "within" ? "syn" : reason, packets[reason], bytes[reason] }
	' - "$TMP/junk" <<-END | sort
		blocked 500 $((500 * 74))
		blocked 500 $((500 * 106))
		blocked 500 $((500 * 138))
		within 500 $((500 * 74))
	END
}

# test_mode NAME XDP_MODE ANSWER [OPTION...]: ANSWER is what a blocked source gets
test_mode() {
	local name=$1 mode=$2 answer=$3
	shift 3
	begin "$@"
	check_equal "$name: the mode that it names" "$mode" \
		"$(series build_info | sed -n 's/.*xdp_mode="\([a-z]*\)".*/\1/p')"
	send_mixture
	check_sums "$name: the sum over all reasons is what the interface saw" s0
	check_equal "$name: what was counted" "$(expected_of_mixture)" "$(verdicts)"
	sw block 10.99.1.7 fd99:1::7 >/dev/null
	check_equal "$name: what a blocked source gets" "$answer" "$(get 10.99.0.1 10.99.1.7)"
	check_equal "$name: what a blocked IPv6 source gets" "$answer" "$(get '[fd99::1]' fd99:1::7)"
	check_equal "$name: what others get" 200 "$(get 10.99.0.1 10.99.1.8)"
	check_sums "$name: sums after the requests" s0
	check "$name: requests of the blocked are counted" test "$(packets blocked)" -ge 1588
	stop_synwarden
	check_equal "$name: it ends well" 0 $?
}

test_two_interfaces() {
	second_link
	silence 1
	mark_rx s0 s1
	start_synwarden --port-budget 0 --stray-budget 0 s0 s1
	check_equal "two interfaces: it names both" \
		"synwarden: s0: filtering in native mode"$'\n'"synwarden: s1: filtering in native mode" "$(messages)"
	flood -c 300 -k ack -q
	in_client "$FLOOD" -c 500 -k ack -q c1 "$(mac in_server s1)" 10.98.0.1
	check_sums "two interfaces: the sum over all reasons is what both saw" s0 s1
	check_equal "two interfaces: what was counted" "segment 800 $((800 * 54))" "$(verdicts)"
	check_equal "two interfaces: both pass" "200 200" "$(get 10.99.0.1 10.99.1.7) $(get 10.98.0.1 10.98.0.2)"
	sw block 10.99.1.7 10.98.0.2 >/dev/null
	check_equal "two interfaces: both filter" "000 000" "$(get 10.99.0.1 10.99.1.7) $(get 10.98.0.1 10.98.0.2)"
	stop_synwarden
}

net_up
silence 0
start_nginx
test_kinds
test_fast
test_mode "native mode" native 000
test_mode "generic mode" generic 000 --xdp-mode generic
test_mode "dry run" native 200 --dry-run
test_two_interfaces
finish
