#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The findings of `synwarden doctor`: each setting is broken, found, fixed with exactly the command that the finding names,
# and found well again. It names XDP programs and listeners of others, its exit code is that of the worst finding, and it
# changes nothing; what it may not see is unknown. What no namespace can break (kernel features, BTF, LRO) is tested in
# tests/unit/checks.c.
#
# test: slow
set -u
ROOT=$(readlink -f "$(dirname "$0")/../..")
# shellcheck source=tests/lib/network.sh
. "$ROOT/tests/lib/network.sh"
# shellcheck source=tests/lib/counters.sh
. "$ROOT/tests/lib/counters.sh"

NOBODY=65534
XDP_UNKNOWN= # "native XDP " where no driver tells what it can do: before 6.3
grep -q xdp_features /sys/kernel/btf/vmlinux || XDP_UNKNOWN="native XDP "
BARE=(in_server setpriv "--bounding-set=-bpf,-perfmon,-sys_admin") # who loads no program, and so is quick
PATH=$BUILD:$PATH # what it says to run is `synwarden detach`

# examine [COMMAND...]: a doctor's JSON in $TMP/findings, its exit status in $STATUS; run by COMMAND, else in the server
examine() {
	[ $# != 0 ] || set -- in_server
	"$@" "$SYNWARDEN" doctor --json s0 >"$TMP/findings" 2>"$TMP/err"
	STATUS=$?
}

# field NAME CHECK: of the last findings; "null" where there is none
field() {
	jq -r --arg check "$2" "select(.check == \$check) | .$1" "$TMP/findings"
}

# found NAME CHECK STATUS DETAIL EXIT: of the last findings
found() {
	check_equal "$1" "$3: $4 (exit $5)" "$(field status "$2"): $(field detail "$2") (exit $STATUS)"
}

# fix CHECK COMMAND: it is what the finding says, and it works
fix() {
	local command
	command=$(field command "$1")
	check_equal "$1: the command" "$2" "$command"
	check "$1: the command works" in_server sh -c "$command"
}

# well CHECK...: once more examined, all of it is in order
well() {
	local name
	examine
	for name; do
		check_equal "$name: well again" "ok (exit 0)" "$(field status "$name") (exit $STATUS)"
	done
}

# xdp_detail FINDING: of native XDP, where a driver tells
xdp_detail() {
	if [ -z "$XDP_UNKNOWN" ]; then
		echo "$1"
	else
		echo "unknown: this kernel does not tell without attaching; driver veth"
	fi
}

test_sound() {
	expect "an interface that is none" 2 "" \
		'synwarden: doctor: "nope0" is not an interface of this network namespace; see: ip link' sw doctor s0 nope0
	examine
	found "rp_filter is off in the tests' network" rp_filter weak "0: off" 3
	fix rp_filter "sysctl -w net.ipv4.conf.s0.rp_filter=2"
	well rp_filter
	check_equal "nothing but what cannot be seen from here is left" "${XDP_UNKNOWN}RPS" \
		"$(jq -r 'select(.status != "ok") | .check' "$TMP/findings" | xargs)"
	check_equal "nothing on stderr" "" "$(cat "$TMP/err")"
	check_equal "each line has all fields" "$(wc -l <"$TMP/findings")" "$(jq -c 'select(
		(keys == ["advice", "check", "command", "detail", "interface", "port", "status", "why"]) and
		(.why | length > 0) and (.detail | length > 0))' "$TMP/findings" | wc -l)"
	check_equal "the kernel" "ok: Linux $(uname -rm)" "$(field status kernel): $(field detail kernel)"
	check_equal "the interface's checks name it" "link s0" \
		"$(jq -r 'select(.interface) | "\(.check) \(.interface)"' "$TMP/findings" | head -n1)"
	check_equal "native XDP on a veth" "$(xdp_detail "ok: yes, frames in several buffers too")" \
		"$(field status "native XDP"): $(field detail "native XDP")"
}

