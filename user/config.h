/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What `run` was asked for -> what is frozen into the kernel side.
 */
#ifndef SYNWARDEN_CONFIG_H
#define SYNWARDEN_CONFIG_H

#include "options.h"
#include "types.h"

#define PORT_BUDGET_MAX 10000000

enum challenge {
	CHALLENGE_AUTO,
	CHALLENGE_OFF,
};

struct run_options {
	bool dry_run;
	uint32_t source_limit; /* SYN/s; 0: off */
	uint32_t port_budget;  /* SYN/s; 0: off */
	uint32_t challenge;    /* enum challenge */
	const char *protect;
	bool harden;
	uint32_t xdp_mode; /* enum xdp_mode */
	struct listen_at listen;
	uint32_t seconds;
	bool keep;
	bool quiet;
};

/* -1 after a message. */
int config__make(struct config *config, const struct run_options *options);

/* Checks "[ADDR:]PORT[,...]" and, where `map` is not -1, puts each into the served set. -1 after a message. */
int config__protect(const char *list, int map);

#endif
