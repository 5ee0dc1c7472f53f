// SPDX-License-Identifier: GPL-2.0-only
/*
 * synwarden check-config: whether `run` would accept a configuration file. It changes nothing, and needs only the
 * right to read the file.
 */
#include <stdio.h>

#include "cmd/cmd.h"
#include "config/config_file.h"
#include "config/list_sources.h"
#include "config/options.h"
#include "run/start.h"

struct check_options {
	bool strict;
};

static const struct option_row rows[] = {
	{"strict", 0, OPTION_FLAG, 0, 0, NULL, offsetof(struct check_options, strict),
	 .help = "also fail for list files with bad lines, and for those that run would not take"},
};

static const struct option_table table = {
	.command = "check-config",
	.arguments = "[FILE]",
	.summary =
		"Says whether run would accept a configuration file (default " CONFIG_FILE "), with a line for each\n"
		"error in it and in the lists that it names. Exit code 0: valid, 1: not.",
	.examples = "  synwarden check-config && systemctl reload synwarden\n",
	.rows = rows,
	.count = 1,
	.max_arguments = 1,
};

int cmd_check_config(int argc, char **argv)
{
	struct check_options options = {};
	int count = options__parse(&table, argc, argv, &options);
	const char *path = count > 0 ? argv[1] : CONFIG_FILE;
	struct server_options endpoint;
	struct settings settings;
	bool valid;

	if (count < 0)
		return -count;
	settings__init(&settings);
	if (config_file__read(&settings, path))
		return 1;
	endpoint = start__endpoint(&settings.options);
	valid = server__check(&endpoint) && (!options.strict || !list_sources__bad(&settings));
	if (valid)
		printf("%s is valid\n", path);
	settings__clear(&settings);
	return valid ? 0 : 1;
}
