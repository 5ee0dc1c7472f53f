// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lines of a text file, read a byte at a time: no line can be too long for memory, and none is cut in two.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf_lines.h"
#include "log.h"
#include "print.h"

#define ERRORS_SHOWN	100
#define BYTE_ORDER_MARK "\xef\xbb\xbf"

int conf_lines_open(struct conf_lines *lines, const char *path, unsigned *errors, const char **why)
{
	/* Without waiting, as a pipe's writer may never come. */
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	struct stat st;

	*lines = (struct conf_lines){.path = path, .errors = errors};
	*why = "it is not a regular file";
	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		lines->in = fdopen(fd, "r");
	else if (fd < 0)
		*why = strerror(errno);
	if (!lines->in && fd >= 0)
		close(fd);
	return lines->in ? 0 : -1;
}

static bool is_text(int c)
{
	return (c >= ' ' && c != 0x7f) || c == '\t' || c == '\r';
}

/* False where nothing more is to be read; the bytes that do not fit are counted in *len all the same. */
static bool read_line(struct conf_lines *lines, char *text, size_t size, size_t *len)
{
	int c;

	lines->line++;
	for (*len = 0; (c = getc(lines->in)) != EOF && c != '\n'; (*len)++) {
		if (!is_text(c)) {
			conf_lines_error(lines, lines->line, "byte 0x%02x: this is not a text file", c);
			return false;
		}
		if (*len + 1 < size)
			text[*len] = c;
	}
	if (ferror(lines->in)) {
		conf_lines_error(lines, lines->line, "cannot read on: %s", strerror(errno));
		return false;
	}
	return c == '\n' || *len;
}

bool conf_lines_next(struct conf_lines *lines, char *text, size_t size)
{
	size_t len, mark = strlen(BYTE_ORDER_MARK);

	if (!read_line(lines, text, size, &len))
		return false;
	if (len >= size) {
		conf_lines_error(lines, lines->line, "the line is longer than %zu bytes", size - 1);
		len = 0;
	}
	text[len] = '\0';
	if (len && text[len - 1] == '\r')
		text[--len] = '\0';
	if (lines->line == 1 && !strncmp(text, BYTE_ORDER_MARK, mark))
		memmove(text, text + mark, len - mark + 1);
	return true;
}

void conf_lines_close(struct conf_lines *lines)
{
	if (lines->in)
		fclose(lines->in);
	lines->in = NULL;
}

void conf_lines_error(const struct conf_lines *lines, unsigned line, const char *format, ...)
{
	char text[768];
	va_list args;

	if (++*lines->errors > ERRORS_SHOWN)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	print_clean(text); /* a \r in the file would have the terminal write over the line */
	log_error("%s:%u: %s", lines->path, line, text);
}

int conf_lines_result(const char *path, unsigned errors)
{
	if (errors > ERRORS_SHOWN)
		log_error("%s: %u more errors", path, errors - ERRORS_SHOWN);
	return errors ? -1 : 0;
}
