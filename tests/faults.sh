#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The faults that synwarden is tested under: what must come of each, which tests cover it, and their results. Writes
# build/faults/README.md; the exit status is 1 where a check failed, or where a fault has none that ran.
#
#	tests/faults.sh		runs those tests first, in their long form: some half an hour
#	tests/faults.sh report	takes the results of their last runs
#
# A test names its faults in its head, a line for each, where checks are the beginnings of their names, parted by
# commas, and may be left out where all of the test's checks are meant:
#
#	# fault: FAULT | WHAT MUST COME OF IT | CHECKS
set -u
cd "$(dirname "$0")/.." || exit 1

OUT=build/faults
KERNEL=6.12-cloud # on which those run that need a machine of their own

# faults: a line for each, FILE:FAULT | WHAT MUST COME OF IT | CHECKS
faults() {
	grep -HE '^(#| \*) fault: ' tests/*/*.c tests/*/*.sh | sed -E 's/:(#| \*) fault: /:/'
}

tests_of() {
	faults | sed 's,^tests/,,; s,[.][a-z]*:.*,,' | sort -u
}

# Those that tests/run.sh knows, of which some have a long form; and those that need a machine of their own.
run_long() {
	# shellcheck disable=SC2046
	LONG=1 KILL_STAGES=0 SCRIPT_SECONDS=7200 tests/run.sh $(tests_of | grep -v ^kernels/)
	KERNELS_TESTS=$(tests_of | grep ^kernels/ | xargs) tests/kernels/run.sh $KERNEL
}

# said_by_machines TEST: "ok" or "not ok" for each of its checks; the machines of tests/kernels/run.sh report no names
said_by_machines() {
	sed -nE "s,^$1 +([0-9]+) passed +([0-9]+) failed.*,\1 \2,p" build/kernels/*.log 2>/dev/null | awk '{
		for (i = 0; i < $1; i++)
			print "ok"
		for (i = 0; i < $2; i++)
			print "not ok" }'
}

# said_of TEST CHECKS: the lines of its log about these checks; one without an end has failed
said_of() {
	local log=build/tests/$1.log
	case $1 in
	kernels/*) said_by_machines "$1" ;;
	*)
		[ -e "$log" ] || return
		grep -E "^(not )?ok ?-? ?(${2//,/|})" "$log"
		grep -q '^1\.\.' "$log" || echo "not ok"
		;;
	esac
}

# One row of the table for each fault.
rows() {
	local test fault expected checks said failed result
	while IFS='|' read -r fault expected checks; do
		test=${fault%%:*}
		test=${test#tests/}
		test=${test%.*}
		fault=${fault#*:}
		read -r checks <<<"$checks"
		said=$(said_of "$test" "$checks")
		failed=$(grep -c '^not ok' <<<"$said")
		result="$(grep -c '^ok' <<<"$said") passed"
		[ -n "$said" ] || result="**did not run**"
		[ "$failed" = 0 ] || result+=", **$failed failed**"
		echo "| ${fault% } |${expected% } | \`$test\` | $result |"
	done < <(faults)
}

report() {
	mkdir -p "$OUT"
	{
		echo "The faults that synwarden is tested under. Each test is the script or program of that name in tests/; the numbers count its checks of the fault."
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
