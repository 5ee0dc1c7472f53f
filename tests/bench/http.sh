# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The section of tests/bench/run.sh, by which it is sourced, for what an HTTP request costs while `run --http on` counts it
# or `http` shows it, beside programs that do nothing: see http.c, which toggles them within one run. The programs look at
# the server's end alone: they are attached to a control group that has nginx in it, but not wrk.

HTTP_SECONDS=$((20 * ROUNDS))
HTTP_PACED_SECONDS=$((2 * ROUNDS))
[ "$QUICK" != 1 ] || HTTP_SECONDS=10
HTTP_GROUP= # while there is one

# http_rows COMMAND...: its JSON objects, as rows
http_rows() {
	"$@" >"$TMP/http" || die "it failed: $*"
	jq -c '{section: "http"} + .' "$TMP/http" >>"$TMP/rows"
}

# A group goes when it is empty.
end_http_group() {
	[ -n "$HTTP_GROUP" ] || return
	stop "$NGINX"
	wait_for rmdir "$HTTP_GROUP" 2>/dev/null
	HTTP_GROUP=
}

# begin_http_group HIERARCHY: with an nginx in it that counts its requests
begin_http_group() {
	local pid
	stop "$NGINX"
	start_nginx "keepalive_requests 1000000000; location = /requests { stub_status; }"
	HTTP_GROUP=$1/sw$$
	mkdir "$HTTP_GROUP"
	for pid in "$NGINX" $(pgrep -P "$NGINX"); do
		echo "$pid" >"$HTTP_GROUP/cgroup.procs"
	done
}

# start_http NAME [OPTION...]: in the background; its pid is in $HTTP
start_http() {
	start "$SYNWARDEN" http "${@:2}" >"$TMP/$1.out" 2>"$TMP/$1.err"
	HTTP=$!
	wait_for grep -q following "$TMP/$1.err" || die "http does not start: $(cat "$TMP/$1.err")"
}

ended_twice() {
	[ "$(grep -c '"kind":"end"' "$TMP/paced.out")" = 2 ]
}

# `http` shows both ends of each request.
bench_http_paced() {
	start_http paced --json --port 9911
	in_server "$BUILD/tests/bench/http" paced $HTTP_PACED_SECONDS >"$TMP/paced"
	wait_for ended_twice
	stop "$HTTP"
	jq -c --argjson told "$(grep -c '"kind":"request"' "$TMP/paced.out")" '. + {lost: (2 * .requests - $told)}' \
		"$TMP/paced" | record http paced
	rm "$TMP/paced.out"
}

bench_http() {
	local root
	root=$(findmnt -nro TARGET -t cgroup2 | head -n 1)
	[ -n "$root" ] || {
		unavailable http all "no cgroup v2 hierarchy is mounted"
		return
	}
	bench_http_paced
	begin_http_group "$root"
	start_synwarden --quiet --http on
	start_http stream
	http_rows in_server "$BUILD/tests/bench/http" pair $HTTP_SECONDS "$root" "$SW" "$HTTP"
	start_in_client wrk -t 2 -c 8 -d $((HTTP_SECONDS + 60)) "http://$SERVER_ADDR/" >"$TMP/wrk"
	WRK=$!
	# shellcheck disable=SC2046,SC2086 # a word a process
	http_rows in_client "$BUILD/tests/bench/http" web $HTTP_SECONDS "$HTTP_GROUP" "$SW" "$HTTP" $SERVER_ADDR $WRK \
		$(pgrep -P "$NGINX") $(pgrep ksoftirqd)
	stop $WRK
	stop "$HTTP"
	stop_synwarden
	end_http_group
	start_nginx
}
