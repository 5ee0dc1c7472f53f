/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the packet filter of this namespace does to the destination of a SYN, as far as its rules tell: rules of
 * nftables, of iptables in both its forms, and services of IPVS. Nothing is changed.
 */
#ifndef SYNWARDEN_SYSTEM_REDIRECTS_H
#define SYNWARDEN_SYSTEM_REDIRECTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REDIRECTS_MAX	  32
#define REDIRECT_PORTS	  65536
#define REDIRECT_UNSURE	  64
#define REDIRECT_PORT_LEN 16

/* A rule that hands SYNs to another port of this host (REDIRECT, or DNAT to a local address): they reach a listener
 * that is not on the port that they name. */
struct redirect {
	uint16_t port; /* 0: the rule does not say which, or names several */
	uint16_t to;   /* 0: the rule does not say which */
};

struct redirects {
	struct redirect all[REDIRECTS_MAX]; /* the first ones */
	size_t count;
	uint8_t translated[REDIRECT_PORTS /
			   8];	      /* a bit for each port whose SYNs a rule may hand to another port or host */
	bool masquerades;	      /* a rule may change the source of what this host forwards or sends */
	char unsure[REDIRECT_UNSURE]; /* why any port may be translated; "": only those may */
};

/* 0, or a negative errno: without CAP_NET_ADMIN nothing can be read. */
int redirects__read(struct redirects *redirects);

/* "port 85"; "other ports" where the rule does not say which. `before`: "port " or "". */
const char *redirects__port(char buf[REDIRECT_PORT_LEN], const char *before, uint16_t port);

/* Changes with any change of nftables, and with most of iptables-legacy; 0 where nothing can be told. */
uint64_t redirects__version(void);

/* Notes why any port may be translated; the first reason stays. */
void redirects__unsure(struct redirects *redirects, const char *why);

/* Whether SYNs to the port may reach another port or host; `port` in host order. */
bool redirects__may_translate(const struct redirects *redirects, uint16_t port);

#endif
