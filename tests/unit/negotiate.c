// SPDX-License-Identifier: GPL-2.0-only
/*
 * What clients ask for: the headers of real ones, those of RFC 9110, and broken ones.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib/text.h"
#include "server/negotiate.h"

#define OPENMETRICS "application/openmetrics-text; version=1.0.0; charset=utf-8"
#define TEXT	    "text/plain; version=0.0.4; charset=utf-8"

static void test_types(void **state)
{
	static const struct {
		const char *accept;
		unsigned openmetrics, text;
	} rows[] = {
		{NULL, 0, 0},
		{"", 0, 0},
		{"*/*", 0, 0}, /* names neither */
		{"text/plain", 0, 1000},
		{"TEXT/Plain", 0, 1000},
		{"text/*;q=0.3", 0, 0},
		{"text/*;q=0.3, text/plain;q=0.1", 0, 100},
		{"text/plain;q=0.1, text/*;q=0.3", 0, 100},
		{"*/*;q=0.5, text/plain;q=0", 0, 0},
		{"application/openmetrics-text", 1000, 0},
		{"application/openmetrics-text;version=1.0.0", 1000, 0},
		{"application/openmetrics-text; version=\"1.0.0\" ; q=0.25", 250, 0},
		{"application/openmetrics-text; charset=utf-8; q=0.75", 750, 0},
		{"application/openmetrics-text;q=0", 0, 0},
		{"application/openmetrics-text;Q=0.5\t,text/plain ; q=0.5", 500, 500},
		{"text/plain;q=0.2,text/plain;q=0.7", 0, 700},
		{"text/plain,text/plain;q=0", 0, 0},
		{"text/plain;q=0,text/plain", 0, 0},
		{"text/plainly, xtext/plain", 0, 0},
		/* Prometheus 2.42, 2.53 and 3.0; a browser */
		{"application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
		 "text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
		 1000, 500},
		{"application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,"
		 "text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
		 500, 300},
		{"application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
		 "application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,"
		 "text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
		 600, 400},
		{"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", 0, 0},
		/* broken: none of it is wished for, and nothing is read past its end */
		{"text/plain;q=2", 0, 0},
		{"text/plain;q=0.12345", 0, 0},
		{"text/plain;q=1.5", 0, 1000},
		{"text/plain;q=", 0, 0},
		{"text/plain;q=x", 0, 0},
		{"text/plain;q=\"0.5", 0, 0},
		{";;,,;q=1,", 0, 0},
		{"text", 0, 0},
		{"text/", 0, 0},
		{"*", 0, 0},
		{"text/plain\"", 0, 0},
		{"text/plain;", 0, 1000},
		{"x\"\\", 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		unsigned openmetrics = negotiate__quality(rows[i].accept, OPENMETRICS);
		unsigned text = negotiate__quality(rows[i].accept, TEXT);

		if (openmetrics != rows[i].openmetrics || text != rows[i].text)
			fail_msg("%s: %u %u", rows[i].accept, openmetrics, text);
	}
}

static void test_gzip(void **state)
{
	static const struct {
		const char *accept;
		bool gzip;
	} rows[] = {
		{NULL, false},
		{"", false},
		{"gzip", true},
		{"GZip", true},
		{"gzip, deflate, br", true},
		{"deflate, br", false},
		{"gzip;q=0", false},
		{"gzip;q=0.001", true},
		{"gzip; q=0.0, *", false},
		{"br, gzip", true},
		{"*", false}, /* plain is right then, too */
		{"*;q=0", false},
		{"identity", false},
		{"identity;q=0.5, gzip;q=0.4", false},
		{"identity;q=0.5, gzip;q=0.5", true},
		{"identity;q=0, *;q=0.1", false},
		{"identity;q=0, gzip;q=0.1", true},
		{"gzipped", false},
		{"gzip;q=nonsense", false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		if (negotiate__gzip(rows[i].accept) != rows[i].gzip)
			fail_msg("%s", rows[i].accept);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_types),
		cmocka_unit_test(test_gzip),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
