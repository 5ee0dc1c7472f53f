// SPDX-License-Identifier: GPL-2.0-only
/*
 * Losses are printed among the lines, where they were noticed.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "output/records.h"
#include "stream/follow.h"
#include "system/clock.h"
#include "text/colour.h"
#include "text/log.h"
#include "text/names.h"

#define POLL_MS	   50
#define RING_BYTES (32 << 20) /* of all CPUs: a terminal or a pipe may not read for a second */
#define OUT_BYTES  (64 << 10) /* written at once; the rest after each poll */

static volatile sig_atomic_t stopped;

static void on_signal(int signal)
{
	(void)signal;
	stopped = 1;
}

void follow__lost(const struct stream *stream, unsigned loss, uint64_t lost)
{
	if (stream->options.json)
		records__lost(stdout, print_loss(loss), lost);
	else
		printf("%slost %lu (%s)%s\n", print_red(), lost, print_loss(loss), print_plain());
}

static void print_lost(void *context, unsigned loss, uint64_t lost)
{
	follow__lost(context, loss, lost);
}

static void on_event(void *context, const struct event *event)
{
	const struct stream *stream = context;

	stream->event(stream->context, event);
}

int follow__open(struct stream *stream, const struct config *config, unsigned parts)
{
	struct events_sink sink = {.event = on_event, .lost = print_lost, .context = stream};
	static char out[OUT_BYTES];

	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	signal(SIGPIPE, on_signal);
	setvbuf(stdout, out, _IOFBF, sizeof(out));
	print_colour_init(stdout);
	return tracker__open(&stream->tracker, config, parts, RING_BYTES, &sink);
}

void follow__printed(struct stream *stream)
{
	stream->printed++;
	if (ferror_unlocked(stdout))
		stream->error = errno;
}

bool follow__is_full(const struct stream *stream)
{
	return stream->error || (stream->options.count && stream->printed >= stream->options.count);
}

int follow__flush(struct stream *stream)
{
	if (!stream->error && fflush(stdout))
		stream->error = errno;
	if (!stream->error || stream->error == EPIPE)
		return 0;
	log_error("cannot write the output: %s", strerror(stream->error));
	return -1;
}

int follow__follow(struct stream *stream, const char *message)
{
	uint32_t seconds = stream->options.seconds;
	uint64_t end = clock__now() + seconds * NS_PER_S;
	bool done = false;

	stream->before(stream->context);
	if (follow__flush(stream))
		return 1;
	log_info("%s", message);
	while (!done) {
		done = stopped;
		stream->before(stream->context);
		events__poll(stream->tracker.events, POLL_MS);
		if (follow__flush(stream))
			return 1;
		if (follow__is_full(stream) || (seconds && clock__now() >= end))
			break;
	}
	return 0;
}

void follow__close(struct stream *stream)
{
	tracker__close(&stream->tracker);
}
