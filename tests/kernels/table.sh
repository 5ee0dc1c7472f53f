# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The consoles of the machines of tests/kernels/run.sh, $OUT/KERNEL.log, as counts and as a table. To be sourced after
# tests/lib/heads.sh.

# part LOG NAME: its lines between "== NAME" and the next "=="
part() {
	sed -n "/^== $2/,/^== /{/^== /d;p}" "$1"
}

# results LOG: "PASSED FAILED". A complaint of the kernel, something broken that doctor found, and a log without its end
# are one failure more each.
results() {
	part "$1" tests | awk -v complaints="$(part "$1" complaints | wc -l)" -v ended="$(grep -c '^== end' "$1")" \
		-v broken="$(part "$1" doctor | grep -c '"status":"broken"')" '
		/^[a-z0-9_\/]+ +[0-9]+ passed +[0-9]+ failed/ { passed += $2; failed += $4 }
		END { print passed + 0, failed + (complaints > 0) + !ended + broken }'
}

# doctor_findings LOG: all that is not ok, in one cell
doctor_findings() {
	local words
	words=$(part "$1" doctor | grep '^{' | jq -r 'select(.status != "ok") | "\(.status): \(.check), \(.detail)"')
	echo "${words:-nothing weak}" | paste -sd';' | sed 's/;/; /g'
}

# most_instructions LOG: of the program that costs the verifier most
most_instructions() {
	part "$1" instructions | sort -rn | awk 'NR == 1 { print $1 " (`" $2 "`)" }'
}

# code_list <NAMES: in one line of Markdown
code_list() {
	# shellcheck disable=SC2016 # Markdown
	sort | sed 's/.*/`&`/' | paste -sd' ' | sed 's/ /, /g'
}

# tests_of LOG: their names
tests_of() {
	part "$1" tests | sed -nE 's,^([a-z0-9_/]+) +[0-9]+ passed .*,\1,p' | code_list
}

# row LOG
row() {
	local passed failed machine="qemu, TCG"
	case $1 in */running.log) machine="itself" ;; esac
	read -r passed failed < <(results "$1")
	echo "| $(sed -n 's/^== kernel //p' "$1") | $machine | $passed | $failed |" \
		"$(most_instructions "$1") | $(doctor_findings "$1") |"
}

# table [LOG...]: and the tests that ran there, named once for rows that follow each other
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
	printf '\nLeft out, as they bound rates, times or memory, which an emulated processor cannot hold, or no kernel makes a difference to them: %s.\n' \
		"$(tests_with no-kernels | code_list)"
}
