# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The sysctls that an armed port raises, in the server. To be sourced after counters.sh.

SYSCTLS=(tcp_syncookies tcp_max_syn_backlog tcp_synack_retries tcp_timestamps)
BEFORE="1 512 5 1"
# shellcheck disable=SC2034 # for the scripts
HARDENED="2 65536 2 2"

sysctls() {
	in_server sysctl -n "${SYSCTLS[@]/#/net.ipv4.}" | paste -sd' '
}

sysctls_are() {
	[ "$(sysctls)" = "$1" ]
}

set_before() {
	local values i
	read -ra values <<<"$BEFORE"
	for i in 0 1 2 3; do
		in_server sysctl -qw "net.ipv4.${SYSCTLS[i]}=${values[i]}"
	done
}

armed() {
	scrape
	[ "$(value 'armed{port="80"}')" = 1 ]
}
