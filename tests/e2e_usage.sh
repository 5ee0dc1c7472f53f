#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What the command line says: bad options and arguments are refused with one line that quotes them, and exit code 2;
# help, version; colour on a terminal and nowhere else; what else stands in the way of a start is named, and left alone.
set -u
HERE=$(dirname "$(readlink -f "$0")")
# shellcheck source=tests/lib.sh
. "$HERE/lib.sh"
# shellcheck source=tests/counters.sh
. "$HERE/counters.sh"

# refused MESSAGE COMMAND...: MESSAGE as it goes on behind the program's name
refused() {
	local message=$1
	shift
	expect "refused: $*" 2 "" "synwarden$message" sw "$@"
}

test_bad_options() {
	local prefix="an IPv4 or IPv6 address, optionally with /LENGTH" port="(port 1 to 65535), or off"
	refused ' run: unknown option "--fast" (synwarden help run)' run --fast s0
	refused ' run: unknown option "--dry" (synwarden help run)' run --dry s0
	refused ' run: unknown option "-z" (synwarden help run)' run -z s0
	refused ' run: --duration needs a value: SECONDS (synwarden help run)' run s0 --duration
	refused ' run: "--keep=1": --keep takes no value (synwarden help run)' run --keep=1 s0
	refused ' run: --duration: "0" is not a number from 1 to 31536000 (synwarden help run)' run --duration 0 s0
	refused ' run: --source-limit: "50001" is not a number from 0 to 50000 (synwarden help run)' \
		run --source-limit 50001 s0
	refused ' run: --source-limit: "-1" is not a number from 0 to 50000 (synwarden help run)' run --source-limit -1 s0
	refused ' run: --source-limit: "1e3" is not a number from 0 to 50000 (synwarden help run)' \
		run --source-limit=1e3 s0
	refused ' run: --xdp-mode: "fast" is not one of auto|native|generic (synwarden help run)' run --xdp-mode fast s0
	refused " run: --listen: \"127.0.0.1\" is not ADDR:PORT, [ADDR]:PORT for IPv6 $port (synwarden help run)" \
		run --listen 127.0.0.1 s0
	refused " run: --listen: \"127.0.0.1:0\" is not ADDR:PORT, [ADDR]:PORT for IPv6 $port (synwarden help run)" \
		run --listen 127.0.0.1:0 s0
	refused ' run: missing argument: IFACE..., or interface = in /etc/synwarden.conf (synwarden help run)' run
	# shellcheck disable=SC2046
	refused ' run: unexpected argument "s33": it takes [IFACE...] (synwarden help run)' run $(printf 's%d ' {1..33})
	refused ': run: "nope0" is not an interface of this network namespace; see: ip link' run nope0
	refused ': run: "s0" is named twice' run s0 s0
	in_server ip tuntap add mode tun name tun0
	refused ': run: "tun0" carries no Ethernet frames, and the filter would judge by the wrong bytes; filter where its packets come in' \
		run tun0
	refused ': "fly" is not a command; see: synwarden help' fly
	refused ': "fly" is not a command; see: synwarden help' help fly
	refused ' block: missing argument: CIDR... (synwarden help block)' block
	refused ": block: \"10.0.0\" is not $prefix" block 10.0.0
	refused ": allow: \"example.org\" is not $prefix" allow example.org
	refused ': block: "10.0.0.0/33" is not an IPv4 prefix: its length is a number from 0 to 32' block 10.0.0.0/33
	refused ': unallow: "::/129" is not an IPv6 prefix: its length is a number from 0 to 128' unallow ::/129
	refused ': block: "10.1.2.3/8" is not a prefix: bits are set behind its length; did you mean 10.0.0.0/8?' \
		block 10.1.2.3/8
	refused ': block: "fd99::1/64" is not a prefix: bits are set behind its length; did you mean fd99::/64?' \
		block fd99::1/64
	refused ' block: --for: "soon" is not a duration such as 90, 90s, 10m, 2h or 1d (synwarden help block)' \
		block --for soon 10.0.0.1
	refused ' block: --for: "0s" is not a duration from 1s to 365d (synwarden help block)' block --for 0s 10.0.0.1
	refused ' unblock: unknown option "--for" (synwarden help unblock)' unblock --for 1s 10.0.0.1
	refused ' list: unexpected argument "all": it takes none (synwarden help list)' list all
	refused ' status: unexpected argument "s0": it takes none (synwarden help status)' status s0
	local netns="a network namespace: a name (see: ip netns), a path such as /proc/PID/ns/net, or an inode number"
	refused " states: --netns: \"nope\" is not $netns (synwarden help states)" states --netns nope
	refused " states: --netns: \"/etc/hosts\" is not $netns (synwarden help states)" states --netns=/etc/hosts
	refused ' states: --comm: "sixteen_bytes_16" is not the name of a process, 1 to 15 bytes long (see: ps -eo comm) '\
'(synwarden help states)' states --comm sixteen_bytes_16
	refused ' states: --cgroup: "/no/such" is not a cgroup of the v2 hierarchy, such as /system.slice/ssh.service '\
'(see: systemd-cgls) (synwarden help states)' states --cgroup /no/such
	refused ' states: --time: "never" is not one of absolute|relative|delta (synwarden help states)' states -t never
	refused ': version: "now" is too much; it takes no arguments' version now
}

