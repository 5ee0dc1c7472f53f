/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The keys of the sections that `synwarden sync` reads, for `synwarden help sync-keys` and the documents.
 */
#ifndef SYNWARDEN_OUTPUT_SYNC_KEYS_H
#define SYNWARDEN_OUTPUT_SYNC_KEYS_H

#include <stdio.h>

/* Prints the table. Returns 0. */
int sync_keys__print(FILE *out);

#endif
