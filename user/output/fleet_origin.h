/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where an entry of the fleet's lists comes from, in words and as JSON.
 */
#ifndef SYNWARDEN_OUTPUT_FLEET_ORIGIN_H
#define SYNWARDEN_OUTPUT_FLEET_ORIGIN_H

#include <stdio.h>

#include "kernel/fleet_lists.h"
#include "text/json.h"

#define FLEET_ORIGIN_LEN 144

/* "crowdsec/CAPI: crowdsecurity/ssh-bf"; "unknown" where the entry's row is free. */
char *fleet_origin__text(char text[FLEET_ORIGIN_LEN], const struct fleet_origin *origin);
/* Its fields of an object that is begun: `source`, `source_origin`, `scenario`, null where unknown. */
void fleet_origin__json(struct json *json, const struct fleet_origin *origin);
/* The whole object of an entry. `now_ns`: CLOCK_MONOTONIC. */
void fleet_origin__record(FILE *out, const char *list, const struct fleet_entry *entry,
			  const struct fleet_origin *origin, uint64_t now_ns);

#endif
