#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A new configuration for a running `run`: all of it or nothing, lists apart from those of commands, what
# needs a restart; and while traffic flows no packet goes by unjudged.
#
# test: slow no-kernels
# fault: A configuration with an error | the former one stays in force, all of it
set -u
ROOT=$(readlink -f "$(dirname "$0")/../..")
# shellcheck source=tests/lib/network.sh
. "$ROOT/tests/lib/network.sh"
# shellcheck source=tests/lib/counters.sh
. "$ROOT/tests/lib/counters.sh"
# shellcheck source=tests/lib/conf.sh
. "$ROOT/tests/lib/conf.sh"

RELOADS=20

test_restart_needed() {
	conf <<-END
		interface = s0
		port-budget = 10
		protect = 80
		protect = 81
	END
	start_conf
	conf <<-END
		interface = s0 s1
		port-budget = 20
		protect = 81,82
		listen = 127.0.0.1:9797
		xdp-mode = native
	END
	reload
	check_equal "what needs a restart is said" "synwarden: $CONF is read again and in force, but for interface, xdp-mode, \
listen, protect (what it no longer names stays known): changed only by a restart" "$(said)"
	check_equal "the rest is in force" '20 [["s0","generic"]]' \
		"$(status '"\(.port_budget) \([.interfaces[] | [.name, .xdp_mode]])"')"
	check_equal "the endpoint is where it was" ok "$(in_server curl -s http://127.0.0.1:9798/healthz)"
	stop_synwarden
}

may_ask() {
	in_server curl -s -o /dev/null -w '%{http_code}' -u "$1" http://127.0.0.1:9798/healthz
}

# Who may ask is read once: a reload says so, again and again.
test_access() {
	local again
	# shellcheck disable=SC2016 # crypt(3) wants them so
	perl -e 'print "ann:", crypt("secret", q($6$saltsalt$)), "\n"' >"$TMP/users"
	sed s/ann/bob/ "$TMP/users" >"$TMP/others"
	chmod 600 "$TMP/users" "$TMP/others"
	printf 'interface = s0\nauth-file = %s\n# the last line\n' "$TMP/users" | conf
	start_conf --port-budget 5
	check_equal "the file's own auth-file is used" "200 401" "$(may_ask ann:secret) $(may_ask bob:secret)"
	reload
	check_equal "auth-file: unchanged" "synwarden: $CONF is read again and in force" "$(said)"
	sed -i s/users/others/ "$CONF"
	for again in "" ", said again"; do
		reload
		check_equal "auth-file: another one$again" "synwarden: $CONF is read again and in force, but for \
auth-file: changed only by a restart" "$(said)"
	done
	sed -i s/others/users/ "$CONF"
	sed -i s/ann/bob/ "$TMP/users"
	reload
	check_equal "auth-file: other users in it" "synwarden: $CONF is read again and in force, but for \
auth-file: changed only by a restart" "$(said)"
	check_equal "auth-file: until then those of the start" "200 401" "$(may_ask ann:secret) $(may_ask bob:secret)"
	stop_synwarden
}

test_no_file() {
	start_synwarden
	SAID=$(wc -l <"$TMP/run.err")
	kill -HUP "$SW"
	wait_for grep -q "to be read again" "$TMP/run.err"
	check_equal "SIGHUP without a file" "synwarden: there is no /etc/synwarden.conf to be read again" "$(said)"
	check_equal "run goes on" ok "$(in_server curl -s http://127.0.0.1:9798/healthz)"
	stop_synwarden
}

lacks_program() {
	! has_program s0
}

# The kernel's SIGHUP is another matter: the terminal is gone, and no operator asked for a reload.
test_terminal() {
	local script
	start_in_server script -qc "$SYNWARDEN run s0" /dev/null >/dev/null 2>&1 </dev/null
	script=$!
	wait_for filtering 127.0.0.1:9798
	check "on a terminal: it filters" has_program s0
	kill -KILL "$script"
	wait "$script" 2>/dev/null
	wait_for lacks_program
	check "the terminal is gone: so is the filter" lacks_program
}

