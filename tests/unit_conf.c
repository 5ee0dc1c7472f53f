// SPDX-License-Identifier: GPL-2.0-only
/*
 * The configuration file: what it sets, and what is said, word by word, of files that somebody got wrong or means ill.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "conf.h"
#include "print.h"
#include "text.h"

static char dir[] = "/tmp/unit_conf.XXXXXX", path[64], list_path[64], messages[65536];

#define RUN_KEYS                                                                                                       \
	"interface, dry-run, source-limit, port-budget, challenge, protect, harden, xdp-mode, listen, tls-cert, "      \
	"tls-key, auth-file, duration, "                                                                               \
	"keep, "                                                                                                       \
	"quiet"
#define A_SECTION "it is one of [port N], N from 1 to 65535, [allow], [block]"

static void write_file(const char *at, const void *bytes, size_t size)
{
	FILE *file = fopen(at, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
}

/* Reads the file at `at`; what goes to stderr ends in `messages`, each line without "synwarden: " and the directory. */
static int read_at(struct conf *conf, const char *at)
{
	char prefix[64], *from, *to = messages;
	int saved = dup(STDERR_FILENO), ret;
	FILE *out = tmpfile();
	size_t len;

	assert_non_null(out);
	dup2(fileno(out), STDERR_FILENO);
	ret = conf__read(conf, at);
	dup2(saved, STDERR_FILENO);
	close(saved);
	rewind(out);
	messages[fread(messages, 1, sizeof(messages) - 1, out)] = '\0';
	fclose(out);
	snprintf(prefix, sizeof(prefix), "synwarden: %s/", dir);
	len = strlen(prefix);
	for (from = messages; *from;) {
		if (!strncmp(from, prefix, len))
			from += len;
		else
			*to++ = *from++;
	}
	*to = '\0';
	return ret;
}

static int read_bytes(struct conf *conf, const void *bytes, size_t size)
{
	write_file(path, bytes, size);
	return read_at(conf, path);
}

static int read_text(struct conf *conf, const char *text)
{
	return read_bytes(conf, text, strlen(text));
}

static void test_empty(void **state)
{
	static const char *const rows[] = {
		"", "\n\n", "# nothing\n; at all", "  \t\r\n", "\xef\xbb\xbf# a mark\n", "[allow]"};
	struct conf conf;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		assert_int_equal(read_text(&conf, rows[i]), 0);
		assert_string_equal(messages, "");
		assert_int_equal(conf.options.port_budget, 1000);
		assert_int_equal(conf.options.listen.port, 9798);
		assert_int_equal(conf.interface_count + conf.port_count + conf.lists[0].count + conf.lists[1].count, 0);
		conf__free(&conf);
	}
}

static void test_options(void **state)
{
	struct conf conf;

	(void)state;
	assert_int_equal(read_text(&conf, "\xef\xbb\xbfsource-limit = 77\r\n"
					  "\tport-budget=66 ; a comment\n"
					  "challenge : off\n"
					  "interface = eth0  eth1\n"
					  "   interface = eth2\n"
					  "dry-run = yes\nharden = no\nkeep=yes\nquiet = yes\n"
					  "xdp-mode = generic\n"
					  "listen = [::1]:80\n"
					  "protect = 443\nprotect = 192.0.2.1:80,[::1]:81\n"
					  "tls-cert = /a certificate\ntls-key = /its key\nauth-file = /users\n"
					  "duration = 5"),
			 0);
	assert_string_equal(messages, "");
	assert_int_equal(conf.options.source_limit, 77);
	assert_int_equal(conf.options.port_budget, 66);
	assert_int_equal(conf.options.challenge, CHALLENGE_OFF);
	assert_int_equal(conf.options.xdp_mode, 2);
	assert_int_equal(conf.options.listen.port, 80);
	assert_int_equal(conf.options.seconds, 5);
	assert_true(conf.options.dry_run && conf.options.keep && conf.options.quiet && !conf.options.harden);
	assert_string_equal(conf.options.protect, "443,192.0.2.1:80,[::1]:81");
	assert_string_equal(conf.options.tls_cert, "/a certificate");
	assert_string_equal(conf.options.tls_key, "/its key");
	assert_string_equal(conf.options.auth_file, "/users");
	assert_int_equal(conf.interface_count, 3);
	assert_string_equal(conf.interfaces[0], "eth0");
	assert_string_equal(conf.interfaces[1], "eth1");
	assert_string_equal(conf.interfaces[2], "eth2");
	conf__free(&conf);
}

static void test_ports(void **state)
{
	struct conf conf;

	(void)state;
	assert_int_equal(read_text(&conf,
				   "[port 443] # the first\nbudget = 0\n[port 1]\n[port 65535]\nchallenge = off\n"
				   "budget=10000000\n[port 443]\nchallenge = auto\n"),
			 0);
	assert_int_equal(conf.options.port_count, 3);
	assert_int_equal(conf.options.ports[0].port, 443);
	assert_true(conf.options.ports[0].has_budget && conf.options.ports[0].has_challenge);
	assert_int_equal(conf.options.ports[0].budget, 0);
	assert_int_equal(conf.options.ports[1].port, 1);
	assert_false(conf.options.ports[1].has_budget || conf.options.ports[1].has_challenge);
	assert_int_equal(conf.options.ports[2].budget, 10000000);
	assert_int_equal(conf.options.ports[2].challenge, CHALLENGE_OFF);
	conf__free(&conf);
}

