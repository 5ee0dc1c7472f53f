#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# tests/fuzz/run.sh [SECONDS [TARGET...]]: runs each fuzz target for so long, from its seeds and what earlier runs have
# learnt (build/fuzz/corpus), and writes what it reached to build/fuzz/README.md. An input that breaks a property is
# kept in build/fuzz/found, and makes the exit status 1: fix it, and keep it in tests/fuzz/seeds.
set -u
cd "$(dirname "$0")/../.." || exit 1

OUT=build/fuzz
SEEDS=tests/fuzz/seeds

# What a target is about: the files whose coverage is reported.
sources_of() {
	case $1 in
	packet) echo bpf/parse.bpf.h ;;
	value) echo user/config/values.c user/text/address.c ;;
	options) echo user/config/options.c ;;
	conf) echo user/config/config_file.c user/config/lines.c ;;
	headers) echo user/server/negotiate.c user/server/auth.c user/server/host.c user/server/secrets.c ;;
	capture) echo user/segments/headers.c ;;
	messages) echo user/segments/http_reader.c ;;
	stream) echo user/sync/answer.c user/sync/decision.c ;;
	ladder) echo user/segments/view.c user/segments/marks.c user/segments/infer.c user/segments/words.c ;;
	request) echo user/server/{admission,clients,daemon,server,reply,gzip_page}.c ;;
	esac
}

# No frame needs more than its headers; text needs some lines.
longest() {
	case $1 in
	packet) echo 256 ;;
	*) echo 2048 ;;
	esac
}

# fuzz_one SECONDS TARGET: its log and found inputs are kept
fuzz_one() {
	local seconds=$1 name=$2 dictionary=()
	[ ! -e "tests/fuzz/$name.dict" ] || dictionary=("-dict=tests/fuzz/$name.dict")
	mkdir -p "$OUT/corpus/$name" "$OUT/found"
	LLVM_PROFILE_FILE=/dev/null "$OUT/$name" -max_total_time="$seconds" -max_len="$(longest "$name")" \
		-artifact_prefix="$OUT/found/$name-" -print_final_stats=1 "${dictionary[@]}" \
		"$OUT/corpus/$name" "$SEEDS/$name" >"$OUT/$name.log" 2>&1
}

# What all inputs that were kept reach, without the noise of the search.
measure() {
	local name=$1
	LLVM_PROFILE_FILE=$OUT/$name.profraw "$OUT/$name" -runs=0 "$OUT/corpus/$name" "$SEEDS/$name" >/dev/null 2>&1
	llvm-profdata merge -sparse "$OUT/$name.profraw" -o "$OUT/$name.profdata"
	# shellcheck disable=SC2046
	llvm-cov export -summary-only "$OUT/$name" -instr-profile="$OUT/$name.profdata" $(sources_of "$name") |
		jq -r '.data[0].files[] | [(.filename | sub(".*/(?<f>(bpf|user)/)"; "\(.f)")), .summary.lines.percent,
			.summary.regions.percent, .summary.branches.percent] | @tsv'
}

# stat LOG NAME: one of libFuzzer's final statistics
stat() {
	sed -n "s/^stat::$2: *//p" "$1"
}

report() {
	local name file lines regions branches log
	echo "Fuzzing for $1 s each; coverage is that of all inputs that were kept."
	echo
	echo "| target  | inputs tried | a second | kept | of                | lines, % | regions, % | branches, % |"
	echo "| ------- | -----------: | -------: | ---: | ----------------- | -------: | ---------: | ----------: |"
	for name in "${@:2}"; do
		log=$OUT/$name.log
		measure "$name" | while IFS=$'\t' read -r file lines regions branches; do
			printf "| %-7s | %12d | %8d | %4d | %-17s | %8.1f | %10.1f | %11.1f |\n" "$name" \
				"$(stat "$log" number_of_executed_units)" "$(stat "$log" average_exec_per_sec)" \
				"$(find "$OUT/corpus/$name" "$SEEDS/$name" -type f | wc -l)" \
				"$file" "$lines" "$regions" "$branches"
		done
	done
}

# Named by the job that xargs starts.
if [ "${1:-}" = one ]; then
	fuzz_one "$2" "$3"
	exit
fi

seconds=${1:-60}
shift
[ $# -gt 0 ] || set -- packet value options conf headers request messages
# Freed memory is held back, within bounds.
export ASAN_OPTIONS=quarantine_size_mb=16 LC_ALL=C.UTF-8
printf '%s\n' "$@" | xargs -P "$(nproc)" -I {} tests/fuzz/run.sh one "$seconds" {}
status=$?
report "$seconds" "$@" | tee $OUT/README.md
for name in "$@"; do
	grep -H -E 'does not hold|runtime error|ERROR: ' "$OUT/$name.log" >&2
done
[ $status = 0 ] || echo "an input breaks a property: see $OUT/found" >&2
[ $status = 0 ]
