#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# test: slow long asan-slow no-kernels
#
# All requests of Apache and of nginx on the network drawn in tests/lib/network.sh, as `synwarden http` shows and `run --http
# on` counts them: of several kinds over connections that are kept alive, and of wrk with and without "Connection: close". The
# servers' access logs are the judges: 2,000 requests each; in the long form 100,000.
set -u
ROOT=$(readlink -f "$(dirname "$0")/../..")
# shellcheck source=tests/lib/network.sh
. "$ROOT/tests/lib/network.sh"
# shellcheck source=tests/lib/counters.sh
. "$ROOT/tests/lib/counters.sh"
# shellcheck source=tests/lib/http_log.sh
. "$ROOT/tests/lib/http_log.sh"

APACHE_PORT=8080
REQUESTS=$(long_or 100000 2000)
THREADS=4 # of wrk, with a connection each
declare -A LOGS=([80]=$TMP/nginx/requests.log [$APACHE_PORT]=$TMP/apache/requests.log)
declare -A FIRST=([80]=1 [$APACHE_PORT]=0) # what it calls the first request of a connection
declare -A ENDS=([80]=0 [$APACHE_PORT]=0) # that `http` has told

apache_listens() {
	[ -n "$(in_server ss -Hltn "sport = $APACHE_PORT")" ]
}

start_apache() {
	local root=$TMP/apache module
	mkdir -p "$root"
	for module in mpm_event authz_core dir alias; do
		echo "LoadModule ${module}_module /usr/lib/apache2/modules/mod_$module.so"
	done >"$root/apache.conf"
	cat >>"$root/apache.conf" <<-END
		ServerRoot $root
		DefaultRuntimeDir $root
		PidFile $root/pid
		ErrorLog $root/error.log
		User nobody
		Group nogroup
		ServerName site.test
		Listen $APACHE_PORT
		DocumentRoot $TMP/nginx/www
		DirectoryIndex index.html
		Redirect gone /gone
		KeepAliveTimeout 60
		MaxKeepAliveRequests 0
		LogFormat "%{remote}p %k %r %>s %O" told
		CustomLog ${LOGS[$APACHE_PORT]} told
	END
	start_in_server /usr/sbin/apache2 -f "$root/apache.conf" -DFOREGROUND 2>"$root/start.log"
	wait_for apache_listens || die "apache does not start: $(cat "$root/start.log" "$root/error.log")"
}

# has_logged PORT COUNT
has_logged() {
	[ "$(wc -l <"${LOGS[$1]}")" -ge "$2" ]
}

# await_log PORT COUNT: as long as it grows
await_log() {
	local lines
	while lines=$(wc -l <"${LOGS[$1]}") && [ "$lines" -lt "$2" ]; do
		wait_for has_logged "$1" $((lines + 1)) || return
	done
}

# play NAME PORT FUNCTION [ARGUMENT...]: FUNCTION sends the requests and sets $CONNECTIONS
play() {
	local name=$1 port=$2 since
	since=$(wc -l <"${LOGS[$port]}")
	watch "$name" --json --port "$port"
	"${@:3}" "$port" $((since + REQUESTS))
	wait_for has_ended "$name" "$CONNECTIONS" || echo "# ends are missing"
	stop "$WATCH"
	log_lines "${LOGS[$port]}" "$since" "${FIRST[$port]}" >"$TMP/$name.lines"
	check_equal "$name: they are all in the server's log" "$REQUESTS" "$(wc -l <"$TMP/$name.lines")"
	compare "$name"
	check_equal "$name: connections" "$CONNECTIONS" "$(wc -l <"$TMP/$name.per")"
	ENDS[$port]=$((ENDS[$port] + $(wc -l <"$TMP/$name.ends")))
}

# kept_alive PORT: requests of several kinds, 1 to 200 a connection
kept_alive() {
	CONNECTIONS=$(in_client python3 "$ROOT/tests/tools/http_requests.py" "$SERVER_ADDR" "$1" "$REQUESTS" | cut -d' ' -f1)
}

# by_wrk CONNECTIONS [OPTION...] PORT LINES: until the log has as many lines; wrk sleeps on, when its threads have stopped.
by_wrk() {
	local wrk port=${*: -2:1}
	CONNECTIONS=$1
	start_in_client wrk -t "$THREADS" -c "$THREADS" -d 3600s -s "$ROOT/tests/tools/wrk_count.lua" "${@:2:$#-3}" \
		"http://$SERVER_ADDR:$port/" -- "$((REQUESTS / THREADS))" >/dev/null
	wrk=$!
	await_log "$port" "${*: -1}"
	stop "$wrk"
}

# closed_by_sides PORT
closed_by_sides() {
	series http_closed_total | grep -E "port=\"$1\",by=\"(client|server)\"" | awk '{ sum += $2 } END { print sum }'
}

# count_port NAME PORT: all that was counted since the start is all that the server has logged. What hides an end
# from `http` may hide it from `run`; an end that `http` has told is counted.
count_port() {
	local lines=$TMP/$2.lines classes connections
	log_lines "${LOGS[$2]}" 0 "${FIRST[$2]}" >"$lines"
	log_connections "$lines" >"$TMP/$2.per"
	connections=$(wc -l <"$TMP/$2.per")
	read -ra classes < <(log_classes "$lines")
	if [ "${ENDS[$2]}" = "$connections" ]; then
		wait_for has_counted "$2" "$connections"
		check_per_connection "$1" "$2" "$TMP/$2.per"
		check_equal "$1: each was closed by one side" "$connections" "$(closed_by_sides "$2")"
	else
		scrape
		echo "# of $connections ends, http has told ${ENDS[$2]}"
		check_between "$1: connections" "${ENDS[$2]}" "$connections" \
			"$(value "http_requests_per_connection_count{port=\"$2\"}")"
		check_between "$1: each was closed by one side" "${ENDS[$2]}" "$connections" "$(closed_by_sides "$2")"
	fi
	check_equal "$1: requests are counted as the server has logged them" \
		"$(counts "$2" 0 "${classes[@]}" "$connections" 0 0 0 0 0 0 | grep -v closed)" \
		"$(counted "$2" | grep -vE 'closed|per_connection')"
}

net_up
start_synwarden --quiet --http on
start_nginx "keepalive_requests 1000000; access_log ${LOGS[80]} told;"
start_apache
play "kept alive, Apache" $APACHE_PORT kept_alive
play "wrk, nginx" 80 by_wrk $THREADS
play "wrk, Apache" $APACHE_PORT by_wrk $THREADS
play "wrk with Connection: close, nginx" 80 by_wrk "$REQUESTS" -H "Connection: close"
play "wrk with Connection: close, Apache" $APACHE_PORT by_wrk "$REQUESTS" -H "Connection: close"
count_port nginx 80
count_port Apache $APACHE_PORT
# A packet that interrupts the one before it, of the same connection, is not looked at (docs/output.md, losses).
check_between "not looked at, of some $((5 * REQUESTS)) requests" 0 $((5 * REQUESTS / 100000)) \
	"$(value 'events_lost_total{stage="http"}')"
finish
