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

#include "lib/text.h"
#include "server/auth.h"

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
		{"", 0600, "\" names no user; a line is USER:HASH\n"},
		{"# only a comment\n\n", 0600, "\" names no user; a line is USER:HASH\n"},
		{"a:$6$x$y\n", 0604, "\": every user of this host may read or change it; fix: chmod o=\n"},
		{"a:$6$x$y\n", 0602, "\": every user of this host may read or change it; fix: chmod o=\n"},
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

static const struct origin here = {.uid = 1000}, there = {.uid = 1001};

static void test_passwords(void **state)
{
	static const struct {
		const char *user, *password;
		enum auth_answer answer;
	} rows[] = {
		{"ann", "secret", AUTH_GRANTED}, {"bob", "p:w", AUTH_GRANTED},	  {"ann", "p:w", AUTH_REFUSED},
		{"bob", "secret", AUTH_REFUSED}, {"eve", "secret", AUTH_REFUSED}, {"ann", "", AUTH_REFUSED},
		{"", "secret", AUTH_REFUSED},	 {"ann", NULL, AUTH_REFUSED},	  {NULL, NULL, AUTH_REFUSED},
	};
	struct auth *auth = open_users();

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		enum auth_answer answer = auth__check(auth, &here, rows[i].user, rows[i].password);

		if (answer != rows[i].answer)
			fail_msg("%s: %d", rows[i].user, answer);
		pause_ms(WRONG_MS);
	}
	auth__close(auth);
}

/* Guessing is slow, and a password that has been right once does not wait for it. */
static void test_guessing(void **state)
{
	struct auth *auth = open_users();

	(void)state;
	assert_int_equal(auth__check(auth, &here, "ann", "wrong"), AUTH_REFUSED);
	assert_int_equal(auth__check(auth, &here, "ann", "wrong"), AUTH_LATER);
	assert_int_equal(auth__check(auth, &here, "ann", "secret"), AUTH_LATER);
	pause_ms(WRONG_MS);
	assert_int_equal(auth__check(auth, &here, "ann", "secret"), AUTH_GRANTED);
	assert_int_equal(auth__check(auth, &here, "ann", "wrong"), AUTH_REFUSED);
	assert_int_equal(auth__check(auth, &here, "ann", "wrong"), AUTH_LATER);
	assert_int_equal(auth__check(auth, &here, "ann", "secret"), AUTH_GRANTED);
	auth__close(auth);
}

/* One origin's guesses do not keep another one's right password out. */
static void test_guessing_elsewhere(void **state)
{
	struct auth *auth = open_users();

	(void)state;
	assert_int_equal(auth__check(auth, &here, "ann", "wrong"), AUTH_REFUSED);
	assert_int_equal(auth__check(auth, &here, "ann", "wrong"), AUTH_LATER);
	assert_int_equal(auth__check(auth, &there, "ann", "secret"), AUTH_GRANTED);
	auth__close(auth);
}

/* More origins than are remembered: all of them together have ten a second, and half a second's worth at once. */
static void test_many_origins(void **state)
{
	struct auth *auth = open_users();
	struct origin from = {};
	unsigned tried = 0;

	(void)state;
	for (from.uid = 1; from.uid <= 200; from.uid++)
		tried += auth__check(auth, &from, "eve", "wrong") == AUTH_REFUSED;
	assert_in_range(tried, 5, 20);
	auth__close(auth);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused_files), cmocka_unit_test(test_passwords),
		cmocka_unit_test(test_guessing),      cmocka_unit_test(test_guessing_elsewhere),
		cmocka_unit_test(test_many_origins),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
