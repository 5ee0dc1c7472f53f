#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Puts the elements of an nftables set on synwarden's block list, each with the time that it has left there.
#
#	import.sh FAMILY TABLE SET [allow|block]	e.g. import.sh inet filter blackhole
set -eu

[ $# -ge 3 ] || { echo "usage: $0 FAMILY TABLE SET [allow|block]" >&2; exit 2; }
list=${4:-block}

# "SECONDS ENTRY" a line; SECONDS 0: without an end
elements=$(nft -j list set "$1" "$2" "$3" | jq -r '
	def entry: if type == "string" then . elif .prefix then "\(.prefix.addr)/\(.prefix.len)"
		elif .range then "\(.range[0])-\(.range[1])" else error("\(.) is no address") end;
	.nftables[] | .set? // empty | .elem[]? |
	if type == "object" and .elem then "\(.elem.expires // 0) \(.elem.val | entry)" else "0 \(entry)" end')

[ -n "$elements" ] || exit 0
failed=0
for seconds in $(echo "$elements" | cut -d' ' -f1 | sort -un); do
	echo "$elements" | sed -n "s/^$seconds //p" |
		case $seconds in
		0) synwarden "$list" --file - ;;
		*) synwarden "$list" --for "${seconds}s" --file - ;;
		esac || failed=1
done
exit $failed
