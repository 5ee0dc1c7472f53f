#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# test: slow fetch asan-slow no-kernels
#
# `synwarden fetch` on the network drawn in tests/lib/network.sh: a page that comes, over HTTP and TLS, and each way in
# which it does not, made for real; drops by nftables, by rp_filter and by the filter of a `run` on its own host, too. nginx serves what comes; tests/tools/fetch_server.py answers names, and fails in
# the ways that it is asked for by port. Files of /etc are the test's own, in a mount namespace.
set -u
ROOT=$(readlink -f "$(dirname "$0")/../..")
# shellcheck source=tests/lib/network.sh
. "$ROOT/tests/lib/network.sh"

ETC=$TMP/etc

# fetch_as COMMAND...: in the client, with the test's files; its output is in $TMP/fetch
fetch_as() {
	# shellcheck disable=SC2016
	in_client unshare -m sh -c 'for file in resolv.conf nsswitch.conf hosts; do
			mount --bind "$0/$file" "/etc/$file" || exit 99
		done
		exec "$@"' "$ETC" env SSL_CERT_FILE="$TMP/ca.pem" "$@" >"$TMP/fetch" 2>&1
}

# fetch [OPTION...] URL: without the rights to load programs, which takes a while
fetch() {
	fetch_as setpriv --bounding-set=-all,+net_raw "$SYNWARDEN" fetch "$@"
}

# observe [OPTION...] URL: with all of root's rights
observe() {
	fetch_as "$SYNWARDEN" fetch "$@"
}

# What differs from run to run: times, ports of the client
masked() {
	sed -E 's/[0-9.]+ (us|ms|s)\b/T/g; s/ +T\b/ T/g; s/[0-9]{5} -> /PORT -> /; s/[0-9]+ %/N %/g; s/to (a SYN|[0-9]+ SYNs)/to SYNs/; s/: [0-9]+( came in and)? (was|were) dropped/: N\1 dropped/'
}

# fails_with SENTENCE [OPTION...] URL
fails_with() {
	is_said_by fetch "$@"
}

# is_said_by fetch|observe SENTENCE [OPTION...] URL
is_said_by() {
	local sentence=$2 command=$1
	shift 2
	"$command" "$@"
	check_equal "$*: exit status" 1 $?
	check_equal "$*: why" "not fetched: $sentence" "$(tail -n1 "$TMP/fetch" | masked)"
}

make_etc() {
	mkdir -p "$ETC"
	printf '127.0.0.1 localhost\n10.99.0.1 other.test old.test\nfd99::1 six.test\n' >"$ETC/hosts"
	echo "hosts: files dns" >"$ETC/nsswitch.conf"
	echo "nameserver 10.99.0.1" >"$ETC/resolv.conf"
}

# certificate NAME DAYS: for NAME.test, by an authority of the test's own
certificate() {
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$TMP/$1.key" -out "$TMP/$1.csr" \
		-subj "/CN=$1.test" 2>/dev/null
	openssl x509 -req -in "$TMP/$1.csr" -CA "$TMP/ca.pem" -CAkey "$TMP/ca.key" -CAcreateserial -days "$2" \
		-extfile <(echo "subjectAltName=DNS:$1.test") -out "$TMP/$1.pem" 2>/dev/null
}

tls_on() {
	echo "} server { listen $1 ssl; root $TMP/nginx/www; ssl_certificate $TMP/$2.pem; ssl_certificate_key $TMP/$2.key;
		ssl_protocols TLSv1.3;"
}

start_servers() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$TMP/ca.key" -out "$TMP/ca.pem" \
		-days 9 -subj '/CN=Test authority' 2>/dev/null
	certificate site 9
	certificate old -1
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$TMP/own.key" -out "$TMP/own.pem" \
		-days 9 -subj '/CN=site.test' -addext subjectAltName=DNS:site.test 2>/dev/null
	start_nginx "$(tls_on 443 site) $(tls_on 444 old) $(tls_on 445 own)"
	start_in_server "$ROOT/tests/tools/fetch_server.py" 10.99.0.1 >"$TMP/server"
	wait_for grep -q ready "$TMP/server"
}

