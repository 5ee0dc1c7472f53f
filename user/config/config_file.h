/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The configuration file: options of `run`, ports with rules of their own, lists.
 */
#ifndef SYNWARDEN_CONFIG_CONFIG_FILE_H
#define SYNWARDEN_CONFIG_CONFIG_FILE_H

#include "config/settings.h"

/*
 * Reads `path` whole into settings that hold the defaults and, where there is one, the command line: of what that has
 * given, the file's values are checked, but not taken. -1 after a line for each error, which names file, line, key,
 * value and what is valid; the settings are cleared then.
 */
int config_file__read(struct settings *settings, const char *path);

#endif