static void test_lists(void **state)
{
	char text[256], prefix[PRINT_PREFIX_LEN];
	struct conf conf;

	(void)state;
	write_file(list_path, "#\n10.0.0.0/8\r\n\n \t2001:db8::/32\t# why\n192.0.2.1#\n", 48);
	snprintf(text, sizeof(text),
		 "[block]\nfile = %s\ncidr = 198.51.100.0/24\n[allow]\ncidr = ::1\n[block]\ncidr = ::/0", list_path);
	assert_int_equal(read_text(&conf, text), 0);
	assert_string_equal(messages, "");
	assert_int_equal(conf.lists[LIST_ALLOW].count, 1);
	assert_int_equal(conf.lists[LIST_BLOCK].count, 5);
	assert_string_equal(print_prefix(prefix, &conf.lists[LIST_BLOCK].all[1]), "2001:db8::/32");
	assert_string_equal(print_prefix(prefix, &conf.lists[LIST_BLOCK].all[3]), "198.51.100.0/24");
	assert_string_equal(print_prefix(prefix, &conf.lists[LIST_BLOCK].all[4]), "::/0");
	conf__free(&conf);
}

/* Each is refused with these lines, and leaves nothing behind. */
static void test_refused(void **state)
{
#define C "c:"
	static const struct {
		const char *text, *says;
	} rows[] = {
		{"port-budget =", C "1: port-budget: \"\" is not a number from 0 to 10000000\n"},
		{"port-budget = -1", C "1: port-budget: \"-1\" is not a number from 0 to 10000000\n"},
		{"port-budget = 1 2", C "1: port-budget: \"1 2\" is not a number from 0 to 10000000\n"},
		{"port-budget = 5 # five", C "1: port-budget: \"5 # five\" is not a number from 0 to 10000000\n"},
		{"port-budget = 1\nport-budget = 1", C "2: port-budget: given twice, first on line 1\n"},
		{"Port-Budget = 1",
		 C "1: \"Port-Budget\" is not a key: before the first section it is one of " RUN_KEYS "\n"},
		{"config = /x", C "1: \"config\" is not a key: before the first section it is one of " RUN_KEYS "\n"},
		{"help = yes", C "1: \"help\" is not a key: before the first section it is one of " RUN_KEYS "\n"},
		{"= 5", C "1: \"\" is not a key: before the first section it is one of " RUN_KEYS "\n"},
		{"dry-run = 1", C "1: dry-run: \"1\" is not one of yes|no\n"},
		{"quiet", C "1: neither KEY = VALUE nor [SECTION]\n"},
		{"quiet\nkeep\n\n",
		 C "1: neither KEY = VALUE nor [SECTION]\n" C "2: neither KEY = VALUE nor [SECTION]\n"},
		{"quiet = yes\n  and more", C "2: neither KEY = VALUE nor [SECTION]\n"},
		{"interface =", C "1: interface: \"\" is not an interface's name, of 1 to 15 characters\n"},
		{"interface = a/b", C "1: interface: \"a/b\" is not an interface's name, of 1 to 15 characters\n"},
		{"protect = 80,,",
		 C "1: protect: \"80,,\" is not a list of PORT, ADDR:PORT or [ADDR]:PORT with ports from "
		   "1 to 65535: \"\" is none\n"},
		{"[run]", C "1: [run] is not a section: " A_SECTION "\n"},
		{"[port 0]", C "1: [port 0] is not a section: " A_SECTION "\n"},
		{"[port 80 ]", C "1: [port 80 ] is not a section: " A_SECTION "\n"},
		{"[port 65536]\nbudget = x", C "1: [port 65536] is not a section: " A_SECTION "\n"},
		{"[]", C "1: [] is not a section: " A_SECTION "\n"},
		{"[allow", C "1: \"[allow\" lacks a ]\n"},
		{"[", C "1: \"[\" lacks a ]\n"},
		{"[allow] cidr = ::1", C "1: \"cidr = ::1\" stands behind the ]: a key is on a line of its own\n"},
		{"[port 5]\nport-budget = 1",
		 C "2: \"port-budget\" is not a key: in [port 5] it is one of budget, challenge\n"},
		{"[port 5]\nchallenge = on", C "2: challenge: \"on\" is not one of auto|off\n"},
		{"[port 5]\nbudget = 1\n[port 6]\n[port 5]\nbudget = 1", C "5: budget: given twice, first on line 2\n"},
		{"[allow]\nquiet = yes", C "2: \"quiet\" is not a key: in [allow] it is one of cidr, file\n"},
		{"[block]\n2001:db8::/32", C "2: \"2001\" is not a key: in [block] it is one of cidr, file\n"},
		{"[block]\n10.0.0.0/8", C "2: neither KEY = VALUE nor [SECTION]\n"},
		{"[block]\ncidr = 10.0.0.1/8", C
		 "2: cidr: \"10.0.0.1/8\" is not a prefix: bits are set behind its length; did you mean 10.0.0.0/8?\n"},
		{"[block]\nfile = x", C "2: file: \"x\" is not a path that begins with /\n"},
		{"[block]\nfile = /nonexistent/x",
		 C "2: file: cannot read \"/nonexistent/x\": No such file or directory\n"},
		{"[block]\nfile = /dev/zero", C "2: file: cannot read \"/dev/zero\": it is not a regular file\n"},
		{"quiet = yes\n\x7f"
		 "ELF",
		 C "2: byte 0x7f: this is not a text file\n"},
		{"quiet = \033[31myes", C "1: byte 0x1b: this is not a text file\n"},
	};
#undef C
	struct conf conf;
	int failures = 0;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		int ret = read_text(&conf, rows[i].text);

		if (ret == -1 && !strcmp(messages, rows[i].says) && !conf.ports && !conf.texts[0] &&
		    !conf.lists[LIST_ALLOW].all && !conf.lists[LIST_BLOCK].all)
			continue;
		print_error("\"%s\": returned %d, said: %s", rows[i].text, ret, messages);
		failures++;
	}
	assert_int_equal(failures, 0);
}

