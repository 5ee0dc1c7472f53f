/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the dashboard knows of the tables in include/, as a JavaScript module.
 */
#ifndef SYNWARDEN_ENDPOINT_NAMES_H
#define SYNWARDEN_ENDPOINT_NAMES_H

#include <stdio.h>

/*
 * Exports objects by name: REFERENCE (the tables of `synwarden help TABLE`, their rows by heading), PROTECTION (what
 * the states of protection mean), PORT_COUNTERS (heading of its column; "": no column), TRANSITIONS (by "FROM>TO": what
 * causes it, in a word).
 */
void names__write(FILE *out);

#endif
