#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The dashboard in headless Chromium, beside real traffic: it shows what the last answer of the endpoint says, and that is
# what ss says; an attack appears and disappears, and nothing jumps; a port has its page; by keyboard alone, with no request to
# another site. Pictures of it and of `top` are left in build/pictures/; e2e/page_stale is about a `run` that does not
# answer, e2e/page_looks about how it looks.
#
# test: slow asan-slow no-kernels
set -u
ROOT=$(readlink -f "$(dirname "$0")/../..")
# shellcheck source=tests/lib/network.sh
. "$ROOT/tests/lib/network.sh"
# shellcheck source=tests/lib/counters.sh
. "$ROOT/tests/lib/counters.sh"
# shellcheck source=tests/lib/dashboard.sh
. "$ROOT/tests/lib/dashboard.sh"

NUMBER='[0-9]{1,3}(,[0-9]{3})*'
SENTENCE="port 80 is under SYN attack: $NUMBER SYN/s from about $NUMBER sources in 10 s, [0-9.]+ % of handshakes"
SENTENCE+=" complete, $NUMBER challenges unanswered"
LIMITED=198.18.7.7 # a source that is over --source-limit

# What the page knows of the program's tables comes from the program.
test_names() {
	local table
	for table in reasons endings losses tcp-states port-counters tcp-counters; do
		check_equal "the words of help $table are explained" "$("$SYNWARDEN" help $table | sed '1d; s/.*  //' | paste -sd'|')" \
			"$(shown "[...document.querySelectorAll('#words-$table-table td:last-child')].map((one) => one.textContent).join('|')")"
	done
	check_equal "every link to an explanation leads to one" "" "$(shown "[...document.querySelectorAll('a.what')]
		.filter((one) => !document.querySelector(one.getAttribute('href'))).map((one) => one.getAttribute('href')).join()")"
	check_equal "every edge of the diagram is a transition that the program knows" "" "$(
		comm -13 <("$SYNWARDEN" help transitions | awk 'NR > 1 { print $1 ">" $2 }' | sort) <(edges | sort))"
}

# The notation of the commands, see tests/unit/print.c
test_notation() {
	check_equal "numbers, durations and sizes are those of the commands" \
		"48,210 9,999 10.0k 48.2k 1.23M 6 us 1.20 ms 34.5 s 12m05s 3h04m 2d03h 512 B 1.50 KiB 12.3 MiB 99.9 % 250 %" \
		"$(shown "import('/web/numbers.js').then((n) => [n.count(48210), n.short(9999), n.short(10000), n.short(48210),
			n.short(1239999), n.duration(6), n.duration(1209), n.duration(34567890), n.duration(725e6), n.duration(11040e6),
			n.duration(183600e6), n.bytes(512), n.bytes(1536), n.bytes(12949913), n.percent(0.9999), n.percent(2.5)].join(' '))")"
}

edges() {
	shown "[...document.querySelectorAll('#diagram [data-edge]')].map((one) => one.dataset.edge).filter(Boolean).join('|')" | tr '|' '\n'
}

# What the diagram says of a state; of an edge, as FROM>TO
state() {
	shown "document.querySelector('#diagram [data-state=$1] .count').textContent"
}

edge() {
	shown "document.querySelector('#diagram [data-edge=\"$1\"] .rate').textContent"
}

# The page and the answer that it was drawn from are looked at in one go: PORT is the answer's port 80.
NOW='synwarden.now'
PORT="$NOW.ports.find((one) => one.port === 80)"

established_agrees() {
	[ "$(state ESTABLISHED)" = "$(in_server ss -Htn state established | wc -l)" ]
}

STATES_AGREE="[...document.querySelectorAll('#diagram .count')].every((one) =>
	$NOW.states.find((row) => row.state === one.parentNode.dataset.state).now === Number(one.textContent.replace(/,/g, '')))"

