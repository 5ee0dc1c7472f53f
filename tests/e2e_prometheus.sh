#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A real Prometheus scrapes a running filter, as OpenMetrics and as text, packed, and over TLS with a password, and
# answers queries with the numbers that were sent, that ss tells, and that were waited for.
set -u
HERE=$(dirname "$(readlink -f "$0")")
# shellcheck source=tests/lib.sh
. "$HERE/lib.sh"
# shellcheck source=tests/counters.sh
. "$HERE/counters.sh"

RATE=1000 # SYN/s
CROWD=25
SLOW_PORT=8088
PROMETHEUS=127.0.0.1:9090

# Prometheus 2 asks for OpenMetrics wherever it can; nginx makes it ask for text.
write_config() {
	cat >"$TMP/prometheus.yml" <<-END
		global: { scrape_interval: 1s, scrape_timeout: 1s }
		scrape_configs:
		  - job_name: open
		    static_configs: [{ targets: ['127.0.0.1:9798'] }]
		  - job_name: text
		    static_configs: [{ targets: ['127.0.0.1:80'] }]
		  - job_name: secured
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
		--web.listen-address=$PROMETHEUS 2>"$TMP/prometheus.log"
	wait_for 30 in_server curl -sf -o /dev/null "http://$PROMETHEUS/-/ready" ||
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

is_up() {
	[ "$(ask "up{job=\"$1\"}")" = 1 ]
}

# metadata JOB METRIC: its type, as Prometheus read it there
metadata() {
	api targets/metadata --data-urlencode "match_target={job=\"$1\"}" --data-urlencode "metric=$2" |
		jq -r '.data[].type'
}

test_formats() {
	wait_for 10 is_up open
	wait_for 10 is_up text
	check_equal "it scrapes both formats" "1 1" "$(ask 'up{job="open"}') $(ask 'up{job="text"}')"
	check_equal "OpenMetrics: the family of a counter" counter "$(metadata open synwarden_syns)"
	check_equal "text: the family of a counter" counter "$(metadata text synwarden_syns_total)"
	check_equal "nothing is amiss with either" "" "$(api targets |
		jq -r '.data.activeTargets[] | select(.labels.job != "secured").lastError')"
	check_equal "as many series in both" "$(ask 'count({job="text", __name__=~"synwarden_.+"})')" \
		"$(ask 'count({job="open", __name__=~"synwarden_.+"})')"
	check "promtool finds nothing amiss" promtool check metrics < <(in_server curl -s http://127.0.0.1:9798/metrics)
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
	local state crowd
	start_in_server python3 "$HERE/hold.py" $CROWD >"$TMP/crowd"
	crowd=$!
	wait_for 10 grep -q ready "$TMP/crowd"
	for state in established listening; do
		local name=${state^^}
		[ "$state" = established ] || name=LISTEN
		for job in open text; do
			check "tcp_connections, $name, $job, as ss tells them" \
				wait_for 10 tells "synwarden_tcp_connections{state=\"$name\",job=\"$job\"}" sockets "$state"
		done
	done
	check_between "the crowd is in it" $((2 * CROWD)) $((2 * CROWD + 20)) \
		"$(ask 'synwarden_tcp_connections{state="ESTABLISHED",job="open"}')"
	stop "$crowd"
}

# A flood of an even rate, asked about in its midst, and counted at its end.
test_rate() {
	local job
	start_in_client "$FLOOD" -t 20 -c $((12 * RATE)) -r $RATE -s 1000 -q c0 "$(mac in_server s0)" "$SERVER_ADDR"
	sleep 10
	for job in open text; do
		check_between "rate of syns_total, $job (SYN/s)" $((RATE * 95 / 100)) $((RATE * 105 / 100)) \
			"$(ask "rate(synwarden_syns_total{port=\"80\",job=\"$job\"}[6s])" | cut -d. -f1)"
	done
	wait $!
	for job in open text; do
		check "syns_total, $job, is what was sent" \
			wait_for 5 tells "synwarden_syns_total{port=\"80\",job=\"$job\"}" echo $((12 * RATE))
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
	in_server nft add rule inet slow output tcp dport $SLOW_PORT drop
	start_in_server curl -s -o /dev/null "http://10.99.0.2:$SLOW_PORT/"
	sleep 0.5
	in_server nft delete table inet slow
	wait $!
}

test_handshakes() {
	local series='synwarden_handshake_duration_seconds' i answers at job
	start_in_client python3 -m http.server $SLOW_PORT --bind 10.99.0.2 --directory "$TMP/nginx/www" >"$TMP/slow" 2>&1
	wait_for 5 in_server curl -s -o /dev/null "http://10.99.0.2:$SLOW_PORT/"
	for ((i = 1; i <= 40; i++)); do
		get 10.99.0.1 "10.99.1.$i"
	done >/dev/null
	slow_handshake
	sleep 2
	at=$(date +%s)
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
			grep -qxE '1\.048576|4\.194304' <<<"$(ask "histogram_quantile(1, ${series}_bucket{role=\"client\",job=\"$job\"})" "$at")"
	done
}

test_secured() {
	stop_synwarden
	start_in_server "$SYNWARDEN" run --listen 10.99.0.1:9799 --tls-cert "$TMP/cert.pem" --tls-key "$TMP/key.pem" \
		--auth-file "$TMP/users" s0 >"$TMP/run.out" 2>"$TMP/run.err"
	SW=$!
	wait_for 15 is_up secured
	check_equal "over TLS, with a password" "1 counter" "$(ask 'up{job="secured"}') $(metadata secured synwarden_syns)"
}

net_up
silence 0
start_nginx 'location = /metrics { proxy_pass http://127.0.0.1:9798; proxy_set_header Accept text/plain; }'
make_secrets
write_config
start_synwarden --port-budget 0
start_prometheus
test_formats
test_connections
test_rate
test_handshakes
test_secured
stop_synwarden
check_equal "it ends well" 0 $?
finish
