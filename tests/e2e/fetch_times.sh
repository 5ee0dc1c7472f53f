#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# test: timed fetch no-kernels
#
# The times that `synwarden fetch` tells, beside those of the segments in its own ladder, on the network drawn in
# tests/lib/network.sh: in the median of some fetches, within 50 us. That of connect begins with the call, before the SYN
# leaves: its SYN to SYN-ACK is compared. The document comes in two pieces, 100 ms apart. fetch comes before all else that
# the machine has to do: what is compared are the clocks that are read.
set -u
ROOT=$(readlink -f "$(dirname "$0")/../..")
# shellcheck source=tests/lib/network.sh
. "$ROOT/tests/lib/network.sh"

FETCHES=11
WITHIN_US=50

# The differences of a fetch, in microseconds: its object comes first, then the ladder's. Segments of the answer are those
# with data that come in.
differences() {
	jq -s '.[0] as $page
		| [foreach (.[] | select(.kind == "segment")) as $segment (0; . + ($segment.delta_us // 0); $segment + {at_us: .})]
		| map(select(.dir == "out")) as $out | map(select(.dir == "in")) as $in
		| ($in | map(select(.len > 0))) as $answer
		| {"SYN to SYN-ACK": ($page.attempts[0].rtt_us - $in[0].at_us + $out[0].at_us),
			"first byte": ($page.first_byte_us - $answer[0].at_us + ($out | map(select(.len > 0)))[-1].at_us),
			document: ($page.document_us - $answer[-1].at_us + $answer[0].at_us)}' "$1"
}

# Of their size, in whole microseconds. median STEP
median() {
	jq -s --arg step "$1" 'map(.[$step]) | sort | .[length / 2 | floor] | fabs | ceil' "$TMP/differences"
}

net_up
start_in_server "$ROOT/tests/tools/fetch_server.py" 10.99.0.1 >"$TMP/server"
wait_for grep -q ready "$TMP/server"
for ((i = 0; i < FETCHES; i++)); do
	in_client chrt --fifo 1 "$SYNWARDEN" fetch --json --ladder http://10.99.0.1:8012/ >"$TMP/fetch" 2>"$TMP/err" ||
		die "it is not fetched: $(cat "$TMP/fetch" "$TMP/err")"
	differences "$TMP/fetch" >>"$TMP/differences"
done
for step in "SYN to SYN-ACK" "first byte" document; do
	check_between "$step: microseconds from the ladder's time" 0 $WITHIN_US "$(median "$step")"
done
finish
