/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One rule that may change the destination of a SYN, as those who read rules (redirects.c, redirects_legacy.c) hand it
 * on.
 */
#ifndef SYNWARDEN_SYSTEM_NAT_RULE_H
#define SYNWARDEN_SYSTEM_NAT_RULE_H

#include "system/local_net.h"
#include "system/redirects.h"
#include "types.h"

struct nat_rule {
	uint8_t protocol;    /* that it is for; 0: any, or unknown */
	uint16_t port;	     /* that it is for, host order; 0: any, or unknown */
	bool translates;     /* it changes the destination, or hands the SYN to a socket that it chooses */
	bool has_address;    /* to an address, which may be another host's */
	bool moves_port;     /* to another port */
	uint16_t to;	     /* that port, host order; 0: unknown */
	struct addr address; /* IPv4 as v4-mapped; all 0: unknown */
	bool masquerades;    /* it changes the source */
};

struct nat_reading {
	struct redirects *redirects;
	struct local_net net; /* what is this host's */
};

/* Notes what the rule does to SYNs. */
void nat_rule__note(struct nat_reading *reading, const struct nat_rule *rule);

/* What the match `name` of iptables says of protocol and port. */
void nat_rule__match(struct nat_rule *rule, const char *name, const void *info, size_t bytes);
/* What the target `name` of iptables does; `family`: AF_INET or AF_INET6. */
void nat_rule__target(struct nat_rule *rule, int family, const char *name, const void *info, size_t bytes);

/* Reads the tables of iptables-legacy that this namespace has; makes none. Returns how many bytes they have; with NULL,
 * that alone. */
uint32_t redirects_legacy__read(struct nat_reading *reading);

#endif
