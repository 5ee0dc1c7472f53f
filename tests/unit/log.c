// SPDX-License-Identifier: GPL-2.0-only
/*
 * Messages: on stderr, in the journal, and what libbpf says.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <bpf/libbpf.h>

#include "lib/capture.h"
#include "text/log.h"

static void test_stderr(void **state)
{
	struct capture said;

	(void)state;
	capture_begin(&said, STDERR_FILENO);
	log_error("\"%s\" is %d", "x", 1);
	log_warn("warned");
	log_notice("noticed");
	log_info("told");
	log_refused("run", "no");
	assert_string_equal(capture_end(&said),
			    "synwarden: \"x\" is 1\nsynwarden: warned\nsynwarden: noticed\nsynwarden: told\n"
			    "synwarden run: no (synwarden help run)\n");
}

/* What systemd sets where stderr is the journal's socket: its device and inode. */
static void name_journal(int fd, unsigned long long off_by)
{
	char stream[64];
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	snprintf(stream, sizeof(stream), "%llu:%llu", (unsigned long long)st.st_dev, st.st_ino + off_by);
	setenv("JOURNAL_STREAM", stream, 1);
}

static void test_journal(void **state)
{
	struct capture said;

	(void)state;
	capture_begin(&said, STDERR_FILENO);
	name_journal(STDERR_FILENO, 0);
	log_error("e");
	log_warn("w");
	log_notice("n");
	log_info("i");
	log_refused("run", "no");
	name_journal(STDERR_FILENO, 1);
	log_error("elsewhere");
	setenv("JOURNAL_STREAM", "nonsense", 1);
	log_error("nowhere");
	unsetenv("JOURNAL_STREAM");
	assert_string_equal(capture_end(&said), "<3>e\n<4>w\n<5>n\n<6>i\n<3>run: no (synwarden help run)\n"
						"synwarden: elsewhere\nsynwarden: nowhere\n");
}

static void test_libbpf(void **state)
{
	struct capture said;

	(void)state;
	unsetenv("SYNWARDEN_DEBUG");
	assert_string_equal(log_libbpf_last(), "");
	log_libbpf();
	capture_begin(&said, STDERR_FILENO);
	assert_null(bpf_object__open_file("/nonexistent.bpf.o", NULL));
	assert_string_equal(capture_end(&said), "");
	assert_non_null(strstr(log_libbpf_last(), "/nonexistent.bpf.o"));
	assert_null(strchr(log_libbpf_last(), '\n'));

	setenv("SYNWARDEN_DEBUG", "1", 1);
	log_libbpf();
	capture_begin(&said, STDERR_FILENO);
	assert_null(bpf_object__open_file("/nonexistent.bpf.o", NULL));
	assert_non_null(strstr(capture_end(&said), "/nonexistent.bpf.o"));
	unsetenv("SYNWARDEN_DEBUG");
	log_libbpf();
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_journal),
		cmocka_unit_test(test_stderr),
		cmocka_unit_test(test_libbpf),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
