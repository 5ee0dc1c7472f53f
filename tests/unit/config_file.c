// SPDX-License-Identifier: GPL-2.0-only
/*
 * The configuration file: what it sets, and what is said, word by word, of files with errors or with ill intent.
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

#include "config/config_file.h"
#include "lib/text.h"
#include "text/address.h"

static char dir[] = "/tmp/unit_conf.XXXXXX", path[64], list_path[64], messages[65536];

#define RUN_KEYS                                                                                                       \
	"interface, dry-run, source-limit, port-budget, challenge, stray-budget, protect, harden, max-entries, http, " \
	"xdp-mode, "                                                                                                   \
	"listen, "                                                                                                     \
	"tls-cert, "                                                                                                   \
	"tls-key, auth-file, host, duration, keep, quiet"
#define AN_INTERFACE "an interface's name, of 1 to 15 characters, none of them / : , \" # or a blank"
#define A_SECTION    "it is one of [port N], N from 1 to 65535, [allow], [block], [sync], [crowdsec], [list NAME]"

static void write_file(const char *at, const void *bytes, size_t size)
{
	FILE *file = fopen(at, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
}

/* Reads the file at `at`; what goes to stderr ends in `messages`, each line without "synwarden: " and the directory. */
static int read_at(struct settings *conf, const char *at)
{
	char prefix[64], *from, *to = messages;
	int saved = dup(STDERR_FILENO), ret;
	FILE *out = tmpfile();
	size_t len;

	assert_non_null(out);
	dup2(fileno(out), STDERR_FILENO);
	settings__init(conf);
	ret = config_file__read(conf, at);
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

static int read_bytes(struct settings *conf, const void *bytes, size_t size)
{
	write_file(path, bytes, size);
	return read_at(conf, path);
}

static int read_text(struct settings *conf, const char *text)
{
	return read_bytes(conf, text, strlen(text));
}

static void test_empty(void **state)
{
	static const char *const rows[] = {
		"", "\n\n", "# nothing\n; at all", "  \t\r\n", "\xef\xbb\xbf# a mark\n", "[allow]"};
	struct settings conf;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		assert_int_equal(read_text(&conf, rows[i]), 0);
		assert_string_equal(messages, "");
		assert_int_equal(conf.options.port_budget, 1000);
		assert_int_equal(conf.options.listen.port, 9798);
		assert_int_equal(
			conf.interface_count + conf.options.port_count + conf.lists[0].count + conf.lists[1].count, 0);
		settings__clear(&conf);
	}
}

static void test_options(void **state)
{
	struct settings conf;

	(void)state;
	assert_int_equal(read_text(&conf, "\xef\xbb\xbfsource-limit = 77\r\n"
					  "\tport-budget=66 ; a comment\n"
					  "challenge : off\n"
					  "stray-budget = 55\n"
					  "interface = eth0  eth1\n"
					  "   interface = eth2\n"
					  "dry-run = yes\nharden = no\nkeep=yes\nquiet = yes\n"
					  "xdp-mode = generic\n"
					  "http = on\n"
					  "listen = [::1]:80\n"
					  "protect = auto,443\nprotect = 192.0.2.1:80,[::1]:81\n"
					  "tls-cert = /a certificate\ntls-key = /its key\nauth-file = /users\n"
					  "duration = 5"),
			 0);
	assert_string_equal(messages, "");
	assert_int_equal(conf.options.source_limit, 77);
	assert_int_equal(conf.options.port_budget, 66);
	assert_int_equal(conf.options.challenge, CHALLENGE_OFF);
	assert_int_equal(conf.options.stray_budget, 55);
	assert_int_equal(conf.options.xdp_mode, 2);
	assert_int_equal(conf.options.http, 1);
	assert_int_equal(conf.options.listen.port, 80);
	assert_int_equal(conf.options.seconds, 5);
	assert_true(conf.options.dry_run && conf.options.keep && conf.options.quiet && !conf.options.harden);
	assert_string_equal(conf.options.protect, "auto,443,192.0.2.1:80,[::1]:81");
	assert_string_equal(conf.options.tls_cert, "/a certificate");
	assert_string_equal(conf.options.tls_key, "/its key");
	assert_string_equal(conf.options.auth_file, "/users");
	assert_int_equal(conf.interface_count, 3);
	assert_string_equal(conf.interfaces[0], "eth0");
	assert_string_equal(conf.interfaces[1], "eth1");
	assert_string_equal(conf.interfaces[2], "eth2");
	settings__clear(&conf);
}

