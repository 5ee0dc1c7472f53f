# SPDX-License-Identifier: GPL-2.0-only
# Lines of generate.sh's table -> a function for each command, of specifications for zsh's _arguments, and one that
# names the commands. Variables: quote (a single quote), states and topics (their names).

function quoted(text) {
	gsub(quote, quote "\\" quote quote, text)
	return quote text quote
}

# In brackets, and before a colon.
function plain(text) {
	gsub(/\[|\]|:|\\/, "\\\\&", text)
	return text
}

# What may stand for a value. Of "ADDR:PORT|off" only "off" can be known.
function action(value,    count, choices, i, known) {
	if (value ~ /\|/) {
		count = split(value, choices, "|")
		for (i = 1; i <= count; i++)
			if (choices[i] !~ /[A-Z]/)
				known = known " " choices[i]
		return "(" substr(known, 2) ")"
	}
	if (value ~ /FILE/)
		return "_files"
	if (value ~ /IFACE/)
		return "_net_interfaces"
	if (value == "NETNS")
		return "_synwarden_netns"
	if (value == "STATE")
		return "(" states ")"
	if (value == "PATH")
		return "_synwarden_cgroups"
	if (value == "PORT")
		return "_synwarden_ports"
	if (value == "COMM")
		return "_synwarden_comms"
	if (value == "[BLOCKED...]")
		return "_synwarden_blocked"
	if (value == "[ALLOWED...]")
		return "_synwarden_allowed"
	if (value == "[COMMAND]")
		return "_synwarden_topics"
	return " "
}

function wanted(value) {
	return ":" plain(value) ":" action(value)
}

$3 != "command" {
	long = "--" $3 ($4 == "-" ? "" : "=")
	value = $4 == "-" ? "" : wanted($4)
	about = "[" plain($5) "]" value
	if ($2 == "-")
		specs = specs " \\\n\t\t" quoted(long about)
	else
		specs = specs " \\\n\t\t" quoted("(-" $2 " --" $3 ")") "{-" $2 ($4 == "-" ? "" : "+") "," long "}" quoted(about)
	next
}

{
	if ($4 != "-")
		specs = specs " \\\n\t\t" quoted(($4 ~ /\.\.\./ ? "*" : "1") wanted($4))
	printf "_synwarden_%s() {\n\t_arguments -s -S%s\n}\n\n", $1, specs
	specs = ""
	names = names "\n\t\t" quoted($1 ":" plain($5))
}

END {
	printf "_synwarden_topics() {\n\tlocal -a topics=(%s)\n\tcompadd -a topics\n\t_synwarden_commands\n}\n\n", topics
	printf "_synwarden_commands() {\n\tlocal -a commands=(%s\n\t)\n\t_describe command commands\n}\n", names
}
