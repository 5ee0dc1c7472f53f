/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Readers of a feed: the functions of a struct server_stream. All readers belong to one thread. A reader that falls
 * behind by more than the feed's ring continues in its middle, and gets the number of events that it missed.
 */
#ifndef SYNWARDEN_ENDPOINT_FEED_READERS_H
#define SYNWARDEN_ENDPOINT_FEED_READERS_H

#include "endpoint/feed.h"
#include "server/server.h"

#define FEED_READERS 8 /* of one feed; the server admits no more */

/* NULL: out of memory, or the feed has ended. */
void *feed_readers__open(struct feed *feed, void (*wake)(void *who), void *who);
enum server_ready feed_readers__ready(void *reader);
ssize_t feed_readers__read(void *reader, char *to, size_t size);
void feed_readers__close(void *reader);

#endif
