#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Malicious HTTP clients: thousands of idle connections, requests and readers that never end, malformed and oversized
# requests. Other clients are answered all the while, with bounded memory and descriptors.
#
# test: no-kernels
# fault: Readers of the streams are slow, or thousands | memory and descriptors are bounded, others are served
set -u
ROOT=$(readlink -f "$(dirname "$0")/../..")
# shellcheck source=tests/lib/network.sh
. "$ROOT/tests/lib/network.sh"

RSS_MAX_KIB=16384
CONNECTIONS=48
HELD=600 # connections that pages tell of: such a page takes some time, but not all of it
PLACE=(10.99.0.1 9799)
URL=http://10.99.0.1:9799

# The most since forget_peak, which leaves out the start.
peak_kib() {
	awk '/^VmHWM/ { print $2 }' "/proc/$SW/status"
}

forget_peak() {
	echo 5 >"/proc/$SW/clear_refs"
}

descriptors() {
	find "/proc/$SW/fd" -type l | wc -l
}

# ask PATH: from an address of its own; the status, and why there is none
ask() {
	in_client curl -s --interface 10.99.1.7 -o "$TMP/page" -w '%{http_code} %{errormsg}' --max-time 20 "$URL$1"
}

# answers COUNT PATH: of so many requests, one after the other: how often which
answers() {
	local i
	for ((i = 0; i < $1; i++)); do
		ask "$2"
		echo
	done | sort | uniq -c | sed 's/ *$//; s/^ *//'
}

# while_they KIND COUNT NAME: so many such clients are there, and others are answered
while_they() {
	local pid
	start_in_client python3 "$ROOT/tests/tools/hostile.py" "$1" "${PLACE[@]}" "$2" >"$TMP/hostile"
	pid=$!
	wait_for grep -q ready "$TMP/hostile" || die "hostile.py does not come up"
	check_equal "$3: others are answered" "20 200" "$(answers 20 /healthz)"
	check_equal "$3: others get large pages" "5 200" "$(answers 5 '/api/conns?limit=10000')"
	check_between "$3: descriptors" 1 $((DESCRIPTORS + CONNECTIONS + 1)) "$(descriptors)" # a census has one for a moment
	check_resident "$3: peak memory of run, KiB" 1 $RSS_MAX_KIB "$(peak_kib)"
	stop "$pid"
}

descriptors_are_back() {
	[ "$(descriptors)" -le $((DESCRIPTORS + 1)) ]
}

test_malformed() {
	in_client python3 "$ROOT/tests/tools/hostile.py" ask "${PLACE[@]}" >"$TMP/asked"
	check_equal "malformed and oversized requests" "$(expected_answers)" "$(cat "$TMP/asked")"
}

expected_answers() {
	cat <<-END
		sound: 200 x 1
		no host: 400
		HTTP/9.9: 505
		no version: 400
		no method: none
		method of 10,000 bytes: 405
		path of 40,000 bytes: 414
		header of 40,000 bytes: 431
		10,000 headers: 431
		1,000,000 bytes without a line: none
		body of 2^64 bytes: 413
		body of -1 bytes: 400
		POST: 405
		chunk without end: 405
		NUL in the path: 404
		path out of the root: 404
		limit that is none: 400
		TLS: none
		1,000 pipelined: 200 x 1000
	END
}

net_up
start_synwarden --port-budget 0 --listen 10.99.0.1:9799
DESCRIPTORS=$(descriptors)
forget_peak
start_in_server python3 "$ROOT/tests/tools/hold.py" $HELD >"$TMP/hold"
wait_for grep -q ready "$TMP/hold" || die "hold.py does not come up"
while_they idle 2000 "2,000 idle connections"
while_they slow 200 "200 requests without end"
while_they drip 60 "60 readers of a byte now and then"
test_malformed
check "all descriptors are back" wait_for descriptors_are_back
stop_synwarden
check_equal "it ends well" 0 $?
finish
