// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rows of PORT_COUNTERS -> a table.
 */
#include <string.h>

#include "output/port_counters.h"

enum { IS_SYNS, IS_COUNTER, IS_CENSUS, IS_JUDGED };

const struct port_counter_row port_counters[PORT_COUNTER_MAX] = {
#define X(kind, name, metric, labels, summary, top, page, help)                                                        \
	{#name, metric, labels, summary, top, page, help, IS_##kind == IS_CENSUS, offsetof(struct port_view, name)},
	PORT_COUNTERS(X)
#undef X
};

uint64_t port_counter__of(const struct port_view *port, enum port_counter counter)
{
	uint64_t value;

	memcpy(&value, (const char *)port + port_counters[counter].offset, sizeof(value));
	return value;
}
