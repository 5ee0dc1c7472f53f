// SPDX-License-Identifier: GPL-2.0-only
/*
 * Options -> the filter of the kernel side, and what only user space can decide.
 */
#include <string.h>

#include "stream/filter.h"

#define V4_MAPPED_BITS 96

static void set_addr(struct event_filter *filter, const struct prefix *prefix)
{
	uint32_t i;

	filter->by_addr = 1;
	if (prefix->prefixlen < V4_MAPPED_BITS && !filter->family)
		filter->family = 6; /* an IPv6 prefix, though it may span the v4-mapped addresses */
	memcpy(&filter->addr, prefix->words, sizeof(filter->addr));
	for (i = 0; i < prefix->prefixlen; i++)
		filter->mask.bytes[i / 8] |= 0x80 >> i % 8;
}

void filter__set(struct event_filter *filter, const struct filter_options *options)
{
	static const uint8_t families[] = {0, 4, 6}; /* of the choices */

	filter->port = options->port;
	filter->pid = options->pid;
	filter->netns = options->netns;
	filter->state = options->state;
	filter->family = families[options->family];
	if (options->addr.prefixlen != FILTER_NO_ADDR)
		set_addr(filter, &options->addr);
}

static bool is_in_cgroup(const struct owner *owner, const char *above)
{
	const char *path = cgroups__path(owner->cgroup);

	return path && cgroups__within(path, above);
}

bool filter__matches(const struct filter_options *options, const struct event *event)
{
	const struct owner *owner = &event->owner;

	if (options->pid && owner->pid != options->pid)
		return false;
	if (options->comm && (!owner->pid || strncmp(owner->comm, options->comm, sizeof(owner->comm))))
		return false;
	return !*options->cgroup.text || is_in_cgroup(owner, options->cgroup.text);
}
