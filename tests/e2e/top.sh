#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# `top` in a real terminal (tmux): three sizes and a resize, with the numbers that the kernel and the metrics hold;
# pause, sorting, help; a flood of one port and of two; a run that ends, is killed, comes back; and the terminal is given
# back. Its other pages and the mouse: top_pages.
#
# test: slow no-kernels
set -u
ROOT=$(readlink -f "$(dirname "$0")/../..")
# shellcheck source=tests/lib/network.sh
. "$ROOT/tests/lib/network.sh"
# shellcheck source=tests/lib/counters.sh
. "$ROOT/tests/lib/counters.sh"
# shellcheck source=tests/lib/terminal.sh
. "$ROOT/tests/lib/terminal.sh"

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
	check_equal "$1: no alternate screen, a cursor, no mouse" "0 1 0" \
		"$(terminal display-message -p '#{alternate_on} #{cursor_flag} #{mouse_any_flag}')"
}

# total_on_screen REASON
total_on_screen() {
	screen | sed -nE "s/.* (pass|drop|challenge) +$1 +([0-9,]+) +([0-9,]+)( .*|$)/\3/p" | tr -d ,
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

# As many as 80 columns hold, where none has lost anything.
LOSSES="lost: ring 0 reentry 0 census 0 storage 0 closing 0 http 0 sources 0 served 0"

# check_layout NAME ROWS COLUMNS: all parts are there, and in their place
check_layout() {
	local name=$1 rows=$2 columns=$3 state
	check "$name: keys on the last line" wait_for has_rows "$rows"
	check "$name: first line" grep -qxE "synwarden is running \(pid $SW\), counting since [0-9-]{10}T[0-9:]{8}Z \(.*\)" <(row 1)
	check_equal "$name: second line" "budget 1,000 SYN/s (then challenge), source limit 2,000 SYN/s, on s0 (native)" \
		"$(row 2)"
	check_equal "$name: third line" "no port is over its budget" "$(row 3)"
	check "$name: the ports' columns fit" grep -qE "^PORT +WHO +SYN/S +COURSE +BUDGET$([ "$columns" -lt 100 ] ||
		echo ' +PASS/S') +CHAL/S$([ "$columns" -lt 100 ] || echo ' +ANSW/S') +DROP/S +EST/S$([ "$columns" -lt 100 ] ||
		echo ' +SHARE') +HALF +QUEUE$([ "$columns" -lt 100 ] || echo ' +LDROP +RETX')\$" <(row 4)
	check_equal "$name: the columns use the whole width" "$columns" "$(row 4 | wc -L)"
	check "$name: who listens" wait_for on_screen '^80 +nginx '
	for state in ESTABLISHED TIME_WAIT LISTEN NEW_SYN_RECV; do
		on_screen "^$state +[0-9,]+ +[0-9.,-]+ +[0-9.,-]+( |$)" || check "$name: $state is there" false
	done
	for part in 'VERDICT +REASON +/S +TOTAL' 'MOST LIMITED SOURCES +/S +TOTAL' 'CONNECTION ENDED BY +/S +TOTAL' \
		'RESETS, RETRANSMITS +/S +TOTAL' '^EVENTS, THE LAST FIRST'; do
		check "$name: $part" wait_for on_screen "$part"
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
	check "port 80 has its line, and nothing goes on" wait_for on_screen '^80 +nginx +0 .* 0% +0 +0 +0 +0 +0/[0-9,]+$'
	stop "$HOLDER"
	check "none is held any more" wait_for shows_established 0
}

test_order() {
	local order="80 8081 8082 9798 "
	listen_on 8081 8082
	hold 8081 1
	local first=$HOLDER
	hold 8082 3
	check "waiting connections stand beside the accept queue's limit" wait_for on_screen '^8082 +python3 .* 3/16$'
	check "on either port" wait_for on_screen '^8081 +python3 .* 1/16$'
	check "no SYNs: the ports in order" wait_for in_order "$order"
	check "sorted by SYN/s at first" grep -q 's sort: SYN/S ' <(last_row)
	press s s s s s s s s s s
	check "ten keys further" wait_for grep_last 's sort: QUEUE '
	check_equal "by accept queue" "8082 8081 80 9798 " "$(port_order)"
	press r
	check "the other way round" wait_for grep_last 's sort: QUEUE reversed '
	check_equal "the other way round, in order" "80 9798 8081 8082 " "$(port_order)"
	press Right Right Right
	check "three more" wait_for grep_last 's sort: PORT '
	check_equal "by port" "$order" "$(port_order)"
	press r
	check "the ports from the last on" wait_for in_order "9798 8082 8081 80 "
	press S S
	check "two back" wait_for grep_last 's sort: LDROP '
	check "what it is sorted by is shown" wait_for on_screen '^PORT .* LDROP'
	press s s s
	check "and round" wait_for grep_last 's sort: WHO '
	check_equal "by process" "80 8081 8082 9798 " "$(port_order)"
	press a
	check "only active ports" wait_for in_order "8081 8082 "
	check "it is said" wait_for grep_last 'active only (2 hidden)'
	press a s
	wait_for in_order "$order"
	stop "$HOLDER"
	stop "$first"
	stop "$LISTENER"
	check "a port that had SYNs, and that nobody listens on any more, is marked" wait_for on_screen '^8081- '
}

