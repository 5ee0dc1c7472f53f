// SPDX-License-Identifier: GPL-2.0-only
/*
 * The HTTP endpoint over real (made-up) maps, asked as clients ask: paths, methods, rubbish, idle and slow connections,
 * a map that cannot be read, an address that is taken.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "metrics.h"
#include "text.h"

#define REPLY_MAX    (1 << 20)
#define IDLE_CLIENTS 16

static struct metrics *metrics;
static struct maps maps;
static struct listen_at at;
static char reply[REPLY_MAX];

static int make_map(enum bpf_map_type type, size_t value_size, unsigned entries)
{
	LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = type == BPF_MAP_TYPE_ARRAY ? BPF_F_MMAPABLE : 0);
	int fd = bpf_map_create(type, NULL, sizeof(__u32), value_size, entries, &options);

	if (fd < 0)
		fail_msg("cannot create a BPF map (are you root?): %s", strerror(errno));
	return fd;
}

/* The shapes of bpf/maps.bpf.h, of those maps that a snapshot reads. */
static void make_maps(void)
{
	memset(&maps, -1, sizeof(maps));
	maps.verdicts = make_map(BPF_MAP_TYPE_PERCPU_ARRAY, sizeof(struct verdict_count), REASON_MAX);
	maps.sources = make_map(BPF_MAP_TYPE_ARRAY, sizeof(struct source_set), SOURCE_SETS);
	maps.source_drops = make_map(BPF_MAP_TYPE_PERCPU_ARRAY, sizeof(struct source_drops_set), SOURCE_SETS);
	maps.listeners = make_map(BPF_MAP_TYPE_ARRAY, sizeof(struct listener), LISTENER_PORTS);
	maps.ports = make_map(BPF_MAP_TYPE_PERCPU_ARRAY, sizeof(struct port_count), MAX_PORTS);
	maps.budgets = make_map(BPF_MAP_TYPE_ARRAY, sizeof(struct budget), MAX_PORTS);
	maps.attacks = make_map(BPF_MAP_TYPE_ARRAY, sizeof(struct attack), MAX_PORTS);
	maps.losses = make_map(BPF_MAP_TYPE_PERCPU_ARRAY, sizeof(__u64), LOSS_MAX);
	maps.transitions = make_map(BPF_MAP_TYPE_PERCPU_ARRAY, sizeof(__u64), STATE_MAX * STATE_MAX);
	maps.durations = make_map(BPF_MAP_TYPE_PERCPU_ARRAY, sizeof(struct histogram), STATE_MAX);
	maps.handshakes = make_map(BPF_MAP_TYPE_PERCPU_ARRAY, sizeof(struct histogram), ROLE_MAX);
	maps.endings = make_map(BPF_MAP_TYPE_PERCPU_ARRAY, sizeof(__u64), ENDING_MAX * 2);
	maps.tallies = make_map(BPF_MAP_TYPE_PERCPU_ARRAY, sizeof(__u64), TALLY_MAX);
	maps.censuses = make_map(BPF_MAP_TYPE_ARRAY, sizeof(struct census), CENSUS_MAX);
	maps.meta = make_map(BPF_MAP_TYPE_ARRAY, sizeof(struct meta), 1);
}

/* Every CPU counts 10 SYNs to port 8080, and 3 of another port. */
static void fill_maps(void)
{
	struct meta meta = {.layout = LAYOUT_VERSION, .version = VERSION};
	struct listener listener = {.slot = 1, .listening = 1};
	struct port_count counts[MAX_CPUS] = {};
	__u32 port = 8080, slot = 1, zero = 0;
	int i;

	assert_int_equal(bpf_map_update_elem(maps.meta, &zero, &meta, BPF_ANY), 0);
	assert_int_equal(bpf_map_update_elem(maps.listeners, &port, &listener, BPF_ANY), 0);
	for (i = 0; i < MAX_CPUS; i++)
		counts[i].syns[VERDICT_PASS] = 10;
	assert_int_equal(bpf_map_update_elem(maps.ports, &slot, counts, BPF_ANY), 0);
	for (i = 0; i < MAX_CPUS; i++)
		counts[i].syns[VERDICT_PASS] = 3;
	assert_int_equal(bpf_map_update_elem(maps.ports, &zero, counts, BPF_ANY), 0);
}