static void test_not_text(void **state)
{
	static const char utf16[] = "\xff\xfeq\0u\0i\0e\0t\0";
	char *huge = malloc(1 << 20), text[128];
	struct conf conf;

	(void)state;
	assert_int_equal(read_bytes(&conf, utf16, sizeof(utf16)), -1);
	assert_string_equal(messages, "c:1: byte 0x00: this is not a text file\n");
	assert_int_equal(read_bytes(&conf, "quiet = yes\0keep = yes\n", 23), -1);
	assert_string_equal(messages, "c:1: byte 0x00: this is not a text file\n");
	memset(huge, 'a', 1 << 20); /* a line without an end */
	assert_int_equal(read_bytes(&conf, huge, 1 << 20), -1);
	assert_string_equal(messages, "c:1: the line is longer than 198 bytes\n");
	write_file(list_path, huge, 1 << 20);
	snprintf(text, sizeof(text), "[block]\nfile = %s\n", list_path);
	assert_int_equal(read_text(&conf, text), -1);
	assert_string_equal(messages, "l:1: the line is longer than 255 bytes\n");
	free(huge);
	unlink(list_path);
	assert_int_equal(mkfifo(list_path, 0600), 0); /* nobody writes to it: must not wait */
	assert_int_equal(read_text(&conf, text), -1);
	assert_non_null(strstr(messages, "it is not a regular file\n"));
	unlink(list_path);
}

/* The longest line, and one byte more. */
static void test_long_line(void **state)
{
	char text[256];
	struct conf conf;

	(void)state;
	memset(text, ' ', sizeof(text));
	memcpy(text, "quiet = yes", 11);
	text[198] = '\n';
	assert_int_equal(read_bytes(&conf, text, 199), 0);
	assert_true(conf.options.quiet);
	conf__free(&conf);
	text[198] = ' ';
	text[199] = '\n';
	assert_int_equal(read_bytes(&conf, text, 200), -1);
	assert_string_equal(messages, "c:1: the line is longer than 198 bytes\n");
}

static void test_many_errors(void **state)
{
	struct conf conf;
	char text[4096];
	size_t len = 0;

	(void)state;
	for (int i = 0; i < 120; i++)
		len += snprintf(text + len, sizeof(text) - len, "nothing\n");
	assert_int_equal(read_text(&conf, text), -1);
	assert_int_equal(count_of(messages, "\n"), 101);
	assert_line(messages, "c:100: neither KEY = VALUE nor [SECTION]");
	assert_line(messages, "c: 20 more errors");
}

static void test_too_many_interfaces(void **state)
{
	struct conf conf;
	char text[1024];
	size_t len = 0;

	(void)state;
	for (int i = 0; i <= META_INTERFACES; i++)
		len += snprintf(text + len, sizeof(text) - len, "interface = eth%d\n", i);
	assert_int_equal(read_text(&conf, text), -1);
	assert_string_equal(messages, "c:33: interface: \"eth32\" is too many: at most 32\n");
}

static int make_dir(void **state)
{
	(void)state;
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/c", dir);
	snprintf(list_path, sizeof(list_path), "%s/l", dir);
	return 0;
}

static int remove_dir(void **state)
{
	(void)state;
	unlink(path);
	unlink(list_path);
	return rmdir(dir);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_ports),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_not_text),
		cmocka_unit_test(test_long_line),
		cmocka_unit_test(test_many_errors),
		cmocka_unit_test(test_too_many_interfaces),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
