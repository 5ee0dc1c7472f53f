# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What the end-to-end scripts share: a network, a web server, synwarden, and TAP-like checks. To be sourced; a script
# ends with `finish`. Namespaces are named after the script's pid, so that several may run at once.
#
#  ┌───────────────────────────────┐           ┌──────────────────────────────────────────┐
#  │ $SERVER  (swPIDs)             │           │ $CLIENT  (swPIDc)                        │
#  │  nginx :80, synwarden run s0  │           │  curl, wrk, flood; gateway of $SERVER    │
#  │                               │           │                                          │
#  │  s0 10.99.0.1/24  fd99::1/64 ─┼─── veth ──┼─ c0 10.99.0.2/24  fd99::2/64             │
#  │  s1 10.98.0.1/24  fd98::1/64 ─┼─── veth ──┼─ c1 10.98.0.2/24  fd98::2/64             │
#  │     (after second_link)       │           │  lo 10.99.1.1-254/32  fd99:1::1-254/128  │
#  │  default via c0               │           │  default: blackhole                      │
#  └───────────────────────────────┘           └──────────────────────────────────────────┘
#
# The server reaches all other addresses through c0, so that spoofed sources do not fill its neighbour table; replies to
# them end in the client's blackhole. The addresses on the client's lo are for clients that were "never seen before":
# curl --interface 10.99.1.7. Both ends of a link have two queues. GRO on the ends makes the veths take frames from
# BPF (tests/flood); the senders fill in real checksums, which the XDP program sees.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
BUILD=$ROOT/${BUILD_DIR:-build} # `make test-asan` has it all built elsewhere
SYNWARDEN=$BUILD/synwarden
FLOOD=$BUILD/tests/tools/flood
SERVER=sw$$s
CLIENT=sw$$c
SERVER_ADDR=10.99.0.1
SERVER_ADDR6=fd99::1
TMP=
NGINX= # the master's pid
SW= # the pid of `synwarden run`; its output is in $TMP/run.out and run.err
PIDS=() # what else cleanup ends, besides this shell's own children: daemons
PASSED=0
FAILED=0
export LC_ALL=C

die() {
	echo "$0: $*" >&2
	exit 1
}

[ "$(id -u)" = 0 ] || die "needs root (network namespaces and BPF)"

# The log has each command, where tests/run.sh asks for it, but for those that poll.
POLLING=
if [ -n "${LOG_COMMANDS:-}" ]; then
	exec {LOG}>&1
else
	exec {LOG}>/dev/null
fi

# log_command WHERE COMMAND...: its first line; what runs in the background has no log
log_command() {
	local command="+ $1: ${*:2}"
	[ -n "$POLLING" ] || { echo "${command%%$'\n'*}" >&"$LOG"; } 2>/dev/null
}

in_server() {
	log_command server "$@"
	nsenter --net="/run/netns/$SERVER" "$@" {LOG}>&-
}

in_client() {
	log_command client "$@"
	nsenter --net="/run/netns/$CLIENT" "$@" {LOG}>&-
}

# exact [FILE]: events with their cookies as strings. The kernel gives out cookies above 2^53 too, which jq would round.
exact() {
	sed -E 's/"cookie":([0-9]+)/"cookie":"\1"/' "$@"
}

# long_or LONG SHORT: which of them is asked for, by LONG=1
long_or() {
	[ -n "${LONG:-}" ] || shift
	echo "$1"
}

# In the background; cleanup ends what still runs at the end of the script. nsenter, as used here, does not fork: $! is
# the pid of the command itself.
start() {
	"$@" {LOG}>&- &
}

start_in_server() {
	log_command server "$@" "&"
	start nsenter --net="/run/netns/$SERVER" "$@"
}

start_in_client() {
	log_command client "$@" "&"
	start nsenter --net="/run/netns/$CLIENT" "$@"
}