test_quiet() {
	check "the page asks and is answered" becomes "document.getElementById('link').textContent === 'live'"
	hold
	check "ESTABLISHED is what ss counts" wait_for established_agrees
	check_equal "LISTEN is what ss counts" "$(in_server ss -Hltn | wc -l)" "$(state LISTEN)"
	check_equal "every state is the answer's" true "$(shown "$STATES_AGREE")"
	check "port 80: its accept queue is the answer's" becomes "$(cell_of ports 80 "'Accept queue'") ===
		[$PORT.accept_queue, $PORT.accept_limit].map((n) => n.toLocaleString('en')).join('/')"
	check_equal "port 80: the room of its accept queue is what ss says" \
		"$(in_server ss -Hltn 'sport = :80' | awk '{ room += $3 } END { print room }')" "$(shown "$PORT.accept_limit")"
	check "port 80 has its owner" becomes "$(cell_of ports 80 "'Owner'") === 'nginx'"
	check_equal "port 80 is protected" protected "$(column ports 80 State)"
	check_equal "no attack" "No" "$(text attack-short)"
	check_equal "the budget is shown" \
		"No port is over its budget (1,000 SYN/s where none of its own is set)." "$(text attack-long)"
	check "where it runs: $(text where)" grep -qE "^synwarden $(status .version) on s0 \(native\), counting for ([0-9hms]+|less than a minute)$" <(text where)
	check_equal "which host it is" "$(status .host) $(status .host) - synwarden" "$(text host) $(shown document.title)"
	check "losses are the answer's" becomes "document.querySelector('[data-tile=lost] dd').textContent ===
		Object.values($NOW.lost).reduce((sum, one) => sum + one, 0).toLocaleString('en')"
	check_equal "no port needs attention" "0 No attack in the last week." \
		"$(shown "document.querySelectorAll('#attention a[href]').length") $(text last-attack)"
}

# per_second FILTER: of a number of /api/status, over three seconds
per_second() {
	local filter before
	filter="[.monotonic_us, ($1)] | @tsv"
	before=$(status "$filter")
	sleep 3
	echo "$before $(status "$filter")" | awk '{ printf "%.0f", ($4 - $2) * 1e6 / ($3 - $1) }'
}

# The page looks back on other seconds than we do: where the pace was not even, both are asked again.
edge_agrees() {
	RATE=$(per_second '.transitions[] | select(.from == "LISTEN" and .to == "SYN_RECV").count')
	EDGE=$(edge 'LISTEN>SYN_RECV' | tr -d '/s')
	[ "$EDGE" -ge $((RATE * 3 / 4)) ] && [ "$EDGE" -le $((RATE * 5 / 4)) ]
}

test_traffic() {
	local row
	start_clients
	wait_for edge_agrees
	check "clients come, by the endpoint: $RATE a second" test "$RATE" -gt 0
	check_between "the edge into SYN_RECV says so too" $((RATE * 3 / 4)) $((RATE * 5 / 4)) "$EDGE"
	check "edges of both closes are lit" becomes "['FIN_WAIT1>FIN_WAIT2', 'LAST_ACK>CLOSE'].every((name) =>
		document.querySelector('[data-edge=\"' + name + '\"]').classList.contains('on'))"
	check "clients get in: $(text clients-short)" becomes "document.getElementById('clients').dataset.answer === 'good'"
	row='[...document.querySelectorAll("#ended tbody tr")].map((row) => row.textContent)'
	check "a connection that ended is shown, with owner, duration and ending" becomes \
		"$row.some((text) => /10\.99\.0\.1:80← 10\.99\.1\.\d+:\d+nginx \(\d+\)[\d.]+ [um]s\d+ B\d+ Bhttp11finsynwarden ladder --addr 10\.99\.1\.\d+ --port 80$/.test(text))"
	check_equal "an ordinary end is no warning" "" "$(shown "[...document.querySelectorAll('#ended td[data-kind=challenge]')]
		.map((one) => one.textContent).filter((text) => /^(fin|time_wait|reset_|orphaned)/.test(text)).join()")"
	check_equal "connections of the page itself are not among them" false \
		"$(shown "document.getElementById('ended').textContent.includes(':9798')")"
	check_equal "one click selects the command that shows the next one" all \
		"$(shown "getComputedStyle(document.querySelector('#ended td:last-child')).userSelect")"
}

