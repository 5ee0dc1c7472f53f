/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The keys and columns of `top`, for `synwarden help` and the documents.
 */
#ifndef SYNWARDEN_TOP_REFERENCE_H
#define SYNWARDEN_TOP_REFERENCE_H

#include <stdio.h>

/* Tables as of reference__print(). 0. */
int top_reference__keys(FILE *out);
int top_reference__columns(FILE *out);

#endif
