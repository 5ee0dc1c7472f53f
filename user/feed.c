// SPDX-License-Identifier: GPL-2.0-only
/*
 * One ring of records for all readers, each with a place in it: memory does not grow with them, nobody waits for a slow
 * one, and what it misses can be counted. A thread loads the tracker when the first reader comes and fills the ring.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include <bpf/libbpf.h>

#include "clock.h"
#include "events.h"
#include "feed.h"
#include "guard.h"
#include "heap.h"
#include "log.h"
#include "owners.h"
#include "pins.h"
#include "print.h"
#include "records.h"
#include "rings.h"

#define RING_SLOTS   2048 /* of each CPU, in the kernel: those of POLL_MS stand in it */
#define POLL_MS	     50
#define SLOTS	     4096 /* records of transitions; */
#define LIVES	     1024 /* a connection has about five. Powers of two */
#define BATCH	     16	  /* records that are written at once */
#define REST_SECONDS 10	  /* after a failure, before it is tried again */
#define BEAT_SECONDS 5	  /* a reader hears something at least so often; else nobody noticed that it is gone */

enum phase {
	PHASE_REST, /* no tracker, or not yet */
	PHASE_LIVE,
	PHASE_FAILED, /* it did not load; not tried again before REST_SECONDS have passed */
};

/* A transition, a connection that ended, or what was lost between two. */
struct record {
	uint64_t before; /* events that happened before it, seen or lost */
	uint64_t lost;	 /* 0: nothing */
	unsigned stage;	 /* enum loss */
	uint64_t realtime_ns;
	struct life life; /* of a transition only the event with which it begins */
};

struct reader {
	struct feed *feed;
	struct reader *next;
	void (*wake)(void *who);
	void *who;
	uint64_t at;   /* the number of the record to be read next */
	uint64_t told; /* events, as record.before counts them */
	uint64_t beat; /* the last one that it heard */
	bool waits;    /* for `wake` */
	FILE *out;     /* writes `text`, of which `sent` bytes are read */
	char *text;
	size_t size, sent;
};

struct feed {
	enum stream_kind kind;
	time_t linger;
	pthread_t thread;
	pthread_mutex_t lock; /* of all that follows */
	pthread_cond_t changed;
	bool ended;
	enum phase phase;
	struct reader *readers;
	size_t count;
	uint64_t beat;
	uint64_t head;	 /* number of the next record */
	uint64_t events; /* that happened so far, seen or lost */
	size_t slots;
	struct record records[];
};

/* Of the feed's thread only. */
struct tracker {
	struct feed *feed;
	struct guard *guard;
	struct owners *owners;
	struct events *events;
};

static void wake_all(struct feed *feed)
{
	for (struct reader *reader = feed->readers; reader; reader = reader->next) {
		if (reader->waits)
			reader->wake(reader->who);
		reader->waits = false;
	}
}

static void push(struct feed *feed, struct record *record)
{
	pthread_mutex_lock(&feed->lock);
	record->before = feed->events;
	feed->records[feed->head++ % feed->slots] = *record;
	feed->events += record->lost ?: 1;
	pthread_mutex_unlock(&feed->lock);
}

static void on_event(void *context, const struct event *event)
{
	const struct tracker *tracker = context;
	struct record record = {};

	if (tracker->feed->kind == STREAM_LIVES) {
		memcpy(&record.life, event, sizeof(record.life));
		if (record.life.role == ROLE_SERVER)
			owners__resolve_accepted(tracker->owners, &record.life.event);
		records__whole_life(&record.life);
	} else {
		record.life.event = *event;
		owners__resolve(tracker->owners, &record.life.event);
	}
	record.realtime_ns = events__realtime(tracker->events, event->time_ns);
	push(tracker->feed, &record);
}

static void on_lost(void *context, unsigned loss, uint64_t lost)
{
	const struct tracker *tracker = context;
	struct record record = {.lost = lost, .stage = loss};

	push(tracker->feed, &record);
}

