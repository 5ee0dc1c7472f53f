#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The installed files, checked by the programs that use them: make, systemd's tools, man and mandoc, bash and zsh in a
# terminal; and what `run` reports to a service manager. The package on a clean Debian: make test-deb.
#
# test: asan-slow no-kernels
set -u
ROOT=$(readlink -f "$(dirname "$0")/../..")
# shellcheck source=tests/lib/network.sh
. "$ROOT/tests/lib/network.sh"
# shellcheck source=tests/lib/counters.sh
. "$ROOT/tests/lib/counters.sh"
# shellcheck source=tests/lib/conf.sh
. "$ROOT/tests/lib/conf.sh"

DEST=$TMP/dest
SHARE=$DEST/opt/sw/share

for tool in tmux zsh mandoc man systemd-analyze; do
	command -v $tool >/dev/null || die "$tool is missing (make deps-test)"
done

# The line of synwarden-net, which a build with FETCH=0 has not
NET="755 lib/synwarden/synwarden-net
"
SYNC_UNIT="644 lib/systemd/system/synwarden-sync.service
"
SYNC_USER="644 lib/sysusers.d/synwarden.conf
"
[ "${FETCH:-1}" != 0 ] || NET='' SYNC_UNIT='' SYNC_USER=''

make_quietly() {
	env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL make -s -C "$ROOT" BUILD="${BUILD_DIR:-build}" "$@" DESTDIR="$DEST" PREFIX=/opt/sw
}

test_install() {
	mkdir "$DEST"
	check "make install" make_quietly install
	check_equal "its files, with their modes" "${SYNC_UNIT}644 lib/systemd/system/synwarden.service
644 lib/systemd/system/synwarden.socket
${SYNC_USER}644 lib/tmpfiles.d/synwarden.conf
644 share/bash-completion/completions/synwarden
644 share/doc/synwarden/CHANGELOG.md
644 share/doc/synwarden/README.md
644 share/doc/synwarden/SECURITY.md
644 share/doc/synwarden/docs/alerts.md
644 share/doc/synwarden/docs/commands.md
644 share/doc/synwarden/docs/configuration.md
644 share/doc/synwarden/docs/endpoint.md
644 share/doc/synwarden/docs/fleet.md
644 share/doc/synwarden/docs/how-it-works.md
644 share/doc/synwarden/docs/install.md
644 share/doc/synwarden/docs/limits.md
644 share/doc/synwarden/docs/measurements.md
644 share/doc/synwarden/docs/output.md
644 share/doc/synwarden/docs/tcp.md
644 share/doc/synwarden/docs/testing.md
644 share/doc/synwarden/examples/fail2ban/synwarden.conf
644 share/doc/synwarden/examples/grafana/synwarden.json
644 share/doc/synwarden/examples/prometheus/synwarden.rules.test.yml
644 share/doc/synwarden/examples/prometheus/synwarden.rules.yml
644 share/doc/synwarden/examples/synwarden.conf
644 share/man/man5/synwarden.conf.5
644 share/man/man8/synwarden.8
644 share/zsh/site-functions/_synwarden
${NET}755 sbin/synwarden
755 share/doc/synwarden/examples/nftables/export.sh
755 share/doc/synwarden/examples/nftables/import.sh" "$(cd "$DEST/opt/sw" && find . -type f -printf '%m %P\n' | sort -k 2 | LC_ALL=C sort)"
	check_equal "the program that is installed" "$("$SYNWARDEN" version)" "$("$DEST/opt/sw/sbin/synwarden" version)"
	[ -z "$NET" ] || check_equal "it finds synwarden-net" "$("$SYNWARDEN" help fetch)" "$("$DEST/opt/sw/sbin/synwarden" help fetch)"
}

# Of what a clean build makes, it makes what differs from the build here, on a machine whose libcurl cannot be used. Objects
# with sanitizers (BUILD_DIR) would be linked with other flags.
test_without_fetch() {
	local build=$TMP/without_fetch
	[ -z "${BUILD_DIR:-}" ] && [ -n "$NET" ] || return
	mkdir -p "$build" "$TMP/no_libcurl/curl"
	echo '#error "libcurl is not there"' >"$TMP/no_libcurl/curl/curl.h"
	cp -a "$BUILD"/user "$BUILD"/web "$BUILD"/synwarden.* "$build"
	rm -r "$build"/user/{fetch,sync} "$build"/user/net.* "$build"/user/cmd/net.* "$build"/user/main.*
	check_equal "make FETCH=0 all tests: nothing of fetch and sync is made" 0 \
		"$(make_quietly -n FETCH=0 BUILD="$build" all tests | grep -cE '(user|unit)/(fetch|sync)|synwarden-net|curl-gnutls|lyajl')"
	check "it is built without libcurl, and so is a test" make_quietly FETCH=0 BUILD="$build" \
		CPPFLAGS="-I$TMP/no_libcurl" all "$build/tests/unit/values"
	check "the test passes" "$build/tests/unit/values"
	check_equal "its commands" "$(commands | grep -vx 'fetch\|sync')" "$(SYNWARDEN=$build/synwarden commands)"
}

