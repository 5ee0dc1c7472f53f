#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A real Prometheus scrapes a running filter, first with the rules and the dashboard of contrib/: while clients are served
# and a port is attacked, it understands every expression of both, finds each series and label that they name, has
# something to show in every panel, and raises the alarm. Then as OpenMetrics and as text, packed, and over TLS with a
# password: it answers queries with the numbers that were sent, that ss reports, and that were waited for.
#
# test: slow asan-slow no-kernels
set -u
ROOT=$(readlink -f "$(dirname "$0")/../..")
# shellcheck source=tests/lib/network.sh
. "$ROOT/tests/lib/network.sh"
# shellcheck source=tests/lib/counters.sh
. "$ROOT/tests/lib/counters.sh"

RATE=1000 # SYN/s
CONNECTIONS=25
SLOW_PORT=8088
PROMETHEUS=127.0.0.1:9090
RULES=$ROOT/contrib/prometheus/synwarden.rules.yml
RUNBOOKS=$ROOT/docs/alerts.md
RULE_TESTS=$ROOT/contrib/prometheus/synwarden.rules.test.yml
DASHBOARD=$ROOT/contrib/grafana/synwarden.json
FLOOD_SECONDS=40

# The alerts of the rules, each with its severity
alerts() {
	sed -n 's/^ *- alert: //p; s/^ *severity: //p' "$RULES" | paste -d' ' - -
}

# As a table of the document has them
# shellcheck disable=SC2016 # code in Markdown
documented_alerts() {
	sed -nE 's/^\| \[`(Synwarden[A-Za-z]+)`\]\(.*\) \| ([a-z]+) \|.*/\1 \2/p' "$RUNBOOKS"
}

# They take the time that the rest of the start takes.
start_rule_tests() {
	promtool test rules "$RULE_TESTS" >"$TMP/rule_tests" 2>&1 &
	RULE_TESTER=$!
}

rule_tests_pass() {
	wait "$RULE_TESTER" || {
		cat "$TMP/rule_tests"
		return 1
	}
}

test_rules() {
	local alert
	check "promtool finds no fault in the rules" promtool check rules --lint-fatal "$RULES"
	check "the rules' tests" rule_tests_pass
	while read -r alert _; do
		check "$alert fires in a test" grep -q "alertname=\"$alert\".* value: 1" "$RULE_TESTS"
		check "$alert has a runbook" grep -qx "## $alert" "$RUNBOOKS"
	done < <(alerts)
	check_equal "the documents have each, with its severity" "$(alerts)" "$(documented_alerts)"
}

test_dashboard() {
	check "the dashboard is JSON" jq -e . "$DASHBOARD"
	check_equal "its panels: none overlap, each with title, unit and description" "" \
		"$("$ROOT/tests/tools/contrib.py" layout "$DASHBOARD" 2>&1)"
	check_equal "it asks for nothing when it is imported" "[] 0" \
		"$(jq -c '.__inputs' "$DASHBOARD") $(grep -c 'DS_' "$DASHBOARD")"
}

# write_config JOB...: what Prometheus scrapes. Prometheus 2 asks for OpenMetrics wherever it can; nginx makes it ask for
# text.
write_config() {
	local job
	cat <<-END
		global: { scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s }
		rule_files: ['$RULES']
		scrape_configs:
	END
	for job; do
		echo "  - job_name: $job"
		"scrape_$job" | sed 's/^/    /'
	done
}

# The rules ask for a job of this name.
scrape_synwarden() {
	scrape_open
}

scrape_open() {
	echo "static_configs: [{ targets: ['127.0.0.1:9798'] }]"
}

scrape_text() {
	echo "static_configs: [{ targets: ['127.0.0.1:80'] }]"
}

scrape_secured() {
	cat <<-END
		scheme: https
		basic_auth: { username: ann, password: secret }
		tls_config: { ca_file: $TMP/cert.pem }
		static_configs: [{ targets: ['10.99.0.1:9799'] }]
	END
}

make_secrets() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=synwarden \
		-addext subjectAltName=IP:10.99.0.1 -keyout "$TMP/key.pem" -out "$TMP/cert.pem" 2>/dev/null
	echo "ann:$(openssl passwd -6 secret)" >"$TMP/users"
	chmod 600 "$TMP/key.pem" "$TMP/users"
}

start_prometheus() {
	start_in_server prometheus --config.file="$TMP/prometheus.yml" --storage.tsdb.path="$TMP/data" \
		--web.listen-address=$PROMETHEUS --web.enable-lifecycle 2>"$TMP/prometheus.log"
	wait_for in_server curl -sf -o /dev/null "http://$PROMETHEUS/-/ready" ||
		die "prometheus does not start: $(tail -n 1 "$TMP/prometheus.log")"
}

# api PATH [CURL OPTION...]: what Prometheus says, as JSON
api() {
	in_server curl -sG --max-time 5 "${@:2}" "http://$PROMETHEUS/api/v1/$1"
}

# ask PROMQL [TIME]: the answer's only value
ask() {
	api query --data-urlencode "query=$1" ${2:+--data-urlencode "time=$2"} | jq -r '.data.result[].value[1]'
}

