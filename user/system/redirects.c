// SPDX-License-Identifier: GPL-2.0-only
/*
 * A rule of nftables is a list of expressions that work on registers: protocol and port are loaded into one and
 * compared, the other address and port are put into others, and "redir" or "nat" names those. iptables-nft has matches
 * and targets in place of some, with iptables' own structs.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <linux/netfilter/nfnetlink.h>

#include "system/nat_rule.h"
#include "system/netlink.h"
#include "system/redirects.h"

#define PORT_AT	       2 /* of the destination port in a TCP header */
#define IPV4_PROTO_AT  9
#define IPV6_NEXT_AT   6
#define REGISTERS      32
#define REGISTER_BYTES 16
#define IPVS_SERVICES  "/proc/net/ip_vs"
#define LINE_LEN       128

/* What has been read of one rule. */
struct expressions {
	struct nat_rule rule;
	int family;		/* of its table: AF_INET, AF_INET6, or another for both */
	uint32_t port_register; /* holds the destination port; 0: none does */
	uint32_t protocol_register;
	struct {
		uint8_t bytes[REGISTER_BYTES];
		size_t length;
	} values[REGISTERS];
};

static uint32_t number(const struct nlattr *attribute)
{
	return attribute ? ntohl(mnl_attr_get_u32(attribute)) : 0;
}

/* Copies a NFTA_DATA_VALUE; returns how many bytes. */
static size_t read_value(uint8_t *bytes, const struct nlattr *data)
{
	const struct nlattr *found[NFTA_DATA_MAX + 1];
	size_t length;

	netlink__nested(found, NFTA_DATA_MAX + 1, data);
	length = found[NFTA_DATA_VALUE] ? mnl_attr_get_payload_len(found[NFTA_DATA_VALUE]) : 0;
	if (!length || length > REGISTER_BYTES)
		return 0;
	memcpy(bytes, mnl_attr_get_payload(found[NFTA_DATA_VALUE]), length);
	return length;
}

/* What a register was filled with otherwise is not known any more. */
static void loads(struct expressions *e, uint32_t into)
{
	e->values[into % REGISTERS].length = 0;
	if (e->port_register == into)
		e->port_register = 0;
	if (e->protocol_register == into)
		e->protocol_register = 0;
}

static void read_payload(struct expressions *e, const struct nlattr *data)
{
	const struct nlattr *found[NFTA_PAYLOAD_MAX + 1];
	uint32_t base, offset, length, into;

	netlink__nested(found, NFTA_PAYLOAD_MAX + 1, data);
	base = number(found[NFTA_PAYLOAD_BASE]);
	offset = number(found[NFTA_PAYLOAD_OFFSET]);
	length = number(found[NFTA_PAYLOAD_LEN]);
	into = number(found[NFTA_PAYLOAD_DREG]);
	loads(e, into);
	if (base == NFT_PAYLOAD_TRANSPORT_HEADER && offset == PORT_AT && length == 2)
		e->port_register = into;
	if (base == NFT_PAYLOAD_NETWORK_HEADER && length == 1 &&
	    offset == (e->family == AF_INET ? IPV4_PROTO_AT : IPV6_NEXT_AT))
		e->protocol_register = into;
}

static void read_meta(struct expressions *e, const struct nlattr *data)
{
	const struct nlattr *found[NFTA_META_MAX + 1];

	netlink__nested(found, NFTA_META_MAX + 1, data);
	if (!found[NFTA_META_DREG])
		return;
	loads(e, number(found[NFTA_META_DREG]));
	if (number(found[NFTA_META_KEY]) == NFT_META_L4PROTO)
		e->protocol_register = number(found[NFTA_META_DREG]);
}

static void read_compare(struct expressions *e, const struct nlattr *data)
{
	const struct nlattr *found[NFTA_CMP_MAX + 1];
	uint8_t bytes[REGISTER_BYTES] = {};
	uint32_t from;

	netlink__nested(found, NFTA_CMP_MAX + 1, data);
	from = number(found[NFTA_CMP_SREG]);
	if (!from || number(found[NFTA_CMP_OP]) != NFT_CMP_EQ || !read_value(bytes, found[NFTA_CMP_DATA]))
		return;
	if (from == e->port_register)
		e->rule.port = bytes[0] << 8 | bytes[1];
	if (from == e->protocol_register)
		e->rule.protocol = bytes[0];
}

