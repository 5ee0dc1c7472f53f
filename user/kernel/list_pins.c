// SPDX-License-Identifier: GPL-2.0-only
/*
 * The lists' pins, apart from the others.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "kernel/list_set.h"
#include "kernel/pins.h"
#include "text/log.h"

static int open_list(const struct pins *pins, const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", pins->path, name);
	return bpf_obj_get(path);
}

void pins__lists(const struct pins *pins, struct maps *maps)
{
	maps->allowed = open_list(pins, "allowed");
	maps->blocked = open_list(pins, "blocked");
	maps->allowed_hosts = open_list(pins, "allowed_hosts");
	maps->blocked_hosts = open_list(pins, "blocked_hosts");
	maps->fleet_control = open_list(pins, "fleet_control");
}

int pins__fleet(const struct pins *pins, struct maps *maps)
{
	struct meta meta;

	if (pins__meta(pins, &meta))
		return 1;
	if (meta.layout != LAYOUT_VERSION) {
		log_error("the filter in place was started by synwarden %.15s, whose lists this version cannot read",
			  meta.version);
		return -1;
	}
	maps->fleet_control = open_list(pins, "fleet_control");
	if (maps->fleet_control < 0)
		return 1;
	close(maps->fleet_control);
#define X(name)                                                                                                        \
	maps->name = open_list(pins, #name);                                                                           \
	if (maps->name < 0) {                                                                                          \
		log_error("cannot open %s/%s: %s", pins->dir, #name, strerror(errno));                                 \
		return -1;                                                                                             \
	}
	FLEET_MAPS(X)
#undef X
	return 0;
}

void pins__retire_fleet(const struct pins *pins)
{
	int control = open_list(pins, "fleet_control");

	if (control < 0)
		return;
	list_set__retire(control);
	close(control);
}

int pins__remove_fleet(const struct pins *pins)
{
#define X(name) #name,
	static const char *const names[] = {FLEET_MAPS(X)};
#undef X

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (unlinkat(pins->fd, names[i], 0) && errno != ENOENT) {
			log_error("cannot remove %s/%s: %s", pins->dir, names[i], strerror(errno));
			return -1;
		}
	return 0;
}
