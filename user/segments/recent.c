// SPDX-License-Identifier: GPL-2.0-only
/*
 * A device without segmentation offload has GSO segments cut before it gets them: at the device above it, one was seen,
 * at this one its parts.
 */
#include <stddef.h>
#include <string.h>

#include "segments/recent.h"

#define SAME_NS 100000000 /* from the first place to the last: a softirq may wait for its CPU */

/* Whether `part` is the segment, or a part of it. The flags FIN and PSH are in the last part alone. */
static bool covers(const struct segment *whole, const struct segment *part)
{
	uint32_t offset = part->seq - whole->seq;

	if (part->sport != whole->sport || part->ack != whole->ack ||
	    memcmp(&part->src, &whole->src, sizeof(part->src)))
		return false;
	if (part->len == whole->len)
		return !offset && part->flags == whole->flags;
	return part->len && !(part->flags & ~whole->flags) && offset <= whole->len && part->len <= whole->len - offset;
}

static struct recent_place *find_place(struct recent_segment *of, const struct segment *segment)
{
	for (unsigned i = 0; i < of->place_count; i++)
		if (of->places[i].ifindex == segment->ifindex && of->places[i].kind == segment->kind)
			return &of->places[i];
	return NULL;
}

/* Seen here for the first time: notes how far. */
static bool note_place(struct recent_segment *of, const struct segment *segment)
{
	struct recent_place *place = find_place(of, segment);

	if (!place) {
		if (of->place_count == RECENT_PLACES)
			return true;
		place = &of->places[of->place_count++];
		*place = (struct recent_place){.ifindex = segment->ifindex, .kind = segment->kind};
	} else if (segment->seq == of->segment.seq || (int32_t)(segment->seq - place->next) < 0) {
		return false;
	}
	place->next = segment->seq + segment->len;
	return true;
}

bool recent__is_repeated(struct recent *recent, const struct segment *segment)
{
	unsigned count = recent->count < RECENT_SEGMENTS ? recent->count : RECENT_SEGMENTS;
	struct recent_segment *new;

	for (unsigned i = 0; i < count; i++) {
		/* From the oldest on: what two devices let pass is in order. */
		struct recent_segment *at = &recent->segments[(recent->count - count + i) % RECENT_SEGMENTS];

		if (segment->time_ns - at->segment.time_ns < SAME_NS && covers(&at->segment, segment) &&
		    note_place(at, segment))
			return true;
	}
	new = &recent->segments[recent->count++ % RECENT_SEGMENTS];
	new->segment = *segment;
	new->place_count = 0;
	note_place(new, segment);
	return false;
}