static void read_immediate(struct expressions *e, const struct nlattr *data)
{
	const struct nlattr *found[NFTA_IMMEDIATE_MAX + 1];
	uint32_t into;

	netlink__nested(found, NFTA_IMMEDIATE_MAX + 1, data);
	into = number(found[NFTA_IMMEDIATE_DREG]);
	loads(e, into);
	e->values[into % REGISTERS].length = read_value(e->values[into % REGISTERS].bytes, found[NFTA_IMMEDIATE_DATA]);
}

/* The port that a register holds; 0: it is not known, as one that comes from a map. */
static uint16_t port_in(const struct expressions *e, uint32_t from)
{
	const uint8_t *bytes = e->values[from % REGISTERS].bytes;

	return e->values[from % REGISTERS].length >= 2 ? bytes[0] << 8 | bytes[1] : 0;
}

static void read_redirect(struct expressions *e, const struct nlattr *data)
{
	const struct nlattr *found[NFTA_REDIR_MAX + 1];

	netlink__nested(found, NFTA_REDIR_MAX + 1, data);
	e->rule.translates = true;
	e->rule.moves_port = found[NFTA_REDIR_REG_PROTO_MIN];
	e->rule.to = port_in(e, number(found[NFTA_REDIR_REG_PROTO_MIN]));
}

static void read_nat(struct expressions *e, const struct nlattr *data)
{
	const struct nlattr *found[NFTA_NAT_MAX + 1];
	uint32_t from;

	netlink__nested(found, NFTA_NAT_MAX + 1, data);
	e->rule.masquerades |= number(found[NFTA_NAT_TYPE]) != NFT_NAT_DNAT;
	if (number(found[NFTA_NAT_TYPE]) != NFT_NAT_DNAT)
		return;
	e->rule.translates = true;
	e->rule.moves_port = found[NFTA_NAT_REG_PROTO_MIN];
	e->rule.to = port_in(e, number(found[NFTA_NAT_REG_PROTO_MIN]));
	e->rule.has_address = found[NFTA_NAT_REG_ADDR_MIN];
	from = number(found[NFTA_NAT_REG_ADDR_MIN]) % REGISTERS;
	if (e->values[from].length == sizeof(e->rule.address.bytes)) {
		memcpy(e->rule.address.bytes, e->values[from].bytes, sizeof(e->rule.address.bytes));
	} else if (e->values[from].length == sizeof(e->rule.address.words[3])) {
		e->rule.address.words[2] = htonl(0xffff);
		memcpy(&e->rule.address.words[3], e->values[from].bytes, sizeof(e->rule.address.words[3]));
	}
}

/* Hands the SYN to a socket that the rule chooses. */
static void read_tproxy(struct expressions *e, const struct nlattr *data)
{
	(void)data;
	e->rule.translates = true;
}

static void read_masquerade(struct expressions *e, const struct nlattr *data)
{
	(void)data;
	e->rule.masquerades = true;
}

static void read_match(struct expressions *e, const struct nlattr *data)
{
	const struct nlattr *found[NFTA_MATCH_MAX + 1], *info;
	char name[16];

	netlink__nested(found, NFTA_MATCH_MAX + 1, data);
	netlink__string(name, sizeof(name), found[NFTA_MATCH_NAME]);
	info = found[NFTA_MATCH_INFO];
	if (info)
		nat_rule__match(&e->rule, name, mnl_attr_get_payload(info), mnl_attr_get_payload_len(info));
}

static void read_target(struct expressions *e, const struct nlattr *data)
{
	const struct nlattr *found[NFTA_TARGET_MAX + 1], *info;
	char name[16];

	netlink__nested(found, NFTA_TARGET_MAX + 1, data);
	netlink__string(name, sizeof(name), found[NFTA_TARGET_NAME]);
	info = found[NFTA_TARGET_INFO];
	if (info)
		nat_rule__target(&e->rule, e->family, name, mnl_attr_get_payload(info), mnl_attr_get_payload_len(info));
}

static void read_expression(struct expressions *e, const struct nlattr *expression)
{
	static const struct {
		const char *name;
		void (*read)(struct expressions *e, const struct nlattr *data);
	} kinds[] = {
		{"payload", read_payload},     {"meta", read_meta},	 {"cmp", read_compare},
		{"immediate", read_immediate}, {"redir", read_redirect}, {"nat", read_nat},
		{"tproxy", read_tproxy},       {"match", read_match},	 {"target", read_target},
		{"masq", read_masquerade},     {"fwd", read_tproxy},
	};
	const struct nlattr *found[NFTA_EXPR_MAX + 1];
	char name[16];

	netlink__nested(found, NFTA_EXPR_MAX + 1, expression);
	netlink__string(name, sizeof(name), found[NFTA_EXPR_NAME]);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (!strcmp(name, kinds[i].name))
			kinds[i].read(e, found[NFTA_EXPR_DATA]);
}

