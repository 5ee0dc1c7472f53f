/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The state of protection for people, and as fields of JSON objects.
 */
#ifndef SYNWARDEN_OUTPUT_VERDICT_H
#define SYNWARDEN_OUTPUT_VERDICT_H

#include <stdio.h>

#include "output/protection.h"
#include "text/json.h"

#define VERDICT_LEN (2 * PROTECTION_TEXT_LEN + 64)

/* "PROTECTED: listening ports: 3; 27 clients/s connect", "CRITICAL: port 80 ..., and 2 more ports". Returns buf. */
const char *verdict__headline(char buf[VERDICT_LEN], const struct protection *protection);
/* One line: the headline, and the fix. */
void verdict__print_line(FILE *out, const struct protection *protection);
/* The headline, its fix, and a paragraph with its fix for each other port that is not fine; in 80 columns. */
void verdict__print(FILE *out, const struct protection *protection);
/* "state" and what belongs to it: of a port (its place in the snapshot), or of the host. */
void verdict__json_port(struct json *json, const struct protection *protection, size_t port);
void verdict__json(struct json *json, const struct protection *protection);

#endif
