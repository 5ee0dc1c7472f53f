/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The options of `run`: one struct for the command line and the configuration file.
 */
#ifndef SYNWARDEN_CONFIG_RUN_OPTIONS_H
#define SYNWARDEN_CONFIG_RUN_OPTIONS_H

#include "config/options.h"
#include "text/address.h"
#include "types.h"

#define CONFIG_FILE	"/etc/synwarden.conf"
#define PORT_BUDGET_MAX 10000000

/* The rule of one port. */
struct port_options {
	uint16_t port;
	bool has_budget;
	bool has_challenge;
	bool has_stray_budget;
	uint32_t budget;       /* SYN/s; 0: off */
	uint32_t challenge;    /* enum challenge */
	uint32_t stray_budget; /* segments/s; 0: off */
};

struct run_options {
	const char *config; /* the file; NULL: the default one, where it exists */
	bool dry_run;
	uint32_t source_limit; /* SYN/s; 0: off */
	uint32_t port_budget;  /* SYN/s; 0: off */
	uint32_t challenge;    /* enum challenge */
	uint32_t stray_budget; /* segments/s; 0: off */
	const char *protect;
	bool harden;
	uint32_t max_entries;	/* of each of the two lists */
	uint32_t fleet_entries; /* of each list of the fleet; 0: the file has no [sync] */
	uint32_t http;		/* 1: on */
	uint32_t xdp_mode;	/* enum xdp_mode */
	struct listen_at listen;
	const char *tls_cert, *tls_key, *auth_file, *hosts; /* of the endpoint; see struct server_options */
	uint32_t seconds;
	bool keep;
	bool quiet;
	struct port_options *ports; /* of the file */
	size_t port_count;
};

/* The options of `run`; all but --config are also keys of the file. */
extern const struct option_table run_options__options;

/* The defaults, and zero where there is none. */
void run_options__defaults(struct run_options *options);

#endif
