#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Formatting, length, who may include whom, gcc's and clang's warnings, clang-tidy, cppcheck, shellcheck: a job a CPU,
# each silent unless it finds something. `tests/lint.sh JOB [FILE]` runs one. What was found clean, and has not changed
# since, is not looked at again (build/lint).
set -u
cd "$(dirname "$0")/.." || exit 1

MAX_LINES=450
COMPILERS=(gcc "${CLANG:-clang}") # the Makefile knows the newest clang
export UAPI=${UAPI-/usr/include/$(cc -print-multiarch 2>/dev/null)} # asked once for all jobs
USER_FLAGS=(-std=gnu11 -D_GNU_SOURCE '-DVERSION="lint"' '-DWEB_DIR="build/web"' -Iinclude -Iuser -isystem build -isystem build/tests)
BPF_FLAGS=(-target bpf -D__TARGET_ARCH_x86 -Iinclude -Ivmlinux "-I$UAPI")

# The rooms of user/, from the top of the house down: a file may include its own header and those of later rooms.
# The commands stand above them all and do not include each other; main is above the commands.
USER_ROOMS="cmd run service view port_table panels rates tui page checks scene netlink metrics web history
	api summary attack propose defence hll feed http guests reply packed auth tls listen negotiate secrets stream events rings
	owners census reconcile guard privileges tables conf conf_lines config sysctls pins lists
	snapshot records lines filter options cgroups netns print digits clock maps heap log"
USER_ROOMS=${USER_ROOMS//[$'\n\t']/ }

# Files that are the second half of a room.
room_of() {
	case $1 in
	json | address) echo print ;;
	checks_*) echo checks ;;
	scene_*) echo scene ;;
	parse) echo options ;;
	reload | interfaces) echo run ;;
	exposition) echo metrics ;;
	summary_json) echo summary ;;
	*) echo "$1" ;;
	esac
}

# What a file of bpf/ or include/ may include of the project, and what may be included between <>.
may_include() {
	case $1 in
	include/types.h) echo "conns.h reasons.h states.h <linux/" ;;
	include/conns.h) echo "<linux/" ;;
	include/*) echo ;;
	vmlinux/*) echo "<linux/" ;;
	bpf/parse.bpf.h) echo "types.h reasons.h states.h <linux/" ;;
	bpf/maps.bpf.h) echo "vmlinux.h types.h reasons.h states.h <linux/ <bpf/" ;;
	bpf/ring.bpf.h) echo "maps.bpf.h types.h <linux/ <bpf/" ;;
	bpf/report.bpf.h) echo "ring.bpf.h maps.bpf.h parse.bpf.h types.h reasons.h states.h <linux/ <bpf/" ;;
	bpf/source.bpf.h | bpf/synack.bpf.h) echo "maps.bpf.h parse.bpf.h types.h reasons.h states.h <linux/ <bpf/" ;;
	bpf/sock.bpf.h | bpf/ports.bpf.h) echo "sock.bpf.h report.bpf.h maps.bpf.h parse.bpf.h types.h reasons.h states.h <linux/ <bpf/" ;;
	bpf/*.bpf.h) echo "known.bpf.h synack.bpf.h source.bpf.h ports.bpf.h sock.bpf.h report.bpf.h maps.bpf.h parse.bpf.h types.h reasons.h states.h <linux/ <bpf/" ;;
	bpf/*.c) echo "lists.bpf.h budget.bpf.h evidence.bpf.h known.bpf.h source.bpf.h synack.bpf.h syncookie.bpf.h verified.bpf.h conn.bpf.h owner.bpf.h census.bpf.h ports.bpf.h sock.bpf.h report.bpf.h ring.bpf.h maps.bpf.h parse.bpf.h types.h <linux/ <bpf/" ;;
	esac
}

# Tracked, and new but not ignored; not those that were deleted.
files() {
	git ls-files --cached --others --exclude-standard -- "$@" | sort -u | while read -r f; do
		[ ! -e "$f" ] || echo "$f"
	done
}

# Fails where there is output, which it shows.
silent() {
	local output
	output=$(cat)
	[ -z "$output" ] || {
		echo "$output"
		return 1
	}
}

includes_of() {
	sed -n 's/^#include *"\([^"]*\)".*/\1/p; s/^#include *\(<[^>]*\)>.*/\1/p' "$1"
}

# Rooms that a room of user/ may include, itself first.
rooms_from() {
	case $1 in
	main | cmd_*) echo "$USER_ROOMS" ;;
	*) case " $USER_ROOMS " in *" $1 "*) echo "$1 ${USER_ROOMS#*"$1 "}" ;; esac ;;
	esac
}

check_user_file() {
	local file=$1 room header allowed
	room=$(basename "$file")
	room=$(room_of "${room%.*}")
	allowed=$(rooms_from "$room")
	[ -n "$allowed" ] || echo "$file: a new room: give it its place in USER_ROOMS of tests/lint.sh"
	includes_of "$file" | grep -v '^<' | while read -r header; do
		case $header in
		types.h | reasons.h | states.h) continue ;;
		synwarden.skel.h) [ "$file" = user/guard.c ] || echo "$file: only guard.c includes the skeleton" ;;
		*) case " $allowed " in
			*" ${header%.h} "*) ;;
			*) echo "$file: includes $header, which is not below it" ;;
			esac ;;
		esac
	done
}

