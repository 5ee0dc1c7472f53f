#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What lies in contrib/ for Prometheus and Grafana: the rules pass their own tests; and a real Prometheus, which scrapes
# a synwarden that serves clients and is attacked, understands every expression of rules and dashboard, finds each
# series and label they name, has something to show in every panel, and raises the alarm.
set -u
HERE=$(dirname "$(readlink -f "$0")")
# shellcheck source=tests/lib.sh
. "$HERE/lib.sh"
# shellcheck source=tests/counters.sh
. "$HERE/counters.sh"

RULES=$ROOT/contrib/prometheus/synwarden.rules.yml
RULE_TESTS=$ROOT/contrib/prometheus/synwarden.rules.test.yml
DASHBOARD=$ROOT/contrib/grafana/synwarden.json
PROMETHEUS=http://127.0.0.1:9090
FLOOD_SECONDS=20

alerts() {
	sed -n 's/^ *- alert: //p' "$RULES"
}

test_rules() {
	local alert
	check "promtool finds nothing amiss in the rules" promtool check rules --lint-fatal "$RULES"
	check "the rules' tests" promtool test rules "$RULE_TESTS"
	for alert in $(alerts); do
		check "$alert fires in a test" grep -q "alertname=\"$alert\".* value: 1" "$RULE_TESTS"
	done
}

test_dashboard() {
	check "the dashboard is JSON" jq -e . "$DASHBOARD"
	check_equal "its panels: none overlap, each with title, unit and description" "" \
		"$("$HERE/contrib.py" layout "$DASHBOARD" 2>&1)"
	check_equal "it asks for nothing when it is imported" "[] 0" \
		"$(jq -c '.__inputs' "$DASHBOARD") $(grep -c 'DS_' "$DASHBOARD")"
}

start_prometheus() {
	cat >"$TMP/prometheus.yml" <<-END
		global: {scrape_interval: 1s, evaluation_interval: 1s}
		rule_files: ['$RULES']
		scrape_configs:
		  - job_name: synwarden
		    static_configs: [{targets: ['127.0.0.1:9798']}]
	END
	start_in_server prometheus --config.file="$TMP/prometheus.yml" --storage.tsdb.path="$TMP/prometheus" \
		--web.listen-address=127.0.0.1:9090 --log.level=warn >"$TMP/prometheus.log" 2>&1
	wait_for 20 prometheus_has 'up == 1' || die "prometheus does not start: $(tail -n1 "$TMP/prometheus.log")"
}

# ask PROMQL: the series that it gives, as JSON
ask() {
	in_server curl -sfG --max-time 5 --data-urlencode "query=$1" "$PROMETHEUS/api/v1/query" | jq -c '.data.result[]'
}

prometheus_has() {
	[ -n "$(ask "$1")" ]
}

# Clients from outside and from the server itself, and one that is blocked.
serve_clients() {
	local i
	for i in {1..20}; do
		get 10.99.0.1 "10.99.1.$i"
		in_server curl -s -o /dev/null http://127.0.0.1/
	done
	get 10.99.0.1 10.99.1.254
}

test_attack() {
	sw block 10.99.1.254/32
	serve_clients >/dev/null
	wait_for 5 prometheus_has 'synwarden_handshakes_total{port="80",outcome="completed"} >= 40'
	flood -r 20000 -c 1000000 -s 0 -t $FLOOD_SECONDS >/dev/null &
	wait_for 15 prometheus_has 'synwarden_under_attack{port="80"} == 1'
	check "Prometheus sees the attack" prometheus_has 'synwarden_under_attack{port="80"} == 1'
	serve_clients >/dev/null
	wait_for 60 prometheus_has 'ALERTS{alertname="SynwardenUnderAttack",alertstate="firing",port="80"}'
	check_equal "it raises this alarm, and none besides" SynwardenUnderAttack \
		"$(ask 'ALERTS{alertstate="firing"}' | jq -r .metric.alertname)"
	check_equal "its summary" "Port 80 of 127.0.0.1:9798 is under SYN attack" \
		"$(in_server curl -sf "$PROMETHEUS/api/v1/alerts" |
			jq -r '.data.alerts[] | select(.state == "firing") | .annotations.summary')"
	check_equal "every expression of dashboard and rules is understood, and finds what it names" "" \
		"$(in_server "$HERE/contrib.py" queries "$DASHBOARD" "$PROMETHEUS" 2>&1)"
}

test_rules
test_dashboard
net_up
take_replies
start_nginx
start_synwarden
start_prometheus
test_attack
stop_synwarden
check_equal "it ends well" 0 $?
finish
