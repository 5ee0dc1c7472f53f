# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Situations of protection: what each of those that can be asked must say, from one expected row. To be sourced after
# network.sh, counters.sh, terminal.sh, browser.sh. With LONG=1 those are asked too that take seconds: `top`, the page, and
# the alerts; begin_situations starts what they need.

declare -A CODES=([fine]=0 [warning]=1 [critical]=2 [unknown]=3) # exit statuses of status --check
declare -A LABELS=([fine]=PROTECTED [warning]=WARNING [critical]=CRITICAL [unknown]=UNKNOWN)
RULES=$ROOT/contrib/prometheus/synwarden.rules.yml
ALERT_SECONDS=4 # between two scrapes
SITUATIONS=0

begin_situations() {
	open_terminal 160 50
	start_top
	start_browser
	browser open http://127.0.0.1:9798/ >/dev/null
}

# So many were played.
end_situations() {
	check_between "situations" 25 99 $SITUATIONS
	stop_browser
	close_terminal
}

# state_now: STATE REASON SEVERITY PORT, of the host
state_now() {
	sw status --json | jq -r '"\(.state) \(.state_reason) \(.severity) \(.state_port)"'
}

is_state() {
	[ "$(state_now)" = "$*" ]
}

# situation NAME STATE REASON SEVERITY PORT: it comes to that, by status, its exit status, its JSON, the endpoint and its
# metrics, and by what LONG=1 adds. PORT null: the host as a whole
situation() {
	local name=$1 severity=$4 port=$5 label=${LABELS[$4]}
	shift
	[ "$1 $severity" != "not_protected fine" ] || label="NOT PROTECTED"
	SITUATIONS=$((SITUATIONS + 1))
	wait_for is_state "$@"
	check_equal "$name: status --json" "$*" "$(state_now)"
	try sw status --check
	check_equal "$name: status --check" "${CODES[$severity]} $label 1" "$STATUS ${OUT%%:*} $(wc -l <"$TMP/out")"
	check_equal "$name: first line of status" "$label" "$(sw status | head -n 1 | sed 's/:.*//')"
	[ "$port" = null ] || check_equal "$name: the port" "$1 $2" "$(sw status --json |
		jq -r ".ports[] | select(.port == $port) | \"\(.state) \(.state_reason)\"")"
	[ "$severity" = unknown ] || of_endpoint "$name" "$@"
	[ -z "${LONG:-}" ] || of_others "$name" "$@"
}

# of_endpoint NAME STATE REASON SEVERITY PORT: the same by /api/status and /metrics
of_endpoint() {
	local name=$1 port=$5
	check_equal "$name: /api/status" "$2 $3 $4 $5" "$(in_server curl -s http://127.0.0.1:9798/api/status |
		jq -r '"\(.state) \(.state_reason) \(.severity) \(.state_port)"')"
	scrape
	check_equal "$name: /metrics" "${CODES[$4]}" "$(value protection_severity)"
	[ "$port" = null ] || check_equal "$name: /metrics, the port" "$2" \
		"$(sed -n "s/^protection_state{port=\"$port\",state=\"\(.*\)\"} 1/\1/p" "$TMP/scrape")"
}

of_others() {
	check "$1: top" wait_for top_says "$2" "$4"
	check "$1: the page" wait_for page_says "$2" "$4" "$5"
	[ "$4" = unknown ] || check_equal "$1: what pages" "$([ "$4" != critical ] || echo yes)" "$(pages)"
}

# top_says STATE SEVERITY: the terminal is large, so that the state has its line; none where all is fine
top_says() {
	case $1 in
	unknown) on_screen '^! (no run is alive|the run has ended)' ;;
	attacked_held_off) on_screen '^port [0-9]+ is under SYN attack: ' && fails on_screen '^(WARNING|CRITICAL): ' ;;
	*)
		if [ "$2" = fine ]; then
			fails on_screen '^(!|WARNING:|CRITICAL:) ' && on_screen '^synwarden is running '
		else
			on_screen "^${LABELS[$2]}: "
		fi
		;;
	esac
}

# page_says STATE SEVERITY PORT: its answers to "under attack?" and "do clients get in?"
page_says() {
	local answers
	answers=$(shown "[attack, clients].map((one) => one.dataset.answer).join(' ')")
	case "$1 $2 $3" in
	unknown* | gone*) [[ $answers = unknown\ * ]] ;;
	attacked_not_filtered* | not_protected\ critical\ [0-9]*) [ "$answers" = "bad unknown" ] ;;
	attacked_held_off*) [[ $answers =~ ^bad\ (good|idle)$ ]] ;;
	not_protected*) [[ $answers =~ ^warn\ (good|idle)$ ]] ;;
	clients_turned_away*) [[ $answers = *\ bad ]] ;;
	protected*) [[ $answers =~ ^(good|warn)\ (good|idle)$ ]] ;;
	esac
}

# pages: "yes" where a critical alert of its own fires, if this goes on
pages() {
	local url=http://127.0.0.1:9798/metrics began
	began=${EPOCHREALTIME/./}
	in_server curl -sf --max-time 5 $url >"$TMP/before"
	sleep $ALERT_SECONDS
	in_server curl -sf --max-time 5 $url >"$TMP/after"
	"$ROOT/tests/tools/alerts.py" "$RULES" "$TMP/before" "$TMP/after" "$((${EPOCHREALTIME/./} - began))e-6" >"$TMP/firing"
	grep -v '^SynwardenState' "$TMP/firing" | grep -qE ' critical$' && echo yes
}
