// SPDX-License-Identifier: GPL-2.0-only
/*
 * A question about a packet -> a frame for explain_packet -> its answer.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>

#include "kernel/explain.h"
#include "system/clock.h"
#include "text/address.h"
#include "text/log.h"
#include "text/print.h"

#define SUM_LEN 64
#define SYN_LEN 74 /* Ethernet, IPv6, TCP: the longest */

int explain__frame(int program, unsigned ifindex, const void *frame, size_t len, size_t linear,
		   struct explanation *answer)
{
	size_t total = sizeof(*answer) + len;
	uint8_t *data = malloc(total);
	struct xdp_md ctx = {.data = sizeof(*answer), .data_end = sizeof(*answer) + linear, .ingress_ifindex = ifindex};
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = data, .data_out = data, .data_size_in = total,
		    .data_size_out = total, .ctx_in = &ctx, .ctx_size_in = sizeof(ctx));
	int ret = -1;

	if (!data)
		return -1;
	memcpy(data, answer, sizeof(*answer));
	memcpy(data + sizeof(*answer), frame, len);
	errno = EPROTO;
	if (bpf_prog_test_run_opts(program, &run) == 0 && run.retval == XDP_PASS) {
		memcpy(answer, data, sizeof(*answer));
		ret = 0;
	}
	free(data);
	return ret;
}