play_page() {
	fetch http://site.test/
	check_equal "a page: exit status" 0 $?
	check_equal "a page: its steps" "# http://site.test/
A  name        files T   not known
               dns T   10.99.0.1   answered by 10.99.0.1, TTL 300
# without CAP_BPF, CAP_NET_ADMIN, CAP_PERFMON: what this host drops is not seen, and states are inferred (~)
B  connect     10.99.0.1 T   PORT -> 80; SYN to SYN-ACK T, none sent again
C  request T   $(request_bytes site.test) bytes
D  first byte T   HTTP/1.1 200 OK
E  document T   10 bytes, and $(head_bytes) of the head
F  close T   by us: ~FIN_WAIT1 > FIN_WAIT2 > TIME_WAIT" "$(head -n9 "$TMP/fetch" | masked)"
	check "a page: a bar of 60 columns, in the order of the steps" grep -qE '^\|A+B+C+D+E+\|$' "$TMP/fetch"
	check_equal "a page: the bar's width" 62 "$(grep '^|' "$TMP/fetch" | tr -d '\n' | wc -c)"
	check "a page: the shares" grep -qE '^total [0-9.]+ [mu]?s: .*[0-9]+ %' "$TMP/fetch"
	fetch --ladder http://six.test/
	check_equal "--ladder without the rights for it" "synwarden: fetch: no ladder can be shown without CAP_BPF, \
CAP_NET_ADMIN, CAP_PERFMON" "$(grep 'no ladder' "$TMP/fetch")"
	check_equal "IPv6, by the hosts file" "B  connect     fd99::1 T   PORT -> 80; SYN to SYN-ACK T, none sent again" \
		"$(grep '^B' "$TMP/fetch" | masked)"
	fetch --head http://10.99.0.1/
	check_equal "--head: no document" 0 "$(sed -nE 's/^E .* ([0-9]+) bytes, .*/\1/p' "$TMP/fetch")"
	http_proxy=http://10.99.0.9:1 fetch --to 10.99.0.1 http://nosuch.test/
	check_equal "--to: no name is looked up, and no proxy used" "A  name        -                       -   --to: no look-up" \
		"$(grep '^A' "$TMP/fetch")"
}

# The request that is sent, and what nginx answers: counted from what nc and curl see
request_bytes() {
	printf 'GET / HTTP/1.1\r\nHost: %s\r\nUser-Agent: %s\r\nAccept: */*\r\n\r\n' "$1" \
		"$("$SYNWARDEN" version | tr ' ' /)" | wc -c
}

head_bytes() {
	in_client curl -sI http://10.99.0.1/ | wc -c
}

play_json() {
	in_server ip addr add 10.99.0.3/24 dev s0
	fetch --json http://two.test:8010/
	check_equal "JSON: two addresses, the first one refuses" "2 10.99.0.3 false 10.99.0.1 true" \
		"$(jq -r '[(.attempts | length), (.attempts[] | .raddr, .connected)] | join(" ")' "$TMP/fetch")"
	check_equal "JSON: the answer" "200 3 3 client null" \
		"$(jq -r '[.status, .body_bytes, .length, .closed_by, .failed_at // "null"] | join(" ")' "$TMP/fetch")"
	check_equal "JSON: services and name server" "files false dns true 10.99.0.1 NOERROR 300" \
		"$(jq -r '[(.lookups[] | .service, .found), .name_server, .name_code, .ttl] | join(" ")' "$TMP/fetch")"
	check_equal "JSON: no step is without its time" 0 \
		"$(jq '[.name_us, .connect_us, .request_us, .first_byte_us, .document_us, .close_us] | map(select(. == null)) | length' "$TMP/fetch")"
}

