/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The terminal as a screen: shows pages, reads keys. While it is open, signals that end the program, and messages on
 * stderr, wait for it to be closed.
 */
#ifndef SYNWARDEN_TUI_H
#define SYNWARDEN_TUI_H

#include <stdbool.h>

#include "page.h"

/* What tui__key() returns beside characters. */
enum tui_key {
	TUI_NOTHING = 0, /* the time is over */
	TUI_STOP = 256,	 /* SIGINT, SIGTERM or SIGHUP, or the terminal is gone */
	TUI_RESIZE,
	TUI_UP,
	TUI_DOWN,
	TUI_PAGE_UP,
	TUI_PAGE_DOWN,
	TUI_HOME,
	TUI_END,
};

/* Standard input and output are a terminal. -1 after a message: one of a kind that is not known. */
int tui__open(bool colour);
void tui__size(int *rows, int *columns);
void tui__show(const struct page *page);
/* Waits for a key, so many milliseconds at most; -1: as long as it takes. */
int tui__key(int wait_ms);
/* Gives the terminal back as it was, and then prints the messages that have come meanwhile. */
void tui__close(void);

#endif
