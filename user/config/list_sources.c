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

/* Adds a source to its list, which is left as it was where that is too much: -1 then. */
static int join_source(struct prefixes *list, const struct list_source *source, size_t most, size_t *would_be)
{
	struct prefixes both = {};
	int ret = prefixes__add_all(&both, list) ?: prefixes__add_all(&both, &source->prefixes);

	if (!ret)
		prefixes__reduce(&both, most);
	*would_be = both.count;
	if (ret || both.count > most) {
		prefixes__free(&both);
		return -1;
	}
	prefixes__free(list);
	*list = both;
	return 0;
}

static void join_sources(struct settings *settings, enum list list)
{
	size_t most = settings->options.max_entries, would_be;
	char why[LIST_WHY_LEN];

	for (size_t i = 0; i < settings->source_count; i++) {
		struct list_source *source = &settings->sources[i];

		if (source->list != list || !source->known ||
		    !join_source(&settings->lists[list], source, most, &would_be))
			continue;
		snprintf(why, sizeof(why), "with it the %s list would have %zu entries, and holds %zu at most",
			 name_of(list), would_be, most);
		source->known = false;
		prefixes__free(&source->prefixes);
		refuse(source, why);
	}
}

int list_sources__join(struct settings *settings)
{
	const size_t most = settings->options.max_entries;

	for (unsigned list = 0; list < LIST_MAX; list++) {
		struct prefixes *all = &settings->lists[list];

		prefixes__free(all);
		if (prefixes__add_all(all, &settings->cidrs[list])) {
			log_error("out of memory while reading the %s list", name_of(list));
			return -1;
		}
		prefixes__reduce(all, most);
		if (all->count > most) {
			log_error("%s: [%s]: %zu entries; a list holds at most %zu", settings->file ?: CONFIG_FILE,
				  name_of(list), all->count, most);
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
