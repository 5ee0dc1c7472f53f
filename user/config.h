/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What `run` was asked for -> what is frozen into the kernel side.
 */
#ifndef SYNWARDEN_CONFIG_H
#define SYNWARDEN_CONFIG_H

#include "options.h"
#include "types.h"

#define CONFIG_FILE	"/etc/synwarden.conf"
#define PORT_BUDGET_MAX 10000000

enum challenge {
	CHALLENGE_AUTO,
	CHALLENGE_OFF,
};

/* What a port has of its own. */
struct port_options {
	uint16_t port;
	bool has_budget;
	bool has_challenge;
	uint32_t budget;    /* SYN/s; 0: off */
	uint32_t challenge; /* enum challenge */
};

struct run_options {
	const char *config; /* the file; NULL: the default one, where it exists */
	bool dry_run;
	uint32_t source_limit; /* SYN/s; 0: off */
	uint32_t port_budget;  /* SYN/s; 0: off */
	uint32_t challenge;    /* enum challenge */
	const char *protect;
	bool harden;
	uint32_t xdp_mode; /* enum xdp_mode */
	struct listen_at listen;
	const char *tls_cert, *tls_key, *auth_file; /* of the endpoint; see struct http_options */
	uint32_t seconds;
	bool keep;
	bool quiet;
	const struct port_options *ports; /* of the file */
	size_t port_count;
};

/* The options of `run`; all but --config are also keys of the file. */
extern const struct option_table config__options;

void config__defaults(struct run_options *options);

/* -1 after a message. */
int config__make(struct config *config, const struct run_options *options);

/* Writes the rules of the ports that have one of their own; the map is new. -1 after a message. */
int config__rules(const struct config *config, const struct run_options *options, int map);

/* What was put into the served set, and was not there before. */
struct newly_served {
	struct served *all; /* free() it */
	size_t count;
};

/* Puts each of "[ADDR:]PORT[,...]" into the served set; NULL: nothing. -1 after a message: none is. */
int config__protect(const char *list, int map);
int config__protect_more(const char *list, int map, struct newly_served *added);
void config__unprotect(int map, const struct newly_served *added);

#endif
