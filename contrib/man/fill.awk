# SPDX-License-Identifier: GPL-2.0-only
# Fills the lines @...@ of a manual page (the second file) from generate.sh's tables (the first): @COMMANDS@, all of them
# with their options; @KEYS@, the keys of the configuration file, @KEYS [SECTION]@, those of a section; @ROWS TOPIC@, the rows of a topic.

# Sentences, each on a line of its own: nothing in them is a macro, and a hyphen is one that may be typed.
function print_text(line,    count, sentences, i) {
	gsub(/\\/, "\\e", line)
	gsub(/-/, "\\-", line)
	gsub(/\(\)/, "(\\h'0')", line) # mandoc wants a macro for "name()"
	count = split(line, sentences, /\. /)
	for (i = 1; i <= count; i++)
		print_folded((sentences[i] ~ /^[.']/ ? "\\&" : "") sentences[i] (i < count ? "." : ""))
}

# Lines of text alone: what begins with a macro, or is short, stays as it is.
function print_folded(line,    at) {
	while (line !~ /^\./ && length(line) > 78) {
		for (at = 78; at > 1 && substr(line, at, 1) != " "; at--)
			;
		if (at == 1)
			break
		print substr(line, 1, at - 1)
		line = substr(line, at + 1)
	}
	print line
}

# Words that stand behind a macro.
function words(line) {
	gsub(/-/, "\\-", line)
	gsub(/\|/, " | ", line)
	return line
}

function item(n,    value) {
	value = row[n, 4] == "-" ? "" : " Ar " words(row[n, 4])
	printf ".It %sFl \\-%s%s\n", row[n, 2] == "-" ? "" : "Fl " row[n, 2] " , ", words(row[n, 3]), value
	print_text(row[n, 5])
}

# "[IFACE...]" -> .Op Ar IFACE ...
function arguments(value,    optional) {
	if (value == "-")
		return
	optional = value ~ /^\[/ ? "Op " : ""
	gsub(/\[|\]/, "", value)
	sub(/\.\.\./, " ...", value)
	print "." optional "Ar " value
}

function commands(    i, name, begun) {
	for (i = 1; i <= rows; i++)
		if (row[i, 3] == "command") {
			name = row[i, 1]
			printf ".Ss %s\n.Nm Cm %s\n", name, name
			if (has_options[name])
				print ".Op Ar OPTIONS"
			arguments(row[i, 4])
			print ".Pp"
			print_text(row[i, 6])
			options(name)
			examples("examples of " name)
		}
}

function options(name,    i) {
	if (!has_options[name])
		return
	print ".Bl -tag -width Ds"
	for (i = 1; i <= rows; i++)
		if (row[i, 1] == name && row[i, 3] != "command" && row[i, 3] != "help")
			item(i)
	print ".El"
}

function examples(topic,    n, line) {
	if (!topic_count[topic])
		return
	print ".Bd -literal -offset indent"
	for (n = 1; n <= topic_count[topic]; n++) {
		line = cell[topic, n, 2]
		gsub(/\\/, "\\e", line)
		gsub(/-/, "\\-", line)
		print line
	}
	print ".Ed"
}

# section: "keys" of those before the first section, "keys [NAME]" of those in one
function keys(section,    i) {
	for (i = 1; i <= rows; i++)
		if (row[i, 1] == section) {
			printf ".It Cm %s = Ar %s\n", words(row[i, 3]), words(row[i, 4])
			print_text(row[i, 5])
		}
}

# Cells between the name and the help stand in parentheses behind the name.
function topic_rows(topic,    n, i, about) {
	for (n = 1; n <= topic_count[topic]; n++) {
		about = ""
		for (i = 3; i < cells[topic, n]; i++)
			if (cell[topic, n, i] != "-")
				about = about " Pq " cell[topic, n, i]
		gsub(/, /, " , ", cell[topic, n, 2])
		gsub(/\?/, "\\\\\\&?", cell[topic, n, 2]) # no punctuation
		printf ".It Sy %s%s\n", words(cell[topic, n, 2]), about
		print_text(cell[topic, n, cells[topic, n]])
	}
}

NR == FNR && /^@/ {
	topic = substr($1, 2)
	n = ++topic_count[topic]
	cells[topic, n] = NF
	for (i = 2; i <= NF; i++)
		cell[topic, n, i] = $i
	next
}

NR == FNR {
	rows++
	for (i = 1; i <= 6; i++)
		row[rows, i] = $i
	if ($3 != "command" && $3 != "help")
		has_options[$1] = 1
	next
}

$0 == "@COMMANDS@" {
	commands()
	next
}

$0 == "@KEYS@" {
	keys("keys")
	next
}

/^@KEYS \[.*\]@$/ {
	keys("keys " substr($0, 7, length($0) - 7))
	next
}

/^@ROWS [a-z-]*@$/ {
	topic_rows(substr($0, 7, length($0) - 7))
	next
}

{ print_folded($0) }
