/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The terminal as a screen: shows pages, reads keys. While it is open, signals that end the program and messages on
 * stderr are held back until it is closed.
 */
#ifndef SYNWARDEN_TOP_TERMINAL_H
#define SYNWARDEN_TOP_TERMINAL_H

#include <stdbool.h>

#include "top/canvas.h"

/* What terminal__key() returns beside characters. */
enum terminal_key {
	TERMINAL_NOTHING = 0, /* timeout */
	TERMINAL_STOP = 256,  /* SIGINT, SIGTERM or SIGHUP, or the terminal is gone */
	TERMINAL_RESIZE,
	TERMINAL_UP,
	TERMINAL_DOWN,
	TERMINAL_PAGE_UP,
	TERMINAL_PAGE_DOWN,
	TERMINAL_HOME,
	TERMINAL_END,
	TERMINAL_LEFT,
	TERMINAL_RIGHT,
	TERMINAL_ENTER,
	TERMINAL_BACKSPACE,
	TERMINAL_CLICK, /* where, terminal__pointer() says */
	TERMINAL_WHEEL_UP,
	TERMINAL_WHEEL_DOWN,
};

/* Standard input and output must be a terminal. Bars are drawn with block elements where the locale is one of UTF-8,
 * else with ASCII characters. -1 after a message: its type is unknown. */
int terminal__open(bool colour);
void terminal__size(int *rows, int *columns);
void terminal__show(const struct canvas *canvas);
/* Waits for a key, at most this many milliseconds; -1: forever. */
int terminal__key(int wait_ms);
/* The cell of the last click. */
void terminal__pointer(int *row, int *column);
/* Restores the terminal, then prints the messages that were held back. */
void terminal__close(void);

#endif
