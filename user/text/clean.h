/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Text from outside (a process's comm, a command line): unchecked UTF-8.
 */
#ifndef SYNWARDEN_TEXT_CLEAN_H
#define SYNWARDEN_TEXT_CLEAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The character at `text`, which ends with a zero byte; *len is set to its bytes. -1, and one byte, where it is not
 * UTF-8 (RFC 3629). */
int32_t clean_decode(const char *text, size_t *len);
/* C0, DEL and C1: a terminal may obey any of them. */
bool clean_is_control(int32_t character);
/* Makes a text harmless for a terminal, in place: control characters and what is not UTF-8 become '?'. */
void print_clean(char *text);

#endif
