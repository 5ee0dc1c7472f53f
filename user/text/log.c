// SPDX-License-Identifier: GPL-2.0-only
/*
 * Each message is written with one call, so that lines of several threads and processes do not mix, with its priority
 * where stderr is the journal. libbpf's messages are kept for the message of the caller that failed.
 */
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bpf/libbpf.h>
#include <systemd/sd-daemon.h>

#include "text/log.h"

#define LINE_LEN 1024

static bool debug;
static _Thread_local char last_warning[LINE_LEN];

/* Whether stderr is the journal's own socket, which takes "<N>" at a line's start as its priority: see sd-daemon(3). */
static bool is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long device, inode;
	struct stat st;

	return stream && sscanf(stream, "%llu:%llu", &device, &inode) == 2 && fstat(STDERR_FILENO, &st) == 0 &&
	       st.st_dev == device && st.st_ino == inode;
}

/* The journal adds the program's name itself. */
static void say(const char *priority, const char *format, va_list args)
{
	char text[LINE_LEN];

	vsnprintf(text, sizeof(text), format, args);
	fprintf(stderr, "%s%s\n", is_journal() ? priority : "synwarden: ", text);
}

void log_error(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(SD_ERR, format, args);
	va_end(args);
}

void log_refused(const char *command, const char *text)
{
	fprintf(stderr, "%s%s: %s (synwarden help %s)\n", is_journal() ? SD_ERR : "synwarden ", command, text, command);
}

void log_warn(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(SD_WARNING, format, args);
	va_end(args);
}

void log_notice(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(SD_NOTICE, format, args);
	va_end(args);
}

void log_info(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(SD_INFO, format, args);
	va_end(args);
}

/* A message of libbpf may be several lines (the verifier's log) and end in a newline; the last line is kept. */
static void keep_last_line(char *text)
{
	size_t len = strlen(text);
	const char *start;

	while (len && text[len - 1] == '\n')
		text[--len] = '\0';
	start = strrchr(text, '\n');
	snprintf(last_warning, sizeof(last_warning), "%s", start ? start + 1 : text);
}

static int take_libbpf(enum libbpf_print_level level, const char *format, va_list args)
{
	char text[LINE_LEN];
	va_list copy;

	va_copy(copy, args);
	if (debug)
		vfprintf(stderr, format, copy);
	va_end(copy);
	if (level == LIBBPF_WARN) {
		vsnprintf(text, sizeof(text), format, args);
		keep_last_line(text);
	}
	return 0;
}

void log_libbpf(void)
{
	const char *wish = getenv("SYNWARDEN_DEBUG");

	debug = wish && *wish;
	libbpf_set_print(take_libbpf);
}

const char *log_libbpf_last(void)
{
	return last_warning;
}
