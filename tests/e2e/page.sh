#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The dashboard in headless Chromium, beside real traffic: its numbers are the endpoint's and ss's, an attack appears and
# disappears, a `run` that ended is shown as such; on a wide page and a phone's, light and dark, by keyboard alone, with no
# request to another site. Its pictures, and one of `top`, are left in build/pictures/.
#
# test: slow asan-slow no-kernels
set -u
ROOT=$(readlink -f "$(dirname "$0")/../..")
# shellcheck source=tests/lib/network.sh
. "$ROOT/tests/lib/network.sh"
# shellcheck source=tests/lib/counters.sh
. "$ROOT/tests/lib/counters.sh"
# shellcheck source=tests/lib/browser.sh
. "$ROOT/tests/lib/browser.sh"

URL=http://127.0.0.1:9798
NUMBER='[0-9]{1,3}(,[0-9]{3})*'
SENTENCE="port 80 is under SYN attack: $NUMBER SYN/s from about $NUMBER sources in 10 s, [0-9.]+ % of handshakes"
SENTENCE+=" complete, $NUMBER challenges unanswered"
HELD=5 # connections that stay
PACE=20 # clients a second
LIMITED=198.18.7.7 # a source that is over --source-limit

# fetch PATH [CURL OPTION...]: the body
fetch() {
	in_server curl -s --max-time 5 "${@:2}" "$URL$1"
}

# status FILTER: of /api/status
status() {
	fetch /api/status | jq -r "$1"
}

# check_file PATH FILE: what is served there is the file
check_file() {
	check "$1: the file, packed and not" cmp <(fetch "$1" --compressed | md5sum) <(fetch "$1" | md5sum)
	check "$1: it is what was built in" cmp <(fetch "$1") "$2"
}

# What the page knows of the program's tables comes from the program.
test_names() {
	check_equal "losses are explained as by help" "$("$SYNWARDEN" help losses | sed '1d; s/.*  //' | paste -sd'|')" \
		"$(shown "[...document.querySelectorAll('#lost tbody th')].map((one) => one.textContent).join('|')")"
	check_equal "every edge of the diagram is a transition that the program knows" "" "$(
		comm -13 <("$SYNWARDEN" help transitions | awk 'NR > 1 { print $1 ">" $2 }' | sort) <(edges | sort))"
	check_equal "no text of the page is missing" 0 "$(shown "document.body.textContent.split('undefined').length - 1")"
}

edges() {
	shown "[...document.querySelectorAll('#diagram [data-edge]')].map((one) => one.dataset.edge).filter(Boolean).join('|')" | tr '|' '\n'
}

test_files() {
	local headers etag
	check_file / "$ROOT/user/endpoint/dashboard/index.html"
	check_file /web/main.js "$ROOT/user/endpoint/dashboard/main.js"
	check_file /web/chart.min.js /usr/share/javascript/chart.js/chart.min.js
	check_file /web/chart.copyright.txt /usr/share/doc/libjs-chart.js/copyright
	headers=$(fetch / -D - -o /dev/null -H 'Accept-Encoding: gzip' | tr -d '\r')
	check_equal "its headers" "Cache-Control: no-cache
Content-Encoding: gzip
Content-Type: text/html; charset=utf-8
Referrer-Policy: no-referrer
X-Content-Type-Options: nosniff" "$(grep -E '^(Cache-|Content-(Type|Encoding)|Referrer-|X-)' <<<"$headers" | sort)"
	check "nothing may come from elsewhere" \
		grep -q "^Content-Security-Policy: default-src 'none'; script-src 'self';" <<<"$headers"
	etag=$(sed -n 's/^ETag: //p' <<<"$headers")
	check_equal "a client that has it gets 304" "304 0" \
		"$(fetch / -o /dev/null -w '%{http_code} %{size_download}' -H "If-None-Match: $etag")"
	check_equal "a client with another one gets it" 200 "$(fetch / -o /dev/null -w '%{http_code}' -H 'If-None-Match: W/"0-0"')"
}

# Connections that stay, and have an owner with a name that a careless page would take for markup.
hold() {
	start_in_client python3 -c 'import socket, sys, time
open("/proc/self/comm", "w").write("<b>x</b>")
held = [socket.create_connection((sys.argv[1], 80)) for i in range(int(sys.argv[2]))]
time.sleep(60)' $SERVER_ADDR $HELD
	wait_for established_by_ss
}

established_by_ss() {
	[ "$(in_server ss -Htn state established 'sport = :80' | wc -l)" = "$HELD" ]
}

