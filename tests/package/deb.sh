#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The Debian package, on a clean Debian that is booted for it (debootstrap, systemd-nspawn) with the server's end of the
# link as its only interface: installed, configured and upgraded by the commands of docs/install.md's first hour; booted,
# scraped, attacked, reloaded, killed, hung, stopped, purged. `make test-deb` builds the package first. DEBIAN_MIRROR names
# another mirror. The kernel is this machine's.
set -u
ROOT=$(readlink -f "$(dirname "$0")/../..")
# shellcheck source=tests/lib/network.sh
. "$ROOT/tests/lib/network.sh"
# shellcheck source=tests/lib/counters.sh
. "$ROOT/tests/lib/counters.sh"
# shellcheck source=tests/lib/probe.sh
. "$ROOT/tests/lib/probe.sh"

MIRROR=${DEBIAN_MIRROR:-http://deb.debian.org/debian}
CLEAN=$ROOT/build/debian # kept for the next time
MACHINE=$TMP/machine
PACKAGES=root/build/deb # of the machine, as the documents name them from /root
CONF=/etc/synwarden.conf
PACKAGE=$(ls "$ROOT"/build/deb/synwarden_*.deb) || die "no package is built: make deb"
BOOTED= # the pid of systemd-nspawn

# Kept where it is whole.
make_clean_debian() {
	[ ! -e "$CLEAN.whole" ] || return 0
	rm -rf "$CLEAN"
	debootstrap --variant=minbase --include=systemd-sysv,dbus,curl,iproute2 \
		"$(. /etc/os-release && echo "$VERSION_CODENAME")" "$CLEAN" "$MIRROR" >"$CLEAN.log" 2>&1 ||
		die "debootstrap fails; see $CLEAN.log"
	touch "$CLEAN.whole"
}

# What the package depends on is fetched from here: the machine has no way out.
prepare_machine() {
	cp -a "$CLEAN" "$MACHINE"
	printf 'APT::Get::Assume-Yes "true";\nAPT::Install-Recommends "false";\n' >"$MACHINE/etc/apt/apt.conf.d/99test"
	mkdir -p "$MACHINE/$PACKAGES"
	cp "$PACKAGE" "$MACHINE/$PACKAGES/"
	cp /etc/resolv.conf "$MACHINE/etc/resolv.conf"
	chroot "$MACHINE" apt-get -qq install --download-only "/$PACKAGES/$(basename "$PACKAGE")" >"$TMP/fetch" 2>&1 ||
		die "cannot fetch what the package depends on: $(tail -n1 "$TMP/fetch")"
}

# in_machine COMMAND...
in_machine() {
	nsenter -t "$(pgrep -P "$BOOTED")" -a -- "$@"
}

is_booted() {
	in_machine systemctl is-system-running 2>/dev/null | grep -qE 'running|degraded'
}

# systemd mounts bpffs on every machine, but not in a container.
boot() {
	mkdir -p "$TMP/bpf"
	mountpoint -q "$TMP/bpf" || mount -t bpf -o mode=0700 bpf "$TMP/bpf"
	start env SYSTEMD_NSPAWN_API_VFS_WRITABLE=1 systemd-nspawn --quiet --directory="$MACHINE" --boot --register=no \
		--keep-unit --network-namespace-path="/run/netns/$SERVER" --capability=all \
		--system-call-filter='bpf perf_event_open' --bind="$TMP/bpf:/sys/fs/bpf" </dev/null >"$TMP/console" 2>&1
	BOOTED=$!
	wait_for is_booted || die "the machine does not boot: $(tail -n3 "$TMP/console")"
}

shut_down() {
	in_machine systemctl poweroff
	wait "$BOOTED"
}

# What it leaves besides; lib.sh's own comes last.
clean_up_machine() {
	[ -z "$BOOTED" ] || stop "$BOOTED"
	umount "$TMP/bpf" 2>/dev/null
	cleanup
}
trap 'clean_up_machine' EXIT

# Every file with its mode and contents, but for logs, caches and the package manager's own notes; and the pins.
files() {
	local not=(-path /proc) path
	for path in /sys /dev /run /tmp /root /var/tmp /var/cache /var/log /var/lib/apt /var/lib/dpkg; do
		not+=(-o -path "$path")
	done
	{
		in_machine find / -xdev \( "${not[@]}" \) -prune -o -printf '%p %m %y %l\n'
		in_machine find / -xdev \( "${not[@]}" \) -prune -o -type f -exec md5sum {} +
		find "$TMP/bpf" -mindepth 1 -type d
	} | sort
}

# unit PROPERTY
unit() {
	in_machine systemctl show --property="$1" --value synwarden
}

has_state() {
	[ "$(unit ActiveState)" = "$1" ]
}

metric() {
	in_machine curl -s http://127.0.0.1:9798/metrics | sed -n "s/^$1 //p"
}

# journal PRIORITY: what the service has said that is as grave
journal() {
	in_machine journalctl --unit synwarden --priority "$1" --output cat --no-pager _COMM=synwarden
}

budget() {
	in_machine synwarden status --json | jq .port_budget
}

# commands SECTION WORDS: the first commands that docs/install.md gives there below a line with these words
commands() {
	awk -v section="## $1" -v words="$2" '/^## / { within = $0 == section } !within { next }
		index($0, words) { found = 1 } shown && /^```$/ { exit } shown; found && /^```sh$/ { shown = 1 }' docs/install.md
}

# first_hour STEP: does it; the package is built already
first_hour() {
	in_machine env DEBIAN_FRONTEND=noninteractive sh -ec "cd /root
$(commands "The first hour" "**$1" | grep -vxE 'git pull|make deb' | sed 's/\beth0\b/s0/')"
}

# doctor exits with 3 where something could be better.
installs() {
	local status
	first_hour Install
	status=$?
	[ "$status" = 0 ] || [ "$status" = 3 ]
}

start_listener() {
	in_machine systemd-run --quiet --unit=listener --uid=65534 systemd-socket-activate --listen=8080 /bin/cat
	wait_for listens 8080
}

# lists: their entries, and how they came there
lists() {
	in_machine synwarden list --json | jq -r '"\(.cidr) \(.origin)"' | sort | paste -sd,
}

test_install() {
	check "it installs, and doctor finds nothing broken" installs
	check_equal "without an interface: enabled, not started, not failed" "enabled inactive exec-condition" \
		"$(unit UnitFileState) $(unit ActiveState) $(unit Result)"
	check_equal "no unit has failed" "" "$(in_machine systemctl --failed --plain --no-legend)"
	check "the manual is found" in_machine test -e /usr/share/man/man8/synwarden.8.gz
}

test_first_hour() {
	check "a dry run starts" first_hour "Dry run"
	check_equal "active once it filters" "active WARNING: dry run: nothing is filtered; filtering on s0 (dry run: everything passes)" \
		"$(unit ActiveState) $(unit StatusText)"
	check "the filter is there" has_program s0
	start_listener
	flood -p 8080 -r 100 -c 300 -q
	check "it proposes a port's budget" grep -qE -- 'proposed, .* --port-budget [0-9]+' <(first_hour Limits)
	check "it filters" first_hour Filter
	check_equal "with that budget" "3000 false" "$(in_machine synwarden status --json | jq -r '"\(.port_budget) \(.dry_run)"')"
	check "it blocks" first_hour Block
	check_equal "both entries" "198.51.100.7 command,203.0.113.0/24 command" "$(lists)"
	in_machine sed -i 's/^;protect = .*/protect = 8080/' $CONF
	check_equal "it is valid" "$CONF is valid" "$(in_machine synwarden check-config)"
	check "restarted" in_machine systemctl restart synwarden
}

test_boot() {
	shut_down
	check "a machine that is off has no filter" fails has_program s0
	boot
	wait_for has_state active
	check_equal "it starts at boot" active "$(unit ActiveState)"
	check "and filters" has_program s0
	check_equal "what commands blocked is blocked again" "198.51.100.7 command,203.0.113.0/24 command" "$(lists)"
	in_machine synwarden unblock 198.51.100.7 203.0.113.0/24
	check_equal "its rights" "cap_bpf cap_net_admin cap_perfmon" \
		"$(unit CapabilityBoundingSet | tr ' ' '\n' | sort | paste -sd' ')"
}

# What the sandbox might have taken from it.
test_scrape() {
	check_equal "it is scraped" "$(sed -n 's/^VERSION *:= *//p' Makefile)" "$(in_machine curl -s http://127.0.0.1:9798/metrics |
		sed -n 's/^synwarden_build_info{.*version="\([^"]*\)".*/\1/p')"
	start_listener
	check_equal "it names the listening process and its cgroup" "synwarden /system.slice/synwarden.service
systemd-socket- /system.slice/listener.service" "$(in_machine curl -s http://127.0.0.1:9798/api/conns |
		jq -r '.[] | select(.state == "LISTEN") | "\(.comm) \(.cgroup)"' | sort)"
}

