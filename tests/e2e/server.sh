#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What programs get from the endpoint: JSON that agrees with the commands, packed and not, with thousands of connections; the
# stream of events, for fast and slow readers; over TLS, with passwords; and its memory.
#
# test: slow no-kernels
set -u
ROOT=$(readlink -f "$(dirname "$0")/../..")
# shellcheck source=tests/lib/network.sh
. "$ROOT/tests/lib/network.sh"
# shellcheck source=tests/lib/counters.sh
. "$ROOT/tests/lib/counters.sh"

CROWD=6000 # connections, both ends of each here
HERE_URL=http://127.0.0.1:9798

# fetch PATH [CURL OPTION...]: the body
fetch() {
	in_server curl -s --max-time 20 "${@:2}" "$HERE_URL$1"
}

# headers PATH [CURL OPTION...]: of the answer
headers() {
	fetch "$1" -o /dev/null -D - "${@:2}" | tr -d '\r'
}

test_status() {
	local what='{version, running, pid, since, dry_run, port_budget, interfaces, verdicts, limited_sources}'
	get 10.99.0.1 10.99.1.1 >/dev/null
	check_equal "/api/status is what status --json says" "$(sw status --json | jq -S "$what")" \
		"$(fetch /api/status | jq -S "$what")"
	check_equal "/api/status has all its fields" "$(sw status --json | jq -S keys)" "$(fetch /api/status | jq -S keys)"
}

test_lists() {
	sw allow 192.0.2.0/24 2001:db8::/32 >/dev/null
	sw block 198.51.100.7 >/dev/null
	check_equal "/api/lists is what list --json says" "$(sw list --json | jq -s .)" "$(fetch /api/lists | jq .)"
	check_equal "/api/lists: three" 3 "$(fetch /api/lists | jq length)"
	sw block 203.0.113.0/24 --for 1h >/dev/null
	check_between "/api/lists: how long an entry stays" 3590 3600 \
		"$(fetch /api/lists | jq '.[] | select(.cidr == "203.0.113.0/24").expires_in_seconds')"
}

# Connections of the crowd as ss and as the endpoint tell them: addresses and ports of both ends.
crowd_by_ss() {
	in_server ss -Htn state established | awk '{ print $3, $4 }' | grep -v ':9798' | sort
}

crowd_by_endpoint() {
	fetch '/api/conns?limit=10000' |
		jq -r '.[] | select(.state == "ESTABLISHED") | "\(.laddr):\(.lport) \(.raddr):\(.rport)"' |
		grep -v ':9798' | sort
}

start_crowd() {
	start_in_server python3 "$ROOT/tests/tools/hold.py" "$1" >"$TMP/crowd"
	CROWD_PID=$!
	wait_for grep -q ready "$TMP/crowd" || die "hold.py does not come up"
}

test_conns() {
	local one
	start_crowd 20
	check_equal "/api/conns: every connection, as ss tells them" "$(crowd_by_ss)" "$(crowd_by_endpoint)"
	one='.[] | select(.comm == "python3" and .state == "ESTABLISHED")'
	check_equal "/api/conns: owners and roles" '{"role":"client","n":20} {"role":"server","n":20}' \
		"$(fetch /api/conns | jq -c "[$one] | group_by(.role)[] | {role: .[0].role, n: length}" | xargs -d '\n')"
	check_equal "/api/conns: the fields of conns --open --json" \
		"$(sw conns --open --json --port 80 | jq -s -S '.[0] | keys')" \
		"$(fetch /api/conns | jq -S '[.[] | select(.lport == 80)][0] | keys')"
	check_equal "/api/conns?limit=7: seven" 7 "$(fetch '/api/conns?limit=7' | jq length)"
	check_equal "/api/conns?limit=7 says that there is more" "X-Truncated: true" \
		"$(headers '/api/conns?limit=7' | grep X-Truncated)"
	check_equal "/api/conns has it all" "" "$(headers /api/conns | grep X-Truncated)"
	stop "$CROWD_PID"
}

# An accepted connection belongs to the process that has it now, though its listener was another's, which was named before.
test_owners() {
	local pid
	start_in_client python3 -c 'import socket, time
held = socket.create_connection(("10.99.0.1", 80))
held.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
held.recv(1)
time.sleep(60)'
	pid=$!
	wait_for nginx_pid
	check_equal "/api/conns: an accepted connection is a worker's, not the listener's maker's" "$NGINX" \
		"$(ps -o ppid= -p "$(nginx_pid)" | tr -d ' ')"
	stop "$pid"
}

