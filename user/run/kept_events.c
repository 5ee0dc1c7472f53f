// SPDX-License-Identifier: GPL-2.0-only
/*
 * Losses of one stage within an hour are one event, which grows.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "output/event_file.h"
#include "run/kept_events.h"
#include "system/clock.h"
#include "text/log.h"
#include "text/names.h"

#define SAVE_NS	     (3 * NS_PER_S)
#define SAVE_MOST_NS (30 * NS_PER_S)
#define SAVE_SHARE   20 /* of the time, at most one part in so many: it is the thread that judges */
#define LOST_MS	     (3600 * 1000ULL)

static void restore(struct kept_events *kept)
{
	char path[STATE_PATH_LEN];
	const char *why;

	state_folder__path(path, kept->folder, EVENT_FILE_KIND);
	if (kept->folder->fd < 0 || access(path, F_OK))
		return;
	if (event_file__read(kept->log, path, true, &why) == 0)
		return;
	log_error("a new log of events is begun, and the former one set aside as %s.damaged: %s", path, why);
	if (state_folder__set_aside(kept->folder, EVENT_FILE_KIND))
		log_error("cannot set %s aside, it is replaced: %s", path, strerror(errno));
}

int kept_events__open(struct kept_events *kept, const struct state_folder *folder)
{
	*kept = (struct kept_events){.folder = folder, .log = event_log__make()};
	if (!kept->log)
		return -1;
	restore(kept);
	kept->saved = event_log__revision(kept->log);
	return 0;
}

void kept_events__note(struct kept_events *kept, enum event_kind kind, uint32_t flags, const char *detail)
{
	struct log_event event = event_log__event(kind, flags, detail);

	if (kept->log)
		event_log__add(kept->log, &event);
}

static void note_loss(struct kept_events *kept, enum loss loss, uint64_t count)
{
	struct log_event *event = &kept->lost[loss], now = event_log__event(EVENT_LOST, 0, print_loss(loss));
	uint64_t ms = (now.started_ns - event->started_ns) / NS_PER_MS;

	if (!event->id || ms >= LOST_MS) {
		now.count = count;
		event_log__add(kept->log, &now);
		*event = now;
		return;
	}
	event->count += count;
	event->duration_ms = ms;
	event_log__change(kept->log, event);
}

static void note_losses(struct kept_events *kept, const struct snapshot *s)
{
	for (unsigned loss = 0; loss < LOSS_MAX; loss++) {
		if (kept->follows && s->losses[loss] > kept->losses[loss])
			note_loss(kept, loss, s->losses[loss] - kept->losses[loss]);
		kept->losses[loss] = s->losses[loss];
	}
	kept->follows = true;
}

static uint64_t pause_ns(const struct kept_events *kept)
{
	uint64_t ns = kept->took_ns * SAVE_SHARE;

	return ns < SAVE_NS ? SAVE_NS : ns > SAVE_MOST_NS ? SAVE_MOST_NS : ns;
}

void kept_events__follow(struct kept_events *kept, const struct snapshot *s)
{
	note_losses(kept, s);
	event_log__expire(kept->log, s->taken_ns);
	if (!kept->saved_ns || s->taken_ns - kept->saved_ns >= pause_ns(kept))
		kept_events__save(kept);
}

static int write_log(FILE *out, const void *context)
{
	const struct kept_events *kept = context;

	return event_file__write(out, kept->log);
}

static int save(struct kept_events *kept)
{
	int ret;

	kept->saved_ns = clock__now();
	ret = state_folder__replace(kept->folder, EVENT_FILE_KIND, write_log, kept);
	kept->took_ns = clock__now() - kept->saved_ns;
	return ret;
}

void kept_events__save(struct kept_events *kept)
{
	uint64_t revision = kept->log ? event_log__revision(kept->log) : 0;
	char path[STATE_PATH_LEN];

	if (!kept->log || kept->folder->fd < 0 || revision == kept->saved)
		return;
	state_folder__path(path, kept->folder, EVENT_FILE_KIND);
	if (save(kept)) {
		if (!kept->failed)
			log_error("cannot save the events in %s: %s; it is tried again", path, strerror(errno));
		kept->failed = true;
		return;
	}
	if (kept->failed)
		log_notice("the events are saved in %s again", path);
	kept->failed = false;
	kept->saved = revision;
}

void kept_events__close(struct kept_events *kept)
{
	kept_events__save(kept);
	event_log__free(kept->log);
	kept->log = NULL;
}
