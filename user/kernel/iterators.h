/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's tables, read through BPF iterators. Each function reads from the beginning to the end, and returns 0,
 * or -1 after a message.
 */
#ifndef SYNWARDEN_KERNEL_ITERATORS_H
#define SYNWARDEN_KERNEL_ITERATORS_H

#include <stdbool.h>
#include <stddef.h>

#include <bpf/libbpf.h>

#include "types.h"

/* Runs an iterator that writes nothing, but counts in a map. */
int iterators__count(struct bpf_program *program);
/* *holders is set to an array; free() it. */
int iterators__holders(struct bpf_program *program, struct holder **holders, size_t *count);
/* One at a time; memory does not grow with their number. Ends early where `each` returns false. */
int iterators__sockets(struct bpf_program *program, bool (*each)(void *context, const struct life *life),
		       void *context);

#endif
