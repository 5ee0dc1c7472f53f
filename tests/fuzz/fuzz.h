/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the fuzz targets share. A target is a function fuzz_NAME() in fuzz_NAME.h, which is handed any bytes at all and
 * says which properties hold: engine.c hands it to libFuzzer, tests/fuzz/seeds.c gives it the seeds below seeds/NAME.
 */
#ifndef SYNWARDEN_TESTS_FUZZ_H
#define SYNWARDEN_TESTS_FUZZ_H

#include <netinet/in.h> /* before the kernel's own, which then leaves out what is the same */
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What the bytes are, for a message; libFuzzer keeps a file of its own. */
static const char *fuzz_input = "this input";

static inline void __attribute__((format(printf, 2, 3), noreturn))
fuzz_fail(const char *property, const char *format, ...)
{
	char text[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	dprintf(STDERR_FILENO, "%s: does not hold: %s: %s\n", fuzz_input, property, text);
	abort();
}

/* Dies, with a message, unless `condition` holds. */
#define PROPERTY(condition, ...)                                                                                       \
	do {                                                                                                           \
		if (!(condition))                                                                                      \
			fuzz_fail(#condition, __VA_ARGS__);                                                            \
	} while (0)

/* The bytes as text, in memory that ends where the text ends; the caller frees it. What follows a NUL is left out. */
static inline char *fuzz_text(const uint8_t *data, size_t size)
{
	char *text = strndup((const char *)data, size);

	if (!text)
		abort();
	return text;
}

/* What goes to stderr between begin and end. */
struct fuzz_said {
	FILE *before, *out;
	char *text;
	size_t size;
};

static inline void fuzz_listen(struct fuzz_said *said)
{
	*said = (struct fuzz_said){.before = stderr, .out = open_memstream(&said->text, &said->size)};
	if (!said->out)
		abort();
	stderr = said->out;
}

/* How many lines were said; the text is said->text, which the caller frees. */
static inline size_t fuzz_heard(struct fuzz_said *said)
{
	size_t lines = 0;

	stderr = said->before;
	fclose(said->out);
	for (const char *at = said->text; (at = strchr(at, '\n')); at++)
		lines++;
	return lines;
}

/* Whether text from outside came through that a terminal would take as a command. */
static inline bool fuzz_has_controls(const char *text)
{
	for (; *text; text++)
		if (((unsigned char)*text < ' ' && *text != '\n' && *text != '\t') || *text == 0x7f)
			return true;
	return false;
}

#endif