check_boundary_file() {
	local file=$1 header allowed
	allowed=$(may_include "$file")
	includes_of "$file" | while read -r header; do
		case " $allowed " in
		*" $header "* | *" ${header%%/*}/ "*) ;;
		*) echo "$file: may not include $header" ;;
		esac
	done
}

job_includes() {
	local file
	{
		for file in $(files 'user/*.[ch]'); do
			check_user_file "$file"
		done
		for file in $(files 'bpf/*.[ch]' 'include/*.h' 'vmlinux/*.h'); do
			check_boundary_file "$file"
		done
	} | silent
}

job_format() {
	# shellcheck disable=SC2046
	clang-format --dry-run $(files '*.c' '*.h') 2>&1 |
		sed -n 's/^\([^: ]*\):[0-9].*/\1: not formatted as .clang-format says; run: make fmt/p' | sort -u | silent
}

job_length() {
	local file
	for file in $(files '*.c' '*.h' '*.sh' '*.py' '*.js' '*.css' Makefile); do
		[ "$(wc -l <"$file")" -le $MAX_LINES ] || echo "$file: more than $MAX_LINES lines is two rooms"
	done | silent
}

# once FILE... -- COMMAND...: not again where it found nothing the last time and all of the files, on which its findings
# depend, are as they were then. A clean checkout begins anew.
once() {
	local depends=() stamp
	while [ "$1" != -- ]; do
		depends+=("$1")
		shift
	done
	shift
	stamp=build/lint/$({ echo "$*"; cat "$0" "${depends[@]}"; } | sha256sum | cut -d' ' -f1)
	[ ! -e "$stamp" ] || return 0
	"$@" || return
	mkdir -p build/lint
	: >"$stamp"
}

# The script, and what it may source.
job_shellcheck() {
	# shellcheck disable=SC2046
	once "$1" .shellcheckrc $(grep -L '^#!' $(files 'tests/*.sh')) -- shellcheck "$1"
}

# libbpf's macro is spelt out, as cppcheck does not read system headers. The BPF side is left to clang-tidy.
job_cppcheck() {
	# shellcheck disable=SC2046
	cppcheck --quiet --std=c11 --error-exitcode=1 --inline-suppr --enable=warning,performance,portability \
		--suppress=missingIncludeSystem --suppress=internalAstError \
		--suppress=arithOperationsOnVoidPointer:bpf/parse.bpf.h -D_GNU_SOURCE '-DVERSION="lint"' \
		'-DLIBBPF_OPTS(type,name,...)=struct type name = {__VA_ARGS__}' \
		-Iinclude -Iuser $(files 'user/*.c' 'tests/*.c' | grep -v '\.bpf\.c$')
}

# The project's files that a C file is made of, itself first.
made_of() {
	clang -MM "${@:2}" "$1" | sed 's/^[^:]*://; s/\\$//' | tr -s ' ' '\n' | sed '/^$/d'
}

# By clang-tidy; and by both compilers, whichever one builds: as far as assembly, since some warnings come only where the
# code is optimised. What is of BPF, make compiles so.
job_source() {
	local flags=("${USER_FLAGS[@]}") checks='' depends compiler
	case $1 in *.bpf.c) flags=("${BPF_FLAGS[@]}") ;; esac
	mapfile -t depends < <(made_of "$1" "${flags[@]}")
	# Older bpftools generate a skeleton that leaks when memory runs out.
	! grep -q '^#include ".*\.skel\.h"' "$1" || checks=-clang-analyzer-unix.Malloc
	once .clang-tidy "${depends[@]}" -- tidy "$checks" "$1" "${flags[@]}" || return
	case $1 in *.bpf.c) return ;; esac
	for compiler in "${COMPILERS[@]}"; do
		once "${depends[@]}" -- "$compiler" -O2 -Wall -Wextra -Werror "${flags[@]}" -S -o /dev/null "$1" || return
	done
}

# tidy CHECKS FILE FLAG...: it counts the warnings of system headers even where it shows none.
tidy() {
	clang-tidy --quiet --checks="$1" "$2" -- "${@:3}" 2> >(grep -v ' warnings\? generated\.$' >&2)
}

make_skeletons() {
	local file skeletons=(build/synwarden.skel.h)
	for file in $(files 'tests/*.bpf.c'); do
		skeletons+=("build/${file%.c}")
	done
	make -s "${skeletons[@]/%.bpf/.skel.h}"
}

if [ $# -gt 0 ]; then
	"job_$1" "${@:2}"
	exit
fi

for tool in git clang-format clang-tidy cppcheck shellcheck; do
	command -v $tool >/dev/null || {
		echo "$tool is missing: apt-get install $tool (or: make deps-test)" >&2
		exit 1
	}
done
why=$(git ls-files --error-unmatch Makefile 2>&1 >/dev/null) || {
	echo "lint looks at the files that git knows, and this is no checkout of them: ${why%%$'\n'*}" >&2
	exit 1
}
make_skeletons || exit 1
{
	printf '%s\n' cppcheck includes format length
	files 'bpf/*.c' 'tests/*.c' 'user/*.c' | sed 's/^/source /'
	files '*.sh' .ci/run | sed 's/^/shellcheck /'
} | xargs -P "$(nproc)" -L 1 bash "$0"