test_uninstall() {
	touch "$SHARE/man/man8/another.8"
	check "make uninstall" make_quietly uninstall
	check_equal "it removes all that was installed, and nothing else" "$SHARE/man/man8/another.8" "$(find "$DEST" -type f)"
	check "and the directories that were its own" test ! -e "$SHARE/doc/synwarden" -a ! -e "$DEST/opt/sw/lib/synwarden"
}

# landlock_calls [FILE]: the names of Landlock's system calls in it
landlock_calls() {
	grep -ohE 'landlock_(create|add|restrict)_[a-z]+' "$@" | sort -u
}

# test_sync_unit UNIT
test_sync_unit() {
	check_equal "the unit of sync starts what is installed" 1 "$(grep -c '/opt/sw/sbin/synwarden sync$' "$1")"
	sed -i "s|/opt/sw|$DEST/opt/sw|" "$1"
	check_equal "sync: systemd-analyze verify finds nothing" "" "$(systemd-analyze verify --man=no "$1" "${1/-sync/}" 2>&1)"
	check "sync: systemd-analyze security: 1.7 at most" \
		systemd-analyze security --offline=true --threshold=17 --no-pager "$1"
	check_equal "its user" "u synwarden-sync" "$(grep -o '^u [a-z-]*' "$DEST/opt/sw/lib/sysusers.d/synwarden.conf")"
}

test_unit() {
	local unit=$DEST/opt/sw/lib/systemd/system/synwarden.service mode
	check_equal "the unit starts what is installed" 3 "$(grep -c '/opt/sw/sbin/synwarden \|=+systemd-tmpfiles ' "$unit")"
	sed -i "s|/opt/sw|$DEST/opt/sw|" "$unit"
	check_equal "systemd-analyze verify finds nothing" "" "$(systemd-analyze verify --man=no "$unit" 2>&1)"
	check "systemd-analyze security: 2.0 at most" \
		systemd-analyze security --offline=true --threshold=20 --no-pager "$unit"
	check_equal "the unit admits the system calls of Landlock that run makes" "$(landlock_calls "$ROOT/user/system/confine.c")" \
		"$(grep '^SystemCallFilter=[^~@]' "$unit" | landlock_calls)"
	[ -z "$NET" ] || test_sync_unit "$DEST/opt/sw/lib/systemd/system/synwarden-sync.service"
	mkdir -p "$TMP/root/sys/fs/bpf"
	systemd-tmpfiles --root="$TMP/root" --create "$DEST/opt/sw/lib/tmpfiles.d/synwarden.conf"
	mode=$(stat -c %a "$TMP/root/sys/fs/bpf/synwarden")
	check_equal "the directory for pins is root's alone" 700 "$mode"
}

# lint PAGE: what mandoc and man find; that a page is in no index is none of it
lint() {
	mandoc -T lint "$1" 2>&1 | grep -vE 'outdated mandoc.db|referenced manual not found: Xr synwarden(.conf)? '
	MANWIDTH=80 LC_ALL=C.UTF-8 man --warnings -E UTF-8 -Tutf8 -l "$1" >/dev/null 2>"$TMP/warnings"
	cat "$TMP/warnings"
}

manual() {
	MANPATH=$SHARE/man MANWIDTH=100 man -P cat "$@" 2>/dev/null | col -bx
}

# The commands, not the topics of help.
commands() {
	"$SYNWARDEN" help | sed -n '/^synwarden help/q; s/^  \([a-z-]*\) .*/\1/p'
}

test_manual() {
	local page text command option
	for page in man8/synwarden.8 man5/synwarden.conf.5; do
		check_equal "$page: mandoc and man find nothing" "" "$(lint "$SHARE/man/$page")"
	done
	text=$(manual 8 synwarden)
	check "synwarden(8) says where the documents are" grep -qE '^ +/opt/sw/share/doc/synwarden$' <<<"$text"
	check_equal "synwarden(8) has every option of every command" "" "$(
		commands | while read -r command; do
			grep -qE "^ +synwarden $command( |\$)" <<<"$text" || echo "$command"
			"$SYNWARDEN" help "$command" | sed -n 's/^  .*\(--[a-z-]*\).*/\1/p' | while read -r option; do
				grep -qE -- "(^ *|, )$option" <<<"$text" || echo "$command $option"
			done
		done | grep -v -- ' --help$')"
	check_equal "and none besides" "" "$(grep -oE '^ +(-[a-z], )?--[a-z-]+' <<<"$text" | grep -oE -- '--.*' | sort -u |
		grep -vxFf <(commands |
			while read -r command; do "$SYNWARDEN" help "$command"; done | grep -oE -- '--[a-z-]+'))"
	text=$(manual 5 synwarden.conf)
	check_equal "synwarden.conf(5) has every key, and none besides" "$(
		sed -n 's/^;\([a-z0-9-]*\) = .*/\1/p' "$ROOT/contrib/synwarden.conf" | sort -u)" \
		"$(sed -n '/^SEE ALSO/q; /^EXAMPLES/q; s/^     \([a-z0-9-]*\) = .*/\1/p' <<<"$text" | sort -u)"
}

