/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SYNWARDEN_FETCH_FETCH_H
#define SYNWARDEN_FETCH_FETCH_H

/* As the commands of cmd/cmd.h. */
int fetch(int argc, char **argv);

#endif
