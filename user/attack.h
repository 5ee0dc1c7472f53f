/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Is a port under attack, and what is the evidence? Armed says only that it is over its budget; under attack is an
 * armed port of whose handshakes fewer than half complete over five seconds.
 */
#ifndef SYNWARDEN_ATTACK_H
#define SYNWARDEN_ATTACK_H

#include "snapshot.h"

struct attacks;

/* -1 after a message. */
int attack__open(struct attacks **attacks, const struct maps *maps);
/* At once when the kernel side says that a port is armed: its sources are counted from now on. */
void attack__armed(struct attacks *attacks, const struct alert *alert);
/*
 * Once a second, with a fresh snapshot: judges each port, writes the result into the pinned map and into the snapshot's
 * views, and logs what begins and ends.
 */
int attack__judge(struct attacks *attacks, struct snapshot *snapshot);
void attack__close(struct attacks *attacks);

#define ATTACK_SENTENCE_LEN 256
/* "port 80 is under SYN attack: ..."; for a port that is armed only: "port 80 is over its budget: ...". */
char *attack__sentence(char buf[ATTACK_SENTENCE_LEN], const struct port_view *port);

#endif
