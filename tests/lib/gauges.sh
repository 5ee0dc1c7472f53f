# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Many connections in chosen states, and the gauges of `run` beside what ss counts. To be sourced after network.sh.

# `run` serves its metrics where the client reaches them: a scrape from within would leave a TIME_WAIT of its own.
METRICS=10.99.0.1:9798

# start_mixed PORT CLIENT_ADDR STATE=COUNT...: see mixed_states.py; its pid is in $MIXED. await_mixed PORT: until all are so.
start_mixed() {
	start python3 "$ROOT/tests/tools/mixed_states.py" "/run/netns/$SERVER" "/run/netns/$CLIENT" "$SERVER_ADDR" "$2" "$1" "${@:3}" \
		>"$TMP/mixed.$1"
	# shellcheck disable=SC2034 # for the scripts
	MIXED=$!
}

await_mixed() {
	wait_for grep -q ready "$TMP/mixed.$1" || die "no connections on port $1"
}

# scrape_outside FILE: /metrics, without the prefix and the comments
scrape_outside() {
	in_client curl -sf --max-time 5 "http://$METRICS/metrics" | sed -n 's/^synwarden_//p' >"$1"
}

# gauges FILE: a line "STATE COUNT" for each state with sockets. ss knows one word for SYN_RECV and NEW_SYN_RECV.
gauges() {
	awk -F'"' '/^tcp_connections/ { sub(/NEW_/, "", $2); sub(/.* /, "", $3); count[$2] += $3 }
		END { for (state in count) if (count[state]) print state, count[state] }' "$1" | sort
}

# ss_states [FILTER]: the same of what ss counts in the server
# shellcheck disable=SC2120
ss_states() {
	in_server ss -Htan "$@" | awk '{ count[$1]++ } END { for (state in count) print state, count[state] }' |
		sed 's/^ESTAB /ESTABLISHED /; s/^SYN-/SYN_/; s/^FIN-WAIT-/FIN_WAIT/; s/^TIME-/TIME_/; s/^CLOSE-/CLOSE_/
			s/^LAST-/LAST_/' | sort
}

# ss is asked first: by the next time, the scrape's own connection is gone.
gauges_agree() {
	ss_states >"$TMP/ss"
	scrape_outside "$TMP/scrape"
	[ "$(gauges "$TMP/scrape")" = "$(cat "$TMP/ss")" ]
}

# check_gauges NAME: in the end, every gauge is what ss counts
check_gauges() {
	wait_for gauges_agree
	check_equal "$1" "$(cat "$TMP/ss")" "$(gauges "$TMP/scrape")"
}
