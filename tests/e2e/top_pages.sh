#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The pages of `top` in a real terminal (tmux), by keys and by the mouse: ports chosen, found and scrolled; a port's page,
# the events, the help; also at 40 x 10, and while the size changes.
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

# The ports whose lines are reversed; what is said of the style goes on from line to line.
chosen() {
	terminal capture-pane -ep | awk '{
		at_first = -1
		text = ""
		while ($0 != "") {
			if (match($0, /^\033\[[0-9;]*m/)) {
				count = split(substr($0, 3, RLENGTH - 3), code, ";")
				for (i = 1; i <= count; i++)
					reversed = code[i] == 7 ? 1 : code[i] == 0 ? 0 : reversed
				$0 = substr($0, RLENGTH + 1)
			} else {
				at_first = at_first < 0 ? reversed + 0 : at_first
				text = text substr($0, 1, 1)
				$0 = substr($0, 2)
			}
		}
		if (at_first == 1 && text ~ /^[0-9]/) {
			sub(/[-!* ].*/, "", text)
			print text
		}
	}'
}

is_chosen() {
	[ "$(chosen)" = "$1" ]
}

# click ROW COLUMN: the first button is pressed and released, as an xterm without SGR coordinates tells it; wheel_up,
# wheel_down
click() {
	local at
	at=$(awk -v x="$2" -v y="$1" 'BEGIN { printf "%c%c", x + 32, y + 32 }')
	terminal send-keys -l $'\033[M '"$at"$'\033[M#'"$at"
}

wheel_up() {
	terminal send-keys -l $'\033[M`!!'
}

wheel_down() {
	terminal send-keys -l $'\033[Ma!!'
}

test_find() {
	press /
	check "find: it is asked" wait_for grep_last '^find: _ '
	press n g i
	check "find: by process, while it is typed" wait_for in_order "80 "
	check "find: the text" wait_for grep_last '^find: ngi_ '
	press BSpace BSpace BSpace 9 7
	check "find: by number" wait_for in_order "9798 "
	press Enter
	check "find: Enter keeps it" wait_for grep_last 'found: 97 (1 hidden)'
	press Escape
	check "find: Escape shows all" wait_for in_order "80 9798 "
}

test_mouse() {
	click 4 3
	check "a click on PORT sorts by it" wait_for grep_last 's sort: PORT '
	click 4 3
	check "another one the other way round" wait_for in_order "9798 80 "
	click 4 21
	check "a click on SYN/S" wait_for grep_last 's sort: SYN/S '
	wait_for in_order "80 9798 "
	click 6 9
	check "a click on a port chooses it" wait_for is_chosen 9798
	click 6 9
	check "another one opens its page" wait_for on_screen '^PORT 9798  synwarden \(pid '
	press Escape
	check "and Escape goes back" wait_for on_screen '^PORT +WHO'
	press Escape
	wait_for fails is_chosen 9798
}

# The page of port 80, whose sockets are the kernel's.
test_port() {
	hold 80 5
	press Enter
	check "a port's page: who listens" wait_for on_screen '^PORT 80  nginx \(pid [0-9]+\)$'
	check "a port's page: its state" wait_for on_screen '^port 80 is protected; '
	check "a port's page: its budget" wait_for on_screen '^budget: 1,000 SYN/s, then challenge; now [0-9.<]+ SYN/s, [0-9]+ % of it'
	check "a port's page: where it is served" wait_for on_screen "^served at every address \\(protect\\), $SERVER_ADDR\$"
	check "a port's page: its sockets" wait_for on_screen '  ESTABLISHED +5$'
	check "a port's page: its counters" wait_for on_screen '^completed +[0-9.<]+ +[0-9,]+( |$)'
	stop "$HOLDER"
	check "a port's page: they are closed" wait_for fails on_screen '  ESTABLISHED '
	press Escape
	check "a port's page: Escape goes back" wait_for on_screen '^PORT +WHO'
}

test_events() {
	press e
	check "events: what has happened" wait_for on_screen '^20[0-9-]+T[0-9:]+Z +#1 +synwarden .* began to filter$'
	check "events: the page's keys" wait_for grep_last '^q quit  p pause  Esc back'
	press e
	check "events: and back" wait_for on_screen '^PORT +WHO'
}

# Every page at 40 x 10, and while the size changes.
test_small_pages() {
	press Enter
	check "a small one: a port's page" wait_for on_screen '^PORT 80  nginx'
	terminal resize-window -x 20 -y 4
	terminal resize-window -x 300 -y 100
	check "a port's page at 300x100" wait_for has_rows 100
	terminal resize-window -x 40 -y 10
	check "and back" wait_for has_rows 10
	press Escape e
	check "a small one: events" wait_for on_screen '^EVENTS, THE LAST'
	press h
	check "a small one: help" wait_for on_screen '^KEYS'
	press Escape
	check "a small one: the ports" wait_for on_screen '^PORT +SYN/S'
	check_equal "a small one: no line is wider" 0 "$(screen | awk 'length > 40' | wc -l)"
}

test_scroll() {
	listen_on {9001..9020}
	wait_for grep_last 'ports 1-5 of 22 '
	check "of 22 ports five fit" wait_for grep_last 'ports 1-5 of 22 '
	check_equal "the first five" "80 9001 9002 9003 9004 " "$(port_order)"
	press Escape
	press Down Down
	check "down chooses: the second one" wait_for is_chosen 9001
	press NPage
	check "page down" wait_for is_chosen 9006
	check "and it is scrolled to" wait_for grep_last 'ports 3-7 of 22 '
	press End
	check "end" wait_for is_chosen 9798
	check "end is the last port" wait_for grep_last 'ports 18-22 of 22 '
	press Up
	check "up" wait_for is_chosen 9020
	press PPage
	check "page up" wait_for is_chosen 9015
	press Home
	check "home" wait_for is_chosen 80
	check "home is the first port" wait_for grep_last 'ports 1-5 of 22 '
	wheel_down
	check "the wheel scrolls" wait_for grep_last 'ports 4-8 of 22 '
	wheel_up
	check "and back" wait_for grep_last 'ports 1-5 of 22 '
	press Escape
	check "Escape: none is chosen" wait_for fails is_chosen 80
	stop "$LISTENER"
	check "without listeners and SYNs they are gone" wait_for fails on_screen '^90[0-9][0-9] '
}

# A port's page does not say what a run does that is gone.
test_gone() {
	start_in_client "$FLOOD" -q -r 3000 -c 1800000 -t 600 -s 3000 c0 "$(mac in_server s0)" "$SERVER_ADDR"
	local flooder=$!
	press Home Enter
	check "a port's page: it is attacked" wait_for on_screen '^port 80 is under SYN attack'
	stop_synwarden
	check "a port's page: the run is gone" wait_for on_screen '^! the run has ended and removed its filter: '
	check "a port's page: no attack any more" wait_for fails on_screen 'under SYN attack'
	check "a port's page: and no budget" fails on_screen '^budget: '
	stop "$flooder"
}

net_up
start_nginx
start_synwarden --source-limit 2000 --protect 80
check_equal "a request" 200 "$(get $SERVER_ADDR 10.99.1.1)"
open_terminal 80 24
start_top
test_find
test_mouse
test_port
test_events
test_scroll
terminal resize-window -x 40 -y 10
test_small_pages
terminal resize-window -x 80 -y 24
test_gone
press q
wait_for ended
check_equal "exit status" 0 "$(cat "$TMP/status")"
close_terminal
finish
