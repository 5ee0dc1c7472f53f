/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * All about one listening port: who listens, its state of protection, its budget, where it is served, the course of its
 * SYNs, its counters, its sockets by state, its events.
 */
#ifndef SYNWARDEN_TOP_PORT_PAGE_H
#define SYNWARDEN_TOP_PORT_PAGE_H

#include "top/view.h"

/* Of view->open, from view->line on. Returns the line from which on it was drawn, so that the page fills the rows. */
size_t port_page__draw(const struct view *view, struct canvas *canvas, int row, int rows);

#endif
