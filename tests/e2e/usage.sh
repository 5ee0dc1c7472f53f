#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The command line: bad options and arguments are refused with one line that quotes them, and exit code 2; help, version;
# colour on a terminal and nowhere else; what else prevents a start is named, and left alone.
#
# fault: A second run | it is refused, and the message names the one that runs | a second run,the first one goes on,its program stays
set -u
ROOT=$(readlink -f "$(dirname "$0")/../..")
# shellcheck source=tests/lib/network.sh
. "$ROOT/tests/lib/network.sh"
# shellcheck source=tests/lib/counters.sh
. "$ROOT/tests/lib/counters.sh"

# refused MESSAGE COMMAND...: MESSAGE as it goes on behind the program's name
refused() {
	local message=$1
	shift
	expect "refused: $*" 2 "" "synwarden$message" sw "$@"
}

test_bad_options() {
	local prefix="an IPv4 or IPv6 address, optionally with /LENGTH" port="(port 1 to 65535), or off"
	refused ' run: unknown option "--fast" (synwarden help run)' run --fast s0
	refused ' run: unknown option "--dry": did you mean --dry-run? (synwarden help run)' run --dry s0
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
	refused ' run: "s0" is named twice (synwarden help run)' run s0 s0
	refused ' run: "s0,s1" is not an interface'"'"'s name, of 1 to 15 characters, none of them / : , " # or a blank (synwarden help run)' \
		run s0,s1
	in_server ip tuntap add mode tun name tun0
	refused ': run: "tun0" carries no Ethernet frames, and the filter would judge by the wrong bytes; filter where its packets come in' \
		run tun0
	refused ' run: unknown option "--portbudget=5": did you mean --port-budget? (synwarden help run)' run --portbudget=5 s0
	refused ': "fly" is not a command; see: synwarden help' fly
	refused ': "statsu" is not a command: did you mean status? See: synwarden help' statsu
	refused ': "resaons" is not a command or a topic: did you mean reasons? See: synwarden help' help resaons
	refused ': "fly" is not a command or a topic; see: synwarden help' help fly
	refused ' block: missing argument: CIDR..., or --file (synwarden help block)' block
	refused ": block: \"10.0.0\" is not $prefix" block 10.0.0
	refused ": allow: \"example.org\" is not $prefix" allow example.org
	refused ': block: "10.0.0.0/33" is not an IPv4 prefix: its length is a number from 0 to 32, or a netmask' block 10.0.0.0/33
	refused ': unallow: "::/129" is not an IPv6 prefix: its length is a number from 0 to 128' unallow ::/129
	refused ': block: "10.1.2.3/8" is not a prefix: bits are set behind its length; did you mean 10.0.0.0/8?' \
		block 10.1.2.3/8
	refused ': block: "fd99::1/64" is not a prefix: bits are set behind its length; did you mean fd99::/64?' \
		block fd99::1/64
	refused ' block: --for: "soon" is not a duration such as 90, 90s, 10m, 1h30m, 2.5h, 1d or 1w (synwarden help block)' \
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
	refused ': version: unexpected argument "now": it takes none' version now
}

# What the program itself lists
commands() {
	sw help | sed -n '/^synwarden help/q; s/^  \([a-z-]*\) .*/\1/p'
}

topics() {
	sw help | sed -n '1,/^synwarden help/d; s/^  \([a-z-]*\) .*/\1/p'
}

# options_of COMMAND: a line "NAME [VALUE]" for each
options_of() {
	sw help "$1" | sed -nE 's/^  (-., |    )--([a-z0-9-]+)( [^ ]+)?  .*/\2\3/p'
}

# What the examples of a command name, it has.
test_examples_of() {
	local command=$1 examples
	examples=$(sw help "$command" | sed '1,/^Examples:$/d; s/ | .*//')
	check "help $command: its examples are of it" test -n "$examples" -a \
		"$(grep -c "^  synwarden $command\( \|\$\)" <<<"$examples")" = "$(wc -l <<<"$examples")"
	check_equal "help $command: its examples' options" "" \
		"$(grep -oE -- '--[a-z-]+' <<<"$examples" | grep -vxFf <(options_of "$command" | sed 's/ .*//; s/^/--/'))"
}

# Usage and parser agree on every option.
test_options_of() {
	local command=$1 name value
	while read -r name value; do
		if [ -n "$value" ]; then
			refused " $command: --$name needs a value: $value (synwarden help $command)" "$command" --"$name"
		else
			refused " $command: \"--$name=1\": --$name takes no value (synwarden help $command)" "$command" --"$name"=1
		fi
	done < <(options_of "$command")
}

