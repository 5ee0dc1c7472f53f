#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# What is made from the program's own tables of commands and options, so that none is written a second time:
#   generate.sh PROGRAM table         COMMAND LETTER NAME VALUE HELP, with tabs; "-" for none. NAME is "command" in a
#                                     command's own line, where VALUE is its arguments, HELP what it does; then all
#                                     that its help says of it
#   generate.sh PROGRAM bash|zsh      completion, from completion/synwarden.*.in
#   generate.sh PROGRAM man FILE.in   a manual page: @COMMANDS@, @OPTIONS COMMAND@ and @KEYS@ are filled in
# It asks the program for its help, which is made from these tables.
set -eu

here=$(dirname "$0")
program=$1
what=$2
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
		NR > 1 && NF { about = about (about == "" ? "" : " ") $0 }
		END { print command, "-", "command", arguments, summary, about }'
}

table() {
	"$program" help | sed -n 's/^  \([a-z-]*\)  *\(.*\)/\1\t\2/p' | while IFS=$tab read -r command summary; do
		case $command in
		help) printf 'help\t-\tcommand\t[COMMAND]\t%s\t%s\n' "$summary" "Explains a command." ;;
		version) printf 'version\t-\tcommand\t-\t%s\t%s\n' "$summary" "Prints the version." ;;
		*) "$program" help "$command" | options_of "$command" "$summary" ;;
		esac
	done
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

bash_completion() {
	{
		table | cut -f 1-4
		printf 'states\t-\t=\t%s\n' "$(states)"
	} | fill TABLE "$here/completion/synwarden.bash.in"
}

# A function for each command, of _arguments; in what it reads, ":" and brackets have a meaning.
zsh_completion() {
	table | awk -F '\t' -v quote="'" -v states="$(states)" -f "$here/completion/zsh.awk" |
		fill TABLE "$here/completion/synwarden.zsh.in"
}

man_page() {
	table | awk -F '\t' -f "$here/man/fill.awk" - "$1"
}

case $what in
table) table ;;
bash) bash_completion ;;
zsh) zsh_completion ;;
man) man_page "$3" ;;
*)
	echo "generate.sh: \"$what\" is not one of table, bash, zsh, man" >&2
	exit 2
	;;
esac
