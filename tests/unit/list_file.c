// SPDX-License-Identifier: GPL-2.0-only
/*
 * List files as publishers write them (made anew in their formats), the fewest prefixes that hold what is in them, and
 * what a list keeps of a file that cannot be taken as it is.
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

#include "config/cidr.h"
#include "config/config_file.h"
#include "config/list_file.h"
#include "config/list_sources.h"
#include "lib/capture.h"
#include "lib/text.h"
#include "text/address.h"

static char dir[] = "/tmp/unit_list.XXXXXX", path[64], other[64], conf_path[64];

static void write_text(const char *at, const char *text)
{
	FILE *file = fopen(at, "w");

	assert_non_null(file);
	assert_int_equal(fputs(text, file) < 0, 0);
	assert_int_equal(fclose(file), 0);
}

/* "PREFIX PREFIX ..." of a set, reduced. */
static const char *shown(struct prefixes *prefixes, size_t most)
{
	static char text[4096];
	char prefix[PRINT_PREFIX_LEN];
	size_t len = 0;

	prefixes__reduce(prefixes, most);
	*text = '\0';
	for (size_t i = 0; i < prefixes->count; i++)
		len += snprintf(text + len, sizeof(text) - len, "%s%s", i ? " " : "",
				print_prefix(prefix, &prefixes->all[i]));
	return text;
}

