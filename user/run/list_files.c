// SPDX-License-Identifier: GPL-2.0-only
/*
 * struct settings -> maps.
 */
#include <stdio.h>

#include "config/list_sources.h"
#include "run/list_files.h"

struct list_wish list_files__wish(const struct settings *settings, enum list list)
{
	return (struct list_wish){settings->lists[list], !list_sources__are_known(settings, list)};
}

void list_files__sync(struct run *run, enum list list)
{
	const struct list_wish wish = list_files__wish(run->settings, list);

	run->list_failed[list] = lists__sync(&run->own, list, &wish) != 0;
}

void list_files__retry(struct run *run)
{
	bool changed = list_sources__retry(run->settings);

	for (unsigned list = 0; list < LIST_MAX; list++)
		if (changed || run->list_failed[list])
			list_files__sync(run, list);
}

unsigned list_files__waiting(const struct run *run, enum list list)
{
	return list_sources__refused(run->settings, list) + run->list_failed[list];
}

const char *list_files__why_not(const struct run *run)
{
	static char text[LIST_WHY_LEN + 128];
	const struct settings *settings = run->settings;

	for (size_t i = 0; i < settings->source_count; i++) {
		const struct list_source *source = &settings->sources[i];

		if (!*source->why)
			continue;
		snprintf(text, sizeof(text), "%.100s is not taken: %s", source->path, source->why);
		return text;
	}
	for (unsigned list = 0; list < LIST_MAX; list++) {
		if (!run->list_failed[list])
			continue;
		snprintf(text, sizeof(text), "the %s list has no room for what the configuration names",
			 lists__name(list));
		return text;
	}
	return NULL;
}
