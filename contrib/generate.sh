#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# What is made from the program's own tables, so that none is written a second time:
#   generate.sh PROGRAM table           COMMAND LETTER NAME VALUE HELP, with tabs; "-" for none. NAME is "command" in a
#                                       command's own line, where VALUE is its arguments, HELP its summary; then all
#                                       that its help says about it
#   generate.sh PROGRAM rows TOPIC      the rows of `help TOPIC`, with tabs; the first one is the headings
#   generate.sh PROGRAM bash|zsh        completion, from completion/synwarden.*.in
#   generate.sh PROGRAM man FILE.in     a manual page: @COMMANDS@, @KEYS@, @KEYS [SECTION]@ and @ROWS TOPIC@ are filled in
#   generate.sh PROGRAM markdown WHAT   a table of the documents: commands, options COMMAND, keys, or a topic
#   generate.sh PROGRAM docs FILE...    fills the tables of documents anew, between the lines
#                                       <!-- generated: WHAT --> and <!-- end of generated -->
#   generate.sh PROGRAM stale FILE...   names the documents that `docs` would change; fails if there are any
# It asks the program for its help, which is made from these tables.
set -eu

here=$(dirname "$0")
program=$1
what=$2
shift 2
tab=$(printf '\t')

# "  -p, --port N  either port is N"
options_of() {
	awk -v command="$1" -v summary="$2" -v OFS='\t' '
		NR == 1 { sub(/.*\[OPTIONS\] */, ""); arguments = $0 == "" ? "-" : $0 }
		/^  (-., |    )--/ {
			letter = substr($0, 3, 1) == "-" ? substr($0, 4, 1) : "-"
			line = substr($0, 7)
			help = line
			sub(/^[^ ]+( [^ ]+)?  +/, "", help)
			split(line, word, " ")
			name = substr(word[1], 3)
			print command, letter, name, line ~ /^[^ ]+  / ? "-" : word[2], help
			next
		}
		/^Examples:$/ { exit }
		NR > 1 && NF { about = about (about == "" ? "" : " ") $0 }
		END { print command, "-", "command", arguments, summary, about }'
}

# examples_of COMMAND: a line each
examples_of() {
	"$program" help "$1" | sed '1,/^Examples:$/d; s/^  //'
}

table() {
	"$program" help | sed -n '/^synwarden help/q; s/^  \([a-z-]*\)  *\(.*\)/\1\t\2/p' | while IFS=$tab read -r command summary; do
		case $command in
		help) printf 'help\t-\tcommand\t[COMMAND]\t%s\t%s\n' "$summary" "Explains a command, or prints a table." ;;
		version) printf 'version\t-\tcommand\t-\t%s\t%s\n' "$summary" "Prints the version." ;;
		*) "$program" help "$command" | options_of "$command" "$summary" ;;
		esac
	done
}

# The configuration file's keys before its first section, as rows of a table for the command "keys".
keys() {
	printf 'keys\t-\tinterface\tIFACE...\twhere to filter: several names on a line, or several lines; a reload does not change it\n'
	table | awk -F '\t' -v OFS='\t' '$1 == "run" && $3 !~ /^(command|config|help)$/ {
		print "keys", "-", $3, $4 == "-" ? "yes|no" : $4, $5
	}'
}

# Those of the sections that `sync` reads, for the commands "keys [SECTION]".
section_keys() {
	rows sync-keys | awk -F '\t' -v OFS='\t' 'NR > 1 { print "keys " $2, "-", $1, $3, $4 }'
}

commands() {
	"$program" help | sed -n '/^synwarden help/q; s/^  \([a-z-]*\) .*/\1/p'
}

topics() {
	"$program" help | sed -n '1,/^synwarden help/d; s/^  \([a-z-]*\) .*/\1/p'
}

rows() {
	"$program" help "$1" | sed "s/   *$//; s/   */$tab/g"
}

states() {
	"$program" states --state '' 2>&1 | sed -n 's/.* is not one of \(.*\) (.*/\1/p'
}

