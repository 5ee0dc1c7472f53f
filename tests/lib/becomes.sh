# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# What becomes of a flood to an address of the server. To be sourced after network.sh and counters.sh.

# flood_to ADDRESS MAC: 500 SYNs, and how many of them became what: "challenged not_local not_served"
flood_to() {
	local before
	scrape
	before="$(packets challenged) $(packets not_local) $(packets not_served)"
	in_client "$FLOOD" -q -r 5000 -c 500 c0 "$2" "$1" || return
	scrape
	echo "$before $(packets challenged) $(packets not_local) $(packets not_served)" |
		awk '{ print $4 - $1, $5 - $2, $6 - $3 }'
}

# becomes NUMBER ADDRESS MAC: whether nearly all of a flood are the NUMBERth of those three
becomes() {
	[ "$(flood_to "$2" "$3" | cut -d' ' -f"$1")" -gt 450 ]
}
