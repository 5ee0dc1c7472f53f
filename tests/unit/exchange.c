// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which connection a piece, and an end, belong to, where ports are used again. What the pieces carry:
 * tests/e2e/http.sh.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "segments/early.h"
#include "segments/exchange.h"

#define REQUEST "GET /%d HTTP/1.1\r\nHost: a\r\n\r\n"
#define ANSWER	"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

struct fixture {
	struct exchanges *all;
	char told[256]; /* "PATH STATUS" of each request, "end" of each connection */
};

static void on_request(void *context, const struct http_about *about, const struct http_request *request,
		       const struct http_end *end)
{
	struct fixture *f = context;
	size_t len = strlen(f->told);

	(void)about;
	(void)end;
	snprintf(f->told + len, sizeof(f->told) - len, "%s %d; ", request->head.path, request->status);
}

static void on_closed(void *context, const struct http_about *about, const struct http_end *end)
{
	struct fixture *f = context;

	(void)about;
	(void)end;
	strncat(f->told, "end; ", sizeof(f->told) - 1 - strlen(f->told));
}

static int set_up(void **state)
{
	static struct fixture f;
	struct http_events events = {.request = on_request, .closed = on_closed, .context = &f};

	f = (struct fixture){.all = exchange__new(&events)};
	assert_non_null(f.all);
	*state = &f;
	return 0;
}

static int tear_down(void **state)
{
	exchange__free(((struct fixture *)*state)->all);
	return 0;
}

#define PORT 4711 /* of the client */

static struct http_piece make_piece(uint64_t cookie, uint64_t time_ns, enum http_direction direction, const char *text)
{
	struct http_piece piece = {
		.event = {.time_ns = time_ns, .cookie = cookie, .flow = {.lport = 80, .rport = PORT}},
		.seq = time_ns * 1000000,
		.len = strlen(text),
		.copied = strlen(text),
		.direction = direction,
		.fresh = direction == HTTP_IN,
	};

	memcpy(piece.data, text, piece.len);
	return piece;
}

static void put(struct fixture *f, uint64_t cookie, uint64_t time_ns, enum http_direction direction, const char *text)
{
	struct http_piece piece = make_piece(cookie, time_ns, direction, text);

	exchange__piece(f->all, &piece);
}

/* `number` is in its path; `cookie` 0: it came to the listener. */
static void ask(struct fixture *f, uint64_t cookie, uint64_t time_ns, int number)
{
	char text[64];

	snprintf(text, sizeof(text), REQUEST, number);
	put(f, cookie, time_ns, HTTP_IN, text);
}

static void end(struct fixture *f, uint64_t cookie, uint64_t begun_ns, uint64_t time_ns)
{
	struct life life = {
		.event = {.time_ns = time_ns, .cookie = cookie, .flow = {.lport = 80, .rport = PORT}},
		.age_ns = begun_ns ? time_ns - begun_ns : DURATION_UNKNOWN,
	};

	exchange__closed(f->all, &life);
}

static void ends_with_its_connection(void **state)
{
	struct fixture *f = *state;

	ask(f, 1, 100, 1);
	put(f, 1, 110, HTTP_OUT, ANSWER);
	end(f, 1, 90, 120);
	assert_string_equal(f->told, "/1 200; end; ");
	end(f, 1, 90, 120);
	assert_string_equal(f->told, "/1 200; end; ");
}

static void late_end_is_not_the_next_connections(void **state)
{
	struct fixture *f = *state;

	ask(f, 2, 100, 2);
	end(f, 1, 50, 105);
	end(f, 1, 0, 106);
	assert_string_equal(f->told, "");
	put(f, 2, 110, HTTP_OUT, ANSWER);
	end(f, 2, 90, 120);
	assert_string_equal(f->told, "/2 200; end; ");
}

static void lost_end_is_not_told(void **state)
{
	struct fixture *f = *state;

	ask(f, 1, 100, 1);
	ask(f, 2, 200, 2);
	put(f, 2, 210, HTTP_OUT, ANSWER);
	assert_string_equal(f->told, "/2 200; ");
	end(f, 3, 300, 310);
	end(f, 2, 190, 320);
	assert_string_equal(f->told, "/2 200; ");
}

