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
# shellcheck source=tests/lib/http_log.sh
. "$ROOT/tests/lib/http_log.sh"

CASES_PORT=8917
REQUESTS=$(long_or 100000 2000)

net_up

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

# Three requests in one segment count as one, in two of the cases. What came with the last ACK of a handshake came to the
# listener: where nothing answers it, it is not known.
count_cases() {
	check_counts "the cases, counted" 53 35 $CASES_PORT 2 1 47 1 2 0 35 2 1 5 31 2 2
	check_equal "each request has its time, but those sent ahead" 44 \
		"$(value "http_first_byte_seconds_count{port=\"$CASES_PORT\"}")"
}

# count_log NAME COUNT CONNECTIONS CLOSED: what is counted of port 80 since its start is what nginx has logged.
count_log() {
	local classes
	read -ra classes < <(log_classes "$TMP/$1.lines")
	check_counts "$1: they are counted as nginx has logged them" "$2" "$3" 80 0 "${classes[@]}" "$3" 0 0 0 $(($3 - $4)) "$4" 0
	check_per_connection "$1" 80 "$TMP/$1.per"
	check_equal "$1: each has a time to its first byte" "$2" "$(value 'http_first_byte_seconds_count{port="80"}')"
	check_equal "$1: status --json has the same requests, and their times" "0 ${classes[*]} $2" "$(sw status --json |
		jq -r '.ports[] | select(.port == 80).http | [.requests[], ([.first_byte.buckets[].count] | add)] | join(" ")')"
	check_equal "$1: nothing escaped the counting" 0 "$(value 'events_lost_total{stage="http"}')"
}

# tell NAME [OPTION...]: `conns` in $TMP/NAME.lives, once it follows; its pid is in $TELL
tell() {
	start "$SYNWARDEN" conns --netns "/run/netns/$SERVER" --port 80 "${@:2}" >"$TMP/$1.lives" 2>"$TMP/$1.lives.err"
	TELL=$!
	wait_for grep -q following "$TMP/$1.lives.err" || die "conns does not start: $(cat "$TMP/$1.lives.err")"
}

# has_lines FILE COUNT
has_lines() {
	[ "$(wc -l <"$1")" -ge "$2" ]
}

# compare_lives NAME: `conns` told of each connection how many requests nginx has logged of it.
compare_lives() {
	stop "$TELL"
	if [ "$DIFFER" != 0 ] || grep -q '"lost"' "$TMP/$1.lives"; then
		echo "# not compared: a transition was hidden"
		return
	fi
	check_equal "$1: conns tells how many requests each connection carried" \
		"$(awk '{ print $1, "http1", $2, "null" }' "$TMP/$1.per" | sort)" \
		"$(jq -r '[.rport, .protocol, .requests, .requests_at_least] | map(. // "null") | join(" ")' "$TMP/$1.lives" | sort)"
}

