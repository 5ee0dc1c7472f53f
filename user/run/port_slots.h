/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Slots of listening ports: the kernel side gives one to each port that begins to listen, as long as there are new
 * ones. This reserves some for the ports that the operator names, takes back those of ports that have stopped
 * listening, and gives them to ports that wait.
 */
#ifndef SYNWARDEN_RUN_PORT_SLOTS_H
#define SYNWARDEN_RUN_PORT_SLOTS_H

#include "config/settings.h"
#include "kernel/maps.h"
#include "run/attack.h"

struct port_slots;

/* NULL: no memory, after a message. */
struct port_slots *port_slots__open(const struct maps *maps);
/* Ports of --protect and [port N]: they get slots at once, and keep them. */
void port_slots__name(struct port_slots *slots, const struct run_options *options);
/* Once a second; `attacks` forgets a slot that is taken back. Returns how many ports have been given one, of whose
 * queues no census tells yet; -1 after a message. */
int port_slots__follow(struct port_slots *slots, struct attacks *attacks);
void port_slots__close(struct port_slots *slots);

#endif