# Whose the connection to nginx is.
nginx_pid() {
	fetch /api/conns | jq -e '.[] | select(.lport == 80 and .state == "ESTABLISHED" and .comm == "nginx").pid'
}

test_crowd() {
	start_crowd $CROWD
	check_equal "$CROWD connections: a thousand where nobody asks for more" 1000 "$(fetch /api/conns | jq length)"
	check_equal "$CROWD connections: ten thousand at most" "10000 X-Truncated: true" \
		"$(fetch '/api/conns?limit=10000' | jq length) $(headers '/api/conns?limit=10000' | grep X-Truncated)"
	check_equal "$CROWD connections: packed" 10000 "$(fetch '/api/conns?limit=10000' --compressed | jq length)"
	check_between "$CROWD connections: so small (bytes)" 10000 1000000 \
		"$(fetch '/api/conns?limit=10000' -H 'Accept-Encoding: gzip' | wc -c)"
	for _ in 1 2 3; do
		start_in_server curl -s -o /dev/null --limit-rate 200k --max-time 10 "$HERE_URL/api/conns?limit=10000"
	done
	wait_for slow_readers || die "no slow readers"
	check_resident "memory of run while three read 4 MB slowly, KiB" 1 $RSS_MAX_KIB "$(rss_kib)"
	check_equal "and others are answered" ok "$(fetch /healthz)"
	stop "$CROWD_PID"
}

# Whether an answer waits for its reader, in the reader's buffer first. Of three, the endpoint may send two away.
slow_readers() {
	in_server ss -Htn state established 'dport = :9798' | awk '$1 > 0 { waits = 1 } END { exit !waits }'
}

# follow FILE: the events of /events into FILE, once they come
follow() {
	start_in_server curl -sN "$HERE_URL/events" >"$1"
	FOLLOWER=$!
	wait_for grep -q '^: follows$' "$1" || die "nothing comes from /events: $(cat "$TMP/run.err")"
}

# transitions FILE: of port 80, as lines of JSON, without what each tracker measures for itself
transitions() {
	sed -n 's/^data: //; /"lport":80,/p' "$1" | jq -cS 'del(.ts, .duration_us)' | sort
}

# ended FILE COUNT: so many connections to port 80 are over
ended() {
	[ "$(grep '"lport":80,' "$1" | grep -c '"reason":')" -ge "$2" ]
}

test_events() {
	local objects i states
	objects=$(least_objects)
	start_in_server "$SYNWARDEN" states --json --port 80 >"$TMP/states" 2>"$TMP/states.err"
	states=$!
	wait_for grep -q following "$TMP/states.err"
	follow "$TMP/events"
	for ((i = 1; i <= 10; i++)); do
		get 10.99.0.1 "10.99.1.$i"
		get '[fd99::1]' "fd99:1::$i"
	done >"$TMP/answers"
	wait_for ended "$TMP/events" 20
	wait_for ended "$TMP/states" 20
	check_equal "/events: twenty connections of five transitions" 100 "$(transitions "$TMP/events" | wc -l)"
	stop "$states"
	check_equal "/events: what states --json reports of this namespace" \
		"$(jq -c "select(.netns == $(in_server stat -L -c %i /proc/self/ns/net))" "$TMP/states" >"$TMP/ours"
			transitions "$TMP/ours")" "$(transitions "$TMP/events")"
	check_equal "/events: nothing lost" 0 "$(grep -c '^event: lost' "$TMP/events")"
	check_equal "/events: its type" "Content-Type: text/event-stream" "$(headers /events -I | grep ^Content-Type)"
	check_resident "memory of run while a client follows, KiB" 1 $RSS_MAX_KIB "$(rss_kib)"
	stop "$FOLLOWER"
	check "/events: its tracker is gone once nobody follows" wait_for holds_objects "$objects"
}

has_lines() {
	[ "$(wc -l <"$1")" -ge "$2" ]
}

