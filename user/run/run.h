/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Module run is a running `run`, from its start to its end. It may include endpoint, stream, server, output, kernel,
 * config, system and text.
 *
 * The state of a `run`: its settings and what it holds. One file each starts it, keeps it on its interfaces, reloads
 * it, and tells the other commands of it; the judges (attack, census, propose, armed_sysctls) run once a second.
 */
#ifndef SYNWARDEN_RUN_RUN_H
#define SYNWARDEN_RUN_RUN_H

#include <bpf/libbpf.h>

#include "config/settings.h"
#include "endpoint/endpoint.h"
#include "kernel/links.h"
#include "kernel/list_set.h"
#include "kernel/pins.h"
#include "kernel/programs.h"
#include "kernel/snapshot.h"
#include "run/armed_sysctls.h"
#include "run/attack.h"
#include "run/census.h"
#include "run/kept_events.h"
#include "run/kept_lists.h"
#include "run/propose.h"
#include "run/state_log.h"
#include "system/state_folder.h"

struct run {
	int argc;
	char **argv;
	struct settings *settings; /* in force */
	uint64_t begun_ns;	   /* CLOCK_REALTIME */
	struct pins pins;
	struct attacks *attacks;
	struct usual *usual;
	struct protection protection; /* of `now` */
	struct state_log state_log;
	struct served_watch *served;
	struct port_slots *slots;
	struct auto_protect *auto_protect;
	struct forwarding *forwarding;
	uint32_t protect_flags; /* what it says, of enum meta_flag */
	struct armed_sysctls armed_sysctls;
	struct ring_buffer *alerts;
	struct proposal *proposal; /* of a dry run */
	bool alerted;
	struct programs *programs;
	struct list_set own, fleet; /* lists; the latter only where they are configured */
	struct list_pass own_pass, fleet_pass;
	int former_fleet; /* control of the fleet's lists that a former run pinned, and this one does not go on with;
			   * -1: none */
	struct links links;
	struct metrics *metrics;
	struct census_clock census;
	struct state_folder state;
	struct kept_lists kept;
	struct kept_events events;
	struct meta meta;
	bool locked;		    /* this process may change the pins */
	bool has_old_pins;	    /* of a former run */
	bool reuses_maps;	    /* those of the former run */
	bool reuses_lists;	    /* their entries, whatever the layout of the rest */
	bool pins_outdated;	    /* they do not show which interfaces are filtered now */
	bool confined;		    /* by Landlock */
	bool counts_http;	    /* its programs are attached */
	bool reload_refused;	    /* the last reload */
	bool list_failed[LIST_MAX]; /* the list has no room for what the settings name */
	bool taken_over[META_INTERFACES];
	struct {
		int watch;	  /* readable when this host's addresses may have changed; -1: not open */
		bool changed;	  /* they have, since the filter learnt of them */
		uint64_t told_ns; /* CLOCK_MONOTONIC at which it was */
	} addresses;
	unsigned retry[META_INTERFACES]; /* seconds until attaching is tried again on an interface that is back and
					    refused the filter */
	struct snapshot *before, *now;
};

#endif
