#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# test: no-kernels
#
# `synwarden ladder --read`: every scenario of tests/tools/captures.py, exact to the character, at 80 and 130 columns,
# in three numberings and as JSON, beside tests/e2e/ladder/NAME.txt; the same files through tshark; the picture; files
# that are cut, foreign or no captures. UPDATE=1 writes the expected texts anew: to be read before they are committed.
set -u
ROOT=$(readlink -f "$(dirname "$0")/../..")
# shellcheck source=tests/lib/network.sh
. "$ROOT/tests/lib/network.sh"

EXPECTED=$ROOT/tests/e2e/ladder
CAPTURES=$TMP/captures

ladder() {
	"$SYNWARDEN" ladder "$@"
}

# show FILE: in all forms
show() {
	local numbers width
	for numbers in textbook relative absolute; do
		for width in 80 130; do
			echo "== $numbers, $width columns"
			ladder --read "$1" --seq $numbers --width $width
		done
	done
	echo "== json"
	ladder --read "$1" --json
}

check_scenario() {
	local name
	name=$(basename "$1")
	name=${name%.*}
	show "$1" >"$TMP/shown" 2>&1
	sed -i "s,$CAPTURES/,," "$TMP/shown"
	[ "${UPDATE:-}" != 1 ] || cp "$TMP/shown" "$EXPECTED/$name.txt"
	check "$name is shown as expected" diff "$EXPECTED/$name.txt" "$TMP/shown"
}

# Of what HTTP says, --long shows the first lines, of requests without their queries, and nothing else shows any.
check_http() {
	local form
	for form in "--width 80" "--width 130" "--json"; do
		echo "== $form"
		# shellcheck disable=SC2086
		ladder --read "$CAPTURES/http.pcap" --long $form
	done >"$TMP/shown" 2>&1
	[ "${UPDATE:-}" != 1 ] || cp "$TMP/shown" "$EXPECTED/http.long.txt"
	check "the first lines of HTTP are shown as expected" diff "$EXPECTED/http.long.txt" "$TMP/shown"
	check_equal "no query, header or other protocol is shown" "" "$(grep -iE "secret|cookie|server: " "$TMP/shown")"
	check_equal "without --long, nothing of HTTP is" "" "$(show "$CAPTURES/http.pcap" | grep HTTP)"
}

# The same conversation in another file format: but for the addresses, the same text.
check_same_text() {
	check_equal "$1 is read as open_close is" "$(ladder --read "$CAPTURES/open_close.pcap" --width 80)" \
		"$(ladder --read "$CAPTURES/$1" --width 80)"
}

check_picture() {
	ladder --read "$CAPTURES/$1.pcap" --svg "$TMP/$1.svg"
	check "the picture of $1 is well-formed" xmllint --noout "$TMP/$1.svg"
	check_equal "it has an arrow for each segment" "$(ladder --read "$CAPTURES/$1.pcap" --json | grep -c '"kind":"segment"')" \
		"$(grep -c 'class="rung"' "$TMP/$1.svg")"
}

# check_refused NAME MESSAGE OPTION...
check_refused() {
	local status
	ladder "${@:3}" >"$TMP/out" 2>"$TMP/err"
	status=$?
	check_equal "$1: the message" "$2" "$(cat "$TMP/err")"
	check_equal "$1: no output" "" "$(cat "$TMP/out")"
	check "$1: it fails" test $status != 0
}

mkdir -p "$EXPECTED"
python3 "$ROOT/tests/tools/captures.py" "$CAPTURES" || die "no captures"
for file in "$CAPTURES"/*; do
	check_scenario "$file"
done
check_http
for file in link_sll.pcap link_sll2.pcap link_null.pcap link_raw.pcap link_vlan.pcap link_qinq.pcap link_ng.pcapng; do
	check_same_text $file
done
mapfile -t whole < <(find "$CAPTURES" -type f ! -name cut.pcap ! -name headless.pcap ! -name snaplen.pcap)
check "tshark finds the same marks" python3 "$ROOT/tests/tools/tshark_marks.py" "$SYNWARDEN" "${whole[@]}"
check_picture open_close
check_picture port_again
check "the picture in README.md is what \`make pictures\` draws" \
	cmp "$ROOT/contrib/pictures/ladder.svg" "$TMP/open_close.svg"

check_equal "standard input is read" "$(ladder --read "$CAPTURES/open_close.pcap")" \
	"$(ladder --read - <"$CAPTURES/open_close.pcap")"
check_equal "a process without rights reads a file" "$(ladder --read "$CAPTURES/open_close.pcap")" \
	"$(setpriv --reuid=65534 --regid=65534 --clear-groups "$SYNWARDEN" ladder --read - <"$CAPTURES/open_close.pcap")"
check_equal "--connections 1 shows one" 1 "$(ladder --read "$CAPTURES/two_connections.pcap" --connections 1 --json |
	grep -c '"kind":"end"')"
check_equal "--port selects" 1 "$(ladder --read "$CAPTURES/two_connections.pcap" --port 40001 --json |
	grep -c '"kind":"end"')"
check_equal "--addr selects" 0 "$(ladder --read "$CAPTURES/open_close.pcap" --addr 198.51.100.0/24 --json 2>/dev/null | wc -l)"
check_equal "--count ends a connection early" 3 "$(ladder --read "$CAPTURES/open_close.pcap" --count 3 --json |
	grep -c '"kind":"segment"')"

echo "This is no capture." >"$TMP/text"
check_refused "a text file" "synwarden: cannot read $TMP/text: unknown file format" --read "$TMP/text"
check_refused "no such file" "synwarden: cannot read $TMP/none: $TMP/none: No such file or directory" --read "$TMP/none"
check_refused "two formats" "synwarden ladder: --json and --svg are two formats; one may be given (synwarden help ladder)" \
	--read "$CAPTURES/open_close.pcap" --json --svg "$TMP/x"
check_refused "a picture that cannot be written" "synwarden: cannot write /dev/full: No space left on device" \
	--read "$CAPTURES/open_close.pcap" --svg /dev/full
finish
