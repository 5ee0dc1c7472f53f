/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's tables, read through BPF iterators, each from its beginning to its end. 0, or -1 after a message.
 */
#ifndef SYNWARDEN_TABLES_H
#define SYNWARDEN_TABLES_H

#include <stdbool.h>
#include <stddef.h>

#include <bpf/libbpf.h>

#include "types.h"

/* One that writes nothing: it counts in a map. */
int tables__count(struct bpf_program *program);
/* *holders is set to an array; free() it. */
int tables__holders(struct bpf_program *program, struct holder **holders, size_t *count);
/* One at a time; memory does not grow with their number. Ends early where `each` returns false. */
int tables__sockets(struct bpf_program *program, bool (*each)(void *context, const struct life *life), void *context);

#endif
