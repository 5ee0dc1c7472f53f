// SPDX-License-Identifier: GPL-2.0-only
/*
 * An interface's number means something in its own network namespace only: that is entered for a moment, unless this
 * thread is in it.
 */
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "system/device_names.h"

#define SELF  "/proc/thread-self/ns/net"
#define NAMES 64

struct name {
	uint32_t netns, ifindex;
	char name[IF_NAMESIZE]; /* "": not to be found */
};

static bool is_netns(int fd, uint32_t netns)
{
	struct stat st;

	return fd >= 0 && fstat(fd, &st) == 0 && st.st_ino == netns;
}

static void find_as(char name[IF_NAMESIZE], uint32_t netns, uint32_t ifindex, uint32_t pid, int home)
{
	char path[32];
	int fd;

	snprintf(path, sizeof(path), "/proc/%u/ns/net", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (is_netns(fd, netns) && setns(fd, CLONE_NEWNET) == 0) {
		if_indextoname(ifindex, name);
		setns(home, CLONE_NEWNET);
	}
	if (fd >= 0)
		close(fd);
}

static void find(struct name *found, uint32_t pid)
{
	int home = open(SELF, O_RDONLY | O_CLOEXEC);

	if (is_netns(home, found->netns))
		if_indextoname(found->ifindex, found->name);
	else if (pid && home >= 0)
		find_as(found->name, found->netns, found->ifindex, pid, home);
	if (home >= 0)
		close(home);
}

const char *device_names__of(uint32_t netns, uint32_t ifindex, uint32_t pid)
{
	static struct name names[NAMES];
	static unsigned next;
	struct name *name;

	for (name = names; name < names + NAMES; name++)
		if (name->netns == netns && name->ifindex == ifindex && *name->name)
			return name->name;
	name = &names[next++ % NAMES];
	*name = (struct name){.netns = netns, .ifindex = ifindex};
	find(name, pid);
	return *name->name ? name->name : NULL;
}
