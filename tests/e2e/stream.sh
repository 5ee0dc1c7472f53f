#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What `synwarden states` shows of a stream: the filters, each against the same stream unfiltered; uid and cgroup of the
# owners; lines that fit the terminal; times; and how it ends when its output cannot be written.
#
# fault: The disk is full for JSON | an error | a full disk
set -u
ROOT=$(readlink -f "$(dirname "$0")/../..")
# shellcheck source=tests/lib/network.sh
. "$ROOT/tests/lib/network.sh"
# shellcheck source=tests/lib/counters.sh
. "$ROOT/tests/lib/counters.sh"

CGROUPS=$(findmnt -nro TARGET -t cgroup2 | head -n1)
GROUP=sw$$
UNTIL_STOPPED="synwarden: following every TCP socket until stopped"
# talk.py PORT: three connections over the namespace's loopback, each with a byte of data and closed by the client first.
# With UID, NAME and a file: a process like that, which begins when there is the file.
TALK='
import encodings.idna, os, socket, sys, time
if len(sys.argv) > 2:
	with open("/proc/self/comm", "w") as comm:
		comm.write(sys.argv[3])
	while not os.path.exists(sys.argv[4]):
		time.sleep(0.05)
	os.setuid(int(sys.argv[2]))
port = int(sys.argv[1])
server = socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True)
for address in "127.0.0.1", "::1", "127.0.0.1":
	client = socket.create_connection((address, port))
	accepted, _ = server.accept()
	client.send(b"x")
	accepted.recv(1)
	client.close()
	accepted.recv(1)
	accepted.close()
	time.sleep(0.2)
'

declare -A TRACKERS

leave() {
	local status=$?
	rmdir "$CGROUPS/$GROUP/inner" "$CGROUPS/$GROUP" "$CGROUPS/${GROUP}x" 2>/dev/null
	(exit "$status")
	cleanup
}

make_cgroups() {
	[ -n "$CGROUPS" ] || die "no cgroup v2 hierarchy is mounted"
	trap leave EXIT
	mkdir "$CGROUPS/$GROUP" "$CGROUPS/$GROUP/inner" "$CGROUPS/${GROUP}x" || die "cannot make a cgroup"
}

# follow NAME [OPTION...]: its lines are in $TMP/NAME
follow() {
	local name=$1
	shift
	start "$SYNWARDEN" states "$@" >"$TMP/$name" 2>"$TMP/$name.err"
	TRACKERS[$name]=$!
}

await_trackers() {
	local name
	for name in "${!TRACKERS[@]}"; do
		wait_for grep -q following "$TMP/$name.err" || die "no tracker $name: $(cat "$TMP/$name.err")"
	done
}

stop_trackers() {
	local name
	for name in "${!TRACKERS[@]}"; do
		stop "${TRACKERS[$name]}" INT
		check_equal "$name: the tracker ends well, with one message" "0 $UNTIL_STOPPED" "$? $(cat "$TMP/$name.err")"
	done
	TRACKERS=()
}

# talker server|client CGROUP UID NAME PORT: starts to talk when there is $TMP/go; $! is its pid.
talker() {
	# shellcheck disable=SC2016
	"start_in_$1" bash -c 'echo $$ >"$1/cgroup.procs"; exec python3 -c "$2" "$3" "$4" "$5" "$6"' - \
		"$CGROUPS$2" "$TALK" "$5" "$3" "$4" "$TMP/go"
}

# What is the same in every tracker's view of one event, socket by socket: only what befalls one socket has an order
# that trackers share.
events_of() {
	exact "$1" | jq -cs 'group_by(.cookie)[][] | [.cookie, .lport, .rport, .old, .new, .pid, .comm, .owner, .uid, .cgroup, .netns, .reason]'
}

# expect_filtered NAME CONDITION: what came is just those of all events for which it holds, and there are some
expect_filtered() {
	exact "$TMP/all" | jq -c "select($2)" >"$TMP/wanted"
	check "$1: what the filter lets through" diff <(events_of "$TMP/wanted") <(events_of "$TMP/$1")
	check "$1: there is some" test -s "$TMP/$1"
}

