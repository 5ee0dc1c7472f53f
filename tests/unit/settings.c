// SPDX-License-Identifier: GPL-2.0-only
/*
 * Settings: the command line over the file over the defaults, and what a reload hands over.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "config/kinds.h"
#include "config/settings.h"
#include "lib/capture.h"
#include "lib/text.h"

static char path[] = "/tmp/unit_settings.XXXXXX";

/* Reads a file of this text, and this command line behind "run --config PATH". */
static int read_both(struct settings **settings, const char *text, const char *const *args)
{
	char *argv[16] = {(char *)"run", (char *)"--config", path};
	int argc = 3;
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
	while (*args)
		argv[argc++] = (char *)*args++;
	return settings__read(settings, NULL, argc, argv);
}

static void test_defaults(void **state)
{
	struct settings *settings;

	(void)state;
	assert_int_equal(read_both(&settings, "", (const char *const[]){NULL}), 0);
	assert_int_equal(settings->options.port_budget, 1000);
	assert_int_equal(settings->options.source_limit, 0);
	assert_int_equal(settings->options.challenge, CHALLENGE_AUTO);
	assert_int_equal(settings->options.listen.port, 9798);
	assert_null(settings->options.protect);
	assert_int_equal(settings->interface_count, 0);
	assert_string_equal(settings->file, path);
	settings__free(settings);
}

static void test_repeated(void **state)
{
	static const char *const args[] = {"--protect", "443",	     "--host=a.example", "--protect=192.0.2.1:25,auto",
					   "--host",	"b.example", "--port-budget=1",	 "--port-budget=2",
					   NULL};
	struct settings *settings;

	(void)state;
	assert_int_equal(read_both(&settings, "protect = 80\n", args), 0);
	assert_string_equal(settings->options.protect, "443,192.0.2.1:25,auto");
	assert_string_equal(settings->options.hosts, "a.example,b.example");
	assert_int_equal(settings->options.port_budget, 2);
	settings__free(settings);
}

static void test_precedence(void **state)
{
	static const char text[] = "interface = eth1 eth2\nport-budget = 66\nsource-limit = 77\nprotect = 80\n"
				   "protect = 81\ntls-cert = /file\nquiet = no\n[port 80]\nbudget = 9\n";
	static const char *const args[] = {"--port-budget", "5", "--protect=443", "-q", "eth0", NULL};
	struct settings *settings;

	(void)state;
	assert_int_equal(read_both(&settings, text, args), 0);
	assert_int_equal(settings->options.port_budget, 5);
	assert_string_equal(settings->options.protect, "443");
	assert_true(settings->options.quiet);
	assert_int_equal(settings->interface_count, 1);
	assert_string_equal(settings->interfaces[0], "eth0");
	assert_int_equal(settings->options.source_limit, 77);
	assert_string_equal(settings->options.tls_cert, "/file");
	assert_int_equal(settings->options.port_count, 1);
	assert_int_equal(settings->options.ports[0].budget, 9);
	settings__free(settings);
	assert_int_equal(read_both(&settings, text, (const char *const[]){NULL}), 0);
	assert_int_equal(settings->options.port_budget, 66);
	assert_string_equal(settings->options.protect, "80,81");
	assert_false(settings->options.quiet);
	assert_int_equal(settings->interface_count, 2);
	settings__free(settings);
}

/* What the command line gives is checked in the file all the same; its own errors come first. */
static void test_errors(void **state)
{
	static const struct {
		const char *text;
		const char *args[4];
		int ret;
		const char *says;
	} rows[] = {
		{"port-budget = x\n", {"--port-budget", "5"}, 1, "port-budget: \"x\" is not a number from"},
		{"interface = a/b\n", {"eth0"}, 1, "interface: \"a/b\" is not an interface's name"},
		{"port-budget = x\n", {"--port-budget", "y"}, 2, "--port-budget: \"y\" is not a number from"},
		{"", {"a-name-of-16-char"}, 2, "\"a-name-of-16-char\" is not an interface's name"},
		{"", {"--no-such"}, 2, "unknown option \"--no-such\""},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct settings *settings;
		struct capture said;
		const char *text;
		int ret;

		capture_begin(&said, STDERR_FILENO);
		ret = read_both(&settings, rows[i].text, rows[i].args);
		text = capture_end(&said);
		if (ret != rows[i].ret || settings || !strstr(text, rows[i].says))
			fail_msg("row %zu: %d, %s", i, ret, text);
	}
}

/* As a reload does with what only a restart changes. */
static void test_swap(void **state)
{
	const struct option_row *cert = options__find(&run_options__options, "tls-cert");
	const struct option_row *listen = options__find(&run_options__options, "listen");
	struct settings *former, *next;

	(void)state;
	assert_true(cert->restart && listen->restart);
	assert_int_equal(read_both(&former, "tls-cert = /one\n", (const char *const[]){NULL}), 0);
	assert_int_equal(read_both(&next, "tls-cert = /two\nlisten = 127.0.0.1:9798\n", (const char *const[]){NULL}),
			 0);
	assert_false(kinds__is_same(cert, &former->options, &next->options));
	assert_true(kinds__is_same(listen, &former->options, &next->options));
	settings__swap(next, former, cert);
	settings__swap(next, former, listen);
	settings__free(former);
	assert_string_equal(next->options.tls_cert, "/one");
	assert_int_equal(next->options.listen.port, 9798);
	settings__free(next);
}

/* The comment above a key's line in contrib/synwarden.conf, and what the line shows. */
static const char *example_of(const char *text, const char *name, char comment[1024])
{
	static char value[128];
	char key[64];
	const char *line, *from;

	snprintf(key, sizeof(key), "\n;%s = ", name);
	line = strstr(text, key);
	if (!line)
		return NULL;
	snprintf(value, sizeof(value), "%.*s", (int)strcspn(line + strlen(key), "\n"), line + strlen(key));
	for (from = line; from > text && strncmp(from, "\n\n", 2); from--)
		;
	snprintf(comment, 1024, "%.*s", (int)(line - from), from);
	return value;
}

/* What the example shows as defaults are those of the rows, and it says what only a restart changes. */
static void test_example(void **state)
{
	static char text[16384];
	FILE *file = fopen("contrib/synwarden.conf", "r");

	(void)state;
	assert_non_null(file);
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	fclose(file);
	for (size_t i = 0; i < run_options__options.count; i++) {
		const struct option_row *row = &run_options__options.rows[i];
		char comment[1024];
		const char *value = example_of(text, row->name, comment);

		if (!strcmp(row->name, "config"))
			continue;
		if (!value)
			fail_msg("%s is not in contrib/synwarden.conf", row->name);
		if (row->fallback)
			assert_string_equal(value, row->fallback);
		if (row->restart != !!strstr(comment, "only by a restart"))
			fail_msg("%s: contrib/synwarden.conf on a restart", row->name);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults), cmocka_unit_test(test_repeated), cmocka_unit_test(test_precedence),
		cmocka_unit_test(test_errors),	 cmocka_unit_test(test_swap),	  cmocka_unit_test(test_example),
	};
	int fd = mkstemp(path), ret;

	if (fd < 0)
		return 1;
	close(fd);
	ret = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(path);
	return ret;
}
