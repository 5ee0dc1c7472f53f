/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How a `run` begins.
 */
#ifndef SYNWARDEN_RUN_START_H
#define SYNWARDEN_RUN_START_H

#include "run/run.h"

/* As settings__read(); also checks whether the endpoint can be opened with them. */
int start__settings(struct settings **settings, const char *file, int argc, char **argv);
/* The options of the endpoint. */
struct server_options start__endpoint(const struct run_options *options);
/* Loads the programs or takes over those of a former `run`, attaches, pins, serves. 0, or -1 after a message. */
int start__do(struct run *run);

#endif
