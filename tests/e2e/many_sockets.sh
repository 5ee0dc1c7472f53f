#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# However many sockets there are, `synwarden conns --open` is quick, lists each one with its owner, and takes no more
# memory. LONG=1: 200,000 sockets.
#
# test: long asan-slow no-kernels
set -u
ROOT=$(readlink -f "$(dirname "$0")/../..")
# shellcheck source=tests/lib/network.sh
. "$ROOT/tests/lib/network.sh"

CONNECTIONS=$(long_or 100000 10000) # over loopback: two sockets each
MOST_MS=$(long_or 2000 1000) # of CPU, which other processes do not add to
MOST_KIB=22528 # most of it is the kernel's type information and the programs, while they are loaded

# measure NAME [OPTION...]: CPU milliseconds, most KiB resident, and lines of one listing, which goes to $TMP/NAME
measure() {
	python3 -c '
import resource, subprocess, sys
out = open(sys.argv[1], "wb")
subprocess.run(sys.argv[2:], stdout=out, check=True)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
lines = sum(1 for _ in open(sys.argv[1], "rb"))
print(int((used.ru_utime + used.ru_stime) * 1000), used.ru_maxrss, lines)' \
		"$TMP/$1" "$SYNWARDEN" conns --open "${@:2}"
}

# judge NAME [OPTION...]: a listing of the namespace with the sockets, beside one from before they were there
judge() {
	local ms kib lines few_kib few
	read -r few_kib few <"$TMP/few_$1"
	read -r ms kib lines < <(measure "$@" --netns "$CLIENT")
	check_equal "$1: every socket is listed" $((few + 2 * CONNECTIONS)) "$lines"
	check_between "$1: CPU milliseconds" 1 "$MOST_MS" "$ms"
	check_resident "$1: KiB resident" 1 $MOST_KIB "$kib"
	check_resident "$1: KiB more than for few" -512 512 $((kib - few_kib))
}

# prepare NAME [OPTION...]
prepare() {
	measure "$@" --netns "$CLIENT" | cut -d' ' -f2- >"$TMP/few_$1"
}

net_up
prepare text
prepare json --json
start_in_client python3 "$ROOT/tests/tools/hold.py" "$CONNECTIONS" >"$TMP/hold.out"
wait_for grep -q ready "$TMP/hold.out" || die "hold.py does not come up"
judge text
judge json --json
check_equal "each connection is there with both its ends, owned, and as the snapshot that it is" \
	"$CONNECTIONS of 2 ESTABLISHED python3 snapshot true" \
	"$(jq -r 'select(.laddr == "127.0.0.1")
		| "\([.lport, .rport] | sort | join("-")) \(.state) \(.comm) \(.owner) \(.snapshot)"' "$TMP/json" |
		sort | uniq -c | awk '{ print "of", $1, $3, $4, $5, $6 }' | sort | uniq -c | sed 's/^ *//')"
finish