# Puts what comes on stdin in the place of the line @NAME@ of a file.
fill() {
	sed -e "/^@$1@\$/{
		r /dev/stdin
		d
	}" "$2"
}

# The table, in which a value that this host knows has a name of its own.
completable() {
	table | awk -F '\t' -v OFS='\t' '
		$3 == "port" { $4 = "PORT" }
		$3 == "comm" { $4 = "COMM" }
		$1 == "unblock" && $3 == "command" { $4 = "[BLOCKED...]" }
		$1 == "unallow" && $3 == "command" { $4 = "[ALLOWED...]" }
		{ print }'
}

bash_completion() {
	{
		completable | cut -f 1-4
		printf 'states\t-\t=\t%s\n' "$(states)"
		printf 'help\t-\t=\t%s\n' "$(topics | paste -sd' ')"
	} | fill TABLE "$here/completion/synwarden.bash.in"
}

# A function for each command, of _arguments; in what it reads, ":" and brackets have a meaning.
zsh_completion() {
	completable | awk -F '\t' -v quote="'" -v states="$(states)" -v topics="$(topics | paste -sd' ')" \
		-f "$here/completion/zsh.awk" | fill TABLE "$here/completion/synwarden.zsh.in"
}

man_page() {
	{
		table
		keys
		section_keys
		topics | while read -r topic; do
			rows "$topic" | sed "1d; s/^/@$topic$tab/"
		done
		commands | while read -r command; do
			examples_of "$command" | sed "s/^/@examples of $command$tab/"
		done
	} | awk -F '\t' -f "$here/man/fill.awk" - "$1"
}

# markdown WHAT [COMMAND]
markdown() {
	case $1 in
	commands | options) table | awk -F '\t' -v what="$1" -v of="${2-}" -f "$here/markdown.awk" ;;
	keys) keys | awk -F '\t' -v what=keys -f "$here/markdown.awk" ;;
	states) rows tcp-states | awk -F '\t' -v what=topic -f "$here/markdown.awk" ;;
	*) rows "$1" | awk -F '\t' -v what=topic -f "$here/markdown.awk" ;;
	esac
}

# document FILE: with its tables anew
document() {
	name=$1
	inside=
	while IFS= read -r line || [ -n "$line" ]; do
		case $line in
		'<!-- generated: '*' -->')
			[ -z "$inside" ] || refuse "$name" "<!-- end of generated --> is missing behind $inside"
			inside=${line#<!-- generated: }
			inside=${inside% -->}
			# shellcheck disable=SC2086 # "options run" is two words
			text=$(markdown $inside)
			[ -n "$text" ] || refuse "$name" "the program has no table \"$inside\""
			printf '%s\n%s\n' "$line" "$text"
			;;
		'<!-- end of generated -->')
			inside=
			printf '%s\n' "$line"
			;;
		*) [ -n "$inside" ] || printf '%s\n' "$line" ;;
		esac
	done <"$1"
	[ -z "$inside" ] || refuse "$name" "<!-- end of generated --> is missing behind $inside"
}

refuse() {
	echo "$1: $2" >&2
	exit 1
}

# each_document docs|stale FILE...
each_document() {
	what=$1
	shift
	fresh=$(mktemp)
	trap 'rm -f "$fresh"' EXIT
	bad=0
	for file; do
		document "$file" >"$fresh"
		if cmp -s "$fresh" "$file"; then
			continue
		elif [ "$what" = docs ]; then
			cat "$fresh" >"$file"
		else
			echo "$file: a generated table is stale; run: make docs"
			bad=1
		fi
	done
	return $bad
}

case $what in
table) table ;;
rows) rows "$1" ;;
bash) bash_completion ;;
zsh) zsh_completion ;;
man) man_page "$1" ;;
markdown) markdown "$@" ;;
docs | stale) each_document "$what" "$@" ;;
*)
	echo "generate.sh: \"$what\" is not one of table, rows, bash, zsh, man, markdown, docs, stale" >&2
	exit 2
	;;
esac