test_text() {
	try sw doctor s0
	check_equal "text: exit code" 3 "$STATUS"
	check_equal "text: what, why and how" "weak     tcp_synack_retries   7: half-open connections stay for minutes
         why: it bounds the time that an unanswered SYN stays in the SYN backlog
         fix: sysctl -w net.ipv4.tcp_synack_retries=5" "$(grep -A2 '^weak *tcp_synack_retries' <<<"$OUT")"
	check_equal "text: the sum" "$(wc -l <"$TMP/findings")" \
		"$(tail -n1 <<<"$OUT" | awk -F'[ ,]+' '{ print $1 + $3 + $5 + $7 }')"
	check "text: interfaces have a heading" grep -qx s0 <<<"$OUT"
	check "text in a pipe is plain" fails grep -q $'\033' <<<"$OUT"
	check "text on a terminal is coloured" grep -q $'\033' \
		<("${BARE[@]}" env TERM=xterm script -qec "$SYNWARDEN doctor s0" /dev/null)
}

# setting NAME [VALUE]: of net.
setting() {
	in_server sysctl -q${2:+w} "net.$1${2:+=$2}"
}

# Together, for each examination takes a second or two.
test_settings() {
	local conntrack=
	setting netfilter.nf_conntrack_tcp_loose >/dev/null 2>&1 && conntrack=conntrack # else this kernel has loaded none
	setting ipv4.tcp_synack_retries 7
	setting ipv4.tcp_syncookies 0
	setting ipv4.tcp_timestamps 0
	[ -z "$conntrack" ] || setting netfilter.nf_conntrack_tcp_loose 0
	examine
	found "tcp_synack_retries=7" tcp_synack_retries weak "7: half-open connections stay for minutes" 3
	found "tcp_syncookies=0" tcp_syncookies weak "0: off" 3
	found "tcp_timestamps=0" tcp_timestamps weak "0: off" 3
	test_text
	fix tcp_synack_retries "sysctl -w net.ipv4.tcp_synack_retries=5"
	fix tcp_syncookies "sysctl -w net.ipv4.tcp_syncookies=1"
	fix tcp_timestamps "sysctl -w net.ipv4.tcp_timestamps=1"
	if [ -n "$conntrack" ]; then
		found "nf_conntrack_tcp_loose=0" conntrack weak "tcp_loose 0: a challenged client's ACK is invalid to it" 3
		fix conntrack "sysctl -w net.netfilter.nf_conntrack_tcp_loose=1"
	fi
	well tcp_synack_retries tcp_syncookies tcp_timestamps $conntrack
}

# As in a container: sysctls remounted where only this shell and its children see it, and no bpffs. In a PID namespace of
# its own, or a bpffs would be found where a parent sees it.
# shellcheck disable=SC2016
test_container() {
	in_server unshare -mpf --mount-proc sh -c 'mount -t sysfs none /sys
		mount --bind /proc/sys /proc/sys && mount -o remount,bind,ro /proc/sys
		"$0" doctor --json s0 >"$1"/findings
		"$0" status >"$1"/status 2>&1
		for check in sysctls bpffs; do
			$(jq -r --arg check $check "select(.check == \$check) | .command" "$1"/findings)
		done
		"$0" doctor --json s0 >"$1"/fixed' "$SYNWARDEN" "$TMP"
	check_equal "read-only sysctls" "broken: /proc/sys/net is read-only: SYN cookies cannot be forced, and SYNs over budget pass" \
		"$(field status sysctls): $(field detail sysctls)"
	check_equal "no bpffs" "weak: not mounted at /sys/fs/bpf" "$(field status bpffs): $(field detail bpffs)"
	check "without it there is no run, which root is not refused to see" grep -q "no synwarden is running" "$TMP/status"
	mv "$TMP/fixed" "$TMP/findings"
	check_equal "sysctls: well again" ok "$(field status sysctls)"
	check_equal "bpffs: well again" ok "$(field status bpffs)"
}

