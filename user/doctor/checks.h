/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a host means for the protection: a table of checks, each a small function that judges one thing, asks nothing
 * and changes nothing. What is asked is probe.h's. The module includes output/, kernel/, config/, system/ and text/.
 */
#ifndef SYNWARDEN_DOCTOR_CHECKS_H
#define SYNWARDEN_DOCTOR_CHECKS_H

#include <stddef.h>
#include <stdint.h>

#include "doctor/probe.h"

/* From the best to the worst. */
enum check_status {
	CHECK_SKIP, /* does not apply here: not shown */
	CHECK_OK,
	CHECK_UNKNOWN, /* could not be seen */
	CHECK_WEAK,    /* works, and protects less or costs more than it might */
	CHECK_BROKEN,  /* `run` would not start, could not protect, or clients are refused now */
};

struct finding {
	const char *name;
	const char *why;    /* it matters: one line */
	const char *device; /* NULL: not of an interface */
	uint16_t port;	    /* 0: not of a listener */
	enum check_status status;
	char detail[256];
	char command[256]; /* that fixes it; "" where none does */
	char advice[256];  /* what fixes it where no command can, or goes with it; "" for none */
};

/* What a check is made of; `device` and `backlog` where it is of one. */
struct subject {
	const struct host *host;
	const struct device *device;
	const struct backlog *backlog;
};

struct check {
	const char *name;
	const char *why;
	enum check_status (*judge)(const struct subject *on, struct finding *finding);
};

struct check_table {
	const struct check *checks;
	size_t count;
};

/* Makes all checks, in order, and calls back for each that applies. Returns the worst. */
enum check_status checks__all(const struct host *host, void (*found)(void *context, const struct finding *finding),
			      void *context);
const char *checks__word(enum check_status status);

/* The tables, one file each. */
extern const struct check_table checks_kernel;	  /* of the machine: kernel and rights */
extern const struct check_table checks_settings;  /* of the network namespace */
extern const struct check_table checks_listeners; /* of each listener */
extern const struct check_table checks_devices;	  /* of each interface */
extern const struct check_table checks_bare;	  /* of one without Ethernet frames, in place of those */

/* For the checks: fill in the finding; checks__say() returns the status. */
enum check_status checks__say(struct finding *finding, enum check_status status, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void checks__command(struct finding *finding, const char *format, ...) __attribute__((format(printf, 2, 3)));
void checks__advise(struct finding *finding, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
