/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What `synwarden top` shows: two snapshots laid out on a page of any size.
 */
#ifndef SYNWARDEN_VIEW_H
#define SYNWARDEN_VIEW_H

#include "page.h"
#include "rates.h"

enum view_run {
	VIEW_ALIVE,
	VIEW_LEFT, /* dead, or ended with --keep: the filter works on */
	VIEW_GONE, /* ended, and its filter with it */
};

struct view {
	struct rates rates;
	uint64_t realtime_ns; /* at the later snapshot, since the epoch */
	enum view_run run;
	unsigned sort; /* column of the port table */
	size_t first;  /* port shown first; view__draw() bounds it */
	size_t shown;  /* ports that there was room for; set by view__draw() */
	bool paused;
	bool help;
};

/* On a cleared page. -1 after a message. */
int view__draw(struct view *view, struct page *page);

#endif
