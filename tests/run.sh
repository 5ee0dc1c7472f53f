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
# Those of BESIDE wait most of the time, for timers and alarms: they run one after the other while those of MEANWHILE do,
# which measure no rates. All others have the machine to themselves, as have all that are named as arguments.
BESIDE="e2e_contrib e2e_top"
MEANWHILE="e2e_doctor e2e_filter e2e_install e2e_lists e2e_privileges e2e_reload e2e_usage"
passed=0
failed=0
running=
beside=

# timeout passes the signal on to all that the test started, and the test cleans up.
stop() {
	trap '' INT TERM
	# shellcheck disable=SC2086
	[ -z "$running$beside" ] || kill $running $beside 2>/dev/null
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
	running=$!
	wait "$running"
	status=$?
	running=
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

run_script() {
	! wanted "$1" || run_one "$1" "$SCRIPT_SECONDS" bash "tests/$1.sh"
}

# Prints what those of BESIDE had to say, and adds up what they counted.
await_beside() {
	local last
	wait "$beside"
	beside=
	sed '$d' "$BUILD_DIR/tests/beside.log"
	last=$(tail -n 1 "$BUILD_DIR/tests/beside.log")
	if [[ $last =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed$ ]]; then
		passed=$((passed + BASH_REMATCH[1]))
		failed=$((failed + BASH_REMATCH[2]))
	else
		echo "those beside ended before their sum: $last"
		failed=$((failed + 1))
	fi
}

run_all_scripts() {
	local script name
	# shellcheck disable=SC2086
	bash tests/run.sh $BESIDE >"$BUILD_DIR/tests/beside.log" 2>&1 &
	beside=$!
	for name in $MEANWHILE; do
		run_script "$name"
	done
	await_beside
	for script in tests/e2e_*.sh; do
		name=$(basename "$script" .sh)
		case " $BESIDE $MEANWHILE " in
		*" $name "*) ;;
		*) run_script "$name" ;;
		esac
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
mapfile -t programs < <(grep -l cmocka_run_group_tests tests/*.c)
for source in "${programs[@]}"; do
	name=$(basename "$source" .c)
	! wanted "$name" || run_one "$name" $PROGRAM_SECONDS "$BUILD_DIR/tests/$name"
done
# LeakSanitizer starts a process at the end, and `run` may not (user/privileges.c): leaks of the commands are looked for
# by tests/e2e_valgrind.sh.
export ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0
if [ -z "$chosen" ]; then
	run_all_scripts
else
	for script in tests/e2e_*.sh; do
		run_script "$(basename "$script" .sh)"
	done
fi

echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" != 0 ]
