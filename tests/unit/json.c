// SPDX-License-Identifier: GPL-2.0-only
/*
 * JSON to the byte: values, nesting, escapes, what is longer than the writer's buffer; and text cleaned for a terminal.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "lib/text.h"
#include "text/clean.h"
#include "text/json.h"

struct text_out {
	FILE *file;
	char *text;
	size_t size;
};

static void text_begin(struct text_out *out, struct json *json)
{
	out->file = open_memstream(&out->text, &out->size);
	assert_non_null(out->file);
	json_begin(json, out->file);
}

static void text_expect(struct text_out *out, struct json *json, const char *expected)
{
	json_end(json);
	fclose(out->file);
	assert_string_equal(out->text, expected);
	free(out->text);
}

static void test_json_values(void **state)
{
	struct text_out out;
	struct json json;

	(void)state;
	text_begin(&out, &json);
	text_expect(&out, &json, "{}\n");

	text_begin(&out, &json);
	json_string(&json, "text", "a b");
	json_string(&json, "none", NULL);
	json_number(&json, "zero", 0);
	json_number(&json, "most", UINT64_MAX);
	json_micros(&json, "short", 7);
	json_micros(&json, "long", 1234567089);
	json_micros(&json, "unknown", DURATION_UNKNOWN);
	json_bool(&json, "yes", true);
	json_bool(&json, "no", false);
	json_null(&json, "null");
	text_expect(&out, &json,
		    "{\"text\":\"a b\",\"none\":null,\"zero\":0,\"most\":18446744073709551615,\"short\":0.007,"
		    "\"long\":1234567.089,\"unknown\":null,\"yes\":true,\"no\":false,\"null\":null}\n");
}

static void test_json_nesting(void **state)
{
	struct text_out out;
	struct json json;

	(void)state;
	text_begin(&out, &json);
	json_object(&json, "empty");
	json_close(&json, '}');
	json_array(&json, "none");
	json_close(&json, ']');
	json_array(&json, "ports");
	json_item(&json);
	json_number(&json, "port", 80);
	json_object(&json, "deep");
	json_bool(&json, "er", true);
	json_close(&json, '}');
	json_close(&json, '}');
	json_item(&json);
	json_close(&json, '}');
	json_close(&json, ']');
	json_number(&json, "after", 1);
	text_expect(&out, &json,
		    "{\"empty\":{},\"none\":[],\"ports\":[{\"port\":80,\"deep\":{\"er\":true}},{}],\"after\":1}\n");
}

/* Text as it comes from a process's comm; as JSON; as a terminal may get it. */
static const struct {
	const char *text;
	const char *json;
	const char *clean;
} outside[] = {
	{"", "", ""},
	{"nginx: w/1", "nginx: w/1", "nginx: w/1"},
	{"\"\\\"", "\\\"\\\\\\\"", "\"\\\""},
	{"\b\f\n\r\t", "\\u0008\\u000c\\u000a\\u000d\\u0009", "?????"},
	{"\001\033[2J\037", "\\u0001\\u001b[2J\\u001f", "??[2J?"},
	{" ~\177", " ~\\u007f", " ~?"},
	{"caf\303\251", "caf\303\251", "caf\303\251"},
	{"\342\202\254\360\237\230\200", "\342\202\254\360\237\230\200", "\342\202\254\360\237\230\200"},
	{"\357\277\277\364\217\277\277", "\357\277\277\364\217\277\277", "\357\277\277\364\217\277\277"},
	{"\302\200\302\233\302\240", "\\u0080\\u009b\302\240", "??\302\240"},
	{"a\200b\277c", "a\\ufffdb\\ufffdc", "a?b?c"},
	{"\300\257", "\\ufffd\\ufffd", "??"},
	{"\301\277", "\\ufffd\\ufffd", "??"},
	{"\340\200\257", "\\ufffd\\ufffd\\ufffd", "???"},
	{"\360\200\200\257", "\\ufffd\\ufffd\\ufffd\\ufffd", "????"},
	{"\355\240\200", "\\ufffd\\ufffd\\ufffd", "???"},
	{"\364\220\200\200", "\\ufffd\\ufffd\\ufffd\\ufffd", "????"},
	{"\370\210\200\200\200", "\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd", "?????"},
	{"\376\377", "\\ufffd\\ufffd", "??"},
	{"cut\303", "cut\\ufffd", "cut?"},
	{"cut\342\202", "cut\\ufffd\\ufffd", "cut??"},
	{"cut\360\237\230", "cut\\ufffd\\ufffd\\ufffd", "cut???"},
	{"\303\"", "\\ufffd\\\"", "?\""},
	{"\342\202\303\251", "\\ufffd\\ufffd\303\251", "??\303\251"},
};

static void test_json_escapes(void **state)
{
	char expected[128];
	struct text_out out;
	struct json json;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT_OF(outside); i++) {
		text_begin(&out, &json);
		json_string(&json, "comm", outside[i].text);
		snprintf(expected, sizeof(expected), "{\"comm\":\"%s\"}\n", outside[i].json);
		text_expect(&out, &json, expected);
	}
}

/* What is longer than the writer's own buffer comes whole, wherever in it an escape, or a field, meets the end. */
static void test_json_long(void **state)
{
	static char text[3 * sizeof(struct json)], expected[sizeof(text) + 512];
	struct text_out out;
	struct json json;
	size_t len, i;
	char *at;

	(void)state;
	for (len = sizeof(json.text) - 300; len < sizeof(json.text) + 40; len++) {
		memset(text, 'x', len);
		strcpy(text + len, "\001\"\303\251\377y");
		text_begin(&out, &json);
		json_string(&json, "a", text);
		for (i = 0; i < 8; i++)
			json_number(&json, "n", UINT64_MAX);
		json_label(&json, "l", "label");
		at = expected + sprintf(expected, "{\"a\":\"%.*s\\u0001\\\"\303\251\\ufffdy\"", (int)len, text);
		for (i = 0; i < 8; i++)
			at = stpcpy(at, ",\"n\":18446744073709551615");
		strcpy(at, ",\"l\":\"label\"}\n");
		text_expect(&out, &json, expected);
	}
	memset(text, '\n', sizeof(text) / 6);
	text[sizeof(text) / 6] = '\0';
	text_begin(&out, &json);
	json_string(&json, "a", text);
	at = stpcpy(expected, "{\"a\":\"");
	for (i = 0; i < sizeof(text) / 6; i++)
		at = stpcpy(at, "\\u000a");
	strcpy(at, "\"}\n");
	text_expect(&out, &json, expected);
}

static void test_clean(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < COUNT_OF(outside); i++) {
		char *text = strdup(outside[i].text);

		assert_non_null(text);
		print_clean(text);
		assert_string_equal(text, outside[i].clean);
		free(text);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_json_values),  cmocka_unit_test(test_json_nesting),
		cmocka_unit_test(test_json_escapes), cmocka_unit_test(test_json_long),
		cmocka_unit_test(test_clean),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