play_names() {
	local unknown="name: name unknown: no service knows an"
	fails_with "$unknown address of nosuch.test; 10.99.0.1 answered NXDOMAIN" http://nosuch.test/
	fails_with "$unknown IPv6 address of site.test; 10.99.0.1 answered NOERROR" -6 http://site.test/
	fails_with "name: name not resolved: dns: 10.99.0.1 answered SERVFAIL in T" http://broken.test/
	fails_with "name: name not resolved: dns: no answer from 10.99.0.1 in T" --connect-timeout 1s http://silent.test/
	echo "hosts: absent [NOTFOUND=return] dns" >"$ETC/nsswitch.conf"
	fetch http://site.test/
	check_equal "a service that is not there ends no search" 0 $?
	echo "hosts: files [NOTFOUND=return] dns" >"$ETC/nsswitch.conf"
	fails_with "name: name unknown: no service of nsswitch.conf knows an address of site.test" http://site.test/
	echo "hosts: files" >"$ETC/nsswitch.conf"
	fails_with "name: name unknown: no service of nsswitch.conf knows an address of site.test" http://site.test/
	make_etc
}

# rule SERVER|CLIENT RULE: of a table that filters; `rule WHERE` removes it
rule() {
	"$1" nft delete table inet f 2>/dev/null
	[ $# = 1 ] || "$1" nft "add table inet f; add chain inet f in { type filter hook input priority 0; };
		add rule inet f in $2"
}

syns_dropped() {
	in_server nft list table inet f | sed -nE 's/.*counter packets ([0-9]+) .*/\1/p'
}

play_connect() {
	fails_with "connect: refused: a RST came back, nothing listens on port 81 there" http://10.99.0.1:81/
	rule in_server "tcp dport 82 reject with icmp type port-unreachable"
	fails_with "connect: refused: 10.99.0.1 says so by ICMP, as a firewall does that rejects" http://10.99.0.1:82/
	rule in_server "tcp dport 82 reject with icmp type host-unreachable"
	fails_with "connect: unreachable: 10.99.0.1 says so by ICMP" http://10.99.0.1:82/
	rule in_server "tcp dport 82 counter drop"
	fetch --connect-timeout 2s http://10.99.0.1:82/
	check_equal "no answer: as many SYNs as came to the server" \
		"$(syns_dropped)" "$(sed -nE 's/^not fetched: connect: no answer to ([0-9]+) SYNs in .*/\1/p' "$TMP/fetch")"
	rule in_server
	in_client ip route add unreachable 192.0.2.0/28
	in_client ip route add prohibit 192.0.2.16/28
	fails_with "connect: unreachable: this host has no route there; see: ip route get 192.0.2.1" http://192.0.2.1/
	fails_with "connect: forbidden on this host, by a rule of its firewall, a route or a cgroup; see: nft list ruleset; \
ip route get 192.0.2.17" http://192.0.2.17/
	fails_with "connect: a blackhole route of this host leads there; see: ip route get 192.0.2.77" http://192.0.2.77/
	in_client sysctl -qw net.ipv4.neigh.c0.mcast_solicit=1 net.ipv4.neigh.c0.retrans_time_ms=300
	fails_with "connect: unreachable: no host on this link has the address (no answer to ARP); see: ip neigh show \
10.99.0.9" http://10.99.0.9/
}

# What drops the answers, or the SYN, on this host: seen with the rights for it.
play_drops() {
	local unseen="connect: no answer that TCP got to see, to SYNs in T: N came in and dropped"
	rule in_client "tcp sport 80 counter drop"
	is_said_by observe "$unseen by this host's firewall (NETFILTER_DROP); see: nft list ruleset" --connect-timeout 2s http://10.99.0.1/
	check "dropped answers: when each SYN left" grep -qE '^ +SYN [0-9.]+ [mu]?s(   SYN [0-9.]+ m?s)+   given up' "$TMP/fetch"
	rule in_client
	in_client nft "add table inet f; add chain inet f out { type filter hook output priority 0; };
		add rule inet f out tcp dport 80 drop"
	is_said_by observe "connect: no SYN left this host in T: N dropped by this host's firewall (NETFILTER_DROP); see: \
nft list ruleset" --connect-timeout 1s http://10.99.0.1/
	rule in_client
	second_link
	in_server ip route add 10.98.0.2/32 via 10.99.0.2
	in_client sysctl -qw net.ipv4.conf.c0.rp_filter=1
	is_said_by observe "$unseen by rp_filter (IP_RPFILTER), as the route to 10.98.0.1 leads elsewhere; see: ip route \
get 10.98.0.1" --connect-timeout 1s http://10.98.0.1/
	play_own_filter
	observe --ladder http://10.99.0.1/
	check_equal "with root's rights: the states are the kernel's" "F  close T   by us: FIN_WAIT1 > FIN_WAIT2 > TIME_WAIT" \
		"$(grep '^F' "$TMP/fetch" | masked)"
	check_equal "with root's rights: when the request was acknowledged" \
		"C  request T   $(request_bytes 10.99.0.1) bytes, acknowledged T later" "$(grep '^C' "$TMP/fetch" | masked)"
	check_equal "with root's rights: the answer's segments, as in the ladder" "$(grep -c '<- .*len=' "$TMP/fetch")" \
		"$(sed -nE 's/^E .*, in ([0-9]+) segments?$/\1/p' "$TMP/fetch")"
	check_equal "--ladder: the states in it" "SYN_SENT ESTABLISHED FIN_WAIT1 FIN_WAIT2 TIME_WAIT" \
		"$(grep -oE '^ {,11}[0-9.]* ?(us|ms)? +[A-Z_0-9]{5,} +\|' "$TMP/fetch" | grep -oE '[A-Z][A-Z_0-9]{4,}' | xargs)"
	check_equal "--ladder: the SYN, and how it ended" "1 closed: this host first (time_wait); 0 dropped" \
		"$(grep -c -- '|-- SYN seq=x ' "$TMP/fetch") $(grep '^closed' "$TMP/fetch" | cut -d';' -f1); $(grep -c 'dropped here:' "$TMP/fetch") dropped"
}

client_filters() {
	in_client "$SYNWARDEN" status >"$TMP/status" 2>&1
}

# receives PORT: a connection of the client's to it has brought something
receives() {
	in_client ss -Htni state established "dport = $1" | grep -q bytes_received
}

# interrupted_by SENTENCE COMMAND...: COMMAND in the client, in the middle of a document
interrupted_by() {
	local sentence=$1 fetching
	observe --timeout 2s http://10.99.0.1:8011/ &
	fetching=$!
	wait_for receives 8011
	in_client "${@:2}" >/dev/null
	wait $fetching
	check_equal "in the document, $2: exit status" 1 $?
	check_equal "in the document, $2: why" "not fetched: document: time-out: no byte for T, after N of 1000000 bytes; of its \
segments N came in and were dropped by $sentence" \
		"$(tail -n1 "$TMP/fetch" | masked |
			sed -E 's/after [0-9]+/after N/; s/segments [0-9]+/segments N/; s/another [0-9a-z]+/another MIN/')"
}

