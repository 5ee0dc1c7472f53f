/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What code under test writes to stdout or stderr. For use after cmocka.h.
 */
#ifndef SYNWARDEN_TESTS_CAPTURE_H
#define SYNWARDEN_TESTS_CAPTURE_H

#include <stdio.h>
#include <unistd.h>

/* What is written to a descriptor between the two calls. */
struct capture {
	FILE *file;
	int fd;
	int kept;
	char text[4096];
};

static inline void capture_begin(struct capture *capture, int fd)
{
	fflush(NULL);
	capture->file = tmpfile();
	assert_non_null(capture->file);
	capture->fd = fd;
	capture->kept = dup(fd);
	assert_true(capture->kept >= 0);
	assert_int_equal(dup2(fileno(capture->file), fd), fd);
}

static inline const char *capture_end(struct capture *capture)
{
	size_t len;

	fflush(NULL);
	dup2(capture->kept, capture->fd);
	close(capture->kept);
	rewind(capture->file);
	len = fread(capture->text, 1, sizeof(capture->text) - 1, capture->file);
	capture->text[len] = '\0';
	fclose(capture->file);
	return capture->text;
}

#define ARGUMENTS_MAX 12

#endif