# What the diagram says of a state; of an edge, as FROM>TO
state() {
	shown "document.querySelector('#diagram [data-state=$1] .count').textContent"
}

edge() {
	shown "document.querySelector('#diagram [data-edge=\"$1\"] .rate').textContent"
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

established_agrees() {
	[ "$(state ESTABLISHED)" = "$(in_server ss -Htn state established | wc -l)" ]
}

states_by_page() {
	shown "[...document.querySelectorAll('#diagram .count')].map((one) =>
		one.parentNode.dataset.state + ' ' + one.textContent).sort().join()"
}

states_by_endpoint() {
	status '[.states[] | select(.state != "CLOSE") | "\(.state) \(.now)"] | sort | join(",")'
}

states_agree() {
	[ "$(states_by_page)" = "$(states_by_endpoint)" ]
}

# The queue of both of nginx's listeners
queue_by_ss() {
	in_server ss -Hltn 'sport = :80' | awk '{ used += $2; room += $3 } END { print used "/" room }'
}

test_quiet() {
	check "the page asks and is answered" becomes 5 "document.getElementById('link').textContent === 'live'"
	hold
	check "ESTABLISHED is what ss counts" wait_for established_agrees
	check_equal "LISTEN is what ss counts" "$(in_server ss -Hltn | wc -l)" "$(state LISTEN)"
	check "every state is the endpoint's" wait_for states_agree
	check_equal "port 80: its accept queue is what ss says" "$(queue_by_ss)" "$(column ports 80 'Accept queue')"
	check_equal "port 80 listens" listens "$(column ports 80 State)"
	check_equal "no attack" "No" "$(text attack-short)"
	check_equal "the budget is shown" \
		"No port is over its budget (1,000 SYN/s where none of its own is set)." "$(text attack-long)"
	check_equal "where it runs" "$(status '.version') on s0 (native)" "$(text where)"
	check_equal "nothing is lost" 0 "$(shown "document.querySelector('[data-tile=lost] dd').textContent")"
}

# Clients at an even pace, and some that close in either order
start_clients() {
	in_client ip route add local 10.97.0.0/16 dev lo
	start_in_client "$BUILD/tests/tools/clients" -n 700 -r $PACE 10.97.0.1 $SERVER_ADDR 80 >/dev/null
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
	check_between "clients come, by the endpoint, a second" $((PACE * 3 / 4)) $((PACE * 2)) "$RATE"
	check_between "the edge into SYN_RECV says so too" $((RATE * 3 / 4)) $((RATE * 5 / 4)) "$EDGE"
	check "edges of both closes are lit" becomes 3 "['FIN_WAIT1>FIN_WAIT2', 'LAST_ACK>CLOSE'].every((name) =>
		document.querySelector('[data-edge=\"' + name + '\"]').classList.contains('on'))"
	check "clients get in: $(text clients-short)" becomes 3 "document.getElementById('clients').dataset.answer === 'good'"
	row='[...document.querySelectorAll("#ended tbody tr")].map((row) => row.textContent)'
	check "a connection that ended is shown, with owner, duration and ending" becomes 5 \
		"$row.some((text) => /10\.99\.0\.1:80← 10\.99\.1\.\d+:\d+nginx \(\d+\)[\d.]+ [um]s\d+ B\d+ Bhttp11finsynwarden ladder --addr 10\.99\.1\.\d+ --port 80$/.test(text))"
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
	check "HTTP is shown" becomes 3 "!document.getElementById('http-card').hidden"
	wait_for http_agrees
	check_between "port 80: answers a second, as the endpoint has them" $((RATE * 3 / 4)) $((RATE * 5 / 4)) "$ANSWERED"
	check_equal "port 80: no errors" "0 0 0" \
		"$(column http 80 4xx/s) $(column http 80 5xx/s) $(column http 80 unanswered/s)"
	check "port 80: both sides close" becomes 5 "['client', 'server'].every((name) => $(cell_of http 80 "'Closed: ' + name + '/s'") > 0)"
	check "port 80: times to the first byte" becomes 5 "['First byte', '99 %'].every((name) => $times.test($(cell_of http 80 name)))"
	check "requests of this host have their line" becomes 5 "Number($(cell_of http client "'2xx/s'")) >= 0"
}