# setting NAME
setting() {
	in_server sysctl -n "net.ipv4.$1"
}

test_reload() {
	local try late=0
	in_machine sed -i 's/^;harden = .*/harden = yes/' $CONF
	for ((try = 91; try <= 100; try++)); do
		in_machine sed -i "s/^port-budget = .*/port-budget = $try/" $CONF
		in_machine systemctl reload synwarden && [ "$(budget)" = $try ] || late=$((late + 1))
	done
	check_equal "ten reloads: each is in force when systemctl returns" 0 $late
}

test_attack() {
	take_replies
	flood -p 8080 -r 5000 -c 40000 -s 0 -t 8 -q &
	wait_for is_attacked
	check "systemctl reports the attack" is_attacked
	check_equal "the kernel's settings are raised" "2 65536 2 2" "$(setting tcp_syncookies) \
$(setting tcp_max_syn_backlog) $(setting tcp_synack_retries) $(setting tcp_timestamps)"
	check "the journal has it as a warning" grep -q '^port 8080 is under SYN attack: ' <<<"$(journal warning)"
	wait $!
}

is_attacked() {
	unit StatusText | grep -q '; filtering on s0; port 8080 is under SYN attack: '
}

test_bad_reload() {
	in_machine sed -i 's/^port-budget = .*/port-budget = lots/' $CONF
	check "a reload with an error fails" fails in_machine systemctl reload synwarden
	check_equal "what was in force stays" "100 active" "$(budget) $(unit ActiveState)"
	check_equal "the journal has the error, and what it means, and nothing else as grave" \
		"$CONF:$(in_machine grep -n '^port-budget' $CONF | cut -d: -f1): port-budget: \"lots\" is not a number from 0 to \
10000000
$CONF is not applied: what was in force stays" "$(journal err)"
	check_equal "and the status says it" "the last reload was refused, see the log" "$(unit StatusText | cut -d';' -f1)"
	in_machine sed -i 's/^port-budget = .*/port-budget = 300/' $CONF
	in_machine systemctl reload synwarden
	check_equal "fixed" 300 "$(budget)"
	check "the journal has it as a notice" grep -qx "$CONF is read again and in force" <<<"$(journal notice)"
}

