// SPDX-License-Identifier: GPL-2.0-only
/*
 * Looks for bpffs from this process up through its ancestors, and mounts it.
 */
#include <errno.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "kernel/bpffs.h"
#include "text/log.h"

static bool is_bpffs(const char *path)
{
	struct statfs fs;

	return statfs(path, &fs) == 0 && fs.f_type == BPF_FS_MAGIC;
}

/* The parent of process `pid`; 0 where it is unknown. */
static int parent_of(int pid)
{
	char path[64], line[512] = "", *after;
	int parent = 0;
	FILE *stat;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	stat = fopen(path, "r");
	if (!stat)
		return 0;
	if (fgets(line, sizeof(line), stat) && (after = strrchr(line, ')')))
		sscanf(after, ") %*c %d", &parent);
	fclose(stat);
	return parent;
}

bool bpffs__find(char base[BPFFS_LEN])
{
	int pid;

	snprintf(base, BPFFS_LEN, BPFFS);
	for (pid = getpid(); !is_bpffs(base) && (pid = parent_of(pid)) > 0;)
		snprintf(base, BPFFS_LEN, "/proc/%d/root" BPFFS, pid);
	if (is_bpffs(base))
		return true;
	snprintf(base, BPFFS_LEN, BPFFS);
	return false;
}

int bpffs__mount(void)
{
	if (mount("bpf", BPFFS, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700")) {
		log_error("cannot mount bpffs at " BPFFS ": %s; run as root, or mount it: mount -t bpf bpf " BPFFS,
			  strerror(errno));
		return -1;
	}
	log_notice("mounted bpffs at " BPFFS);
	return 0;
}
