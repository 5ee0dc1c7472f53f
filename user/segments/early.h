/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Data that came to a listener, with the last ACK of a handshake: of each connection where the listener defers
 * accept (TCP_DEFER_ACCEPT). It waits until its connection sends something, or ends. A sender need not have
 * completed a handshake: the number of pieces is bounded.
 */
#ifndef SYNWARDEN_SEGMENTS_EARLY_H
#define SYNWARDEN_SEGMENTS_EARLY_H

#include <stdbool.h>
#include <stdint.h>

#include "http.h"

#define EARLY_MAX 4096 /* pieces; a later one replaces the oldest */

struct early;

/* NULL: no memory. */
struct early *early__new(void);
/* Copies the piece. Those of the same flow that another connection sent, by their sequence numbers, are forgotten. The
 * number of pieces that were lost: the oldest one where there are too many, or this one where there is no memory. */
unsigned early__keep(struct early *early, const struct http_piece *piece);
bool early__has(const struct early *early, const struct flow *flow);
/* Calls `each` for the pieces of the flow, in the order in which they came, and forgets them. */
void early__take(struct early *early, const struct flow *flow,
		 void (*each)(void *context, const struct http_piece *piece), void *context);
/* Whether both may be of one connection: a piece that comes to a listener is near its connection's beginning. */
bool early__is_near(const struct http_piece *a, const struct http_piece *b);
void early__free(struct early *early);

#endif
