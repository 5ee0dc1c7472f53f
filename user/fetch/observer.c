// SPDX-License-Identifier: GPL-2.0-only
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fetch/observer.h"
#include "fetch/traffic.h"
#include "kernel/pins.h"
#include "kernel/verdicts.h"
#include "output/columns.h"
#include "segments.h"
#include "segments/drop_reasons.h"
#include "segments/ladder.h"
#include "segments/live.h"
#include "stream/tracker.h"
#include "system/clock.h"
#include "system/privileges.h"
#include "text/log.h"
#include "text/names.h"

#define LADDER_LEAST 80 /* columns */
#define RING_BYTES   (8 << 20)
#define ITEMS_MAX    4096      /* of a page; segments with data are not kept, */
#define LADDER_MAX   (1 << 16) /* unless a ladder is to be shown */
#define LAST_STATES  10	       /* how often the last state is waited for, */
#define LAST_MS	     5	       /* so long each time */

union item {
	struct segment segment;
	struct event event;
};

struct observer {
	struct tracker tracker;
	struct verdicts *verdicts; /* NULL: no filter tells what it does */
	uint32_t netns;
	uint16_t port;
	bool keeps_all;
	union item *items;
	size_t count, room;
	struct traffic traffic;
};

static void keep(struct observer *observer, const void *item)
{
	if (observer->count < observer->room)
		memcpy(&observer->items[observer->count++], item, sizeof(union item));
}

static bool is_kept(const struct segment *segment)
{
	return segment->kind == SEGMENT_DROPPED ? drop_reasons__is_loss(segment->reason)
						: segment->flags & (SEGMENT_SYN | SEGMENT_RST);
}

static void on_event(void *context, const struct event *event)
{
	const struct segment *segment = (const struct segment *)event;
	struct observer *observer = context;

	if (event->what == RING_SEGMENT && segment->netns == observer->netns)
		traffic__take(&observer->traffic, segment);
	if (event->what == RING_SEGMENT ? segment->netns == observer->netns && (observer->keeps_all || is_kept(segment))
					: event->flow.netns == observer->netns)
		keep(observer, event);
}

static void on_verdict(void *context, const struct segment *segment)
{
	keep(context, segment);
}

static void on_lost(void *context, unsigned loss, uint64_t lost)
{
	(void)context;
	log_warn("fetch: %lu events were lost (%s): what is said of the connection may be incomplete", lost,
		 print_loss(loss));
}

static int open_programs(struct observer *observer)
{
	struct events_sink sink = {.event = on_event, .lost = on_lost, .context = observer};
	struct config config = {.stream = STREAM_LADDER};

	config.filter.port = observer->port;
	config.filter.netns = observer->netns;
	observer->items = calloc(observer->room, sizeof(*observer->items));
	if (!observer->items ||
	    tracker__open(&observer->tracker, &config, PROGRAMS_TRACKER | PROGRAMS_OWNERS | PROGRAMS_SEGMENTS,
			  RING_BYTES, &sink))
		return -1;
	observer->verdicts = verdicts__open(observer->netns, &config.filter);
	return 0;
}

struct observer *observer__open(struct page *page)
{
	struct observer *observer;

	if (*privileges__missing(page->missing))
		return NULL;
	observer = calloc(1, sizeof(*observer));
	if (!observer)
		return NULL;
	observer->netns = pins__netns();
	observer->port = page->place.port;
	observer->keeps_all = page->options->ladder;
	observer->room = observer->keeps_all ? LADDER_MAX : ITEMS_MAX;
	if (!open_programs(observer))
		return observer;
	observer__close(observer);
	return NULL;
}

void observer__look(struct observer *observer)
{
	if (!observer)
		return;
	events__poll(observer->tracker.events, 0);
	if (!observer->verdicts)
		return;
	verdicts__renew(observer->verdicts);
	verdicts__consume(observer->verdicts, UINT64_MAX, on_verdict, observer);
}

/* An ordinary close frees segments, too. */
static bool is_drop(const struct segment *segment)
{
	return segment->kind == SEGMENT_DROPPED && drop_reasons__is_loss(segment->reason);
}

static void judge_outgoing(struct attempt_seen *seen, const struct attempt *attempt, const struct segment *segment)
{
	if (is_drop(segment)) {
		seen->dropped_out++;
		seen->drop_reason = segment->reason;
	} else if (segment->kind == SEGMENT_SENT && segment->flags & SEGMENT_SYN && seen->syns < ATTEMPT_SYNS) {
		seen->syn_ns[seen->syns++] = segment->time_ns - attempt->began_ns;
	}
}

static void judge_incoming(struct attempt_seen *seen, const struct segment *segment)
{
	if (segment->kind == SEGMENT_JUDGED && segment->verdict == VERDICT_DROP) {
		seen->filtered++;
		seen->filter_reason = segment->reason;
	} else if (is_drop(segment)) {
		seen->dropped_in++;
		seen->drop_reason = segment->reason;
	}
}