# series_of PROMQL: each that it gives, as JSON
series_of() {
	api query --data-urlencode "query=$1" | jq -c '.data.result[]'
}

prometheus_has() {
	[ -n "$(series_of "$1")" ]
}

is_up() {
	[ "$(ask "up{job=\"$1\"}")" = 1 ]
}

# metadata JOB METRIC: its type, as Prometheus read it there
metadata() {
	api targets/metadata --data-urlencode "match_target={job=\"$1\"}" --data-urlencode "metric=$2" |
		jq -r '.data[].type'
}

# serve_clients FIRST: twenty clients from outside and from the server itself, and one that is blocked. The last number of
# the first one's address is FIRST: one that has answered a challenge is not challenged again.
serve_clients() {
	local i
	for ((i = $1; i < $1 + 20; i++)); do
		get 10.99.0.1 "10.99.1.$i"
		in_server curl -s -o /dev/null http://127.0.0.1/
	done
	get 10.99.0.1 10.99.1.254
}

test_alarm() {
	local flooder
	sw block 10.99.1.254/32 >/dev/null
	serve_clients 1 >/dev/null
	wait_for prometheus_has 'synwarden_handshakes_total{port="80",outcome="completed"} >= 40'
	start_in_client "$FLOOD" -q -r 20000 -c 1000000 -s 0 -t $FLOOD_SECONDS c0 "$(mac in_server s0)" "$SERVER_ADDR"
	flooder=$!
	wait_for prometheus_has 'synwarden_under_attack{port="80"} == 1'
	check "Prometheus sees the attack" prometheus_has 'synwarden_under_attack{port="80"} == 1'
	serve_clients 21 >/dev/null
	test_dashboard # it takes half a minute until the alarm is raised
	wait_for prometheus_has 'ALERTS{alertname="SynwardenUnderAttack",alertstate="firing",port="80"}'
	check_equal "it raises this alarm, and none besides" SynwardenUnderAttack \
		"$(series_of 'ALERTS{alertstate="firing"}' | jq -r .metric.alertname)"
	check_equal "its summary" "Port 80 of 127.0.0.1:9798 is under SYN attack" \
		"$(api alerts | jq -r '.data.alerts[] | select(.state == "firing") | .annotations.summary')"
	serve_clients 41 >/dev/null # in the half minute that the dashboard asks for
	wait_for prometheus_has 'rate(synwarden_packets_total{verdict="drop",reason="blocked"}[30s]) > 0'
	check_equal "every expression of dashboard and rules is understood, and finds what it names" "" \
		"$(in_server "$ROOT/tests/tools/contrib.py" queries "$DASHBOARD" "http://$PROMETHEUS" 2>&1)"
	stop $flooder
}

test_formats() {
	wait_for is_up open
	wait_for is_up text
	check_equal "it scrapes both formats" "1 1" "$(ask 'up{job="open"}') $(ask 'up{job="text"}')"
	check_equal "OpenMetrics: the family of a counter" counter "$(metadata open synwarden_syns)"
	check_equal "text: the family of a counter" counter "$(metadata text synwarden_syns_total)"
	check_equal "neither has an error" "" "$(api targets |
		jq -r '.data.activeTargets[] | select(.labels.job != "secured").lastError')"
	check_equal "as many series in both" "$(ask 'count({job="text", __name__=~"synwarden_.+"})')" \
		"$(ask 'count({job="open", __name__=~"synwarden_.+"})')"
	check "promtool finds no fault" promtool check metrics < <(in_server curl -s http://127.0.0.1:9798/metrics)
	check_equal "and says nothing" "" "$(in_server curl -s http://127.0.0.1:9798/metrics | promtool check metrics 2>&1)"
}

# tells QUERY COMMAND...: whether Prometheus's answer is what the command prints
tells() {
	[ "$(ask "$1")" = "$("${@:2}")" ]
}

sockets() {
	in_server ss -Htan state "$1" | wc -l
}

test_connections() {
	local state holder
	start_in_server python3 "$ROOT/tests/tools/hold.py" $CONNECTIONS >"$TMP/hold"
	holder=$!
	wait_for grep -q ready "$TMP/hold"
	for state in established listening; do
		local name=${state^^}
		[ "$state" = established ] || name=LISTEN
		for job in open text; do
			check "tcp_connections, $name, $job, as ss tells them" \
				wait_for tells "synwarden_tcp_connections{state=\"$name\",job=\"$job\"}" sockets "$state"
		done
	done
	check_between "those that are held are in it" $((2 * CONNECTIONS)) $((2 * CONNECTIONS + 20)) \
		"$(ask 'synwarden_tcp_connections{state="ESTABLISHED",job="open"}')"
	stop "$holder"
}

# both_have_counted SYNS: as many at least
both_have_counted() {
	[ "$(ask "min(synwarden_syns_total{port=\"80\"}) >= bool $1")" = 1 ]
}

# A flood of an even rate, asked about in its midst, and counted at its end.
test_rate() {
	local job
	start_in_client "$FLOOD" -t 20 -c $((12 * RATE)) -r $RATE -s 1000 -q c0 "$(mac in_server s0)" "$SERVER_ADDR"
	check "the flood is scraped" wait_for both_have_counted $((9 * RATE))
	for job in open text; do
		check_between "rate of syns_total, $job (SYN/s)" $((RATE * 95 / 100)) $((RATE * 105 / 100)) \
			"$(ask "rate(synwarden_syns_total{port=\"80\",job=\"$job\"}[6s])" | cut -d. -f1)"
	done
	wait $!
	for job in open text; do
		check "syns_total, $job, is what was sent" \
			wait_for tells "synwarden_syns_total{port=\"80\",job=\"$job\"}" echo $((12 * RATE))
	done
}

# Of buckets, by histogram_quantile's definition: linear within the bucket that holds the rank.
quantile() {
	jq -r --argjson q "$1" '
		[.data.result[] | {le: (.metric.le | if . == "+Inf" then infinite else tonumber end), n: (.value[1] | tonumber)}]
		| sort_by(.le) as $b | ($b[-1].n * $q) as $rank
		| ([$b[] | .n >= $rank] | index(true)) as $i
		| (if $i == 0 then 0 else $b[$i - 1].le end) as $from
		| (if $i == 0 then 0 else $b[$i - 1].n end) as $below
		| $from + ($b[$i].le - $from) * ($rank - $below) / ($b[$i].n - $below)'
}

# The first SYN of a handshake is lost, so that it takes the kernel's second and a little.
slow_handshake() {
	in_server nft add table inet slow
	in_server nft add chain inet slow output '{ type filter hook output priority 0; }'
	in_server nft add rule inet slow output tcp dport $SLOW_PORT counter drop
	start_in_server curl -s -o /dev/null "http://10.99.0.2:$SLOW_PORT/"
	wait_for syn_was_dropped
	in_server nft delete table inet slow
	wait $!
}

syn_was_dropped() {
	[ "$(in_server nft -j list table inet slow | jq '[.nftables[].rule.expr? // [] | .[].counter.packets? // 0] | add')" -gt 0 ]
}

# slowest JOB [TIME]: the bound below which every handshake of a client was
slowest() {
	ask "histogram_quantile(1, synwarden_handshake_duration_seconds_bucket{role=\"client\",job=\"$1\"})" "${@:2}"
}

all_have_the_slow_one() {
	slowest open | grep -q '^[1-9]' && slowest text | grep -q '^[1-9]'
}

test_handshakes() {
	local series='synwarden_handshake_duration_seconds' i answers at job
	start_in_client python3 -m http.server $SLOW_PORT --bind 10.99.0.2 --directory "$TMP/nginx/www" >"$TMP/slow" 2>&1
	wait_for in_server curl -s -o /dev/null "http://10.99.0.2:$SLOW_PORT/"
	for ((i = 1; i <= 40; i++)); do
		get 10.99.0.1 "10.99.1.$i"
	done >/dev/null
	slow_handshake
	wait_for all_have_the_slow_one
	at=$(date +%s.%N)
	for job in open text; do
		for i in 0.5 0.9 0.99; do
			answers=$(api query --data-urlencode "time=$at" \
				--data-urlencode "query=${series}_bucket{role=\"server\",job=\"$job\"}" | quantile $i)
			check_equal "histogram_quantile($i) of server handshakes, $job" "$(printf %.9f "$answers")" \
				"$(printf %.9f "$(ask "histogram_quantile($i, ${series}_bucket{role=\"server\",job=\"$job\"})" "$at")")"
		done
		check_between "handshakes that servers completed, $job" 40 1000 \
			"$(ask "${series}_count{role=\"server\",job=\"$job\"}" "$at")"
		check "the slowest handshake of a client lost its first SYN, $job" \
			grep -qxE '1\.048576|4\.194304' <<<"$(slowest "$job" "$at")"
	done
}

test_secured() {
	stop_synwarden
	start_in_server "$SYNWARDEN" run --listen 10.99.0.1:9799 --tls-cert "$TMP/cert.pem" --tls-key "$TMP/key.pem" \
		--auth-file "$TMP/users" s0 >"$TMP/run.out" 2>"$TMP/run.err"
	SW=$!
	wait_for is_up secured
	check_equal "over TLS, with a password" "1 counter" "$(ask 'up{job="secured"}') $(metadata secured synwarden_syns)"
}

net_up
start_rule_tests
silence 0
take_replies
start_nginx 'location = /metrics { proxy_pass http://127.0.0.1:9798; proxy_set_header Accept text/plain; }'
make_secrets
write_config synwarden >"$TMP/prometheus.yml"
start_synwarden --http on
start_prometheus
wait_for prometheus_has 'up == 1'
test_alarm
test_rules
stop_synwarden
check_equal "after the alarm, it ends well" 0 $?

write_config open text secured >"$TMP/prometheus.yml"
in_server curl -sf -X POST "http://$PROMETHEUS/-/reload" || die "prometheus does not take its configuration"
start_synwarden --port-budget 0 --http on
test_formats
test_connections
test_rate
test_handshakes
test_secured
stop_synwarden
check_equal "it ends well" 0 $?
finish
