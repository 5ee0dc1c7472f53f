#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A reader of the stream that is late: `states --json` is stopped while more transitions happen than its ring holds, and
# goes on. What it prints and what it says was lost are together what happened, to the last transition, as a second
# tracker tells that was not stopped; and the gauges of `run` are those of ss within a second.
set -u
HERE=$(dirname "$(readlink -f "$0")")
# shellcheck source=tests/lib.sh
. "$HERE/lib.sh"
# shellcheck source=tests/counters.sh
. "$HERE/counters.sh"

PORT=7001
CONNECTIONS=16000
TRANSITIONS=10 # of each, on both sides
RING=130000    # so many events fit into 16 MiB at least
TOLERANCE=1000 # transitions that a virtual machine may hide from BPF, one in so many: see e2e_rps.sh

# start_tracker FILE
start_tracker() {
	start "$SYNWARDEN" states --json --port $PORT >"$1" 2>"$1.err"
	wait_for 10 grep -q following "$1.err" || die "no tracker: $(cat "$1.err")"
}

# events FILE: how many transitions of connections it holds, the listener's aside
events() {
	jq -c 'select(.lost == null and .old != null and .new != "LISTEN")' "$1" | grep -cv '"old":"LISTEN","new":"CLOSE"'
}
