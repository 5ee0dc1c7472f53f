// SPDX-License-Identifier: GPL-2.0-only
/*
 * synwarden doctor: what on this machine would weaken the protection, why, and the command that fixes it. It changes
 * nothing.
 */
#include <net/if.h>
#include <stdio.h>

#include "cmd/cmd.h"
#include "config/options.h"
#include "doctor/checks.h"
#include "doctor/probe.h"
#include "text/clean.h"
#include "text/colour.h"
#include "text/json.h"
#include "text/log.h"

#define EXIT_WEAK   3 /* 1 stays "failed" */
#define EXIT_BROKEN 4
#define NAME_WIDTH  20
#define INDENT	    "         " /* below the name */

struct doctor_options {
	bool json;
};

static const struct option_row rows[] = {
	{"json", 'j', OPTION_FLAG, 0, 0, NULL, offsetof(struct doctor_options, json), .help = "one JSON object a line"},
};

static const struct option_table table = {
	.command = "doctor",
	.arguments = "[IFACE...]",
	.summary = "Says what on this machine would weaken the protection, why, and the command that fixes it; it\n"
		   "changes nothing. Without interfaces: all that are up, but for loopback.\n"
		   "The exit code tells the worst: 0 ok, 3 weak, 4 broken.",
	.examples = "  synwarden doctor eth0\n",
	.rows = rows,
	.count = 1,
	.max_arguments = META_INTERFACES,
};

struct report {
	const char *device; /* whose checks were printed last */
	unsigned counts[CHECK_BROKEN + 1];
};

static const char *colour_of(enum check_status status)
{
	switch (status) {
	case CHECK_OK:
		return print_green();
	case CHECK_WEAK:
		return print_yellow();
	case CHECK_BROKEN:
		return print_red();
	default:
		return print_dim();
	}
}

/* Names of processes and interfaces come from outside. */
static void print_line(const char *indent, const char *label, const char *text)
{
	char clean[sizeof(((struct finding *)0)->detail)];

	snprintf(clean, sizeof(clean), "%s", text);
	print_clean(clean);
	printf("%s%s%s\n", indent, label, clean);
}

static void print_finding(void *context, const struct finding *finding)
{
	const char *label = finding->status == CHECK_UNKNOWN ? "see: " : "fix: ";
	struct report *report = context;

	if (finding->device && finding->device != report->device)
		print_line("\n", "", finding->device);
	report->device = finding->device;
	report->counts[finding->status]++;
	printf("%s%-7s%s  %-*s ", colour_of(finding->status), checks__word(finding->status), print_plain(), NAME_WIDTH,
	       finding->name);
	print_line("", "", finding->detail);
	if (finding->status >= CHECK_WEAK)
		print_line(INDENT, "why: ", finding->why);
	if (*finding->command)
		print_line(INDENT, label, finding->command);
	if (*finding->advice)
		print_line(INDENT, *finding->command ? "     " : label, finding->advice);
}

static const char *or_null(const char *text)
{
	return *text ? text : NULL;
}

static void json_finding(void *context, const struct finding *finding)
{
	struct json json;

	(void)context;
	json_begin(&json, stdout);
	json_string(&json, "status", checks__word(finding->status));
	json_string(&json, "check", finding->name);
	json_string(&json, "interface", finding->device);
	if (finding->port)
		json_number(&json, "port", finding->port);
	else
		json_null(&json, "port");
	json_string(&json, "detail", finding->detail);
	json_string(&json, "why", finding->why);
	json_string(&json, "command", or_null(finding->command));
	json_string(&json, "advice", or_null(finding->advice));
	json_end(&json);
}

static int check_names(int count, char **names)
{
	for (int i = 0; i < count; i++) {
		if (if_nametoindex(names[i]))
			continue;
		log_error("doctor: \"%s\" is not an interface of this network namespace; see: ip link", names[i]);
		return -1;
	}
	return 0;
}

int cmd_doctor(int argc, char **argv)
{
	struct doctor_options options = {};
	struct report report = {};
	enum check_status worst;
	struct host host = {};
	int count = options__parse(&table, argc, argv, &options);

	if (count < 0)
		return -count;
	if (check_names(count, argv + 1))
		return EXIT_USAGE;
	argv[1 + count] = NULL;
	if (probe__gather(&host, argv + 1)) {
		probe__free(&host);
		return 1;
	}
	print_colour_init(stdout);
	worst = checks__all(&host, options.json ? json_finding : print_finding, &report);
	if (!options.json)
		printf("\n%u ok, %u weak, %u broken, %u unknown\n", report.counts[CHECK_OK], report.counts[CHECK_WEAK],
		       report.counts[CHECK_BROKEN], report.counts[CHECK_UNKNOWN]);
	probe__free(&host);
	return worst == CHECK_BROKEN ? EXIT_BROKEN : worst == CHECK_WEAK ? EXIT_WEAK : 0;
}