play_own_filter() {
	local undo
	start_in_client "$SYNWARDEN" run --xdp-mode generic --listen off c0 >"$TMP/run.out" 2>&1
	wait_for client_filters
	in_client "$SYNWARDEN" block 10.99.0.0/30 --for 1h
	observe --connect-timeout 1s http://10.99.0.1/
	check_equal "the own filter: which rule, and what undoes it" \
		"not fetched: $unseen by this host's own filter: 10.99.0.0/30 is on the block list for another MIN (undo: \
synwarden unblock 10.99.0.0/30)" "$(tail -n1 "$TMP/fetch" | masked | sed -E 's/another [0-9a-z]+/another MIN/')"
	undo=$(tail -n1 "$TMP/fetch" | sed -nE 's/.*\(undo: synwarden (.*)\)$/\1/p')
	# shellcheck disable=SC2086
	in_client "$SYNWARDEN" $undo
	fetch http://10.99.0.1/
	check_equal "the own filter: what is said undoes it" 0 $?
	interrupted_by "this host's own filter: 10.99.0.1 is on the block list for another MIN (undo: synwarden unblock 10.99.0.1)" \
		"$SYNWARDEN" block 10.99.0.1 --for 1h
	in_client "$SYNWARDEN" unblock 10.99.0.1
	interrupted_by "this host's firewall (NETFILTER_DROP); see: nft list ruleset" \
		nft "add table inet f; add chain inet f in { type filter hook input priority 0; }; add rule inet f in tcp sport 8011 drop"
	rule in_client
}

