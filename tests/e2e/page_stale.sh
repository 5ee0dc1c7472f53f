#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The dashboard's files, and the page where it cannot reassure: a notification that the browser refuses, a page that was
# hidden, a `run` that ended, that returns as a dry run, and over TLS.
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

NOW='synwarden.now'

# check_file PATH FILE: what is served there is the file
check_file() {
	check "$1: the file, packed and not" cmp <(fetch "$1" --compressed | md5sum) <(fetch "$1" | md5sum)
	check "$1: it is what was built in" cmp <(fetch "$1") "$2"
}

packed() {
	cat "$BUILD"/web/*.gz | wc -c
}

test_files() {
	local headers etag
	check_file / "$ROOT/user/endpoint/dashboard/index.html"
	check_file /web/main.js "$ROOT/user/endpoint/dashboard/main.js"
	check_file /web/chart.min.js /usr/share/javascript/chart.js/chart.min.js
	check_file /web/chart.copyright.txt /usr/share/doc/libjs-chart.js/copyright
	check "all files together are at most 120 KB ($(packed))" test "$(packed)" -le $((120 * 1024))
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

# notifications CONSTRUCTOR PERMISSION: in place of the browser's
notifications() {
	shown "window.Notification = class { constructor(text) { $1; } static async requestPermission() { return '$2'; } }, 0" >/dev/null
}

test_notify() {
	notifications "" denied
	press '#notify'
	check "a notification that is not allowed is said" becomes "document.getElementById('notify').textContent === 'Blocked by the browser' &&
		document.getElementById('notify').ariaPressed === 'false'"
	notifications "throw new TypeError('Illegal constructor')" granted # as Chrome for Android
	press '#notify'
	check "notifications are on" becomes "document.getElementById('notify').textContent === 'Notify me' &&
		document.getElementById('notify').ariaPressed === 'true'"
}

test_notify_attack() {
	start_flood 8000 -s 0
	check "the attack appears" becomes "document.getElementById('attack').dataset.answer === 'bad'"
	check_equal "a notification that fails is said, and spoils nothing" "Cannot notify here false live" \
		"$(text notify) $(shown "document.getElementById('notify').ariaPressed") $(text link)"
	check_equal "no complaint on the console" "" "$(browser complaints)"
	stop "${FLOODERS[0]}"
}

test_run_ends() {
	check "when it is seen again, it waits for an answer" becomes "(document.dispatchEvent(new Event('visibilitychange')),
		document.getElementById('attack-short').textContent) === 'waiting'"
	check "and has one" becomes "document.getElementById('link').textContent === 'live'"
	notifications "(window.told ??= []).push(text)" granted
	press '#notify'
	check "notifications are on" becomes "document.getElementById('notify').ariaPressed === 'true'"
	stop_synwarden
	check "a run that ended is noticed" becomes "document.body.classList.contains('stale')"
	check_equal "and nothing reassures" "Unknown Unknown no answer" "$(text attack-short) $(text clients-short) $(text link)"
	check_equal "it is notified" "$(shown "$NOW.host"): NO ANSWER" "$(shown "told.at(-1)")"
	press '#zone'
	check_equal "nor after a click" "Unknown Unknown no answer true" "$(text attack-short) $(text clients-short) $(text link) \
$(shown "document.title.startsWith('NO ANSWER')")"
	check "no rate of endings is known" becomes "document.getElementById('ended-rate').textContent === '-'"
	shown "location.hash = 'port=80'" >/dev/null
	check "nor does a port's page" becomes "!document.getElementById('port').hidden &&
		['short', 'long'].map((one) => document.getElementById('port-state-' + one).textContent).join().startsWith('Unknown,No answer since ')"
	shown "location.hash = ''" >/dev/null
	press '#zone'
}

test_run_returns() {
	start_synwarden --protect 80 --dry-run
	check "a new run is noticed" becomes "!document.body.classList.contains('stale')"
	check "a dry run is said over everything" becomes "document.getElementById('dry').getBoundingClientRect().top === 0 &&
		document.getElementById('dry').textContent.startsWith('DRY RUN: nothing is filtered')"
	check "without --http on, HTTP is not shown" becomes "document.getElementById('http-card').hidden"
	check_equal "no number is below 0, no text missing" "" "$(shown "$WRONG")"
	check "their rate is known again" becomes "document.getElementById('ended-rate').textContent.endsWith('/s')"
	check "and its endings are followed again" becomes "document.getElementById('ended-state').textContent === 'live'"
}

# A port whose slot is taken back takes its counters away: no rate falls below 0, and what `run` kept fits what came since.
test_slot_taken_back() {
	check_equal "rates and samples where a port is gone" "2 150,150,160" "$(shown "import('/web/model.js').then(({Model}) => {
		const model = new Model(), none = {challenged: 0, answered: 0, dropped: 0, completed: 0};
		const add = (monotonic_us, ports) => model.add({monotonic_us, ports: ports.map(([port, passed]) => ({...none, port, passed}))}, true);
		add(0, [[80, 100], [90, 50]]);
		add(5e6, [[80, 110]]);
		model.remember('5m', [{...none, monotonic_us: -1e6, passed: 170}]);
		return model.sumRate('passed') + ' ' + model.history('5m').map(({passed}) => passed).join(); })")"
}

# An interface that is gone, beside a port that is in a worse state
test_interface_gone() {
	check_equal "an interface that is gone is said" "Interface s1 is gone: all that comes in there passes.||" \
		"$(shown "import('/web/verdict.js').then(({goneBeside}) => [['gone', 'passed'], ['gone', 'interface_not_filtered'], ['native', 'passed']]
		.map(([xdp_mode, state_reason]) => goneBeside({state: 'attacked_not_filtered', state_reason,
			interfaces: [{name: 's0', xdp_mode: 'native'}, {name: 's1', xdp_mode}]})).join('|'))")"
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
	check "TLS and a password: it asks and is answered" becomes "document.getElementById('link').textContent === 'live'"
	check "TLS and a password: endings are followed" becomes \
		"document.getElementById('ended-state').textContent === 'live'"
	stop_synwarden
}

dashboard_up --http on
test_files
open_dashboard
check "the page asks and is answered" becomes "document.getElementById('link').textContent === 'live'"
test_slot_taken_back
test_interface_gone
test_notify
test_notify_attack
test_run_ends
test_run_returns
stop_synwarden
test_secured
stop_browser
finish
