// SPDX-License-Identifier: GPL-2.0-only
/*
 * For a relay: a web server hands the file out, and hosts without a key read it as [list NAME]. It is replaced, so that
 * no reader sees half of it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sync/sync.h"
#include "text/address.h"
#include "text/log.h"

static int write_list(FILE *out, const struct desired *list)
{
	char text[PRINT_PREFIX_LEN];

	fprintf(out, "# the fleet's block list, as synwarden sync has it\n");
	for (size_t i = 0; i < list->count; i++)
		fprintf(out, "%s\n", print_prefix(text, &list->all[i].entry.prefix));
	return ferror(out) ? -1 : 0;
}

static int write_file(const char *path, const struct desired *list)
{
	char *new;
	FILE *out;
	int err = -1;

	if (asprintf(&new, "%s.new", path) < 0)
		return -1;
	out = fopen(new, "we");
	if (out) {
		err = write_list(out, list) || fchmod(fileno(out), 0644);
		err = fclose(out) || err || rename(new, path) ? -1 : 0;
		if (err)
			unlink(new);
	}
	free(new);
	return err;
}

/* What a source says is not known before it was read, or restored: the list would be shorter than it is. */
static bool is_complete(const struct sync *sync)
{
	for (size_t i = 0; i < sync->source_count; i++)
		if (!sync->sources[i].succeeded_s)
			return false;
	return true;
}

void sync__export(struct sync *sync)
{
	if (!sync->flags->export || sync->flags->dry_run || sync->is_exported || !is_complete(sync))
		return;
	sync->is_exported = write_file(sync->flags->export, &sync->held[LIST_BLOCK]) == 0;
	if (!sync->is_exported)
		log_error("cannot write \"%s\": %s", sync->flags->export, strerror(errno));
}
