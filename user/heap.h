/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The heap of a process that runs for months, and now and then needs much of it for a moment: it stays as small as
 * what is in use, however often that is.
 */
#ifndef SYNWARDEN_HEAP_H
#define SYNWARDEN_HEAP_H

/* One heap for all threads, so that every trim finds all that is free; to be called before there is a second one. */
void heap__share(void);
/* Gives back to the kernel what is free. */
void heap__trim(void);
/*
 * Runs work() in a thread of its own, waits for its end, and trims. The C library keeps freed pieces aside for the
 * thread that freed them, a few of each size, wherever they lie; only the thread's end makes them free for others.
 */
void heap__apart(void (*work)(void *context), void *context);

#endif
