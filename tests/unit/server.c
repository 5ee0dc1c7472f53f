// SPDX-License-Identifier: GPL-2.0-only
/*
 * The pages of the HTTP endpoint, asked as clients ask: paths, methods, formats.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "endpoint_client.h"
#include "kernel/lists.h"

#define MINUTES 301 /* samples of five minutes */

static void test_paths_and_methods(void **state)
{
	static const struct {
		const char *method, *path;
		int status;
		const char *header; /* that the answer holds */
	} rows[] = {
		{"GET", "/metrics", 200, "Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"},
		{"GET", "/metrics?x=1", 200, "Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"},
		{"GET", "/healthz", 200, "Content-Type: text/plain; charset=utf-8\r\n"},
		{"GET", "/", 200, "Content-Type: text/html; charset=utf-8\r\n"},
		{"GET", "/web/main.js", 200, "Content-Type: text/javascript; charset=utf-8\r\n"},
		{"GET", "/web/style.css", 200, "X-Content-Type-Options: nosniff\r\n"},
		{"HEAD", "/web/chart.min.js", 200, "Cache-Control: no-cache\r\n"},
		{"GET", "/web/", 404, ""},
		{"GET", "/web/main.js.gz", 404, ""},
		{"POST", "/web/main.js", 405, "Allow: GET, HEAD\r\n"},
		{"GET", "/api/history", 200, "Content-Type: application/json\r\n"},
		{"HEAD", "/ended", 200, "Content-Type: text/event-stream\r\n"},
		{"GET", "/api/status", 200, "Content-Type: application/json\r\n"},
		{"GET", "/api/events", 200, "Content-Type: application/json\r\n"},
		{"GET", "/api/lists", 200, "Content-Type: application/json\r\n"},
		{"GET", "/api/conns", 200, "Content-Type: application/json\r\n"},
		{"GET", "/api/conns?limit=10000", 200, ""},
		{"GET", "/api/conns?limit=10001", 400, "Content-Type: text/plain; charset=utf-8\r\n"},
		{"GET", "/api/conns?limit=0", 400, ""},
		{"GET", "/api/conns?port=80&state=LISTEN", 200, ""},
		{"GET", "/api/conns?port=65536", 400, ""},
		{"GET", "/api/conns?state=listening", 400, ""},
		{"GET", "/api/status?ports=moving", 200, ""},
		{"GET", "/api/status?ports=all", 400, ""},
		{"GET", "/api/history?span=2h", 400, ""},
		{"GET", "/api/history?port=0", 400, ""},
		{"GET", "/api/port?port=80", 200, "Content-Type: application/json\r\n"},
		{"GET", "/api/port?port=x", 400, ""},
		{"GET", "/api/why", 400, ""},
		{"GET", "/api/why?address=192.0.2.0/24", 400, ""},
		{"GET", "/api/conns?limit=-1", 400, ""},
		{"GET", "/api/conns?limit=", 400, ""},
		{"GET", "/api/lists?limit=1x", 400, ""},
		{"GET", "/api", 404, ""},
		{"HEAD", "/events", 200, "Content-Type: text/event-stream\r\n"},
		{"HEAD", "/api/status", 200, "Cache-Control: no-store\r\n"},
		{"POST", "/events", 405, "Allow: GET, HEAD\r\n"},
		{"HEAD", "/metrics", 200, "Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"},
		{"HEAD", "/nowhere", 404, "Connection: close\r\n"},
		{"GET", "/nowhere", 404, "Content-Type: text/plain; charset=utf-8\r\n"},
		{"GET", "/metrics/", 404, ""},
		{"GET", "/metrics/../healthz", 404, ""},
		{"GET", "//metrics", 404, ""},
		{"POST", "/nowhere", 404, ""},
		{"POST", "/metrics", 405, "Allow: GET, HEAD\r\n"},
		{"PUT", "/healthz", 405, "Allow: GET, HEAD\r\n"},
		{"DELETE", "/", 405, "Allow: GET, HEAD\r\n"},
		{"OPTIONS", "/metrics", 405, "Allow: GET, HEAD\r\n"},
		{"get", "/metrics", 405, "Allow: GET, HEAD\r\n"},
		{"BREW", "/metrics", 405, "Allow: GET, HEAD\r\n"},
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT_OF(rows); i++) {
		int status = ask(&at, rows[i].method, rows[i].path);

		if (status != rows[i].status)
			fail_msg("%s %s: %d", rows[i].method, rows[i].path, status);
		if (!strstr(reply, rows[i].header))
			fail_msg("%s %s: no header %s in: %s", rows[i].method, rows[i].path, rows[i].header, reply);
	}
}

static void test_pages(void **state)
{
	(void)state;
	assert_int_equal(ask(&at, "GET", "/healthz"), 200);
	assert_string_equal(body(), "ok\n");
	assert_int_equal(ask(&at, "GET", "/"), 200);
	assert_non_null(strstr(body(), "<h1 id=\"host\">synwarden</h1>"));
	assert_non_null(strstr(body(), "href=\"metrics\""));
	assert_non_null(strstr(body(), "href=\"healthz\""));
}

