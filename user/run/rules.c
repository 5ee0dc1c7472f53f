// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rules have a version, which changes with nearly every change of them; what has none is read again now and then.
 */
#include "kernel/ingress.h"
#include "run/rules.h"
#include "system/clock.h"

#define EVERY_NS (10 * NS_PER_S)

static void read_rules(struct rules *rules)
{
	uint64_t version = redirects__version(), now = clock__now();

	if (rules->read_ns && version && version == rules->version && now - rules->read_ns < EVERY_NS)
		return;
	rules->version = version;
	rules->read_ns = now;
	if (redirects__read(&rules->redirects)) {
		redirects__unsure(&rules->redirects, "the packet filter's rules cannot be read");
		rules->redirects.masquerades = true;
	}
}

static bool has_tc(const struct meta *meta)
{
	for (size_t i = 0; i < meta->interfaces; i++)
		if (meta->interface[i].ifindex && ingress__has_filters(meta->interface[i].ifindex))
			return true;
	return false;
}

const char *rules__look(struct rules *rules, const struct meta *meta)
{
	read_rules(rules);
	rules->tc = has_tc(meta);
	if (rules->tc)
		return "a filter of TC may stand on a filtered interface";
	return rules->redirects.unsure;
}
