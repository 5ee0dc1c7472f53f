/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The summary's listening ports, in two tables of 80 columns: what the filter did with their SYNs, and what the kernel
 * did with those that passed.
 */
#ifndef SYNWARDEN_OUTPUT_SUMMARY_PORTS_H
#define SYNWARDEN_OUTPUT_SUMMARY_PORTS_H

#include <stdio.h>

#include "kernel/snapshot.h"

/* The ten ports with the most SYNs; nothing where none has any. */
void summary_ports__print(FILE *out, const struct snapshot *snapshot);

#endif