# A new file that is not valid, in its last line or only in a list, changes nothing at all.
test_all_or_nothing() {
	local before
	conf <<-END
		interface = s0
		port-budget = 30
		[block]
		cidr = 192.0.2.0/24
	END
	start_conf
	before=$(status '[.port_budget, .source_limit, .dry_run]')$(sw list)
	conf <<-END
		interface = s0
		port-budget = 40
		dry-run = yes
		[block]
		cidr = 198.51.100.0/24
		cidr = 198.51.100.0/44
	END
	reload
	check_equal "a bad new file: what it says" "synwarden: $CONF:6: cidr: \"198.51.100.0/44\" is not an IPv4 prefix: \
its length is a number from 0 to 32, or a netmask
synwarden: $CONF is not applied: what was in force stays" "$(said)"
	check_equal "a bad new file: nothing is changed" "$before" "$(status '[.port_budget, .source_limit, .dry_run]')$(sw list)"
	rm "$CONF"
	reload
	check_equal "a file that is gone: what it says" "synwarden: cannot read the configuration file \"$CONF\": No such file \
or directory
synwarden: $CONF is not applied: what was in force stays" "$(said)"
	check_equal "a file that is gone: nothing is changed" "$before" \
		"$(status '[.port_budget, .source_limit, .dry_run]')$(sw list)"
	conf <<-END
		interface = s0
		port-budget = 40
		dry-run = yes
		[block]
		cidr = 10.99.1.4
	END
	reload
	check_equal "a good one is applied" "[40,true]" "$(status '[.port_budget, .dry_run]')"
	check_equal "a dry run since then: a blocked source is answered" 200 "$(get 10.99.0.1 10.99.1.4)"
	sed -i /dry-run/d "$CONF"
	reload
	check_equal "and no longer one" 000 "$(get 10.99.0.1 10.99.1.4)"
	stop_synwarden
}

# An entry goes when neither the file nor a command has it any more.
test_lists() {
	printf 'interface = s0\n[block]\nfile = %s\n' "$TMP/blocked" | conf
	printf '192.0.2.1\n192.0.2.2\n198.51.100.0/24\n' >"$TMP/blocked"
	start_conf
	check_equal "lists: of the file" "192.0.2.1 192.0.2.2 198.51.100.0/24" "$(blocked)"
	sw block 192.0.2.2 192.0.2.3 >/dev/null
	sw block 192.0.2.4 --for 10m >/dev/null
	expect "a time for what the file names" 0 "" "synwarden: 192.0.2.1 is on the block list by the configuration file: it \
stays as long as the file says" sw block 192.0.2.1 --for 1s
	printf '192.0.2.3\n192.0.2.4\n192.0.2.5\n' >"$TMP/blocked"
	reload
	check_equal "lists: gone from the file, but a command's stay" "192.0.2.2 192.0.2.3 192.0.2.4 192.0.2.5" "$(blocked)"
	check_equal "lists: one that was to expire is the file's now" "192.0.2.4 until removed" \
		"$(sw list | awk '$2 == "192.0.2.4" { print $2, $3, $4 }')"
	expect "unblock what the file names" 0 "192.0.2.5 is off the block list" "synwarden: 192.0.2.5 is in the configuration file: unless it is removed \
there, the next start or reload puts it back" sw unblock 192.0.2.5
	check_equal "lists: it is gone" "192.0.2.2 192.0.2.3 192.0.2.4" "$(blocked)"
	reload
	check_equal "lists: the reload puts it back" "192.0.2.2 192.0.2.3 192.0.2.4 192.0.2.5" "$(blocked)"
	: >"$TMP/blocked"
	reload
	check_equal "lists: an empty file leaves what commands added" "192.0.2.2 192.0.2.3" "$(blocked)"
	stop_synwarden
}

# What is known to be served, as the kernel side has it.
served() {
	bpftool -j map dump pinned "$(pin_dir)/served" | jq -c 'map(.key) | sort'
}

