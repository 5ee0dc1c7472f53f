#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# test: slow long
#
# `synwarden http` and `run --http on` on the network drawn in tests/lib/network.sh: connections segment by segment
# (tests/tools/http_cases.py), and all requests of nginx, whose access log is the judge: 2,000 of them; in the long form
# 100,000.
set -u
ROOT=$(readlink -f "$(dirname "$0")/../..")
# shellcheck source=tests/lib/network.sh
. "$ROOT/tests/lib/network.sh"
# shellcheck source=tests/lib/counters.sh
. "$ROOT/tests/lib/counters.sh"

CASES_PORT=8917
REQUESTS=$(long_or 100000 2000)
# In one of so many connections, and in one more, a transition may be hidden from BPF by a virtual machine's host: see
# e2e/rps.sh.
HIDDEN=500

net_up

# watch NAME [OPTION...]: `http` in $TMP/NAME.out, once it follows; its pid is in $WATCH
watch() {
	start "$SYNWARDEN" http --netns "/run/netns/$SERVER" "${@:2}" >"$TMP/$1.out" 2>"$TMP/$1.err"
	WATCH=$!
	wait_for grep -q following "$TMP/$1.err" || die "http does not start: $(cat "$TMP/$1.err")"
}

cases() {
	local line
	python3 "$ROOT/tests/tools/http_cases.py" "$SYNWARDEN" "/run/netns/$SERVER" "/run/netns/$CLIENT" $SERVER_ADDR $CASES_PORT \
		>"$TMP/cases" 2>"$TMP/cases.err"
	check_equal "the cases were played" 0 $?
	[ ! -s "$TMP/cases.err" ] || sed 's/^/# /' "$TMP/cases.err"
	while read -r line; do
		case $line in
		"ok - "*) pass "${line#ok - }" ;;
		*) not_ok "${line#not ok - }" ;;
		esac
	done <"$TMP/cases"
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

# Three requests in one segment count as one, in two of the cases. What came with the last ACK of a handshake came to the
# listener: where nothing answers it, it is not known.
count_cases() {
	check_counts "the cases, counted" 53 35 $CASES_PORT 2 1 47 1 2 0 35 2 1 5 31 2 2
	check_equal "each request has its time, but those sent ahead" 44 \
		"$(value "http_first_byte_seconds_count{port=\"$CASES_PORT\"}")"
}

# count_log NAME SINCE COUNT CONNECTIONS CLOSED: what is counted of port 80 since its start is what nginx has logged.
count_log() {
	local classes
	read -ra classes < <(log_lines "$2" | awk '{ count[substr($5, 1, 1)]++ }
		END { for (class = 1; class <= 5; class++) printf "%d ", count[class] }')
	check_counts "$1: they are counted as nginx has logged them" "$3" "$4" 80 0 "${classes[@]}" "$4" 0 0 0 $(($4 - $5)) "$5" 0
	check_equal "$1: connections, by how many requests they carried" \
		"$(awk '{ for (most = 1; most <= 1000; most *= 10) count[most] += $2 <= most }
			END { print count[1], count[10], count[100], count[1000] }' "$TMP/$1.per")" \
		"$(for most in 1 10 100 1000; do
			value "http_requests_per_connection_bucket{port=\"80\",le=\"$most.0\"}"
		done | xargs)"
	check_equal "$1: each has a time to its first byte" "$3" "$(value 'http_first_byte_seconds_count{port="80"}')"
	check_equal "$1: nothing escaped the counting" 0 "$(value 'events_lost_total{stage="http"}')"
}

# log_lines SINCE: what nginx has logged behind the first SINCE lines: port, number, method, path, status, bytes
log_lines() {
	tail -n "+$(($1 + 1))" "$TMP/nginx/requests.log" | awk '{ sub(/[?].*/, "", $4); print $1, $2, $3, $4, $6, $7 }'
}

# has_ended NAME COUNT: that many connections were told to have ended
has_ended() {
	[ "$(grep -c '"kind":"end"' "$TMP/$1.out")" -ge "$2" ]
}

# compare NAME SINCE: each request of nginx's log, with its connection, number, status and bytes; and those per connection
compare() {
	local name=$1
	log_lines "$2" | sort >"$TMP/$name.log"
	jq -r 'select(.kind == "request") | [.rport, .n, .method, .path, .status, .response_bytes] | join(" ")' \
		"$TMP/$name.out" | sort >"$TMP/$name.told"
	check "$name: its requests are those of nginx's log" diff "$TMP/$name.log" "$TMP/$name.told"
	awk '{ count[$1]++ } END { for (port in count) print port, count[port] }' "$TMP/$name.log" | sort >"$TMP/$name.per"
	jq -r 'select(.kind == "end") | "\(.rport) \(.answered)"' "$TMP/$name.out" | sort >"$TMP/$name.ends"
	LOST=$(jq -s 'map(.lost // 0) | add' "$TMP/$name.out")
	check_between "$name: connections with a transition that was hidden" 0 $((1 + $(wc -l <"$TMP/$name.per") / HIDDEN)) "$LOST"
	check_between "$name: requests of a connection, where they differ from the log's" 0 $((3 * LOST)) \
		"$(diff "$TMP/$name.per" "$TMP/$name.ends" | grep -c '^[<>]')"
}

