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

#include "config/lines.h"
#include "config/ownership.h"
#include "text/clean.h"
#include "text/log.h"

#define ERRORS_SHOWN	100
#define WARNINGS_SHOWN	20
#define COMMENTS	";#"
#define BYTE_ORDER_MARK "\xef\xbb\xbf"

/* False, with *why set, where it is refused. */
static bool is_trusted(int fd, const char *path, const char **why)
{
	static char text[OWNERSHIP_LEN];

	if (ownership__is_safe(text, fd, path))
		return true;
	*why = text;
	if (ownership__is_strict())
		return false;
	log_warn("%s: %s", path, text);
	return true;
}

int lines__open(struct lines *lines, const char *path, unsigned *errors, const char **why)
{
	/* Without waiting, as a pipe's writer may never come. */
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	struct stat st;

	*lines = (struct lines){.path = path, .errors = errors};
	*why = "it is not a regular file";
	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		lines->in = fdopen(fd, "r");
	else if (fd < 0)
		*why = strerror(errno);
	if (!lines->in && fd >= 0)
		close(fd);
	if (lines->in && !is_trusted(fd, path, why))
		lines__close(lines);
	return lines->in ? 0 : -1;
}

void lines__open_stream(struct lines *lines, FILE *in, const char *path, unsigned *errors)
{
	*lines = (struct lines){.path = path, .errors = errors, .in = in, .is_lent = true};
}

char *lines__quote(char buf[LINES_QUOTE_LEN], const char *text, const char *letters)
{
	size_t len = strlen(text);

	if (strspn(text, letters) == len && len < LINES_QUOTE_LEN - 2)
		snprintf(buf, LINES_QUOTE_LEN, "\"%s\"", text);
	else
		snprintf(buf, LINES_QUOTE_LEN, "a text of %zu bytes", len);
	return buf;
}

static bool is_text(int c)
{
	return (c >= ' ' && c != 0x7f) || c == '\t' || c == '\r';
}

/* An error, also of a list, after which nothing more is read. */
__attribute__((format(printf, 2, 3))) static void fail(struct lines *lines, const char *format, ...)
{
	char text[128];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	lines->failed = true;
	++*lines->errors;
	log_error("%s:%u: %s", lines->path, lines->line, text);
}

/* False where nothing more is to be read; the bytes that do not fit are counted in *len all the same. */
static bool read_line(struct lines *lines, char *text, size_t size, size_t *len)
{
	int c;

	lines->line++;
	for (*len = 0; (c = getc(lines->in)) != EOF && c != '\n'; (*len)++) {
		if (!is_text(c)) {
			fail(lines, "byte 0x%02x: this is not a text file", c);
			return false;
		}
		if (*len + 1 < size)
			text[*len] = c;
	}
	if (ferror(lines->in)) {
		fail(lines, "cannot read on: %s", strerror(errno));
		return false;
	}
	return c == '\n' || *len;
}

/* Where the comment of a list's line begins; NULL: it has none. A JSON object has none. */
static const char *comment_of(const char *text)
{
	return text[strspn(text, " \t")] == '{' ? NULL : strpbrk(text, COMMENTS);
}

bool lines__next(struct lines *lines, char *text, size_t size)
{
	size_t len, mark = strlen(BYTE_ORDER_MARK);
	const char *comment;
	bool cut;

	if (!read_line(lines, text, size, &len))
		return false;
	cut = len >= size;
	text[cut ? size - 1 : len] = '\0';
	comment = lines->is_list ? comment_of(text) : NULL;
	if (comment) {
		cut = false;
		len = comment - text;
	}
	if (cut) {
		lines__error(lines, lines->line, "the line is longer than %zu bytes", size - 1);
		len = 0;
	}
	text[len] = '\0';
	if (len && text[len - 1] == '\r')
		text[--len] = '\0';
	if (lines->line == 1 && !strncmp(text, BYTE_ORDER_MARK, mark))
		memmove(text, text + mark, len - mark + 1);
	return true;
}

void lines__close(struct lines *lines)
{
	if (lines->in && !lines->is_lent)
		fclose(lines->in);
	lines->in = NULL;
}

void lines__error(const struct lines *lines, unsigned line, const char *format, ...)
{
	char text[768];
	va_list args;

	if (++*lines->errors > (lines->is_list ? WARNINGS_SHOWN : ERRORS_SHOWN))
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	print_clean(text); /* a \r in the file would have the terminal write over the line */
	if (lines->is_list)
		log_warn("%s:%u: %s: left out", lines->path, line, text);
	else
		log_error("%s:%u: %s", lines->path, line, text);
}

int lines_result(const char *path, unsigned errors)
{
	if (errors > ERRORS_SHOWN)
		log_error("%s: %u more errors", path, errors - ERRORS_SHOWN);
	return errors ? -1 : 0;
}
