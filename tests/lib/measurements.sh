# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Puts tables into docs/measurements.md. To be sourced.

# put_into_measurements NAME FILE TARGET: FILE replaces what is between <!-- NAME --> and <!-- end of NAME -->; the make
# target TARGET writes FILE.
put_into_measurements() {
	local page
	page=$(dirname "${BASH_SOURCE[0]}")/../../docs/measurements.md
	[ -e "$2" ] || {
		echo "there is no $2: make $3 writes it" >&2
		return 1
	}
	sed -i -e "/^<!-- $1 -->/,/^<!-- end of $1 -->/{/^<!--/!d}" -e "/^<!-- $1 -->/r $2" "$page"
}
