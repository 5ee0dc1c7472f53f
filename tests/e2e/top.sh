#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# `top` in a real terminal (tmux): three sizes and a resize, with the numbers that the kernel and the metrics hold;
# pause, sorting, scrolling, help; a flood; a run that ends, is killed, comes back; and the terminal is given back.
#
# test: slow no-kernels
set -u
ROOT=$(readlink -f "$(dirname "$0")/../..")
# shellcheck source=tests/lib/network.sh
. "$ROOT/tests/lib/network.sh"
# shellcheck source=tests/lib/counters.sh
. "$ROOT/tests/lib/counters.sh"

command -v tmux >/dev/null || die "tmux is missing: apt-get install tmux (or: make deps-test)"

terminal() {
	tmux -S "$TMP/tmux" -f /dev/null "$@"
}

# open_terminal COLUMNS ROWS: a shell without a prompt, in the server's namespace
open_terminal() {
	in_server env -u TMUX PS1= SHELL=/bin/sh tmux -S "$TMP/tmux" -f /dev/null new-session -d -x "$1" -y "$2" 'exec sh'
	PIDS=("$(terminal display-message -p '#{pid}')")
	terminal set-option -g status off
}

close_terminal() {
	terminal kill-server
	wait_for gone "${PIDS[0]}"
	PIDS=()
}

# start_top [OPTION...]: in the terminal; environment variables as NAME=VALUE may stand before the options
start_top() {
	local variables=()
	while [[ ${1:-} == *=* ]]; do
		variables+=("$1")
		shift
	done
	rm -f "$TMP/status"
	terminal send-keys -l "stty -g >$TMP/before; env ${variables[*]} $SYNWARDEN top $* 2>$TMP/top.err; echo \$? >$TMP/status"
	terminal send-keys Enter
	wait_for on_screen '^q quit ' || screen
}

press() {
	terminal send-keys "$@"
}

screen() {
	terminal capture-pane -p
}

row() {
	screen | sed -n "$1p"
}

last_row() {
	screen | tail -n1
}

# on_screen REGEX: a line has it
on_screen() {
	screen | grep -qE "$1"
}

ended() {
	[ -s "$TMP/status" ]
}

# check_top_ends NAME [STATUS]: with the terminal as it was
check_top_ends() {
	wait_for ended
	check_equal "$1: exit status" "${2:-0}" "$(cat "$TMP/status")"
	check_equal "$1: no message" "" "$(cat "$TMP/top.err")"
	terminal send-keys -l "stty -g >$TMP/after"
	terminal send-keys Enter
	wait_for test -s "$TMP/after"
	check_equal "$1: the terminal's settings" "$(cat "$TMP/before")" "$(cat "$TMP/after")"
	rm -f "$TMP/after"
	check_equal "$1: no alternate screen, and a cursor" "0 1" "$(terminal display-message -p '#{alternate_on} #{cursor_flag}')"
}

# state_on_screen STATE: its number
state_on_screen() {
	screen | awk -v state="$1" '$1 == state { gsub(",", "", $2); print $2 }'
}

# total_on_screen REASON
total_on_screen() {
	screen | sed -nE "s/.* (pass|drop|challenge) +$1 +([0-9,]+) +([0-9,]+)( .*|$)/\3/p" | tr -d ,
}

shows_established() {
	[ "$(state_on_screen ESTABLISHED)" = "$1" ]
}

# hold PORT COUNT: connections, until stop $HOLDER
hold() {
	start_in_client python3 -c "import socket, time
held = [socket.create_connection(('$SERVER_ADDR', $1)) for _ in range($2)]
time.sleep(120)"
	HOLDER=$!
}

# listen_on PORT...: accepts nothing, until stop $LISTENER
listen_on() {
	start_in_server python3 -c 'import socket, sys, time
listeners = [socket.create_server(("", int(port)), backlog=16) for port in sys.argv[1:]]
time.sleep(120)' "$@"
	LISTENER=$!
	wait_for listens "${!#}"
}

established() {
	in_server ss -Htn state established | wc -l
}

# screen_agrees: verdicts and states on the screen are those of the metrics, which the terminal's traffic does not change
screen_agrees() {
	local reason
	scrape
	for reason in syn segment; do
		[ "$(total_on_screen "$reason")" = "$(packets "$reason")" ] || return
	done
	[ "$(state_on_screen LISTEN)" = "$(value 'tcp_connections{state="LISTEN"}')" ]
}

