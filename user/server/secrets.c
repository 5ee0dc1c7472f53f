// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads a file whole; what is asked of its mode is asked of the file that is read, not of its name.
 */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/secrets.h"
#include "text/log.h"

#define MAX_BYTES (1 << 20)

static const char *why_not(int fd, const struct stat *stat, bool secret)
{
	if (fd < 0)
		return strerror(errno);
	if (!S_ISREG(stat->st_mode))
		return "not a file";
	if (stat->st_size > MAX_BYTES)
		return "larger than 1 MiB";
	if (secret && stat->st_mode & S_IRWXO)
		return "every user of this host may read or change it; fix: chmod o=";
	return NULL;
}

/* -1 where it ended early. */
static int read_all(int fd, char *text, size_t size)
{
	ssize_t got;

	for (; size; text += got, size -= got) {
		got = read(fd, text, size);
		if (got <= 0)
			return -1;
	}
	return 0;
}

char *secrets__read(const char *option, const char *path, bool secret)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat stat = {};
	const char *why;
	char *text = NULL;

	if (fd >= 0)
		fstat(fd, &stat);
	why = why_not(fd, &stat, secret);
	if (!why) {
		text = calloc(1, stat.st_size + 1);
		if (!text || read_all(fd, text, stat.st_size))
			why = text ? "it changed while it was read" : "out of memory";
	}
	if (fd >= 0)
		close(fd);
	if (!why)
		return text;
	log_error("%s: cannot use \"%s\": %s", option, path, why);
	free(text);
	return NULL;
}

void secrets__free(char *text)
{
	if (!text)
		return;
	explicit_bzero(text, malloc_usable_size(text)); /* its reader may have cut it into pieces */
	free(text);
}
