// SPDX-License-Identifier: GPL-2.0-only
#include "output/verdict.h"
#include "run/state_log.h"
#include "text/log.h"

#define SECONDS 3 /* for which a state must hold: at an attack's begin, it changes with each second */

/* An interface that is gone is logged where that is noticed, and ends nothing: what was critical may still be. */
static bool is_gone(enum protection_row row)
{
	return row == PROTECTION_ROW_ALL_GONE || row == PROTECTION_ROW_INTERFACE_GONE;
}

/* Rows that are not critical count as row 0, which never is logged by its name. */
static enum protection_row loggable(enum protection_row row)
{
	return protection__severity(row) == SEVERITY_CRITICAL ? row : PROTECTION_ROW_ALL_GONE;
}

static void tell(const struct protection *p, enum protection_row row)
{
	char headline[VERDICT_LEN], buf[PROTECTION_TEXT_LEN];
	const char *fix = protection__fix(buf, p, p->host, p->port);

	verdict__headline(headline, p);
	if (row != PROTECTION_ROW_ALL_GONE)
		log_warn("%s%s%s", headline, fix ? "; fix: " : "", fix ? fix : "");
	else
		log_notice("no longer critical: %s", headline);
}

void state_log__note(struct state_log *log, const struct protection *p)
{
	enum protection_row row = loggable(p->host);

	if (row != log->next || is_gone(p->host))
		log->seconds = 0;
	if (is_gone(p->host))
		return;
	log->next = row;
	if (row == log->told || ++log->seconds < SECONDS)
		return;
	log->told = row;
	tell(p, row);
}
