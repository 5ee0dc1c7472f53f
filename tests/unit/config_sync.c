// SPDX-License-Identifier: GPL-2.0-only
/*
 * The sections of the configuration file that `synwarden sync` reads: what they set, and what is said of errors.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "config/config_file.h"
#include "lib/capture.h"
#include "lib/text.h"

static struct capture messages;

static int read_text(struct settings *conf, const char *text)
{
	int fd = memfd_create("conf", MFD_CLOEXEC), ret;
	char path[32];

	assert_true(fd >= 0 && fchmod(fd, 0600) == 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	settings__init(conf);
	capture_begin(&messages, STDERR_FILENO);
	ret = config_file__read(conf, path);
	capture_end(&messages);
	close(fd);
	return ret;
}

/* The sections of `synwarden sync`: what they set, and the defaults. */
static void test_sync(void **state)
{
	struct settings conf;

	(void)state;
	assert_int_equal(read_text(&conf, "quiet = yes\n"), 0);
	assert_int_equal(conf.options.fleet_entries, 0);
	settings__clear(&conf);
	assert_int_equal(read_text(&conf, "[sync]\nmax-entries = 70000\nprotect-local = no\n[list ops]\nfile = /a\n"
					  "verb = allow\n[crowdsec]\nurl = https://lapi:8080\nkey-file = /k\n"
					  "interval = 1s\norigins = cscli CAPI\n[list ops]\nstale-after = 0s\n"),
			 0);
	assert_int_equal(conf.options.fleet_entries, 70000);
	assert_true(conf.sync.options.state && !conf.sync.options.protect_local);
	assert_int_equal(conf.sync.options.shortest, 8);
	assert_int_equal(conf.sync.options.shrink_guard, 50);
	assert_int_equal(conf.sync.source_count, 2);
	assert_string_equal(conf.sync.sources[0].name, "ops");
	assert_string_equal(conf.sync.sources[0].options.file, "/a");
	assert_true(conf.sync.sources[0].options.allows && !conf.sync.sources[0].options.stale_after_ns);
	assert_true(conf.sync.sources[1].is_crowdsec && !conf.sync.sources[1].options.allows);
	assert_string_equal(conf.sync.sources[1].options.url, "https://lapi:8080");
	assert_string_equal(conf.sync.sources[1].options.origins, "cscli CAPI");
	assert_string_equal(conf.sync.sources[1].options.scenarios, "*");
	assert_int_equal(conf.sync.sources[1].options.interval_ns, 1000000000);
	settings__clear(&conf);
	assert_int_equal(read_text(&conf, "[list ops]\nfile = /a\n"), 0);
	assert_int_equal(conf.options.fleet_entries, 131072);
	settings__clear(&conf);
}

/* "LINE: WHAT", without what comes before. */
static void check_said(const char *expected)
{
	const char *at = messages.text;

	for (const char *line; (line = strstr(at, "/proc/self/fd/")); at = strchr(line, '\n') + 1) {
		size_t len;

		line = strchr(line, ':') + 1;
		len = strcspn(line, "\n") + 1;
		if (strncmp(line, expected, len) != 0)
			fail_msg("%sin place of: %s", line, expected);
		expected += len;
	}
	assert_string_equal(expected, "");
}

static void test_refused(void **state)
{
	static const struct {
		const char *text, *says;
	} rows[] = {
		{"[crowdsec]\nurl = lapi", "2: url: \"lapi\" is not a URL that begins with https:// or http://\n"
					   "1: [crowdsec]: it needs the url of the LAPI\n"},
		{"[crowdsec]\nurl = http://a",
		 "1: [crowdsec]: it needs one of key-file and tls-cert; a key: cscli bouncers add HOST\n"},
		{"[crowdsec]\nurl = http://a\nkey-file = key",
		 "3: key-file: \"key\" is not a path that begins with /\n"
		 "1: [crowdsec]: it needs one of key-file and tls-cert; a key: cscli bouncers add HOST\n"},
		{"[crowdsec]\nurl = http://a\ntls-cert = /c", "1: [crowdsec]: tls-cert and tls-key belong together\n"},
		{"[crowdsec]\nurl = http://a\nkey-file = /k\ninterval = 0",
		 "4: interval: \"0\" is not a duration from 1s to 1h\n"},
		{"[list a]\nurl = http://a\n[list b]\nfile = /b\n[list a]\nurl = http://c",
		 "6: url: given twice, first on line 2\n"},
		{"[list a]\nverb = allow\n", "1: [list a]: it needs one of url and file\n"},
		{"[list a]\nurl = http://a\nfile = /a\n", "1: [list a]: it needs one of url and file\n"},
		{"[list a]\nfile = /a\nkey = 1",
		 "3: \"key\" is not a key: in [list a] it is one of url, file, tls-ca, verb, interval, stale-after\n"},
		{"[list crowdsec]",
		 "1: [list NAME]: NAME is of 1 to 23 letters, digits, - and _, and not \"crowdsec\"\n"},
		{"[sync]\nmax-entries = 1", "2: max-entries: \"1\" is not a number from 1024 to 1048576\n"},
		{"[sync]\nshortest = 0\nstate = maybe", "2: shortest: \"0\" is not a number from 1 to 32\n"
							"3: state: \"maybe\" is not one of yes|no\n"},
	};
	struct settings conf;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		assert_int_equal(read_text(&conf, rows[i].text), -1);
		check_said(rows[i].says);
		assert_int_equal(conf.sync.source_count, 0);
	}
}

/* Sections without end are refused, not kept. */
static void test_many(void **state)
{
	struct settings conf;
	char text[4096] = "";

	(void)state;
	for (unsigned i = 0; i < SYNC_SOURCES_MAX; i++)
		sprintf(text + strlen(text), "[list a%u]\nfile = /a\n", i);
	assert_int_equal(read_text(&conf, text), 0);
	assert_int_equal(conf.sync.source_count, SYNC_SOURCES_MAX);
	settings__clear(&conf);
	strcat(text, "[list b]\nfile = /b\n");
	assert_int_equal(read_text(&conf, text), -1);
	check_said("33: [list b]: no room for it: there are at most 16 sources\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sync),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