/* Of the file's text, packed or not; what is known already is not sent again. */
static void test_files(void **state)
{
	char condition[64], etag[32] = "";

	(void)state;
	assert_int_equal(ask_with("/web/main.js", "Accept-Encoding: gzip\r\n"), 200);
	assert_memory_equal(body(), "\x1f\x8b", 2);
	assert_int_equal(sscanf(strstr(reply, "ETag: "), "ETag: %31s", etag), 1);
	assert_int_equal(ask(&at, "GET", "/web/main.js"), 200);
	assert_non_null(strstr(reply, etag));
	assert_non_null(strstr(reply, "Content-Security-Policy: default-src 'none'; script-src 'self'; "));
	assert_non_null(strstr(body(), "SPDX-License-Identifier: GPL-2.0-only"));
	snprintf(condition, sizeof(condition), "If-None-Match: \"x\", %s\r\n", etag);
	assert_int_equal(ask_with("/web/main.js", condition), 304);
	assert_string_equal(body(), "");
	assert_int_equal(ask_with("/web/style.css", condition), 200);
}

/* Notes of 302 seconds, of which each span keeps its part. */
static void check_spans(void)
{
	assert_int_equal(ask(&at, "GET", "/api/history?span=5m"), 200);
	assert_int_equal(count_of(body(), "monotonic_us"), MINUTES);
	assert_int_equal(ask(&at, "GET", "/api/history?span=1h"), 200);
	assert_int_equal(count_of(body(), "monotonic_us"), 31);
	assert_non_null(strstr(body(), "\"monotonic_us\":11000000,"));
	assert_int_equal(ask(&at, "GET", "/api/history?span=24h"), 200);
	assert_int_equal(count_of(body(), "monotonic_us"), 6);
	assert_non_null(strstr(body(), "\"monotonic_us\":61000000,"));
}

/* A sample each 30 s, counted from the first one on. */
static void check_port(void)
{
	assert_int_equal(ask(&at, "GET", "/api/history?port=8080"), 200);
	assert_non_null(strstr(body(), "[{\"monotonic_us\":1000000,\"passed\":0,"));
	assert_non_null(strstr(body(), "{\"monotonic_us\":31000000,\"passed\":0,\"challenged\":0,\"answered\":0,"
				       "\"dropped\":0,\"completed\":30}"));
	assert_non_null(strstr(body(), "{\"monotonic_us\":301000000,"));
	assert_null(strstr(body(), "{\"monotonic_us\":2000000,"));
	assert_int_equal(ask(&at, "GET", "/api/history?port=8081"), 200);
	assert_string_equal(body(), "[]\n");
}

/* A sample a second, of which five minutes are kept. */
static void test_history(void **state)
{
	static struct snapshot snapshot;
	uint64_t second;
	char line[160];

	(void)state;
	assert_int_equal(ask(&at, "GET", "/api/history"), 200);
	assert_string_equal(body(), "[]\n");
	assert_int_equal(snapshot__read(&snapshot, programs__maps(programs)), 0);
	for (second = 1; second <= MINUTES + 1; second++) {
		snapshot.taken_ns = second * 1000000000;
		snapshot.ports[1].completed = second;
		endpoint__note(metrics, &snapshot);
	}
	assert_int_equal(ask(&at, "GET", "/api/history"), 200);
	assert_int_equal(count_of(body(), "monotonic_us"), MINUTES);
	assert_null(strstr(body(), "\"monotonic_us\":1000000,"));
	snprintf(line, sizeof(line),
		 "[{\"monotonic_us\":2000000,\"passed\":%d,\"challenged\":0,\"answered\":0,"
		 "\"dropped\":0,\"completed\":2}\n,",
		 13 * libbpf_num_possible_cpus());
	assert_int_equal(strncmp(body(), line, strlen(line)), 0);
	check_spans();
	check_port();
}

static void test_scrape_is_the_snapshot(void **state)
{
	static struct snapshot snapshot;
	char line[64], text[REPLY_MAX / 16];
	int cpus = libbpf_num_possible_cpus();
	FILE *out = fmemopen(text, sizeof(text), "w");

	(void)state;
	assert_non_null(out);
	assert_int_equal(snapshot__read(&snapshot, programs__maps(programs)), 0);
	metrics__render(out, &snapshot, METRICS_TEXT);
	assert_int_equal(fclose(out), 0);
	assert_int_equal(ask(&at, "GET", "/metrics"), 200);
	assert_string_equal(body(), text);
	snprintf(line, sizeof(line), "synwarden_syns_total{port=\"8080\"} %d", 10 * cpus);
	assert_line(body(), line);
	snprintf(line, sizeof(line), "synwarden_syns_total{port=\"other\"} %d", 3 * cpus);
	assert_line(body(), line);
}

