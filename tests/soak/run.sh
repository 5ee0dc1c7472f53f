#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A `run` for SOAK_SECONDS (3600; at least 120): clients, bursts of wrk, floods on and off, list changes,
# scrapes, followers of its streams, reloads, and at first three deaths by SIGKILL with a next run that takes over. Once
# a second what it holds is written down. In the second half its memory, and the kernel's for it, must not grow; and at
# the end all its numbers must be those that others counted. Leaves samples.csv, soak.svg and README.md in build/soak/.
set -u
ROOT=$(readlink -f "$(dirname "$0")/../..")
# shellcheck source=tests/lib/network.sh
. "$ROOT/tests/lib/network.sh"
# shellcheck source=tests/lib/counters.sh
. "$ROOT/tests/lib/counters.sh"
# shellcheck source=tests/lib/gauges.sh
. "$ROOT/tests/lib/gauges.sh"
# shellcheck source=tests/lib/conf.sh
. "$ROOT/tests/lib/conf.sh"
# shellcheck source=tests/lib/cgroup.sh
. "$ROOT/tests/lib/cgroup.sh"
# shellcheck source=tests/soak/load.sh
. "$ROOT/tests/soak/load.sh"

LENGTH=${SOAK_SECONDS:-3600}
RESULTS=$BUILD/soak
SAMPLES=$RESULTS/samples.csv
GROWTH_KIB=512 # of what is least used, from one quarter to the next
LOADING_KIB=32768 # resident, for the moment in which a filter or a tracker is loaded, with the kernel's type information
SERVED_PERMILLE=999 # of the clients, floods or not
SLACK=20 # transitions of the connections that ask for the counters
FLAT= # rows of the README's tables
TOTALS=

[ "$LENGTH" -ge 120 ] || die "SOAK_SECONDS=$LENGTH: must be at least 120"

start_run() {
	start_in_cgroup "$SYNWARDEN" run --config "$CONF" >>"$TMP/run.out" 2>>"$TMP/run.err"
	SW=$!
	wait_for filtering "$METRICS" || die "synwarden run does not start: $(tail -n 1 "$TMP/run.err")"
}

# held: descriptors, threads, programs, maps, links, KiB of BPF, as `run` holds them
held() {
	cat "/proc/$SW/status" "/proc/$SW/fdinfo/"* 2>/dev/null | awk '
		/^Threads:/ { threads = $2 }
		/^pos:/ { descriptors++; bytes = 0 }
		/^memlock:/ { bytes = $2 }
		/^link_id:/ { links++ }
		/^(prog|map)_id:/ && bytes && !seen[$1 $2]++ { count[$1]++; memory += bytes }
		END { print descriptors, threads, count["prog_id:"], count["map_id:"], links + 0, int(memory / 1024) }'
}

held_as() {
	[ "$(held)" = "$1" ]
}

# What takes descriptors for good the first time: a filter in the place of another, a follower.
first_use() {
	next_reload
	HELD=$(held)
	in_client curl -sN -o /dev/null --max-time 2 "http://$METRICS/events"
	wait_for held_maps_as "$HELD"
	sleep 1
}

held_maps_as() {
	[ "$(held | cut -d' ' -f3-)" = "$(cut -d' ' -f3- <<<"$1")" ]
}

# sample SECOND: a line of samples.csv; none where `run` is away
sample() {
	local held
	scrape_outside "$TMP/scrape" && [ -s "$TMP/scrape" ] || return
	held=$(held)
	echo "$1,$SW,$(rss_kib),${held// /,},$(charged_kib),$(sum_of packets_total),$(sum_of tcp_state_transitions_total),$(
		sum_of tcp_connections),$(sum_of events_lost_total),$(sum_of bookkeeping_failures_total)" >>"$SAMPLES"
}

begin_samples() {
	mkdir -p "$RESULTS"
	echo "second,pid,rss_kib,descriptors,threads,programs,maps,links,bpf_kib,charged_kib,packets,transitions,connections,lost,failures" \
		>"$SAMPLES"
}

