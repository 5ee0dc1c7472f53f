#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Runs test programs and end-to-end scripts, each under a time limit. Each writes TAP, kept in build/tests/NAME.log. The
# last line is "N passed, N failed"; a test that dies, times out or ends before its plan counts as one failure more.
#
#	tests/run.sh			all but those that are timed, or need a machine of their own
#	tests/run.sh NAME...		these, named by their paths, one after another: tests/run.sh unit/options e2e/reload
#	tests/run.sh --long		the long forms of those that have one (make test-long)
#	tests/run.sh --timed		those that are timed (make bench)
#
#	WITHOUT="WORD..."		leaves out tests whose head has one of these words
#	BUILD_DIR=DIR			another build. In one with sanitizers (make test-asan), what they report of any process,
#					whichever process waits for it, is a failure too.
#	FETCH=0				a build without `fetch`, as by make FETCH=0 test
#	PATIENCE=N			limits N times as long, see tests/lib/network.sh
#
# What a test needs is one line of its head, "# test: WORD..."; in C " * test: WORD...". A test without it runs beside
# others, everywhere. The words:
#
#	alone		runs while no other test does: it bounds rates, or fills the machine itself
#	slow		takes more than 15 seconds: starts before the others
#	timed		bounds a time or a rate of the product: a part of `make bench`, not of `make test`
#	long		has a longer form, for LONG=1: a part of `make test-long`, the short one of `make test`
#	long-only	has no other form: a part of `make test-long` alone
#	machine		changes the whole machine (its clock, its CPUs): only in those that tests/kernels/run.sh starts
#	no-asan		not with sanitizers: runs valgrind, or looks at the heap of glibc
#	fetch		is about that command: not with FETCH=0
#	asan-slow	not with ASAN_QUICK=1: is about the kernel side, or asks little of user space that others do not
#	no-kernels	not on emulated kernels: bounds rates, times or memory, or no kernel makes a difference to it
#	kernels-quick	also with KERNELS_QUICK=1
set -u
cd "$(dirname "$0")/.." || exit 1

PROGRAM_SECONDS=$((300 * ${PATIENCE:-1}))
SCRIPT_SECONDS=${SCRIPT_SECONDS:-$((600 * ${PATIENCE:-1}))}
BUILD_DIR=${BUILD_DIR:-build}
REPORTS=$PWD/$BUILD_DIR/reports/$(tr / _ <<<"${1:-all}") # each of those that run at once has its own
LANES=$(($(nproc) * 3 / 2)) # most of them wait most of the time
# shellcheck source=tests/lib/heads.sh
. tests/lib/heads.sh
passed=0
failed=0
declare -A running=() # names, by pid

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
	printf '%-22s %4d passed %3d failed %7s s\n' "$name" "$ok" "$not_ok" "$(seconds_since "$began")"
	[ "$not_ok" = 0 ] || grep -vE '^(ok |1\.\.|\+ )' "$log" | sed 's/^/  /'
	[ -z "$died" ] || echo "  $name $died; see $log"
}

# run_test NAME: a program or a script
run_test() {
	if [ -e "tests/$1.c" ]; then
		run_one "$1" $PROGRAM_SECONDS "$BUILD_DIR/tests/$1"
	else
		# LeakSanitizer starts a process at the end, which `run` may not (user/system/privileges.c): tests/e2e/valgrind.sh
		# looks for leaks of the commands.
		ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0 run_one "$1" "$SCRIPT_SECONDS" bash "tests/$1.sh"
	fi
}

# Waits until one of the running ones ends, prints its output, and adds up its counts.
await_one() {
	local pid name last
	wait -n -p pid
	name=${running[$pid]}
	unset "running[$pid]"
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
		[ ${#running[@]} -lt "$LANES" ] || await_one
		bash tests/run.sh "$name" >"$BUILD_DIR/tests/$name.out" 2>&1 &
		running[$!]=$name
	done
	while [ ${#running[@]} -gt 0 ]; do
		await_one
	done
}

seconds_since() {
	local ms=$((($(date +%s%N) - $1) / 1000000))
	printf '%d.%d' $((ms / 1000)) $((ms % 1000 / 100))
}

# wanted NAME: whether it is asked for. By its name, any test is, but one that needs a machine where that is not ours.
wanted() {
	# shellcheck disable=SC2086
	if needs "$1" ${WITHOUT:-}; then
		return 1
	elif needs "$1" fetch && [ "${FETCH:-1}" = 0 ]; then
		return 1
	elif needs "$1" machine && [ "${OWN_MACHINE:-}" != 1 ]; then
		case " $chosen " in *" $1 "*) echo "$1 is left out: tests/kernels/run.sh starts machines for it" ;; esac
		return 1
	fi
	case $chosen in
	--*) needs "$1" "${chosen#--}" ;;
	"") ! needs "$1" timed machine long-only ;;
	*) case " $chosen " in *" $1 "*) ;; *) false ;; esac ;;
	esac
}

# in_order NAME...: the slow ones first, so that no lane ends long after the others
in_order() {
	local name
	for name; do ! needs "$name" slow || echo "$name"; done
	for name; do needs "$name" slow || echo "$name"; done
}

chosen=$*
tests=$(all_tests)
for name; do
	case $name in
	--long)
		export LONG=1
		export SCRIPT_SECONDS=1800
		;;
	--timed) ;;
	*)
		grep -qxF -e "$name" <<<"$tests" || {
			echo "$0: there is no test \"$name\"; tests are named by their paths, as unit/options, e2e/reload" >&2
			exit 2
		}
		;;
	esac
done
mkdir -p "$BUILD_DIR"/tests/{unit,bpf,e2e,fuzz,kernels}
rm -rf "$REPORTS"
mkdir -p "$REPORTS"
chmod 1777 "$REPORTS" # some run as nobody
export LOG_COMMANDS=1
export ASAN_OPTIONS=log_path=$REPORTS/report UBSAN_OPTIONS=log_path=$REPORTS/report:print_stacktrace=1
alone=()
lanes=()
for name in $tests; do
	wanted "$name" || continue
	if needs "$name" alone || [[ $chosen = [^-]* ]]; then
		alone+=("$name")
	else
		lanes+=("$name")
	fi
done
# shellcheck disable=SC2046
run_lanes $(in_order "${lanes[@]}")
for name in "${alone[@]}"; do
	run_test "$name"
done

echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" != 0 ]