# Its connections end by its own end: seen from the server they are of its peer.
test_markup() {
	start_in_server python3 -c 'import socket
open("/proc/self/comm", "w").write("<b>x</b>")
socket.create_connection(("127.0.0.1", 80)).close()'
	check "a process's name stays text" becomes 5 "document.getElementById('ended').textContent.includes('<b>x</b> (')"
	check_equal "and makes no element" 0 "$(shown "document.querySelectorAll('#ended b').length")"
}

# start_flood RATE [FLOOD OPTION...]: until its pid, in FLOODERS, is stopped
start_flood() {
	start_in_client "$FLOOD" -q -r "$1" -c 1000000 -t 40 "${@:2}" c0 "$(mac in_server s0)" $SERVER_ADDR
	FLOODERS+=("$!")
}

sentence_agrees() {
	[ "$(text attack-long)" = "$(status '.ports[] | select(.port == 80).sentence')" ]
}

test_attack() {
	local challenged dropped
	start_flood 8000 -s 0
	start_flood 500 -s 1 -S $LIMITED
	check "the attack appears" becomes 12 "document.getElementById('attack').dataset.answer === 'bad'"
	check_equal "it is called by its name" "Yes: port 80" "$(text attack-short)"
	check_equal "it is an alert" alert "$(shown "document.getElementById('attack-short').getAttribute('role')")"
	check "the tab says so" test "$(shown document.title)" = "ATTACK on port 80 - synwarden"
	check "the attack sentence is the endpoint's" wait_for sentence_agrees
	check "the attack sentence" grep -qxE "$SENTENCE" <(text attack-long)
	check "the chart shows it" becomes 5 "Chart.getChart('syns').data.datasets[1].data.at(-1).y > 4500"
	check_equal "port 80 is under attack" "under attack" "$(column ports 80 State)"
	check_between "port 80: challenged a second" 4000 9000 "$(column ports 80 Challenged/s | tr -d ,)"
	check_between "port 80: passed a second" 500 1300 "$(column ports 80 Passed/s | tr -d ,)"
	check_between "port 80: completed a second" $((PACE / 2)) $((PACE * 2)) "$(column ports 80 Completed/s)"
	dropped=$(column sources $LIMITED 'SYNs dropped' | tr -d ,)
	check_between "the most limited source: SYNs dropped" 100 "$(status '.limited_sources[0].dropped')" "$dropped"
	challenged=$(column verdicts challenged Packets | tr -d ,)
	check_between "the verdicts: challenged" 10000 "$(status '.verdicts[] | select(.reason == "challenged").packets')" \
		"$challenged"
	check "clients still get in: $(text clients-short)" becomes 3 "document.getElementById('clients').dataset.answer === 'good'"
}

# The newest of the rows of what has happened that is an attack
ATTACK_ROW="[...document.querySelectorAll('#happened tbody tr')].find((row) => row.cells[1].textContent.startsWith('attack'))"

test_attack_goes() {
	local pid
	for pid in "${FLOODERS[@]}"; do
		stop "$pid"
	done
	check "the attack goes" becomes 12 "document.getElementById('attack').dataset.answer !== 'bad'"
	check_equal "its name goes" synwarden "$(shown document.title)"
	check "what remains of it: when, what, port, and the peak of the endpoint" becomes 12 \
		"($ATTACK_ROW?.textContent ?? '').match(/^20[-0-9]+ [0-9:]+attack(, going on)?80.*$(
			fetch /api/events | jq 'map(select(.event == "attack"))[0].peak_syn_rate' | sed -E ':more; s/([0-9])([0-9]{3})($|,)/\1,\2\3/; t more')/) !== null"
	check_equal "the first event is the start" "started $("$SYNWARDEN" version | cut -d' ' -f2)" \
		"$(shown "document.querySelector('#happened tbody tr:last-child td').textContent")"
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
BEYOND='[...document.querySelectorAll("body *")].filter((one) => !one.closest(".scroll, .skip, thead") &&
	one.getBoundingClientRect().right > innerWidth + 0.5).map((one) => one.tagName + one.id).join()'

# look WIDTH HEIGHT light|dark NAME: the page so, and its picture
look() {
	browser size "$1" "$2" >/dev/null
	browser scheme "$3" >/dev/null
	sleep 0.7
	shown 'scrollTo(0, 0), document.querySelector("details").open = true' >/dev/null
	check_equal "$4: no text over another" "" "$(shown "$OVERLAPS")"
	check_equal "$4: nothing to scroll sideways" "$1 " \
		"$(shown 'document.documentElement.scrollWidth') $(shown "$BEYOND")"
	shown 'document.querySelector("details").open = false' >/dev/null
	browser shot "$PICTURES/$4.png" >/dev/null
	browser shot "$PICTURES/$4-whole.png" page >/dev/null
}

