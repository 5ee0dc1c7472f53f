# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Ladders beside their judges, for tests/e2e/ladder*.sh: tcpdump (segments) and `synwarden states --json` (states of this
# host's ends, by cookie). To be sourced behind tests/lib/network.sh.
# shellcheck disable=SC2034,SC2154 # pids, by name

PORT=80 # of what judge() looks at

# watch in_server|in_client [OPTION...]: a ladder of that namespace, once it waits; what it shows is in
# $TMP/SIDE.ladder, a line of JSON each
watch() {
	local side=$1 netns=$SERVER
	[ "$side" = in_server ] || netns=$CLIENT
	start "$SYNWARDEN" ladder --json --netns "/run/netns/$netns" "${@:2}" >"$TMP/$side.ladder" 2>"$TMP/$side.err"
	eval "LADDER_$side=$!"
	wait_for grep -q waiting "$TMP/$side.err" || die "no ladder: $(cat "$TMP/$side.err")"
}

# judge in_server|in_client: tcpdump and states beside it
judge() {
	local netns=$SERVER device=s0
	[ "$1" = in_server ] || { netns=$CLIENT device=c0; }
	start "$SYNWARDEN" states --json --port "$PORT" --netns "/run/netns/$netns" >"$TMP/$1.states" 2>"$TMP/$1.states.err"
	eval "STATES_$1=$!"
	start nsenter --net="/run/netns/$netns" tcpdump -n -i $device --immediate-mode -w "$TMP/$1.pcap" "tcp port $PORT${FROM:+ and host $FROM}" \
		2>"$TMP/$1.dump"
	eval "DUMP_$1=$!"
	wait_for grep -q following "$TMP/$1.states.err" || die "no states"
	wait_for grep -q listening "$TMP/$1.dump" || die "no tcpdump"
}

# over in_server|in_client: its ladder has ended by itself
over() {
	local pid=LADDER_$1
	wait_for gone "${!pid}" || die "the ladder does not end: $(cat "$TMP/$1.ladder")"
	wait "${!pid}"
}

end_judges() {
	local pid
	for pid in "STATES_$1" "DUMP_$1"; do
		stop "${!pid}"
	done
}

# segments_of LADDER: direction and flags of each
segments_of() {
	jq -r 'select(.kind == "segment") | (if .dir == "out" then ">" else "<" end) + (.flags | sort | join("+"))' "$1" |
		paste -sd' '
}

# numbers_of LADDER: sequence number, acknowledgment and length of each, as on the wire
numbers_of() {
	jq -r 'select(.kind == "segment") | [.seq, .ack // 0, .len] | join(" ")' "$1"
}

# numbers_in CAPTURE: the same of what tcpdump wrote
numbers_in() {
	"$ROOT/tests/tools/pcap_numbers.py" "$1" | cut -d' ' -f1-3
}

# has_closed CAPTURE: both FINs are there, and the ACK of the second
has_closed() {
	"$ROOT/tests/tools/pcap_numbers.py" "$1" | awk '{ is_fin = $4 % 2; fins += is_fin } END { exit fins < 2 || is_fin }'
}

# states_of LADDER: the kernel's own states of this host's end, in order
states_of() {
	jq -r '(select(.kind == "segment" and .local_known == "kernel") | .local_passed[]),
		(select(.kind == "state" and .end == "local") | .state)' "$1" | uniq | paste -sd' '
}

# told_of STATES COOKIE: new states that `states` says of the same socket
told_of() {
	exact "$1" | jq -r "select(.cookie == \"$2\") | .new" | paste -sd' '
}

cookie_of() {
	exact "$1" | jq -r 'select(.kind == "end") | .cookie'
}

ending_of() {
	jq -r 'select(.kind == "end") | "\(.ending) \(.first_fin) \(.reason)"' "$1"
}

# check_judges NAME SIDE: the segments are tcpdump's, and the states those of `states` for the same cookie
check_judges() {
	check_equal "$1, $2: the segments are those of tcpdump" "$(numbers_in "$TMP/$2.pcap")" \
		"$(numbers_of "$TMP/$2.ladder")"
	check_equal "$1, $2: the states are those of states --json" \
		"$(told_of "$TMP/$2.states" "$(cookie_of "$TMP/$2.ladder")")" "$(states_of "$TMP/$2.ladder")"
}

# begin_both, end_both: ladders and judges of both ends, around one connection to $PORT
begin_both() {
	local side
	for side in in_server in_client; do
		judge $side
		watch $side --port $PORT
	done
}

end_both() {
	local side
	for side in in_server in_client; do
		over $side
		end_judges $side
	done
}
