#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Prints a script for nft -f that makes two nftables sets hold what synwarden's block list holds, each element with the time
# that it has left: NAME4 and NAME6 in the table `inet TABLE`, which is made where it is not there.
#
#	export.sh TABLE NAME [allow|block]	e.g. export.sh synwarden blocked | nft -f -
set -eu

[ $# -ge 2 ] || { echo "usage: $0 TABLE NAME [allow|block]" >&2; exit 2; }

entries=$(synwarden list --json)
echo "$entries" | jq -rs --arg table "$1" --arg name "$2" --arg list "${3:-block}" '
	def element: .cidr + (if .expires_in_seconds then " timeout \(.expires_in_seconds)s" else "" end);
	def set($family): "\($name)\($family)" as $set |
		"add set inet \($table) \($set) { type ipv\($family)_addr; flags interval, timeout; auto-merge; }",
		"flush set inet \($table) \($set)",
		(map(select(.list == $list and (.cidr | contains(":")) == ($family == 6)) | element) |
			if length > 0 then "add element inet \($table) \($set) { \(join(", ")) }" else empty end);
	"add table inet \($table)", set(4), set(6)'