# port_order: the ports in the order of their lines
port_order() {
	screen | sed -n '/^PORT /,/^STATE /p' | sed '1d;$d' | awk '{ sub("[-!*]$", "", $1); print $1 }' | tr '\n' ' '
}

has_rows() {
	[ "$(screen | wc -l)" = "$1" ] && grep -q '^q quit' <(last_row)
}

# As many as 80 columns hold, where none has lost anything.
LOSSES="lost: ring 0 reentry 0 census 0 storage 0 closing 0 http 0 sources 0 served 0"

# check_layout NAME ROWS COLUMNS: all parts are there, and in their place
check_layout() {
	local name=$1 rows=$2 columns=$3 state
	check "$name: keys on the last line" wait_for has_rows "$rows"
	check "$name: first line" grep -qxE "synwarden is running \(pid $SW\), counting since [0-9-]{10}T[0-9:]{8}Z \(.*\)" <(row 1)
	check_equal "$name: second line" "port budget 1000 SYN/s (then challenge), source limit 2000 SYN/s, on s0 (native)" \
		"$(row 2)"
	check_equal "$name: third line" "no port is over its budget" "$(row 3)"
	check "$name: the ports' columns fit" grep -qE '^PORT +SYN/S +PASS/S +CHAL/S +ANSW/S +DROP/S +EST/S +SHARE +HALF +QUEUE +LDROP +RETX$' \
		<(row 4)
	check "$name: the columns use the width" test "$(row 4 | wc -L)" -gt $((columns < 150 ? columns - 12 : 140))
	for state in ESTABLISHED SYN_SENT SYN_RECV FIN_WAIT1 FIN_WAIT2 TIME_WAIT CLOSE CLOSE_WAIT LAST_ACK LISTEN CLOSING \
		NEW_SYN_RECV; do
		on_screen "^$state +[0-9,]+ +[0-9.,-]+ +[0-9.,-]+( |$)" || check "$name: $state is there" false
	done
	for part in 'VERDICT +REASON +/S +TOTAL' 'MOST LIMITED SOURCES +/S +TOTAL' 'WAS OPEN +ENDED BY +/S +TOTAL' \
		'RESETS, SENT AGAIN +/S +TOTAL'; do
		check "$name: $part" on_screen "$part"
	done
	check_equal "$name: losses" "$LOSSES$([ "$columns" -lt 100 ] || echo " ports 0 answers 0 watches 0")" "$(row $((rows - 1)))"
}