test_filters() {
	local server_netns client_netns here there
	server_netns=$(in_server stat -L -c %i /proc/self/ns/net)
	client_netns=$(in_client stat -L -c %i /proc/self/ns/net)
	talker server "/$GROUP/inner" 65534 "talker one" 7001
	here=$!
	talker client "/$GROUP" 0 talker 7002
	there=$!
	follow all --json
	follow comm --json --comm "talker one"
	follow pid --json --pid $here
	follow above --json --cgroup "/$GROUP"
	follow inner --json --cgroup "$CGROUPS/$GROUP/inner/"
	follow other --json --cgroup "${GROUP}x"
	follow name --json --netns "$SERVER"
	follow path --json --netns "/proc/$there/ns/net"
	follow inode --json --netns "$client_netns" --port 7002
	await_trackers
	: >"$TMP/go"
	wait "$here"
	check_equal "the one talker ends well" 0 $?
	wait "$there"
	check_equal "the other talker ends well" 0 $?
	sleep 0.3
	stop_trackers
	jq -c 'select(.netns == '"$server_netns"' or .netns == '"$client_netns"')' "$TMP/all" >"$TMP/ours"
	mv "$TMP/ours" "$TMP/all"
	check_equal "each talker has a listener and three connections" "7001 7
7002 7" "$(jq -rs 'group_by(.netns)[] | [(map(.lport) | min), (map(.cookie) | unique | length)] | join(" ")' "$TMP/all" |
	sort)"
	expect_filtered comm '.comm == "talker one"'
	expect_filtered pid ".pid == $here"
	expect_filtered above ".pid == $here or .pid == $there"
	expect_filtered inner ".pid == $here"
	check_equal "other: nothing is in a cgroup whose name only begins like another" "" "$(cat "$TMP/other")"
	expect_filtered name ".netns == $server_netns"
	expect_filtered path ".netns == $client_netns"
	expect_filtered inode ".netns == $client_netns"
	check_equal "every event has its owner's uid and cgroup" "$here talker one 65534 /$GROUP/inner
$there talker 0 /$GROUP" "$(jq -r '"\(.pid) \(.comm) \(.uid) \(.cgroup)"' "$TMP/all" | sort -u | sort -k2r)"
}

# Connections that the tracker finds: the time that they have been there is a lower bound.
test_at_least() {
	local port=7010 talk
	start_in_server python3 -c '
import os, socket, time
server = socket.create_server(("127.0.0.1", '$port'))
client = socket.create_connection(("127.0.0.1", '$port'))
accepted, _ = server.accept()
print("ready", flush=True)
while not os.path.exists("'"$TMP/found"'"):
	time.sleep(0.05)
client.close()' >"$TMP/there"
	talk=$!
	wait_for grep -q ready "$TMP/there"
	follow least --port $port --state FIN_WAIT1
	follow least_json --port $port --json --state FIN_WAIT1
	await_trackers
	: >"$TMP/found"
	wait $talk
	sleep 0.3
	stop_trackers
	check "least: the line shows a lower bound" grep -qE ' ESTABLISHED > FIN_WAIT1 +>[0-9.]+ (ms|s)' "$TMP/least"
	check_equal "least_json: so does a program" "null number true" "$(jq -r 'select(.new == "FIN_WAIT1") |
		"\(.duration_us) \(.duration_at_least_us | type) \(keys_unsorted | index("duration_at_least_us") ==
			index("duration_us") + 1)"' "$TMP/least_json")"
}

# on_terminal COLUMNS NAME [OPTION...]: a tracker on a terminal
on_terminal() {
	local columns=$1 name=$2
	shift 2
	start env TERM=dumb script -qefc "stty cols $columns; exec $SYNWARDEN states -p 7020 -c 20 $*" /dev/null \
		>"$TMP/$name" 2>&1 </dev/null
	TRACKERS[$name]=$!
	ln -sf "$TMP/$name" "$TMP/$name.err"
}

longest() {
	tr -d '\r' <"$TMP/$1" | grep -v following | awk '{ if (length($0) > most) most = length($0) } END { print most }'
}