static int load(struct tracker *tracker)
{
	struct config config = {.stream = tracker->feed->kind, .cpus = libbpf_num_possible_cpus()};
	struct events_sink sink = {.event = on_event, .lost = on_lost, .context = tracker};

	config.rings = rings__count(config.cpus);
	config.ring_slots = RING_SLOTS;
	config.netns = pins__netns();
	config.filter.netns = config.netns;
	if (guard__load(&tracker->guard, &config, GUARD_TRACKER | GUARD_OWNERS, NULL) ||
	    events__open(&tracker->events, tracker->guard, &sink) || guard__attach_tracker(tracker->guard, NULL))
		return -1;
	return owners__open(&tracker->owners, tracker->guard);
}

static void unload(struct tracker *tracker)
{
	events__close(tracker->events);
	owners__close(tracker->owners);
	guard__free(tracker->guard);
}

static time_t seconds(void)
{
	return clock__now() / NS_PER_S;
}

/* Wakes who waits where there is something new, and all of them for a beat. Whether to go on. */
static bool serve(struct feed *feed, bool news, time_t *beaten, time_t *used)
{
	bool more;

	pthread_mutex_lock(&feed->lock);
	if (seconds() - *beaten >= BEAT_SECONDS) {
		*beaten = seconds();
		feed->beat++;
		news = true;
	}
	if (news)
		wake_all(feed);
	if (feed->readers)
		*used = seconds();
	more = !feed->ended && (feed->readers || seconds() - *used < feed->linger);
	if (!more)
		feed->phase = PHASE_REST; /* a reader that comes now waits for the next tracker */
	pthread_mutex_unlock(&feed->lock);
	return more;
}

static void set_phase(struct feed *feed, enum phase phase)
{
	pthread_mutex_lock(&feed->lock);
	feed->phase = phase;
	wake_all(feed);
	pthread_mutex_unlock(&feed->lock);
}

/* From the first reader until the last one has been gone for a while. */
static void follow(void *context)
{
	struct feed *feed = context;
	struct tracker tracker = {.feed = feed};
	time_t beaten = seconds(), used = beaten;
	uint64_t head = feed->head;
	int err = load(&tracker);

	set_phase(feed, err ? PHASE_FAILED : PHASE_LIVE);
	heap__trim(); /* of what libbpf needed to load it */
	while (!err && serve(feed, feed->head != head, &beaten, &used)) {
		head = feed->head;
		events__poll(tracker.events, POLL_MS);
	}
	unload(&tracker);
}

/* With the lock held. By the clock that nobody sets back. */
static void rest_after_failure(struct feed *feed)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += REST_SECONDS;
	while (!feed->ended &&
	       pthread_cond_clockwait(&feed->changed, &feed->lock, CLOCK_MONOTONIC, &until) != ETIMEDOUT)
		;
	feed->phase = PHASE_REST;
}

static void *run(void *context)
{
	struct feed *feed = context;

	pthread_mutex_lock(&feed->lock);
	while (!feed->ended) {
		if (!feed->readers) {
			pthread_cond_wait(&feed->changed, &feed->lock);
			continue;
		}
		pthread_mutex_unlock(&feed->lock);
		heap__apart(follow, feed);
		pthread_mutex_lock(&feed->lock);
		if (feed->phase == PHASE_FAILED)
			rest_after_failure(feed);
	}
	pthread_mutex_unlock(&feed->lock);
	return NULL;
}

static size_t size_of(size_t slots)
{
	return sizeof(struct feed) + slots * sizeof(struct record);
}

