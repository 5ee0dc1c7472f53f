# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The packet path's sections of tests/bench/run.sh, by which it is sourced. One core sends SYNs as fast as it goes and does
# the receiver's work too, so that time per packet is the receiver's cost plus a constant; a bare XDP_DROP, measured in the
# same round, is that constant. Each contestant has a link of its own:
#
#	s0  synwarden		s1  a bare XDP_DROP		s2  the peers, in turns
#
# At the sender's end of all links, XDP drops whatever comes back.

BARE=1
PEER=2
ANY=0 # sources: random ones
FEW_SOURCES="1 $ANY"
[ "$QUICK" != 1 ] || FEW_SOURCES=$ANY
LIST_SIZE=10000
MACS=() # of the server's ends
LANES=
XDP_FILTER= # set while it is loaded

# Sets up the three links; once.
lanes_up() {
	local i
	[ -z "$LANES" ] || return
	for i in $BARE $PEER; do
		make_link "$i"
		silence "$i"
	done
	for i in 0 $BARE $PEER; do
		MACS[i]=$(mac in_server "s$i")
		load_xdp in_client "c$i" drop_all
	done
	load_xdp in_server "s$BARE" drop_all
	LANES=up
}

# blast_args LINK SOURCES [CPU]: the generator's arguments in $BLAST
blast_args() {
	BLAST=(-r 0 -c 1000000000 -t 1 -C "${3:-$FLOOD_CPU}" -s "$2" "c$1" "${MACS[$1]}" "10.$((99 - $1)).0.1")
}

# The same arguments. Prints the generator's JSON.
blast() {
	blast_args "$@"
	in_client "$FLOOD" "${BLAST[@]}"
}

came_back() {
	in_client ip -j -s link | jq '[.[].stats64.rx.packets] | add'
}

# blast_answered LINK SOURCES: the same, with the replies counted, whichever way they come back
blast_answered() {
	local before
	before=$(came_back)
	blast "$@" >"$TMP/blast"
	jq -c --argjson replies "$(($(came_back) - before))" '. + {$replies}' "$TMP/blast"
}

drop_round() {
	local sources
	for sources in 1 65536 $ANY; do
		blast $BARE "$sources" | record drop bare "sources=$sources"
		blast 0 "$sources" | record drop synwarden "sources=$sources"
	done
}

list_round() {
	blast $BARE $ANY | record list bare sources=$ANY
	blast 0 $ANY | record list synwarden sources=$ANY
}

limit_round() {
	blast $BARE $ANY | record limit bare sources=$ANY
	blast 0 $ANY | record limit synwarden sources=$ANY
}

# Unicast addresses, the same ones each time, spread so that a look-up has far to go.
block_many() {
	seq $LIST_SIZE | awk '{ n = ($1 * 2654435761) % 3741319168 + 16777216
		printf "%d.%d.%d.%d\n", n / 16777216, n / 65536 % 256, n / 256 % 256, n % 256 }' |
		xargs -n 1000 nsenter --net="/run/netns/$SERVER" "$SYNWARDEN" block >/dev/null
}

bench_drop() {
	lanes_up
	start_synwarden --challenge off --protect 80 --listen off --quiet
	in_rounds drop_round
	if block_many; then
		in_rounds list_round
	else
		unavailable list synwarden "the block list took no $LIST_SIZE entries"
	fi
	stop_synwarden
	start_synwarden --challenge off --protect 80 --source-limit 100 --listen off --quiet
	in_rounds limit_round
	stop_synwarden
}

# blast_both CASE LINK SOURCES: two cores at once, each in a closed loop
blast_both() {
	local other
	blast_args "$2" "$3" 0
	start_in_client "$FLOOD" "${BLAST[@]}" >"$TMP/other"
	other=$!
	blast "$2" "$3" 1 >"$TMP/blast"
	wait $other
	jq -cs '{pps: (map(.pps) | add)}' "$TMP/blast" "$TMP/other" | record scaling "$1" "sources=$3" cores=2
}

scaling_round() {
	local sources cpu name link
	for sources in $FEW_SOURCES; do
		for name in bare synwarden; do
			link=0
			[ $name != bare ] || link=$BARE
			for cpu in 0 1; do
				blast $link "$sources" $cpu | record scaling $name "sources=$sources" cores=1
			done
			blast_both $name $link "$sources"
		done
	done
}

bench_scaling() {
	if [ "$(nproc)" -lt 2 ]; then
		unavailable scaling synwarden "this machine has one core"
		return
	fi
	lanes_up
	start_synwarden --challenge off --protect 80 --listen off --quiet
	in_rounds scaling_round
	stop_synwarden
}

challenge_round() {
	blast $BARE $ANY | record answer bare group=challenge
	blast_answered 0 $ANY | record answer synwarden group=challenge
}

kernel_round() {
	local value
	blast $BARE $ANY | record answer bare group=kernel
	for value in 1 2; do
		in_server sysctl -qw net.ipv4.tcp_syncookies=$value
		blast_answered $PEER $ANY | record answer syncookies_$value group=kernel
	done
	in_server sysctl -qw net.ipv4.tcp_syncookies=1
	against answer nft_synproxy $ANY group=kernel
	against answer xdp_tx $ANY group=kernel
}