test_terminal() {
	local name
	on_terminal 80 narrow
	on_terminal 100 small
	on_terminal 120 medium
	on_terminal 200 wide
	follow relative -p 7020 -t relative
	follow delta -p 7020 -t delta
	follow plain -p 7020
	await_trackers
	in_server python3 -c "$TALK" 7020
	for name in narrow small medium wide; do
		wait "${TRACKERS[$name]}"
		check_equal "$name: it ends by --count" 0 $?
		unset "TRACKERS[$name]"
	done
	sleep 0.3
	stop_trackers
	check_equal "80 columns" "TIME         LPORT REMOTE                OLD         > NEW or HOW      DURATION" \
		"$(tr -d '\r' <"$TMP/narrow" | grep TIME)"
	check_equal "100 columns" \
		"TIME         COMM            LPORT REMOTE                OLD         > NEW or HOW      DURATION" \
		"$(tr -d '\r' <"$TMP/small" | grep TIME)"
	check_equal "120 columns" "TIME         PID     COMM            LOCAL                 REMOTE                OLD         \
> NEW or HOW      DURATION" "$(tr -d '\r' <"$TMP/medium" | grep TIME)"
	check_equal "not a terminal" "TIME            PID     COMM            LOCAL                       REMOTE              \
        OLD         > NEW          DURATION HOW" "$(head -n1 "$TMP/plain")"
	check_between "80 columns: the longest line" 78 80 "$(longest narrow)"
	check_between "100 columns: the longest line" 94 100 "$(longest small)"
	check_between "120 columns: the longest line" 118 120 "$(longest medium)"
	check_between "200 columns: the longest line" 180 200 "$(longest wide)"
	check_equal "80 columns: the first connection of the client" "CLOSE > SYN_SENT
SYN_SENT > ESTABLISHED
ESTABLISHED > FIN_WAIT1
FIN_WAIT1 > FIN_WAIT2
FIN_WAIT2 > time_wait" "$(tr -d '\r' <"$TMP/narrow" | awk '$3 == "127.0.0.1:7020" { print $4, $5, $6 }' | head -n5)"
	judge_times
}

# Three times the talker sleeps for 0.2 s; the trackers' clocks are read a moment apart.
judge_times() {
	local lines=32
	check_equal "absolute: the time of day, to the microsecond" $lines \
		"$(grep -cE '^[0-2][0-9]:[0-5][0-9]:[0-6][0-9]\.[0-9]{6} ' "$TMP/plain")"
	check_equal "delta: as many lines, and three of them came after a pause" "$lines 3" \
		"$(awk 'NR > 2 && $1 > 0.19 { pauses++ } END { print NR - 1, pauses + 0 }' "$TMP/delta")"
	check_equal "relative: as many lines, and none runs backwards" "$lines 0" \
		"$(awk 'NR > 1 { if ($1 < last) back++; last = $1 } END { print NR - 1, back + 0 }' "$TMP/relative")"
	check_between "the deltas add up to the relative times, in milliseconds" \
		"$(awk 'NR == 2 { first = $1 } END { print int(($1 - first) * 1000) - 20 }' "$TMP/relative")" \
		"$(awk 'NR == 2 { first = $1 } END { print int(($1 - first) * 1000) + 20 }' "$TMP/relative")" \
		"$(awk 'NR > 2 { sum += $1 } END { print int(sum * 1000) }' "$TMP/delta")"
}

# until_it_ends FILE OPTION...: states, whose output goes to FILE, with something to say
until_it_ends() {
	local file=$1
	shift
	start "$SYNWARDEN" states --port 7030 "$@" >"$file" 2>"$TMP/err"
	TRACKERS[it]=$!
	wait_for grep -q following "$TMP/err"
	in_server python3 -c "$TALK" 7030
	wait_for gone "${TRACKERS[it]}" || kill "${TRACKERS[it]}"
	wait "${TRACKERS[it]}"
}

test_output_errors() {
	local reader
	until_it_ends /dev/full --json
	check_equal "a full disk: exit status" 1 $?
	check_equal "a full disk: the reason" "synwarden: cannot write the output: No space left on device" \
		"$(tail -n1 "$TMP/err")"
	expect "a full disk from the first line on" 1 "" "synwarden: cannot write the output: No space left on device" \
		bash -c "exec $SYNWARDEN states >/dev/full"
	mkfifo "$TMP/pipe"
	start head -n1 "$TMP/pipe" >"$TMP/head"
	reader=$!
	until_it_ends "$TMP/pipe" --json
	check_equal "a reader that has enough: exit status" 0 $?
	check_equal "a reader that has enough: nothing is said" "$UNTIL_STOPPED" "$(cat "$TMP/err")"
	wait $reader
	check_equal "it had its line" LISTEN "$(jq -r .new "$TMP/head")"
}

net_up
make_cgroups
test_filters
test_at_least
test_terminal
test_output_errors
finish
