/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the kernel does with the connections of a page: their transitions and segments, by the programs of `ladder`, and
 * what the filter of a `run` on this host does with them.
 */
#ifndef SYNWARDEN_FETCH_OBSERVER_H
#define SYNWARDEN_FETCH_OBSERVER_H

#include "fetch/page.h"

struct observer;

/* Of connections to the page's port, in this network namespace. NULL: this process may not (page->missing says what it
 * lacks), or after a message. */
struct observer *observer__open(struct page *page);

/* Takes in what has happened; to be called often while a connection is waited for. NULL is accepted. */
void observer__look(struct observer *observer);

/* What was seen of the attempt from from_ns on. */
struct attempt_seen observer__judge(const struct observer *observer, const struct attempt *attempt, uint64_t from_ns);

/* From here on the attempt's connection carries the request. NULL is accepted. */
void observer__ask(struct observer *observer, const struct attempt *attempt, uint64_t asked_ns);

/* Sets page->acked_ns and page->segments, where they were seen. */
void observer__answered(struct observer *observer, struct page *page);

/* The states that the connection passed behind ESTABLISHED: "FIN_WAIT1 > FIN_WAIT2 > TIME_WAIT"; "" if unknown. Waits a
 * moment for the last one. */
void observer__states(struct observer *observer, uint64_t cookie, char states[128]);

/* The ladder of each of the page's connections, on stdout. */
void observer__ladder(struct observer *observer, const struct page *page);

/* NULL is accepted. */
void observer__close(struct observer *observer);

#endif
