# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The tracker's section of tests/bench/run.sh, by which it is sourced: wrk opens a connection for each request, with and
# without `synwarden states --json` writing every transition to a file; then what a transition takes, by the kernel's own
# statistics, which cost time themselves and so are off before. Both also with RPS, by which packets come as by a real NIC's
# interrupts; and the same for libbpf-tools' tcpstates.

WRK_SECONDS=2
[ "$QUICK" != 1 ] || WRK_SECONDS=1

requests_per_second() {
	in_client wrk -t 1 -c 32 -d ${WRK_SECONDS}s -H 'Connection: close' "http://$SERVER_ADDR/" |
		sed -n 's/^Requests\/sec: *//p'
}

# begin_TRACKER leaves its pid in $tracker; end_TRACKER ends it, and prints how many events came, and how many it says were
# lost.
begin_states() {
	start_in_server "$SYNWARDEN" states --json >"$TMP/states" 2>"$TMP/states.err"
	tracker=$!
	followed() { grep -q following "$TMP/states.err"; }
	wait_for followed || die "synwarden states does not start: $(cat "$TMP/states.err")"
}

end_states() {
	stop "$tracker"
	awk '/^\{"lost"/ { gsub(/[^0-9]/, "", $0); lost += $0; next } { events++ } END { print events + 0, lost + 0 }' \
		"$TMP/states"
	rm "$TMP/states"
}

# It attaches by tracefs, which is mounted for it alone; its own loss it tells on stderr.
begin_tcpstates() {
	start unshare -m sh -c 'mount -t tracefs nodev /sys/kernel/tracing && exec tcpstates' >"$TMP/tcpstates" \
		2>"$TMP/tcpstates.err"
	tracker=$!
	attached() { objects_of "$tracker" | grep -q link; }
	wait_for attached || die "tcpstates does not start: $(cat "$TMP/tcpstates.err")"
}

end_tcpstates() {
	stop "$tracker" INT
	echo "$(($(wc -l <"$TMP/tcpstates") - 1)) $(awk '/lost/ { gsub(/[^0-9 ]/, "", $0); lost += $1 } END { print lost + 0 }' \
		"$TMP/tcpstates.err")"
	rm "$TMP/tcpstates"
}

# measure TRACKER CASE
measure() {
	local tracker rate counts
	"begin_$1"
	rate=$(requests_per_second)
	counts=$("end_$1")
	jq -cn --argjson rate "$rate" '{$rate}' | record tracker "$2" "rps=$rps" "events=${counts% *}" "lost=${counts#* }"
}

tracker_round() {
	local rps
	for rps in 0 3; do
		steer_packets $rps
		jq -cn --argjson rate "$(requests_per_second)" '{$rate}' | record tracker without "rps=$rps"
		measure states with
		[ -z "$TCPSTATES" ] || measure tcpstates tcpstates
	done
}

# What the programs whose names begin with PREFIX took, together, for each transition.
statistics_of() {
	objects_of "$1" | awk '$1 == "prog" { print $2 }' | xargs -n 1 bpftool -j prog show id |
		jq -cs --arg prefix "$2" 'map(select((.name | startswith($prefix)) and (.run_cnt // 0) > 0))
			| {ns: (map(.run_time_ns / .run_cnt) | add), runs: (map(.run_cnt) | max)}'
}

# measure_statistics TRACKER PREFIX CASE: also what an empty program is said to take meanwhile
measure_statistics() {
	local tracker statistics
	start "$BUILD/tests/bench/xdp" stats
	statistics=$!
	"begin_$1"
	requests_per_second >/dev/null
	statistics_of "$tracker" "$2" | record tracker "$3" "rps=$rps"
	statistics_of "$statistics" do_nothing | record tracker empty_statistics "rps=$rps"
	"end_$1" >/dev/null
	stop $statistics
}

statistics_round() {
	local rps
	for rps in 0 3; do
		steer_packets $rps
		measure_statistics states track_state statistics
		[ -z "$TCPSTATES" ] || measure_statistics tcpstates handle_set_state tcpstates_statistics
	done
}

bench_tracker() {
	TCPSTATES=$(command -v tcpstates) || unavailable tracker tcpstates "libbpf-tools is not installed"
	in_rounds tracker_round
	in_rounds statistics_round
	steer_packets 0
}
