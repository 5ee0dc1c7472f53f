// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rules that are not for TCP are left out. What a rule matches beside protocol and port makes it stricter, and is not
 * read: a port that it names may be translated.
 */
#include <string.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <linux/netfilter/nf_nat.h>
#include <linux/netfilter/xt_tcpudp.h>

#include "system/nat_rule.h"

#define LOOPBACK_NET 127

static bool is_here(const struct nat_reading *reading, const struct nat_rule *rule)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

	if (!rule->has_address)
		return true;
	if (!memcmp(rule->address.bytes, mapped, sizeof(mapped)) && rule->address.bytes[12] == LOOPBACK_NET)
		return true;
	return !memcmp(rule->address.bytes, &in6addr_loopback, sizeof(in6addr_loopback)) ||
	       local_net__has(&reading->net, &rule->address);
}

void nat_rule__note(struct nat_reading *reading, const struct nat_rule *rule)
{
	struct redirects *redirects = reading->redirects;

	redirects->masquerades |= rule->masquerades && (!rule->protocol || rule->protocol == IPPROTO_TCP);
	if (!rule->translates || (rule->protocol && rule->protocol != IPPROTO_TCP))
		return;
	if (rule->port)
		redirects->translated[rule->port / 8] |= 1 << rule->port % 8;
	else
		redirects__unsure(redirects, "a rule that translates names no single port");
	if (!rule->moves_port || (rule->port && rule->port == rule->to) || !is_here(reading, rule) ||
	    redirects->count == REDIRECTS_MAX)
		return;
	redirects->all[redirects->count++] = (struct redirect){rule->port, rule->to};
}

void nat_rule__match(struct nat_rule *rule, const char *name, const void *info, size_t bytes)
{
	const struct xt_tcp *tcp = info;

	if (!strcmp(name, "udp"))
		rule->protocol = IPPROTO_UDP;
	if (strcmp(name, "tcp") || bytes < sizeof(*tcp))
		return;
	rule->protocol = IPPROTO_TCP;
	if (tcp->dpts[0] == tcp->dpts[1] && !(tcp->invflags & XT_TCP_INV_DSTPT))
		rule->port = tcp->dpts[0];
}

/* To the first address and port of a range. */
static void read_range(struct nat_rule *rule, int family, const struct nf_nat_range *range)
{
	rule->moves_port = range->flags & NF_NAT_RANGE_PROTO_SPECIFIED;
	rule->to = rule->moves_port ? ntohs(range->min_proto.all) : 0;
	rule->has_address |= !!(range->flags & NF_NAT_RANGE_MAP_IPS);
	if (family == AF_INET6)
		memcpy(rule->address.bytes, &range->min_addr, sizeof(rule->address.bytes));
	else
		rule->address.words[2] = htonl(0xffff), rule->address.words[3] = range->min_addr.ip;
}

/* REDIRECT of IPv4, and DNAT of old, have a struct of their own. */
static void read_old_range(struct nat_rule *rule, const struct nf_nat_ipv4_range *old)
{
	const struct nf_nat_range range = {
		.flags = old->flags, .min_addr.ip = old->min_ip, .min_proto = old->min, .max_proto = old->max};

	read_range(rule, AF_INET, &range);
}

void nat_rule__target(struct nat_rule *rule, int family, const char *name, const void *info, size_t bytes)
{
	const struct nf_nat_ipv4_multi_range_compat *old = info;

	rule->masquerades |= !strcmp(name, "MASQUERADE") || !strcmp(name, "SNAT") || !strcmp(name, "NETMAP");
	rule->translates |= !strcmp(name, "TPROXY") || !strcmp(name, "NETMAP") || !strcmp(name, "CLUSTERIP");
	if (strcmp(name, "REDIRECT") && strcmp(name, "DNAT"))
		return;
	rule->translates = true;
	rule->has_address = !strcmp(name, "DNAT");
	if (bytes >= sizeof(struct nf_nat_range))
		read_range(rule, family, info);
	else if (bytes >= sizeof(*old))
		read_old_range(rule, &old->range[0]);
}