mux() {
	tmux -S "$TMP/tmux" -f /dev/null "$@"
}

screen() {
	mux capture-pane -p
}

on_line() {
	screen | grep -qF -- "$1"
}

# begin_shell COMMAND: with the completion that is installed, in a terminal. Keys that come before the shell asks for a
# line are the terminal's, and not the line editor's.
begin_shell() {
	mux new-session -d -x 200 -y 60 "cd $TMP && PATH=$DEST/opt/sw/sbin:\$PATH exec $1"
	wait_for on_line "ready>" || die "the shell does not ask for a line: $1"
}

# The words that the shell lists, sorted, without what it says of them.
listed() {
	screen | grep -vE '(^| )synwarden( |$)' | sed 's/ -- .*//' | tr -s ' ' '\n' | grep -v '^[$%#]*$' | sort | paste -sd' '
}

is_listed() {
	[ "$(listed)" = "$1" ]
}

# offers SHELL WORDS LINE
offers() {
	mux send-keys C-u C-l
	mux send-keys -l "$3"
	mux send-keys Tab Tab
	wait_for is_listed "$2"
	check_equal "$1: $3" "$2" "$(listed)"
}

# completes SHELL LINE RESULT
completes() {
	mux send-keys C-u C-l
	mux send-keys -l "$2"
	mux send-keys Tab
	check "$1: $2 becomes $3" wait_for on_line "$3"
}

test_shell() {
	local commands
	commands=$(commands | sort | paste -sd' ')
	offers "$1" "$commands" "synwarden "
	offers "$1" "SYN_RECV SYN_SENT" "synwarden states --state SYN_"
	offers "$1" "auto generic native" "synwarden run --xdp-mode "
	completes "$1" "synwarden run --xdp-mode=n" "synwarden run --xdp-mode=native"
	completes "$1" "synwarden run --dry-run l" "synwarden run --dry-run lo"
	completes "$1" "synwarden run --port-b" "synwarden run --port-budget"
	completes "$1" "synwarden run -c sw$$.c" "synwarden run -c sw$$.conf"
	completes "$1" "synwarden conns --netns sw$$s" "synwarden conns --netns $SERVER"
	completes "$1" "synwarden run --challenge=a" "synwarden run --challenge=auto"
	completes "$1" "synwarden doctor l" "synwarden doctor lo"
	completes "$1" "synwarden unblock 192.0" "synwarden unblock 192.0.2.0/24"
	completes "$1" "synwarden unblock 2001:db8:" "synwarden unblock 2001:db8:bad::/48"
	completes "$1" "synwarden unallow 19" "synwarden unallow 198.51.100.7"
	completes "$1" "synwarden why 192.0.2.1 --port 97" "synwarden why 192.0.2.1 --port 9798"
	completes "$1" "synwarden conns --comm hold" "synwarden conns --comm hold$$"
	completes "$1" "synwarden help unb" "synwarden help unblock"
	completes "$1" "synwarden help reas" "synwarden help reasons"
	mux kill-session
}

# Every option that a command's help has is offered, and no other.
test_options() {
	local command
	for command in $(commands | grep -vx 'help\|version'); do
		check_equal "bash: every option of $command" "$("$SYNWARDEN" help "$command" | sed -nE 's/^  (-., |    )(--[a-z0-9-]+).*/\2/p' |
			sort | paste -sd' ')" "$(
			# shellcheck disable=SC1091
			. "$SHARE/bash-completion/completions/synwarden"
			# shellcheck disable=SC2034
			COMP_WORDS=(synwarden "$command" --) COMP_CWORD=2 COMP_LINE="synwarden $command --" COMP_POINT=200
			_synwarden
			printf '%s\n' "${COMPREPLY[@]}" | sort | paste -sd' '
		)"
	done
}

