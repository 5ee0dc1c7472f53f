// SPDX-License-Identifier: GPL-2.0-only
/*
 * The HTTP endpoint and clients that are no friends: rubbish, bodies, idle and slow ones, too many; a map that cannot
 * be read, an address that is taken.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>

#include "endpoint.h"
#include "feed.h"

#define IDLE_CLIENTS 16
#define CROWD	     200

/* A body that is refused is not taken for the next request. */
static void test_body_is_not_a_request(void **state)
{
	static const char get[] = "GET /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 36\r\n\r\n"
				  "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
	static const char post[] = "POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 36\r\n\r\n"
				   "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";

	(void)state;
	assert_int_equal(ask_raw(&at, post, sizeof(post) - 1), 405);
	assert_int_equal(count_of(reply, "HTTP/1.1 "), 1);
	assert_int_equal(ask_raw(&at, get, sizeof(get) - 1), 0);
}

static void test_rubbish(void **state)
{
	static const char tls[] = "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n";
	static char huge[1 << 17];

	(void)state;
	assert_int_not_equal(ask_raw(&at, tls, sizeof(tls) - 1), 200);
	assert_int_not_equal(ask_raw(&at, "\r\n\r\n\r\n\r\nx\r\n\r\n", 13), 200);
	assert_int_equal(ask_raw(&at, "GET /metrics HTTP/9.9\r\n\r\n", 25), 505);
	assert_int_equal(ask_raw(&at, "GET /metrics HTTP/1.1\r\n\r\n", 25), 400);
	memset(huge, 'a', sizeof(huge));
	memcpy(huge, "GET /", 5);
	assert_int_not_equal(ask_raw(&at, huge, sizeof(huge)), 200);
	assert_int_equal(ask(&at, "GET", "/healthz"), 200);
}

/* A hundred at once on one connection: each is answered, in turn. */
static void test_pipelining(void **state)
{
	static const char one[] = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
	static char many[100 * sizeof(one) + 64];
	size_t len = 0;

	(void)state;
	for (int i = 0; i < 99; i++, len += sizeof(one) - 1)
		memcpy(many + len, one, sizeof(one) - 1);
	len += sprintf(many + len, "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
	assert_int_equal(ask_raw(&at, many, len), 200);
	assert_int_equal(count_of(reply, "\r\n\r\nok\n"), 100);
}

/* What a client that follows has read when it waits: the headers and the first comment. */
static int follow(void)
{
	static const char request[] = "GET /events HTTP/1.1\r\nHost: x\r\n\r\n";
	int fd = dial(&at);
	size_t len = 0;
	ssize_t got;

	assert_int_equal(send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL), sizeof(request) - 1);
	while (!strstr(reply, "\r\n\r\n") || !strstr(reply, "\n\n")) {
		got = recv(fd, reply + len, 4096, 0);
		if (got <= 0)
			break;
		len += got;
		reply[len] = '\0';
	}
	return fd;
}

/* Only so many may follow; who is too many is told when to come again, and whoever goes makes room. */
static void test_followers_are_counted(void **state)
{
	int fds[FEED_READERS], i;

	(void)state;
	for (i = 0; i < FEED_READERS; i++) {
		*reply = '\0';
		fds[i] = follow();
		assert_non_null(strstr(reply, "HTTP/1.1 200 OK\r\n"));
		assert_non_null(strstr(reply, ": follows\n\n"));
	}
	assert_int_equal(ask(&at, "GET", "/events"), 503);
	assert_non_null(strstr(reply, "Retry-After: 5\r\n"));
	assert_int_equal(ask(&at, "GET", "/healthz"), 200);
	for (i = 0; i < FEED_READERS; i++)
		close(fds[i]);
	for (i = 0; i < 100; i++) {
		*reply = '\0';
		close(follow());
		if (strstr(reply, "HTTP/1.1 200 OK\r\n"))
			return;
		usleep(100000);
	}
	fail_msg("nobody may follow after all have gone");
}

/* Clients that say nothing, or that ask and do not read, hold up nobody else. */
static void test_idle_and_slow_clients(void **state)
{
	static const char request[] = "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n";
	int idle[IDLE_CLIENTS], i;

	(void)state;
	for (i = 0; i < IDLE_CLIENTS; i++) {
		idle[i] = dial(&at);
		if (i % 2)
			assert_int_equal(send(idle[i], request, sizeof(request) - 1, MSG_NOSIGNAL),
					 sizeof(request) - 1);
	}
	assert_int_equal(ask(&at, "GET", "/metrics"), 200);
	for (i = 0; i < IDLE_CLIENTS; i++)
		close(idle[i]);
	assert_int_equal(ask(&at, "GET", "/healthz"), 200);
}