# stop PID [SIGNAL]: ends a background process and returns its exit status.
stop() {
	kill "-${2:-TERM}" "$1" 2>/dev/null
	wait "$1" 2>/dev/null
}

cleanup() {
	local status=$? pid pids
	trap - EXIT
	trap '' INT TERM
	pids="$(jobs -pr) ${PIDS[*]}"
	for pid in $pids; do
		kill "$pid"
	done 2>/dev/null
	for pid in $pids; do
		end_surely "$pid"
	done 2>/dev/null
	if [ -e "/run/netns/$SERVER" ] && [ -x "$SYNWARDEN" ]; then
		in_server "$SYNWARDEN" detach >/dev/null 2>&1
	fi
	net_down
	[ -n "$TMP" ] && rm -rf "$TMP"
	exit "$status"
}

# A process that outlives its SIGTERM by a minute is killed, so that a hanging test still leaves nothing.
end_surely() {
	local pid=$1
	wait_for gone "$pid" || kill -KILL "$pid"
	wait "$pid"
}

gone() {
	local state
	state=$(ps -o state= -p "$1") || return 0
	[ "$state" = Z ]
}

# bash runs an exit trap, but not the functions behind it, when a signal ends it: turn signals into exits.
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
TMP=$(mktemp -d)
umask 022
chmod 755 "$TMP" # nginx's workers are nobody
export STATE_DIRECTORY=$TMP/state # what `run` keeps over its end: nothing, unless a test sets KEEP_STATE

# wait_for COMMAND...: until COMMAND succeeds; looks every 50 ms. Its end is for what never comes, not for what comes late:
# a busy machine may need many times what is usual. How soon something comes is asserted by check_time.
wait_for() {
	local POLLING=1 end=$((${EPOCHREALTIME/./} + 60000000 * ${PATIENCE:-1}))
	until "$@"; do
		if [ "${EPOCHREALTIME/./}" -ge $end ]; then
			echo "# did not come: $*" >&2
			return 1
		fi
		sleep 0.05
	done
}

# check NAME COMMAND...: whether COMMAND succeeds. Its output is shown only where it does not.
check() {
	local name=$1
	shift
	if "$@" >"$TMP/check" 2>&1; then
		pass "$name"
	else
		not_ok "$name" "failed ($?): $*" "$(cat "$TMP/check")"
	fi
}

check_equal() {
	if [ "$2" = "$3" ]; then
		pass "$1"
	else
		not_ok "$1" "expected:" "$2" "is:" "$3"
	fi
}

# check_between NAME LOW HIGH ACTUAL, in whole numbers
check_between() {
	check "$1 ($4 is within $2 to $3)" test "$4" -ge "$2" -a "$4" -le "$3"
}

# check_time NAME LOW HIGH ACTUAL: a time, which is not checked on a slow machine.
check_time() {
	if [ "${PATIENCE:-1}" = 1 ]; then
		check_between "$@"
	else
		echo "# not checked on a slow machine: $1"
	fi
}

# check_resident NAME LOW HIGH KIB: what is resident of a process. AddressSanitizer keeps a multiple of it for itself.
check_resident() {
	case $BUILD in
	*/asan) echo "# not checked with sanitizers: $1" ;;
	*) check_between "$@" ;;
	esac
}

pass() {
	PASSED=$((PASSED + 1))
	echo "ok - $1"
}

not_ok() {
	FAILED=$((FAILED + 1))
	echo "not ok - $1"
	shift
	printf '%s\n' "$@" | sed 's/^/    /'
}

# Ends a test script.
finish() {
	echo "1..$((PASSED + FAILED))"
	[ "$FAILED" = 0 ]
	exit
}

# make_link NUMBER [INDEX]: sN <-> cN; INDEX is what the kernel is to number sN by
make_link() {
	local s=s$1 c=c$1 net=$((99 - $1))
	in_server ip link add "$s" ${2:+index "$2"} numtxqueues 2 numrxqueues 2 type veth \
		peer name "$c" numtxqueues 2 numrxqueues 2 netns "$CLIENT" || die "cannot make the veth pair $s, $c"
	set_up_end in_server "$s" "10.$net.0.1/24" "fd$net::1/64"
	set_up_end in_client "$c" "10.$net.0.2/24" "fd$net::2/64"
}

