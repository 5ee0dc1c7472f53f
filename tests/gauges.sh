# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Many connections in chosen states, and the gauges of `run` beside what ss counts. To be sourced after lib.sh.

# `run` serves its metrics where the client reaches them: a scrape from within would leave a TIME_WAIT of its own.
METRICS=10.99.0.1:9798

# start_crowd PORT CLIENT_ADDR STATE=COUNT...: see crowd.py; its pid is in $CROWD. await_crowd PORT: until all are so.
start_crowd() {
	start python3 "$HERE/crowd.py" "/run/netns/$SERVER" "/run/netns/$CLIENT" "$SERVER_ADDR" "$2" "$1" "${@:3}" \
		>"$TMP/crowd.$1"
	# shellcheck disable=SC2034 # for the scripts
	CROWD=$!
}

await_crowd() {
	wait_for 60 grep -q ready "$TMP/crowd.$1" || die "no crowd on port $1"
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

# check_gauges NAME SECONDS: within so many of them, every gauge is what ss counts
check_gauges() {
	wait_for "$2" gauges_agree
	check_equal "$1" "$(cat "$TMP/ss")" "$(gauges "$TMP/scrape")"
}
