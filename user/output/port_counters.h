/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The rows of PORT_COUNTERS at run time, for everything that shows numbers of listening ports.
 */
#ifndef SYNWARDEN_OUTPUT_PORT_COUNTERS_H
#define SYNWARDEN_OUTPUT_PORT_COUNTERS_H

#include "kernel/snapshot.h"

/* As in counters.h; "" where the number is not shown. */
struct port_counter_row {
	const char *name;
	const char *metric, *labels;
	const char *summary, *top, *page;
	const char *help;
	bool gauge;    /* as of the last census; otherwise a counter */
	size_t offset; /* in struct port_view */
};

extern const struct port_counter_row port_counters[PORT_COUNTER_MAX];

uint64_t port_counter__of(const struct port_view *port, enum port_counter counter);

#endif