# One reader keeps up, the other reads nothing while thousands of connections come and go.
test_slow_reader() {
	local slow fast
	mkfifo "$TMP/go"
	start_in_server python3 "$ROOT/tests/tools/sse_reader.py" 127.0.0.1 9798 $MARK "$TMP/go" >"$TMP/slow"
	slow=$!
	wait_for has_lines "$TMP/slow" 1
	follow "$TMP/fast"
	mark "$TMP/fast" 1
	wait_for has_lines "$TMP/slow" 2
	until has_lines "$TMP/fast" 100000; do # two lines each; more than there is room for on the way to a reader
		in_client wrk -t1 -c20 -d1 -H 'Connection: close' http://10.99.0.1/ >"$TMP/wrk"
	done
	check_equal "while a reader stalls, others are answered" ok "$(fetch /healthz)"
	echo go >"$TMP/go"
	mark "$TMP/fast" 2
	wait "$slow"
	fast=$(between_marks "$TMP/fast")
	slow=$(tail -n 1 "$TMP/slow")
	check_between "wrk made thousands of events" 50000 10000000 "$fast"
	check_between "a slow reader gets the number of those lost" 1 1000 "$(jq .told <<<"$slow")"
	check_between "a slow reader still gets what is in the queue" 2048 "$fast" "$(jq .events <<<"$slow")"
	check_equal "a slow reader's events, and those reported as lost, are all that happened" "$fast" \
		"$(jq '.events + .lost' <<<"$slow")"
	check_resident "memory of run after that, KiB" 1 $RSS_MAX_KIB "$(rss_kib)"
}

# What conns --json reports of connections that close, without the time that each tracker measures for itself
endings() {
	jq -cS 'select(.lport == 80) | del(.ts, .duration_us, .handshake_us)' | sort
}

test_ended() {
	local i conns completed
	start_in_server "$SYNWARDEN" conns --json --port 80 --netns "$SERVER" >"$TMP/conns" 2>"$TMP/conns.err"
	conns=$!
	wait_for grep -q following "$TMP/conns.err"
	start_in_server curl -sN "$HERE_URL/ended" >"$TMP/ended"
	FOLLOWER=$!
	wait_for grep -q '^: follows$' "$TMP/ended" || die "nothing comes from /ended: $(cat "$TMP/run.err")"
	for ((i = 1; i <= 10; i++)); do
		get 10.99.0.1 "10.99.1.$i"
	done >"$TMP/answers"
	wait_for ended "$TMP/ended" 10
	wait_for ended "$TMP/conns" 10
	stop "$conns"
	stop "$FOLLOWER"
	check_equal "/ended: ten connections" 10 "$(sed -n 's/^data: //p' "$TMP/ended" | endings | wc -l)"
	check_equal "/ended: what conns --json reports of them" "$(endings <"$TMP/conns")" \
		"$(sed -n 's/^data: //p' "$TMP/ended" | endings)"
	check_between "/api/history: a sample a second" 5 301 "$(fetch /api/history | jq length)"
	completed=$(fetch /api/status | jq '[.ports[].completed] | add')
	sleep 1.5 # a sample is taken; to ask meanwhile would be a handshake more
	check_equal "/api/history: its last one is what /api/status said" "$completed" \
		"$(fetch /api/history | jq '.[-1].completed')"
}

test_end() {
	stop_synwarden
	check_equal "it ends well while a client follows" 0 $?
	wait "$FOLLOWER"
	check_equal "the follower's answer has an end" 0 $?
}

# status_of HOST: what a request with that Host header gets
status_of() {
	fetch /healthz -o /dev/null -w '%{http_code}' -H "Host: $1"
}

# A page of another site, whose name was made to resolve to this address, reads nothing.
test_hosts() {
	start_synwarden --port-budget 0 --host web.example,other.example
	check_equal "names of this host" "200 200 200 200 200" "$(status_of 127.0.0.1:9798) $(status_of '[::1]') \
$(status_of localhost:9798) $(status_of "$(hostname)") $(status_of web.example:9798)"
	check_equal "a name that is not" 421 "$(status_of evil.example:9798)"
	check_equal "a name that is not: why" "not a name of this host; run --host NAME adds one" \
		"$(fetch / -H 'Host: evil.example')"
	check_equal "another site may not embed what is served" "Cross-Origin-Resource-Policy: same-origin" \
		"$(headers /api/conns | grep ^Cross-Origin)"
	stop_synwarden
}

# follow_as UID: eight followers of one user
follow_as() {
	local i
	for i in {1..8}; do
		start_in_server setpriv --reuid "$1" --regid "$1" --clear-groups curl -sN "$HERE_URL/ended" >"$TMP/follower.$i"
		FOLLOWERS+=($!)
		wait_for grep -q '^: follows$' "$TMP/follower.$i" || die "no follower $i: $(cat "$TMP/run.err")"
	done
}

has_ended() {
	! kill -0 "$1" 2>/dev/null
}

