/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Module top is the full-screen view of a running filter. It may include output, kernel, config, system and text.
 *
 * What `synwarden top` shows: two snapshots laid out on a page of any size.
 */
#ifndef SYNWARDEN_TOP_VIEW_H
#define SYNWARDEN_TOP_VIEW_H

#include "top/canvas.h"
#include "top/rates.h"

enum view_run {
	VIEW_ALIVE,
	VIEW_LEFT, /* killed, or ended with --keep: the filter stays attached */
	VIEW_GONE, /* ended, its filter removed */
};

struct view {
	struct rates rates;
	uint64_t realtime_ns; /* at the later snapshot, since the epoch */
	enum view_run run;
	unsigned sort; /* column of the port table */
	size_t first;  /* port shown first; view__draw() bounds it */
	size_t shown;  /* ports that fit; set by view__draw() */
	bool paused;
	bool help;
};

/* On a cleared canvas. -1 after a message. */
int view__draw(struct view *view, struct canvas *canvas);

#endif