bench_answer() {
	lanes_up
	start_synwarden --protect 80 --listen off --quiet
	in_rounds challenge_round
	stop_synwarden
	in_rounds kernel_round
}

# against SECTION PEER SOURCES [KEY=VALUE...]: sets a peer up on its link, floods it, and takes it down
against() {
	if ! "begin_$2" >"$TMP/why" 2>&1; then
		unavailable "$1" "$2" "$(grep -m1 . "$TMP/why" || echo "it does not start")"
	elif [ "$1" = answer ]; then
		blast_answered $PEER "$3" | record "$1" "$2" "sources=$3" "${@:4}"
	else
		blast $PEER "$3" | record "$1" "$2" "sources=$3" "${@:4}"
	fi
	"end_$2" >/dev/null 2>&1
}

begin_nft_drop() {
	in_server nft -f - <<-END
		table netdev peer {
			chain ingress {
				type filter hook ingress device s$PEER priority 0
				tcp flags syn drop
			}
		}
	END
}

end_nft_drop() {
	in_server nft delete table netdev peer
}

# What is within the limit, or finds the set full, is dropped behind it, so that only the limit is measured.
begin_nft_limit() {
	in_server nft -f - <<-END
		table netdev peer {
			set sources {
				type ipv4_addr
				size 65536
				flags dynamic, timeout
				timeout 10s
			}
			chain ingress {
				type filter hook ingress device s$PEER priority 0
				tcp flags syn update @sources { ip saddr limit rate over 20/second } drop
				tcp flags syn drop
			}
		}
	END
}

end_nft_limit() {
	end_nft_drop
}

begin_nft_synproxy() {
	in_server sysctl -qw net.netfilter.nf_conntrack_tcp_loose=0
	in_server nft -f - <<-END
		table ip peer {
			chain prerouting {
				type filter hook prerouting priority raw
				iifname s$PEER tcp dport 80 tcp flags syn notrack
			}
			chain input {
				type filter hook input priority filter
				iifname s$PEER tcp dport 80 ct state invalid,untracked \
					synproxy mss 1460 wscale 7 timestamp sack-perm
				ct state invalid drop
			}
		}
	END
}

end_nft_synproxy() {
	in_server nft delete table ip peer
}

# No answer at all, but the least that one can cost: the frame goes back as it came.
begin_xdp_tx() {
	load_xdp in_server "s$PEER" return_all
}

end_xdp_tx() {
	unload_xdp in_server "s$PEER"
}

begin_xdp_filter() {
	command -v xdp-filter >/dev/null || {
		echo "apt-get install xdp-tools"
		return 1
	}
	XDP_FILTER=loaded
	in_server xdp-filter load -m native -f tcp "s$PEER" && in_server xdp-filter port -p tcp -m dst 80
}

end_xdp_filter() {
	[ -n "$XDP_FILTER" ] || return 0
	XDP_FILTER=
	in_server xdp-filter unload "s$PEER" >/dev/null 2>&1
}

peers_round() {
	local sources peer
	for sources in $FEW_SOURCES; do
		blast $BARE "$sources" | record peers bare "sources=$sources"
		blast 0 "$sources" | record peers synwarden "sources=$sources"
		for peer in nft_drop nft_limit xdp_filter; do
			against peers $peer "$sources"
		done
	done
}

bench_peers() {
	lanes_up
	start_synwarden --challenge off --protect 80 --listen off --quiet
	in_rounds peers_round
	stop_synwarden
}

# The connection whose packets are timed: the client's end, as "ADDRESS PORT".
held_connection() {
	in_client ss -Htn state established "dst $SERVER_ADDR:80" | awk '{ sub(":", " ", $3); print $3; exit }'
}

is_held() {
	[ -n "$(held_connection)" ]
}

# time_pass CASE: as the attached program takes a packet of the held connection
time_pass() {
	# shellcheck disable=SC2086 # two words
	in_server taskset -c "$FLOOD_CPU" "$BUILD/tests/bench/xdp" pass "$program" $held "$SERVER_ADDR" 80 |
		record pass "$1"
}

unarmed_round() {
	time_pass unarmed
}

# Armed lasts ten seconds.
armed_round() {
	flood -r 50000 -c 10000 -t 1 -x -q
	time_pass armed
}

bench_pass() {
	local program held holder
	start_synwarden --protect 80 --listen off --quiet
	program=$(in_server ip -j link show dev s0 | jq '.[0].xdp.prog.id')
	start_in_client bash -c "exec 3<>/dev/tcp/$SERVER_ADDR/80; exec sleep 60"
	holder=$!
	if wait_for is_held; then
		held=$(held_connection)
		in_rounds unarmed_round
		in_rounds armed_round
	else
		unavailable pass unarmed "no connection to the web server came about"
	fi
	stop $holder
	stop_synwarden
}
