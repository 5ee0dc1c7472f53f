#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Runs every test program and every end-to-end script, each under a time limit, or only those named as arguments
# (tests/run.sh unit_options e2e_states). Each writes TAP, kept in build/tests/NAME.log. The last line is
# "N passed, N failed"; one that dies, times out or ends before its plan counts as a failure more. PATIENCE=N makes the
# limits N times as long, see tests/lib.sh.
#
# LEAVE_OUT names those that are not run. BUILD_DIR names the place of another build: in one with sanitizers (make
# test-asan), what they report of any process, whoever waits for it, counts as a failure too.
set -u
cd "$(dirname "$0")/.." || exit 1

PROGRAM_SECONDS=$((120 * ${PATIENCE:-1}))
SCRIPT_SECONDS=${SCRIPT_SECONDS:-$((180 * ${PATIENCE:-1}))}
BUILD_DIR=${BUILD_DIR:-build}
REPORTS=$PWD/$BUILD_DIR/reports/${1:-all} # of those beside in a place of their own
# Two at once, as most of them wait most of the time: but not those of ALONE, which bound rates, or play dozens of
# scenarios at once.
LANES=2
ALONE="port_budget source_limit e2e_challenge e2e_conns e2e_gauges e2e_limit e2e_overflow e2e_rps e2e_start e2e_states"
passed=0
failed=0
declare -A beside=() # names, by pid

# timeout passes the signal on to all that the test started, and the test cleans up.
stop() {
	trap '' INT TERM
	# shellcheck disable=SC2046
	kill $(jobs -p) 2>/dev/null
	wait
	exit 130
}
trap stop INT TERM

count() {
	grep -cE "$1" "$2"
}

# run_one NAME SECONDS COMMAND...
run_one() {
	local name=$1 limit=$2 log=$BUILD_DIR/tests/$1.log began status ok not_ok report died=
	shift 2
	began=$(date +%s%N)
	CMOCKA_MESSAGE_OUTPUT=TAP timeout -k 15 "$limit" "$@" >"$log" 2>&1 &
	wait $!
	status=$?
	ok=$(count '^ok ' "$log")
	not_ok=$(count '^not ok ' "$log")
	if [ "$status" = 124 ] || [ "$status" = 137 ]; then
		died="did not end within $limit s"
	elif [ "$status" != 0 ] && [ "$not_ok" = 0 ]; then
		died="ended with exit status $status"
	elif [ "$(count '^1\.\.' "$log")" = 0 ]; then
		died="ended before its plan"
	fi
	[ -z "$died" ] || not_ok=$((not_ok + 1))
	for report in "$REPORTS"/*; do
		[ -e "$report" ] || continue
		{ echo "not ok - $(basename "$report")" && sed 's/^/    /' "$report"; } >>"$log"
		rm "$report"
		not_ok=$((not_ok + 1))
	done
	passed=$((passed + ok))
	failed=$((failed + not_ok))
	printf '%-20s %4d passed %3d failed %7s s\n' "$name" "$ok" "$not_ok" "$(seconds_since "$began")"
	[ "$not_ok" = 0 ] || grep -vE '^(ok |1\.\.)' "$log" | sed 's/^/  /'
	[ -z "$died" ] || echo "  $name $died; see $log"
}

# run_test NAME: a program or a script
run_test() {
	if [ -e "tests/$1.c" ]; then
		run_one "$1" $PROGRAM_SECONDS "$BUILD_DIR/tests/$1"
	else
		# LeakSanitizer starts a process at the end, and `run` may not (user/privileges.c): leaks of the commands are
		# looked for by tests/e2e_valgrind.sh.
		ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0 run_one "$1" "$SCRIPT_SECONDS" bash "tests/$1.sh"
	fi
}

# Until one of those beside each other has ended: prints what it said, and adds up what it counted.
await_one() {
	local pid name last
	wait -n -p pid
	name=${beside[$pid]}
	unset "beside[$pid]"
	sed '$d' "$BUILD_DIR/tests/$name.out"
	last=$(tail -n 1 "$BUILD_DIR/tests/$name.out")
	if [[ $last =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed$ ]]; then
		passed=$((passed + BASH_REMATCH[1]))
		failed=$((failed + BASH_REMATCH[2]))
	else
		echo "  $name ended before its sum: $last"
		failed=$((failed + 1))
	fi
}

# run_lanes NAME...
run_lanes() {
	local name
	for name; do
		[ ${#beside[@]} -lt $LANES ] || await_one
		bash tests/run.sh "$name" >"$BUILD_DIR/tests/$name.out" 2>&1 &
		beside[$!]=$name
	done
	while [ ${#beside[@]} -gt 0 ]; do
		await_one
	done
}

seconds_since() {
	local ms=$((($(date +%s%N) - $1) / 1000000))
	printf '%d.%d' $((ms / 1000)) $((ms % 1000 / 100))
}

# Whether a test was asked for: all are, without arguments.
wanted() {
	case " ${LEAVE_OUT:-} " in *" $1 "*) return 1 ;; esac
	[ -z "$chosen" ] || case " $chosen " in *" $1 "*) ;; *) false ;; esac
}

chosen=$*
mkdir -p "$BUILD_DIR/tests"
rm -rf "$REPORTS"
mkdir -p "$REPORTS"
chmod 1777 "$REPORTS" # some run as nobody
export ASAN_OPTIONS=log_path=$REPORTS/report UBSAN_OPTIONS=log_path=$REPORTS/report:print_stacktrace=1
tests=$({
	grep -l cmocka_run_group_tests tests/*.c
	ls tests/e2e_*.sh
} | xargs -n 1 basename | sed 's/\.[a-z]*$//')
alone=()
lanes=()
for name in $tests; do
	wanted "$name" || continue
	case " $ALONE $chosen " in
	*" $name "*) alone+=("$name") ;;
	*) lanes+=("$name") ;;
	esac
done
run_lanes "${lanes[@]}"
for name in "${alone[@]}"; do
	run_test "$name"
done

echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" != 0 ]
