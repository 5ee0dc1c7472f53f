/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A `run` at work: what it was asked for, what it holds, how it begins, how it keeps to its interfaces, and how
 * it takes a new configuration.
 * Functions return 0, or -1 after a message, unless said otherwise.
 */
#ifndef SYNWARDEN_RUN_H
#define SYNWARDEN_RUN_H

#include <bpf/libbpf.h>

#include "attack.h"
#include "census.h"
#include "conf.h"
#include "config.h"
#include "defence.h"
#include "guard.h"
#include "metrics.h"
#include "pins.h"
#include "propose.h"
#include "snapshot.h"

/* What the file and the command line say together: the command line wins. */
struct settings {
	struct conf conf;
	struct run_options options;
	const char *file; /* NULL: there is none */
	const char *interfaces[META_INTERFACES];
	size_t interface_count;
};

struct run {
	int argc;
	char **argv;
	struct settings *settings;  /* those of the last reload */
	struct settings *started;   /* those of the start, by which the endpoint goes on */
	uint64_t begun_ns;	    /* CLOCK_REALTIME */
	struct run_options options; /* in force */
	struct pins pins;
	struct attacks *attacks;
	struct defence defence;
	struct ring_buffer *alerts;
	struct proposal *proposal; /* of a dry run */
	bool alerted;
	struct guard *guard;
	struct metrics *metrics;
	struct census_clock census;
	struct meta meta;
	bool locked;	     /* the pins are ours to change */
	bool former;	     /* they hold what a former run left */
	bool goes_on;	     /* with its maps */
	bool stale;	     /* they do not show which interfaces are filtered now */
	bool reload_refused; /* the last one */
	bool taken_over[META_INTERFACES];
	unsigned retry[META_INTERFACES]; /* seconds until an interface that is back, and refused the filter, is tried
					    again */
	struct snapshot *before, *now;
};

/*
 * Reads `file`, or where it is NULL the one that the command line names, or the default one where it exists; and the
 * command line. The exit code; *settings is NULL where it is not 0.
 */
int settings__read(struct settings **settings, const char *file, int argc, char **argv);
void settings__free(struct settings *settings);

/* What the endpoint is made of. */
struct http_options run__endpoint(const struct run_options *options);
/* By name; each once. */
int run__find_interfaces(struct run *run, const char *const *names, size_t count);
/* Filters on them, taking over the links of a former run. */
int run__attach_interfaces(struct run *run);
/* Lets go of those that are gone, and filters on those that are back; to be called now and then. */
int run__follow_interfaces(struct run *run);
/* Loads or takes over, attaches, pins, serves. */
int run__start(struct run *run);
/* What the options in force and the state say to the other commands. */
int run__write_meta(struct run *run);

/* Reads the configuration again and applies it. Where it is not valid, or cannot be applied, nothing is changed: -1. */
int reload__do(struct run *run);

#endif