# listen PORT BACKLOG [ADDRESS]: a process that listens and never accepts; its pid in $LISTENER
listen() {
	start_in_server python3 -c 'import socket, sys, time
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind((sys.argv[3], int(sys.argv[1])))
s.listen(int(sys.argv[2]))
time.sleep(120)' "$1" "$2" "${3:-0.0.0.0}"
	LISTENER=$!
	wait_for listens "$1"
}

waiting() {
	[ "$(in_server ss -Hltn "sport = $1" | awk '{ print $2 }')" = "$2" ]
}

test_backlog() {
	local near far
	listen 8081 1 127.0.0.1
	near=$LISTENER
	listen 8080 3
	far=$LISTENER
	examine
	found "a small backlog" backlog weak "0.0.0.0:8080 (python3, pid $far): 3" 3
	check_equal "a small backlog: its port, and none of loopback's" 8080 "$(field port backlog)"
	start_in_client bash -c 'for i in 1 2 3 4; do exec {fd}<>/dev/tcp/10.99.0.1/8080; done; sleep 60'
	wait_for waiting 8080 4
	examine
	found "a full accept queue" backlog broken \
		"0.0.0.0:8080 (python3, pid $far): 4 wait for accept(), its backlog of 3 is full" 4
	stop "$far"
	examine
	found "once it is gone" listeners ok "1; those on loopback are out of an attacker's reach" 0
	stop "$near"
}

test_somaxconn() {
	in_server sysctl -qw net.core.somaxconn=200
	listen 8080 1000
	examine
	found "somaxconn caps a listener" somaxconn weak "200, the backlog of 1 listener, named below" 3
	found "and it is named" backlog weak "0.0.0.0:8080 (python3, pid $LISTENER): 200, all that somaxconn lets it have" 3
	stop "$LISTENER"
	in_server sh -c "$(field command somaxconn)" >/dev/null
	listen 8080 1000
	in_server sysctl -qw net.ipv4.tcp_syncookies=0 net.ipv4.tcp_max_syn_backlog=1024
	examine
	found "raised, and the listener restarted" somaxconn ok "4096, caps no listener" 3
	found "without cookies a short SYN queue" tcp_max_syn_backlog weak \
		"1024: a quarter is kept free, and a listener's backlog is 1000" 3
	in_server sh -c "$(field command tcp_syncookies)" >/dev/null
	in_server sysctl -qw net.ipv4.tcp_syncookies=0
	in_server sh -c "$(field command tcp_max_syn_backlog)" >/dev/null
	examine
	found "a long one" tcp_max_syn_backlog ok "4096, enough for the largest backlog, 1000" 3
	in_server sysctl -qw net.ipv4.tcp_syncookies=1
	stop "$LISTENER"
}

program_id() {
	in_server ip -j link show dev s0 | jq '.[0].xdp.prog.id'
}

linked() {
	[ "$(program_id)" != null ]
}

# foreign NAME PROGRAM MODE COMMAND: that is found on s0, and removed by the command
foreign() {
	examine
	found "$1" "other XDP program" broken "$2 (id $(program_id), $3)" 4
	fix "other XDP program" "$4"
	check "$1: it is gone" fails linked
}

# An instance of each of the ways to attach a program, which go by different ways too.
test_foreign_program() {
	local flood
	in_server "$BUILD/tests/bench/xdp" attach s0 pass_all
	foreign "a native XDP program" pass_all native "ip link set dev s0 xdp off"
	in_server ip link set dev s0 xdpgeneric obj "$BUILD/tests/tools/flood.bpf.o" program take_frames
	foreign "a generic XDP program" take_frames generic "ip link set dev s0 xdpgeneric off"
	start_in_server "$FLOOD" -x -q -r 1 -c 60 -t 60 s0 "$(mac in_client c0)" 10.99.0.2 2>/dev/null
	flood=$!
	wait_for linked
	foreign "one that a link holds" drop_replies native \
		"bpftool link detach id $(bpftool -j link show | jq ".[] | select(.prog_id == $(program_id)).id")"
	well "other XDP program"
	stop "$flood"
}