http_agrees() {
	RATE=$(per_second '.ports[] | select(.port == 80).http.requests."2xx"')
	ANSWERED=$(column http 80 2xx/s)
	[ "$ANSWERED" -ge $((RATE * 3 / 4)) ] && [ "$ANSWERED" -le $((RATE * 5 / 4)) ]
}

# Requests of nginx, which closes half of their connections first; beside them, the requests that the test itself sends
test_http() {
	local times='/^[<>]?[\d.]+ (us|ms|s)$/'
	check "HTTP is shown" becomes "!document.getElementById('http-card').hidden"
	wait_for http_agrees
	check_between "port 80: answers a second, as the endpoint has them" $((RATE * 3 / 4)) $((RATE * 5 / 4)) "$ANSWERED"
	check_equal "port 80: no errors" "0 0 0" \
		"$(column http 80 4xx/s) $(column http 80 5xx/s) $(column http 80 unanswered/s)"
	check "port 80: both sides close" becomes "['client', 'server'].every((name) => $(cell_of http 80 "'Closed: ' + name + '/s'") > 0)"
	check "port 80: times to the first byte" becomes "['First byte', '99 %'].every((name) => $times.test($(cell_of http 80 name)))"
	check "requests of this host have their line" becomes "Number($(cell_of http client "'2xx/s'")) >= 0"
}

# Its connections end by its own end: seen from the server they are of its peer.
test_markup() {
	local pid
	check "endings are followed" becomes "document.getElementById('ended-state').textContent === 'live'"
	start_in_server python3 -c 'import socket, time
open("/proc/self/comm", "w").write("<b>x</b>")
for i in range(100):
	socket.create_connection(("127.0.0.1", 80)).close()
	time.sleep(0.2)'
	pid=$!
	check "a process's name stays text" becomes "document.getElementById('ended').textContent.includes('<b>x</b> (')"
	check_equal "and makes no element" 0 "$(shown "document.querySelectorAll('#ended b').length")"
	stop "$pid"
}

# What the charts have marked
MARKS="Chart.getChart('syns').config.plugins.find((one) => one.id === 'marks').extra"

test_attack() {
	local field
	shown 'performance.clearResourceTimings()' >/dev/null
	start_flood 8000 -s 0
	start_flood 500 -s 1 -S $LIMITED
	check "the attack appears" becomes "document.getElementById('attack').dataset.answer === 'bad'"
	check_equal "it is called by its name" "Yes: port 80" "$(text attack-short)"
	check_equal "it is an alert" alert "$(shown "document.getElementById('attack-short').getAttribute('role')")"
	check_equal "the tab says so" "ATTACK on port 80 - $(status .host) - synwarden" "$(shown document.title)"
	check "so does its icon" becomes "['warning', 'critical'].some((one) => document.querySelector('link[rel=icon]').href.endsWith('icon-' + one + '.svg'))"
	check "the attack sentence is the answer's" becomes "document.getElementById('attack-long').textContent === $PORT.sentence"
	check "the attack sentence" grep -qxE "$SENTENCE" <(text attack-long)
	check "its command can be copied" becomes "document.querySelector('#attack-fix code').textContent === $PORT.fix"
	check "the chart shows it" becomes "$(charts_challenged syns)"
	check "the moment of arming is marked" becomes "(({min, max}) => $MARKS.moments.some(({at, text}) => text === '80 armed' && at > min && at < max))(
		Chart.getChart('syns').options.scales.x)"
	check "it needs attention" becomes "[...document.querySelectorAll('#attention a')].some((one) =>
		one.getAttribute('href') === '#port=80' && one.textContent.toLowerCase().startsWith($PORT.state_sentence.toLowerCase()))"
	check "port 80 is held off" becomes "$(cell_of ports 80 "'State'") === 'attack, held off'"
	for field in challenged passed completed; do
		check "port 80: $field a second" becomes "$(is_rate "$(cell_of ports 80 "'${field^}/s'")" $field)"
	done
	check "port 80: of its budget, in hundredths" becomes "$(cell_of ports 80 "'Of budget'") ===
		Math.floor($(rate_of syns) / 1000 * 100).toLocaleString('en') + ' %'"
	check "the most limited source is the answer's" becomes "$(cell_of sources $LIMITED "'SYNs dropped'") ===
		$NOW.limited_sources[0].dropped.toLocaleString('en') && $NOW.limited_sources[0].dropped > 100"
	check_equal "the verdicts: challenged is the answer's" true "$(shown "$(cell_of verdicts challenged "'Packets'") ===
		$NOW.verdicts.find((one) => one.reason === 'challenged').packets.toLocaleString('en')")"
	check "clients still get in: $(text clients-short)" becomes "document.getElementById('clients').dataset.answer === 'good'"
	check "it has asked for ten seconds" becomes "performance.getEntriesByType('resource').at(-1).responseEnd - performance.getEntriesByType('resource')[0].startTime > 10000"
	check_equal "it asks for at most 3 KB a second ($(shown "$TRAFFIC.toFixed()"))" true "$(shown "$TRAFFIC <= 3072")"
	check_equal "no number is below 0, no text missing" "" "$(shown "$WRONG")"
	check_equal "nothing jumps while it is looked at (layout shift $(shown jumped): $(shown 'moved.join()'))" true "$(shown "jumped <= 0.02")"
}