static void test_ports(void **state)
{
	struct settings conf;

	(void)state;
	assert_int_equal(read_text(&conf, "[port 443] # the first\nbudget = 0\n[port 1]\nstray-budget = 0\n[port "
					  "65535]\nchallenge = off\n"
					  "budget=10000000\n[port 443]\nchallenge = auto\n"),
			 0);
	assert_int_equal(conf.options.port_count, 3);
	assert_int_equal(conf.options.ports[0].port, 443);
	assert_true(conf.options.ports[0].has_budget && conf.options.ports[0].has_challenge);
	assert_int_equal(conf.options.ports[0].budget, 0);
	assert_int_equal(conf.options.ports[1].port, 1);
	assert_false(conf.options.ports[1].has_budget || conf.options.ports[1].has_challenge);
	assert_true(conf.options.ports[1].has_stray_budget && !conf.options.ports[0].has_stray_budget);
	assert_int_equal(conf.options.ports[2].budget, 10000000);
	assert_int_equal(conf.options.ports[2].challenge, CHALLENGE_OFF);
	settings__clear(&conf);
}

static void test_lists(void **state)
{
	char text[256], prefix[PRINT_PREFIX_LEN];
	struct settings conf;

	(void)state;
	write_file(list_path, "#\n10.0.0.0/8\r\n\n \t2001:db8::/32\t# why\n192.0.2.1#\n", 48);
	snprintf(text, sizeof(text),
		 "[block]\nfile = %s\ncidr = 198.51.100.0/24\n[allow]\ncidr = ::1\n[block]\ncidr = ::/0", list_path);
	assert_int_equal(read_text(&conf, text), 0);
	assert_string_equal(messages, "");
	assert_int_equal(conf.lists[LIST_ALLOW].count, 1);
	assert_int_equal(conf.lists[LIST_BLOCK].count, 4); /* 2001:db8::/32 is within ::/0 */
	assert_string_equal(print_prefix(prefix, &conf.lists[LIST_BLOCK].all[0]), "::/0");
	assert_string_equal(print_prefix(prefix, &conf.lists[LIST_BLOCK].all[1]), "10.0.0.0/8");
	assert_string_equal(print_prefix(prefix, &conf.lists[LIST_BLOCK].all[2]), "192.0.2.1");
	assert_string_equal(print_prefix(prefix, &conf.lists[LIST_BLOCK].all[3]), "198.51.100.0/24");
	settings__clear(&conf);
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
		{"interface =", C "1: interface: \"\" is not " AN_INTERFACE "\n"},
		{"interface = a/b", C "1: interface: \"a/b\" is not " AN_INTERFACE "\n"},
		{"interface = eth0 # uplink", C "1: interface: \"#\" is not " AN_INTERFACE "\n"},
		{"interface = eth0,eth1", C "1: interface: \"eth0,eth1\" is not " AN_INTERFACE "\n"},
		{"interface = \"eth0\"", C "1: interface: \"\"eth0\"\" is not " AN_INTERFACE "\n"},
		{"interface = eth0:1", C "1: interface: \"eth0:1\" is not " AN_INTERFACE "\n"},
		{"interface = .. .",
		 C "1: interface: \"..\" is not " AN_INTERFACE "\n" C "1: interface: \".\" is not " AN_INTERFACE "\n"},
		{"interface = eth0\ninterface = eth1 eth0", C "2: interface: \"eth0\" is named twice\n"},
		{"protect = 80,,",
		 C "1: protect: \"80,,\" is not a list of auto, PORT, ADDR:PORT or [ADDR]:PORT with ports from "
		   "1 to 65535: \"\" is none\n"},
		{"[run]", C "1: [run] is not a section: " A_SECTION "\n"},
		{"[port 0]", C "1: [port 0] is not a section: " A_SECTION "\n"},
		{"[port 80 ]", C "1: [port 80 ] is not a section: " A_SECTION "\n"},
		{"[port 65536]\nbudget = x", C "1: [port 65536] is not a section: " A_SECTION "\n"},
		{"[]", C "1: [] is not a section: " A_SECTION "\n"},
		{"[allow", C "1: a section's name lacks a ]\n"},
		{"[", C "1: a section's name lacks a ]\n"},
		{"[allow] cidr = ::1", C "1: text behind a ]: a key is on a line of its own\n"},
		{"[port 5]\nport-budget = 1",
		 C "2: \"port-budget\" is not a key: in [port 5] it is one of budget, challenge, stray-budget\n"},
		{"[port 5]\nchallenge = on", C "2: challenge: \"on\" is not one of off|auto\n"},
		{"[port 5]\nbudget = 1\n[port 6]\n[port 5]\nbudget = 1", C "5: budget: given twice, first on line 2\n"},
		{"[allow]\nquiet = yes", C "2: \"quiet\" is not a key: in [allow] it is one of cidr, file\n"},
		{"[block]\n2001:db8::/32", C "2: \"2001\" is not a key: in [block] it is one of cidr, file\n"},
		{"[block]\n10.0.0.0/8", C "2: neither KEY = VALUE nor [SECTION]\n"},
		{"[block]\ncidr = 10.0.0.1/8", C
		 "2: cidr: \"10.0.0.1/8\" is not a prefix: bits are set behind its length; did you mean 10.0.0.0/8?\n"},
		{"[block]\nfile = x", C "2: file: \"x\" is not a path that begins with /\n"},
		{"quiet = yes\n\x7f"
		 "ELF",
		 C "2: byte 0x7f: this is not a text file\n"},
		{"quiet = \033[31myes", C "1: byte 0x1b: this is not a text file\n"},
	};