# /sys shows the namespace that it was mounted in, hence `ip netns exec`, for RPS.
test_interface() {
	local queues=
	[ "$(nproc)" = 1 ] || queues="RX queues"
	[ -z "$queues" ] || in_server ethtool -L s0 rx 1
	in_server ethtool -K s0 rx off >/dev/null
	in_server ip link set s0 down
	examine ip netns exec "$SERVER"
	found "an interface that is down" link weak down 3
	found "no checksum offload" "RX checksums" weak off 3
	[ -z "$queues" ] || test_queues
	fix link "ip link set dev s0 up"
	fix "RX checksums" "ethtool -K s0 rx on"
	[ -z "$queues" ] || fix "RX queues" "ethtool -L s0 rx 2"
	well link "RX checksums" ${queues:+"$queues"}
}

test_queues() {
	local command
	found "one queue of two" "RX queues" weak "1 of 2, for $(nproc) CPUs" 3
	check_equal "a veth with fewer RX queues than its peer sends on takes no XDP program" \
		"$(xdp_detail "weak: driver veth has none")" \
		"$(field status "native XDP"): $(field detail "native XDP")"
	command=$(field command RPS)
	check_equal "RPS, with one queue" "weak: off, with one queue for $(nproc) CPUs" \
		"$(field status RPS): $(field detail RPS)"
	check "RPS: the command works" ip netns exec "$SERVER" sh -c "$command"
	examine ip netns exec "$SERVER"
	check_equal "RPS: well again" "ok: on" "$(field status RPS): $(field detail RPS)"
}

# Of the namespace's only run, and of a rule of the packet filter meanwhile.
test_run() {
	in_server nft -f - <<-END_OF_RULES
		table ip redirects {
			chain prerouting {
				type nat hook prerouting priority -100
				tcp dport 85 redirect to :8090
			}
		}
	END_OF_RULES
	start_synwarden
	check "run names a port that a rule redirects" grep -q 'SYNs to port 85 are redirected to port 8090' "$TMP/run.err"
	examine
	found "so does doctor" "redirected ports" weak "85 to 8090" 3
	found "a running run" run ok "running (pid $SW), nothing lost" 3
	check_equal "its program is no foreign one" "synwarden's own (id $(program_id), native)" \
		"$(field detail "other XDP program")"
	in_server nft delete table ip redirects
	stop_synwarden KILL 2>/dev/null
	examine
	found "no rule any more" "redirected ports" ok none 3
	found "a run that was killed" run weak "gone, and its filter is still attached" 3
	fix run "synwarden detach"
	well run
	check_equal "no run" "none in this network namespace" "$(field detail run)"
}

test_rights() {
	examine "${BARE[@]}"
	found "root without capabilities" capabilities broken "missing: CAP_BPF CAP_PERFMON" 4
	check_equal "what was not tried is unknown" "unknown: not tried: this process may not load BPF; ask as root" \
		"$(field status programs): $(field detail programs)"
	unshare -Urn "$SYNWARDEN" doctor --json >"$TMP/findings"
	STATUS=$?
	found "all capabilities, of a user namespace" capabilities broken "all there, and yet bpf() is refused" 4
	in_server bash -c "ulimit -n 200; exec '$SYNWARDEN' doctor --json s0" >"$TMP/findings"
	STATUS=$?
	found "few descriptors" RLIMIT_NOFILE weak "200, less than 256" 3
	check_equal "few descriptors: the command" "ulimit -n 1024" "$(field command RLIMIT_NOFILE)"
}

