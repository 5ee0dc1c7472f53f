// SPDX-License-Identifier: GPL-2.0-only
/*
 * A descriptor is stored under the name of its pin, so that what comes back is pinned again, and then taken over like
 * what a killed run left. It is stored at the end alone: until then the pins hold it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <systemd/sd-daemon.h>

#include "run/store.h"

#define BARRIER_US 5000000 /* for the manager to take what was sent */

static bool is_socket(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode);
}

int store__restore(const struct pins *pins)
{
	char **names = NULL;
	int count = sd_listen_fds_with_names(0, &names), ret = 0;
	struct meta meta;
	bool is_pinned = pins__meta(pins, &meta) == 0;

	for (int i = 0; i < count; i++) {
		int fd = SD_LISTEN_FDS_START + i;

		/* Those of a socket unit stay (server/listen.c). */
		if (!is_socket(fd)) {
			if (!is_pinned && !ret)
				ret = pins__put(pins->path, names[i], fd);
			sd_notifyf(0, "FDSTOREREMOVE=1\nFDNAME=%s", names[i]);
			close(fd);
		}
		free(names[i]);
	}
	free(names);
	return ret;
}

/* Unwatched: a map's descriptor looks to poll() as if it had an error, and would be dropped. */
static int keep(void *context, const char *name, int fd)
{
	char text[128];

	(void)context;
	snprintf(text, sizeof(text), "FDSTORE=1\nFDPOLL=0\nFDNAME=%s", name);
	sd_pid_notify_with_fds(0, 0, text, &fd, 1);
	return 0;
}

void store__keep(const struct pins *pins)
{
	if (!getenv("NOTIFY_SOCKET"))
		return;
	pins__each(pins, keep, NULL);
	sd_notify_barrier(0, BARRIER_US);
}