# The package once more, as of a version behind it.
make_newer_package() {
	local tree=$TMP/newer
	dpkg-deb -R "$PACKAGE" "$tree"
	sed -i 's/^Version: .*/&+newer/' "$tree/DEBIAN/control"
	dpkg-deb --root-owner-group -b "$tree" "$TMP/" >/dev/null
}

# make_in TREE TARGET: as from a shell of its own
make_in() {
	env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL make -s -C "$1" "$2" >/dev/null 2>&1
}

# One more version, built from the sources with other maps, while the rest is tested.
begin_newest_package() {
	local layout
	layout=$(awk '$2 == "LAYOUT" { print $3 }' "$TMP/elsewhere/include/types.h")
	sed -i "s/^\(#define LAYOUT[[:blank:]]\+\)$layout$/\1$((layout + 1))/" "$TMP/elsewhere/include/types.h"
	sed -i 's/^VERSION .*/&+newest/' "$TMP/elsewhere/Makefile"
	start make_in "$TMP/elsewhere" deb
	BUILDING=$!
}

# check_upgrade VERSION FILE
check_upgrade() {
	rm "$MACHINE/$PACKAGES"/*
	cp "$2" "$MACHINE/$PACKAGES/"
	check "upgraded" first_hour Upgrade
	check "to the version $1" grep -q "^Version: .*+$1$" <<<"$(in_machine dpkg --status synwarden)"
	wait_for has_state active
}

# No packet of one a millisecond gets past the filter while the service restarts, by systemctl or for an upgrade, whatever
# maps the newer version has.
test_no_gap() {
	local before
	start_probe
	check "the probe arrives" wait_for arrived_more_than 10
	in_machine synwarden block "$PROBE_SOURCE"
	wait_for none_arrives || die "what is blocked arrives"
	before=$(wc -l <"$TMP/arrived")
	check "restarted" in_machine systemctl restart synwarden
	check "restarted once more" in_machine systemctl restart synwarden
	make_newer_package
	check_upgrade newer "$TMP"/synwarden_*+newer_*.deb
	check "a newer version with other maps is built" wait "$BUILDING"
	check_upgrade newest "$TMP"/elsewhere/build/deb/synwarden_*+newest_*.deb
	check "it takes the lists over, and no counters" \
		grep -q '^taking over from synwarden .*: its lists go on, its counters cannot be reused$' <<<"$(journal warning)"
	check_equal "packets that got past the filter" 0 $(($(wc -l <"$TMP/arrived") - before))
	check_equal "the lists go on" "$PROBE_SOURCE command" "$(lists)"
	in_machine systemctl --quiet stop synwarden
	check "a stop removes the filter" wait_for arrived_more_than "$before"
	in_machine systemctl start synwarden
	in_machine synwarden unblock "$PROBE_SOURCE"
	stop_probe
}

# start_connecting: tries to connect to the endpoint; at its end prints how often it was refused
start_connecting() {
	start_in_server python3 -c '
import signal, socket, sys, time
tried = refused = 0
def end(*_):
	print(tried, refused, flush=True)
	sys.exit()
signal.signal(signal.SIGTERM, end)
while True:
	try:
		tried += 1
		socket.create_connection(("127.0.0.1", 9798)).close()
	except ConnectionRefusedError:
		refused += 1
	time.sleep(0.005)' >"$TMP/connected"
	CONNECTING=$!
}

test_socket() {
	check "the socket is enabled" in_machine sh -ec "$(commands "The service" synwarden.socket)"
	check_equal "both are active" $'active\nactive' "$(in_machine systemctl is-active synwarden.socket synwarden.service)"
	in_machine systemctl --quiet stop synwarden
	check "a connection starts the service" in_machine curl -sf http://127.0.0.1:9798/healthz
	wait_for has_state active
	start_connecting
	in_machine systemctl restart synwarden
	stop "$CONNECTING"
	check_between "connections while it restarts" 20 100000 "$(cut -d' ' -f1 "$TMP/connected")"
	check_equal "refused of them" 0 "$(cut -d' ' -f2 "$TMP/connected")"
	in_machine systemctl --quiet disable --now synwarden.socket
	in_machine systemctl restart synwarden
}

is_new() {
	[ "$(unit MainPID)" != "$1" ] && has_state active
}

test_crash() {
	local pid
	pid=$(unit MainPID)
	in_machine synwarden block 192.0.2.1
	in_machine sh -c "kill -KILL $pid"
	wait_for has_state activating
	check "killed: the filter stays" has_program s0
	wait_for is_new "$pid"
	check_equal "the next one takes over, with the lists" "$pid active 192.0.2.1" \
		"$(journal notice | sed -n 's/^taking over the filter that run \([0-9]*\) left: .*/\1/p' | tail -n1) $(unit ActiveState) $(in_machine synwarden list | awk '{ print $2 }')"
}

