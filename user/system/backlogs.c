// SPDX-License-Identifier: GPL-2.0-only
/*
 * Listening sockets by sock_diag, and their holders by the descriptors of all processes.
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "system/backlogs.h"
#include "system/tcp_sockets.h"
#include "text/address.h"

static void read_backlog(struct backlog *backlog, const struct inet_diag_msg *diag)
{
	*backlog = (struct backlog){
		.addr = tcp_sockets__address(diag, diag->id.idiag_src),
		.port = ntohs(diag->id.idiag_sport),
		.queued = diag->idiag_rqueue,
		.limit = diag->idiag_wqueue,
		.inode = diag->idiag_inode,
		.uid = diag->idiag_uid,
	};
	backlog->loopback = print_is_loopback(&backlog->addr);
}

static bool add_backlog(void *context, const struct inet_diag_msg *listener)
{
	struct backlogs *backlogs = context;
	struct backlog *grown = realloc(backlogs->all, (backlogs->count + 1) * sizeof(*grown));

	if (!grown)
		return false;
	backlogs->all = grown;
	read_backlog(&grown[backlogs->count++], listener);
	return true;
}

static int by_port(const void *a, const void *b)
{
	const struct backlog *left = a, *right = b;

	if (left->port != right->port)
		return left->port < right->port ? -1 : 1;
	return memcmp(&left->addr, &right->addr, sizeof(left->addr));
}

int backlogs__find(struct backlogs *backlogs)
{
	int err;

	*backlogs = (struct backlogs){};
	err = tcp_sockets__each(1 << STATE_LISTEN, 0, add_backlog, backlogs);
	if (backlogs->count)
		qsort(backlogs->all, backlogs->count, sizeof(*backlogs->all), by_port);
	return err;
}

void backlogs__free(struct backlogs *backlogs)
{
	free(backlogs->all);
	*backlogs = (struct backlogs){};
}

static void read_comm(struct backlog *backlog, const char *pid)
{
	char path[64];
	FILE *f;

	backlog->pid = strtoul(pid, NULL, 10);
	snprintf(path, sizeof(path), "/proc/%u/comm", backlog->pid);
	f = fopen(path, "re");
	if (!f)
		return;
	if (fgets(backlog->comm, sizeof(backlog->comm), f))
		backlog->comm[strcspn(backlog->comm, "\n")] = '\0';
	fclose(f);
}

/* Gives the listeners that a descriptor of process `pid` is for their holder, where none is known yet. */
static void take_descriptor(struct backlogs *backlogs, const char *pid, const char *target)
{
	unsigned inode;

	if (sscanf(target, "socket:[%u]", &inode) != 1)
		return;
	for (size_t i = 0; i < backlogs->count; i++)
		if (backlogs->all[i].inode == inode && !backlogs->all[i].pid)
			read_comm(&backlogs->all[i], pid);
}

static void search_process(struct backlogs *backlogs, const char *pid)
{
	char path[64], target[64];
	struct dirent *entry;
	ssize_t len;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%.16s/fd", pid);
	dir = opendir(path);
	while (dir && (entry = readdir(dir))) {
		len = readlinkat(dirfd(dir), entry->d_name, target, sizeof(target) - 1);
		if (len <= 0)
			continue;
		target[len] = '\0';
		take_descriptor(backlogs, pid, target);
	}
	if (dir)
		closedir(dir);
}

void backlogs__name_holders(struct backlogs *backlogs)
{
	struct dirent *entry;
	DIR *proc = backlogs->count ? opendir("/proc") : NULL;

	while (proc && (entry = readdir(proc)))
		if (isdigit((unsigned char)*entry->d_name))
			search_process(backlogs, entry->d_name);
	if (proc)
		closedir(proc);
}
