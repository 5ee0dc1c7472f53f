# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What the end-to-end scripts count with: the metrics, the kernel's own counters of an interface, and what is left of
# synwarden once it is gone. To be sourced after network.sh.

# scrape: reads /metrics into $TMP/scrape, without the prefix and the comments.
scrape() {
	in_server curl -sf --max-time 5 http://127.0.0.1:9798/metrics | sed -n 's/^synwarden_//p' >"$TMP/scrape"
}

# value SERIES: of the last scrape; nothing where there is no such series
value() {
	awk -v series="$1" '$1 == series { print $2 }' "$TMP/scrape"
}

# sum_of NAME: over all series of the last scrape
sum_of() {
	awk -v name="$1" -F'[{ ]' '$1 == name { sum += $NF } END { printf "%.0f", sum }' "$TMP/scrape"
}

# verdicts: REASON PACKETS BYTES of what was counted, as of the last scrape
verdicts() {
	awk -F'[" ]' '
		/^packets_total/ { packets[$4] = $6 }
		/^bytes_total/ { bytes[$4] = $6 }
		END { for (reason in packets) if (packets[reason] + bytes[reason]) print reason, packets[reason], bytes[reason] }
	' "$TMP/scrape" | sort
}

# packets REASON: as of the last scrape
packets() {
	awk -F'[" ]' -v reason="$1" '/^packets_total/ && $4 == reason { print $6 }' "$TMP/scrape"
}

# series NAME...: the last scrape's, whole lines
series() {
	local name
	for name in "$@"; do
		grep "^${name}[{ ]" "$TMP/scrape"
	done
}

# judge_on SECONDS: until `run` has judged as many seconds more; it prints a line for each, unless it is quiet
judge_on() {
	local want=$(($(seconds_judged) + $1))
	wait_for judged $want
}

seconds_judged() {
	grep -c '/s  passed' "$TMP/run.out"
}

judged() {
	[ "$(seconds_judged)" -ge "$1" ]
}

# rx IFACE...: packets and bytes that came in, by the kernel's counters
rx() {
	local iface
	for iface in "$@"; do
		in_server ip -j -s link show dev "$iface"
	done | jq -rs '[.[][0].stats64.rx] | "\(map(.packets) | add) \(map(.bytes) | add)"'
}

# The interfaces count on from one run to the next. mark_rx IFACE...: seen_by begins here.
mark_rx() {
	RX_MARK=$(rx "$@")
}

# seen_by IFACE...: packets and bytes that came in since mark_rx. In what a stack sent (not tests/flood), the kernel
# leaves the Ethernet header out of the bytes.
seen_by() {
	echo "$RX_MARK $(rx "$@")" | awk '{ print $3 - $1, $4 - $2 }'
}

packets_agree() {
	scrape
	[ "$(sum_of packets_total)" = "$(seen_by "$@" | cut -d' ' -f1)" ]
}

# check_sums NAME IFACE...: the sum over all reasons is what the interfaces saw. The last packets may be under way.
check_sums() {
	wait_for packets_agree "${@:2}"
	check_equal "$1" "$(seen_by "${@:2}" | cut -d' ' -f1)" "$(sum_of packets_total)"
}

# Nothing but what a test sends may reach the interfaces: no ARP, neighbour discovery, router or listener messages.
# silence NUMBER: on link sN <-> cN
silence() {
	local net=$((99 - $1))
	in_server ip neigh replace "10.$net.0.2" lladdr "$(mac in_client "c$1")" nud permanent dev "s$1"
	in_server ip neigh replace "fd$net::2" lladdr "$(mac in_client "c$1")" nud permanent dev "s$1"
	in_client ip neigh replace "10.$net.0.1" lladdr "$(mac in_server "s$1")" nud permanent dev "c$1"
	in_client ip neigh replace "fd$net::1" lladdr "$(mac in_server "s$1")" nud permanent dev "c$1"
	in_client nft -f - <<-END
		table inet silence {
			chain output {
				type filter hook output priority 0
				oifname "c$1" meta l4proto ipv6-icmp drop
			}
		}
	END
}

# urgently COMMAND...: before all else that the machine has to do; what it starts stays so
urgently() {
	renice -n -20 $$ >/dev/null
	"$@"
	set -- $?
	renice -n 0 $$ >/dev/null
	return "$1"
}

fails() {
	! "$@"
}

# check_left NAME SECONDS BEGAN LEFT: of an entry's SECONDS, LEFT are left; its time began at BEGAN (EPOCHSECONDS), or later
check_left() {
	check_between "$1" $(($2 - (EPOCHSECONDS - $3) - 2)) "$2" "$4"
}

# listens PORT: whether a socket does, in the server
listens() {
	[ -n "$(in_server ss -Hltn "sport = $1")" ]
}

# has_program IFACE: whether an XDP program is attached there
has_program() {
	in_server ip -j link show dev "$1" | jq -e '.[0].xdp' >/dev/null
}

# The names of its pins, a directory by network namespace.
pin_dir() {
	echo "/sys/fs/bpf/synwarden/$(in_server stat -L -c %i /proc/self/ns/net)"
}

# later_meta: the bytes of the pinned state, but that they say that a version with other maps left it
later_meta() {
	bpftool -j map lookup pinned "$(pin_dir)/meta" key 0 0 0 0 | jq -r '["0x63"] + .value[1:] | join(" ")'
}

