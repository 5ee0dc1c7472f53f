# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The section of tests/bench/run.sh, by which it is sourced, for what a packet costs while `synwarden ladder` runs, beside
# programs that do nothing and libpcap: see segments.c, which toggles them within one run.

SEGMENT_SECONDS=$((10 * ROUNDS))
[ "$QUICK" != 1 ] || SEGMENT_SECONDS=5

bench_segments() {
	in_server "$BUILD/tests/bench/segments" $SEGMENT_SECONDS | jq -c '{section: "segments"} + .' >>"$TMP/rows"
}
