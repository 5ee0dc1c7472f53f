// SPDX-License-Identifier: GPL-2.0-only
/*
 * The maps outlive the process that fills them. They do not have the ids of decisions: the next full answer replaces
 * what is taken from here.
 */
#include <string.h>

#include "sync/sync.h"
#include "text/log.h"

struct taking {
	struct sync *sync;
	enum list list;
	uint64_t id;
	bool failed;
};

struct shared_source *sync__find(struct sync *sync, const char *name)
{
	for (size_t i = 0; i < sync->source_count; i++)
		if (!strcmp(sync->sources[i].config->name, name))
			return &sync->sources[i];
	return NULL;
}

uint32_t sync__note(struct sync *sync, const struct fleet_origin *text)
{
	const struct shared_source *source = sync__find(sync, text->source);
	int place = 0;

	if (source && source->config->is_crowdsec)
		place = decision__place(&source->config->options, text->origin, text->scenario);
	if (!source || place < 0)
		return NOTES_MAX;
	return notes__number(&sync->notes, text->source, text->origin, text->scenario,
			     source->number * SOURCE_RANKS + place);
}

static void take_entry(void *context, const struct fleet_entry *entry)
{
	struct taking *taking = context;
	struct sync *sync = taking->sync;
	struct record record = {.id = taking->id++, .ends_ns = entry->until_ns, .prefix = entry->prefix};
	struct wanted held = {.entry = *entry};
	struct shared_source *source = NULL;
	struct fleet_origin text;

	if (fleet_lists__origin(sync->fleet, entry->origin, &text) == 0)
		source = sync__find(sync, text.source);
	record.note = source ? sync__note(sync, &text) : NOTES_MAX;
	held.entry.origin = record.note;
	held.source = source ? source->number : 0;
	taking->failed |= desired__add(&sync->held[taking->list], &held) != 0;
	if (record.note == NOTES_MAX || source->config->options.allows != (taking->list == LIST_ALLOW))
		return;
	if (!source->config->is_crowdsec)
		source->ends_ns = entry->until_ns;
	taking->failed |= said__add(&source->said, &record) != 0;
}

int sync__take_over(struct sync *sync)
{
	struct taking taking = {.sync = sync, .id = RECORD_NO_ID};

	for (taking.list = 0; taking.list < LIST_MAX && sync->fleet; taking.list++) {
		if (fleet_lists__each(sync->fleet, taking.list, take_entry, &taking))
			return -1;
		desired__join(&sync->held[taking.list]);
	}
	if (!taking.failed)
		return 0;
	log_error("out of memory while the lists were read");
	return -1;
}