play_answers() {
	local time="time-out: no"
	fails_with "first byte: reset by the server after the request, before any answer" http://10.99.0.1:8001/
	fails_with "first byte: closed by the server without an answer" http://10.99.0.1:8002/
	fails_with "document: reset by the server after 3 of 100 bytes" http://10.99.0.1:8003/
	fails_with "document: closed by the server after 3 of 100 bytes" http://10.99.0.1:8004/
	fails_with "document: $time byte for T, after 3 of 100 bytes" --timeout 1s http://10.99.0.1:8005/
	fails_with "first byte: $time answer for T to a request that the server acknowledged" --timeout 1s http://10.99.0.1:8006/
	fails_with "first byte: the answer is not HTTP" http://10.99.0.1:8007/
	rule in_server "tcp dport 8006 tcp flags & psh == psh drop"
	fails_with "first byte: time-out: the server has not acknowledged the request for T" --timeout 1s http://10.99.0.1:8006/
	rule in_server
}

play_tls() {
	local untrusted="tls: the certificate is not trusted"
	fetch https://site.test/
	check_equal "TLS: version, names, expiry" "$(expected_tls)" "$(sed -n '/TLS/,+1p' "$TMP/fetch" | masked)"
	fails_with "$untrusted: it is for site.test, not for other.test" https://other.test/
	fails_with "$untrusted: it expired on $(expiry old '+%F %T') UTC" https://old.test:444/
	fails_with "$untrusted: it expired on $(expiry old '+%F %T') UTC; it is for old.test, not for site.test" https://site.test:444/
	fails_with "$untrusted: it is signed by itself" https://site.test:445/
	fails_with "tls: the TLS handshake failed: the server does not speak TLS on this port" https://site.test:80/
	fails_with "tls: closed by the server in the TLS handshake" https://site.test:8002/
	fails_with "tls: reset by the server in the TLS handshake" https://site.test:8001/
	fails_with "tls: time-out: the TLS handshake has stopped for T" --timeout 1s https://site.test:8006/
	fetch --insecure https://other.test/
	check_equal "--insecure: it comes" 0 $?
	check "--insecure: what is wrong is said" grep -q 'wrong: it is for site.test, not for other.test' "$TMP/fetch"
	cp "$TMP/own.pem" "$TMP/ca.pem"
	fails_with "$untrusted: no authority that this host trusts has issued it (issuer: Test authority)" https://site.test/
}

# expiry NAME FORMAT
expiry() {
	date -u -d "$(openssl x509 -in "$TMP/$1.pem" -noout -enddate | cut -d= -f2)" "$2"
}

expected_tls() {
	echo "   tls T   TLS1.3, AES-256-GCM, ALPN http/1.1"
	echo "                                           for site.test, until $(expiry site +%F), issued by Test authority"
}

play_redirects() {
	fetch http://10.99.0.1:8008/
	check_equal "a redirect without -L is a page" "1 302" \
		"$(grep -c '^D' "$TMP/fetch") $(sed -nE 's/^D .*HTTP.1.1 ([0-9]+).*/\1/p' "$TMP/fetch")"
	fetch -L http://10.99.0.1:8008/
	check_equal "-L: each page has its steps" "302 200" "$(sed -nE 's/^D .*HTTP.1.1 ([0-9]+).*/\1/p' "$TMP/fetch" | paste -sd' ')"
	fetch -L http://10.99.0.1:8009/
	check_equal "-L in a loop: exit status" 1 $?
	check_equal "-L in a loop: it ends" "synwarden: fetch: not followed: more than 10 redirects, the next one to \
http://site.test:8009/" "$(grep 'not followed' "$TMP/fetch")"
}

# libcurl is in the one program alone.
play_linking() {
	check "synwarden does not load libcurl" test -z "$(ldd "$SYNWARDEN" | grep curl)"
	check "synwarden-net does" test -n "$(ldd "$BUILD/synwarden-net" | grep curl)"
	cp "$SYNWARDEN" "$TMP/synwarden"
	check_equal "without synwarden-net it is said where it should be" \
		"synwarden: cannot start $TMP/../lib/synwarden/synwarden-net: No such file or directory" \
		"$("$TMP/synwarden" fetch http://10.99.0.1/ 2>&1)"
}

net_up
make_etc
start_servers
play_page
play_json
play_names
play_connect
play_drops
play_answers
play_tls
play_redirects
play_linking
finish
