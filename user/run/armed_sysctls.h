/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sysctls while a port is armed: cookies always, and with --harden shorter time-outs of half-open connections,
 * timestamps that let cookies keep window scale and SACK, and a larger tcp_max_syn_backlog, for hosts where cookies
 * are turned off meanwhile.
 */
#ifndef SYNWARDEN_RUN_ARMED_SYSCTLS_H
#define SYNWARDEN_RUN_ARMED_SYSCTLS_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/maps.h"

struct armed_sysctls {
	bool harden;
	bool raised;
	bool hardened;		/* `harden` as it was when they were raised */
	bool ended;		/* all are restored, and none was changed since */
	uint64_t last_armed_ns; /* CLOCK_MONOTONIC */
	uint64_t retry_ns;	/* the same; a restore that failed is not tried again before */
};

/* Call it at once when a port is armed, and once a second. A setting that the kernel does not let us change is logged,
 * and does not fail. -1 after a message: the filter's own maps cannot be used. */
int armed_sysctls__update(struct armed_sysctls *state, const struct maps *maps);
/* The same for a dry run, which changes nothing, but may have to restore what a former `run` left changed. */
void armed_sysctls__rest(struct armed_sysctls *state, const struct maps *maps);
/* Restores everything, and writes the cookie policy that then holds for a filter that stays attached. -1 after a
 * message: try again. */
int armed_sysctls__end(struct armed_sysctls *state, const struct maps *maps);

#endif