test_sizes() {
	local size columns rows
	for size in 80x24 120x40 200x60; do
		columns=${size%x*}
		rows=${size#*x}
		open_terminal "$columns" "$rows"
		start_top
		check_layout $size "$rows" "$columns"
		press q
		check_top_ends "$size, q"
		close_terminal
	done
}

test_numbers() {
	local i
	for i in {1..5}; do
		get $SERVER_ADDR "10.99.1.$i"
	done >"$TMP/got"
	check_equal "five requests" "5 200" "$(sort "$TMP/got" | uniq -c | awk '{ print $1, $2 }')"
	hold 80 7
	wait_for shows_established 7
	check_equal "seven connections are held, says the kernel" 7 "$(established)"
	check_equal "and top" 7 "$(state_on_screen ESTABLISHED)"
	check "packets by reason, and listeners, are those of the metrics" wait_for screen_agrees
	check "port 80 has its line, and nothing goes on" wait_for on_screen '^80( +0){6} +- +0 +0/[0-9]+ +0 +0$'
	stop "$HOLDER"
	check "none is held any more" wait_for shows_established 0
}

in_order() {
	[ "$(port_order)" = "$1" ]
}

test_order() {
	local order="80 8081 8082 9798 "
	listen_on 8081 8082
	hold 8081 1
	local first=$HOLDER
	hold 8082 3
	check "waiting connections stand beside the accept queue's limit" wait_for on_screen '^8082 .* 3/16 +0 +0$'
	check "on either port" wait_for on_screen '^8081 .* 1/16 +0 +0$'
	check "no SYNs: the ports in order" wait_for in_order "$order"
	check "sorted by SYN/s at first" grep -q 's sort: SYN/S ' <(last_row)
	press s s s s s s s s
	check "eight keys further" wait_for grep_last 's sort: QUEUE '
	check_equal "by accept queue" "8082 8081 80 9798 " "$(port_order)"
	press s s s
	check "three more" wait_for grep_last 's sort: PORT '
	check_equal "by port" "$order" "$(port_order)"
	press s
	check "and round" wait_for grep_last 's sort: SYN/S '
	stop "$HOLDER"
	stop "$first"
	stop "$LISTENER"
	check "a port that had SYNs, and that nobody listens on any more, is marked" wait_for on_screen '^8081- '
}

grep_last() {
	grep -q -- "$1" <(last_row)
}

# The first port on the screen.
first_port() {
	port_order | cut -d' ' -f1
}

first_port_is() {
	[ "$(first_port)" = "$1" ]
}

test_scroll() {
	listen_on {9001..9020}
	wait_for grep_last 'ports 1-5 of 24 '
	check "of 24 ports five fit" grep_last 'ports 1-5 of 24 '
	check_equal "the first five" "80 8081 8082 9001 9002 " "$(port_order)"
	press Down
	check "down" wait_for first_port_is 8081
	check "and it is said" grep_last 'ports 2-6 of 24 '
	press NPage
	check "page down" wait_for first_port_is 9004
	press End
	check "end" wait_for grep_last 'ports 20-24 of 24 '
	press Up
	check "up" wait_for grep_last 'ports 19-23 of 24 '
	press PPage
	check "page up" wait_for grep_last 'ports 14-18 of 24 '
	press Home
	check "home" wait_for first_port_is 80
	stop "$LISTENER"
	check "without listeners and SYNs they are gone" wait_for fails on_screen '^90[0-9][0-9] '
}

test_help() {
	press h
	check "help" wait_for on_screen '^q         quit, as'
	check "help explains the columns" on_screen '^SHARE  of the SYNs passed, handshakes completed; - while some are challenged$'
	check "it fits" on_screen '^lost   what synwarden could not see'
	check_equal "losses and keys stay" "$LOSSES" "$(row 23)"
	press x
	check "any key ends it" wait_for on_screen '^ESTABLISHED '
	press '?'
	check "? too" wait_for on_screen '^q         quit, as'
	press '?'
	check "and back" wait_for on_screen '^ESTABLISHED '
}

test_resize() {
	terminal resize-window -x 120 -y 40
	check_layout "resized to 120x40" 40 120
	terminal resize-window -x 200 -y 60
	check_layout "resized to 200x60" 60 200
	terminal resize-window -x 40 -y 10
	check "a small one: keys" wait_for has_rows 10
	check "a small one: port 80" wait_for on_screen '^80 '
	terminal resize-window -x 80 -y 24
	check_layout "and back to 80x24" 24 80
}

NUMBER='[0-9]{1,3}(,[0-9]{3})*'

under_attack() {
	grep -qxE "port 80 is under SYN attack: $NUMBER SYN/s from about $NUMBER sources in 10 s, [0-9.]+ % of handshakes \
complete, $NUMBER challenges unanswered" <(echo "$(row 3) $(row 4)")
}

# SYN/s of port 80 is what was done with them, each rounded.
adds_up() {
	screen | tr -d , | awk '$1 ~ /^80[!*]/ { off = $2 - $3 - $4 - $6; found = 1 } END { exit !found || off < -2 || off > 2 }'
}

# moves: whether the screen changes within a while
moves() {
	local was
	was=$(screen)
	wait_for fails screen_is "$was"
}

screen_is() {
	[ "$(screen)" = "$1" ]
}

test_flood() {
	local frozen
	start_in_client "$FLOOD" -x -q -r 5000 -c 1000000 -t 30 -s 5000 c0 "$(mac in_server s0)" "$SERVER_ADDR"
	local flooder=$!
	check "a flood: the sentence" wait_for under_attack
	check "the port is marked" on_screen '^80! '
	check "what came is what was passed, challenged and dropped" wait_for adds_up
	check_between "SYN/s" 3000 7000 "$(screen | tr -d , | awk '$1 == "80!" { print $2 }')"
	check "half-open connections are counted" test "$(state_on_screen NEW_SYN_RECV)" -gt 0
	check "most packets first" grep -qE 'challenge challenged +[1-9]' <(screen | grep '^ESTABLISHED')
	check "red where there is colour" grep -q $'\033\\[31m' <(terminal capture-pane -ep)
	press p
	check "pause is said" wait_for grep_last '^PAUSED  q quit  p resume'
	frozen=$(screen)
	sleep 2.5
	check_equal "nothing moves while it is paused" "$frozen" "$(screen)"
	press s
	wait_for grep_last 'sort: PASS/S'
	check_equal "sorting moves no number" "$(sed '$d' <<<"$frozen")" "$(screen | sed '$d')"
	press Space
	check "it goes on" wait_for fails grep_last PAUSED
	check "and moves" moves
	stop "$flooder"
	check "the attack ends" wait_for fails on_screen 'under SYN attack'
}

# A run that counts HTTP has two columns more, at 80 columns in place of two others.
test_http() {
	start_in_client bash -c "while curl -s -o /dev/null http://$SERVER_ADDR/; do sleep 0.2; done"
	check "HTTP: the columns" wait_for on_screen \
		'^PORT +SYN/S +PASS/S +CHAL/S +DROP/S +EST/S +SHARE +HALF +QUEUE +LDROP +REQ/S +5XX$'
	check "HTTP: requests a second, and none failed" wait_for on_screen '^80 .* [1-9][0-9]* +0\.0%$'
	stop $!
}

test_run_ends() {
	local killed
	stop_synwarden
	check "a run that ended" wait_for on_screen '^! the run has ended and removed its filter: '
	check "top stays" fails ended
	start_synwarden --source-limit 2000 --http on
	check "the next run is shown" wait_for on_screen "^synwarden is running \(pid $SW\), "
	test_http
	killed=$SW
	stop_synwarden KILL
	check "a run that was killed" wait_for on_screen '^! no run is alive: its filter is still attached, '
	check "its filter is there" has_program s0
	start_synwarden --source-limit 2000
	check "one that takes over" wait_for on_screen "^synwarden is running \(pid $SW\), "
	check "is another one" test "$killed" != "$SW"
}

# top_pid: of the only one in the server's namespace that runs in this terminal
top_pid() {
	ps -o pid=,args= -t "$(terminal display-message -p '#{pane_tty}')" | awk '/ top( |$)/ && !/env/ { print $1; exit }'
}

test_signals() {
	press C-c
	check_top_ends "Ctrl-C"
	start_top
	kill -TERM "$(top_pid)"
	check_top_ends "SIGTERM"
	start_top --interval 60
	check "every minute: keys are answered at once" on_screen 'q quit'
	kill -TERM "$(top_pid)"
	check_top_ends "SIGTERM, every minute"
}

# has_colour: escape sequences that set one
has_colour() {
	terminal capture-pane -ep | grep -qE $'\033\\[([0-9;]*;)?3[1-7]m'
}

test_without_colour() {
	start_top
	check "screen: colour" wait_for has_colour
	press q
	wait_for ended
	start_top NO_COLOR=1
	check "NO_COLOR: no colour" fails has_colour
	check_layout "NO_COLOR" 24 80
	press q
	check_top_ends "NO_COLOR"
	start_top TERM=vt100
	check "vt100: no colour" fails has_colour
	check_layout "vt100" 24 80
	press q
	check_top_ends "vt100"
}

test_refusals() {
	local script="synwarden: top: standard"
	expect "standard output is no terminal" 1 "" "$script output is not a terminal; for a script there is: synwarden \
status --json" sw top
	expect "top: interval 0" 2 "" 'synwarden top: --interval: "0" is not a number from 1 to 60 (synwarden help top)' \
		sw top --interval 0
	expect "top: an argument" 2 "" 'synwarden top: unexpected argument "s0": it takes none (synwarden help top)' sw top s0
	terminal send-keys -l "rm $TMP/status; $SYNWARDEN top 2>$TMP/top.err </dev/null; echo \$? >$TMP/status"
	terminal send-keys Enter
	wait_for refused_with 1
	check_equal "standard input is no terminal" "$script input is not a terminal; for a script there is: synwarden status \
--json" "$(cat "$TMP/top.err")"
	terminal send-keys -l "rm $TMP/status; TERM=unheard-of $SYNWARDEN top 2>$TMP/top.err; echo \$? >$TMP/status"
	terminal send-keys Enter
	wait_for refused_with 1
	check_equal "an unknown terminal" \
		"synwarden: the terminal \"unheard-of\" is unknown here; use a known one: TERM=xterm" "$(cat "$TMP/top.err")"
}

refused_with() {
	[ "$(cat "$TMP/status" 2>/dev/null)" = "$1" ] && [ -s "$TMP/top.err" ]
}

net_up
start_nginx
expect "without a run" 1 "" "synwarden: no synwarden is running in this network namespace; start one: synwarden run IFACE" \
	sw top
start_synwarden --source-limit 2000 --protect 80
test_sizes
open_terminal 80 24
start_top
test_numbers
test_help
test_resize
test_order
test_scroll
test_flood
test_run_ends
test_signals
test_without_colour
test_refusals
stop_synwarden
close_terminal
finish
