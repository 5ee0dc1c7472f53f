/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A list file: an address, a prefix or a range a line, or a JSON object a line; ';' and '#' begin a comment. The lists
 * of Spamhaus, FireHOL and AbuseIPDB are such files.
 */
#ifndef SYNWARDEN_CONFIG_LIST_FILE_H
#define SYNWARDEN_CONFIG_LIST_FILE_H

#include <stdio.h>

#include "config/prefixes.h"

/*
 * Adds the entries of the file `path`, or of standard input for "-". A bad line is warned of and left out; *bad is how
 * many there were. -1, with *why set, where the file cannot be read, is no text, or has more than one bad line in ten:
 * nothing is added then.
 */
int list_file__read(const char *path, struct prefixes *prefixes, unsigned *bad, const char **why);
/* The same of what `in` holds, which messages call `name`. */
int list_file__read_stream(FILE *in, const char *name, struct prefixes *prefixes, unsigned *bad, const char **why);

#endif