test_help() {
	press h
	check "help" wait_for on_screen '^q +quit, as'
	check_equal "losses and keys stay" "$LOSSES" "$(row 23)"
	press NPage
	check "help explains the columns" wait_for on_screen '^SHARE +of the SYNs passed, handshakes completed; - while'
	press End
	check "help explains the losses" wait_for on_screen '^reentry +'
	press h
	check "h ends it" wait_for on_screen '^ESTABLISHED '
	press '?'
	check "? too" wait_for on_screen '^q +quit, as'
	press Escape
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
	screen | tr -d , | awk '$1 ~ /^80[!*]/ { off = $3 - $6 - $7 - $9; found = 1 } END { exit !found || off < -2 || off > 2 }'
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

# has_syn_rate LEAST MOST: of port 80
has_syn_rate() {
	screen | tr -d , | awk -v least="$1" -v most="$2" '$1 == "80!" { fits = $3 >= least && $3 <= most } END { exit !fits }'
}

has_half_open() {
	[ "$(state_on_screen NEW_SYN_RECV)" -gt 0 ]
}

course_is_red() {
	terminal capture-pane -ep | grep '80! ' | grep -q $'\033\\[31m.*█'
}

# A second port that is attacked is said to be, not only that it is armed.
test_second_attack() {
	start_in_client "$FLOOD" -q -p 9798 -r 3000 -c 1800000 -t 600 -s 3000 c0 "$(mac in_server s0)" "$SERVER_ADDR"
	local second=$!
	check "a second attack is named" wait_for on_screen 'also under attack: (80|9798)$'
	stop "$second"
	check "and is over" wait_for fails on_screen 'also under attack'
}

test_flood() {
	local frozen
	start_in_client "$FLOOD" -x -q -r 5000 -c 3000000 -t 600 -s 5000 c0 "$(mac in_server s0)" "$SERVER_ADDR"
	local flooder=$!
	check "a flood: the sentence" wait_for under_attack
	check "the port is marked" wait_for on_screen '^80! '
	check "half-open connections are counted" wait_for has_half_open
	check "its course is a full bar, in red" wait_for course_is_red
	check "its budget is exceeded" wait_for on_screen '^80! .* [3-7][0-9][0-9]% '
	check "SYN/s" wait_for has_syn_rate 3000 7000
	terminal resize-window -x 120 -y 24
	check "what came is what was passed, challenged and dropped" wait_for adds_up
	terminal resize-window -x 80 -y 24
	wait_for under_attack
	check "most packets first" grep -qE 'challenge challenged +[1-9]' <(screen | grep '^ESTABLISHED')
	check "red where there is colour" grep -q $'\033\\[31m' <(terminal capture-pane -ep)
	press p
	check "pause is said" wait_for grep_last '^PAUSED  q quit  p resume'
	frozen=$(screen)
	sleep 2.5
	check_equal "nothing moves while it is paused" "$frozen" "$(screen)"
	press s
	wait_for grep_last 'sort: COURSE'
	check_equal "sorting moves no number" "$(sed '$d' <<<"$frozen")" "$(screen | sed '$d')"
	press Space
	check "it goes on" wait_for fails grep_last PAUSED
	check "and moves" moves
	press S
	test_second_attack
	stop "$flooder"
	check "the attack ends" wait_for fails on_screen 'under SYN attack'
}

# A run that counts HTTP has two columns more, at 80 columns in place of two others.
test_http() {
	start_in_client bash -c "while curl -s -o /dev/null http://$SERVER_ADDR/; do sleep 0.2; done"
	check "HTTP: the columns" wait_for on_screen \
		'^PORT +SYN/S +COURSE +BUDGET +CHAL/S +DROP/S +EST/S +HALF +QUEUE +REQ/S +5XX$'
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

test_signals() {
	press C-c
	check_top_ends "Ctrl-C"
	start_top
	kill -TERM "$(top_pid)"
	check_top_ends "SIGTERM"
	start_top --interval 60
	check "every minute: keys are answered at once" wait_for on_screen 'q quit'
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
test_flood
test_run_ends
test_signals
test_without_colour
test_refusals
stop_synwarden
close_terminal
finish
