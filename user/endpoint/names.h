/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the dashboard knows of the tables in include/, as a JavaScript module.
 */
#ifndef SYNWARDEN_ENDPOINT_NAMES_H
#define SYNWARDEN_ENDPOINT_NAMES_H

#include <stdio.h>

/*
 * Exports objects by name: PORT_COUNTERS (heading of its column; "": no column), REASONS, ENDINGS, LOSSES, TCP_STATES
 * (help), ORDERLY (the endings that are), TRANSITIONS (by "FROM>TO": what causes it, in a word).
 */
void names__write(FILE *out);

#endif
