// SPDX-License-Identifier: GPL-2.0-only
/*
 * The command line is read first, as it names the file and its errors come first; the file then sets the rest.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/config_file.h"
#include "config/kinds.h"
#include "config/list_sources.h"
#include "config/settings.h"
#include "config/values.h"
#include "text/log.h"

void settings__init(struct settings *settings)
{
	memset(settings, 0, sizeof(*settings));
	run_options__defaults(&settings->options);
	sync_options__defaults(&settings->sync);
}

void settings__clear(struct settings *settings)
{
	free(settings->options.ports);
	for (unsigned i = 0; i < OPTIONS_MAX; i++)
		free(settings->texts[i]);
	list_sources__free(settings);
	sync_options__free(&settings->sync);
	settings__init(settings);
}

static int take_interfaces(struct settings *settings, char *const *names, int count)
{
	const char *why;

	for (int i = 0; i < count; i++) {
		if (parse_interface(names[i], &why))
			return options__refuse(&run_options__options, "\"%.128s\" is not %s", names[i], why);
		for (int j = 0; j < i; j++)
			if (!strcmp(names[i], names[j]))
				return options__refuse(&run_options__options, "\"%s\" is named twice", names[i]);
		strcpy(settings->interfaces[i], names[i]);
	}
	settings->interface_count = count;
	settings->interfaces_given = count > 0;
	return 0;
}

/* It is read again by each reload, and options__parse_given() moves its arguments about. */
static int read_command_line(struct settings *settings, int argc, char **argv)
{
	struct options_given given = {.texts = settings->texts};
	char **copy = calloc(argc + 1, sizeof(*copy));
	int ret;

	if (!copy) {
		log_error("run: out of memory");
		return -1;
	}
	memcpy(copy, argv, argc * sizeof(*copy));
	ret = options__parse_given(&run_options__options, argc, copy, &settings->options, &given);
	settings->given = given.rows;
	if (ret > 0)
		ret = take_interfaces(settings, copy + 1, ret);
	free(copy);
	return ret;
}

static int read_both(struct settings *settings, const char *file, int argc, char **argv)
{
	int ret = read_command_line(settings, argc, argv);

	if (ret)
		return -ret;
	settings->file = file ? file : settings->options.config;
	if (!settings->file && access(CONFIG_FILE, F_OK) == 0)
		settings->file = CONFIG_FILE;
	return settings->file && config_file__read(settings, settings->file) ? 1 : 0;
}

int settings__read(struct settings **settings, const char *file, int argc, char **argv)
{
	struct settings *new = malloc(sizeof(*new));
	int ret;

	*settings = NULL;
	if (!new) {
		log_error("run: out of memory");
		return 1;
	}
	settings__init(new);
	ret = read_both(new, file, argc, argv);
	if (ret)
		settings__free(new);
	else
		*settings = new;
	return ret;
}

void settings__free(struct settings *settings)
{
	if (!settings)
		return;
	settings__clear(settings);
	free(settings);
}

void settings__swap(struct settings *settings, struct settings *former, const struct option_row *row)
{
	size_t i = row - run_options__options.rows;
	char *text = settings->texts[i];

	settings->texts[i] = former->texts[i];
	former->texts[i] = text;
	kinds__swap(row, &settings->options, &former->options);
}