# against_log NAME COUNT: requests over connections that are kept alive, for 1 to 200 requests each
against_log() {
	local since connections closed
	since=$(wc -l <"$TMP/nginx/requests.log")
	watch "$1" --json --port 80
	tell "$1" --json
	read -r connections closed < <(in_client python3 "$ROOT/tests/tools/http_requests.py" $SERVER_ADDR 80 "$2")
	wait_for has_ended "$1" "$connections" || echo "# ends are missing"
	wait_for has_lines "$TMP/$1.lives" "$connections" || echo "# lines of conns are missing"
	stop "$WATCH"
	log_lines "$TMP/nginx/requests.log" "$since" >"$TMP/$1.lines"
	check_equal "$1: nginx has logged them all" "$2" "$(wc -l <"$TMP/$1.lines")"
	compare "$1"
	compare_lives "$1"
	if [ "$((LOST + DIFFER))" = 0 ]; then
		count_log "$1" "$2" "$connections" "$closed"
	else
		echo "# not counted: $LOST hidden, $DIFFER differ"
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

# Lines without a kind tell of losses, which may be of any network namespace.
options() {
	watch failed --json --port 80 --status 4xx --count 1
	ask / && ask /nope
	check "--count ends it" wait_for gone "$WATCH"
	check_equal "--status" "/nope 404" "$(jq -r 'select(.kind) | [.path, .status] | join(" ")' "$TMP/failed.out")"
	watch slow --json --port 80 --slow 200 --count 1
	head -c 60000 /dev/zero >"$TMP/nginx/www/slow" # two seconds of its rate; what the first may carry is sent at once
	ask / && ask /slow
	check "a slow one" wait_for gone "$WATCH"
	check_equal "--slow" /slow "$(jq -r 'select(.kind).path' "$TMP/slow.out")"
	watch ends --json --port 80 --connections --count 1
	ask / /nope
	check "a connection" wait_for gone "$WATCH"
	check_equal "--connections" "end 2 client" "$(jq -r 'select(.kind) | [.kind, .requests, .closed_by] | join(" ")' "$TMP/ends.out")"
	watch owned --json --comm nginx --count 1
	ask /
	check "by its owner" wait_for gone "$WATCH"
	check_equal "--comm" "nginx server /" "$(jq -r 'select(.kind) | [.comm, .role, .path] | join(" ")' "$TMP/owned.out")"
}

# The record of a socket goes with its connection.
reused() {
	watch reused --json --port 80
	again
	wait_for has_ended reused 4
	stop "$WATCH"
	check_equal "a socket that connects again: its requests" "1 1 2" \
		"$(jq -r 'select(.kind == "request" and .role == "client") | .n' "$TMP/reused.out" | xargs)"
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

# requests_of: of connections as JSON: role, protocol and requests
requests_of() {
	jq -r '[.role, .protocol // "-", .requests // "-"] | join(" ")'
}

# The socket of a client here that closes its connection and makes another, with one request and two; then it listens.
again() {
	in_server python3 -c "
import ctypes, socket
sock = socket.socket()
for requests in 1, 2:
    sock.connect(('127.0.0.1', 80))
    for _ in range(requests):
        sock.sendall(b'HEAD / HTTP/1.1\r\nHost: a\r\n\r\n')
        sock.recv(4096)
    ctypes.CDLL(None).connect(sock.fileno(), (ctypes.c_char * 16)(), 16)
sock.listen()"
}

# asked_twice: connections from here with 2 to 10 requests that have ended; those to the endpoint have one.
asked_twice() {
	local bucket='http_requests_per_connection_bucket{port="client",le='
	scrape
	echo $(($(value "$bucket\"10.0\"}") - $(value "$bucket\"1.0\"}")))
}

# one_is_open: the connection that is kept has had its answer
one_is_open() {
	"$SYNWARDEN" conns --open --json --port 80 --state ESTABLISHED --netns "/run/netns/$SERVER" |
		requests_of >"$TMP/open"
	grep -q http1 "$TMP/open"
}

# What `conns`, its list and the endpoint tell of connections while HTTP is counted
lives() {
	local text open ended twice
	twice=$(asked_twice)
	tell text
	text=$TELL
	tell lives --json
	start_in_server curl -sN http://127.0.0.1:9798/ended >"$TMP/ended"
	ended=$!
	wait_for grep -q follows "$TMP/ended"
	ask / /nope /
	in_client bash -c "exec 3<>/dev/tcp/$SERVER_ADDR/80"
	wait_for has_lines "$TMP/lives.lives" 2
	again
	wait_for has_lines "$TMP/lives.lives" 6
	wait_for has_lines "$TMP/text.lives" 7
	if grep -q '"lost"' "$TMP/lives.lives"; then
		echo "# not compared: a transition was hidden"
		stop "$ended"
		stop "$TELL"
		stop "$text"
		return
	fi
	check_equal "each connection of a socket is counted once" $((twice + 1)) "$(asked_twice)"
	check_equal "conns: requests of each connection; and of each of a socket" "client http1 1
client http1 2
server - -
server http1 1
server http1 2
server http1 3" "$(requests_of <"$TMP/lives.lives" | sort)"
	check "conns: the same for people" grep -qE " PROTOCOL +REQUESTS HOW$" "$TMP/text.lives"
	check_equal "conns: one of three requests, one of none" "1 1" \
		"$(grep -cE ' http1 +3 ' "$TMP/text.lives") $(grep -cE ' [0-9] - +- ' "$TMP/text.lives")"
	check "/ended tells it too" wait_for grep -q '"protocol":"http1","requests":3' "$TMP/ended"
	start_in_client bash -c "exec 3<>/dev/tcp/$SERVER_ADDR/80; printf 'GET / HTTP/1.1\r\nHost: a\r\n\r\n' >&3; exec sleep 60"
	open=$!
	check "conns --open: one that is kept alive" wait_for one_is_open
	check_equal "conns --open: what it has carried" "unknown http1 1" "$(cat "$TMP/open")"
	check_equal "/api/conns tells it too" "server http1 1" "$(in_server curl -sf http://127.0.0.1:9798/api/conns |
		jq -c '.[] | select(.lport == 80 and .state == "ESTABLISHED")' | requests_of)"
	stop "$open"
	stop "$ended"
	stop "$TELL"
	stop "$text"
}

# answers: to the requests at port 80 that are counted: none, 2xx
answers() {
	scrape
	echo "$(value 'http_requests_total{port="80",status_class="unanswered"}')" \
		"$(value 'http_requests_total{port="80",status_class="2xx"}')"
}

# A connection that is kept alive over a crash of `run`, with a request before, one while no `run` is there, and one behind
restarted() {
	local unanswered answered connections asking client
	read -r unanswered answered < <(answers)
	connections=$(value 'http_requests_per_connection_count{port="80"}')
	mkfifo "$TMP/asking"
	exec {asking}<>"$TMP/asking"
	start_in_client python3 -c "
import http.client
connection = http.client.HTTPConnection('$SERVER_ADDR')
for line in open('$TMP/asking'):
    connection.request('GET', '/')
    print(len(connection.getresponse().read()), flush=True)" >"$TMP/answers"
	client=$!
	echo >&"$asking"
	wait_for has_lines "$TMP/answers" 1
	kill -KILL "$SW"
	wait "$SW" 2>/dev/null
	echo >&"$asking"
	wait_for has_lines "$TMP/answers" 2
	start_synwarden --quiet --http on
	echo >&"$asking"
	wait_for has_lines "$TMP/answers" 3
	stop "$client"
	exec {asking}>&-
	wait_for has_counted 80 $((connections + 1))
	check_equal "what passes while no run is there makes nothing unanswered" "$unanswered $((answered + 2))" "$(answers)"
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
lives
restarted
off
transfer
options
reused
text
unprivileged
finish
