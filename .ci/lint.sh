#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Formatting, length, include rules, words, links, gcc's and clang's warnings, clang-tidy, cppcheck, shellcheck: a job a CPU,
# each silent unless it finds something. `.ci/lint.sh JOB [FILE]` runs one. What was found clean, and has not changed
# since, is not looked at again (build/lint).
set -u
cd "$(dirname "$0")/.." || exit 1

MAX_LINES=450 # of a file; of the program's own:
MAX_SOURCE_LINES=399
MAX_FUNCTION_LINES=39 # between its braces
COMPILERS=(gcc "${CLANG:-clang}") # the Makefile knows the newest clang
export UAPI=${UAPI-/usr/include/$(cc -print-multiarch 2>/dev/null)} # asked once for all jobs
USER_FLAGS=(-std=gnu11 -D_GNU_SOURCE '-DVERSION="lint"' '-DWEB_DIR="build/web"' -Iinclude -Iuser -Itests -isystem build -isystem build/tests)
BPF_FLAGS=(-target bpf -D__TARGET_ARCH_x86 -Iinclude -Ivmlinux "-I$UAPI")

# The modules of user/, from the top down. A file includes its own module and those to the right of it; modules that
# share a place between commas never include each other.
ORDER="main, cmd fetch, run top doctor segments sync, endpoint, stream server, output, kernel, config, system, text"

# The files of bpf/, in the same way.
BPF_ORDER="synwarden, judge, lists source_limit port_budget evidence syncookie verified tally owner census segment http, strays, arming conn, http_copy segment_options http_count http_life, http_record, http_head, http_packet, sample, syn closing watch, sound known ended, synack, scratch, ports, refused, local sock source, report, filter ring, maps, bits parse"

# What a file of bpf/ or include/ may include of the project, and what may be included between <>.
may_include() {
	case $1 in
	include/types.h) echo "arming.h conns.h counters.h lists.h local.h reasons.h samples.h states.h strays.h <linux/" ;;
	include/conns.h | include/samples.h | include/strays.h | include/arming.h) echo "<linux/" ;;
	include/lists.h | include/local.h | include/segments.h | include/http.h) echo "conns.h <linux/" ;;
	include/*) echo ;;
	vmlinux/*) echo "<linux/" ;;
	bpf/parse.bpf.h) echo "types.h <linux/" ;;
	bpf/*) echo "$(modules_from "$BPF_ORDER" "$(basename "$1" | cut -d. -f1)" | sed 's/[a-z_]\+/&.bpf.h/g') vmlinux.h types.h segments.h http.h <linux/ <bpf/" ;;
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

# module_of FILE
module_of() {
	case $1 in
	user/main.c | user/net.c) echo main ;;
	user/*/*) cut -d/ -f2 <<<"$1" ;;
	esac
}

# modules_from ORDER MODULE: those that it may include, itself first
modules_from() {
	local below
	below=$(sed -nE "s/^(.*, )?([a-z_ ]* )?$2( [a-z_ ]*)?(,|$)//p" <<<"$1")
	[[ ", $1," == *[\ ,]$2[\ ,]* ]] || return
	echo "$2 ${below//,/}"
}

check_user_file() {
	local file=$1 header allowed
	allowed=$(modules_from "$ORDER" "$(module_of "$file")")
	[ -n "$allowed" ] || echo "$file: a new module: give it its place in ORDER of .ci/lint.sh"
	includes_of "$file" | grep -v '^<' | while read -r header; do
		[ ! -e "include/$header" ] || continue
		case $header in
		synwarden.skel.h) [ "$file" = user/kernel/programs.c ] || echo "$file: only kernel/programs.c includes the skeleton" ;;
		*/*) case " $allowed " in
			*" ${header%%/*} "*) ;;
			*) echo "$file: includes $header, which is not below it" ;;
			esac ;;
		*) echo "$file: includes $header without its module" ;;
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
		for file in $(files 'user/*.[ch]' 'user/*/*.[ch]'); do
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