# One user's followers take no place that another one needs.
test_followers() {
	local pid
	FOLLOWERS=()
	start_synwarden --port-budget 0
	chmod 666 "$TMP"
	follow_as 65534
	chmod 755 "$TMP"
	check_equal "a ninth follower of one user" 503 "$(in_server setpriv --reuid 65534 --regid 65534 --clear-groups \
		curl -s -o /dev/null -w '%{http_code}' --max-time 5 "$HERE_URL/ended")"
	start_in_server curl -sN "$HERE_URL/ended" >"$TMP/ended"
	FOLLOWER=$!
	check "the first follower of another user" wait_for grep -q '^: follows$' "$TMP/ended"
	check "the oldest one makes room" wait_for has_ended "${FOLLOWERS[0]}"
	check "the next oldest one stays" kill -0 "${FOLLOWERS[1]}"
	for pid in "${FOLLOWERS[@]}" "$FOLLOWER"; do
		stop "$pid"
	done
	stop_synwarden
}

# guess ADDRESS: wrong passwords, one after the other, from an address
guess() {
	# shellcheck disable=SC2016
	start_in_client bash -c 'while :; do curl -s -o /dev/null --interface "$0" -u ann:wrong "$1"; done' "$1" \
		http://10.99.0.1:9799/healthz
	GUESSING+=($!)
}

# ticks: of the CPU, that run has used
ticks() {
	awk '{ print $14 + $15 }' "/proc/$SW/stat"
}

# Guessing keeps no other address out, and takes little time.
test_guessing() {
	local used pid
	GUESSING=()
	start_off_host --auth-file "$TMP/users"
	for _ in 1 2 3; do
		guess 10.99.1.66
	done
	sleep 1.5 # they are at it
	check_equal "a right password while another address guesses, and before its guesses" "200 first" \
		"$(in_client python3 "$ROOT/tests/tools/passwords.py" 10.99.0.1 9799 10.99.1.66 10.99.1.7 ann:secret)"
	used=$(ticks)
	sleep 5
	check_time "CPU meanwhile, ticks of 500" 0 50 $(($(ticks) - used))
	for pid in "${GUESSING[@]}"; do
		stop "$pid"
	done
	stop_synwarden
	check_equal "it ends well after that" 0 $?
}

make_secrets() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=synwarden \
		-addext subjectAltName=IP:10.99.0.1 -keyout "$TMP/key.pem" -out "$TMP/cert.pem" 2>/dev/null
	openssl genpkey -algorithm ec -pkeyopt ec_paramgen_curve:prime256v1 -out "$TMP/other.pem" 2>/dev/null
	# shellcheck disable=SC2016 # crypt(3) wants them so
	perl -e 'print "ann:", crypt("secret", q($6$saltsalt$)), "\nbob:", crypt("hidden", q($y$j9T$saltsaltsalt$)), "\n"' \
		>"$TMP/users"
	chmod 600 "$TMP/key.pem" "$TMP/other.pem" "$TMP/users"
}

# refused NAME STATUS MESSAGE OPTION...
refused() {
	expect "$1" "$2" "" "synwarden: $3" sw run "${@:4}" s0
}

test_refusals() {
	local cert=$TMP/cert.pem key=$TMP/key.pem
	refused "a certificate without its key" 2 "--tls-cert needs --tls-key FILE too: a certificate is of no use without its key" \
		--tls-cert "$cert"
	refused "a key without its certificate" 2 "--tls-key needs --tls-cert FILE too: a certificate is of no use without its key" \
		--tls-key "$key"
	refused "no endpoint" 2 "--tls-cert, --tls-key, --auth-file and --host are for the HTTP endpoint, which --listen off leaves out" \
		--auth-file "$TMP/users" --listen off
	refused_late "a file that is not there" "--tls-cert: cannot use \"/nowhere\": No such file or directory" \
		--tls-cert /nowhere --tls-key "$key"
	refused_late "a key that is another's" \
		"--tls-cert \"$cert\" and --tls-key \"$TMP/other.pem\" are not a certificate and its key, both in PEM and without a password: The certificate and the given key do not match." \
		--tls-cert "$cert" --tls-key "$TMP/other.pem"
	chmod 644 "$key" "$TMP/users"
	refused_late "a key that every user can read" \
		"--tls-key: cannot use \"$key\": every user of this host may read or change it; fix: chmod o=" \
		--tls-cert "$cert" --tls-key "$key"
	refused_late "passwords that every user can read" \
		"--auth-file: cannot use \"$TMP/users\": every user of this host may read or change it; fix: chmod o=" \
		--auth-file "$TMP/users"
	chmod 600 "$key" "$TMP/users"
	check "nothing is left of those" test ! -e "$(pin_dir)"
}