/* What a filter by such a list would find: IPv4 is no part of IPv6's prefixes. */
static void test_hold(void **state)
{
	static const struct {
		const char *prefixes, *address;
		bool held;
	} rows[] = {
		{"", "192.0.2.1", false},
		{"192.0.2.1", "192.0.2.1", true},
		{"192.0.2.1", "192.0.2.2", false},
		{"192.0.2.0/24\n198.51.100.0/25", "192.0.2.255", true},
		{"192.0.2.0/24\n198.51.100.0/25", "192.0.3.0", false},
		{"192.0.2.0/24\n198.51.100.0/25", "198.51.100.127", true},
		{"192.0.2.0/24\n198.51.100.0/25", "198.51.100.128", false},
		{"192.0.2.0/24\n192.0.2.7", "192.0.2.200", true},
		{"::/0", "2001:db8::1", true},
		{"::/0", "192.0.2.1", false},
		{"0.0.0.0/0", "192.0.2.1", true},
		{"0.0.0.0/0", "2001:db8::1", false},
		{"2001:db8::/32\n192.0.2.1", "2001:db8:ffff::1", true},
		{"2001:db8::/32\n192.0.2.1", "2001:db9::", false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct prefixes prefixes = {};
		struct addr addr;
		const char *why;
		unsigned bad;

		write_text(path, rows[i].prefixes);
		assert_int_equal(list_file__read(path, &prefixes, &bad, &why), 0);
		prefixes__reduce(&prefixes, SIZE_MAX);
		assert_int_not_equal(cidr__address(rows[i].address, strlen(rows[i].address), &addr), 0);
		assert_int_equal(prefixes__hold(&prefixes, &addr), rows[i].held);
		prefixes__free(&prefixes);
	}
}

static const char *says(const char *text, const char *holds, const char *refused)
{
	static struct capture said;
	struct prefixes prefixes = {};
	const char *why = "";
	unsigned bad;

	write_text(path, text);
	capture_begin(&said, STDERR_FILENO);
	assert_int_equal(list_file__read(path, &prefixes, &bad, &why), refused ? -1 : 0);
	capture_end(&said);
	if (refused)
		assert_string_equal(why, refused);
	assert_string_equal(shown(&prefixes, SIZE_MAX), holds);
	prefixes__free(&prefixes);
	return said.text;
}

static void test_formats(void **state)
{
	static const struct {
		const char *what, *text, *holds;
	} rows[] = {
		{"nothing", "", ""},
		{"comments alone", "; one\n# two\n\n \t\n", ""},
		{"Spamhaus DROP",
		 "; a list of networks 2026/11/30\n; Last-Modified: Mon, 30 Nov 2026 12:00:00 GMT\n"
		 "192.0.2.0/25 ; REC1\n198.51.100.0/24 ; REC2\n",
		 "192.0.2.0/25 198.51.100.0/24"},
		{"Spamhaus DROP, JSON lines",
		 "{\"cidr\":\"192.0.2.0/25\",\"sblid\":\"REC1\",\"rir\":\"none\"}\n"
		 "{ \"rir\" : \"none\", \"cidr\" : \"2001:db8:5::\\/48\" }\r\n"
		 "{\"type\":\"metadata\",\"timestamp\":1796040000,\"size\":57,\"records\":2,"
		 "\"copyright\":\"nobody; # none\",\"terms\":\"https://list.example/terms/\"}\n",
		 "2001:db8:5::/48 192.0.2.0/25"},
		{"FireHOL netset",
		 "#\n# level\n#\n# Category : attacks\n# Entries  : 2 subnets, 257 unique IPs\n#\n"
		 "192.0.2.77\n198.51.100.0/24\n",
		 "192.0.2.77 198.51.100.0/24"},
		{"DOS line ends and a mark", "\xef\xbb\xbf# list\r\n192.0.2.1\r\n192.0.2.2/32\r\n",
		 "192.0.2.1 192.0.2.2"},
		{"a mark before an entry",
		 "\xef\xbb\xbf"
		 "192.0.2.1\n",
		 "192.0.2.1"},
		{"comments without a blank", "192.0.2.1#one\n192.0.2.2;two", "192.0.2.1 192.0.2.2"},
		{"netmasks", "192.0.2.0/255.255.255.0\n198.51.100.7/255.255.255.255\n", "192.0.2.0/24 198.51.100.7"},
		{"ranges",
		 "192.0.2.1-192.0.2.6\n198.51.100.0 - 198.51.100.255\n203.0.113.9-203.0.113.9\n"
		 "2001:db8::-2001:db8::1:ffff\n",
		 "2001:db8::/111 192.0.2.1 192.0.2.2/31 192.0.2.4/31 192.0.2.6 198.51.100.0/24 203.0.113.9"},
		{"all of them", "0.0.0.0-255.255.255.255\n::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff\n",
		 "::/0 0.0.0.0/0"},
		{"twice, and contained", "10.0.0.0/8\n10.1.2.3\n10.0.0.0/8\n10.255.0.0/16\n11.0.0.0\n",
		 "10.0.0.0/8 11.0.0.0"},
		{"::/0 holds no IPv4", "::/0\n192.0.2.1\n2001:db8::1\n", "::/0 192.0.2.1"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const char *said = says(rows[i].text, rows[i].holds, NULL);

		if (*said)
			fail_msg("%s: %s", rows[i].what, said);
	}
}

static void test_host_bits(void **state)
{
	const char *said = says("# first\n192.0.2.77/24\n198.51.100.1\n2001:db8::5/64\n",
				"2001:db8::/64 192.0.2.0/24 198.51.100.1", NULL);

	(void)state;
	assert_non_null(strstr(said, "/l:2: bits are set behind the prefix length, and ignored; so in 2 entries\n"));
	assert_int_equal(count_of(said, "\n"), 1);
}

/* A comment that is longer than any line, and an entry that is. */
static void test_long(void **state)
{
	char *text = malloc(1 << 20), *comment;
	const char *said;

	(void)state;
	memset(text, 'x', (1 << 20) - 1);
	text[(1 << 20) - 1] = '\0';
	for (const char *begin = ";#"; *begin; begin++) {
		comment = text + 100000;
		memset(text, 'x', 100000);
		memcpy(text, "192.0.2.1 ", 10);
		text[10] = *begin;
		memcpy(comment, "\n192.0.2.2\n#", 12);
		assert_string_equal(says(text, "192.0.2.1 192.0.2.2", NULL), "");
	}
	memset(text, '1', 1000);
	memset(text + 1000, '1', 99000);
	said = says(text, "", "1 of its 2 lines are bad");
	assert_non_null(strstr(said, "/l:1: the line is longer than 4095 bytes: left out\n"));
	free(text);
}

/* One in ten may be bad. */
static void test_bad_lines(void **state)
{
	static const char text[] = "# list\n192.0.2.300\n10.0.0.1\n10.0.0.3\n10.0.0.5\n10.0.0.7\n10.0.0.9\n10.0.0.11\n"
				   "10.0.0.13\n10.0.0.15\n10.0.0.17\n";
	const char *said = says(
		text, "10.0.0.1 10.0.0.3 10.0.0.5 10.0.0.7 10.0.0.9 10.0.0.11 10.0.0.13 10.0.0.15 10.0.0.17", NULL);

	(void)state;
	assert_non_null(strstr(said, "/l:2: \"192.0.2.300\" is not an IPv4 or IPv6 address, optionally with /LENGTH: "
				     "left out\n"));
	assert_int_equal(count_of(said, "\n"), 1);
}

static void test_refused(void **state)
{
	static const struct {
		const char *text, *why, *says;
	} rows[] = {
		{"192.0.2.1\nexample.org\n", "1 of its 2 lines are bad", "l:2: a text of 11 bytes is not an IPv4"},
		{"192.0.2.9-192.0.2.1", "1 of its 1 lines are bad", "l:1: \"192.0.2.9-192.0.2.1\" is not a range"},
		{"192.0.2.9-::1", "1 of its 1 lines are bad", "is not a range FROM-TO of addresses of one family"},
		{"192.0.2.1/33", "1 of its 1 lines are bad", "is not an IPv4 prefix: its length is a number"},
		{"192.0.2.1 192.0.2.2", "1 of its 1 lines are bad", "l:1: \"192.0.2.1 192.0.2.2\" is not an IPv4"},
		{"{\"cidr\":5}", "1 of its 1 lines are bad", "l:1: a text of 10 bytes is not an address, a prefix"},
		{"{\"cidr\":\"192.0.2.1\"", "1 of its 1 lines are bad", "left out\n"},
		{"{\"cidr\":\"192.0.2.1\"}}", "1 of its 1 lines are bad", "left out\n"},
		{"{\"cidr\":{\"x\":\"192.0.2.1\"}}", "1 of its 1 lines are bad", "left out\n"},
		{"{\"a\" \"cidr\"}", "1 of its 1 lines are bad", "left out\n"},
		{"{\"a\":\"\\", "1 of its 1 lines are bad", "left out\n"},
		{"{\"cidr\":\"secret\"}", "1 of its 1 lines are bad", "left out\n"},
		{"<html>\n<p>503</p>", "2 of its 2 lines are bad", "l:1: a text of 6 bytes is not"},
		{"192.0.2.1\n\x7f"
		 "ELF",
		 "it cannot be read in full", "l:2: byte 0x7f: this is not a text file\n"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const char *said = says(rows[i].text, "", rows[i].why);

		if (!strstr(said, rows[i].says) || strstr(said, "secret"))
			fail_msg("%zu: %s", i, said);
	}
}

/* Of many bad lines, twenty are shown. */
static void test_many_bad(void **state)
{
	struct prefixes prefixes = {};
	struct capture capture;
	char text[16384];
	const char *said, *why;
	size_t len = 0;
	unsigned bad;

	(void)state;
	for (int i = 0; i < 250; i++)
		len += snprintf(text + len, sizeof(text) - len, i < 25 ? "bad\n" : "10.0.%d.1\n", i);
	write_text(path, text);
	capture_begin(&capture, STDERR_FILENO);
	assert_int_equal(list_file__read(path, &prefixes, &bad, &why), 0);
	said = capture_end(&capture);
	assert_int_equal(bad, 25);
	assert_int_equal(prefixes.count, 225);
	assert_int_equal(count_of(said, "\n"), 21);
	assert_non_null(strstr(said, "/l: 5 more bad lines\n"));
	prefixes__free(&prefixes);
}

static void test_joined(void **state)
{
	static const char text[] =
		"192.0.2.0\n192.0.2.1\n192.0.2.2/31\n192.0.2.4/31\n192.0.2.5\n0.0.0.0/1\n128.0.0.0/1\n"
		"::/1\n8000::/1\n::fffe:0:0/96\n";
	struct prefixes prefixes = {};
	const char *why;
	unsigned bad;

	(void)state;
	write_text(path, text);
	assert_int_equal(list_file__read(path, &prefixes, &bad, &why), 0);
	assert_string_equal(shown(&prefixes, 4), "::/1 8000::/1 0.0.0.0/1 128.0.0.0/1");
	assert_string_equal(shown(&prefixes, 3), "::/0 0.0.0.0/0");
	prefixes__free(&prefixes);
}

/* Reads a configuration with two list files of the block list. */
/* `options`: lines above the files. */
static void read_conf_with(const char *options, struct settings *settings, struct capture *said)
{
	char text[256];

	snprintf(text, sizeof(text), "%s[block]\nfile = %s\nfile = %s\n", options, path, other);
	write_text(conf_path, text);
	settings__init(settings);
	capture_begin(said, STDERR_FILENO);
	assert_int_equal(config_file__read(settings, conf_path), 0);
	capture_end(said);
}

static void read_conf(struct settings *settings, struct capture *said)
{
	read_conf_with("", settings, said);
}

static void write_many(const char *at, unsigned count, unsigned step)
{
	FILE *file = fopen(at, "w");

	assert_non_null(file);
	for (unsigned i = 0; i < count; i++)
		fprintf(file, "10.%u.%u.%u\n", i * step >> 16 & 255, i * step >> 8 & 255, i * step & 255);
	assert_int_equal(fclose(file), 0);
}

/* What is bounded is what the kernel holds. */
static void test_limits(void **state)
{
	struct settings settings;
	struct capture said;

	(void)state;
	write_many(path, 35000, 2);
	write_many(other, 35000, 2);
	read_conf(&settings, &said);
	assert_string_equal(said.text, "");
	assert_int_equal(settings.lists[LIST_BLOCK].count, 35000);
	settings__clear(&settings);
	write_many(other, 70000, 2);
	read_conf(&settings, &said);
	assert_non_null(
		strstr(said.text, "with it the block list would have 70000 entries, and holds 65536 at most; it is"));
	assert_int_equal(settings.lists[LIST_BLOCK].count, 35000);
	settings__clear(&settings);
	write_many(other, 70000, 1); /* neighbours */
	read_conf(&settings, &said);
	assert_string_equal(said.text, "");
	assert_true(settings.lists[LIST_BLOCK].count < 40);
	settings__clear(&settings);
}

/* Of a long list, a part may be ranges: a file that has more is left out, and the others are not. */
static void test_ranges(void **state)
{
	struct settings settings;
	struct capture said;
	FILE *file;

	(void)state;
	write_text(path, "192.0.2.1\n");
	file = fopen(other, "w");
	assert_non_null(file);
	for (unsigned i = 0; i < LIST_ENTRIES_OWN + 1; i++)
		fprintf(file, "10.%u.%u.%u/31\n", i >> 14, i >> 6 & 255, i << 2 & 255);
	assert_int_equal(fclose(file), 0);
	read_conf_with("max-entries = 200000\n", &settings, &said);
	assert_non_null(strstr(said.text,
			       "with it the block list would have 65537 entries of more than one address, and "
			       "holds 65536 at most; it is"));
	assert_int_equal(settings.lists[LIST_BLOCK].count, 1);
	settings__clear(&settings);
}

/* A short range may stand for a hundred prefixes: what is read is bounded by those, not by lines. */
static void test_expanded(void **state)
{
	struct prefixes prefixes = {};
	FILE *file = fopen(path, "w");
	const char *why = "";
	unsigned bad;

	(void)state;
	assert_non_null(file);
	for (unsigned i = 0; i < 40000; i++)
		fputs("::1-f::\n", file);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(list_file__read(path, &prefixes, &bad, &why), -1);
	assert_string_equal(why, "it has too many entries");
	assert_int_equal(prefixes.count, 0);
	unlink(path);
}

/* A file that is not taken leaves what it last had, until it is taken again. */
static void test_kept(void **state)
{
	struct settings before, after;
	struct capture said;

	(void)state;
	write_text(path, "192.0.2.1\n");
	write_text(other, "192.0.2.2\n192.0.2.3\n");
	read_conf(&before, &said);
	assert_string_equal(shown(&before.lists[LIST_BLOCK], SIZE_MAX), "192.0.2.1 192.0.2.2 192.0.2.3");
	write_text(path, "192.0.2.9\n");
	unlink(other);
	read_conf(&after, &said);
	assert_non_null(
		strstr(said.text, "/o: No such file or directory; it is left out, and what the block list last had"));
	assert_int_equal(list_sources__refused(&after, LIST_BLOCK), 1);
	assert_int_equal(list_sources__refused(&after, LIST_ALLOW), 0);
	assert_false(list_sources__are_known(&after, LIST_BLOCK));
	assert_true(list_sources__are_known(&after, LIST_ALLOW));
	assert_string_equal(shown(&after.lists[LIST_BLOCK], SIZE_MAX), "192.0.2.9");
	list_sources__keep(&after, &before);
	assert_true(list_sources__are_known(&after, LIST_BLOCK));
	assert_int_equal(list_sources__refused(&after, LIST_BLOCK), 1);
	assert_string_equal(shown(&after.lists[LIST_BLOCK], SIZE_MAX), "192.0.2.2 192.0.2.3 192.0.2.9");
	capture_begin(&said, STDERR_FILENO);
	assert_false(list_sources__retry(&after)); /* still not there: nothing is said */
	assert_string_equal(capture_end(&said), "");
	write_text(other, "nonsense\n");
	assert_false(list_sources__retry(&after));
	assert_string_equal(shown(&after.lists[LIST_BLOCK], SIZE_MAX), "192.0.2.2 192.0.2.3 192.0.2.9");
	unlink(other);
	assert_false(list_sources__retry(&after));
	write_text(other, "192.0.2.7\n");
	assert_true(list_sources__retry(&after));
	assert_int_equal(list_sources__refused(&after, LIST_BLOCK), 0);
	assert_string_equal(shown(&after.lists[LIST_BLOCK], SIZE_MAX), "192.0.2.7 192.0.2.9");
	settings__clear(&before);
	settings__clear(&after);
}

static int make_dir(void **state)
{
	(void)state;
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/l", dir);
	snprintf(other, sizeof(other), "%s/o", dir);
	snprintf(conf_path, sizeof(conf_path), "%s/c", dir);
	return 0;
}

static int remove_dir(void **state)
{
	(void)state;
	unlink(path);
	unlink(other);
	unlink(conf_path);
	return rmdir(dir);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_formats),	  cmocka_unit_test(test_host_bits), cmocka_unit_test(test_long),
		cmocka_unit_test(test_bad_lines), cmocka_unit_test(test_refused),   cmocka_unit_test(test_many_bad),
		cmocka_unit_test(test_joined),	  cmocka_unit_test(test_limits),    cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_ranges),	  cmocka_unit_test(test_kept),	    cmocka_unit_test(test_expanded),
		cmocka_unit_test(test_hold),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