test_looks() {
	local light dark
	check "nothing jumps while it is looked at (layout shift $(shown jumped))" becomes 1 "jumped < 0.02"
	look 1200 1000 light dashboard
	light=$(shown 'getComputedStyle(document.body).backgroundColor')
	look 1200 1000 dark dashboard-dark
	dark=$(shown 'getComputedStyle(document.body).backgroundColor')
	check "dark is not light" test "$light" = "rgb(243, 245, 248)" -a "$dark" = "rgb(14, 18, 24)"
	look 360 740 dark phone-dark
}

# Where the focus goes, by Tab alone
focused() {
	shown "(() => { const at = document.activeElement, href = at.getAttribute('href');
		return at.id || href || at.className || at.tagName.toLowerCase(); })()"
}

test_keyboard() {
	local i order=
	shown 'document.activeElement.blur(), scrollTo(0, 0)' >/dev/null
	for i in 1 2 3 4 5; do
		browser key Tab >/dev/null
		order+="$(focused) "
		[ "$i" = 3 ] || continue
		check_equal "the focus is seen" solid "$(shown 'getComputedStyle(document.activeElement).outlineStyle')"
		browser key Enter >/dev/null
	done
	check_equal "the order of the keyboard" "#main summary pause scroll metrics " "$order"
	check_equal "Enter pauses" true "$(shown "document.getElementById('pause').getAttribute('aria-pressed')")"
}

in_terminal() {
	in_server tmux -S "$TMP/tmux" -f /dev/null "$@"
}

top_shows_attack() {
	in_terminal capture-pane -p >"$TMP/pane"
	grep -q "under SYN attack" "$TMP/pane" && grep -q "rates over" "$TMP/pane" # of two looks
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

test_run_ends() {
	check_equal "no complaint on the console" "" "$(browser complaints)"
	check_equal "no request to elsewhere" "" "$(browser outside $URL)"
	stop_synwarden
	check "a run that ended is noticed" becomes 6 "document.body.classList.contains('stale')"
	check_equal "and nothing reassures" "Unknown Unknown no answer" "$(text attack-short) $(text clients-short) $(text link)"
	start_synwarden --protect 80
	check "a new run is noticed" becomes 6 "!document.body.classList.contains('stale')"
	check "without --http on, HTTP is not shown" becomes 3 "document.getElementById('http-card').hidden"
	check "and its endings are followed again" becomes 8 "document.getElementById('ended-state').textContent === 'live'"
}

listens_tls() {
	[ -n "$(in_server ss -Hltn 'sport = :9799')" ]
}

# Over TLS, with a password that stands in the address
test_secured() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=synwarden \
		-keyout "$TMP/key.pem" -out "$TMP/cert.pem" 2>/dev/null
	echo "ann:$(openssl passwd -6 secret)" >"$TMP/users"
	chmod 600 "$TMP/key.pem" "$TMP/users"
	start_in_server "$SYNWARDEN" run --listen 127.0.0.1:9799 --tls-cert "$TMP/cert.pem" --tls-key "$TMP/key.pem" \
		--auth-file "$TMP/users" s0 >"$TMP/run.out" 2>"$TMP/run.err"
	SW=$!
	wait_for listens_tls
	browser trust >/dev/null
	check_equal "TLS and a password: the page loads" ok "$(browser open https://ann:secret@127.0.0.1:9799/)"
	check "TLS and a password: it asks and is answered" becomes 5 "document.getElementById('link').textContent === 'live'"
	check "TLS and a password: endings are followed" becomes 8 \
		"document.getElementById('ended-state').textContent === 'live'"
	stop_synwarden
}

FLOODERS=()
net_up
take_replies
in_server ip route add 10.97.0.0/16 via 10.99.0.2
start_nginx
start_synwarden --protect 80 --source-limit 100 --http on
test_files
start_browser
browser size 1200 1000 >/dev/null
browser scheme light >/dev/null
check_equal "the page loads" ok "$(browser open $URL/)"
shown 'var jumped = 0; new PerformanceObserver((list) => list.getEntries().forEach((one) => jumped += one.value))
	.observe({type: "layout-shift", buffered: true})' >/dev/null
test_quiet
test_names
test_markup
test_traffic
test_http
test_attack
picture_top
test_looks
test_attack_goes
test_keyboard
test_run_ends
stop_synwarden
test_secured
shoot_top
stop_browser
finish