# Functions of C: .clang-format puts their braces, and no others but those of structs, at the beginning of a line.
long_functions() {
	awk -v most=$MAX_FUNCTION_LINES '
		FNR == 1 { begin = 0 }
		/^[a-z_].*\(/ { name = $0; sub(/\(.*/, "", name); sub(/.*[ *]/, "", name) }
		/^{/ { begin = FNR }
		/^}/ && begin {
			if (FNR - begin - 1 > most)
				print FILENAME ": " name "() has " FNR - begin - 1 " lines, more than " most
			begin = 0
		}' "$@"
}

job_length() {
	local file most
	{
		for file in $(files '*.c' '*.h' '*.sh' '*.py' '*.js' '*.css' Makefile); do
			most=$MAX_LINES
			[[ $file != user/* && $file != bpf/* ]] || most=$MAX_SOURCE_LINES
			[ "$(wc -l <"$file")" -le "$most" ] || echo "$file: more than $most lines: split it by responsibility"
		done
		# shellcheck disable=SC2046
		long_functions $(files 'user/*.[ch]' 'bpf/*.[ch]')
	} | silent
}

# The tables that documents take from the program
job_docs() {
	make -s all || return
	# shellcheck disable=SC2046
	contrib/generate.sh build/synwarden stale $(files README.md 'docs/*.md')
}

# Words that are not plain technical English, as a Perl regular expression: word boundaries are around each.
BANNED='mend(s|ed|ing)?|at work|a least|the living|g(ives?|ave) away|to be had|(is|are|was|were) told(?! (apart|from|to))|whoever|whom
somebody|for want of|(a|the) rush|com(es?|ing) to nothing|came to nothing|turned away|everybody|two rooms|the house|amiss'

job_words() {
	# shellcheck disable=SC2046
	grep -nPi "\b(${BANNED//$'\n'/|})\b" $(files '*.c' '*.h' '*.sh' '*.py' '*.js' '*.md' '*.in' '*.conf' '*.mk' \
		'*.service' '*.yml' Makefile | grep -vE '^(.ci/lint.sh|CHANGELOG.md)$') | sed 's/^/banned word: /' | silent
}

# The relative links of a document and the pictures in it: file and, behind #, heading.
links_of() {
	grep -oE '\]\([^) ]+\)|(src|srcset)="[^"]+"' "$1" | sed -E 's/^\]\(//; s/^src(set)?="//; s/[)"]$//' | grep -vE '^[a-z]+:'
}

# The anchors that a document's headings make, as GitHub does.
# shellcheck disable=SC2016 # fences of code
anchors_of() {
	sed '/^```/,/^```/d' "$1" | sed -nE 's/^#+ +//p' | tr '[:upper:]' '[:lower:]' | sed 's/[^a-z0-9 _-]//g; s/ /-/g'
}

job_links() {
	local file link target
	for file in $(files '*.md'); do
		for link in $(links_of "$file"); do
			target=$(dirname "$file")/${link%%#*}
			case $link in '#'*) target=$file ;; esac
			if [ ! -e "$target" ]; then
				echo "$file: $link: there is no such file"
			elif [[ $link = *'#'* ]] && ! anchors_of "$target" | grep -qxF -- "${link#*#}"; then
				echo "$file: $link: there is no such heading"
			fi
		done
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

# Macros of libraries are spelt out, as cppcheck does not read system headers. The BPF side is left to clang-tidy.
job_cppcheck() {
	# shellcheck disable=SC2046
	cppcheck --quiet --std=c11 --error-exitcode=1 --inline-suppr --enable=warning,performance,portability \
		--suppress=missingIncludeSystem --suppress=internalAstError \
		--suppress=arithOperationsOnVoidPointer:bpf/parse.bpf.h -D_GNU_SOURCE '-DVERSION="lint"' \
		'-DLIBBPF_OPTS(type,name,...)=struct type name = {__VA_ARGS__}' \
		'-Dmnl_attr_for_each_nested(attr,nest)=while ((attr = mnl_attr_next(nest)))' \
		-Iinclude -Iuser -Itests $(files 'user/*.c' 'tests/*.c' | grep -v '\.bpf\.c$')
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
	case $1 in
	bpf/*.bpf.c) # what differs by processor is compiled for another one, too
		once "${depends[@]}" -- "${COMPILERS[1]}" -O2 -g -Wall -Wextra -Werror -Wno-unused-parameter -mcpu=v3 \
			"${flags[@]/#-D__TARGET_ARCH_x86/-D__TARGET_ARCH_arm64}" -c -o /dev/null "$1"
		return
		;;
	*.bpf.c) return ;;
	esac
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
	make -s build/synwarden "${skeletons[@]/%.bpf/.skel.h}"
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
	printf '%s\n' cppcheck docs includes format length words links
	files 'bpf/*.c' 'tests/*.c' 'user/*.c' | sed 's/^/source /'
	files '*.sh' .ci/run | sed 's/^/shellcheck /'
} | xargs -P "$(nproc)" -L 1 bash "$0"