/* Whether the server has closed it, within a second. */
static bool is_closed(int fd)
{
	char bytes[4096];
	ssize_t got;

	for (int i = 0; i < 100; i++, usleep(10000)) {
		got = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);
		if (got == 0 || (got < 0 && errno != EAGAIN))
			return true;
	}
	return false;
}

/* More connections than there may be: who says nothing for longest makes room; who follows, and who asks, stays. */
static void test_crowd(void **state)
{
	int idle[CROWD], follower, i;

	(void)state;
	*reply = '\0';
	follower = follow();
	assert_non_null(strstr(reply, ": follows\n\n"));
	for (i = 0; i < CROWD; i++) {
		idle[i] = dial(&at);
		if (i % 20 == 0)
			assert_int_equal(ask(&at, "GET", "/healthz"), 200);
	}
	assert_int_equal(ask(&at, "GET", "/metrics"), 200);
	assert_true(is_closed(idle[0]));
	assert_false(is_closed(idle[CROWD - 1]));
	assert_false(is_closed(follower));
	for (i = 0; i < CROWD; i++)
		close(idle[i]);
	close(follower);
}

/* What the program said on stderr while `act` ran. */
static void hear(void (*act)(void), char *said, size_t size)
{
	int before = dup(STDERR_FILENO), ends[2];
	ssize_t len;

	assert_int_equal(pipe(ends), 0);
	fflush(stderr);
	dup2(ends[1], STDERR_FILENO);
	act();
	fflush(stderr);
	dup2(before, STDERR_FILENO);
	close(ends[1]);
	close(before);
	len = read(ends[0], said, size - 1);
	said[len > 0 ? len : 0] = '\0';
	close(ends[0]);
}

static void scrape_without_maps(void)
{
	struct listen_at place = free_place();
	struct guard *broken = load();
	struct metrics *blind;
	int other = open("/dev/null", O_RDONLY);

	assert_int_equal(dup2(other, guard__maps(broken)->meta), guard__maps(broken)->meta);
	close(other);
	assert_int_equal(serve(&blind, place, broken), 0);
	assert_int_equal(ask(&place, "GET", "/metrics"), 500);
	assert_int_equal(ask(&place, "GET", "/healthz"), 200);
	metrics__stop(blind);
	guard__free(broken);
}

static void test_unreadable_map_is_500(void **state)
{
	char said[512];

	(void)state;
	hear(scrape_without_maps, said, sizeof(said));
	assert_int_equal(count_of(said, "\n"), 1);
}

static void start_at_taken_place(void)
{
	struct metrics *second = metrics;

	assert_int_equal(serve(&second, at, guard), -1);
	assert_null(second);
}

static void test_taken_address_is_named(void **state)
{
	char said[512], expected[512];

	(void)state;
	hear(start_at_taken_place, said, sizeof(said));
	snprintf(expected, sizeof(expected),
		 "synwarden: cannot listen on 127.0.0.1:%u: something else listens there already; "
		 "name another place with --listen ADDR:PORT, or --listen off\n",
		 at.port);
	assert_string_equal(said, expected);
}

static void test_off(void **state)
{
	struct listen_at off = {.off = true};
	struct metrics *nothing = metrics;

	(void)state;
	assert_int_equal(serve(&nothing, off, guard), 0);
	assert_null(nothing);
	metrics__stop(nothing);
}

static void test_stop_and_start_again(void **state)
{
	int idle = dial(&at);

	(void)state;
	metrics__stop(metrics);
	assert_int_equal(serve(&metrics, at, guard), 0);
	assert_int_equal(ask(&at, "GET", "/healthz"), 200);
	close(idle);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_body_is_not_a_request),
		cmocka_unit_test(test_rubbish),
		cmocka_unit_test(test_pipelining),
		cmocka_unit_test(test_followers_are_counted),
		cmocka_unit_test(test_idle_and_slow_clients),
		cmocka_unit_test(test_crowd),
		cmocka_unit_test(test_unreadable_map_is_500),
		cmocka_unit_test(test_taken_address_is_named),
		cmocka_unit_test(test_off),
		cmocka_unit_test(test_stop_and_start_again),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