# One tracker sees all that happens to the server's sockets, and counts.
start_witness() {
	mkfifo "$TMP/witnessed"
	# shellcheck disable=SC2016
	start awk '/"old":/ { events++ } match($0, /"lost":[0-9]+/) { lost += substr($0, RSTART + 7, RLENGTH - 7) }
		END { print events + 0, lost + 0 }' "$TMP/witnessed" >"$TMP/witness"
	COUNTER=$!
	start "$SYNWARDEN" states --json --netns "$SERVER" >"$TMP/witnessed" 2>"$TMP/witness.err"
	WITNESS=$!
	wait_for grep -q following "$TMP/witness.err" || die "no tracker: $(cat "$TMP/witness.err")"
}

# soak: everything that happens, second by second, until the time is over
soak() {
	local began=$SECONDS now
	while now=$((SECONDS - began)) && [ "$now" -lt "$LENGTH" ]; do
		sample "$now"
		! due flood 20 3 "$now" || next_flood
		! due reload 7 5 "$now" || next_reload
		! due lists 2 1 "$now" || next_list_change
		[ $DEATHS = 3 ] || ! due death $((LENGTH / 24)) $((LENGTH / 24)) "$now" || take_over
		! due follow 20 5 "$now" || next_followers
		sleep 0.9
	done
	touch "$TMP/over"
	wait "${LOAD[@]}" 2>/dev/null
}

# Asked of the maps: a scrape would be packets of its own.
counted_all() {
	[ "$(status '[.verdicts[].packets] | add')" = "$(seen_by s0 | cut -d' ' -f1)" ]
}

# accepted: how many connections nginx accepted, with the one that asks
accepted() {
	in_server curl -sf "http://127.0.0.1/status" | awk 'seen { print $1; exit } /accepts/ { seen = 1 }'
}

# check_flat NAME COLUMN: what is least used of it in the third and the last quarter, in KiB
check_flat() {
	local third last
	read -r third last < <("$ROOT/tests/soak/report.py" least "$SAMPLES" "$2")
	FLAT+="| $1 | $third KiB | $last KiB |"$'\n'
	check_between "$1: from the third to the last quarter, KiB" -$GROWTH_KIB $GROWTH_KIB $((last - third))
}

test_memory() {
	check_flat "memory of run" rss_kib
	check_resident "memory of run at rest, KiB" 1 $RSS_MAX_KIB "$("$ROOT/tests/soak/report.py" least "$SAMPLES" rss_kib | cut -d' ' -f2)"
	check_resident "memory of run at its most, KiB" 1 $LOADING_KIB "$("$ROOT/tests/soak/report.py" most "$SAMPLES" rss_kib)"
	check_flat "its programs and maps" bpf_kib
	[ -z "$CGROUP" ] || check_flat "all that the kernel charges for it" charged_kib
	wait_for held_as "$HELD"
	check_equal "descriptors, threads, programs, maps, links, KiB of BPF: as in the beginning" "$HELD" "$(held)"
}

# Transitions that one saw and the other did not were reported as lost by the other.
test_losses() {
	local accepted lost handshakes told told_lost counted
	stop $WITNESS INT
	wait $COUNTER
	read -r told told_lost <"$TMP/witness"
	accepted=$(accepted)
	scrape_outside "$TMP/scrape"
	lost=$(sum_of events_lost_total)
	handshakes=$(value 'handshakes_total{port="80",outcome="completed"}')
	counted=$(($(sum_of tcp_state_transitions_total) - FIRST_TRANSITIONS))
	check_between "of $accepted connections that nginx accepted, run counted all but what it says is lost ($lost)" \
		$((accepted - lost)) "$accepted" "$handshakes"
	check_between "of $counted transitions, a second tracker's count differs by no more than both say is lost" \
		-$((lost + told_lost + SLACK)) $((lost + told_lost + SLACK)) $((told - counted))
	check_equal "nothing found a table full" 0 "$(sum_of bookkeeping_failures_total)"
	TOTALS="| connections accepted, handshakes counted | $accepted, $handshakes |
| transitions counted, told by a second tracker | $counted, $told |
| lost by run, by the second tracker, and said so | $lost, $told_lost |"
}

