#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# However many sockets there are, `synwarden conns --open` is quick, lists each one with its owner, and takes no more
# memory. `tests/e2e_crowd.sh 100000` asks it of 200,000 sockets.
set -u
HERE=$(dirname "$(readlink -f "$0")")
# shellcheck source=tests/lib.sh
. "$HERE/lib.sh"

CONNECTIONS=${1:-10000} # over loopback: two sockets each
MOST_MS=1000
MOST_KIB=20480 # most of it is the kernel's type information, while the programs are loaded

# measure NAME [OPTION...]: milliseconds, most KiB resident, and lines of one listing, which goes to $TMP/NAME
measure() {
	python3 -c '
import resource, subprocess, sys, time
out = open(sys.argv[1], "wb")
began = time.monotonic()
subprocess.run(sys.argv[2:], stdout=out, check=True)
took = time.monotonic() - began
lines = sum(1 for _ in open(sys.argv[1], "rb"))
print(int(took * 1000), resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, lines)' \
		"$TMP/$1" "$SYNWARDEN" conns --open "${@:2}"
}

# judge NAME [OPTION...]: a listing of the crowd's namespace, beside one from before there was a crowd
judge() {
	local ms kib lines few_kib few
	read -r few_kib few <"$TMP/few_$1"
	read -r ms kib lines < <(measure "$@" --netns "$CLIENT")
	check_equal "$1: every socket is listed" $((few + 2 * CONNECTIONS)) "$lines"
	check_between "$1: milliseconds" 1 $MOST_MS "$ms"
	check_resident "$1: KiB resident" 1 $MOST_KIB "$kib"
	check_resident "$1: KiB more than for no crowd" -512 512 $((kib - few_kib))
}

# prepare NAME [OPTION...]
prepare() {
	measure "$@" --netns "$CLIENT" | cut -d' ' -f2- >"$TMP/few_$1"
}

net_up
prepare text
prepare json --json
start_in_client python3 "$HERE/hold.py" "$CONNECTIONS" >"$TMP/crowd.out"
wait_for 30 grep -q ready "$TMP/crowd.out" || die "no crowd"
judge text
judge json --json
check_equal "each connection is there with both its ends, owned, and as the snapshot that it is" \
	"$CONNECTIONS of 2 ESTABLISHED python3 snapshot true" \
	"$(jq -r 'select(.laddr == "127.0.0.1")
		| "\([.lport, .rport] | sort | join("-")) \(.state) \(.comm) \(.owner) \(.snapshot)"' "$TMP/json" |
		sort | uniq -c | awk '{ print "of", $1, $3, $4, $5, $6 }' | sort | uniq -c | sed 's/^ *//')"
finish
