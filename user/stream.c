// SPDX-License-Identifier: GPL-2.0-only
/*
 * Opens a tracker of one's own and follows its ring. Lost events are told in the data, where the loss was noticed.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>

#include "print.h"
#include "stream.h"

#define POLL_MS 50

static volatile sig_atomic_t stopped;

static void on_signal(int signal)
{
	(void)signal;
	stopped = 1;
}

static void print_lost(void *context, unsigned loss, uint64_t lost)
{
	const struct stream *stream = context;
	struct json json;

	if (!stream->json) {
		printf("%slost %lu (%s)%s\n", print_red(), lost, print_loss(loss), print_plain());
		return;
	}
	json_begin(&json, stdout);
	json_number(&json, "lost", lost);
	json_string(&json, "stage", print_loss(loss));
	json_end(&json);
}

int stream__open(struct stream *stream, const struct config *config, unsigned parts, size_t ring_bytes,
		 void (*event)(void *context, const struct event *event))
{
	struct events_sink sink = {.event = event, .lost = print_lost, .context = stream};

	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	signal(SIGPIPE, on_signal);
	print_colour_init(stdout);
	if (guard__load(&stream->guard, config, parts, NULL, ring_bytes) || guard__attach_tracker(stream->guard) ||
	    owners__open(&stream->owners, stream->guard) ||
	    events__open(&stream->events, guard__maps(stream->guard), &sink))
		return -1;
	return 0;
}

bool stream__is_full(const struct stream *stream)
{
	return stream->count && stream->printed >= stream->count;
}

int stream__follow(struct stream *stream)
{
	time_t end = time(NULL) + stream->seconds;
	bool done = false;

	while (!done) {
		done = stopped;
		if (events__poll(stream->events, POLL_MS) < 0 || fflush(stdout))
			return stopped || errno == EPIPE ? 0 : 1;
		if (stream__is_full(stream) || (stream->seconds && time(NULL) >= end))
			break;
	}
	return 0;
}

void stream__close(struct stream *stream)
{
	events__close(stream->events);
	owners__close(stream->owners);
	guard__free(stream->guard);
}
