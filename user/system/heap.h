/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The heap of a process that runs for months and needs much memory for moments: it stays as small as what is in use.
 */
#ifndef SYNWARDEN_SYSTEM_HEAP_H
#define SYNWARDEN_SYSTEM_HEAP_H

/* One heap for all threads, so that a trim finds all that is free; to be called before the second thread starts. */
void heap__share(void);
/* Returns free memory to the kernel. */
void heap__trim(void);
/*
 * Runs work() in a thread of its own, waits for its end, and trims. glibc keeps freed pieces in a cache of the thread
 * (tcache), which pins the pages around them, and which only GLIBC_TUNABLES in the environment can turn off; it is
 * freed when the thread ends. Without the thread, five loads and unloads of the BPF object leave 160 KiB more
 * resident (tests/bpf/memory).
 */
void heap__apart(void (*work)(void *context), void *context);

#endif