# Bytes a second of what it has asked the endpoint for so far, packed, without headers
TRAFFIC="(() => {
	const all = performance.getEntriesByType('resource').filter((one) => one.name.includes('/api/'));
	return all.reduce((sum, one) => sum + one.encodedBodySize, 0) * 1000 / (all.at(-1).responseEnd - all[0].startTime); })()"

# By its own page: what the other answers say of the port
test_port() {
	local wrong
	shown "location.hash = 'port=80'" >/dev/null
	check "a port has its page" becomes "!document.getElementById('port').hidden && document.getElementById('overview').hidden &&
		document.getElementById('port-title').textContent === 'Port 80: nginx'"
	check "where it is served is the endpoint's" becomes \
		"document.getElementById('port-facts').textContent.includes('Served$(fetch '/api/port?port=80' | jq -r '.served | join(", ")')')"
	check "its connections are those of conns" becomes "[...document.querySelectorAll('#port-connections tbody th')].filter((one) =>
		one.textContent.startsWith('10.99.0.2:')).length === $HELD"
	check "its chart shows the attack" becomes "$(charts_challenged hour)"
	check_equal "a counter is the answer's" true "$(shown "[...document.querySelectorAll('#port-counters tbody tr')].some((row) =>
		row.cells[0].textContent === 'challenged' && row.cells[1].textContent === $PORT.challenged.toLocaleString('en'))")"
	shown "document.getElementById('why-address').focus()" >/dev/null
	browser type 10.99.1.7 >/dev/null
	browser key Enter >/dev/null
	check_equal "of the port, no number is below 0, no text missing" "" "$(shown "$WRONG")"
	check "what a SYN would get is what the endpoint says" becomes "document.getElementById('why-answer').textContent.startsWith('10.99.1.7: ')"
	shown "location.hash = 'port=9'" >/dev/null
	check "of a port without a listener, nothing is known" becomes "document.getElementById('port-known').hidden &&
		document.getElementById('port-state-short').textContent === 'nothing is known of it'"
	for wrong in 0 99999 abc; do
		shown "location.hash = 'port=$wrong'" >/dev/null
		check "$wrong is no port" becomes "document.getElementById('port-title').textContent === 'Port $wrong' &&
			document.getElementById('port-state-short').textContent === 'no such port' && document.getElementById('why-card').hidden"
	done
	shown "location.hash = 'port=other'" >/dev/null
	check "the other ports have no owner and no address" becomes "document.getElementById('port-title').textContent === 'Port other' &&
		!/Owner|Served/.test(document.getElementById('port-facts').textContent)"
	shown "location.hash = ''" >/dev/null
	check "and the way back" becomes "document.getElementById('port').hidden && !document.getElementById('overview').hidden"
}

