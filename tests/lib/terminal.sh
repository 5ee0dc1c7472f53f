# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# `top` in a terminal (tmux) in the server's namespace: keys, clicks, and what is on the screen. For tests that have
# tests/lib/network.sh.

command -v tmux >/dev/null || die "tmux is missing: apt-get install tmux (or: make deps-test)"

terminal() {
	tmux -u -S "$TMP/tmux" -f /dev/null "$@"
}

# open_terminal COLUMNS ROWS: a shell without a prompt, in the server's namespace
open_terminal() {
	in_server env -u TMUX -u LC_ALL PS1= SHELL=/bin/sh LANG=C.UTF-8 tmux -S "$TMP/tmux" -f /dev/null new-session -d -x "$1" -y "$2" 'exec sh'
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

# state_on_screen STATE: its number, below 10,000
state_on_screen() {
	screen | awk -v state="$1" '$1 == state { gsub(",", "", $2); print $2 }'
}

shows_established() {
	[ "$(state_on_screen ESTABLISHED)" = "$1" ]
}

# hold PORT COUNT: connections, until stop $HOLDER
hold() {
	start_in_client python3 -c "import socket, time
held = [socket.create_connection(('$SERVER_ADDR', $1)) for _ in range($2)]
time.sleep(120)"
	# shellcheck disable=SC2034 # for the scripts
	HOLDER=$!
}

# listen_on PORT...: accepts nothing, until stop $LISTENER
listen_on() {
	start_in_server python3 -c 'import socket, sys, time
listeners = [socket.create_server(("", int(port)), backlog=16) for port in sys.argv[1:]]
time.sleep(120)' "$@"
	# shellcheck disable=SC2034 # for the scripts
	LISTENER=$!
	wait_for listens "${!#}"
}

# port_order: the ports in the order of their lines
port_order() {
	screen | sed -n '/^PORT /,/^STATE /p' | sed '1d;$d' | awk '{ sub("[-!*]$", "", $1); print $1 }' | tr '\n' ' '
}

has_rows() {
	[ "$(screen | wc -l)" = "$1" ] && grep -q '^q quit' <(last_row)
}

in_order() {
	[ "$(port_order)" = "$1" ]
}

grep_last() {
	grep -q -- "$1" <(last_row)
}

# top_pid: of the only one in the server's namespace that runs in this terminal
top_pid() {
	ps -o pid=,args= -t "$(terminal display-message -p '#{pane_tty}')" | awk '/ top( |$)/ && !/env/ { print $1; exit }'
}
