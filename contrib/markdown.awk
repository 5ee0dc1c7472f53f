# SPDX-License-Identifier: GPL-2.0-only
# Rows of generate.sh -> a Markdown table. Variables: what (commands, options, keys, topic), of (a command).

function code(text) {
	gsub(/\|/, "\\|", text)
	gsub(/, /, "`, `", text)
	return text == "-" ? "" : "`" text "`"
}

function plain(text) {
	gsub(/\|/, "\\|", text)
	gsub(/</, "\\&lt;", text)
	return text
}

function heading(first, second, third) {
	print "| " first " | " second " |" (third == "" ? "" : " " third " |")
	print "| --- | --- |" (third == "" ? "" : " --- |")
}

NR == 1 && what == "commands" { heading("command", "what it does") }
NR == 1 && what == "options" { heading("option", "meaning") }
NR == 1 && what == "keys" { heading("key", "value", "meaning") }

what == "commands" && $3 == "command" {
	print "| " code($1 ($4 == "-" ? "" : " " $4)) " | " plain($5) " |"
}

what == "options" && $1 == of && $3 !~ /^(command|help)$/ {
	letter = $2 == "-" ? "" : code("-" $2) ", "
	print "| " letter code("--" $3 ($4 == "-" ? "" : " " $4)) " | " plain($5) " |"
}

what == "keys" {
	print "| " code($3) " | " code($4) " | " plain($5) " |"
}

what == "topic" && NR == 1 {
	for (i = 1; i <= NF; i++) {
		is_code[i] = i == 1 || $i ~ /^(METRIC|LABELS|TO)$/
		names = names "| " tolower($i) " "
		lines = lines "| --- "
	}
	print names "|\n" lines "|"
}

what == "topic" && NR > 1 {
	for (i = 1; i < NF; i++)
		printf "| %s ", is_code[i] ? code($i) : plain($i)
	print "| " plain($NF) " |"
}
