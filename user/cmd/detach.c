// SPDX-License-Identifier: GPL-2.0-only
/*
 * synwarden detach: removes what a crashed or --keep run left. It reads no map but the saved sysctls, so that it also
 * removes what another version left.
 */
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "cmd/cmd.h"
#include "config/options.h"
#include "kernel/pins.h"
#include "kernel/sysctls.h"
#include "text/log.h"

static const struct option_table table = {
	.command = "detach",
	.arguments = "[IFACE...]",
	.summary = "Removes everything that a crashed or --keep run left in this network namespace: filters, pins, "
		   "lists.\n"
		   "With interfaces named, removes the filter from those only; with the last one goes the rest.",
	.examples = "  synwarden detach\n",
	.max_arguments = META_INTERFACES,
};

struct search {
	unsigned ifindex; /* wanted; 0: any */
	unsigned found;
};

static int match(void *context, unsigned ifindex, int link_fd)
{
	struct search *search = context;

	(void)link_fd;
	if (!search->ifindex || search->ifindex == ifindex)
		search->found++;
	return 0;
}

static unsigned count_filters(const struct pins *pins, unsigned ifindex)
{
	struct search search = {.ifindex = ifindex};

	pins__each_xdp(pins, match, &search);
	return search.found;
}

static int remove_filter(void *context, unsigned ifindex, int link_fd)
{
	(void)link_fd;
	return pins__remove_xdp(context, ifindex);
}

/* All names are checked before the first filter goes. */
static int detach_named(struct pins *pins, int count, char **names)
{
	int i;

	for (i = 0; i < count; i++) {
		unsigned ifindex = if_nametoindex(names[i]);

		if (!ifindex || !count_filters(pins, ifindex)) {
			log_error("detach: \"%s\" has no filter of synwarden; see: synwarden status", names[i]);
			return -1;
		}
	}
	for (i = 0; i < count; i++)
		if (pins__remove_xdp(pins, if_nametoindex(names[i])))
			return -1;
	return 0;
}

/* Restores the sysctls of the run. Those of a namespace that is gone are not this namespace's. */
static int restore_kernel(const struct pins *pins)
{
	struct meta meta;

	if (pins__meta(pins, &meta) || sysctls__restore_left(pins) == 0)
		return 0;
	log_error("the filter is removed, but not all sysctls are restored; their former values stay in %s; try again: "
		  "synwarden detach",
		  pins->dir);
	return -1;
}

int cmd_detach(int argc, char **argv)
{
	struct pins pins = {.fd = -1, .parent_fd = -1};
	bool missing;
	int count = options__parse(&table, argc, argv, NULL), ret = 1;

	if (count < 0)
		return -count;
	if (pins__open(&pins, false, &missing)) {
		if (missing)
			log_info("nothing to detach in this network namespace");
		return missing ? 0 : 1;
	}
	if (pins__lock(&pins))
		goto cleanup;
	if (count ? detach_named(&pins, count, argv + 1) : pins__each_xdp(&pins, remove_filter, &pins))
		goto cleanup;
	ret = 0;
	if (!count_filters(&pins, 0))
		ret = restore_kernel(&pins) || pins__remove(&pins);
cleanup:
	pins__close(&pins);
	return ret;
}
