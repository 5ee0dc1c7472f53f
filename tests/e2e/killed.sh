#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# SIGKILL at every stage of the start, of a start that takes over, and of the end. strace shows the calls by which a run gets
# that far, and kills the next one at one of them. detach removes what is left, or the next run takes it over; and a running
# filter filters all the while. LONG=1: at twenty stages of each, not at five. KILL_STAGES=0: at all, which
# takes an hour.
#
# test: slow long asan-slow no-kernels
# fault: SIGKILL at every stage of the start | `detach`, or the next run, leaves nothing | SIGKILL at [0-9]* stages of the start
# fault: SIGKILL at every stage of the end | `detach`, or the next run, leaves nothing | SIGKILL at [0-9]* stages of the end
# fault: SIGKILL at every stage of a take-over | clients are served, lists hold, every packet is counted once | SIGKILL at [0-9]* stages of a take-over,SIGKILL in take-overs
set -u
ROOT=$(readlink -f "$(dirname "$0")/../..")
# shellcheck source=tests/lib/network.sh
. "$ROOT/tests/lib/network.sh"
# shellcheck source=tests/lib/counters.sh
. "$ROOT/tests/lib/counters.sh"

STAGES=${KILL_STAGES:-$(long_or 20 5)} # 0: all
CALLS=bpf,mkdirat,flock,rename,unlinkat,listen,capset,seccomp,clone,clone3
STRACE=(strace -f -qq -e signal=none)

# stages_of TRACE: "CALL N" of the main thread for each stage. Of what loads, the first of its kind is one; of accesses to
# maps, the first in a row; of all else, each.
stages_of() {
	awk -v loads='^BPF_(MAP_CREATE|PROG_LOAD|BTF_LOAD|PROG_BIND_MAP)$' -v accesses='^BPF_MAP_(LOOKUP|UPDATE)_ELEM$' '
		{ main = main ? main : $1 }
		$1 != main || / resumed>/ || $2 !~ /^[a-z]/ { next } # "???": killed before its name was read
		{ split($2, part, /[(,]/); call = part[1]; what = call == "bpf" ? part[2] : call; count[call]++ }
		what ~ loads && seen[what]++ || what ~ accesses && what == last { next }
		{ last = what; print call, count[call] }' "$1"
}

# chosen <STAGES: as many as are asked for, the first and the last among them
chosen() {
	awk -v want="$STAGES" '{ stage[NR] = $0 }
		END { if (!want || want > NR) want = NR
			for (i = 0; i < want; i++) print stage[1 + int(i * (NR - 1) / (want - 1))] }'
}

# start_under_strace STRACE_OPTION...: $! is the pid of the run
start_under_strace() {
	start_in_server "${STRACE[@]}" -D "$@" "$SYNWARDEN" run --quiet --duration 5 s0 \
		>"$TMP/run.out" 2>"$TMP/run.err"
}

# under_strace STRACE_OPTION...: $SW is it from now on
under_strace() {
	start "${STRACE[@]}" "$@" -p "$SW"
	wait_for is_traced
}

# Each of its threads
is_traced() {
	! grep -q '^TracerPid:[[:space:]]0$' /proc/"$SW"/task/*/status
}

# killing CALL N: the options by which strace kills as the Nth of these calls is made
killing() {
	echo "-o/dev/null -etrace=$1 -einject=$1:signal=KILL:when=$2"
}

# Whether $SW ended so
is_killed() {
	wait "$SW" 2>/dev/null
	[ $? = 137 ]
}

next_run_works() {
	local status
	start_synwarden --quiet
	status=$(get 10.99.0.1 10.99.1.1)
	stop_synwarden && [ "$status" = 200 ]
}

# is_cleaned_up N: where one is left to detach, and the next one to the next run
is_cleaned_up() {
	if [ $(($1 % 2)) = 0 ]; then sw detach; else next_run_works; fi >"$TMP/said" 2>&1 &&
		[ ! -e "$(pin_dir)" ] && ! has_program s0
}

# check_stages OF_WHAT THEN FUNCTION: killed at the stages of $TMP/trace, FUNCTION holds each time
check_stages() {
	local all stages stage call n good=0
	mapfile -t all < <(stages_of "$TMP/trace")
	mapfile -t stages < <(printf '%s\n' "${all[@]}" | chosen)
	for ((stage = 0; stage < ${#stages[@]}; stage++)); do
		read -r call n <<<"${stages[stage]}"
		: >"$TMP/said"
		if "$3" $stage "$call" "$n"; then
			good=$((good + 1))
		else
			echo "# not at $call $n: $(cat "$TMP/run.err" "$TMP/said")"
		fi
	done
	check "there are many stages $1 (${#all[@]})" test ${#all[@]} -gt 40
	check_equal "SIGKILL at ${#stages[@]} stages $1: $2" ${#stages[@]} $good
}

at_start() {
	# shellcheck disable=SC2046
	start_under_strace $(killing "$2" "$3")
	SW=$!
	is_killed && is_cleaned_up "$1"
}

test_start() {
	start_under_strace -o "$TMP/trace" -e trace=$CALLS
	SW=$!
	wait_for filtering 127.0.0.1:9798
	stop_synwarden
	check_stages "of the start" "detach, or the next run, leaves nothing" at_start
}

at_end() {
	start_synwarden --quiet
	# shellcheck disable=SC2046
	under_strace $(killing "$2" "$3")
	kill -TERM "$SW"
	is_killed && is_cleaned_up "$1"
}

test_end() {
	start_synwarden --quiet
	under_strace -o "$TMP/trace" -e trace=$CALLS
	stop_synwarden
	check_stages "of the end" "detach, or the next run, leaves nothing" at_end
}

# From a blocked source, until there is $TMP/enough
keep_flooding() {
	while [ ! -e "$TMP/enough" ]; do
		in_client "$FLOOD" -r 2000 -c 4000 c0 "$(mac in_server s0)" "$SERVER_ADDR"
	done >>"$TMP/flood"
}

at_takeover() {
	# shellcheck disable=SC2046
	start_under_strace $(killing "$2" "$3")
	SW=$!
	is_killed && [ "$(get 10.99.0.1 10.99.1.2)" = 200 ] && SERVED=$((SERVED + 1))
}

# One filter goes from a dead run to the next one, and is always there.
test_takeover() {
	local flood
	mark_rx s0
	start_synwarden --quiet
	sw block 198.18.0.0/15 >/dev/null
	stop_synwarden KILL
	start keep_flooding
	flood=$!
	start_under_strace -o "$TMP/trace" -e trace=$CALLS
	SW=$!
	wait_for filtering 127.0.0.1:9798
	stop_synwarden KILL
	SERVED=0
	check_stages "of a take-over" "clients are served" at_takeover
	start_synwarden --quiet
	check_equal "SIGKILL in take-overs: the list goes on" "block 198.18.0.0/15" "$(sw list | awk '{ print $1, $2 }')"
	touch "$TMP/enough"
	wait $flood
	check_sums "SIGKILL in take-overs: the sum over all reasons is what the interface saw in all that time" s0
	check_equal "SIGKILL in take-overs: of a blocked source nothing was passed" "$SERVED $(jq -s 'map(.sent) | add' "$TMP/flood")" \
		"$(packets syn) $(packets blocked)"
	stop_synwarden
	check "SIGKILL in take-overs: then all is gone" is_cleaned_up 0
}

net_up
silence 0
start_nginx
test_start
test_end
test_takeover
finish
