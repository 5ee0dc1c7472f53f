# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Which tests there are, and what the head of each says: "# test: WORD...", "# fault: ...", in C the same behind " * ".
# tests/run.sh defines the words, tests/faults.sh the faults. To be sourced in the top folder.

declare -A NEEDS=() # words by name

# all_tests: their names. A test is a program that calls cmocka, a script of tests/e2e/, or one that needs a machine.
all_tests() {
	{
		grep -l cmocka_run_group_tests tests/*/*.c
		printf '%s\n' tests/e2e/*.sh
		grep -lE '^# test: (.* )?machine\b' tests/kernels/*.sh
	} | sed 's,^tests/,,; s,[.][a-z]*$,,'
}

read_heads() {
	local file words
	while IFS=: read -r file _ words; do
		file=${file#tests/}
		NEEDS[${file%.*}]=$words
	done < <(grep -HE '^(#| \*) test: ' tests/*/*.c tests/*/*.sh)
}

# needs NAME WORD...: whether the head has one of them
needs() {
	local word
	for word in "${@:2}"; do
		case " ${NEEDS[$1]:-} " in *" $word "*) return ;; esac
	done
	return 1
}

# tests_with WORD, tests_without WORD...: their names
tests_with() {
	local name
	for name in $(all_tests); do
		! needs "$name" "$1" || echo "$name"
	done
}

tests_without() {
	local name
	for name in $(all_tests); do
		needs "$name" "$@" || echo "$name"
	done
}

read_heads
