# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The sections of tests/bench/run.sh, by which it is sourced, that look with the clients' eyes: those never seen before, and a
# download that runs already, while SYNs from random sources come. Replies to the flood are dropped at its own end.
#
# The generator sends what is due in bursts, some tens of milliseconds apart, as no attacker would: clients that shared a
# core with it would measure its bursts. So it has a core and a queue of the link to itself; clients and web server have
# the first core.

CLIENT_TURNS=$(((ROUNDS + 1) / 2))
DOWNLOAD_TURNS=$((ROUNDS * 3)) # one second of a download differs from the next by a tenth, whatever filters
CLIENTS=500
CLIENT_RATE=400 # a second
PATIENCE_MS=3000
RATES="0 5000 50000 200000 max"
RATE6=50000
DOWNLOAD_RATES="0 50000 max"
MODES="cookies_0 cookies_1 synwarden ideal"
if [ "$QUICK" = 1 ]; then
	CLIENTS=300
	PATIENCE_MS=1000
	RATES="0 max"
	DOWNLOAD_RATES=max
	DOWNLOAD_TURNS=$ROUNDS
fi
SEEN=0 # clients that came so far: nobody comes twice
FLOODING=

# pin_servers CPUS
pin_servers() {
	local pid
	for pid in "$NGINX" $(pgrep -P "$NGINX"); do
		taskset -apc "$1" "$pid" >/dev/null
	done
}

# A queue for each core, also for what the stacks send. /sys shows the namespace that it was mounted in, hence `ip netns
# exec`.
separate_cores() {
	local ns cpu
	# shellcheck disable=SC2153 # they come from lib.sh
	for ns in "$SERVER" "$CLIENT"; do
		for cpu in 0 1; do
			# shellcheck disable=SC2016
			ip netns exec "$ns" sh -c 'for q in /sys/class/net/[sc]0/queues/tx-'$cpu'/xps_cpus; do
				echo '$((1 << cpu))' >"$q"; done'
		done
	done 2>"$TMP/xps" || echo "  the link's queues are shared: $(tail -n1 "$TMP/xps")" >&2
}

join_cores() {
	pin_servers "0-$(($(nproc) - 1))"
}

# begin_mode MODE: a web server without half-open connections of before, and nothing but the kernel, without or with SYN
# cookies; `synwarden run` as it is by default; or an XDP program that drops the flood and nothing else
begin_mode() {
	stop "$NGINX"
	start_nginx
	pin_servers 0
	in_server sysctl -qw net.ipv4.tcp_syncookies=1
	case $1 in
	cookies_0) in_server sysctl -qw net.ipv4.tcp_syncookies=0 ;;
	synwarden) start_synwarden --listen off --quiet ;;
	ideal) load_xdp in_server s0 drop_flood ;;
	esac
	get "$SERVER_ADDR" 10.99.1.1 >/dev/null
	get "[$SERVER_ADDR6]" fd99:1::1 >/dev/null
}

end_mode() {
	case $1 in
	synwarden) stop_synwarden ;;
	ideal) unload_xdp in_server s0 ;;
	esac
}

# begin_flood RATE|max ADDRESS [OPTION...]: until end_flood
begin_flood() {
	local rate=$1 addr=$2
	FLOODING=
	echo '{"sent": 0, "pps": 0}' >"$TMP/flood"
	[ "$rate" != 0 ] || return
	[ "$rate" != max ] || rate=0
	start_in_client "$FLOOD" -r "$rate" -c 1000000000 -t 60 -C "$FLOOD_CPU" -s 0 -x "${@:3}" c0 "$(mac in_server s0)" \
		"$addr" >"$TMP/flood"
	FLOODING=$!
	sleep 1
}

end_flood() {
	[ -z "$FLOODING" ] || stop "$FLOODING"
}

# What the link lost for lack of room: not taken by the receiving end, or dropped by it. The verdicts of XDP are no loss.
link_losses() {
	{
		in_client ip -j -s link show dev c0 | jq '.[0].stats64.tx.dropped'
		in_server ethtool -S s0 | awk '/rx_queue_[0-9]+_drops:/ { sum += $2 } END { print sum + 0 }'
	} | jq -s add
}

# clients_under MODE FAMILY RATE
clients_under() {
	local source server=$SERVER_ADDR options=() losses
	source=$(printf '10.80.%d.%d' $((SEEN / 256)) $((SEEN % 256)))
	if [ "$2" = 6 ]; then
		source=$(printf 'fd80::%x' $((SEEN + 1)))
		server=$SERVER_ADDR6
		options=(-6)
	fi
	SEEN=$((SEEN + CLIENTS))
	losses=$(link_losses)
	begin_flood "$3" "$server" "${options[@]}"
	in_client taskset -c 0 "$BUILD/tests/tools/clients" -n $CLIENTS -r $CLIENT_RATE -t $PATIENCE_MS "$source" \
		"$server" 80 >"$TMP/clients"
	end_flood
	jq -cs '.[0] + {sent: .[1].sent, pps: .[1].pps}' "$TMP/clients" "$TMP/flood" |
		record clients "$1" "family=$2" "rate=$3" "lost=$(($(link_losses) - losses))"
}

clients_round() {
	local mode rate
	for mode in $MODES; do
		begin_mode "$mode"
		for rate in $RATES; do
			clients_under "$mode" 4 "$rate"
		done
		clients_under "$mode" 6 $RATE6
		end_mode "$mode"
	done
}

bench_clients() {
	in_client ip route add local 10.80.0.0/16 dev lo
	in_client ip route add local fd80::/64 dev lo
	separate_cores
	in_rounds clients_round $CLIENT_TURNS
	join_cores
}

# Bytes that the download has brought so far, and the time in ns.
downloaded() {
	in_client ss -Htin state established "dst $SERVER_ADDR:80" |
		sed -n "s/.*bytes_received:\([0-9]*\).*/\1 $(date +%s%N)/p" | sort -n | tail -n1
}

downloading() {
	[ -n "$(downloaded)" ]
}

# download_under MODE RATE
download_under() {
	local before after download
	start_in_client taskset -c 0 curl -s -o /dev/null "http://$SERVER_ADDR/large?[1-1000]"
	download=$!
	wait_for downloading
	begin_flood "$2" "$SERVER_ADDR"
	before=$(downloaded)
	sleep 1
	after=$(downloaded)
	end_flood
	stop $download
	echo "$before $after" | jq -Rc 'split(" ") | map(tonumber) | {bytes_per_s: ((.[2] - .[0]) / (.[3] - .[1]) * 1e9)}' |
		record download "$1" "rate=$2"
}

# download_round ROUND: the side that is first is second in the next
download_round() {
	local mode rate modes="ideal synwarden"
	[ $(($1 % 2)) = 1 ] || modes="synwarden ideal"
	for rate in $DOWNLOAD_RATES; do
		for mode in $modes; do
			begin_mode "$mode"
			download_under "$mode" "$rate"
			end_mode "$mode"
		done
	done
}

bench_download() {
	truncate -s 256M "$TMP/nginx/www/large"
	separate_cores
	in_rounds download_round "$DOWNLOAD_TURNS"
	join_cores
}
