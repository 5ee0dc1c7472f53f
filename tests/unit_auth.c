// SPDX-License-Identifier: GPL-2.0-only
/*
 * The file of users and what is refused of it, and passwords, right and wrong ones, against it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <crypt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "auth.h"
#include "text.h"

#define WRONG_MS 250 /* after which another wrong password is looked at */

static char path[] = "/tmp/unit_auth.XXXXXX";
static char hashes[2][CRYPT_OUTPUT_SIZE]; /* of "secret" by SHA-512, and of "p:w" by yescrypt */

static int setup(void **state)
{
	(void)state;
	snprintf(hashes[0], sizeof(hashes[0]), "%s", crypt("secret", "$6$rounds=5000$saltsalt$"));
	snprintf(hashes[1], sizeof(hashes[1]), "%s", crypt("p:w", "$y$j75$saltsaltsalt$"));
	close(mkstemp(path));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	return unlink(path);
}

static void write_file(const char *text, mode_t mode)
{
	FILE *out = fopen(path, "w");

	assert_non_null(out);
	fputs(text, out);
	assert_int_equal(fclose(out), 0);
	assert_int_equal(chmod(path, mode), 0);
}

/* What is said on stderr when the file is opened. */
static int open_file(struct auth **auth, char *said, size_t size)
{
	int before = dup(STDERR_FILENO), ends[2], ret;
	ssize_t len;

	assert_int_equal(pipe(ends), 0);
	dup2(ends[1], STDERR_FILENO);
	ret = auth__open(auth, path);
	dup2(before, STDERR_FILENO);
	close(ends[1]);
	close(before);
	len = read(ends[0], said, size - 1);
	said[len > 0 ? len : 0] = '\0';
	close(ends[0]);
	return ret;
}

static void test_refused_files(void **state)
{
	static const struct {
		const char *text;
		mode_t mode;
		const char *why;
	} rows[] = {
		{"", 0600, "\" names nobody; a line is USER:HASH\n"},
		{"# only a comment\n\n", 0600, "\" names nobody; a line is USER:HASH\n"},
		{"a:$6$x$y\n", 0604, "\": everybody on this machine may read or change it; chmod o= mends that\n"},
		{"a:$6$x$y\n", 0602, "\": everybody on this machine may read or change it; chmod o= mends that\n"},
		{"# users\nsecret\n", 0600, "\", line 2: not USER:HASH\n"},
		{"a:secret\n", 0600,
		 "\", line 1: the hash is neither yescrypt ($y$) nor SHA-512 ($6$); make one with: mkpasswd, or "
		 "openssl passwd -6\n"},
		{"a:$1$salt$hash\n", 0600,
		 "\", line 1: the hash is neither yescrypt ($y$) nor SHA-512 ($6$); make one with: mkpasswd, or "
		 "openssl passwd -6\n"},
		{"a:$y$\n", 0600, "\", line 1: the hash is not as crypt(3) makes it\n"},
	};
	struct auth *auth;
	char said[512];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		write_file(rows[i].text, rows[i].mode);
		assert_int_equal(open_file(&auth, said, sizeof(said)), -1);
		assert_null(auth);
		assert_int_equal(count_of(said, "\n"), 1);
		if (!strstr(said, rows[i].why))
			fail_msg("%s: %s", rows[i].text, said);
	}
}

static void pause_ms(unsigned ms)
{
	const struct timespec time = {.tv_nsec = ms * 1000000L};

	nanosleep(&time, NULL);
}

static struct auth *open_users(void)
{
	char text[1024], said[512];
	struct auth *auth;

	snprintf(text, sizeof(text), "# users\nann:%s\r\n\nbob:%s", hashes[0], hashes[1]);
	write_file(text, 0640);
	assert_int_equal(open_file(&auth, said, sizeof(said)), 0);
	assert_string_equal(said, "");
	return auth;
}

static void test_passwords(void **state)
{
	static const struct {
		const char *header;
		enum auth_answer answer;
	} rows[] = {
		{"Basic YW5uOnNlY3JldA==", AUTH_GRANTED}, /* ann:secret */
		{"basic  YW5uOnNlY3JldA==", AUTH_GRANTED},
		{"Basic Ym9iOnA6dw==", AUTH_GRANTED},	  /* bob:p:w */
		{"Basic YW5uOnA6dw==", AUTH_REFUSED},	  /* ann:p:w */
		{"Basic Ym9iOnNlY3JldA==", AUTH_REFUSED}, /* bob:secret */
		{"Basic ZXZlOnNlY3JldA==", AUTH_REFUSED}, /* eve:secret */
		{"Basic YW5uOg==", AUTH_REFUSED},	  /* ann: */
		{"Basic OnNlY3JldA==", AUTH_REFUSED},	  /* :secret */
		{"Basic YW5u", AUTH_REFUSED},		  /* ann */
		{"Basic YW5uOnNlY3JldAA=", AUTH_REFUSED}, /* ann:secret\0 */
		{"Basic YW5uOnNlY3JldA", AUTH_REFUSED},
		{"Basic !!!!", AUTH_REFUSED},
		{"Basic", AUTH_REFUSED},
		{"Basic ", AUTH_REFUSED},
		{"Bearer YW5uOnNlY3JldA==", AUTH_REFUSED},
		{"", AUTH_REFUSED},
		{NULL, AUTH_REFUSED},
	};
	struct auth *auth = open_users();

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		enum auth_answer answer = auth__check(auth, rows[i].header);

		if (answer != rows[i].answer)
			fail_msg("%s: %d", rows[i].header, answer);
		pause_ms(WRONG_MS);
	}
	auth__close(auth);
}

/* Guessing is slow, and who has been let in once does not wait for it. */
static void test_guessing(void **state)
{
	static const char wrong[] = "Basic YW5uOnA6dw==", right[] = "Basic YW5uOnNlY3JldA==";
	struct auth *auth = open_users();

	(void)state;
	assert_int_equal(auth__check(auth, wrong), AUTH_REFUSED);
	assert_int_equal(auth__check(auth, wrong), AUTH_LATER);
	assert_int_equal(auth__check(auth, right), AUTH_LATER);
	pause_ms(WRONG_MS);
	assert_int_equal(auth__check(auth, right), AUTH_GRANTED);
	assert_int_equal(auth__check(auth, wrong), AUTH_REFUSED);
	assert_int_equal(auth__check(auth, wrong), AUTH_LATER);
	assert_int_equal(auth__check(auth, right), AUTH_GRANTED);
	auth__close(auth);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused_files),
		cmocka_unit_test(test_passwords),
		cmocka_unit_test(test_guessing),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