/* RFC 1071, of up to SUM_LEN bytes in network order; not complemented. */
static uint16_t sum16(const void *bytes, size_t len)
{
	uint8_t at[SUM_LEN] = {};
	uint32_t sum = 0;

	memcpy(at, bytes, len);
	for (size_t i = 0; i < len; i++)
		sum += i & 1 ? at[i] : at[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

/* As a local sender leaves it: the sum of the pseudo-header alone. */
static uint16_t partial_sum(const struct explain_syn *syn, size_t len)
{
	uint8_t pseudo[2 * sizeof(struct addr) + 4] = {}; /* the first halves of mapped addresses add up to nothing */
	uint16_t rest[] = {htons(len), htons(IPPROTO_TCP)};

	memcpy(pseudo, &syn->from, sizeof(syn->from));
	memcpy(pseudo + sizeof(syn->from), &syn->to, sizeof(syn->to));
	memcpy(pseudo + 2 * sizeof(syn->from), rest, sizeof(rest));
	return htons(sum16(pseudo, sizeof(pseudo)));
}

/* Returns its length. The destination MAC address is zero: one that reaches this host. */
static size_t build_syn(uint8_t frame[SYN_LEN], const struct explain_syn *syn)
{
	struct tcphdr tcp = {
		.source = htons(syn->from_port), .dest = htons(syn->port), .doff = sizeof(tcp) / 4, .syn = 1};
	struct ethhdr eth = {.h_proto = htons(print_is_v4(&syn->from) ? ETH_P_IP : ETH_P_IPV6)};
	struct iphdr ip = {.version = 4,
			   .ihl = sizeof(ip) / 4,
			   .tot_len = htons(sizeof(ip) + sizeof(tcp)),
			   .ttl = 64,
			   .protocol = IPPROTO_TCP,
			   .saddr = syn->from.words[3],
			   .daddr = syn->to.words[3]};
	struct ipv6hdr ip6 = {.version = 6, .payload_len = htons(sizeof(tcp)), .nexthdr = IPPROTO_TCP, .hop_limit = 64};
	size_t len = sizeof(eth);

	ip.check = htons(~sum16(&ip, sizeof(ip)));
	tcp.check = partial_sum(syn, sizeof(tcp));
	memcpy(frame, &eth, sizeof(eth));
	memcpy(&ip6.saddr, &syn->from, sizeof(ip6.saddr));
	memcpy(&ip6.daddr, &syn->to, sizeof(ip6.daddr));
	if (print_is_v4(&syn->from)) {
		memcpy(frame + len, &ip, sizeof(ip));
		len += sizeof(ip);
	} else {
		memcpy(frame + len, &ip6, sizeof(ip6));
		len += sizeof(ip6);
	}
	memcpy(frame + len, &tcp, sizeof(tcp));
	return len + sizeof(tcp);
}

int explain__syn(int program, const struct explain_syn *syn, struct explanation *answer)
{
	char buf[IF_NAMESIZE];
	const char *name = syn->ifindex ? if_indextoname(syn->ifindex, buf) : "lo";
	uint8_t frame[SYN_LEN];
	size_t len = build_syn(frame, syn);

	*answer = (struct explanation){.burst = syn->burst};
	if (explain__frame(program, syn->ifindex, frame, len, len, answer) == 0)
		return 0;
	log_error("cannot ask the filter on %s: %s", name ? name : "an interface that is gone", strerror(errno));
	return -1;
}

static bool is_zero(const struct addr *addr)
{
	return !addr->halves[0] && !addr->halves[1];
}

static bool same_family(const struct addr *a, const struct addr *b)
{
	return print_is_v4(a) == print_is_v4(b);
}

static struct addr addr_of(const struct sockaddr *sa)
{
	struct addr addr = {.words[2] = htonl(0xffff)};

	if (sa->sa_family == AF_INET)
		addr.words[3] = ((const struct sockaddr_in *)(const void *)sa)->sin_addr.s_addr;
	else
		memcpy(&addr, &((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr, sizeof(addr));
	return addr;
}

/* The first address of the interface in the family of `like`; where there is none, the wildcard. */
static struct addr own_address(unsigned ifindex, const struct addr *like)
{
	struct addr found = {.words[2] = print_is_v4(like) ? htonl(0xffff) : 0};
	struct ifaddrs *all = NULL;

	getifaddrs(&all);
	for (const struct ifaddrs *at = all; at; at = at->ifa_next) {
		struct addr addr;

		if (!at->ifa_addr || (at->ifa_addr->sa_family != AF_INET && at->ifa_addr->sa_family != AF_INET6))
			continue;
		addr = addr_of(at->ifa_addr);
		if (same_family(&addr, like) && if_nametoindex(at->ifa_name) == ifindex) {
			found = addr;
			break;
		}
	}
	freeifaddrs(all);
	return found;
}

/* What explain__any() looks for, and the first answer that it got. */
struct search {
	int program;
	const struct maps *maps;
	struct explain_syn *syn, first;
	struct explanation *answer, first_answer;
	bool has_first;
};

/* 1: this one is served; 0: go on; -1 after a message. */
static int try(struct search *search)
{
	if (explain__syn(search->program, search->syn, search->answer))
		return -1;
	if (search->answer->reason != REASON_NOT_SERVED && search->answer->reason != REASON_NOT_LOCAL)
		return 1;
	if (!search->has_first) {
		search->has_first = true;
		search->first = *search->syn;
		search->first_answer = *search->answer;
	}
	return 0;
}

/* Tries the addresses that a map names on syn->port. */
static int try_map(struct search *search, int map)
{
	struct explain_syn *syn = search->syn;
	struct served key;
	int err, ret = 0;

	for (err = bpf_map_get_next_key(map, NULL, &key); !err && !ret; err = bpf_map_get_next_key(map, &key, &key)) {
		memcpy(syn->to.words, key.words, sizeof(key.words));
		if (key.port == syn->port && !is_zero(&syn->to) && same_family(&syn->to, &syn->from))
			ret = try(search);
	}
	return ret;
}

/* Tries the addresses that are served on syn->port; where --protect names the port alone, the interface's own. */
static int try_addresses(struct search *search)
{
	int ret = try_map(search, search->maps->protected) ?: try_map(search, search->maps->served);

	if (ret)
		return ret;
	search->syn->to = own_address(search->syn->ifindex, &search->syn->from);
	return try(search);
}

static int try_ports(struct search *search, const struct snapshot *snapshot, bool any_address)
{
	struct explain_syn *syn = search->syn;
	int ret = 0;

	for (size_t i = 1; i < snapshot->port_count && !ret; i++) {
		if (!snapshot->ports[i].armed)
			continue;
		syn->port = snapshot->ports[i].port;
		ret = any_address ? try_addresses(search) : try(search);
	}
	if (ret || search->has_first)
		return ret;
	/* No port is armed: the port makes no difference. */
	syn->port = snapshot->port_count > 1 ? snapshot->ports[1].port : 1;
	return any_address ? try_addresses(search) : try(search);
}

int explain__any(int program, const struct maps *maps, const struct snapshot *snapshot, struct explain_syn *syn,
		 struct explanation *answer)
{
	struct search search = {.program = program, .maps = maps, .syn = syn, .answer = answer};
	bool any_address = is_zero(&syn->to);
	int ret;

	if (!syn->port)
		ret = try_ports(&search, snapshot, any_address);
	else
		ret = any_address ? try_addresses(&search) : try(&search);
	if (ret)
		return ret < 0 ? -1 : 0;
	*syn = search.first;
	*answer = search.first_answer;
	return 0;
}

struct prefix explain__entry(const struct addr *from, const struct explanation *answer)
{
	/* The length is of the entry's value, which on a fleet list another process wrote. */
	struct prefix prefix = {.prefixlen = answer->prefixlen < 128 ? answer->prefixlen : 128};

	for (unsigned i = 0; i < prefix.prefixlen; i++)
		((uint8_t *)prefix.words)[i / 8] |= from->bytes[i / 8] & 0x80 >> i % 8;
	return prefix;
}

char *explain__listed(char text[EXPLAIN_LISTED_LEN], const struct addr *from, const struct explanation *answer,
		      const char *list)
{
	char entry[PRINT_PREFIX_LEN], left[PRINT_NUMBER_LEN];
	struct prefix prefix = explain__entry(from, answer);
	uint64_t now = clock__now(), until = answer->until_ns;

	snprintf(text, EXPLAIN_LISTED_LEN, "%s is on the %s list%s%s", print_prefix(entry, &prefix), list,
		 until ? " for another " : "", until ? print_duration(left, until > now ? until - now : 0) : "");
	return text;
}
