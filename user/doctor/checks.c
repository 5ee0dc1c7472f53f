// SPDX-License-Identifier: GPL-2.0-only
/*
 * Goes through the tables: the machine, the namespace, each listener, each interface.
 */
#include <stdarg.h>
#include <stdio.h>

#include "doctor/checks.h"

struct round {
	void (*found)(void *context, const struct finding *finding);
	void *context;
	enum check_status worst;
};

enum check_status checks__say(struct finding *finding, enum check_status status, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(finding->detail, sizeof(finding->detail), format, args);
	va_end(args);
	return status;
}

void checks__command(struct finding *finding, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(finding->command, sizeof(finding->command), format, args);
	va_end(args);
}

void checks__advise(struct finding *finding, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(finding->advice, sizeof(finding->advice), format, args);
	va_end(args);
}

const char *checks__word(enum check_status status)
{
	static const char *const words[] = {
		[CHECK_SKIP] = "skip", [CHECK_OK] = "ok",	  [CHECK_UNKNOWN] = "unknown",
		[CHECK_WEAK] = "weak", [CHECK_BROKEN] = "broken",
	};

	return words[status];
}

static void go_through(struct round *round, const struct check_table *table, const struct subject *on)
{
	for (size_t i = 0; i < table->count; i++) {
		const struct check *check = &table->checks[i];
		struct finding finding = {
			.name = check->name,
			.why = check->why,
			.device = on->device ? on->device->name : NULL,
			.port = on->backlog ? on->backlog->port : 0,
		};

		finding.status = check->judge(on, &finding);
		if (finding.status == CHECK_SKIP)
			continue;
		if (finding.status > round->worst)
			round->worst = finding.status;
		round->found(round->context, &finding);
	}
}

enum check_status checks__all(const struct host *host, void (*found)(void *context, const struct finding *finding),
			      void *context)
{
	struct round round = {.found = found, .context = context, .worst = CHECK_OK};
	struct subject on = {.host = host};

	go_through(&round, &checks_kernel, &on);
	go_through(&round, &checks_settings, &on);
	for (size_t i = 0; i < host->backlogs.count; i++) {
		on.backlog = &host->backlogs.all[i];
		go_through(&round, &checks_listeners, &on);
	}
	on.backlog = NULL;
	for (size_t i = 0; i < host->devices.count; i++) {
		on.device = &host->devices.all[i];
		if (on.device->wanted)
			go_through(&round, on.device->bare ? &checks_bare : &checks_devices, &on);
	}
	return round.worst;
}
