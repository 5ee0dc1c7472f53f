#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The faults that synwarden is tested under: what must come of each, which tests see to it, and what they said. Writes
# build/faults/README.md; the exit status is 1 where a check failed, or where a fault has none that ran.
#
#	tests/faults.sh		runs those tests first, in their long form: some half an hour
#	tests/faults.sh report	takes what the tests said last
set -u
cd "$(dirname "$0")/.." || exit 1

OUT=build/faults
KERNEL=6.12-cloud # on which those run that need a machine of their own

# fault | what must come of it | test | its checks, as the beginnings of their names; all of them where there is none
# shellcheck disable=SC2016 # Markdown
FAULTS='
SIGKILL at every stage of the start | `detach`, or the next run, leaves nothing | e2e_killed | SIGKILL at [0-9]* stages of the start
SIGKILL at every stage of the end | `detach`, or the next run, leaves nothing | e2e_killed | SIGKILL at [0-9]* stages of the end
SIGKILL at every stage of a take-over | clients are served, lists hold, every packet is counted once | e2e_killed | SIGKILL at [0-9]* stages of a take-over,SIGKILL in take-overs
SIGKILL while it filters | the filter goes on; the next run takes over its lists and counters | e2e_lifecycle | after SIGKILL,take-over
SIGKILL while a port is armed | the next run, or `detach`, puts the settings of the kernel back | e2e_arming | .*SIGKILL
A second run | it is refused, and told by whom | e2e_usage | a second run,the first one goes on,its program stays
Its table of files is full | it goes on, and ends as it should | e2e_faults | no file can,no file could
Two runs that begin at once | one of them filters | e2e_faults | two runs at once
An interface goes away and comes back | the others are filtered meanwhile, it is again once it is back | e2e_interfaces | an interface goes away,an interface comes back,an interface is back,once it can be
An interface is made anew under its number | it is filtered | e2e_interfaces | made anew
Another tool detaches the filter | it is said, and filtered again | e2e_interfaces | detached by another tool
An interface changes its MTU | the filter stays, challenges offer the new MSS, connections go on | e2e_interfaces | MTU
An interface goes to another namespace | the filter does not go with it; both are said | e2e_interfaces | an interface goes to another namespace,it comes back from there,another one of its name
Its user side is stopped under load | the filter goes on, losses are counted, all recovers | e2e_faults | stopped
No room for a listening port or a served address | they pass, and are counted | e2e_full | ports full,served full,ports and served full
No room for alerts or estimators | every armed port is noticed; who has no estimator has no sources told | e2e_full | alerts full,estimators full
The lists are full | an error, and what is on them holds | e2e_full | lists full
The owners of listeners are too many | who is forgotten is not named | e2e_full | listen_pids
Verified sources fill their table | nobody passes for another, who answers takes a place | challenge | [0-9]* - all_slots_are_taken
Sources fill their table | who never comes again takes no record | source_limit | [0-9]* - flood_takes_nothing
A flood from 2^32 sources | no map has an entry more | port_budget | [0-9]* - flood_grows_nothing
The ring is full | the loss is told, gauges are right within a second | e2e_overflow |
Readers of the streams are slow, or thousands | memory and descriptors are bounded, others are served | e2e_hostile |
bpffs is missing | it is mounted | e2e_faults | no bpffs: it is mounted
bpffs is read-only | an error | e2e_faults | bpffs read-only
No BTF | an error that names it | e2e_faults | no BTF
Rights are missing | an error that names the capability | e2e_privileges |
The disk is full | `run` filters on; `states` and `conns` end with an error | e2e_faults | disk full
The disk is full for JSON | an error | e2e_stream | a full disk
stdout is closed | it filters | e2e_faults | stdout closed
nginx restarts, or takes another configuration, under a flood | clients are served, the port counts on | e2e_faults | nginx
A configuration with an error | the one before stays whole | e2e_reload |
Attached and detached again and again under traffic | no connection is dropped; no program, map, pin or byte is left | e2e_faults | attached and detached
The clock is set forward, and back | durations and expiry do not change | kernels/e2e_clock |
A CPU goes and comes | what it counted stays counted, limits hold, no transition is lost | kernels/e2e_cpus |
'

tests_of() {
	awk -F' *[|] *' 'NF > 1 { print $3 }' <<<"$FAULTS" | sort -u
}

# Those that tests/run.sh knows; and those that need a machine of their own.
run_long() {
	# shellcheck disable=SC2046
	FAULT_CYCLES=100 FAULT_STOPPED=60 FAULT_STAGES=0 SCRIPT_SECONDS=1800 tests/run.sh $(tests_of | grep -v /)
	KERNELS_TESTS=$(tests_of | sed -n 's,^kernels/,,p' | xargs) tests/kernels.sh $KERNEL
}

# said_by_machines TEST: of its checks, the machines of tests/kernels.sh only tell how many: "ok" or "not ok" for each
said_by_machines() {
	sed -nE "s/^$1 +([0-9]+) passed +([0-9]+) failed.*/\1 \2/p" build/kernels/*.log 2>/dev/null | awk '{
		for (i = 0; i < $1; i++)
			print "ok"
		for (i = 0; i < $2; i++)
			print "not ok" }'
}

# said_of TEST CHECKS: the lines of its log that are about them; it has failed where it did not come to its end
said_of() {
	local log=build/tests/$1.log
	case $1 in
	kernels/*) said_by_machines "${1#kernels/}" ;;
	*)
		[ -e "$log" ] || return
		grep -E "^(not )?ok ?-? ?(${2//,/|})" "$log"
		grep -q '^1\.\.' "$log" || echo "not ok"
		;;
	esac
}

# One row of the table for each fault; what has failed is not "passed".
rows() {
	local fault expected test checks said failed result
	while IFS='|' read -r fault expected test checks; do
		read -r test <<<"$test"
		read -r checks <<<"$checks"
		said=$(said_of "$test" "$checks")
		failed=$(grep -c '^not ok' <<<"$said")
		result="$(grep -c '^ok' <<<"$said") passed"
		[ -n "$said" ] || result="**did not run**"
		[ "$failed" = 0 ] || result+=", **$failed failed**"
		echo "|${fault% } |${expected% } | \`$test\` | $result |"
	done < <(sed '/^$/d; s/^/ /' <<<"$FAULTS")
}

report() {
	mkdir -p "$OUT"
	{
		echo "What synwarden is tested under. Each test is tests/NAME.sh, or tests/NAME.c; the numbers are its checks of this."
		echo
		echo "| fault | what must come of it | test | checks |"
		echo "| --- | --- | --- | --- |"
		rows
	} >"$OUT/README.md"
	cat "$OUT/README.md"
	! grep -q '\*\*$\|\*\* |$' "$OUT/README.md"
}

[ "${1:-}" = report ] || run_long
report