struct attempt_seen observer__judge(const struct observer *observer, const struct attempt *attempt, uint64_t from_ns)
{
	struct attempt_seen seen = {.is_known = observer};

	for (size_t i = 0; observer && i < observer->count; i++) {
		const struct segment *segment = &observer->items[i].segment;
		int to = segment->what == RING_SEGMENT && segment->time_ns >= from_ns
				 ? traffic__direction(attempt, segment)
				 : 0;

		if (to > 0)
			judge_outgoing(&seen, attempt, segment);
		else if (to < 0)
			judge_incoming(&seen, segment);
	}
	return seen;
}

void observer__ask(struct observer *observer, const struct attempt *attempt, uint64_t asked_ns)
{
	if (!observer)
		return;
	observer__look(observer);
	observer->traffic = (struct traffic){.attempt = attempt, .asked_ns = asked_ns};
}

void observer__answered(struct observer *observer, struct page *page)
{
	struct traffic *traffic;

	if (!observer)
		return;
	observer__look(observer);
	traffic = &observer->traffic;
	if (traffic->acked_ns)
		page->acked_ns = traffic->acked_ns - traffic->request_ns;
	page->segments = traffic->segments;
}

/* Whether the last one is final. */
static bool list_states(const struct observer *observer, uint64_t cookie, char states[128])
{
	unsigned last = 0;
	size_t used = 0;

	*states = '\0';
	for (size_t i = 0; i < observer->count; i++) {
		const struct event *event = &observer->items[i].event;

		if (event->what != RING_EVENT || event->cookie != cookie || event->new == STATE_SYN_SENT ||
		    event->new == STATE_ESTABLISHED)
			continue;
		last = event->new;
		used += snprintf(states + used, 128 - used, "%s%s", used ? " > " : "", print_state(last));
		if (used >= 128)
			return true;
	}
	return last == STATE_TIME_WAIT || last == STATE_CLOSE;
}

void observer__states(struct observer *observer, uint64_t cookie, char states[128])
{
	static const struct timespec pause = {.tv_nsec = LAST_MS * 1000000};

	*states = '\0';
	if (!observer)
		return;
	observer__look(observer);
	for (unsigned i = 0; !list_states(observer, cookie, states) && i < LAST_STATES; i++) {
		nanosleep(&pause, NULL);
		observer__look(observer);
	}
}

static int by_time(const void *a, const void *b)
{
	const union item *left = a, *right = b;

	return (left->event.time_ns > right->event.time_ns) - (left->event.time_ns < right->event.time_ns);
}

/* Whether it is of one of the page's connections, at either end of it. */
static bool is_of(const struct page *page, const union item *item)
{
	struct segment segment = item->segment;

	if (segment.what == RING_EVENT) {
		segment = (struct segment){.sport = item->event.flow.lport, .dport = item->event.flow.rport};
		segment.src = item->event.flow.laddr;
		segment.dst = item->event.flow.raddr;
	}
	for (size_t i = 0; i < page->attempt_count; i++)
		if (traffic__direction(&page->attempts[i], &segment))
			return true;
	return false;
}

static bool is_wanted(void *context, const struct event *event)
{
	(void)context;
	(void)event;
	return true;
}

static void show_items(struct observer *observer, const struct page *page, struct live *live)
{
	observer__look(observer);
	qsort(observer->items, observer->count, sizeof(*observer->items), by_time);
	for (size_t i = 0; i < observer->count; i++) {
		const union item *item = &observer->items[i];

		if (!is_of(page, item))
			continue;
		if (item->event.what == RING_SEGMENT)
			live__segment(live, &item->segment);
		else
			live__event(live, &item->event);
	}
	if (observer->count == observer->room)
		log_warn("fetch: the ladder is not complete: more than %zu segments", observer->room);
}

void observer__ladder(struct observer *observer, const struct page *page)
{
	unsigned width = columns__width();
	struct ladder ladder = {.out = stdout,
				.width = width < LADDER_LEAST || width == UINT_MAX ? LADDER_LEAST : width};
	struct live_options options = {
		.format = page->options->json ? &ladder_json : &ladder_text,
		.ladder = &ladder,
		.connections = page->attempt_count,
		.at_once = page->options->json,
		.is_wanted = is_wanted,
	};
	struct live *live;

	if (!observer && *page->missing)
		log_warn("fetch: no ladder can be shown without %s", page->missing);
	live = observer ? live__new(&options) : NULL;
	if (!live)
		return;
	ladder.realtime_ns = events__realtime(observer->tracker.events, 0);
	show_items(observer, page, live);
	live__end(live);
	fflush(stdout);
}

void observer__close(struct observer *observer)
{
	if (!observer)
		return;
	verdicts__close(observer->verdicts);
	tracker__close(&observer->tracker);
	free(observer->items);
	free(observer);
}
