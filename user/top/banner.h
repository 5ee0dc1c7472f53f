/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What stands above and below every page of `top`: the run, its settings, the state of protection, armed ports, losses.
 */
#ifndef SYNWARDEN_TOP_BANNER_H
#define SYNWARDEN_TOP_BANNER_H

#include "top/view.h"

/* All return how many rows they take. */
int banner__run(const struct view *view, struct canvas *canvas, int row);
int banner__setup(const struct view *view, struct canvas *canvas, int row);
/* The state of protection where it is not fine, then the armed ports. */
int banner__alarms(const struct view *view, struct canvas *canvas, int row);
/* One row. */
void banner__losses(const struct view *view, struct canvas *canvas, int row);

#endif