static void early_request_is_of_the_next_connection(void **state)
{
	struct fixture *f = *state;

	ask(f, 0, 100, 1);
	put(f, 1, 110, HTTP_OUT, ANSWER);
	end(f, 1, 101, 120);
	ask(f, 0, 200, 2);
	end(f, 2, 201, 220);
	assert_string_equal(f->told, "/1 200; end; /2 0; end; ");
}

/* The last of the connection before was seen, but for its end. */
static void early_request_behind_a_lost_end(void **state)
{
	struct fixture *f = *state;

	ask(f, 1, 100, 1);
	put(f, 1, 110, HTTP_OUT, ANSWER);
	ask(f, 0, 200, 2);
	end(f, 2, 201, 220);
	assert_string_equal(f->told, "/1 200; /2 0; end; ");
}

/* A slow answer, beside many that are not; and beside as many that never come. */
static void early_request_waits(void **state)
{
	struct fixture *f = *state;
	struct http_piece other = make_piece(0, 100, HTTP_IN, ""), answer = make_piece(2, 110, HTTP_OUT, ANSWER);

	ask(f, 0, 100, 1);
	for (int i = 0; i < 2 * EARLY_MAX; i++) {
		other.event.flow.rport = answer.event.flow.rport = i % PORT;
		exchange__piece(f->all, &other);
		answer.event.cookie = 2 + i;
		exchange__piece(f->all, &answer);
	}
	*f->told = '\0';
	for (int i = 1; i < EARLY_MAX; i++) {
		other.event.flow.rport = PORT + i;
		exchange__piece(f->all, &other);
	}
	assert_int_equal(exchange__lost(f->all), 0);
	put(f, 1, 110, HTTP_OUT, ANSWER);
	assert_string_equal(f->told, "/1 200; ");
}

static void lost_early_requests_are_counted(void **state)
{
	struct fixture *f = *state;
	struct http_piece other = make_piece(0, 100, HTTP_IN, "");

	ask(f, 0, 100, 1);
	for (int i = 1; i <= EARLY_MAX; i++) {
		other.event.flow.rport = PORT + i;
		exchange__piece(f->all, &other);
	}
	assert_int_equal(exchange__lost(f->all), 1);
	put(f, 1, 110, HTTP_OUT, ANSWER);
	assert_string_equal(f->told, " 200; ");
}

/* What came to the listener, and of which no connection was made, is none of the next one. */
static void stale_early_request(void **state)
{
	struct fixture *f = *state;

	ask(f, 0, 100, 1);
	ask(f, 2, 200, 2);
	put(f, 2, 210, HTTP_OUT, ANSWER);
	end(f, 2, 190, 220);
	ask(f, 0, 300, 3);
	ask(f, 0, 400, 4);
	put(f, 4, 410, HTTP_OUT, ANSWER);
	end(f, 4, 390, 420);
	assert_string_equal(f->told, "/2 200; end; /4 200; end; ");
}

static void early_copy_is_read_once(void **state)
{
	struct fixture *f = *state;

	ask(f, 0, 100, 1);
	ask(f, 1, 100, 1);
	put(f, 1, 110, HTTP_OUT, ANSWER);
	end(f, 1, 90, 120);
	assert_string_equal(f->told, "/1 200; end; ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(ends_with_its_connection, set_up, tear_down),
		cmocka_unit_test_setup_teardown(late_end_is_not_the_next_connections, set_up, tear_down),
		cmocka_unit_test_setup_teardown(lost_end_is_not_told, set_up, tear_down),
		cmocka_unit_test_setup_teardown(early_request_is_of_the_next_connection, set_up, tear_down),
		cmocka_unit_test_setup_teardown(early_request_behind_a_lost_end, set_up, tear_down),
		cmocka_unit_test_setup_teardown(early_request_waits, set_up, tear_down),
		cmocka_unit_test_setup_teardown(lost_early_requests_are_counted, set_up, tear_down),
		cmocka_unit_test_setup_teardown(stale_early_request, set_up, tear_down),
		cmocka_unit_test_setup_teardown(early_copy_is_read_once, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