# The watchdog's patience is shortened for it.
test_watchdog() {
	local pid
	in_machine sh -c 'mkdir -p /run/systemd/system/synwarden.service.d
		printf "[Service]\nWatchdogSec=3s\nTimeoutAbortSec=1s\n" >/run/systemd/system/synwarden.service.d/test.conf
		systemctl daemon-reload && systemctl restart synwarden'
	pid=$(unit MainPID)
	sleep 5
	check_equal "with a watchdog of three seconds it keeps running" "$pid" "$(unit MainPID)"
	in_machine sh -c "kill -STOP $pid"
	wait_for is_new "$pid"
	check "one that hangs is replaced" is_new "$pid"
}

test_stop() {
	in_machine systemctl --quiet stop synwarden
	check_equal "stopped" "inactive success" "$(unit ActiveState) $(unit Result)"
	check "the filter is gone" wait_for fails has_program s0
	check_equal "the pins are gone" "" "$(find "$TMP/bpf/synwarden" -mindepth 1)"
}

# A filter that stays behind the service goes with the package.
test_purge() {
	in_machine sed -i 's/^;keep = .*/keep = yes/' $CONF
	in_machine systemctl start synwarden
	check "it purges" in_machine env DEBIAN_FRONTEND=noninteractive apt-get -qq purge --autoremove synwarden
	check "no filter is left" fails has_program s0
	files >"$TMP/after"
	check_between "files of the machine before" 5000 50000 "$(wc -l <"$TMP/before")"
	check_equal "no trace is left" "" "$(diff "$TMP/before" "$TMP/after")"
	check_equal "no unit is known" not-found "$(unit LoadState)"
}

test_package() {
	check_equal "lintian finds nothing" "" "$(lintian "$ROOT"/build/deb/*.changes 2>&1 | grep -v 'root privileges')"
	mkdir "$TMP/elsewhere"
	tar -C "$ROOT" -c --exclude=./build --exclude=./.git . | tar -x -C "$TMP/elsewhere"
	make_in "$TMP/elsewhere" deb
	check "built elsewhere, it is the same, byte by byte" \
		cmp "$PACKAGE" "$TMP/elsewhere/build/deb/$(basename "$PACKAGE")"
	begin_newest_package
}

net_up
test_package
make_clean_debian
prepare_machine
boot
files >"$TMP/before"
test_install
test_first_hour
test_boot
test_scrape
test_reload
test_attack
test_bad_reload
test_no_gap
test_socket
test_crash
test_watchdog
test_stop
test_purge
finish