# set_up_end in_server|in_client DEVICE IPV4 IPV6
set_up_end() {
	"$1" ethtool -K "$2" tx off gro on >/dev/null 2>&1
	"$1" ip addr add "$3" dev "$2"
	"$1" ip addr add "$4" dev "$2" nodad
	"$1" ip link set "$2" up
}

# Spoofed sources must get as far as the server's TCP, and what its past connections taught the kernel about a peer
# must not help that peer through a full SYN queue.
set_sysctls() {
	"$1" sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0 \
		net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0 \
		net.ipv4.tcp_no_metrics_save=1 net.ipv4.ip_forward=0
	"$1" ip tcp_metrics flush >/dev/null 2>&1
	"$1" ip link set lo up
}

# As systemd does at boot, but for containers. One script at a time: a second bpffs would hide the pins of the first.
mount_bpffs() {
	flock /run/netns sh -c 'mountpoint -q /sys/fs/bpf || mount -t bpf -o mode=700 bpf /sys/fs/bpf' ||
		die "cannot mount bpffs"
}

net_up() {
	local i
	ip netns add "$SERVER" || die "cannot make a network namespace"
	ip netns add "$CLIENT" || die "cannot make a network namespace"
	mount_bpffs
	set_sysctls in_server
	set_sysctls in_client
	make_link 0
	for i in {1..254}; do
		echo "addr add 10.99.1.$i/32 dev lo"
		echo "addr add fd99:1::$i/128 dev lo nodad"
	done | in_client ip -batch -
	in_server ip route add default via 10.99.0.2
	in_server ip route add default via fd99::2
	in_client ip route add blackhole default
	in_client ip -6 route add blackhole default
}

# The contents of the namespaces go with them. The processes there must have ended.
net_down() {
	ip netns del "$SERVER" 2>/dev/null
	ip netns del "$CLIENT" 2>/dev/null
}

second_link() {
	make_link 1
}

# steer_packets MASK: RPS to these CPUs on all devices of both ends; 0: off. /sys shows the namespace that it was mounted in,
# hence `ip netns exec`, which mounts one for the command alone.
steer_packets() {
	local ns
	for ns in "$SERVER" "$CLIENT"; do
		# shellcheck disable=SC2016 # for the inner shell
		ip netns exec "$ns" sh -c 'for q in /sys/class/net/*/queues/rx-*/rps_cpus; do echo '"$1"' >"$q"; done'
	done
}

# mac in_server|in_client DEVICE
mac() {
	"$1" ip -j link show dev "$2" | jq -r '.[0].address'
}

# flood [OPTION...]: from the client to the server over c0; see tests/tools/flood.c. -6 must come first.
flood() {
	local to=$SERVER_ADDR
	[ "${1:-}" != -6 ] || to=$SERVER_ADDR6
	in_client "$FLOOD" "$@" c0 "$(mac in_server s0)" "$to"
}

# A real NIC sends what XDP answers; a veth takes it from its peer only where it has an XDP program itself. Not together
# with flood -x, which brings its own.
take_replies() {
	in_client ip link set dev c0 xdpdrv obj "$BUILD/tests/tools/flood.bpf.o" program take_frames
}

