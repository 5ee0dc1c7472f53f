// SPDX-License-Identifier: GPL-2.0-only
/*
 * Colour, asked once for the process.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "text/colour.h"

static bool colour;

void print_colour_init(FILE *out)
{
	const char *no_color = getenv("NO_COLOR");
	const char *term = getenv("TERM");

	colour = isatty(fileno(out)) && !(no_color && *no_color) && !(term && !strcmp(term, "dumb"));
}

static const char *escape(const char *sequence)
{
	return colour ? sequence : "";
}

const char *print_bold(void)
{
	return escape("\033[1m");
}

const char *print_dim(void)
{
	return escape("\033[2m");
}

const char *print_red(void)
{
	return escape("\033[31m");
}

const char *print_green(void)
{
	return escape("\033[32m");
}

const char *print_yellow(void)
{
	return escape("\033[33m");
}

const char *print_plain(void)
{
	return escape("\033[0m");
}
