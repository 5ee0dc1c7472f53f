// SPDX-License-Identifier: GPL-2.0-only
/*
 * The seeds of the fuzz targets, and the cases that fuzzing has found, through the same properties without the fuzzer.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <limits.h>

#include "capture.h"
#include "conf.h"
#include "headers.h"
#include "ladder.h"
#include "messages.h"
#include "options.h"
#include "packet.h"
#include "request.h"
#ifndef WITHOUT_FETCH
#include "stream.h"
#define STREAM(X) X(stream)
#else
#define STREAM(X)
#endif
#include "value.h"

#define SEEDS	 "tests/fuzz/seeds"
#define SEED_MAX 65536

static void run_seed(const char *path, void (*target)(const uint8_t *data, size_t size))
{
	static uint8_t bytes[SEED_MAX];
	FILE *file = fopen(path, "r");
	uint8_t *copy;
	size_t size;

	assert_non_null(file);
	size = fread(bytes, 1, sizeof(bytes), file);
	fclose(file);
	copy = malloc(size); /* ends where the input does */
	assert_non_null(copy);
	memcpy(copy, bytes, size);
	fuzz_input = path;
	target(copy, size);
	free(copy);
}

static void run_seeds(const char *name, void (*target)(const uint8_t *data, size_t size))
{
	static char path[PATH_MAX];
	struct dirent *entry;
	int seeds = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/%s", SEEDS, name);
	dir = opendir(path);
	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		if (*entry->d_name == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s/%s", SEEDS, name, entry->d_name);
		run_seed(path, target);
		seeds++;
	}
	closedir(dir);
	assert_true(seeds > 0);
}

#define TARGETS(X)                                                                                                     \
	X(packet) X(value) X(options) X(conf) X(headers) X(request) X(capture) X(ladder) X(messages) STREAM(X)

#define X(name)                                                                                                        \
	static void test_##name(void **state)                                                                          \
	{                                                                                                              \
		(void)state;                                                                                           \
		run_seeds(#name, fuzz_##name);                                                                         \
	}
TARGETS(X)
#undef X

int main(void)
{
	const struct CMUnitTest tests[] = {
#define X(name) cmocka_unit_test(test_##name),
		TARGETS(X)
#undef X
	};

	return cmocka_run_group_tests_name("fuzz", tests, NULL, NULL);
}
