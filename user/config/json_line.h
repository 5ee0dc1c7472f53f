/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One member of a flat JSON object on one line, as block lists are published in. The filter links no JSON library.
 */
#ifndef SYNWARDEN_CONFIG_JSON_LINE_H
#define SYNWARDEN_CONFIG_JSON_LINE_H

#include <stddef.h>

/*
 * Copies the string of the member `name`: 1; 0 where the object has none; -1 where `text` is no object of strings,
 * numbers, true, false and null, where the member is no string, or does not fit. Of escapes, \" \\ and \/ are read in
 * the value that is copied.
 */
int json_line__string(const char *text, const char *name, char *value, size_t size);

#endif
