// SPDX-License-Identifier: GPL-2.0-only
/*
 * The listening sockets of this network namespace, by sock_diag, and the processes that hold them.
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/inet_diag.h>
#include <linux/sock_diag.h>

#include "netlink.h"
#include "print.h"
#include "scene.h"

static void read_backlog(struct backlog *backlog, const struct inet_diag_msg *diag)
{
	*backlog = (struct backlog){
		.port = ntohs(diag->id.idiag_sport),
		.queued = diag->idiag_rqueue,
		.limit = diag->idiag_wqueue,
		.inode = diag->idiag_inode,
	};
	if (diag->idiag_family == AF_INET) {
		backlog->addr.words[2] = htonl(0xffff);
		backlog->addr.words[3] = diag->id.idiag_src[0];
	} else {
		memcpy(&backlog->addr, diag->id.idiag_src, sizeof(backlog->addr));
	}
	backlog->loopback = print_is_loopback(&backlog->addr);
}

static void add_backlog(void *context, const struct nlmsghdr *message)
{
	struct scene *scene = context;
	struct backlog *grown;

	if (message->nlmsg_len < NLMSG_LENGTH(sizeof(struct inet_diag_msg)))
		return;
	grown = realloc(scene->backlogs, (scene->backlog_count + 1) * sizeof(*grown));
	if (!grown)
		return;
	scene->backlogs = grown;
	read_backlog(&grown[scene->backlog_count++], NLMSG_DATA(message));
}

static int by_port(const void *a, const void *b)
{
	const struct backlog *left = a, *right = b;

	if (left->port != right->port)
		return left->port < right->port ? -1 : 1;
	return memcmp(&left->addr, &right->addr, sizeof(left->addr));
}

void scene__find_backlogs(struct scene *scene)
{
	static const uint8_t families[] = {AF_INET, AF_INET6};
	struct netlink_request request;

	scene->backlogs_seen = ANSWER_YES;
	for (size_t i = 0; i < sizeof(families); i++) {
		struct inet_diag_req_v2 listeners = {
			.sdiag_family = families[i],
			.sdiag_protocol = IPPROTO_TCP,
			.idiag_states = 1 << STATE_LISTEN,
		};

		netlink__request(&request, SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, &listeners, sizeof(listeners));
		if (netlink__ask(NETLINK_SOCK_DIAG, &request, add_backlog, scene))
			scene->backlogs_seen = ANSWER_UNKNOWN;
	}
	if (scene->backlog_count)
		qsort(scene->backlogs, scene->backlog_count, sizeof(*scene->backlogs), by_port);
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
static void take_descriptor(struct scene *scene, const char *pid, const char *target)
{
	unsigned inode;

	if (sscanf(target, "socket:[%u]", &inode) != 1)
		return;
	for (size_t i = 0; i < scene->backlog_count; i++)
		if (scene->backlogs[i].inode == inode && !scene->backlogs[i].pid)
			read_comm(&scene->backlogs[i], pid);
}

static void search_process(struct scene *scene, const char *pid)
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
		take_descriptor(scene, pid, target);
	}
	if (dir)
		closedir(dir);
}

void scene__name_holders(struct scene *scene)
{
	struct dirent *entry;
	DIR *proc = opendir("/proc");

	while (proc && (entry = readdir(proc)))
		if (isdigit((unsigned char)*entry->d_name))
			search_process(scene, entry->d_name);
	if (proc)
		closedir(proc);
}
