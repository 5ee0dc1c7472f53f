#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The filter program and tshark agree on what frames are, most of which are a little wrong. LONG=1: half a million
# frames; `make differential` takes a million, and any seed.
#
# test: long asan-slow no-kernels
set -u
ROOT=$(readlink -f "$(dirname "$0")/../..")
# shellcheck source=tests/lib/network.sh
. "$ROOT/tests/lib/network.sh"

FRAMES=$(long_or 500000 50000)

# column NUMBER: of the table's last line, without commas
column() {
	awk -F'|' -v at="$(($1 + 1))" '/^\| all / { gsub(/[ ,]/, "", $at); print $at }' "$TMP/table"
}

cd "$ROOT" || exit 1
python3 "$ROOT/tests/fuzz/differential.py" "$FRAMES" >"$TMP/table" 2>"$TMP/different"
check_equal "$FRAMES frames: the filter and tshark differ on none" "0 " "$? $(cat "$TMP/different")"
check_equal "$FRAMES frames: each is accounted for" "$FRAMES" $(($(column 2) + $(column 3)))
check_between "$FRAMES frames: so many are decoded" $((FRAMES * 95 / 100)) "$FRAMES" "$(column 2)"
check_equal "reasons that bytes settle, and those of packets that no rule is for" 20 \
	"$(grep -v '^| all ' "$TMP/table" | grep -c '^| [a-z_0-9]* | [1-9]')"
finish