#undef C
	struct settings conf;
	int failures = 0;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		int ret = read_text(&conf, rows[i].text);

		if (ret == -1 && !strcmp(messages, rows[i].says) && !conf.options.ports && !conf.texts[0] &&
		    !conf.lists[LIST_ALLOW].all && !conf.lists[LIST_BLOCK].all)
			continue;
		print_error("\"%s\": returned %d, said: %s", rows[i].text, ret, messages);
		failures++;
	}
	assert_int_equal(failures, 0);
}

/* Files that are no configuration, and whose text is not for the reader of the messages: lines of them are not shown.
 */
static void test_secrets(void **state)
{
	static const char *const texts[] = {
		"root:$y$j9T$secret$hash:19000:0:99999:7:::\n",
		"secretsecretsecretsecretsecretsecretsecretsecretsecretsecretQ==\n",
		"[secret secret secret secret secret secret]\n",
		"[secret, which has no end\n",
		"[allow] secret\n",
		"[allow]\nsecret-secret-secret-secret = 5\n",
		"[port 5]\nsecret, secret = 5\n",
		"secret\n",
	};
	struct settings conf;
	char text[128];

	(void)state;
	snprintf(text, sizeof(text), "[block]\nfile = %s\n", list_path);
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		assert_int_equal(read_text(&conf, texts[i]), -1);
		if (strstr(messages, "secret"))
			fail_msg("%s", messages);
		write_file(list_path, texts[i], strlen(texts[i]));
		assert_int_equal(read_text(&conf, text), 0);
		settings__clear(&conf);
		if (strstr(messages, "secret") || !strstr(messages, " is left out, and what the block list last had"))
			fail_msg("%s", messages);
	}
	unlink(list_path);
}

/* Reads a file that names a list, each with what others may do with it. */
static int read_owned(uid_t uid, gid_t gid, mode_t mode, mode_t list_mode, mode_t dir_mode)
{
	char text[128];
	struct settings conf;
	int ret;

	snprintf(text, sizeof(text), "[block]\nfile = %s\n", list_path);
	write_file(path, text, strlen(text));
	write_file(list_path, "192.0.2.1\n", 10);
	assert_int_equal(chown(path, uid, gid) | chmod(path, mode) | chmod(list_path, list_mode) | chmod(dir, dir_mode),
			 0);
	ret = read_at(&conf, path);
	settings__clear(&conf);
	unlink(path);
	unlink(list_path);
	assert_int_equal(chmod(dir, 0700), 0);
	return ret;
}

