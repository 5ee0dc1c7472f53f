#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# `synwarden sync` with Debian's CrowdSec: its LAPI alone, without a network, in the client's namespace. Decisions are made
# and deleted with cscli, imported by the thousand while deltas are read, and outlive the LAPI.
#
# test: long long-only slow fetch no-asan no-kernels
set -u
ROOT=$(readlink -f "$(dirname "$0")/../..")
# shellcheck source=tests/lib/network.sh
. "$ROOT/tests/lib/network.sh"
# shellcheck source=tests/lib/counters.sh
. "$ROOT/tests/lib/counters.sh"

CONF=$TMP/synwarden.conf
CS=$TMP/crowdsec
LAPI= # the pid of crowdsec

command -v crowdsec >/dev/null || die "crowdsec is missing (make deps-test-long)"

configure_lapi() {
	mkdir -p "$CS"/{log,data,etc/notifications}
	cp /etc/crowdsec/profiles.yaml /etc/crowdsec/simulation.yaml "$CS/etc/"
	cat >"$CS/config.yaml" <<-END
		common: {daemonize: false, log_media: file, log_level: info, log_dir: $CS/log, working_dir: .}
		config_paths:
		  config_dir: $CS/etc/
		  data_dir: $CS/data/
		  simulation_path: $CS/etc/simulation.yaml
		  hub_dir: /var/lib/crowdsec/hub/
		  index_path: /var/lib/crowdsec/hub/.index.json
		  notification_dir: $CS/etc/notifications/
		  plugin_dir: /usr/lib/crowdsec/plugins/
		cscli: {output: human, color: "no"}
		db_config: {log_level: info, type: sqlite, use_wal: true, db_path: $CS/data/crowdsec.db, flush: {max_items: 5000, max_age: 7d}}
		api:
		  client: {insecure_skip_verify: false, credentials_path: $CS/etc/local_api_credentials.yaml}
		  server:
		    log_level: info
		    listen_uri: 10.99.0.2:8080
		    profiles_path: $CS/etc/profiles.yaml
		prometheus: {enabled: false}
	END
	cli machines add test --password secret --force >/dev/null 2>&1 || die "cscli cannot add a machine"
	cli bouncers add host1 -o raw >"$TMP/key" 2>/dev/null
	chmod 600 "$TMP/key"
}

cli() {
	in_client cscli -c "$CS/config.yaml" "$@"
}

start_lapi() {
	start_in_client crowdsec -c "$CS/config.yaml" -no-cs >"$CS/out" 2>&1
	LAPI=$!
	wait_for cli lapi status >/dev/null 2>&1 || die "the LAPI does not start: $(tail -n3 "$CS/log/crowdsec.log" "$CS/out")"
}

start_sync() {
	cat >"$CONF" <<-END
		interface = s0
		xdp-mode = native
		[crowdsec]
		url = http://10.99.0.2:8080/
		key-file = $TMP/key
		interval = 1s
		spread = 0s
	END
	start_synwarden --config "$CONF"
	start_in_server "$SYNWARDEN" sync --config "$CONF" >"$TMP/sync.out" 2>"$TMP/sync.err"
	SYNC=$!
	wait_for is_fresh || die "sync does not start: $(cat "$TMP/sync.err")"
}

is_fresh() {
	[ "$(of .fresh)" = true ]
}

of() {
	sw sync status --json | jq -c "$1"
}

of_is() {
	[ "$(of "$1")" = "$2" ]
}

is_blocked() {
	[ "$(get 10.99.0.1 "203.0.113.$1")" = 000 ]
}

is_open() {
	[ "$(get 10.99.0.1 "203.0.113.$1")" = 200 ]
}

ms_until() {
	local began=${EPOCHREALTIME/./}
	wait_for "$@" || return
	echo $(((${EPOCHREALTIME/./} - began) / 1000))
}

decide() {
	cli decisions add "$@" >/dev/null 2>&1 || echo "cscli decisions add $* fails" >&2
}

undo() {
	cli decisions delete "$@" >/dev/null 2>&1 || echo "cscli decisions delete $* fails" >&2
}

test_decisions() {
	decide --ip 203.0.113.7 --duration 4h
	check_time "ms until a decision drops" 0 3000 "$(ms_until is_blocked 7)"
	decide --range 203.0.113.19/29 --duration 10m
	check "a range with host bits" wait_for is_blocked 22
	decide --ip 203.0.113.8 --duration 1h --type captcha
	wait_for of_is .left_out.type 1
	check "a captcha is no ban" is_open 8
	undo --ip 203.0.113.7
	check_time "ms until its deletion lets in" 0 3000 "$(ms_until is_open 7)"
	decide --ip 203.0.113.9 --duration 1h --reason long
	decide --ip 203.0.113.9 --duration 8s --reason short
	check "two decisions on an address" wait_for is_blocked 9
	wait_for has_expired
	check "the longer one holds when the shorter one has ended" is_blocked 9
}

# Of "short", the LAPI says so itself.
has_expired() {
	! cli decisions list -o raw 2>/dev/null | grep -q short
}

# Deltas may lose decisions while they are imported: the comparison has them all.
test_import() {
	local i
	{
		echo "value,scope,duration,reason,type"
		for ((i = 0; i < 10000; i++)); do
			echo "198.18.$((i / 250)).$((i % 250)),ip,4h,import,ban"
		done
	} >"$TMP/list.csv"
	cli decisions import -i "$TMP/list.csv" >/dev/null 2>&1
	kill -HUP "$SYNC"
	check "10,000 imported decisions, the address and the range" wait_for of_is .block_entries 10002
	echo "# missed by deltas: $(of .missed_by_deltas)"
	check "memory: 40 MiB at most" test "$(awk '/^VmHWM/ { print $2 }' "/proc/$SYNC/status")" -le 40960
}

test_dead() {
	decide --ip 203.0.113.10 --duration 10s
	wait_for is_blocked 10
	stop $LAPI KILL
	wait_for of_is '.failures > 0' true
	check "the LAPI is dead: blocked" is_blocked 9
	check "an entry ends on its time" wait_for is_open 10
	check "and no other" is_blocked 9
	start_lapi
	check "the LAPI is back" wait_for of_is .failures 0
	decide --ip 203.0.113.11 --duration 1h
	check "and heard" wait_for is_blocked 11
}

net_up
for i in {1..30}; do
	echo "addr add 203.0.113.$i/32 dev lo"
done | in_client ip -batch -
start_nginx
configure_lapi
start_lapi
start_sync
test_decisions
test_import
test_dead
stop "$SYNC"
check_equal "sync ends: status" 0 $?
finish