# only_built: of the commands on stdin, those of a build with FETCH=0
only_built() {
	if [ "${FETCH:-1}" = 0 ]; then grep -vx 'fetch\|sync'; else cat; fi
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
	check_equal "help names every command that there is" \
		"$(sed -n 's/^int cmd_\([a-z_]*\)(.*/\1/p' "$ROOT/user/cmd/cmd.h" | only_built | tr _ - | sort)" \
		"$(commands | grep -vx 'version\|help' | sort)"
	for command in $(commands | grep -vx 'version\|help'); do
		expect "help $command is $command --help" 0 "$(sw "$command" --help)" "" sw help "$command"
		check "help $command: its first line" grep -q "^usage: synwarden $command \[OPTIONS\]" <<<"$(sw help "$command")"
		test_options_of "$command"
		test_examples_of "$command"
	done
	check_equal "help run: its arguments" "usage: synwarden run [OPTIONS] [IFACE...]" "$(sw help run | head -n1)"
}

# rows_of TOPIC: the names in its table
rows_of() {
	sw help "$1" | sed '1d; s/  .*//'
}

test_topics() {
	local topic
	for topic in $(topics); do
		check "help $topic: a table, each row with its meaning" test "$(sw help "$topic" | wc -l)" -gt 2 -a \
			"$(sw help "$topic" | grep -vc '^[^ ].*  [^ ]')" = 0
		check_equal "help $topic: no row twice" "" "$(sw help "$topic" | uniq -d)"
	done
	check_equal "help reasons: all of them" "$(sed -n 's/^\tX([A-Z0-9_]*, \(PASS\|DROP\|TX\), "\([a-z0-9_]*\)".*/\2/p' \
		"$ROOT/include/reasons.h")" "$(rows_of reasons)"
	check_equal "help tcp-states: all of them" "$(sed -n 's/^\tX([0-9]*, \([A-Z0-9_]*\), .*/\1/p' "$ROOT/include/states.h")" \
		"$(rows_of tcp-states)"
}

# A document's table that differs from the program is named, and filled anew; the rest of the document stays.
test_documents() {
	local generate=$ROOT/contrib/generate.sh document=$TMP/output.md
	cp "$ROOT/docs/output.md" "$document"
	check "a document with fresh tables" "$generate" "$SYNWARDEN" stale "$document"
	sed -i '/^| .syn. | pass |/s/pass/drop/' "$document"
	check_equal "a stale table: it is named" "$document: a generated table is stale; run: make docs" \
		"$("$generate" "$SYNWARDEN" stale "$document")"
	check "a stale table: it is filled anew" "$generate" "$SYNWARDEN" docs "$document"
	check "and the rest stays" cmp "$ROOT/docs/output.md" "$document"
	echo '<!-- generated: nothing -->' >>"$document"
	check_equal "a table that there is not: it is said" "$document: the program has no table \"nothing\"" \
		"$("$generate" "$SYNWARDEN" docs "$document" 2>&1 | tail -n1)"
}

# without_run COMMAND...: those that need one say how to get it
without_run() {
	expect "$*, without a run" 1 "" \
		"synwarden: no synwarden is running in this network namespace; start one: synwarden run IFACE" sw "$@"
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
	sw block 198.18.0.0/15 >/dev/null
	flood -c 100 -q
	wait_for grep -q "dropped.*(blocked" "$TMP/run.out"
	check_equal "status: how to reach the dashboard" \
		"dashboard: 127.0.0.1:9798; from elsewhere: ssh -L 9798:127.0.0.1:9798 $(hostname)" \
		"$(sw status | grep ^dashboard)"
	check "status on a terminal is coloured" has_escapes "$(on_terminal status)"
	check "status in a pipe is plain" fails has_escapes "$(sw status)"
	check "status with NO_COLOR is plain" fails has_escapes "$(on_terminal status NO_COLOR=1)"
	stop_synwarden
	check "there were live lines and a summary" grep -q "dropped.*(blocked" "$TMP/run.out"
	check "run in a pipe is plain" fails has_escapes "$(cat "$TMP/run.out" "$TMP/run.err")"
}

test_second_run() {
	start_synwarden
	expect "a second run" 1 "" "synwarden: synwarden is already running in this network namespace (pid $SW); stop it \
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
	wait_for has_foreign
	id=$(foreign_id)
	expect "another XDP program" 1 "" "synwarden: s0 has another XDP program already: drop_replies (id $id); see what \
owns it with \`bpftool net\`, remove it with \`ip link set dev s0 xdp off\`, or detach it with its own tool" sw run s0
	check_equal "it is untouched" "$id" "$(foreign_id)"
	check "and nothing is left" test ! -e "$(pin_dir)"
	stop "$foreign"
}