test_load() {
	local clients served failed
	clients=$(jq -s 'map(.clients) | add' "$TMP/clients")
	served=$(jq -s 'map(.served) | add' "$TMP/clients")
	failed=$(grep -vc '^200$' "$TMP/pages")
	check_between "clients served, in 1,000, of $clients" $SERVED_PERMILLE 1000 $((served * 1000 / clients))
	check_between "pages that failed, of $(wc -l <"$TMP/pages"): under way as run was killed" 0 $DEATHS "$failed"
	check_equal "list changes and reloads that failed" "0 0" "$LISTS_FAILED $(grep -c 'is not applied' "$TMP/run.err")"
	check_equal "reloads that are in force" $RELOADS "$(grep -c 'is read again and in force' "$TMP/run.err")"
	check "there were floods" test "$(packets challenged)" -gt 1000 -a "$(packets source_limit)" -gt 1000
	TOTALS+="
| packets, challenged, over the source limit | $(sum_of packets_total), $(packets challenged), $(packets source_limit) |
| clients, served | $clients, $served |
| floods, reloads, list changes, deaths | $FLOODS, $RELOADS, $LIST_CHANGES, $DEATHS |
| pages | $(wc -l <"$TMP/pages") |"
}

test_end() {
	local objects
	objects=$(objects_of "$SW")
	stop_synwarden
	check_equal "it ends well" 0 $?
	check_gone "after it all" "$objects" s0
	check_equal "tcp_syncookies is as it was" "$SYNCOOKIES" "$(in_server sysctl -n net.ipv4.tcp_syncookies)"
}

write_readme() {
	cat >"$RESULTS/README.md" <<-END
		# Soak: $LENGTH seconds

		\`SOAK_SECONDS=$LENGTH make soak\`, $(date -u +%Y-%m-%d), $("$SYNWARDEN" version), Linux $(uname -r), $(nproc) CPUs: $PASSED checks
		passed, $FAILED failed. What was held each second is in samples.csv; times of a take-over are dashed.

		![memory, objects, load and losses over time](soak.svg)

		## Flat

		The least that was used in a quarter is what is not given back. It may differ by $GROWTH_KIB KiB.

		| | third quarter | last quarter |
		| --- | ---: | ---: |
		$FLAT
		## Counted

		| what | how many |
		| --- | ---: |
		$TOTALS
	END
	sed -i '/^$/N; /^\n$/D' "$RESULTS/README.md"
}

net_up
# A connection whose peer's FIN does not come is remembered for this long: no longer than what is waited for in the end.
in_server sysctl -qw net.ipv4.tcp_fin_timeout=5
silence 0
in_client ip route add local 10.96.0.0/22 dev lo
for side in in_server in_client; do
	$side sysctl -qw net.ipv4.tcp_max_tw_buckets=5000 # so that a census comes every second
done
SYNCOOKIES=$(in_server sysctl -n net.ipv4.tcp_syncookies)
start_nginx "location = /status { stub_status; access_log off; }"
make_cgroup
begin_samples
mark_rx s0
write_conf 0
start_run
wait_for gauges_agree
first_use
scrape_outside "$TMP/scrape"
FIRST_TRANSITIONS=$(sum_of tcp_state_transitions_total)
HELD=$(held)
start_witness
start_load
soak
check_gauges "the gauges are those of ss"
check "the sum over all reasons is what the interface saw" wait_for counted_all
test_losses
test_load
test_memory
test_end
"$ROOT/tests/soak/report.py" plot "$SAMPLES" "$RESULTS/soak.svg"
write_readme
echo "$PASSED passed, $FAILED failed"
[ "$FAILED" = 0 ]
