/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The line `hosts:` of nsswitch.conf(5): which services are asked for a name, and after which result the next one is.
 */
#ifndef SYNWARDEN_FETCH_NSSWITCH_H
#define SYNWARDEN_FETCH_NSSWITCH_H

#include <stdbool.h>
#include <stddef.h>

#define NSSWITCH_FILE	  "/etc/nsswitch.conf"
#define NSSWITCH_SERVICES 8
#define NSSWITCH_NAME	  24

enum nsswitch_status {
	NSSWITCH_SUCCESS,
	NSSWITCH_NOTFOUND,
	NSSWITCH_UNAVAIL,
	NSSWITCH_TRYAGAIN,
	NSSWITCH_STATUSES,
};

struct nsswitch {
	struct {
		char name[NSSWITCH_NAME];
		bool ends[NSSWITCH_STATUSES]; /* [STATUS=return] */
	} services[NSSWITCH_SERVICES];
	unsigned count;
};

/* Takes the text of the whole file. Without such a line the services are glibc's own, "dns [!UNAVAIL=return] files" as
 * of 2.36; what cannot be read of the line is left out, as glibc does. */
void nsswitch__parse(const char *text, struct nsswitch *services);

#endif
