// SPDX-License-Identifier: GPL-2.0-only
/*
 * Each pin is opened by its path, as a command that looks at it once needs no directory held open.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "kernel/bpffs.h"
#include "kernel/pins.h"
#include "kernel/run_pins.h"

int run_pins__open(uint32_t netns, const char *name)
{
	char base[BPFFS_LEN], path[BPFFS_LEN + 64];

	if (!bpffs__find(base)) {
		errno = ENOENT;
		return -1;
	}
	snprintf(path, sizeof(path), "%s/synwarden/%u/%s", base, netns, name);
	return bpf_obj_get(path);
}

int run_pins__meta(uint32_t netns, struct meta *meta)
{
	int fd = run_pins__open(netns, "meta"), err;

	memset(meta, 0, sizeof(*meta));
	if (fd < 0)
		return -1;
	err = pins__read_meta(fd, meta);
	close(fd);
	return err ? -1 : 0;
}

int run_pins__http_conns(uint32_t netns)
{
	struct meta meta;

	if (run_pins__meta(netns, &meta) || meta.layout != LAYOUT_VERSION || !(meta.flags & META_HTTP))
		return -1;
	return run_pins__open(netns, "http_conns");
}
