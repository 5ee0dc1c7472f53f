/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A feed from inside: one ring of records for all readers, each with a position in it. Memory does not grow with the
 * number of readers, a slow reader delays no other, and the records that it misses are counted.
 */
#ifndef SYNWARDEN_ENDPOINT_FEED_PARTS_H
#define SYNWARDEN_ENDPOINT_FEED_PARTS_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include "types.h"

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
	struct life life; /* of a transition only life.event */
};

#define FEED_TEXTS    128  /* readers that keep up are closer to each other than that */
#define FEED_TEXT_LEN 1000 /* longer than nearly all records */

/* A record as it is sent, kept for the other readers. */
struct text {
	uint64_t number; /* of the record, from 1; 0: none */
	size_t len;
	char bytes[FEED_TEXT_LEN];
};

struct reader {
	struct feed *feed;
	struct reader *next;
	void (*wake)(void *who);
	void *who;
	uint64_t at;	   /* the number of the record to be read next */
	uint64_t reported; /* events, as record.before counts them */
	uint64_t beat;	   /* the last beat that it got */
	bool waits;	   /* for `wake` */
	FILE *out;	   /* writes `text`, of which `sent` bytes are read */
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
	uint64_t beat;
	uint64_t head;	 /* number of the next record */
	uint64_t events; /* that happened so far, seen or lost */
	FILE *out;	 /* writes one record to `text` */
	char *text;
	size_t size;
	struct text texts[FEED_TEXTS]; /* by record number */
	size_t slots;
	struct record records[];
};

#endif