test_completion() {
	test_options
	touch "$TMP/sw$$.conf"
	start_synwarden
	sw block 192.0.2.0/24 2001:db8:bad::/48 >/dev/null
	sw allow 198.51.100.7 >/dev/null
	cp /usr/bin/sleep "$TMP/hold$$"
	start "$TMP/hold$$" 600
	echo "PS1='ready> '; . $SHARE/bash-completion/completions/synwarden" >"$TMP/bashrc"
	begin_shell "nsenter --net=/run/netns/$SERVER bash --rcfile $TMP/bashrc -i"
	test_shell bash
	echo "fpath=($SHARE/zsh/site-functions \$fpath); autoload -Uz compinit; compinit -D -u; PS1='ready> '" >"$TMP/.zshrc"
	begin_shell "nsenter --net=/run/netns/$SERVER env ZDOTDIR=$TMP zsh -i -o no_global_rcs"
	test_shell zsh
	stop_synwarden
}

# with_rights CAPABILITY...: `run` for a second as root with these and no others
with_rights() {
	in_server setpriv --inh-caps=-all --bounding-set="-all$(printf ',+%s' "$@")" \
		"$SYNWARDEN" run --quiet --duration 1 s0
}

test_rights() {
	local unit=$ROOT/contrib/systemd/synwarden.service rights right
	rights=$(sed -n 's/^CapabilityBoundingSet=//p' "$unit" | sed 's/CAP_//g' | tr '[:upper:]' '[:lower:]')
	# shellcheck disable=SC2086
	check "run needs no capability but the unit's" with_rights $rights
	for right in $rights; do
		# shellcheck disable=SC2046,SC2086
		check "and needs $right" fails with_rights $(printf '%s\n' $rights | grep -vx "$right")
	done
}

heard() {
	[ "$(grep -c -- "$1" "$TMP/heard")" -ge "${2:-1}" ]
}

test_notify() {
	local ear
	start "$ROOT/tests/tools/manager.py" "$TMP/notify" 60 >>"$TMP/heard"
	ear=$!
	wait_for test -S "$TMP/notify"
	conf <<<"interface = s0"
	export NOTIFY_SOCKET=$TMP/notify
	start_conf --quiet
	unset NOTIFY_SOCKET
	wait_for heard WATCHDOG=1 3
	check_equal "at the start: ready, once" 1 "$(grep -c READY=1 "$TMP/heard")"
	check "each second: alive, the verdict, and what it does" heard '^STATUS=[A-Z ]*: .*; filtering on s0$' 2
	echo "port-budget = 9" >>"$CONF"
	reload
	check_equal "a reload: begun, and ready again" "READY=1 RELOADING=1 READY=1" \
		"$(grep -E '^(READY|RELOADING)=' "$TMP/heard" | paste -sd' ')"
	check "it says when" heard '^MONOTONIC_USEC=[0-9]*$'
	echo "port-budget = x" >>"$CONF"
	reload
	wait_for heard '; the last reload was refused, see the log; filtering on s0$'
	check "a refused one stands in the status" heard '; the last reload was refused, see the log; filtering on s0$'
	check_equal "and it is ready all the same" 3 "$(grep -c READY=1 "$TMP/heard")"
	stop_synwarden
	check "at the end: stopping" heard STOPPING=1
	test_taken
	stop "$ear"
}

# Any user may hold the endpoint's address: run starts without, says so, and takes the address once it is free.
test_taken() {
	local holder waits='^STATUS=[A-Z ]*: .*; filtering on s0; no HTTP endpoint: cannot listen on 127.0.0.1:9798: something else listens there already$'
	: >"$TMP/heard"
	sed -i '/port-budget/d' "$CONF"
	start_in_server setpriv --reuid 65534 --clear-groups /usr/bin/python3 -c '
import socket, time
holder = socket.socket()
holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
holder.bind(("127.0.0.1", 9798))
holder.listen()
time.sleep(600)'
	holder=$!
	wait_for listens 9798
	NOTIFY_SOCKET=$TMP/notify start_in_server "$SYNWARDEN" run --config "$CONF" --quiet >"$TMP/run.out" 2>"$TMP/run.err"
	SW=$!
	wait_for heard "$waits" 2
	check "a taken address: it filters, and the status says what is missing" heard "$waits" 2
	check_equal "a taken address: it is ready" 1 "$(grep -c READY=1 "$TMP/heard")"
	check "a taken address: the interface is filtered" has_program s0
	stop "$holder"
	wait_for filtering 127.0.0.1:9798
	wait_for heard '^STATUS=[A-Z ]*: .*; filtering on s0$'
	check "it is free: the endpoint answers" filtering 127.0.0.1:9798
	check "it is free: the status says nothing any more" heard '^STATUS=[A-Z ]*: .*; filtering on s0$'
	stop_synwarden
}

net_up
test_install
test_without_fetch
test_unit
test_manual
test_completion
test_uninstall
test_rights
test_notify
finish
