/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The keys and columns of `top`, for its own help, `synwarden help` and the documents.
 */
#ifndef SYNWARDEN_TOP_REFERENCE_H
#define SYNWARDEN_TOP_REFERENCE_H

#include <stddef.h>
#include <stdio.h>

struct top_key {
	const char *keys, *help;
};

extern const struct top_key top_keys[];
extern const size_t top_key_count;

/* Tables as of reference__print(). 0. */
int top_reference__keys(FILE *out);
int top_reference__columns(FILE *out);

#endif
