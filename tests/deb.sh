#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The Debian package, on a clean Debian that is booted for it (debootstrap, systemd-nspawn) with the server's end of the
# link as its only interface: installed, configured, booted, scraped, attacked, reloaded, killed, hung, stopped, purged.
# `make test-deb` builds the package first. DEBIAN_MIRROR names another mirror. The kernel is this machine's.
set -u
HERE=$(dirname "$(readlink -f "$0")")
# shellcheck source=tests/lib.sh
. "$HERE/lib.sh"
# shellcheck source=tests/counters.sh
. "$HERE/counters.sh"

MIRROR=${DEBIAN_MIRROR:-http://deb.debian.org/debian}
CLEAN=$ROOT/build/debian # kept for the next time
MACHINE=$TMP/machine
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
	cp "$PACKAGE" "$MACHINE/root/synwarden.deb"
	cp /etc/resolv.conf "$MACHINE/etc/resolv.conf"
	chroot "$MACHINE" apt-get -qq install --download-only --no-install-recommends /root/synwarden.deb >"$TMP/fetch" 2>&1 ||
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
	wait_for 60 is_booted || die "the machine does not boot: $(tail -n3 "$TMP/console")"
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

test_install() {
	check "it installs" in_machine env DEBIAN_FRONTEND=noninteractive apt-get -qq install --no-install-recommends \
		/root/synwarden.deb
	check_equal "without an interface: enabled, not started, not failed" "enabled inactive exec-condition" \
		"$(unit UnitFileState) $(unit ActiveState) $(unit Result)"
	check_equal "no unit has failed" "" "$(in_machine systemctl --failed --plain --no-legend)"
	check "the manual is found" in_machine test -e /usr/share/man/man8/synwarden.8.gz
	in_machine sed -i 's/^;interface = eth0/interface = s0/; s/^;protect = .*/protect = 8080/' $CONF
	check_equal "it is valid" "$CONF is valid" "$(in_machine synwarden check-config)"
	check "started" in_machine systemctl restart synwarden
	check_equal "active once it filters" "active filtering on s0" "$(unit ActiveState) $(unit StatusText)"
	check "the filter is there" has_program s0
}

test_boot() {
	shut_down
	check "a machine that is off has no filter" fails has_program s0
	boot
	wait_for 10 has_state active
	check_equal "it starts at boot" active "$(unit ActiveState)"
	check "and filters" has_program s0
	check_equal "its rights" "cap_bpf cap_net_admin cap_perfmon" \
		"$(unit CapabilityBoundingSet | tr ' ' '\n' | sort | paste -sd' ')"
}

# What the sandbox might have taken from it.
test_scrape() {
	check_equal "it is scraped" "$(sed -n 's/^VERSION *:= *//p' Makefile)" "$(in_machine curl -s http://127.0.0.1:9798/metrics |
		sed -n 's/^synwarden_build_info{.*version="\([^"]*\)".*/\1/p')"
	in_machine systemd-run --quiet --unit=listener --uid=65534 systemd-socket-activate --listen=8080 /bin/cat
	wait_for 5 listens 8080
	check_equal "it names who listens, and whence" "synwarden /system.slice/synwarden.service
systemd-socket- /system.slice/listener.service" "$(in_machine curl -s http://127.0.0.1:9798/api/conns |
		jq -r '.[] | select(.state == "LISTEN") | "\(.comm) \(.cgroup)"' | sort)"
}

# setting NAME
setting() {
	in_server sysctl -n "net.ipv4.$1"
}

test_reload() {
	local try late=0
	in_machine sed -i 's/^;port-budget = .*/port-budget = 0/; s/^;harden = .*/harden = yes/' $CONF
	for ((try = 91; try <= 100; try++)); do
		in_machine sed -i "s/^port-budget = .*/port-budget = $try/" $CONF
		in_machine systemctl reload synwarden && [ "$(budget)" = $try ] || late=$((late + 1))
	done
	check_equal "ten reloads: each is in force when systemctl returns" 0 $late
}

test_attack() {
	take_replies
	flood -p 8080 -r 5000 -c 40000 -s 0 -t 8 -q &
	wait_for 8 is_attacked
	check "systemctl tells of the attack" is_attacked
	check_equal "the kernel's settings are raised" "2 65536 2 2" "$(setting tcp_syncookies) \
$(setting tcp_max_syn_backlog) $(setting tcp_synack_retries) $(setting tcp_timestamps)"
	check "the journal has it as a warning" grep -q '^port 8080 is under SYN attack: ' <<<"$(journal warning)"
	wait $!
}

is_attacked() {
	unit StatusText | grep -q '^filtering on s0; port 8080 is under SYN attack: '
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
	check_equal "mended" 300 "$(budget)"
	check "the journal has it as a notice" grep -qx "$CONF is read again and in force" <<<"$(journal notice)"
}

is_new() {
	[ "$(unit MainPID)" != "$1" ] && has_state active
}

test_crash() {
	local pid
	pid=$(unit MainPID)
	in_machine synwarden block 192.0.2.1
	in_machine sh -c "kill -KILL $pid"
	wait_for 5 has_state activating
	check "killed: the filter stays" has_program s0
	wait_for 15 is_new "$pid"
	check_equal "the next one takes over, with the lists" "$pid active 192.0.2.1" \
		"$(journal notice | sed -n 's/^taking over the filter that run \([0-9]*\) left: .*/\1/p') $(unit ActiveState) $(in_machine synwarden list | awk '{ print $2 }')"
}

# The watchdog's patience is shortened for it.
test_watchdog() {
	local pid
	in_machine sh -c 'mkdir -p /run/systemd/system/synwarden.service.d
		printf "[Service]\nWatchdogSec=3s\nTimeoutAbortSec=1s\n" >/run/systemd/system/synwarden.service.d/test.conf
		systemctl daemon-reload && systemctl restart synwarden'
	pid=$(unit MainPID)
	sleep 5
	check_equal "with a watchdog of three seconds it lives on" "$pid" "$(unit MainPID)"
	in_machine sh -c "kill -STOP $pid"
	wait_for 20 is_new "$pid"
	check "one that hangs is replaced" is_new "$pid"
}

test_stop() {
	in_machine systemctl stop synwarden
	check_equal "stopped" "inactive success" "$(unit ActiveState) $(unit Result)"
	check "the filter is gone" fails has_program s0
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
	env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL make -s -C "$TMP/elsewhere" deb >/dev/null 2>&1
	check "built elsewhere, it is the same, byte by byte" \
		cmp "$PACKAGE" "$TMP/elsewhere/build/deb/$(basename "$PACKAGE")"
}

net_up
test_package
make_clean_debian
prepare_machine
boot
files >"$TMP/before"
test_install
test_boot
test_scrape
test_reload
test_attack
test_bad_reload
test_crash
test_watchdog
test_stop
test_purge
finish