static int read_rule(const struct nlmsghdr *message, void *context)
{
	const struct nfgenmsg *header = mnl_nlmsg_get_payload(message);
	const struct nlattr *found[NFTA_RULE_MAX + 1], *expression;
	struct expressions e = {.family = header->nfgen_family};
	struct nat_reading *reading = context;

	netlink__attributes(found, NFTA_RULE_MAX + 1, message, sizeof(*header));
	if (!found[NFTA_RULE_EXPRESSIONS])
		return MNL_CB_OK;
	mnl_attr_for_each_nested(expression, found[NFTA_RULE_EXPRESSIONS]) read_expression(&e, expression);
	nat_rule__note(reading, &e.rule);
	return MNL_CB_OK;
}

/* A line for each service begins with "TCP ADDRESS:PORT" or, for marked packets, "FWM"; numbers are in hex. */
static void read_ipvs(struct nat_reading *reading)
{
	FILE *file = fopen(IPVS_SERVICES, "re");
	char line[LINE_LEN];

	while (file && fgets(line, sizeof(line), file)) {
		struct nat_rule rule = {.protocol = IPPROTO_TCP, .translates = true};
		char *port = strrchr(line, ':');

		if (!strncmp(line, "TCP ", 4))
			rule.port = port ? strtoul(port + 1, NULL, 16) : 0;
		else if (strncmp(line, "FWM ", 4) != 0)
			continue;
		nat_rule__note(reading, &rule);
	}
	if (file)
		fclose(file);
}

/* 0 with no answer where this kernel has no nftables. */
static int ask(uint16_t type, uint16_t flags, mnl_cb_t answer, void *context)
{
	union netlink_request request;
	struct nlmsghdr *message = mnl_nlmsg_put_header(request.bytes);
	struct nfgenmsg *header = mnl_nlmsg_put_extra_header(message, sizeof(*header));
	int err;

	message->nlmsg_type = NFNL_SUBSYS_NFTABLES << 8 | type;
	message->nlmsg_flags = flags;
	*header = (struct nfgenmsg){.nfgen_family = AF_UNSPEC, .version = NFNETLINK_V0};
	err = netlink__ask(NETLINK_NETFILTER, message, answer, context);
	return err == -EINVAL || err == -EPROTONOSUPPORT ? 0 : err; /* this kernel has no nftables */
}

int redirects__read(struct redirects *redirects)
{
	struct nat_reading reading = {.redirects = redirects};
	int err, tries = 5;

	do {
		local_net__free(&reading.net);
		*redirects = (struct redirects){};
		err = local_net__read(&reading.net) ?: ask(NFT_MSG_GETRULE, NLM_F_DUMP, read_rule, &reading);
	} while (err == -EINTR && --tries); /* the rules changed meanwhile */
	redirects_legacy__read(&reading);
	read_ipvs(&reading);
	local_net__free(&reading.net);
	return err;
}

const char *redirects__port(char buf[REDIRECT_PORT_LEN], const char *before, uint16_t port)
{
	if (port)
		snprintf(buf, REDIRECT_PORT_LEN, "%s%u", before, port);
	else
		snprintf(buf, REDIRECT_PORT_LEN, "other ports");
	return buf;
}

static int read_generation(const struct nlmsghdr *message, void *context)
{
	const struct nlattr *found[NFTA_GEN_MAX + 1];

	netlink__attributes(found, NFTA_GEN_MAX + 1, message, sizeof(struct nfgenmsg));
	*(uint32_t *)context = number(found[NFTA_GEN_ID]);
	return MNL_CB_OK;
}

uint64_t redirects__version(void)
{
	uint32_t generation = 0;

	if (ask(NFT_MSG_GETGEN, 0, read_generation, &generation))
		return 0;
	return (uint64_t)generation << 32 | redirects_legacy__read(NULL);
}

void redirects__unsure(struct redirects *redirects, const char *why)
{
	if (!*redirects->unsure)
		snprintf(redirects->unsure, sizeof(redirects->unsure), "%s", why);
}

bool redirects__may_translate(const struct redirects *redirects, uint16_t port)
{
	return *redirects->unsure || redirects->translated[port / 8] & 1 << port % 8;
}
