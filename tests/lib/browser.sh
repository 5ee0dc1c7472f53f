# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A browser beside the server, and pictures of what it shows. To be sourced after network.sh.

BROWSER=
DEADLINE=$((60 * ${PATIENCE:-1})) # seconds, for what comes late: its end is for what never comes
PICTURES=$BUILD/pictures

# start_browser: Chromium in the server's namespace; see tests/tools/browser.py
start_browser() {
	command -v chromium >/dev/null || die "chromium is missing: apt-get install chromium (or: make deps-test)"
	mkdir -p "$PICTURES"
	mkfifo "$TMP/to_browser" "$TMP/from_browser"
	exec 8<>"$TMP/to_browser" 9<>"$TMP/from_browser"
	start_in_server nice -n 10 env HOME="$TMP" python3 "$ROOT/tests/tools/browser.py" \
		"$TMP/to_browser" "$TMP/from_browser" 2>"$TMP/browser.err"
	BROWSER=$!
	[ "$(answer 30)" = ready ] || die "Chromium does not start: $(cat "$TMP/browser.err")"
}

# answer SECONDS: the browser's next line
answer() {
	local line
	read -r -t "$1" line <&9 && printf '%s\n' "$line"
}

# browser VERB ARGUMENT...: and its answer
browser() {
	echo "$*" >&8
	answer $((DEADLINE + 30)) || die "Chromium does not answer to $*: $(tail -n 3 "$TMP/browser.err")"
}

stop_browser() {
	stop "$BROWSER"
	exec 8>&- 9>&-
}

# shown EXPRESSION: what it is on the page
shown() {
	browser eval "${1//[$'\n\t']/ }"
}

# becomes EXPRESSION: whether it becomes true on the page
becomes() {
	[ "$(browser wait "$DEADLINE" "${1//[$'\n\t']/ }")" = yes ]
}

# text ID: of an element
text() {
	shown "document.getElementById('$1').textContent"
}