test_attack_goes() {
	local pid
	for pid in "${FLOODERS[@]}"; do
		stop "$pid"
	done
	check "the attack goes" becomes "document.getElementById('attack').dataset.answer !== 'bad'"
	check "its name goes" becomes "document.title === '$(status .host) - synwarden'"
	check "what remains of it: when, what, port, and its peak" becomes "[...document.querySelectorAll('#happened tbody tr')].some((row) =>
		/^20[-0-9]+ [0-9:]+$/.test(row.cells[0].textContent) && row.cells[1].textContent === 'attack' &&
		row.cells[2].textContent === '80' && row.cells[4].textContent === '$(peak)')"
	check "the last attack is named" becomes "/^Last attack: port 80, over for .*: .*, peak [0-9,]+ SYN.s\.$/.test(
		document.getElementById('last-attack').textContent)"
	check_equal "the first event is the start" "started $("$SYNWARDEN" version | cut -d' ' -f2)" \
		"$(shown "document.querySelector('#happened tbody tr:last-child td').textContent")"
}

# Of the attack, once it is over and its figures stay
peak() {
	wait_for attack_is_over
	fetch /api/events | jq 'map(select(.event == "attack"))[0].peak_syn_rate' | sed -E ':more; s/([0-9])([0-9]{3})($|,)/\1,\2\3/; t more'
}

attack_is_over() {
	[ "$(fetch /api/events | jq 'map(select(.event == "attack"))[0].ongoing')" = false ]
}

# Ports in the order of their numbers, and what has none comes last: 1 or -1
IN_ORDER="((sign) => [...document.querySelectorAll('#ports tbody tr')].map((row) => Number(row.cells[0].textContent)).every((one, i, all) =>
	!i || Number.isNaN(one) || (one - all[i - 1]) * sign > 0))"

# The charts' times and parts; the table's order, filter and search
test_choices() {
	press "[data-span=\"1h\"]"
	check "an hour is shown" becomes "Chart.getChart('syns').data.datasets[0].data.length > 1 && document.querySelector('[data-span=\"1h\"]').ariaPressed === 'true'"
	check_equal "half of it" "0.5 false" "$(shown "(() => {
		const length = () => (({min, max}) => max - min)(Chart.getChart('syns').options.scales.x), before = length();
		document.getElementById('zoom-in').click();
		return length() / before + ' ' + document.getElementById('live').disabled; })()")"
	press '#live'
	press '[data-span="5m"]'
	press '#log'
	check_equal "a logarithmic axis" logarithmic "$(shown "Chart.getChart('syns').options.scales.y.type")"
	press '#log'
	shown "document.getElementById('syns-data').open = true" >/dev/null
	check "the chart's numbers as a table" becomes "document.querySelectorAll('#syns-table tbody tr').length > 5"
	shown "document.getElementById('syns-data').open = false" >/dev/null
	start_in_server python3 -c 'import socket, time
listeners = [socket.create_server(("10.99.0.1", 3000 + i)) for i in range(12)]
time.sleep(300)'
	check "of many ports, idle ones are folded away" becomes "document.querySelectorAll('#ports tbody tr').length === 8 &&
		document.getElementById('ports-folded').textContent === ($NOW.ports.filter((one) => one.listening || one.syns).length - 8) + ' idle ports are not shown.'"
	press '#show-all'
	check "all are shown" becomes "document.querySelectorAll('#ports tbody tr').length >= 14 && document.getElementById('ports-folded').textContent === ''"
	press '#show-active'
	press '#ports thead th:nth-child(1) button'
	check_equal "ports by their number" descending "$(shown "document.querySelector('#ports thead th').getAttribute('aria-sort')")"
	check_equal "a phone, which has no headings, says so too" Port "$(shown "document.getElementById('sort').value")"
	check_equal "the smallest first" true "$(shown "$IN_ORDER(1)")"
	shown "var row80 = [...document.querySelectorAll('#ports tbody tr')].find((one) => one.cells[0].textContent === '80'), was = row80.rowIndex" >/dev/null
	press '#ports thead th:nth-child(1) button'
	check_equal "then the largest" true "$(shown "$IN_ORDER(-1)")"
	check_equal "a row goes with its port" "true 80" "$(shown "row80.rowIndex !== was && row80.isConnected") $(shown "row80.cells[0].textContent")"
	shown "document.getElementById('find').focus()" >/dev/null
	browser type nginx >/dev/null
	check "the ports of one owner" becomes "[...document.querySelectorAll('#ports tbody tr')].map((row) => row.cells[0].textContent).join() === '80'"
	shown "document.getElementById('find').value = '', document.getElementById('find').dispatchEvent(new Event('input'))" >/dev/null
}