# objects_of PID: what it holds of programs, maps and links, as "prog 17"
objects_of() {
	sed -n 's/^\(prog\|map\|link\)_id:[[:space:]]*/\1 /p' "/proc/$1/fdinfo/"* 2>/dev/null | sort -u
}

# How many objects `run` holds, but for those of a census that just happens to be taken
least_objects() {
	for _ in {1..8}; do
		objects_of "$SW" | wc -l
		sleep 0.1
	done | sort -n | head -n 1
}

holds_objects() {
	[ "$(objects_of "$SW" | wc -l)" = "$1" ]
}

# The memory of the maps of `run`, by the kernel's count.
maps_bytes() {
	local kind id
	objects_of "$SW" | while read -r kind id; do
		[ "$kind" != map ] || bpftool -j map show id "$id"
	done | jq -s 'map(.bytes_memlock) | add'
}

# shellcheck disable=SC2034 # for the scripts
RSS_MAX_KIB=16384 # of `run`, whatever it is asked for

rss_kib() {
	awk '/^VmRSS/ { print $2 }' "/proc/$SW/status"
}

# remaining <OBJECTS: those that still exist. Numbers are not given out again for a long time.
remaining() {
	local kind id
	while read -r kind id; do
		[ -n "$id" ] && bpftool "$kind" show id "$id" >/dev/null 2>&1 && echo "$kind $id"
	done
}

none_remain() {
	[ -z "$(remaining <<<"$1")" ]
}

# check_gone NAME OBJECTS IFACE...: no program on the interfaces, no pins, and none of the objects
check_gone() {
	local name=$1 objects=$2 iface
	shift 2
	for iface in "$@"; do
		check "$name: no program on $iface" fails has_program "$iface"
	done
	check "$name: no pins" test ! -e "$(pin_dir)"
	check "$name: there were objects" test "$(wc -l <<<"$objects")" -gt 10
	wait_for none_remain "$objects" # the kernel frees in its own time
	check_equal "$name: no program, map or link" "" "$(remaining <<<"$objects")"
}

# exhaust_budget [PORT]: from now on no SYN to the port, or to 80, is within its budget, not even the one that comes just
# as a token does.
exhaust_budget() {
	local pins size until byte slot=() port=${1:-80}
	pins=$(pin_dir)
	# Its first two bytes; as the key of another map they are followed by two more.
	read -ra slot < <(bpftool -j map lookup pinned "$pins/listeners" key $((port & 255)) $((port >> 8)) 0 0 |
		jq -r '.value[:2] | join(" ")')
	size=$(bpftool -j map lookup pinned "$pins/port_tats" key "${slot[@]}" 0 0 | jq '.value | length')
	read -r until _ </proc/uptime
	until=$(((${until%.*} + 3600) * 1000000000))
	# tat_ns, little endian, comes first.
	for ((byte = 0; byte < size; byte++)); do
		echo $((byte < 8 ? until >> 8 * byte & 255 : 0))
	done | xargs bpftool map update pinned "$pins/port_tats" key "${slot[@]}" 0 0 value
}

MARK=4242

# A connect that is refused, which all readers see at the same place. mark FILE COUNT: until it is in FILE so often
mark() {
	in_server curl -s "http://127.0.0.1:$MARK/"
	wait_for marked "$@"
}

marked() {
	[ "$(grep -c "\"rport\":$MARK,.*\"new\":\"CLOSE\"" "$1")" -ge "$2" ]
}

# between_marks FILE: how many events, seen or lost
between_marks() {
	sed -n "/\"rport\":$MARK,.*\"new\":\"CLOSE\"/,/\"rport\":$MARK,.*\"new\":\"CLOSE\"/p" "$1" | sed '1d;$d' |
		awk '/"old":/ { n++ } match($0, /"lost":[0-9]+/) { n += substr($0, RSTART + 7, RLENGTH - 7) } END { print n }'
}

# get ADDRESS SOURCE [CURL OPTION...]: one request; prints the HTTP status, 000 where there was no answer. Without options,
# half a second for the handshake is less than it takes until a SYN is sent again; what a process has to do may take longer.
get() {
	local halves=${PATIENCE:-1} limits=("${@:3}")
	[ $# -gt 2 ] ||
		limits=(--connect-timeout "$((halves / 2)).$((halves % 2 * 5))" --max-time $((3 * halves)))
	in_client curl -s -o /dev/null -g -w '%{http_code}\n' "${limits[@]}" --interface "$2" "http://$1/"
}

# try COMMAND...: its output and exit status in $OUT, $ERR, $STATUS
try() {
	"$@" >"$TMP/out" 2>"$TMP/err"
	STATUS=$?
	OUT=$(cat "$TMP/out")
	ERR=$(cat "$TMP/err")
}

# expect NAME STATUS STDOUT STDERR COMMAND...: all three exact
expect() {
	try "${@:5}"
	check_equal "$1" "$2"$'\n'"$3"$'\n'"$4" "$STATUS"$'\n'"$OUT"$'\n'"$ERR"
}

# sw COMMAND [OPTION...]: synwarden in the server
sw() {
	in_server "$SYNWARDEN" "$@"
}
