/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A moment of the past, as people write it.
 */
#ifndef SYNWARDEN_CONFIG_WHEN_H
#define SYNWARDEN_CONFIG_WHEN_H

#include <stdint.h>

/*
 * How long ago ("2h", "1d12h", as parse_duration() takes it), or a time: "2026-01-02", "2026-01-02 03:04" or with
 * seconds, "T" in place of the space, then "Z", "+01:00", or nothing for local time. *ns since the epoch. As the
 * parsers of values.h.
 */
int parse_when(const char *text, uint64_t *ns, const char **why);

#endif
