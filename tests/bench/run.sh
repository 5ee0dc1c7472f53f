#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# `make bench`: what a packet and a transition cost, beside what else could do it, and what clients notice of a flood, on
# the network drawn in tests/lib/network.sh. The sides take turns of about a second; tables.py makes tables of the medians, which
# it prints and keeps under build/bench/. Leaves nothing behind, also on Ctrl-C.
#
#	BENCH_ROUNDS=5	turns of each side
#	BENCH_QUICK=1	one turn and fewer cases, in little more than a minute
#	tests/bench/run.sh [SECTION...]	only these, of those in SECTIONS below
#	tests/bench/run.sh table	puts the tables of the last run into docs/measurements.md
set -u
ROOT=$(readlink -f "$(dirname "$0")/../..")
[ "${1:-}" != table ] || {
	# shellcheck source=tests/lib/measurements.sh
	. "$ROOT/tests/lib/measurements.sh"
	put_into_measurements bench "$ROOT/build/bench/README.md" bench
	exit
}
# shellcheck source=tests/lib/network.sh
. "$ROOT/tests/lib/network.sh"
# shellcheck source=tests/lib/counters.sh
. "$ROOT/tests/lib/counters.sh"

# Those that need the client's end without drop_all come first.
SECTIONS="pass clients download tracker segments http drop scaling answer peers"
RESULTS=$BUILD/bench
QUICK=${BENCH_QUICK:-0}
if [ "$QUICK" = 1 ]; then
	ROUNDS=${BENCH_ROUNDS:-1}
else
	ROUNDS=${BENCH_ROUNDS:-5}
fi
[[ $ROUNDS =~ ^[1-9][0-9]?$ ]] || die "BENCH_ROUNDS is \"$ROUNDS\"; it must be a number from 1 to 99"
# shellcheck source=tests/bench/paths.sh
. "$ROOT/tests/bench/paths.sh"
# shellcheck source=tests/bench/clients.sh
. "$ROOT/tests/bench/clients.sh"
# shellcheck source=tests/bench/tracker.sh
. "$ROOT/tests/bench/tracker.sh"
# shellcheck source=tests/bench/segments.sh
. "$ROOT/tests/bench/segments.sh"
# shellcheck source=tests/bench/http.sh
. "$ROOT/tests/bench/http.sh"
# shellcheck disable=SC2034 # for all of them
FLOOD_CPU=$(($(nproc) > 1))

for tool in bpftool curl ethtool ip jq nft nginx nsenter python3 taskset wrk; do
	command -v $tool >/dev/null || die "$tool is missing: make deps-test"
done
for file in "$SYNWARDEN" "$FLOOD" "$BUILD/tests/bench/xdp" "$BUILD/tests/tools/clients"; do
	[ -x "$file" ] || die "$file is missing: make bench"
done
for section in "$@"; do
	case " $SECTIONS " in
	*" $section "*) ;;
	*) die "\"$section\" is not a section; they are: $SECTIONS" ;;
	esac
done

# record SECTION CASE [KEY=VALUE...]: keeps the JSON object on stdin as one measurement
record() {
	jq -c --arg section "$1" --arg case "$2" '{section: $section, case: $case} + . + ($ARGS.positional
		| map(split("=") | {key: .[0], value: (.[1] | (tonumber? // .))}) | from_entries)' \
		--args "${@:3}" >>"$TMP/rows"
}

# unavailable SECTION CASE REASON
unavailable() {
	echo "  $2 is not available: $3" >&2
	jq -cn --arg section "$1" --arg case "$2" --arg reason "$3" \
		'{section: $section, case: $case, unavailable: $reason}' >>"$TMP/rows"
}

# in_rounds FUNCTION [COUNT]: FUNCTION ROUND, as often as there are rounds
in_rounds() {
	local round count=${2:-$ROUNDS}
	for ((round = 1; round <= count; round++)); do
		echo "  ${1//_/ }: round $round of $count" >&2
		"$1" "$round"
	done
}

# load_xdp in_server|in_client DEVICE PROGRAM, of bench_xdp.bpf.c
load_xdp() {
	"$1" "$BUILD/tests/bench/xdp" attach "$2" "$3" || die "cannot attach $3 to $2"
}

unload_xdp() {
	"$1" ip link set dev "$2" xdpdrv off
}

# lib.sh's cleanup, after what stands outside of the namespaces.
leave() {
	local status=$?
	end_xdp_filter
	end_http_group
	(exit $status)
	cleanup
}
trap leave EXIT

# With the load before the bench begins: beside other work its figures mean little.
describe() {
	jq -n --arg date "$(date -u +%FT%TZ)" --arg kernel "$(uname -sr)" --arg machine "$(uname -m)" \
		--arg cpu "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n1)" --argjson cpus "$(nproc)" \
		--arg version "$("$SYNWARDEN" version | head -n1)" --argjson rounds "$ROUNDS" \
		--argjson load "$(cut -d' ' -f1 /proc/loadavg)" '$ARGS.named'
}

describe >"$TMP/machine"
net_up
silence 0
start_nginx
: >"$TMP/rows"
for section in $SECTIONS; do
	case " ${*:-$SECTIONS} " in
	*" $section "*)
		echo "$section" >&2
		"bench_$section"
		;;
	esac
done
mkdir -p "$RESULTS"
python3 "$ROOT/tests/bench/tables.py" "$TMP/machine" "$TMP/rows" "$RESULTS"
