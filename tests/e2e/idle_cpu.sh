#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The CPU time of a `run` that has nothing to do, with one port and with a thousand: 0.2 and 0.5 % of one CPU; and of a
# `top` that shows it: 0.5 %.
#
# test: timed
set -u
ROOT=$(readlink -f "$(dirname "$0")/../..")
# shellcheck source=tests/lib/network.sh
. "$ROOT/tests/lib/network.sh"
# shellcheck source=tests/lib/counters.sh
. "$ROOT/tests/lib/counters.sh"
# shellcheck source=tests/lib/listeners.sh
. "$ROOT/tests/lib/listeners.sh"
# shellcheck source=tests/lib/terminal.sh
. "$ROOT/tests/lib/terminal.sh"

# cpu_permyriad SECONDS PID: of one CPU
cpu_permyriad() {
	local before after
	before=$(awk '{ print $14 + $15 }' "/proc/$2/stat")
	sleep "$1"
	after=$(awk '{ print $14 + $15 }' "/proc/$2/stat")
	echo $(((after - before) * 10000 / ($(getconf CLK_TCK) * $1)))
}

net_up
silence 0
start_synwarden --quiet
check_between "idle: CPU time, in hundredths of a percent" 0 20 "$(cpu_permyriad 60 "$SW")"
open_terminal 80 24
start_top
check_between "top: CPU time, in hundredths of a percent" 0 50 "$(cpu_permyriad 60 "$(top_pid)")"
press q
wait_for ended
close_terminal
start_listeners
wait_for ports_are 800 || die "not all that can have counters have them"
check_between "1,000 listening ports: CPU time, in hundredths of a percent" 0 50 "$(cpu_permyriad 60 "$SW")"
finish
