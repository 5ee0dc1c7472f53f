# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What `synwarden http` shows, and `run --http on` counts, compared with the access log of a web server. A log has a line a
# request: the client's port, its number on the connection, method, path, version, status, bytes sent. To be sourced after
# network.sh and counters.sh.

# In one of so many connections, and in one more, a transition may be hidden from BPF by a virtual machine's host: see
# e2e/rps.sh.
HIDDEN=500

# hidden_from_run: what the censuses of `run` have found to be hidden from it so far; nothing where there is none. A scrape
# would be a connection too.
hidden_from_run() {
	sw status --json 2>/dev/null | jq .lost.census
}

# watch NAME [OPTION...]: `http` in $TMP/NAME.out, once it follows; its pid is in $WATCH
watch() {
	HIDDEN_BEFORE=$(hidden_from_run)
	start "$SYNWARDEN" http --netns "/run/netns/$SERVER" "${@:2}" >"$TMP/$1.out" 2>"$TMP/$1.err"
	# shellcheck disable=SC2034 # for the scripts
	WATCH=$!
	wait_for grep -q following "$TMP/$1.err" || die "http does not start: $(cat "$TMP/$1.err")"
}

# counted PORT: what `run` has counted there, but for the histograms' buckets
counted() {
	series http_requests_total http_connections_total http_pipelined_total http_closed_total \
		http_requests_per_connection_sum http_requests_per_connection_count | grep "{port=\"$1\""
}

has_counted() {
	scrape
	[ "$(value "http_requests_per_connection_count{port=\"$1\"}")" = "$2" ]
}

# counts PORT UNANSWERED 1XX 2XX 3XX 4XX 5XX HTTP1 H2C TLS PIPELINED CLIENT SERVER RESET: as counted() has them
counts() {
	local port="port=\"$1\"" class kind
	shift
	for class in unanswered 1xx 2xx 3xx 4xx 5xx; do
		echo "http_requests_total{$port,status_class=\"$class\"} $1"
		shift
	done
	for kind in http1 h2c tls; do
		echo "http_connections_total{$port,kind=\"$kind\"} $1"
		shift
	done
	echo "http_pipelined_total{$port} $1"
	for kind in client server reset; do
		echo "http_closed_total{$port,by=\"$kind\"} $2"
		shift
	done
	echo "http_closed_total{$port,by=\"other\"} 0"
}

# check_counts NAME REQUESTS CONNECTIONS PORT...: as counts() has them, and per connection. Before that the last of them end.
check_counts() {
	wait_for has_counted "$4" "$3"
	check_equal "$1" "$(counts "${@:4}")
http_requests_per_connection_sum{port=\"$4\"} $2
http_requests_per_connection_count{port=\"$4\"} $3" "$(counted "$4")"
}

# log_lines FILE SINCE [FIRST]: what is logged behind the first SINCE lines: port, number, method, path, status, bytes. FIRST
# is the number that a connection's first request has there.
log_lines() {
	tail -n "+$(($2 + 1))" "$1" |
		awk -v first="${3:-1}" '{ sub(/[?].*/, "", $4); print $1, $2 + 1 - first, $3, $4, $6, $7 }'
}

# log_connections FILE: port and number of requests of each connection in what log_lines() wrote; a port may come again
log_connections() {
	awk '$2 == 1 && $1 in count { print $1, count[$1] }
		{ count[$1] = $2 }
		END { for (port in count) print port, count[port] }' "$1" | sort
}

# log_classes FILE: of what log_lines() wrote, how many statuses begin with 1, 2, 3, 4, 5
log_classes() {
	awk '{ count[substr($5, 1, 1)]++ }
		END { for (class = 1; class <= 5; class++) printf "%d ", count[class] }' "$1"
}

# check_per_connection NAME PORT FILE: FILE is by log_connections()
check_per_connection() {
	check_equal "$1: connections, by how many requests they carried" \
		"$(awk '{ for (most = 1; most <= 1000; most *= 10) count[most] += $2 <= most }
			END { print count[1] + 0, count[10] + 0, count[100] + 0, count[1000] + 0 }' "$3")" \
		"$(for most in 1 10 100 1000; do
			value "http_requests_per_connection_bucket{port=\"$2\",le=\"$most.0\"}"
		done | xargs)"
}

# has_ended NAME COUNT: that many connections were told to have ended
has_ended() {
	[ "$(grep -c '"kind":"end"' "$TMP/$1.out")" -ge "$2" ]
}

# explains COUNT: as many connections differ, or fewer, as `http` has told that it lost, or the censuses of `run` have found
explains() {
	[ "$1" -le $((3 * LOST + $(hidden_from_run) - HIDDEN_BEFORE)) ]
}

# compare NAME: what `http` wrote to NAME.out with NAME.lines, by log_lines(): each request with its connection, number, status
# and bytes; and how many a connection carried. Leaves NAME.per, by log_connections(), the same of what `http` told in
# NAME.ends, $DIFFER, the lines by which these two differ, and $LOST: transitions that were hidden, also those of the tests
# beside this one. Where the last transition of a connection and the end of its socket were both hidden, only a census of
# `run` shows it (docs/limits.md), once all is quiet.
compare() {
	local name=$1
	sort "$TMP/$name.lines" >"$TMP/$name.log"
	jq -r 'select(.kind == "request") | [.rport, .n, .method, .path, .status, .response_bytes] | join(" ")' \
		"$TMP/$name.out" | sort >"$TMP/$name.told"
	check "$name: its requests are those of the server's log" diff "$TMP/$name.log" "$TMP/$name.told"
	log_connections "$TMP/$name.lines" >"$TMP/$name.per"
	jq -r 'select(.kind == "end") | "\(.rport) \(.answered)"' "$TMP/$name.out" | sort >"$TMP/$name.ends"
	LOST=$(jq -s 'map(.lost // 0) | add' "$TMP/$name.out")
	DIFFER=$(diff "$TMP/$name.per" "$TMP/$name.ends" | grep -c '^[<>]')
	check_between "$name: connections whose end was hidden, or that differ from the log's" 0 \
		$((2 * (1 + $(wc -l <"$TMP/$name.per") / HIDDEN))) "$DIFFER"
	check "$name: and not more than were lost by what http told, or a census of run found" wait_for explains "$DIFFER"
	[ "$DIFFER" = 0 ] || echo "# $DIFFER differ; http lost $LOST, censuses found $(($(hidden_from_run) - HIDDEN_BEFORE))"
}