# A list that is nearly full can be replaced by another as large; one that is too large is refused.
test_large_lists() {
	local i before
	printf 'interface = s0\n[block]\nfile = %s\n' "$TMP/blocked" | conf
	for ((i = 0; i < 65536; i++)); do
		echo "10.$((i / 32768)).$((i / 128 % 256)).$((i % 128 * 2))" # no neighbours, which would be joined
	done >"$TMP/blocked"
	start_conf
	check_equal "65,536 entries" 65536 "$(sw list | wc -l)"
	sed -i 's/^10\./20./' "$TMP/blocked"
	reload
	check_equal "65,536 others" "65536 0" "$(sw list | wc -l) $(sw list | grep -c ' 10\.')"
	echo 30.0.0.0/16 >>"$TMP/blocked"
	reload
	check_equal "one too many: the file is not taken, the rest of the configuration is" "synwarden: $TMP/blocked: with it the \
block list would have 65537 entries, and holds 65536 at most; it is left out, and what the block list last had of it stays
synwarden: $CONF is read again and in force" "$(said)"
	check_equal "one too many: the list stays" "65536 1" "$(sw list | wc -l) $(status .list_files_waiting)"
	head -n 65535 "$TMP/blocked" >"$TMP/fewer"
	mv "$TMP/fewer" "$TMP/blocked"
	reload
	sw block 30.0.0.0/16 >/dev/null
	sed -i 's/^20\./40./; $ a 50.0.0.0/16' "$TMP/blocked"
	before=$(served)
	echo "protect = 8099" | cat - "$CONF" >"$TMP/more" && mv "$TMP/more" "$CONF"
	reload
	check_equal "no room beside a command's" "synwarden: the block list is full (65536 entries); remove some: synwarden \
unblock CIDR
synwarden: $CONF is not applied: what was in force stays" "$(said)"
	check_equal "no room beside a command's: the list is as it was" "65535 1" \
		"$(sw list | grep -c ' 20\.') $(sw list | grep -c ' 30\.')"
	check_equal "no room beside a command's: so is what is known to be served" "$before" "$(served)"
	sw unblock 20.0.0.14 >/dev/null 2>&1
	sw block 60.0.0.0/16 --for 1h >/dev/null
	sed -i "s/^50\\./60./" "$TMP/blocked"
	reload
	check_equal "no room again" "synwarden: the block list is full (65536 entries); remove some: synwarden \
unblock CIDR
synwarden: $CONF is not applied: what was in force stays" "$(said)"
	check_equal "no room: an entry with a time keeps it, one that a command took off stays off" "65534 1 0 1" \
		"$(sw list | awk '/ 20\./ { file++ } $2 == "60.0.0.0/16" && $4 != "removed" { timed++ }
			$2 == "20.0.0.14" { off++ } / 30\./ { command++ } END { print file + 0, timed + 0, off + 0, command + 0 }')"
	stop_synwarden
}

# write_conf N: another budget, another list each time
write_conf() {
	printf 'interface = s0\nport-budget = %d\nchallenge = off\nprotect = 80\n[port 8080]\nbudget = %d\n' \
		$((100 + $1)) $((1 + $1 % 2)) | conf
	printf '[block]\ncidr = 198.18.0.0/15\ncidr = 192.0.2.%d\n' "$1" >>"$CONF"
}

# A blocked source floods, and a download goes on, through many reloads.
test_under_traffic() {
	local flood objects first i
	write_conf 0
	mark_rx s0
	start_conf
	start_download
	start_in_client "$FLOOD" -r 20000 -c 10000000 -t 60 c0 "$(mac in_server s0)" "$SERVER_ADDR" >"$TMP/flood"
	flood=$!
	write_conf 1
	reload
	first=$(least_objects)
	for ((i = 2; i <= RELOADS; i++)); do
		write_conf "$i"
		reload
		objects+=$'\n'$(objects_of "$SW")
	done
	check_equal "reloads that were applied" "$RELOADS" "$(grep -c 'is read again and in force' "$TMP/run.err")"
	check_equal "the last one is in force" "$((100 + RELOADS)) 192.0.2.$RELOADS 198.18.0.0/15" \
		"$(status .port_budget) $(blocked)"
	check_equal "no reload leaves anything behind" "$first" "$(least_objects)"
	end_download "$RELOADS reloads"
	stop "$flood"
	check_sums "under reloads: the sum over all reasons is what the interface saw" s0
	check "under reloads: there was a flood" test "$(packets blocked)" -gt 50000
	check_equal "under reloads: each of its SYNs that came was blocked" 1 "$(packets syn)" # the download's
	stop_synwarden
	check_gone "after the reloads" "$(sort -u <<<"$objects" | sed '/^$/d')" s0
}

is_hardened() {
	[ "$(in_server sysctl -n net.ipv4.tcp_synack_retries)" = 2 ]
}

test_harden() {
	printf 'interface = s0\nport-budget = 10\nprotect = 80\n' | conf
	start_conf
	flood -q -s 0 -r 2000 -c 2000 -t 60 -x
	wait_for grep -q "is armed" "$TMP/run.err"
	check "not hardened yet" fails is_hardened
	echo "harden = yes" >>"$CONF"
	reload
	wait_for is_hardened
	check "harden, while a port is armed" is_hardened
	stop_synwarden
	check "put back at the end" fails is_hardened
}

net_up
second_link
silence 0
start_nginx
test_restart_needed
test_access
test_no_file
test_terminal
test_all_or_nothing
test_lists
test_large_lists
test_under_traffic
test_harden
finish
