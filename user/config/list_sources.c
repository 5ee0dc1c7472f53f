// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sources are joined in the order in which they are named, so that which of them finds no room does not depend on
 * their length.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "config/list_file.h"
#include "config/list_sources.h"
#include "text/log.h"

static const char *name_of(enum list list)
{
	return list == LIST_ALLOW ? "allow" : "block";
}

static void refuse(struct list_source *source, const char *why)
{
	snprintf(source->why, sizeof(source->why), "%s", why);
	log_error("%s: %s; it is left out, and what the %s list last had of it stays", source->path, why,
		  name_of(source->list));
}

static struct timespec change_time(const char *path)
{
	struct stat st;

	return stat(path, &st) ? (struct timespec){} : st.st_ctim;
}

/* On failure its former prefixes stay. */
static void read_source(struct list_source *source)
{
	struct prefixes found = {};
	const char *why;

	source->tried = change_time(source->path);
	*source->why = '\0';
	if (list_file__read(source->path, &found, &source->bad, &why)) {
		refuse(source, why);
		prefixes__free(&found);
		return;
	}
	prefixes__free(&source->prefixes);
	source->prefixes = found;
	source->known = true;
}

int list_sources__add(struct settings *settings, enum list list, const char *path)
{
	struct list_source *grown = reallocarray(settings->sources, settings->source_count + 1, sizeof(*grown));
	char *copy = strdup(path);

	if (grown)
		settings->sources = grown;
	if (!grown || !copy) {
		free(copy);
		return -1;
	}
	grown[settings->source_count] = (struct list_source){.list = list, .path = copy};
	read_source(&grown[settings->source_count++]);
	return 0;
}

/* What a list would have of what it holds `most` of. */
struct size {
	size_t would_be, most;
	const char *what;
};

/* Whether a list of at most `most` entries holds the prefixes: its ranges have a limit of their own. */
static bool fits(struct size *size, const struct prefixes *prefixes, size_t most)
{
	size_t ranges = 0;

	for (size_t i = 0; i < prefixes->count; i++)
		ranges += prefixes->all[i].prefixlen < 128;
	if (prefixes->count > most)
		*size = (struct size){prefixes->count, most, "entries"};
	else
		*size = (struct size){ranges, list_ranges_max(most), "entries of more than one address"};
	return size->would_be <= size->most;
}

/* Adds a source to its list, which is left as it was where that is too much: -1 then. */
static int join_source(struct prefixes *list, const struct list_source *source, size_t most, struct size *size)
{
	struct prefixes both = {};
	int ret = prefixes__add_all(&both, list) ?: prefixes__add_all(&both, &source->prefixes);

	if (!ret)
		prefixes__reduce(&both, most);
	if (!fits(size, &both, most) || ret) {
		prefixes__free(&both);
		return -1;
	}
	prefixes__free(list);
	*list = both;
	return 0;
}

static void join_sources(struct settings *settings, enum list list)
{
	size_t most = settings->options.max_entries;
	char why[LIST_WHY_LEN];
	struct size size;

	for (size_t i = 0; i < settings->source_count; i++) {
		struct list_source *source = &settings->sources[i];

		if (source->list != list || !source->known || !join_source(&settings->lists[list], source, most, &size))
			continue;
		snprintf(why, sizeof(why), "with it the %s list would have %zu %s, and holds %zu at most",
			 name_of(list), size.would_be, size.what, size.most);
		source->known = false;
		prefixes__free(&source->prefixes);
		refuse(source, why);
	}
}

int list_sources__join(struct settings *settings)
{
	const size_t most = settings->options.max_entries;
	struct size size;

	for (unsigned list = 0; list < LIST_MAX; list++) {
		struct prefixes *all = &settings->lists[list];

		prefixes__free(all);
		if (prefixes__add_all(all, &settings->cidrs[list])) {
			log_error("out of memory while reading the %s list", name_of(list));
			return -1;
		}
		prefixes__reduce(all, most);
		if (!fits(&size, all, most)) {
			log_error("%s: [%s]: %zu %s; a list holds at most %zu", settings->file ?: CONFIG_FILE,
				  name_of(list), size.would_be, size.what, size.most);
			return -1;
		}
		join_sources(settings, list);
	}
	return 0;
}

static const struct list_source *find(const struct settings *settings, const struct list_source *as)
{
	for (size_t i = 0; i < settings->source_count; i++)
		if (settings->sources[i].list == as->list && !strcmp(settings->sources[i].path, as->path))
			return &settings->sources[i];
	return NULL;
}

void list_sources__keep(struct settings *settings, const struct settings *former)
{
	bool kept = false;

	for (size_t i = 0; i < settings->source_count; i++) {
		struct list_source *source = &settings->sources[i];
		const struct list_source *before = source->known ? NULL : find(former, source);

		if (!before || !before->known || prefixes__add_all(&source->prefixes, &before->prefixes))
			continue;
		source->known = kept = true;
	}
	if (kept)
		list_sources__join(settings);
}

static bool is_same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

bool list_sources__retry(struct settings *settings)
{
	bool taken = false;

	for (size_t i = 0; i < settings->source_count; i++) {
		struct list_source *source = &settings->sources[i];
		struct timespec now;

		if (!*source->why)
			continue;
		now = change_time(source->path);
		if (is_same_time(&now, &source->tried))
			continue;
		read_source(source);
		if (*source->why)
			continue;
		log_notice("%s is taken again: %zu entries", source->path, source->prefixes.count);
		taken = true;
	}
	return taken && list_sources__join(settings) == 0;
}

unsigned list_sources__refused(const struct settings *settings, enum list list)
{
	unsigned count = 0;

	for (size_t i = 0; i < settings->source_count; i++)
		count += settings->sources[i].list == list && *settings->sources[i].why;
	return count;
}

unsigned list_sources__bad(const struct settings *settings)
{
	unsigned count = 0;

	for (size_t i = 0; i < settings->source_count; i++)
		count += settings->sources[i].bad + (*settings->sources[i].why != '\0');
	return count;
}

bool list_sources__are_known(const struct settings *settings, enum list list)
{
	for (size_t i = 0; i < settings->source_count; i++)
		if (settings->sources[i].list == list && !settings->sources[i].known)
			return false;
	return true;
}

void list_sources__free(struct settings *settings)
{
	for (size_t i = 0; i < settings->source_count; i++) {
		free(settings->sources[i].path);
		prefixes__free(&settings->sources[i].prefixes);
	}
	free(settings->sources);
	for (unsigned list = 0; list < LIST_MAX; list++) {
		prefixes__free(&settings->cidrs[list]);
		prefixes__free(&settings->lists[list]);
	}
}
