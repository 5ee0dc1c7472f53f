// SPDX-License-Identifier: GPL-2.0-only
/*
 * A thread opens the tracker when the first reader comes and fills the ring of records.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "endpoint/feed.h"
#include "endpoint/feed_parts.h"
#include "kernel/pins.h"
#include "output/records.h"
#include "stream/tracker.h"
#include "system/clock.h"
#include "system/heap.h"
#include "text/log.h"

#define RING_BYTES   (512 << 10) /* of all CPUs: the feed's own ring is the buffer */
#define POLL_MS	     50
#define SLOTS	     4096 /* records of transitions; */
#define LIVES	     1024 /* a connection has about five. Powers of two */
#define REST_SECONDS 10	  /* after a failure, before it is tried again */
#define BEAT_SECONDS 5	  /* a reader gets a comment line at least so often: writing shows whether the client is gone */

/* Of the feed's thread only. */
struct follower {
	struct feed *feed;
	struct tracker tracker;
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
	const struct follower *follower = context;
	const struct tracker *tracker = &follower->tracker;
	struct record record = {};

	if (follower->feed->kind == STREAM_LIVES) {
		memcpy(&record.life, event, sizeof(record.life));
		if (record.life.role == ROLE_SERVER)
			owners__resolve_accepted(tracker->owners, &record.life.event);
		records__whole_life(&record.life);
	} else {
		record.life.event = *event;
		owners__resolve(tracker->owners, &record.life.event);
	}
	record.realtime_ns = events__realtime(tracker->events, event->time_ns);
	push(follower->feed, &record);
}

static void on_lost(void *context, unsigned loss, uint64_t lost)
{
	const struct follower *follower = context;
	struct record record = {.lost = lost, .stage = loss};

	push(follower->feed, &record);
}

/* Of this network namespace alone. */
static int open_tracker(struct follower *follower)
{
	struct config config = {.stream = follower->feed->kind, .netns = pins__netns()};
	struct events_sink sink = {.event = on_event, .lost = on_lost, .context = follower};

	config.filter.netns = config.netns;
	return tracker__open(&follower->tracker, &config, PROGRAMS_TRACKER | PROGRAMS_OWNERS | PROGRAMS_READERS,
			     RING_BYTES, &sink);
}

static time_t seconds(void)
{
	return clock__now() / NS_PER_S;
}

/* Wakes waiting readers where there is something new, and all of them for a beat. Returns whether to go on. */
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
	struct follower follower = {.feed = feed};
	time_t beaten = seconds(), used = beaten;
	uint64_t head = feed->head;
	int err = open_tracker(&follower);

	set_phase(feed, err ? PHASE_FAILED : PHASE_LIVE);
	heap__trim(); /* free what libbpf needed to load it */
	while (!err && serve(feed, feed->head != head, &beaten, &used)) {
		head = feed->head;
		events__poll(follower.tracker.events, POLL_MS);
	}
	tracker__close(&follower.tracker);
}

/* With the lock held. By CLOCK_MONOTONIC, as the wall clock may be set back. */
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

/* 0, or an errno. Signals are for the main thread. */
static int start_thread(struct feed *feed)
{
	sigset_t all, before;
	int err;

	pthread_mutex_init(&feed->lock, NULL);
	pthread_cond_init(&feed->changed, NULL);
	feed->out = open_memstream(&feed->text, &feed->size);
	if (!feed->out)
		return errno;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = pthread_create(&feed->thread, NULL, run, feed);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return err;
}

int feed__start(struct feed **feed, enum stream_kind kind, unsigned linger_seconds)
{
	size_t slots = kind == STREAM_LIVES ? LIVES : SLOTS;
	/* Populated from the start: memory that grows with the first records would look like a leak. */
	struct feed *new =
		mmap(NULL, size_of(slots), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	int err = errno;

	*feed = NULL;
	if (new != MAP_FAILED) {
		new->kind = kind;
		new->linger = linger_seconds;
		new->slots = slots;
		err = start_thread(new);
	}
	if (err) {
		log_error("cannot serve events: %s", strerror(err));
		if (new != MAP_FAILED)
			feed__free(new);
		return -1;
	}
	*feed = new;
	return 0;
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
	if (feed->out)
		fclose(feed->out);
	free(feed->text);
	munmap(feed, size_of(feed->slots));
}