static void test_head_is_get_without_body(void **state)
{
	char length[64];

	(void)state;
	assert_int_equal(ask(&at, "GET", "/metrics"), 200);
	snprintf(length, sizeof(length), "Content-Length: %zu\r\n", strlen(body()));
	assert_int_equal(ask(&at, "HEAD", "/metrics"), 200);
	assert_non_null(strstr(reply, length));
	assert_string_equal(body(), "");
}

static void test_formats(void **state)
{
	static const struct {
		const char *headers;
		bool openmetrics, gzip;
	} rows[] = {
		{"", false, false},
		{"Accept: */*\r\n", false, false},
		{"Accept: application/openmetrics-text\r\n", true, false},
		{"Accept: application/openmetrics-text; version=1.0.0; q=0.4, text/plain; q=0.5\r\n", false, false},
		{"Accept: text/plain; q=0.4\r\nAccept: application/openmetrics-text; q=0.5\r\n", true, false},
		{"Accept: image/png\r\n", false, false}, /* better that than nothing */
		{"Accept-Encoding: gzip\r\n", false, true},
		{"Accept-Encoding: gzip;q=0, deflate\r\n", false, false},
		{"Accept: application/openmetrics-text\r\nAccept-Encoding: br, gzip;q=0.2\r\n", true, true},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		assert_int_equal(ask_with("/metrics", rows[i].headers), 200);
		assert_non_null(strstr(reply, "Vary: Accept, Accept-Encoding\r\n"));
		assert_int_equal(
			!!strstr(reply, "Type: application/openmetrics-text; version=1.0.0; charset=utf-8\r\n"),
			rows[i].openmetrics);
		assert_int_equal(!!strstr(reply, "Content-Encoding: gzip\r\n"), rows[i].gzip);
		if (rows[i].gzip)
			assert_memory_equal(body(), "\x1f\x8b", 2);
		else
			assert_int_equal(count_of(body(), "# EOF\n"), rows[i].openmetrics);
	}
	assert_int_equal(ask_with("/healthz", "Accept-Encoding: gzip\r\n"), 200);
	assert_string_equal(body(), "ok\n"); /* packed it would be longer */
}

static void test_lists(void **state)
{
	struct prefix prefix = {.prefixlen = 128, .words = {0, 0, htonl(0xffff), htonl(0xc0000201)}};
	struct list_set set;

	(void)state;
	assert_int_equal(list_set__open(&set, programs__maps(programs), LIST_SET_OWN), 0);
	list_set__begin(&set, 1, LIST_ENTRIES_MIN);
	assert_int_equal(ask(&at, "GET", "/api/lists"), 200);
	assert_string_equal(body(), "[]\n");
	assert_int_equal(lists__add(&set, LIST_BLOCK, &prefix, 0), 0);
	prefix.words[3] = htonl(0xc0000202);
	assert_int_equal(lists__add(&set, LIST_ALLOW, &prefix, 0), 0);
	assert_int_equal(ask(&at, "GET", "/api/lists"), 200);
	assert_string_equal(
		body(),
		"[{\"list\":\"allow\",\"cidr\":\"192.0.2.2\",\"expires_in_seconds\":null,\"origin\":\"command\"}\n"
		",{\"list\":\"block\",\"cidr\":\"192.0.2.1\",\"expires_in_seconds\":null,\"origin\":\"command\"}\n]\n");
	assert_null(strstr(reply, "X-Truncated"));
	assert_int_equal(ask(&at, "GET", "/api/lists?limit=1"), 200);
	assert_string_equal(
		body(),
		"[{\"list\":\"allow\",\"cidr\":\"192.0.2.2\",\"expires_in_seconds\":null,\"origin\":\"command\"}\n]\n");
	assert_non_null(strstr(reply, "X-Truncated: true\r\n"));
	list_set__close(&set);
}

/* What is asked for by a name of another site is not answered. */
static void test_foreign_host(void **state)
{
	static const char foreign[] = "GET /api/conns HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n";

	(void)state;
	assert_int_equal(ask_raw(&at, foreign, sizeof(foreign) - 1), 421);
	assert_non_null(strstr(reply, "Connection: close\r\n"));
	assert_int_equal(ask(&at, "GET", "/api/conns"), 200);
	assert_non_null(strstr(reply, "Cross-Origin-Resource-Policy: same-origin\r\n"));
}

/* Two requests on one connection; the second one asks to close it. */
static void test_keep_alive(void **state)
{
	static const char two[] = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
				  "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

	(void)state;
	assert_int_equal(ask_raw(&at, two, sizeof(two) - 1), 200);
	assert_int_equal(count_of(reply, "HTTP/1.1 200 OK\r\n"), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_paths_and_methods),
		cmocka_unit_test(test_pages),
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_history),
		cmocka_unit_test(test_scrape_is_the_snapshot),
		cmocka_unit_test(test_head_is_get_without_body),
		cmocka_unit_test(test_formats),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_foreign_host),
		cmocka_unit_test(test_keep_alive),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