# refused_late NAME MESSAGE OPTION...: after it has attached
refused_late() {
	try sw run "${@:3}" s0
	check_equal "$1" "1 synwarden: $2" "$STATUS $(grep -v filtering <<<"$ERR")"
}

listens_on() {
	[ -n "$(in_server ss -Hltn "sport = :$1")" ]
}

# start_off_host OPTION...: for others than this host
start_off_host() {
	start_in_server "$SYNWARDEN" run --listen 10.99.0.1:9799 "$@" s0 >"$TMP/run.out" 2>"$TMP/run.err"
	SW=$!
	wait_for listens_on 9799 || die "synwarden does not start: $(cat "$TMP/run.err")"
}

# status URL [CURL OPTION...]: from the client; 000 where there is no answer
status() {
	in_client curl -s -o "$TMP/page" -w '%{http_code}' --max-time 10 --cacert "$TMP/cert.pem" "${@:2}" "$1"
}

test_secured() {
	local url=https://10.99.0.1:9799
	start_off_host --tls-cert "$TMP/cert.pem" --tls-key "$TMP/key.pem" --auth-file "$TMP/users"
	check_equal "with TLS and passwords nobody is warned" "" "$(grep -v filtering "$TMP/run.err")"
	check_equal "TLS: nobody without a password" 401 "$(status $url/metrics)"
	check_equal "TLS: not even where there is nothing" 401 "$(status $url/nothing)"
	check_equal "TLS: what asks for a password" 'WWW-Authenticate: Basic realm="synwarden", charset="UTF-8"' \
		"$(in_client curl -s -D - -o /dev/null --cacert "$TMP/cert.pem" $url/ | tr -d '\r' | grep -i ^www)"
	check_equal "TLS: ann, by SHA-512" 200 "$(status $url/metrics -u ann:secret)"
	check_equal "TLS: bob, by yescrypt" 200 "$(status $url/metrics -u bob:hidden)"
	check_equal "TLS: bob with ann's" 401 "$(status $url/metrics -u bob:secret)"
	check_equal "TLS: bob, while another wrong one is not looked at" 200 "$(status $url/metrics -u bob:hidden)"
	check_equal "TLS: the dashboard, for those with a password" "401 200" \
		"$(status $url/) $(status $url/ -u bob:hidden)"
	check_equal "TLS: 1.1 is too old" 000 "$(status $url/metrics -u ann:secret --tls-max 1.1)"
	check_equal "TLS: 1.2 will do" 200 "$(status $url/metrics -u ann:secret --tls-max 1.2)"
	check_equal "TLS: a client that speaks plain text gets nothing" 000 "$(status http://10.99.0.1:9799/metrics -u ann:secret)"
	check_equal "TLS: conns, packed" 200 "$(status $url/api/conns -u ann:secret --compressed)"
	check "TLS: it is JSON" jq . "$TMP/page"
	start_in_client curl -sN --cacert "$TMP/cert.pem" -u ann:secret $url/events >"$TMP/events"
	FOLLOWER=$!
	wait_for grep -q '^: follows$' "$TMP/events"
	get 10.99.0.1 10.99.1.1 >/dev/null
	wait_for grep -q '"reason":"fin"' "$TMP/events"
	check_equal "TLS: events" 5 "$(grep -c '"lport":80,' "$TMP/events")"
	check_resident "memory of run with TLS, KiB" 1 $RSS_MAX_KIB "$(rss_kib)"
	test_end
}

test_warnings() {
	start_off_host
	check_equal "without passwords every client is let in, with a warning" \
		"synwarden: every client that reaches 10.99.0.1:9799 can read this host's connections; --auth-file FILE asks for a password" \
		"$(grep -v filtering "$TMP/run.err")"
	check_equal "off-host, without a password" 200 "$(status http://10.99.0.1:9799/metrics)"
	stop_synwarden
	start_off_host --auth-file "$TMP/users"
	check_equal "passwords in plain text are warned about" \
		"synwarden: passwords for 10.99.0.1:9799 cross the network unencrypted; --tls-cert FILE --tls-key FILE encrypts" \
		"$(grep -v filtering "$TMP/run.err")"
	stop_synwarden
}

net_up
silence 0
start_nginx
start_synwarden --port-budget 0
test_status
test_lists
test_conns
test_owners
test_crowd
test_events
test_ended
test_slow_reader
test_end
test_hosts
test_followers
make_secrets
test_guessing
test_refusals
test_secured
test_warnings
finish
