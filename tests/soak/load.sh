# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What tests/soak/run.sh puts a `run` through. Clients, bursts and scrapes come by themselves until $TMP/over exists; the
# rest is done in turns by the script's main loop. All is bounded in rate and time. To be sourced after conf.sh.

declare -A DUE
LOAD=()
FLOODS=0
RELOADS=0
LIST_CHANGES=0
LISTS_FAILED=0
DEATHS=0
FLOOD_SECONDS=8
# A rate, and more options of tests/flood
FLOOD_KINDS=("20000 -s 0" "5000 -s 1" "10000 -s 5000" "10000 -s 0 -k ack" "10000 -6 -s 0" "5000 -s 0 -k rst"
	"10000 -s 0 -k udp")
PAGES=(/metrics /api/status / /api/conns /api/history /api/lists /api/events /healthz)

# due NAME EVERY FIRST NOW: whether it is time again
due() {
	[ "$4" -ge "${DUE[$1]:-$3}" ] || return
	DUE[$1]=$(($4 + $2))
}

# each PAUSE COMMAND...: again and again, with its turn as last argument
each() {
	local pause=$1 turn
	shift
	for ((turn = 0; ; turn++)); do
		[ ! -e "$TMP/over" ] || break
		"$@" $turn
		sleep "$pause"
	done
}

# A hundred in two seconds; a different four hundred addresses in turn.
come() {
	in_client "$BUILD/tests/tools/clients" -n 100 -r 50 "10.96.$(($1 % 4)).1" "$SERVER_ADDR" 80
}

# A second of as many requests as go: over a few connections, or each over its own
burst() {
	local header=(-H "Connection: close")
	[ $(($1 % 2)) = 0 ] || header=()
	in_client wrk -t1 -c4 -d1 "${header[@]}" "http://$SERVER_ADDR/" >/dev/null
}

ask() {
	[ ! -e "$TMP/away" ] || return
	in_client curl -s -o /dev/null --max-time 5 -w '%{http_code}\n' "http://$METRICS${PAGES[$1 % ${#PAGES[@]}]}"
}

start_load() {
	each 0.1 come >"$TMP/clients" &
	LOAD+=($!)
	each 9 burst &
	LOAD+=($!)
	each 0.5 ask >"$TMP/pages" &
	LOAD+=($!)
}

next_flood() {
	local rate options
	read -r rate options <<<"${FLOOD_KINDS[FLOODS % ${#FLOOD_KINDS[@]}]}"
	FLOODS=$((FLOODS + 1))
	# shellcheck disable=SC2086 # each word is one
	flood $options -r "$rate" -x -q -c $((rate * FLOOD_SECONDS)) -t $FLOOD_SECONDS &
	LOAD+=($!)
}

# write_conf TURN: another budget and another list each time
write_conf() {
	conf <<-END
		interface = s0
		listen = $METRICS
		harden = yes
		source-limit = 1000
		port-budget = $((200 + $1 % 100))
		[port 8080]
		budget = $((1 + $1 % 10))
		[allow]
		cidr = 10.99.0.2
		[block]
		cidr = 192.0.2.$(($1 % 250))
		cidr = 2001:db8:bad::/48
	END
}

next_reload() {
	RELOADS=$((RELOADS + 1))
	write_conf $RELOADS
	reload
}

next_list_change() {
	local n=$((LIST_CHANGES % 200))
	LIST_CHANGES=$((LIST_CHANGES + 1))
	sw block "203.0.113.$n" --for 5s && sw allow "198.51.100.$n" && sw unallow "198.51.100.$n" ||
		LISTS_FAILED=$((LISTS_FAILED + 1))
}

# Each stream has a tracker of its own, that goes ten seconds after nobody follows.
next_followers() {
	local stream
	for stream in events ended; do
		start_in_client curl -sN -o /dev/null --max-time 4 "http://$METRICS/$stream"
		LOAD+=($!)
	done
}

# The filter goes on by itself; the next run takes it over.
take_over() {
	DEATHS=$((DEATHS + 1))
	touch "$TMP/away"
	stop_synwarden KILL
	start_run
	rm "$TMP/away"
}
