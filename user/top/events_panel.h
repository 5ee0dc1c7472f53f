/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What has happened, the last first, as `synwarden events` prints it.
 */
#ifndef SYNWARDEN_TOP_EVENTS_PANEL_H
#define SYNWARDEN_TOP_EVENTS_PANEL_H

#include "top/canvas.h"
#include "top/facts.h"

#define EVENTS_OF_ALL (-1)

/* A heading, and a row an event: those of one port, or EVENTS_OF_ALL. `facts` may be NULL. */
void events_panel__draw(const struct facts *facts, int port, struct canvas *canvas, int row, int rows);
/* The whole log, each event on as many rows as it needs, from the event of number *first on, which is made that of the
 * last event at most. Returns how many events are there wholly, or 1. */
size_t events_panel__page(const struct facts *facts, struct canvas *canvas, int row, int rows, size_t *first);

#endif