# Any local user may take a port above 1023: the filter does without the endpoint, which comes once the port is free.
test_port_in_use() {
	local holder
	start_in_server python3 -c '
import os, socket, time
os.setgroups([]), os.setgid(65534), os.setuid(65534)
s = socket.create_server(("127.0.0.1", 9798))
time.sleep(60)'
	holder=$!
	wait_for listens 9798
	start_in_server "$SYNWARDEN" run s0 >"$TMP/run.out" 2>"$TMP/run.err"
	SW=$!
	check "the endpoint's port is taken: the filter is there" wait_for has_program s0
	check "the endpoint's port is taken: status says so" wait_for status_has "no HTTP endpoint: its address is taken"
	check_equal "the endpoint's port is taken: status --json" true "$(sw status --json | jq .endpoint_waits)"
	sleep 2 # ticks
	check_equal "the endpoint's port is taken: one message" "synwarden: cannot listen on 127.0.0.1:9798: something else \
listens there already; it is tried again each second; name another place with --listen ADDR:PORT, or --listen off" \
		"$(grep -v filtering "$TMP/run.err")"
	try sw doctor --json s0
	check_equal "the endpoint's port is taken: doctor names who has it" \
		"weak: not served: 127.0.0.1:9798 is held by python3, pid $holder, of uid 65534" \
		"$(jq -r 'select(.check == "HTTP endpoint") | "\(.status): \(.detail)"' <<<"$OUT")"
	stop "$holder"
	check "the port is free: the endpoint is there within two seconds" wait_for filtering 127.0.0.1:9798
	check_equal "the port is free: it is said" "synwarden: the HTTP endpoint listens on 127.0.0.1:9798 now" \
		"$(tail -n 1 "$TMP/run.err")"
	check "the port is free: status says nothing of it" wait_for fails status_has "no HTTP endpoint"
	stop_synwarden
	start_in_server "$SYNWARDEN" run --listen 192.0.2.9:9798 s0 >"$TMP/run.out" 2>"$TMP/run.err"
	SW=$!
	check "no interface has the address: the filter is there" wait_for has_program s0
	in_server ip addr add 192.0.2.9/32 dev lo
	check "an interface gets the address: the endpoint is there" wait_for filtering 192.0.2.9:9798
	in_server ip addr del 192.0.2.9/32 dev lo
	stop_synwarden
	start_synwarden --listen 127.0.0.1:9799
	check_equal "another port" ok "$(in_server curl -s http://127.0.0.1:9799/healthz)"
	stop_synwarden
}

# A socket that systemd holds over restarts, as synwarden.socket has it, is taken as it is.
test_inherited_socket() {
	start_in_server python3 -c '
import os, socket, sys
s = socket.create_server(("127.0.0.1", 9798))
os.dup2(s.fileno(), 3, inheritable=True)
os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()))
os.execv(sys.argv[1], sys.argv[1:])' "$SYNWARDEN" run s0 >"$TMP/run.out" 2>"$TMP/run.err"
	SW=$!
	check "an inherited socket is served" wait_for filtering 127.0.0.1:9798
	check_equal "an inherited socket: nothing is said of it" "" "$(grep -v filtering "$TMP/run.err")"
	stop_synwarden
	check_equal "an inherited socket: it ends well" 0 $?
}

# As in most containers, where cookies cannot be forced.
# shellcheck disable=SC2016
test_read_only_sysctls() {
	start_in_server unshare -m sh -c 'mount --bind /proc/sys /proc/sys && mount -o remount,bind,ro /proc/sys &&
		exec "$0" run s0' "$SYNWARDEN" >"$TMP/run.out" 2>"$TMP/run.err"
	SW=$!
	wait_for has_program s0
	check "read-only sysctls: status says so" wait_for status_has "/proc/sys is read-only: SYN cookies cannot be forced"
	check_equal "read-only sysctls: status --json" true "$(sw status --json | jq .sysctls_read_only)"
	stop_synwarden
	start_synwarden
	check "sysctls that can be written: status says nothing of them" fails status_has "/proc/sys"
	stop_synwarden
}

status_has() {
	sw status | grep -qF "$1"
}

net_up
test_bad_options
test_help
test_topics
test_documents
without_run status
without_run list
without_run block 10.0.0.1
without_run unallow 10.0.0.1
test_colour
test_second_run
test_foreign_program
test_port_in_use
test_inherited_socket
test_read_only_sysctls
finish
