// SPDX-License-Identifier: GPL-2.0-only
/*
 * The readers of a feed: records as Server-Sent Events.
 */
#include <stdlib.h>
#include <string.h>

#include "endpoint/feed_parts.h"
#include "endpoint/feed_readers.h"
#include "output/records.h"
#include "text/names.h"

#define BATCH 16 /* records that are written at once */

static struct reader *make_reader(struct feed *feed)
{
	struct reader *reader = calloc(1, sizeof(*reader));

	if (!reader)
		return NULL;
	reader->feed = feed;
	reader->out = open_memstream(&reader->text, &reader->size);
	if (!reader->out) {
		free(reader);
		return NULL;
	}
	fputs(": follows\n\n", reader->out);
	fflush(reader->out);
	return reader;
}

void *feed_readers__open(struct feed *feed, void (*wake)(void *who), void *who)
{
	struct reader *reader = NULL;

	pthread_mutex_lock(&feed->lock);
	if (!feed->ended)
		reader = make_reader(feed);
	if (reader) {
		reader->wake = wake;
		reader->who = who;
		reader->at = feed->head;
		reader->reported = feed->events;
		reader->beat = feed->beat;
		reader->next = feed->readers;
		feed->readers = reader;
		pthread_cond_signal(&feed->changed);
	}
	pthread_mutex_unlock(&feed->lock);
	return reader;
}

enum server_ready feed_readers__ready(void *context)
{
	struct reader *reader = context;
	struct feed *feed = reader->feed;
	enum server_ready ready = HTTP_NOT_YET;

	pthread_mutex_lock(&feed->lock);
	if (feed->ended || feed->phase == PHASE_FAILED)
		ready = HTTP_BROKEN;
	else if (feed->phase == PHASE_LIVE)
		ready = HTTP_READY;
	reader->waits = ready == HTTP_NOT_YET;
	pthread_mutex_unlock(&feed->lock);
	return ready;
}

static void write_lost(FILE *out, const char *stage, uint64_t lost)
{
	fputs("event: lost\ndata: ", out);
	records__lost(out, stage, lost);
	fputc('\n', out);
}

/* A reader that fell out of the ring continues in its middle: at the oldest record it would fall out again at once. */
static void catch_up(struct reader *reader)
{
	const struct feed *feed = reader->feed;
	uint64_t before;

	if (feed->head - reader->at <= feed->slots)
		return;
	reader->at = feed->head - feed->slots / 2;
	before = feed->records[reader->at % feed->slots].before;
	write_lost(reader->out, "client", before - reader->reported);
	reader->reported = before;
}

static void format(FILE *out, enum stream_kind kind, const struct record *record)
{
	if (record->lost) {
		write_lost(out, print_loss(record->stage), record->lost);
		return;
	}
	fputs("data: ", out);
	if (kind == STREAM_LIVES)
		records__connection(out, &record->life, record->realtime_ns);
	else
		records__transition(out, &record->life.event, record->realtime_ns);
	fputc('\n', out);
}

/* The first reader that comes to a record formats it for all; one that is far behind the others, for itself. */
static void write_record(struct reader *reader, uint64_t number)
{
	struct feed *feed = reader->feed;
	const struct record *record = &feed->records[number % feed->slots];
	struct text *text = &feed->texts[number % FEED_TEXTS];

	reader->reported = record->before + (record->lost ?: 1);
	if (text->number == number + 1) {
		fwrite(text->bytes, 1, text->len, reader->out);
		return;
	}
	rewind(feed->out);
	format(feed->out, feed->kind, record);
	fflush(feed->out);
	fwrite(feed->text, 1, feed->size, reader->out);
	if (feed->size > sizeof(text->bytes) || text->number > number)
		return;
	memcpy(text->bytes, feed->text, feed->size);
	text->len = feed->size;
	text->number = number + 1;
}

/* Writes the next records, if there are any. */
static void refill(struct reader *reader)
{
	const struct feed *feed = reader->feed;
	int i;

	rewind(reader->out);
	reader->sent = 0;
	catch_up(reader);
	for (i = 0; i < BATCH && reader->at < feed->head; i++)
		write_record(reader, reader->at++);
	if (!i && reader->beat != feed->beat)
		fputs(":\n\n", reader->out);
	reader->beat = feed->beat;
	fflush(reader->out);
}

ssize_t feed_readers__read(void *context, char *to, size_t size)
{
	struct reader *reader = context;
	struct feed *feed = reader->feed;
	ssize_t got = -1;

	pthread_mutex_lock(&feed->lock);
	if (reader->sent == reader->size)
		refill(reader);
	if (!feed->ended && feed->phase == PHASE_LIVE) {
		got = reader->size - reader->sent < size ? reader->size - reader->sent : size;
		memcpy(to, reader->text + reader->sent, got);
		reader->sent += got;
	}
	reader->waits = !got;
	pthread_mutex_unlock(&feed->lock);
	return got;
}

void feed_readers__close(void *context)
{
	struct reader *reader = context, **at;
	struct feed *feed = reader->feed;

	pthread_mutex_lock(&feed->lock);
	for (at = &feed->readers; *at != reader; at = &(*at)->next)
		;
	*at = reader->next;
	pthread_mutex_unlock(&feed->lock);
	fclose(reader->out);
	free(reader->text);
	free(reader);
}
