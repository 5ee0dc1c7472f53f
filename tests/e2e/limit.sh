#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# --source-limit: a flooding source is held to it within 10 % from its second second on, on however many CPUs its packets
# arrive; other sources lose nothing, also beside 2^32 spoofed sources, which take no record.
#
# test: alone asan-slow no-kernels
set -u
ROOT=$(readlink -f "$(dirname "$0")/../..")
# shellcheck source=tests/lib/network.sh
. "$ROOT/tests/lib/network.sh"
# shellcheck source=tests/lib/counters.sh
. "$ROOT/tests/lib/counters.sh"

LIMIT=100
FLOOD_RATE=2000 # of the one that floods
FLOODS=()

# As flood, but in the background, and with a pid that can be stopped.
start_flood() {
	local to=$SERVER_ADDR
	[ "$1" != -6 ] || to=$SERVER_ADDR6
	start_in_client "$FLOOD" "$@" -q c0 "$(mac in_server s0)" "$to"
	FLOODS+=($!)
}

# flood_by_two_cpus SECONDS [FLOOD OPTION...]: one source, half of its SYNs on either CPU
flood_by_two_cpus() {
	local cpu
	FLOODS=()
	for cpu in 0 1; do
		start_flood "${@:2}" -C $cpu -r $((FLOOD_RATE / 2)) -c 1000000 -t "$1"
	done
}

stop_floods() {
	kill "${FLOODS[@]}" 2>/dev/null # some may have ended
	wait "${FLOODS[@]}"
}

# sample COMMAND: the number that it prints; and before and after it was asked, in ns
sample() {
	local from
	from=$(date +%s%N)
	SAMPLE=("$("$1")" "$from" "$(date +%s%N)")
}

# check_rate NAME OTHERS SAMPLE...: between a former sample and the last one, the flooder's rate was within 10 % of the
# limit, and others added OTHERS a second. The rate is known as well as the times of the samples.
check_rate() {
	local n=$((SAMPLE[0] - $3)) least most
	least=$((n * 1000000000 / (SAMPLE[2] - $4)))
	most=$((n * 1000000000 / (SAMPLE[1] - $5)))
	check "$1 ($least to $most)" test "$most" -ge $((LIMIT * 9 / 10 + $2)) -a "$least" -le $((LIMIT * 11 / 10 + $2))
}

passed_syns() {
	scrape
	packets syn
}

# Of the one that floods, as counted behind the filter.
passed_of_flooder() {
	in_server nft -j list counter netdev behind flooder | jq '.nftables[].counter.packets // empty'
}

floods_began() {
	[ "$(passed_syns)" -gt 0 ]
}

# What came in, as of the last scrape.
came() {
	echo $(($(packets syn) + $(packets source_limit)))
}

# kept_flooding CAME SAMPLE...: since then the flood came at nine tenths of its rate at least
kept_flooding() {
	[ $((($(came) - $1) * 10000000000)) -ge $((FLOOD_RATE * 9 * (SAMPLE[1] - $4))) ]
}

# check_seconds NAME [OTHERS]: the rate in each of five seconds, from the second one on. A machine that stands still for
# a moment sends no flood, and what it makes up for may begin with a burst: the second after that is a first one.
check_seconds() {
	local second=2 tries=0 steady=1 before was
	wait_for floods_began
	sleep 1
	sample passed_syns
	while [ "$second" -le 6 ] && [ "$tries" -lt 20 ]; do
		before=("${SAMPLE[@]}")
		was=$(came)
		sleep 1
		sample passed_syns
		tries=$((tries + 1))
		if ! kept_flooding "$was" "${before[@]}"; then
			echo "# no flood for a moment: this second and the next say nothing"
			steady=
		elif [ -z "$steady" ]; then
			steady=1
		else
			check_rate "$1: SYN/s that pass in second $second" "${2:-0}" "${before[@]}"
			second=$((second + 1))
		fi
	done
	check_equal "$1: seconds of flood that were looked at" 5 $((second - 2))
}

# limited_sources: ADDRESS DROPPED of those over the limit
limited_sources() {
	sw status --json | jq -r '.limited_sources[] | "\(.source) \(.dropped)"'
}

# Records that were ever claimed, whether or not anything was dropped on their account.
claimed_records() {
	bpftool -j map dump pinned "$(pin_dir)/sources" |
		jq '[.[].formatted.value.ways[] | select(.claimed_ns != 0)] | length'
}

# check_books NAME SOURCE: SOURCE alone was limited, and every packet is accounted for.
check_books() {
	check_sums "$1: the sum over all reasons is what the interface saw" s0
	check "$1: SYNs were dropped" test "$(packets source_limit)" -gt 2000
	check_equal "$1: the limited sources" "$2 $(packets source_limit)" "$(limited_sources)"
	check_equal "$1: records taken" 1 "$(claimed_records)"
	check_equal "$1: no source went unjudged" 0 "$(value 'bookkeeping_failures_total{table="sources"}')"
}

# requests FIRST LAST: each from an address never seen before; prints each status
requests() {
	local i
	for ((i = $1; i <= $2; i++)); do
		get 10.99.0.1 "10.99.1.$i" --max-time 5
	done
}

begin() {
	mark_rx s0
	start_synwarden --source-limit $LIMIT --port-budget 0
}

test_one_source() {
	begin
	flood_by_two_cpus 60
	check_seconds "one source on two CPUs"
	stop_floods
	check_books "one source on two CPUs" 198.18.0.1
	stop_synwarden
}

# An IPv6 /64 is one source, and the next one another: it sends half of what it may.
test_ip6() {
	begin
	flood_by_two_cpus 60 -6 -s 1000
	start_flood -6 -e -S 2001:db8:0:1::1 -s 1000 -r $((LIMIT / 2)) -c 10000 -t 60
	check_seconds "an IPv6 /64 on two CPUs" $((LIMIT / 2))
	stop_floods
	check_books "an IPv6 /64 on two CPUs" 2001:db8::/64
	stop_synwarden
}

# test_others NAME FIRST LAST [FLOOD OPTION...]: clients do not notice the one that floods, nor others besides; and
# those do not help it
test_others() {
	local name=$1 first=$2 last=$3 before
	shift 3
	begin
	flood_by_two_cpus 60
	[ $# = 0 ] || start_flood "$@"
	wait_for floods_began
	sleep 1
	sample passed_of_flooder
	before=("${SAMPLE[@]}")
	requests "$first" "$last" >"$TMP/requests"
	sleep 1
	sample passed_of_flooder
	check_rate "$name: SYN/s of the flooder that pass" 0 "${before[@]}"
	stop_floods
	check_equal "$name: every request is answered" "$((last - first + 1)) 200" \
		"$(sort "$TMP/requests" | uniq -c | awk '{ print $1, $2 }')"
	check_books "$name" 198.18.0.1
	stop_synwarden
}

# Behind the filter: counts what comes through of the source that floods. What goes to port 9 ends here: its flood is to
# be as fast as it can.
count_behind() {
	in_server nft -f - <<-END
		table netdev behind {
			counter flooder {}
			chain ingress {
				type filter hook ingress device s0 priority 0
				ip saddr 198.18.0.1 counter name flooder
				tcp dport 9 drop
			}
		}
	END
}

net_up
silence 0
count_behind
start_nginx
test_one_source
test_ip6
test_others "beside a flood" 1 60
test_others "beside a flood and 2^32 spoofed sources" 61 120 -C 1 -s 0 -r 0 -c 1000000000 -t 4 -p 9
check "the spoofed sources were many ($(packets syn) SYNs)" test "$(packets syn)" -gt 200000
finish
