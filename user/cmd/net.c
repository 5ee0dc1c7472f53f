// SPDX-License-Identifier: GPL-2.0-only
/*
 * The commands of synwarden-net, which stands beside this program where it was built, and below ../lib/synwarden where
 * it is installed.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "text/log.h"

#define NET	  "synwarden-net"
#define INSTALLED "../lib/synwarden/" NET

/* The folder of this program, with its last slash. */
static int find_folder(char folder[PATH_MAX])
{
	ssize_t len = readlink("/proc/self/exe", folder, PATH_MAX - 1);
	char *slash;

	if (len < 0)
		return -1;
	folder[len] = '\0';
	slash = strrchr(folder, '/');
	if (!slash)
		return -1;
	slash[1] = '\0';
	return 0;
}

/* Returns only where it cannot be started. */
static void start(const char *folder, const char *name, char **arguments)
{
	char path[PATH_MAX + sizeof(INSTALLED)];

	snprintf(path, sizeof(path), "%s%s", folder, name);
	execv(path, arguments);
}

/* Returns only where it cannot be started: synwarden-net takes the place of this process. */
static int become_net(int argc, char **argv)
{
	char folder[PATH_MAX], name[] = NET, **arguments = calloc(argc + 2, sizeof(*arguments));

	if (!arguments || find_folder(folder)) {
		log_error("cannot start " NET ": %s", strerror(errno));
		free(arguments);
		return 1;
	}
	arguments[0] = name;
	memcpy(arguments + 1, argv, argc * sizeof(*argv));
	start(folder, NET, arguments);
	if (errno == ENOENT)
		start(folder, INSTALLED, arguments);
	log_error("cannot start %s" INSTALLED ": %s", folder, strerror(errno));
	free(arguments);
	return 1;
}

int cmd_fetch(int argc, char **argv)
{
	return become_net(argc, argv);
}

int cmd_sync(int argc, char **argv)
{
	return become_net(argc, argv);
}
