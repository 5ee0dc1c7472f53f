/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What keys and the mouse do. The table has all keys, for `top` itself, its help, `synwarden help` and the documents.
 */
#ifndef SYNWARDEN_TOP_KEYS_H
#define SYNWARDEN_TOP_KEYS_H

#include "top/view.h"

#define KEY_CODES 8

struct top_key {
	const char *keys, *help;
	void (*press)(struct view *view, int key); /* NULL: the mouse's */
	int codes[KEY_CODES];			   /* characters, or enum terminal_key; 0 ends them */
};

extern const struct top_key top_keys[];
extern const size_t top_key_count;

/* After view__draw(). Sets view->quit. */
void keys__press(struct view *view, int key);
/* A click on a cell of the canvas. */
void keys__click(struct view *view, int row, int column);

#endif