# The pictures of the documents
test_pictures() {
	local light dark
	check "the attack has some width in the chart" becomes "Chart.getChart('syns').data.datasets[1].data.filter(({y}) => y > 0).length > 8"
	look 1200 1090 light dashboard
	light=$(shown 'getComputedStyle(document.body).backgroundColor')
	look 1200 1090 dark dashboard-dark
	dark=$(shown 'getComputedStyle(document.body).backgroundColor')
	check "dark is not light" test "$light" = "rgb(243, 245, 248)" -a "$dark" = "rgb(14, 18, 24)"
	look 360 740 dark phone-dark
	browser size 1200 1000 >/dev/null
}

# Where the focus goes, by Tab alone
focused() {
	shown "(() => { const at = document.activeElement, href = at.getAttribute('href');
		return at.id || href || at.className || at.tagName.toLowerCase(); })()"
}

test_keyboard() {
	local i order=
	shown 'document.body.tabIndex = -1, document.body.focus(), document.body.removeAttribute("tabindex"), scrollTo(0, 0)' >/dev/null
	for i in 1 2 3; do
		browser key Tab >/dev/null
		order+="$(focused) "
	done
	check_equal "the order of the keyboard" "#main zone notify " "$order"
	shown "document.getElementById('ended').closest('.card').querySelector('.what').focus()" >/dev/null
	browser key Tab >/dev/null
	check_equal "the focus is seen" "pause solid" "$(focused) $(shown 'getComputedStyle(document.activeElement).outlineStyle')"
	browser key Enter >/dev/null
	check_equal "Enter pauses" true "$(shown "document.getElementById('pause').getAttribute('aria-pressed')")"
	shown "document.getElementById('syns').parentNode.focus()" >/dev/null
	shown "document.activeElement.dispatchEvent(new KeyboardEvent('keydown', {key: '+', bubbles: true}))" >/dev/null
	check_equal "a chart takes keys: + shows a part" false "$(shown "document.getElementById('live').disabled")"
	browser key Escape >/dev/null
	check_equal "a chart takes keys: Escape leads back to now" true "$(shown "document.getElementById('live').disabled")"
}

in_terminal() {
	in_server tmux -S "$TMP/tmux" -f /dev/null "$@"
}

top_shows_attack() {
	in_terminal capture-pane -p >"$TMP/pane"
	grep -q "attack on port 80, going on" "$TMP/pane" && grep -q "rates over" "$TMP/pane" # of two looks
}

# `top` as it looks during the attack
picture_top() {
	in_terminal new-session -d -x 118 -y 34 "$SYNWARDEN top"
	PIDS+=("$(in_terminal display-message -p '#{pid}')")
	in_terminal set-option -g status off
	wait_for top_shows_attack
	in_terminal capture-pane -e -p >"$TMP/top"
	in_terminal kill-server
	check "top shows the attack" grep -q "under SYN attack" "$TMP/top"
	python3 "$ROOT/tests/tools/ansi_html.py" <"$TMP/top" >"$TMP/top.html"
}

# After the rest, as the browser has but one window
shoot_top() {
	browser open "file://$TMP/top.html" >/dev/null
	browser size "$(shown 'document.querySelector("pre").offsetWidth + 36')" \
		"$(shown 'document.querySelector("pre").offsetHeight + 28')" >/dev/null
	browser shot "$PICTURES/top.png" >/dev/null
	check "there is a picture of top" test -s "$PICTURES/top.png"
}

dashboard_up --source-limit 100 --http on
open_dashboard
test_quiet
test_names
test_notation
test_markup
test_traffic
test_http
test_attack
picture_top
test_port
test_pictures
test_attack_goes
test_choices
test_keyboard
check_equal "no complaint on the console" "" "$(browser complaints)"
check_equal "no request to elsewhere" "" "$(browser outside $URL)"
stop_synwarden
shoot_top
stop_browser
finish
