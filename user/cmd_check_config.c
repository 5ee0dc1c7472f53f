// SPDX-License-Identifier: GPL-2.0-only
/*
 * synwarden check-config: whether `run` would take a configuration file. It changes nothing and needs no rights but to
 * read the file.
 */
#include <stdio.h>

#include "cmd.h"
#include "conf.h"
#include "options.h"
#include "run.h"

static const struct option_table table = {
	.command = "check-config",
	.arguments = "[FILE]",
	.summary = "Says whether run would take a configuration file (default " CONFIG_FILE "), with a line for each\n"
		   "error in it and in the lists that it names. Exit code 0: valid, 1: not.",
	.max_arguments = 1,
};

int cmd_check_config(int argc, char **argv)
{
	int count = options_parse(&table, argc, argv, NULL);
	const char *path = count > 0 ? argv[1] : CONFIG_FILE;
	struct http_options endpoint;
	struct conf conf;
	bool valid;

	if (count < 0)
		return -count;
	if (conf__read(&conf, path))
		return 1;
	endpoint = run__endpoint(&conf.options);
	valid = http__check(&endpoint);
	if (valid)
		printf("%s is valid\n", path);
	conf__free(&conf);
	return valid ? 0 : 1;
}
