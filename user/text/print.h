/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Durations, sizes, counts and times as text. The functions that fill a buffer always terminate it, and return it.
 */
#ifndef SYNWARDEN_TEXT_PRINT_H
#define SYNWARDEN_TEXT_PRINT_H

#include <stddef.h>
#include <stdint.h>

#include "types.h"

#define PRINT_NUMBER_LEN  32
#define PRINT_SHORT_WIDTH 5
#define PRINT_TIME_LEN	  40
#define PRINT_TIME_WHOLE  19 /* of print_time(), without the fraction: "2026-01-02T03:04:05" */

/* Three digits and a unit: "6 us", "1.20 ms", "34.5 s", then "12m05s", "3h04m", "2d03h"; "-" for DURATION_UNKNOWN. */
char *print_duration(char buf[PRINT_NUMBER_LEN], uint64_t ns);
/* "512 B", "1.50 KiB", "12.3 MiB". */
char *print_bytes(char buf[PRINT_NUMBER_LEN], uint64_t bytes);
/* "48,210" */
char *print_count(char buf[PRINT_NUMBER_LEN], uint64_t n);
/* The same below 10,000, then three digits and a unit: "9,999", "48.2k", "1.23M"; PRINT_SHORT_WIDTH characters at most.
 */
char *print_short(char buf[PRINT_NUMBER_LEN], uint64_t n);
/* RFC 3339 in UTC with nanoseconds: "2026-01-02T03:04:05.000000006Z". realtime_ns since the epoch. */
char *print_time(char buf[PRINT_TIME_LEN], uint64_t realtime_ns);
/* Adds to the text that is in `buf`, of `size` bytes; what has no room is cut. */
char *print_append(char *buf, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