# against_log NAME COUNT: requests over connections that are kept alive, for 1 to 200 requests each
against_log() {
	local since connections closed
	since=$(wc -l <"$TMP/nginx/requests.log")
	watch "$1" --json --port 80
	read -r connections closed < <(in_client python3 "$ROOT/tests/tools/http_requests.py" $SERVER_ADDR 80 "$2")
	wait_for has_ended "$1" "$connections" || echo "# ends are missing"
	stop "$WATCH"
	check_equal "$1: nginx has logged them all" "$2" "$(log_lines "$since" | wc -l)"
	compare "$1" "$since"
	if [ "$LOST" = 0 ]; then
		count_log "$1" "$since" "$2" "$connections" "$closed"
	else
		echo "# not counted: $LOST hidden"
	fi
}

# What passes is what was sent, whatever the programs see.
transfer() {
	head -c 30000000 /dev/urandom >"$TMP/nginx/www/random"
	watch transfer --json --port 80
	in_client curl -sf -o "$TMP/random" "http://$SERVER_ADDR/random"
	check "a document arrives as it was sent" cmp "$TMP/random" "$TMP/nginx/www/random"
	wait_for has_ended transfer 1
	stop "$WATCH"
	check_equal "its bytes are counted" $((30000000 + $(in_client curl -sI "http://$SERVER_ADDR/random" | wc -c))) \
		"$(jq 'select(.kind == "request") | .response_bytes' "$TMP/transfer.out")"
}

# ask PATH...: one connection
ask() {
	in_client curl -s -o /dev/null "${@/#/http://$SERVER_ADDR}"
}

options() {
	watch failed --json --port 80 --status 4xx --count 1
	ask / && ask /nope
	check "--count ends it" wait_for gone "$WATCH"
	check_equal "--status" "/nope 404" "$(jq -r '[.path, .status] | join(" ")' "$TMP/failed.out")"
	watch slow --json --port 80 --slow 200 --count 1
	head -c 450000 /dev/zero >"$TMP/nginx/www/slow" # more than a second of its rate, and what is sent at once
	ask / && ask /slow
	check "a slow one" wait_for gone "$WATCH"
	check_equal "--slow" /slow "$(jq -r .path "$TMP/slow.out")"
	watch ends --json --port 80 --connections --count 1
	ask / /nope
	check "a connection" wait_for gone "$WATCH"
	check_equal "--connections" "end 2 client" "$(jq -r '[.kind, .requests, .closed_by] | join(" ")' "$TMP/ends.out")"
	watch owned --json --comm nginx --count 1
	ask /
	check "by its owner" wait_for gone "$WATCH"
	check_equal "--comm" "nginx server /" "$(jq -r '[.comm, .role, .path] | join(" ")' "$TMP/owned.out")"
}

text() {
	watch text --port 80 --count 3
	ask / /nope
	check "lines of text" wait_for gone "$WATCH"
	check_equal "what they say" "server 80 10.99.0.2 1 GET 200 $SERVER_ADDR/
server 80 10.99.0.2 2 GET 404 $SERVER_ADDR/nope
server 80 10.99.0.2 closed by the client after 2 requests" \
		"$(sed '1d; s/^[^ ]* //; s/:[0-9]*//' "$TMP/text.out" |
			awk '/closed/ { print $1, $2, $3, $4, $5, $6, $7, $8, $9, "requests"; next } { print $1, $2, $3, $4, $5, $6, $NF }')"
}

# unprivileged PID: without capabilities, and no program stays behind
unprivileged() {
	watch dropped --port 80
	check_equal "it has no capabilities" 0000000000000000 "$(sed -n 's/^CapEff:\t//p' "/proc/$WATCH/status")"
	stop "$WATCH"
	check_equal "it ends without an error" 0 $?
}

# cgroup_programs PID: its programs for sockets' packets
cgroup_programs() {
	local kind id
	objects_of "$1" | while read -r kind id; do
		[ "$kind" != prog ] || bpftool -j prog show id "$id" | jq -r 'select(.type == "cgroup_skb").name'
	done | sort | xargs
}

# Nothing of it is pinned, and without --http nothing of it is there.
off() {
	local objects
	check_equal "programs that count HTTP" "see_incoming see_outgoing" "$(cgroup_programs "$SW")"
	check_equal "none is pinned" "" "$(find "$(pin_dir)" -name 'link-see*')"
	objects=$(objects_of "$SW")
	stop_synwarden
	wait_for none_remain "$objects"
	check_equal "nothing of it stays" "" "$(remaining <<<"$objects")"
	start_synwarden --quiet
	scrape
	check_equal "without --http: no program" "" "$(cgroup_programs "$SW")"
	check_equal "without --http: no metric" "" "$(series 'http_[a-z_]*')"
	stop_synwarden
}

start_synwarden --quiet --http on
cases
count_cases
start_nginx "keepalive_requests 1000000; access_log $TMP/nginx/requests.log told;" "sendfile on;" \
	"location = /gone { return 410; }"
against_log "kept alive" "$REQUESTS"
off
transfer
options
text
unprivileged
finish
