#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The fail2ban action with Debian's fail2ban, and import and export of nftables sets: what each of them bans, the filter
# drops, and what ends there ends here.
#
# test: slow no-asan no-kernels
set -u
ROOT=$(readlink -f "$(dirname "$0")/../..")
# shellcheck source=tests/lib/network.sh
. "$ROOT/tests/lib/network.sh"
# shellcheck source=tests/lib/counters.sh
. "$ROOT/tests/lib/counters.sh"

CONF=$TMP/fail2ban
JAIL=$TMP/jail.log
export PATH=$BUILD:$PATH

client() {
	in_server fail2ban-client -c "$CONF" -s "$TMP/fail2ban.sock" "$@"
}

# A configuration of its own: one jail, which bans each address that the log names twice.
start_fail2ban() {
	mkdir -p "$CONF"/{action.d,filter.d,fail2ban.d,jail.d}
	cp "$ROOT/contrib/fail2ban/synwarden.conf" "$CONF/action.d/"
	printf '[Definition]\nloglevel = INFO\nlogtarget = %s\nsyslogsocket = auto\nsocket = %s\npidfile = %s\ndbfile = None\n' \
		"$TMP/fail2ban.log" "$TMP/fail2ban.sock" "$TMP/fail2ban.pid" >"$CONF/fail2ban.conf"
	printf '[Definition]\nfailregex = ^ refused <HOST>$\n' >"$CONF/filter.d/door.conf"
	cat >"$CONF/jail.conf" <<-END
		[DEFAULT]
		usedns = no
		ignoreself = false
		backend = polling
		[door]
		enabled = true
		filter = door
		logpath = $JAIL
		maxretry = 2
		findtime = 600
		bantime = 600
		action = synwarden
	END
	: >"$JAIL"
	start_in_server fail2ban-server -f -x -c "$CONF" start >/dev/null
	wait_for client ping >/dev/null 2>&1 || die "fail2ban does not start: $(tail -n3 "$TMP/fail2ban.log")"
}

refuse() {
	local line
	line="$(date '+%Y-%m-%d %H:%M:%S') refused $1"
	printf '%s\n%s\n' "$line" "$line" >>"$JAIL"
}

listed() {
	sw list | awk '{ print $1, $2 }' | sort | paste -sd' '
}

listed_is() {
	[ "$(listed)" = "$1" ]
}

test_fail2ban() {
	local left
	start_fail2ban
	refuse 10.99.1.9
	refuse fd99:1::9
	check "what fail2ban bans is blocked" wait_for listed_is "block 10.99.1.9 block fd99:1::9"
	check_equal "it gets nothing" "000 000" "$(get 10.99.0.1 10.99.1.9) $(get '[fd99::1]' fd99:1::9)"
	left=$(sw list --json | jq -s 'map(.expires_in_seconds) | min')
	check_between "as long as the ban" 500 600 "$left"
	check_equal "unban" 1 "$(client unban 10.99.1.9)"
	check "it is unblocked" wait_for listed_is "block fd99:1::9"
	check_equal "and answered" 200 "$(get 10.99.0.1 10.99.1.9)"
	sw unblock fd99:1::9 >/dev/null
	client unban fd99:1::9 >/dev/null
	client set door bantime -1 >/dev/null
	client set door banip 10.99.1.10 >/dev/null
	check "a ban without an end" wait_for listed_is "block 10.99.1.10"
	check_equal "it has none" null "$(sw list --json | jq .expires_in_seconds)"
	client stop >/dev/null
	check "fail2ban ends, and its bans with it" wait_for listed_is ""
	check_equal "fail2ban has seen no error, not even of what was gone before" "" "$(grep -E 'ERROR|WARN' "$TMP/fail2ban.log")"
}

nft_list() {
	in_server nft -j list set inet "$1" "$2" | jq -c '[.nftables[] | .set? // empty | .elem[]? |
		if type == "object" and .elem then .elem.val else . end | if type == "object" then (.prefix // .range) else . end]'
}

test_nftables() {
	in_server nft -f - <<-END
		table inet filter {
			set bad { type ipv4_addr; flags interval, timeout; elements = { 192.0.2.0/25, 198.51.100.1-198.51.100.2, 203.0.113.1 timeout 1h } }
			set bad6 { type ipv6_addr; flags interval; elements = { 2001:db8::/32 } }
		}
	END
	check "import" in_server "$ROOT/contrib/nftables/import.sh" inet filter bad
	check "import, IPv6" in_server "$ROOT/contrib/nftables/import.sh" inet filter bad6
	check_equal "prefixes, ranges, addresses" \
		"block 192.0.2.0/25 block 198.51.100.1 block 198.51.100.2 block 2001:db8::/32 block 203.0.113.1" "$(listed)"
	check_between "a time goes with its element" 3500 3600 \
		"$(sw list --json | jq 'select(.cidr == "203.0.113.1").expires_in_seconds')"
	# shellcheck disable=SC2016
	check "export" in_server sh -c '"$0" synwarden blocked | nft -f -' "$ROOT/contrib/nftables/export.sh"
	check_equal "the sets hold what the list holds" \
		'[{"addr":"192.0.2.0","len":25},["198.51.100.1","198.51.100.2"],"203.0.113.1"] [{"addr":"2001:db8::","len":32}]' \
		"$(nft_list synwarden blocked4) $(nft_list synwarden blocked6)"
	sw unblock 192.0.2.0/25 198.51.100.1 198.51.100.2 2001:db8::/32 203.0.113.1 >/dev/null
	# shellcheck disable=SC2016
	check "export of an empty list" in_server sh -c '"$0" synwarden blocked | nft -f -' "$ROOT/contrib/nftables/export.sh"
	check_equal "the sets are empty" "[] []" "$(nft_list synwarden blocked4) $(nft_list synwarden blocked6)"
}

net_up
silence 0
start_nginx
start_synwarden
test_fail2ban
test_nftables
finish
