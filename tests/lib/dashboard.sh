# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2086 # addresses and numbers
#
# A server with its dashboard in a browser, clients that come and a flood. To be sourced after network.sh and counters.sh.

# shellcheck source=tests/lib/browser.sh
. "$ROOT/tests/lib/browser.sh"

URL=http://127.0.0.1:9798
HELD=5 # connections that stay
PACE=20 # clients a second
FLOODERS=() # pids

# dashboard_up OPTION...: of `run`
dashboard_up() {
	net_up
	take_replies
	in_server ip route add 10.97.0.0/16 via 10.99.0.2
	start_nginx
	start_synwarden --protect 80 "$@"
}

# What has jumped since the page was opened adds up in `jumped`.
open_dashboard() {
	start_browser
	browser size 1200 1000 >/dev/null
	browser scheme light >/dev/null
	check_equal "the page loads" ok "$(browser open $URL/)"
	shown 'var jumped = 0, moved = []; new PerformanceObserver((list) => list.getEntries().forEach((one) => {
		jumped += one.value; moved.push(...one.sources.map(({node}) => node?.id || node?.className || node?.nodeName)); }))
		.observe({type: "layout-shift", buffered: true})' >/dev/null
}

# fetch PATH [CURL OPTION...]: the body
fetch() {
	in_server curl -s --max-time 5 "${@:2}" "$URL$1"
}

# status FILTER: of /api/status
status() {
	fetch /api/status | jq -r "$1"
}

# Connections that stay, and have an owner with a name that a careless page would take for markup.
hold() {
	start_in_client python3 -c 'import socket, sys, time
open("/proc/self/comm", "w").write("<b>x</b>")
held = [socket.create_connection((sys.argv[1], 80)) for i in range(int(sys.argv[2]))]
time.sleep(600)' $SERVER_ADDR $HELD
	wait_for established_by_ss
}

established_by_ss() {
	[ "$(in_server ss -Htn state established 'sport = :80' | wc -l)" = "$HELD" ]
}

# cell_of TABLE ROW HEADING: an expression: the cell's text in the row that begins with ROW; HEADING is one, too
cell_of() {
	echo "(() => { const table = document.getElementById('$1');
		const x = [...table.tHead.rows[0].cells].findIndex((cell) => cell.textContent === $3);
		return [...table.tBodies[0].rows].find((row) => row.cells[0].textContent === '$2')?.cells[x].textContent ?? 'none';
	})()"
}

# column TABLE ROW HEADING: that text
column() {
	shown "$(cell_of "$1" "$2" "'$3'")"
}

# Clients at an even pace, and some that close in either order
start_clients() {
	in_client ip route add local 10.97.0.0/16 dev lo
	start_in_client "$BUILD/tests/tools/clients" -n 1000 -r $PACE 10.97.0.1 $SERVER_ADDR 80 >/dev/null
	visit &
}

visit() {
	local i
	for ((i = 1; i <= 240; i++)); do
		get $SERVER_ADDR "10.99.1.$i"
		get $SERVER_ADDR "10.99.1.$i" -H 'Connection: close' --max-time 2
		sleep 0.15
	done >/dev/null
}

# start_flood RATE [FLOOD OPTION...]: until its pid, in FLOODERS, is stopped
start_flood() {
	start_in_client "$FLOOD" -q -r "$1" -c 3000000 -t 300 "${@:2}" c0 "$(mac in_server s0)" $SERVER_ADDR
	FLOODERS+=("$!")
}

# rate_of FIELD: an expression: of port 80, by the answers of the last five seconds that the page has
rate_of() {
	echo "((field) => { const all = synwarden.snapshots, now = all.at(-1);
		const then = all.filter((one) => now.monotonic_us - one.monotonic_us >= 4.8e6).at(-1) ?? all[0];
		const [was, is] = [then, now].map((status) => status.ports.find((one) => one.port === 80)[field]);
		return (is - was) * 1e6 / (now.monotonic_us - then.monotonic_us); })('$1')"
}

# is_rate CELL FIELD: an expression: the cell's text is that rate
is_rate() {
	echo "((text, rate) => rate > 0 && text === Math.round(rate).toLocaleString('en'))($1, $(rate_of "$2"))"
}

# charts_challenged ID: an expression: that chart ends with the rate of challenges
charts_challenged() {
	echo "((y, rate) => rate > 0 && Math.round(y) === Math.round(rate))(Chart.getChart('$1').data.datasets[1].data.at(-1)?.y,
		$(rate_of challenged))"
}

# press SELECTOR: a click on it
press() {
	shown "document.querySelector('$1').click()" >/dev/null
}

# Texts of the diagram that lie over one another
# shellcheck disable=SC2016 # it is not the shell's
OVERLAPS='(() => {
	const texts = [...document.querySelectorAll("#diagram text")].filter((one) => one.textContent);
	const boxes = texts.map((one) => one.getBoundingClientRect());
	return texts.flatMap((one, i) => texts.slice(i + 1).filter((other, k) => {
		const a = boxes[i], b = boxes[i + 1 + k];
		return a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 3 && b.top < a.bottom - 3;
	}).map((other) => `${one.textContent} over ${other.textContent}`)).join(); })()'
# Elements that are cut off or reach beyond the page, but for what may be scrolled
BEYOND='[...document.querySelectorAll("body *")].filter((one) => !one.closest(".scroll, .sideways, .skip, thead, details:not([open])") &&
	one.getBoundingClientRect().right > innerWidth + 0.5).map((one) => one.tagName + one.id).join()'

# Texts that are no answer, and charts below 0
# shellcheck disable=SC2016,SC2034 # it is not the shell's; for the tests
WRONG='(() => {
	const all = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), found = [];
	while (all.nextNode())
		if (/undefined|NaN|Infinity|(^|[ (])-\d/.test(all.currentNode.data))
			found.push(all.currentNode.data);
	return [...found, ...["syns", "handshakes", "hour"].filter((id) =>
		Chart.getChart(id).data.datasets.some(({data}) => data.some(({y}) => y < 0)))].join(" | "); })()'
# Rows that a narrow page hides
HIDDEN_ROWS='[...document.querySelectorAll("table")].filter((one) => one.checkVisibility()).flatMap((table) => [...table.tBodies[0].rows]
	.filter((one) => !one.checkVisibility()).map((row) => table.id + ": " + row.cells[0].textContent)).join()'

# look WIDTH HEIGHT light|dark NAME [CHART...]: the page so, with these charts in place of the overview's, and its picture, of the window and the whole page
look() {
	local charts=${*:5}
	browser size "$1" "$2" >/dev/null
	browser scheme "$3" >/dev/null
	check "$4: the charts have its width" becomes "innerWidth === $1 && '${charts:-syns handshakes}'.split(' ').every((id) =>
		Math.abs(document.getElementById(id).getBoundingClientRect().width - document.getElementById(id).parentNode.clientWidth) < 2)"
	shown 'scrollTo(0, 0)' >/dev/null
	check_equal "$4: no text over another" "" "$(shown "$OVERLAPS")"
	check_equal "$4: nothing to scroll sideways" "$1 " \
		"$(shown 'document.documentElement.scrollWidth') $(shown "$BEYOND")"
	check_equal "$4: every row is shown" "" "$(shown "$HIDDEN_ROWS")"
	browser shot "$PICTURES/$4.png" >/dev/null
	browser shot "$PICTURES/$4-whole.png" page >/dev/null
}
