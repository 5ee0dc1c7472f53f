/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The lists of the settings: what the configuration file says itself, and the list files that it names. A list file
 * that cannot be taken as it is now leaves in force what it held before; it is never a reason not to start.
 */
#ifndef SYNWARDEN_CONFIG_LIST_SOURCES_H
#define SYNWARDEN_CONFIG_LIST_SOURCES_H

#include "config/settings.h"

/* Reads a list file and adds it as a source; where it is not taken, after an error. -1 without memory. */
int list_sources__add(struct settings *settings, enum list list, const char *path);
/*
 * Puts the lists together from their sources, without entries that others hold. A source with which a list would be
 * too long is not taken, after an error. -1, after a message, where `cidr` alone fill a list.
 */
int list_sources__join(struct settings *settings);
/* Of sources that are not taken now, continues with what `former` has of them; then joins. */
void list_sources__keep(struct settings *settings, const struct settings *former);
/* Reads those again that are not taken and have changed since. True where one of them is taken now: it is joined. */
bool list_sources__retry(struct settings *settings);

/* How many files of a list are not taken as they are. */
unsigned list_sources__refused(const struct settings *settings, enum list list);
/* Bad lines in all files, and files that are not taken. */
unsigned list_sources__bad(const struct settings *settings);
/* Whether it is known what each file of the list last held: else entries of a former run may be of such a file. */
bool list_sources__are_known(const struct settings *settings, enum list list);

void list_sources__free(struct settings *settings);

#endif
