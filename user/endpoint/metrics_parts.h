/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of the metrics' text share.
 */
#ifndef SYNWARDEN_ENDPOINT_METRICS_PARTS_H
#define SYNWARDEN_ENDPOINT_METRICS_PARTS_H

#include <stdio.h>

#include "endpoint/endpoint.h"

#define PREFIX "synwarden_"

struct exposition {
	FILE *out;
	enum metrics_format format;
};

/* The lines before a family's samples. */
void metrics__family(const struct exposition *to, const char *name, const char *type, const char *help);

/* A family whose help is that of a row, in lower case, or of METRIC_GROUPS; `suffix` follows it. */
void metrics__row_family(const struct exposition *to, const char *metric, const char *help, const char *suffix);

/* What is known of each listening port. */
void metrics__ports(const struct exposition *to, const struct snapshot *snapshot);
/* What `run --http on` counts. */
void metrics__http(const struct exposition *to, const struct snapshot *snapshot);

#endif