test_unprivileged() {
	local unprivileged=(in_server setpriv --reuid "$NOBODY" --regid "$NOBODY" --clear-groups)
	cp "$SYNWARDEN" "$TMP/synwarden"
	listen 8080 3
	"${unprivileged[@]}" "$TMP/synwarden" doctor --json s0 >"$TMP/findings" 2>"$TMP/err"
	STATUS=$?
	found "nobody sees a listener, and not its process" backlog weak "0.0.0.0:8080 (process unknown): 3" 3
	stop "$LISTENER"
	# Whether there is a run cannot be seen where one runs at all: its folder is root's.
	start_in_client "$SYNWARDEN" run --quiet --listen off c0 2>"$TMP/other.err"
	wait_for grep -q filtering "$TMP/other.err"
	"${unprivileged[@]}" "$TMP/synwarden" doctor --json s0 >"$TMP/findings" 2>"$TMP/err"
	STATUS=$?
	found "without a user, no fault of the machine is claimed" capabilities unknown \
		"this user lacks CAP_BPF CAP_NET_ADMIN CAP_PERFMON; what root has is not seen from here" 0
	check_equal "nobody: what is unknown" "capabilities JIT XDP SYN cookies in XDP BTF tracepoints RSTs reported socket storage \
iterators ring buffer programs ladder RLIMIT_MEMLOCK run sysctls redirected ports ${XDP_UNKNOWN}RPS" \
		"$(jq -r 'select(.status == "unknown").check' "$TMP/findings" | xargs)"
	check_equal "nobody: nothing on stderr" "" "$(cat "$TMP/err")"
	check_equal "nobody: settings can be read" "ok: 1: once a SYN backlog is full" \
		"$(field status tcp_syncookies): $(field detail tcp_syncookies)"
}

# What a doctor could have changed in the namespace and on the machine.
state() {
	in_server sysctl -a --pattern '^(net|vm|kernel\.(bpf|unprivileged|perf))' 2>/dev/null | grep -v 'nf_conntrack_count'
	in_server ip -d link show
	in_server ip addr show
	in_server ip route show table all
	in_server ethtool -k s0
	in_server ethtool -l s0
	grep -v '^nsfs /run/netns/' /proc/self/mounts # other tests make and remove theirs meanwhile
	find /sys/fs/bpf | grep -v '/synwarden' # those are of the namespaces that runs are in; its own is looked at below
}

# All BPF objects of the machine, as "prog 17".
objects() {
	local kind
	for kind in prog map link; do
		bpftool -j $kind show | jq -r ".[] | \"$kind \(.id)\""
	done | sort
}

# Those of them that some process holds: not a doctor that has ended.
held() {
	sed -nE 's/^(prog|map|link)_id:[[:space:]]*/\1 /p' /proc/[0-9]*/fdinfo/* 2>/dev/null | sort -u
}

# Whether all was the same before and after a doctor. What it made is gone with it.
leaves_all_as_it_was() {
	objects >"$TMP/objects"
	state >"$TMP/before"
	examine
	state >"$TMP/after"
	objects | comm -13 "$TMP/objects" - | comm -23 - <(held) >"$TMP/new"
	cmp -s "$TMP/before" "$TMP/after" && wait_for none_remain "$(cat "$TMP/new")"
}

# Other processes may change the machine meanwhile, but not each time.
test_changes_nothing() {
	local i
	for i in 1 2 3; do
		! leaves_all_as_it_was || break
	done
	check_equal "it changes nothing" "" "$(diff "$TMP/before" "$TMP/after")"
	check "what was compared is there" grep -q '^net.ipv4.tcp_syncookies = 1$' "$TMP/after"
	check_equal "it leaves no program, map or link" "" "$(remaining <"$TMP/new")"
	check "it leaves no pins" test ! -e "$(pin_dir)"
}

net_up
test_sound
test_settings
test_container
test_backlog
test_somaxconn
test_foreign_program
test_interface
test_run
test_rights
test_unprivileged
test_changes_nothing
finish