static struct sockaddr_in here(uint16_t port)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static struct listen_at free_place(void)
{
	struct listen_at place = {.addr.bytes = {[10] = 0xff, 0xff, 127, 0, 0, 1}};
	struct sockaddr_in addr = here(0);
	socklen_t size = sizeof(addr);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(bind(fd, (void *)&addr, size), 0);
	assert_int_equal(getsockname(fd, (void *)&addr, &size), 0);
	place.port = ntohs(addr.sin_port);
	close(fd);
	return place;
}

static int start(void **state)
{
	(void)state;
	make_maps();
	fill_maps();
	at = free_place();
	return metrics__start(&metrics, &at, &maps);
}

static int stop(void **state)
{
	size_t i;

	(void)state;
	metrics__stop(metrics);
	for (i = 0; i < sizeof(maps) / sizeof(int); i++) {
		if (((int *)&maps)[i] >= 0)
			close(((int *)&maps)[i]);
	}
	return 0;
}

static int dial(const struct listen_at *place)
{
	struct sockaddr_in addr = here(place->port);
	struct timeval patience = {.tv_sec = 5};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
	assert_int_equal(connect(fd, (void *)&addr, sizeof(addr)), 0);
	return fd;
}

/* Sends `bytes` as they are and reads until the server closes; returns the status, 0 if there was none. */
static int ask_raw(const struct listen_at *place, const char *bytes, size_t size)
{
	int fd = dial(place), status = 0;
	size_t len = 0;
	ssize_t got;

	send(fd, bytes, size, MSG_NOSIGNAL);
	while (len < sizeof(reply) - 1 && (got = recv(fd, reply + len, sizeof(reply) - 1 - len, 0)) > 0)
		len += got;
	reply[len] = '\0';
	close(fd);
	sscanf(reply, "HTTP/1.%*1[01] %d", &status);
	return status;
}

static int ask(const struct listen_at *place, const char *method, const char *path)
{
	char request[512];
	int len = snprintf(request, sizeof(request), "%s %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", method,
			   path);

	return ask_raw(place, request, len);
}

static const char *body(void)
{
	const char *end = strstr(reply, "\r\n\r\n");

	assert_non_null(end);
	return end + 4;
}

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
	assert_non_null(strstr(body(), "<h1>synwarden " VERSION "</h1>"));
	assert_non_null(strstr(body(), "href=\"metrics\""));
	assert_non_null(strstr(body(), "href=\"healthz\""));
}

static void test_scrape_is_the_snapshot(void **state)
{
	static struct snapshot snapshot;
	char line[64], text[REPLY_MAX / 16];
	int cpus = libbpf_num_possible_cpus();
	FILE *out = fmemopen(text, sizeof(text), "w");

	(void)state;
	assert_non_null(out);
	assert_int_equal(snapshot__read(&snapshot, &maps), 0);
	metrics__render(out, &snapshot);
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

/* Two requests on one connection; the second one asks to close it. */
static void test_keep_alive(void **state)
{
	static const char two[] = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
				  "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

	(void)state;
	assert_int_equal(ask_raw(&at, two, sizeof(two) - 1), 200);
	assert_int_equal(count_of(reply, "HTTP/1.1 200 OK\r\n"), 2);
}

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
	struct metrics *blind;
	struct maps none;

	memset(&none, -1, sizeof(none));
	assert_int_equal(metrics__start(&blind, &place, &none), 0);
	assert_int_equal(ask(&place, "GET", "/metrics"), 500);
	assert_int_equal(ask(&place, "GET", "/healthz"), 200);
	metrics__stop(blind);
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

	assert_int_equal(metrics__start(&second, &at, &maps), -1);
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
	assert_int_equal(metrics__start(&nothing, &off, &maps), 0);
	assert_null(nothing);
	metrics__stop(nothing);
}

static void test_stop_and_start_again(void **state)
{
	int idle = dial(&at);

	(void)state;
	metrics__stop(metrics);
	assert_int_equal(metrics__start(&metrics, &at, &maps), 0);
	assert_int_equal(ask(&at, "GET", "/healthz"), 200);
	close(idle);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_paths_and_methods),
		cmocka_unit_test(test_pages),
		cmocka_unit_test(test_scrape_is_the_snapshot),
		cmocka_unit_test(test_head_is_get_without_body),
		cmocka_unit_test(test_keep_alive),
		cmocka_unit_test(test_body_is_not_a_request),
		cmocka_unit_test(test_rubbish),
		cmocka_unit_test(test_idle_and_slow_clients),
		cmocka_unit_test(test_unreadable_map_is_500),
		cmocka_unit_test(test_taken_address_is_named),
		cmocka_unit_test(test_off),
		cmocka_unit_test(test_stop_and_start_again),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