/* By hand a warning; a service of root's does not take it. */
static void test_ownership(void **state)
{
	static const struct {
		uid_t uid;
		gid_t gid;
		mode_t mode, list_mode, dir_mode;
		const char *says; /* NULL: nothing */
	} rows[] = {
		{0, 0, 0644, 0644, 0755, NULL},
		{0, 0, 0664, 0664, 0775, NULL}, /* root's group */
		{0, 0, 0644, 0644, 01777, NULL},
		{65534, 0, 0600, 0600, 0700, "user 65534 may change "},
		{0, 0, 0646, 0600, 0700, "every user of this host may change "},
		{0, 65534, 0664, 0600, 0700, "group 65534 may change "},
		{0, 0, 0600, 0602, 0700, "every user of this host may change "},
		{0, 0, 0600, 0600, 0757, "every user of this host may change "},
	};

	(void)state;
	unsetenv("INVOCATION_ID");
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		assert_int_equal(
			read_owned(rows[i].uid, rows[i].gid, rows[i].mode, rows[i].list_mode, rows[i].dir_mode), 0);
		if (rows[i].says ? !strstr(messages, rows[i].says) || !strstr(messages, "; fix: ch") : *messages)
			fail_msg("%zu: %s", i, messages);
		setenv("INVOCATION_ID", "0123", 1);
		/* Of a list that others may change, the service takes nothing, and starts. */
		assert_int_equal(
			read_owned(rows[i].uid, rows[i].gid, rows[i].mode, rows[i].list_mode, rows[i].dir_mode),
			rows[i].says && rows[i].list_mode != 0602 ? -1 : 0);
		if (rows[i].says && !strstr(messages, rows[i].says))
			fail_msg("%zu: %s", i, messages);
		unsetenv("INVOCATION_ID");
	}
}

static void test_not_text(void **state)
{
	static const char utf16[] = "\xff\xfeq\0u\0i\0e\0t\0";
	char *huge = malloc(1 << 20), text[128];
	struct settings conf;

	(void)state;
	assert_int_equal(read_bytes(&conf, utf16, sizeof(utf16)), -1);
	assert_string_equal(messages, "c:1: byte 0x00: this is not a text file\n");
	assert_int_equal(read_bytes(&conf, "quiet = yes\0keep = yes\n", 23), -1);
	assert_string_equal(messages, "c:1: byte 0x00: this is not a text file\n");
	memset(huge, 'a', 1 << 20); /* a line without an end */
	assert_int_equal(read_bytes(&conf, huge, 1 << 20), -1);
	assert_string_equal(messages, "c:1: the line is longer than 255 bytes\n");
	free(huge);
	snprintf(text, sizeof(text), "[block]\nfile = %s\n", list_path);
	assert_int_equal(mkfifo(list_path, 0600), 0); /* nobody writes to it: must not wait */
	assert_int_equal(read_text(&conf, text), 0);
	assert_non_null(strstr(messages, "l: it is not a regular file; it is left out"));
	settings__clear(&conf);
	unlink(list_path);
}

/* The longest line, and one byte more. */
static void test_long_line(void **state)
{
	char text[512];
	struct settings conf;

	(void)state;
	memset(text, ' ', sizeof(text));
	memcpy(text, "quiet = yes", 11);
	text[255] = '\n';
	assert_int_equal(read_bytes(&conf, text, 256), 0);
	assert_true(conf.options.quiet);
	settings__clear(&conf);
	text[255] = ' ';
	text[256] = '\n';
	assert_int_equal(read_bytes(&conf, text, 257), -1);
	assert_string_equal(messages, "c:1: the line is longer than 255 bytes\n");
}

static void test_many_errors(void **state)
{
	struct settings conf;
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
	struct settings conf;
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
		cmocka_unit_test(test_secrets),
		cmocka_unit_test(test_ownership),
		cmocka_unit_test(test_not_text),
		cmocka_unit_test(test_long_line),
		cmocka_unit_test(test_many_errors),
		cmocka_unit_test(test_too_many_interfaces),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
