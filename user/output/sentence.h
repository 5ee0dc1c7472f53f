/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The evidence of an attack in one sentence: the same in the log, the summary, the full-screen view and JSON.
 */
#ifndef SYNWARDEN_OUTPUT_SENTENCE_H
#define SYNWARDEN_OUTPUT_SENTENCE_H

#include "kernel/snapshot.h"

#define SENTENCE_LEN 256

/* "port 80 is under SYN attack: ..."; for a port that is armed only: "port 80 is over its budget: ...". Returns buf. */
char *sentence__attack(char buf[SENTENCE_LEN], const struct port_view *port);

#endif
