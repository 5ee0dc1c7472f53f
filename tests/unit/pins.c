// SPDX-License-Identifier: GPL-2.0-only
/*
 * The lock on the pins: a process that waits for it while a run ends finds a directory that is no longer there.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sched.h>
#include <sys/stat.h>

#include "kernel/pins.h"

/* Both have the same directory open; the first one removes it as it ends. */
static void begin(struct pins *first, struct pins *second, bool create)
{
	assert_int_equal(pins__open(first, true, NULL), 0);
	assert_int_equal(pins__lock(first), 0);
	assert_int_equal(pins__open(second, create, NULL), 0);
	assert_true(pins__is_locked(second));
	assert_int_equal(pins__remove(first), 0);
	pins__close(first);
}

static void test_next_run(void **state)
{
	struct pins first, second;
	struct stat there, held;

	(void)state;
	begin(&first, &second, true);
	assert_int_equal(pins__lock(&second), 0);
	assert_int_equal(stat(second.path, &held), 0);
	assert_int_equal(stat(second.dir, &there), 0);
	assert_int_equal(held.st_ino, there.st_ino);
	assert_int_equal(pins__open(&first, true, NULL), 0);
	assert_true(pins__is_locked(&first));
	pins__close(&first);
	assert_int_equal(pins__remove(&second), 0);
	pins__close(&second);
	assert_int_equal(stat(second.dir, &there), -1);
}

/* `detach` makes none. */
static void test_detach(void **state)
{
	struct pins first, second;
	struct stat there;

	(void)state;
	begin(&first, &second, false);
	assert_int_equal(pins__lock(&second), -1);
	pins__close(&second);
	assert_int_equal(stat(first.dir, &there), -1);
}

static int enter_namespace(void **state)
{
	(void)state;
	return unshare(CLONE_NEWNET);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_next_run),
		cmocka_unit_test(test_detach),
	};

	return cmocka_run_group_tests(tests, enter_namespace, NULL);
}
