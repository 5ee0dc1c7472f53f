# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What the machines of tests/kernels.sh have said on their consoles, $OUT/KERNEL.log, as counts and as a table. To be
# sourced.

# part LOG NAME: its lines between "== NAME" and the next "=="
part() {
	sed -n "/^== $2/,/^== /{/^== /d;p}" "$1"
}

# results LOG: "PASSED FAILED". That the kernel complained, that doctor found something broken, and that it did not come
# to its end, are failures more.
results() {
	part "$1" tests | awk -v complaints="$(part "$1" complaints | wc -l)" -v ended="$(grep -c '^== end' "$1")" \
		-v broken="$(part "$1" doctor | grep -c '"status":"broken"')" '
		/^[a-z0-9_]+ +[0-9]+ passed +[0-9]+ failed/ { passed += $2; failed += $4 }
		END { print passed + 0, failed + (complaints > 0) + !ended + broken }'
}

# What doctor did not find well, in one cell.
doctors_word() {
	local words
	words=$(part "$1" doctor | grep '^{' | jq -r 'select(.status != "ok") | "\(.status): \(.check), \(.detail)"')
	echo "${words:-nothing amiss}" | paste -sd';' | sed 's/;/; /g'
}

# most_instructions LOG: of the program that took the verifier most
most_instructions() {
	part "$1" instructions | sort -rn | awk 'NR == 1 { print $1 " (`" $2 "`)" }'
}

# tests_of LOG: their names
tests_of() {
	# shellcheck disable=SC2016 # Markdown
	part "$1" tests | sed -nE 's/^([a-z0-9_]+) +[0-9]+ passed .*/`\1`/p' | sort | paste -sd' ' | sed 's/ /, /g'
}

# row LOG
row() {
	local passed failed machine="qemu, TCG"
	case $1 in */running.log) machine="itself" ;; esac
	read -r passed failed < <(results "$1")
	echo "| $(sed -n 's/^== kernel //p' "$1") | $machine | $passed | $failed |" \
		"$(most_instructions "$1") | $(doctors_word "$1") |"
}

# table [LOG...]: with what ran there, told once for rows that follow each other
table() {
	local log names said=
	echo "| kernel | on | passed | failed | most instructions verified | doctor finds |"
	echo "| --- | --- | ---: | ---: | ---: | --- |"
	for log in "$@"; do
		row "$log"
	done
	for log in "$@"; do
		names=$(tests_of "$log")
		[ "$names" != "$said" ] || continue
		said=$names
		printf '\nRan, from the row of %s on: %s.\n' "$(sed -n 's/^== kernel //p' "$log")" "$names"
	done
	printf '\nLeft out: %s\n' "$LEFT_OUT"
}
