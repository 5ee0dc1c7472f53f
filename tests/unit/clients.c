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
#include <sys/fsuid.h>

#include "endpoint/feed_readers.h"
#include "endpoint_client.h"

#define IDLE_CLIENTS 16
#define CROWD	     200

/* A body that is refused is not taken for the next request. */
static void test_body_is_not_a_request(void **state)
{
	static const char get[] = "GET /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 44\r\n\r\n"
				  "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
	static const char post[] = "POST /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 44\r\n\r\n"
				   "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";

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
	static const char one[] = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
	static char many[100 * sizeof(one) + 64];
	size_t len = 0;

	(void)state;
	for (int i = 0; i < 99; i++, len += sizeof(one) - 1)
		memcpy(many + len, one, sizeof(one) - 1);
	len += sprintf(many + len, "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
	assert_int_equal(ask_raw(&at, many, len), 200);
	assert_int_equal(count_of(reply, "\r\n\r\nok\n"), 100);
}

/* What a client that follows has read when it waits: the headers and the first comment. */
static int follow(void)
{
	static const char request[] = "GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n";
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

/* Only so many clients may follow; one too many gets the time to come again, and one that leaves makes room. */
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

/* That some have gone is noticed only a while after. */
static int follow_patiently(void)
{
	int fd;

	for (int i = 0; i < 100; i++, usleep(100000)) {
		*reply = '\0';
		fd = follow();
		if (strstr(reply, ": follows\n\n"))
			return fd;
		close(fd);
	}
	fail_msg("there is no place to follow: %s", reply);
	return -1;
}

/* So many followers of user nobody. */
static void follow_as_nobody(int *fds, int count)
{
	setfsuid(65534); /* of this thread alone, and of the sockets that it makes */
	for (int i = 0; i < count; i++)
		fds[i] = follow_patiently();
	setfsuid(0);
}

/* One user has all places: another one gets the place of the oldest, until both have as many. */
static void test_followers_share(void **state)
{
	int theirs[FEED_READERS], ours[FEED_READERS], i;

	(void)state;
	follow_as_nobody(theirs, FEED_READERS);
	for (i = 0; i < FEED_READERS / 2; i++) {
		*reply = '\0';
		ours[i] = follow();
		assert_non_null(strstr(reply, ": follows\n\n"));
		assert_true(is_closed(theirs[i]));
		assert_false(is_closed(theirs[i + 1]));
	}
	assert_int_equal(ask(&at, "GET", "/events"), 503);
	for (i = 0; i < FEED_READERS / 2; i++)
		close(ours[i]);
	for (i = 0; i < FEED_READERS; i++)
		close(theirs[i]);
}

/* Clients that say nothing, or that ask and do not read, hold up nobody else. */
static void test_idle_and_slow_clients(void **state)
{
	static const char request[] = "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n";
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

/* More connections than there may be: the client that is silent for longest makes room; followers, and clients that
 * ask, stay. */
static void test_crowd(void **state)
{
	int idle[CROWD], follower, i;

	(void)state;
	follower = follow_patiently();
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
	struct programs *broken = load();
	struct metrics *blind;
	int other = open("/dev/null", O_RDONLY);

	assert_int_equal(dup2(other, programs__maps(broken)->meta), programs__maps(broken)->meta);
	close(other);
	assert_int_equal(serve(&blind, place, broken), 0);
	assert_int_equal(ask(&place, "GET", "/metrics"), 500);
	assert_int_equal(ask(&place, "GET", "/healthz"), 200);
	endpoint__stop(blind);
	programs__free(broken);
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
	struct metrics *second;

	assert_int_equal(serve(&second, at, programs), 0);
	assert_non_null(endpoint__why_not(second));
	endpoint__stop(second);
}

static void test_taken_address_is_named(void **state)
{
	char said[512], expected[512];

	(void)state;
	hear(start_at_taken_place, said, sizeof(said));
	snprintf(expected, sizeof(expected),
		 "synwarden: cannot listen on 127.0.0.1:%u: something else listens there already; "
		 "it is tried again each second; name another place with --listen ADDR:PORT, or --listen off\n",
		 at.port);
	assert_string_equal(said, expected);
}

/* It is served as soon as it is free. */
static void test_taken_address_is_tried_again(void **state)
{
	static struct snapshot snapshot;
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;
	struct listen_at place = free_place();
	struct sockaddr_in addr = here(place.port);
	struct metrics *waiting;

	(void)state;
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)), 0);
	assert_int_equal(bind(fd, (void *)&addr, sizeof(addr)), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(serve(&waiting, place, programs), 0);
	endpoint__note(waiting, &snapshot);
	assert_non_null(endpoint__why_not(waiting));
	close(fd);
	endpoint__note(waiting, &snapshot);
	assert_null(endpoint__why_not(waiting));
	assert_int_equal(ask(&place, "GET", "/healthz"), 200);
	endpoint__stop(waiting);
}

static void test_off(void **state)
{
	struct listen_at off = {.off = true};
	struct metrics *nothing = metrics;

	(void)state;
	assert_int_equal(serve(&nothing, off, programs), 0);
	assert_null(nothing);
	endpoint__stop(nothing);
}

static void test_stop_and_start_again(void **state)
{
	int idle = dial(&at);

	(void)state;
	endpoint__stop(metrics);
	assert_int_equal(serve(&metrics, at, programs), 0);
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
		cmocka_unit_test(test_followers_share),
		cmocka_unit_test(test_idle_and_slow_clients),
		cmocka_unit_test(test_crowd),
		cmocka_unit_test(test_unreadable_map_is_500),
		cmocka_unit_test(test_taken_address_is_named),
		cmocka_unit_test(test_taken_address_is_tried_again),
		cmocka_unit_test(test_off),
		cmocka_unit_test(test_stop_and_start_again),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
