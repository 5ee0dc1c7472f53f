/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The service manager's descriptor store (FileDescriptorStoreMax= of systemd.service(5)). What is in it outlives this
 * process while the service restarts, and goes when the service stops: so a restart, also for an upgrade, leaves no
 * moment without the filter, and a stop removes it.
 */
#ifndef SYNWARDEN_RUN_STORE_H
#define SYNWARDEN_RUN_STORE_H

#include "kernel/pins.h"

/* Pins what a former run has stored, unless something is pinned already; what is stored is dropped. 0, or -1 after a
 * message. */
int store__restore(const struct pins *pins);
/* Stores what is pinned; nothing without a service manager. */
void store__keep(const struct pins *pins);

#endif