int feed__start(struct feed **feed, enum stream_kind kind, unsigned linger_seconds)
{
	size_t slots = kind == STREAM_LIVES ? LIVES : SLOTS;
	/* All of it from the start: what grows with the first records would look like a leak. */
	struct feed *new =
		mmap(NULL, size_of(slots), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	sigset_t all, before;
	int err = errno;

	*feed = NULL;
	if (new != MAP_FAILED) {
		new->kind = kind;
		new->linger = linger_seconds;
		new->slots = slots;
		pthread_mutex_init(&new->lock, NULL);
		pthread_cond_init(&new->changed, NULL);
		sigfillset(&all);
		pthread_sigmask(SIG_SETMASK, &all, &before);
		err = pthread_create(&new->thread, NULL, run, new);
		pthread_sigmask(SIG_SETMASK, &before, NULL);
	}
	if (err) {
		log_error("cannot serve events: %s", strerror(err));
		if (new != MAP_FAILED)
			munmap(new, size_of(slots));
		return -1;
	}
	*feed = new;
	return 0;
}

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

void *feed__open(struct feed *feed, void (*wake)(void *who), void *who)
{
	struct reader *reader = NULL;

	pthread_mutex_lock(&feed->lock);
	if (!feed->ended && feed->count < FEED_READERS)
		reader = make_reader(feed);
	if (reader) {
		reader->wake = wake;
		reader->who = who;
		reader->at = feed->head;
		reader->told = feed->events;
		reader->beat = feed->beat;
		reader->next = feed->readers;
		feed->readers = reader;
		feed->count++;
		pthread_cond_signal(&feed->changed);
	}
	pthread_mutex_unlock(&feed->lock);
	return reader;
}

enum http_ready feed__ready(void *context)
{
	struct reader *reader = context;
	struct feed *feed = reader->feed;
	enum http_ready ready = HTTP_NOT_YET;

	pthread_mutex_lock(&feed->lock);
	if (feed->ended || feed->phase == PHASE_FAILED)
		ready = HTTP_BROKEN;
	else if (feed->phase == PHASE_LIVE)
		ready = HTTP_READY;
	reader->waits = ready == HTTP_NOT_YET;
	pthread_mutex_unlock(&feed->lock);
	return ready;
}

static void write_lost(struct reader *reader, const char *stage, uint64_t lost)
{
	fputs("event: lost\ndata: ", reader->out);
	records__lost(reader->out, stage, lost);
	fputc('\n', reader->out);
}

/* Whoever fell out of the ring goes on in the middle of what is in it: at its end it would fall out again at once. */
static void catch_up(struct reader *reader)
{
	const struct feed *feed = reader->feed;
	uint64_t before;

	if (feed->head - reader->at <= feed->slots)
		return;
	reader->at = feed->head - feed->slots / 2;
	before = feed->records[reader->at % feed->slots].before;
	write_lost(reader, "client", before - reader->told);
	reader->told = before;
}

static void write_record(struct reader *reader, const struct record *record)
{
	reader->told = record->before + (record->lost ?: 1);
	if (record->lost) {
		write_lost(reader, print_loss(record->stage), record->lost);
		return;
	}
	fputs("data: ", reader->out);
	if (reader->feed->kind == STREAM_LIVES)
		records__connection(reader->out, &record->life, record->realtime_ns);
	else
		records__transition(reader->out, &record->life.event, record->realtime_ns);
	fputc('\n', reader->out);
}

/* What there is to be told next, if there is anything. */
static void refill(struct reader *reader)
{
	const struct feed *feed = reader->feed;
	int i;

	rewind(reader->out);
	reader->sent = 0;
	catch_up(reader);
	for (i = 0; i < BATCH && reader->at < feed->head; i++)
		write_record(reader, &feed->records[reader->at++ % feed->slots]);
	if (!i && reader->beat != feed->beat)
		fputs(":\n\n", reader->out);
	reader->beat = feed->beat;
	fflush(reader->out);
}

ssize_t feed__read(void *context, char *to, size_t size)
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

void feed__close(void *context)
{
	struct reader *reader = context, **at;
	struct feed *feed = reader->feed;

	pthread_mutex_lock(&feed->lock);
	for (at = &feed->readers; *at != reader; at = &(*at)->next)
		;
	*at = reader->next;
	feed->count--;
	pthread_mutex_unlock(&feed->lock);
	fclose(reader->out);
	free(reader->text);
	free(reader);
}

void feed__stop(struct feed *feed)
{
	if (!feed)
		return;
	pthread_mutex_lock(&feed->lock);
	feed->ended = true;
	wake_all(feed);
	pthread_cond_signal(&feed->changed);
	pthread_mutex_unlock(&feed->lock);
	pthread_join(feed->thread, NULL);
}

void feed__free(struct feed *feed)
{
	if (!feed)
		return;
	pthread_cond_destroy(&feed->changed);
	pthread_mutex_destroy(&feed->lock);
	munmap(feed, size_of(feed->slots));
}
