// SPDX-License-Identifier: GPL-2.0-only
/*
 * A folder counts like the file: a user who may write to it can replace the file.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/ownership.h"

/* In a sticky folder, as /tmp is, others may write, but not replace what is not theirs. */
static bool may_write(const struct stat *st, mode_t bit)
{
	return st->st_mode & bit && !(S_ISDIR(st->st_mode) && st->st_mode & S_ISVTX);
}

static bool is_safe(char text[OWNERSHIP_LEN], const struct stat *st, const char *path)
{
	if (st->st_uid && st->st_uid != geteuid())
		snprintf(text, OWNERSHIP_LEN, "user %u may change %.200s; fix: chown root", st->st_uid, path);
	else if (may_write(st, S_IWOTH))
		snprintf(text, OWNERSHIP_LEN, "every user of this host may change %.200s; fix: chmod o-w", path);
	else if (may_write(st, S_IWGRP) && st->st_gid && st->st_gid != getegid())
		snprintf(text, OWNERSHIP_LEN, "group %u may change %.200s; fix: chmod g-w", st->st_gid, path);
	else
		return true;
	return false;
}

bool ownership__is_safe(char text[OWNERSHIP_LEN], int fd, const char *path)
{
	char whole[PATH_MAX], *slash;
	struct stat st;

	if (fstat(fd, &st) == 0 && !is_safe(text, &st, path))
		return false;
	if (!realpath(path, whole))
		return true; /* a file without a name, in no folder */
	while ((slash = strrchr(whole, '/'))) {
		slash[slash == whole] = '\0';
		if (stat(whole, &st) == 0 && !is_safe(text, &st, whole))
			return false;
		if (slash == whole)
			break;
	}
	return true;
}

bool ownership__is_strict(void)
{
	return geteuid() == 0 && getenv("INVOCATION_ID"); /* systemd.exec(5) */
}
