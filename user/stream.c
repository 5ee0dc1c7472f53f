// SPDX-License-Identifier: GPL-2.0-only
/*
 * Opens a tracker of one's own and follows its ring. Losses are told in the data, where they were noticed.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "log.h"
#include "print.h"
#include "records.h"
#include "rings.h"
#include "stream.h"

#define POLL_MS	   50
#define RING_MOST  (1 << 17) /* slots of one CPU: a second and more of its transitions, in 16 MiB; */
#define RING_LEAST (1 << 11)
#define RINGS_MOST (1 << 18)  /* of all, where that is RING_LEAST at least */
#define OUT_BYTES  (64 << 10) /* written at once; the rest after each poll */

static volatile sig_atomic_t stopped;

static void on_signal(int signal)
{
	(void)signal;
	stopped = 1;
}

static void print_lost(void *context, unsigned loss, uint64_t lost)
{
	const struct stream *stream = context;

	if (stream->options.json)
		records__lost(stdout, print_loss(loss), lost);
	else
		printf("%slost %lu (%s)%s\n", print_red(), lost, print_loss(loss), print_plain());
}

static void size_rings(struct config *config)
{
	size_t slots = RING_MOST;

	config->rings = rings__count(config->cpus);
	while (slots > RING_LEAST && slots * config->rings > RINGS_MOST)
		slots /= 2;
	config->ring_slots = config->stream == STREAM_LIVES ? slots / 2 : slots; /* which are longer, and fewer */
}

int stream__open(struct stream *stream, const struct config *config, unsigned parts,
		 void (*event)(void *context, const struct event *event))
{
	struct events_sink sink = {.event = event, .lost = print_lost, .context = stream};
	struct config sized = *config;
	static char out[OUT_BYTES];

	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	signal(SIGPIPE, on_signal);
	setvbuf(stdout, out, _IOFBF, sizeof(out));
	print_colour_init(stdout);
	if (parts & GUARD_TRACKER)
		size_rings(&sized);
	if (guard__load(&stream->guard, &sized, parts, NULL) || events__open(&stream->events, stream->guard, &sink) ||
	    guard__attach_tracker(stream->guard, NULL) || owners__open(&stream->owners, stream->guard))
		return -1;
	return 0;
}

void stream__printed(struct stream *stream)
{
	stream->printed++;
	if (ferror_unlocked(stdout))
		stream->error = errno;
}

bool stream__is_full(const struct stream *stream)
{
	return stream->error || (stream->options.count && stream->printed >= stream->options.count);
}

int stream__flush(struct stream *stream)
{
	if (!stream->error && fflush(stdout))
		stream->error = errno;
	if (!stream->error || stream->error == EPIPE)
		return 0;
	log_error("cannot write the output: %s", strerror(stream->error));
	return -1;
}

int stream__follow(struct stream *stream, const char *message, void (*before)(struct stream *stream))
{
	uint32_t seconds = stream->options.seconds;
	uint64_t end = clock__now() + seconds * NS_PER_S;
	bool done = false;

	before(stream);
	if (stream__flush(stream))
		return 1;
	log_info("%s", message);
	while (!done) {
		done = stopped;
		before(stream);
		events__poll(stream->events, POLL_MS);
		if (stream__flush(stream))
			return 1;
		if (stream__is_full(stream) || (seconds && clock__now() >= end))
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