test_help() {
	local version command text
	version=$(sed -n 's/^VERSION *:= *//p' "$ROOT/Makefile")
	expect "version" 0 "synwarden $version" "" sw version
	expect "--version" 0 "synwarden $version" "" sw --version
	text=$(sw help)
	check_equal "help: its first line" "usage: synwarden COMMAND [OPTIONS]" "$(head -n1 <<<"$text")"
	expect "--help is help" 0 "$text" "" sw --help
	expect "-h is help" 0 "$text" "" sw -h
	expect "no command: help on stderr" 2 "" "$text" sw
	for command in run states conns status top block unblock allow unallow list check-config detach doctor; do
		check "help names $command" grep -q "^  $command " <<<"$text"
		expect "help $command is $command --help" 0 "$(sw "$command" --help)" "" sw help $command
	done
	check_equal "help run: its first line" "usage: synwarden run [OPTIONS] [IFACE...]" "$(sw help run | head -n1)"
	for command in --port --addr --family --pid --comm --cgroup --netns --state --time --json --duration --count; do
		check "help states explains $command" grep -q -- "$command" <<<"$(sw help states)"
	done
	for command in --config --dry-run --source-limit --xdp-mode --listen --duration --keep --quiet; do
		check "help run explains $command" grep -q -- "$command" <<<"$(sw help run)"
	done
}

# without_run COMMAND...: those that need one say how to get it
without_run() {
	expect "$*, without a run" 1 "" \
		"synwarden: synwarden is not at work in this network namespace; start it: synwarden run IFACE" sw "$@"
}

# on_terminal COMMAND [VARIABLE=VALUE]: what synwarden prints where a terminal is
on_terminal() {
	in_server env TERM=xterm ${2:+"$2"} script -qec "$SYNWARDEN $1" /dev/null
}

has_escapes() {
	grep -q $'\033' <<<"$1"
}

test_colour() {
	start_synwarden --source-limit 10
	sw block 198.18.0.0/15
	flood -c 100 -q
	sleep 1.2
	check "status on a terminal is coloured" has_escapes "$(on_terminal status)"
	check "status in a pipe is plain" fails has_escapes "$(sw status)"
	check "status with NO_COLOR is plain" fails has_escapes "$(on_terminal status NO_COLOR=1)"
	stop_synwarden
	check "there were live lines and a summary" grep -q "dropped.*(blocked" "$TMP/run.out"
	check "run in a pipe is plain" fails has_escapes "$(cat "$TMP/run.out" "$TMP/run.err")"
}

test_second_run() {
	start_synwarden
	expect "a second run" 1 "" "synwarden: synwarden is at work in this network namespace already (pid $SW); stop it \
first: kill $SW" sw run s0
	check_equal "the first one goes on" ok "$(in_server curl -s http://127.0.0.1:9798/healthz)"
	check "its program stays" has_program s0
	stop_synwarden
}

foreign_id() {
	in_server ip -j link show dev s0 | jq '.[0].xdp.prog.id // empty'
}

has_foreign() {
	[ -n "$(foreign_id)" ]
}

test_foreign_program() {
	local foreign id
	start_in_server "$FLOOD" -x -q -r 1 -c 60 -t 60 s0 "$(mac in_client c0)" 10.99.0.2 2>"$TMP/foreign"
	foreign=$!
	wait_for 5 has_foreign
	id=$(foreign_id)
	expect "another XDP program" 1 "" "synwarden: s0 has another XDP program already: drop_replies (id $id); see what \
owns it with \`bpftool net\`, remove it with \`ip link set dev s0 xdp off\`, or detach it with its own tool" sw run s0
	check_equal "it is untouched" "$id" "$(foreign_id)"
	check "and nothing is left" test ! -e "$(pin_dir)"
	stop "$foreign"
}

test_port_in_use() {
	start_in_server python3 -c 'import socket, time; s = socket.create_server(("127.0.0.1", 9798)); time.sleep(60)'
	wait_for 5 listens 9798
	try sw run s0
	check_equal "the endpoint's port is taken: exit status" 1 "$STATUS"
	check_equal "the endpoint's port is taken: the reason" "synwarden: cannot listen on 127.0.0.1:9798: something else \
listens there already; name another place with --listen ADDR:PORT, or --listen off" "$(tail -n1 <<<"$ERR")"
	check "the endpoint's port is taken: no program is left" fails has_program s0
	check "the endpoint's port is taken: no pins are left" test ! -e "$(pin_dir)"
	start_synwarden --listen 127.0.0.1:9799
	check_equal "another port will do" ok "$(in_server curl -s http://127.0.0.1:9799/healthz)"
	stop_synwarden
}

net_up
test_bad_options
test_help
without_run status
without_run list
without_run block 10.0.0.1
without_run unallow 10.0.0.1
test_colour
test_second_run
test_foreign_program
test_port_in_use
finish