# start_nginx [DIRECTIVE...]: directives go into its server block.
start_nginx() {
	local root=$TMP/nginx
	mkdir -p "$root/www"
	echo "It works." >"$root/www/index.html"
	cat >"$root/nginx.conf" <<-END
		worker_processes 2;
		pid $root/pid;
		error_log $root/error.log;
		events { worker_connections 1024; }
		http {
			access_log off;
			log_format told '\$remote_port \$connection_requests \$request \$status \$bytes_sent';
			client_body_temp_path $root/body;
			proxy_temp_path $root/proxy;
			fastcgi_temp_path $root/fastcgi;
			uwsgi_temp_path $root/uwsgi;
			scgi_temp_path $root/scgi;
			server {
				listen 80;
				listen [::]:80;
				root $root/www;
				location = /slow { limit_rate 30k; }
				$*
			}
		}
	END
	start_in_server nginx -e "$root/error.log" -p "$root" -c "$root/nginx.conf" -g 'daemon off;'
	# shellcheck disable=SC2034 # for the scripts
	NGINX=$!
	wait_for listening 80 || die "nginx does not start: $(tail -n1 "$root/error.log")"
}

# start_download: from nginx to the client, for half an hour; its pid is in $DOWNLOAD
start_download() {
	head -c 60000000 /dev/urandom >"$TMP/nginx/www/slow"
	start_in_client curl -s -o "$TMP/download" "http://$SERVER_ADDR/slow"
	DOWNLOAD=$!
	wait_for test -s "$TMP/download"
}

has_grown() {
	[ "$(stat -c %s "$TMP/download")" -gt "$1" ]
}

# end_download NAME: it has outlived what came between, goes on, and what came is what was sent.
end_download() {
	check "$1: a download is still under way" kill -0 "$DOWNLOAD"
	check "$1: it goes on" wait_for has_grown "$(stat -c %s "$TMP/download")"
	stop "$DOWNLOAD"
	check "$1: what came is what was sent" cmp -n "$(stat -c %s "$TMP/download")" "$TMP/download" "$TMP/nginx/www/slow"
}

# Whether the server listens on a port in both families. Asked of the kernel, so that no connection stands in a test's way.
listening() {
	[ "$(in_server ss -Hltn "sport = $1" | wc -l)" = 2 ]
}

# start_synwarden [OPTION...] [IFACE...]: `synwarden run` in the server; without IFACE on s0, and without --xdp-mode or
# --config in native mode, which a real NIC would take. Returns once it filters and its endpoint answers.
start_synwarden() {
	local endpoint=127.0.0.1:9798 option previous=
	for option in "$@"; do
		[ "$previous" != --listen ] || endpoint=$option
		previous=$option
	done
	case " $* " in
	*" s0 "* | *" s1 "*) ;;
	*) set -- "$@" s0 ;;
	esac
	forget_state
	case " $* " in
	*" --xdp-mode"* | *" --config"*) ;;
	*) set -- --xdp-mode native "$@" ;;
	esac
	start_in_server "$SYNWARDEN" run "$@" >"$TMP/run.out" 2>"$TMP/run.err"
	SW=$!
	wait_for filtering_or_gone "$endpoint"
	filtering "$endpoint" || die "synwarden run $* does not start: $(cat "$TMP/run.err")
$(where_is "$SW")"
}

forget_state() {
	[ -n "${KEEP_STATE:-}" ] || rm -rf "$STATE_DIRECTORY"
}

# messages: what it said, but for the warning of native mode on a veth (tests/e2e/veth.sh)
messages() {
	grep -v 'a veth in native mode' "$TMP/run.err"
}

filtering_or_gone() {
	filtering "$1" || gone "$SW"
}

# It pins after attaching, and starts the endpoint last.
filtering() {
	if [ "$1" = off ]; then
		in_server "$SYNWARDEN" status
	else
		in_server curl -sf "http://$1/healthz"
	fi >/dev/null 2>&1
}

# where_is PID: what each of its threads does in the kernel, for a message
where_is() {
	local task
	for task in "/proc/$1/task/"*; do
		echo "thread $(cat "$task/comm"), $(sed -n 's/^State:[[:space:]]*//p' "$task/status"):"
		cat "$task/stack"
	done 2>&1
}

# Ends $SW and returns its exit status. stop_synwarden [SIGNAL]
stop_synwarden() {
	local pid=$SW
	SW=
	stop "$pid" "$@"
}
