# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A `run` with a configuration file: written, started, read again. To be sourced after counters.sh.

CONF=$TMP/synwarden.conf
SAID=0 # lines of run.err before the last reload

# conf: the file is what comes in
conf() {
	cat >"$CONF"
}

# start_conf [OPTION...]: as start_synwarden does, but what is filtered is left to the file
start_conf() {
	forget_state
	start_in_server "$SYNWARDEN" run --config "$CONF" "$@" >"$TMP/run.out" 2>"$TMP/run.err"
	SW=$!
	wait_for filtering off || die "synwarden run --config does not start: $(cat "$TMP/run.err")
$(where_is "$SW")"
}

# answers N: so many reloads were answered, one way or the other
answers() {
	[ "$(grep -cE ' (is read again and in force|is not applied: )' "$TMP/run.err")" -ge "$1" ]
}

# reload: sends SIGHUP and waits for its result in the log
reload() {
	local before
	before=$(grep -cE ' (is read again and in force|is not applied: )' "$TMP/run.err")
	SAID=$(wc -l <"$TMP/run.err")
	kill -HUP "$SW"
	wait_for answers $((before + 1))
}

# said: the log since the last reload
said() {
	tail -n "+$((SAID + 1))" "$TMP/run.err"
}

# status FILTER: of status --json
status() {
	sw status --json | jq -rc "$1"
}

# of_port PORT FIELD
of_port() {
	status ".ports[] | select(.port == $1) | .$2"
}

# blocked: the block list
blocked() {
	sw list | awk '$1 == "block" { print $2 }' | sort | paste -sd' '
}

# now_us: microseconds
now_us() {
	echo "${EPOCHREALTIME/./}"
}

# admitted PORT: SYNs a second, over the next four: at least, at most. To read a counter takes long on a busy machine, and
# at which moment it was read is not known.
admitted() {
	local times=() before after
	times+=("$(now_us)")
	before=$(of_port "$1" passed)
	times+=("$(now_us)")
	sleep 4
	times+=("$(now_us)")
	after=$(of_port "$1" passed)
	times+=("$(now_us)")
	echo "$(((after - before) * 1000000 / (times[3] - times[0]))) $(((after - before) * 1000000 / (times[2] - times[1])))"
}

# has_dropped PORT COUNT: more than that
has_dropped() {
	local dropped
	dropped=$(of_port "$1" dropped)
	[ "${dropped:-0}" -gt "$2" ]
}

# check_budget PORT N: of a flood, N SYNs a second pass
check_budget() {
	local pid try before least most
	before=$(of_port "$1" dropped)
	start_in_client "$FLOOD" -q -p "$1" -s 0 -r 4000 -c 240000 -t 60 c0 "$(mac in_server s0)" "$SERVER_ADDR"
	pid=$!
	wait_for has_dropped "$1" "${before:-0}" # the burst has passed
	for ((try = 0; try < 3; try++)); do # where the flood pauses for lack of a CPU, too few come
		read -r least most < <(admitted "$1")
		[ "$most" -lt $(($2 * 9 / 10)) ] || break
	done
	check "port $1: admitted a second, of a budget of $2: within a tenth ($least to $most)" \
		test "$most" -ge $(($2 * 9 / 10)) -a "$least" -le $(($2 * 11 / 10))
	stop "$pid"
}
