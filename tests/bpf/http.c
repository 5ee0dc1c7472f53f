// SPDX-License-Identifier: GPL-2.0-only
/*
 * The programs that look for HTTP refuse no packet, whatever is in it: frames of random bytes through the programs
 * themselves, and connections over loopback that carry random bytes and damaged heads, in a network namespace of the
 * test's own.
 *
 * test: asan-slow kernels-quick
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "kernel/programs.h"

#define FRAMES	    20000
#define FRAME_MIN   54
#define FRAME_MAX   512
#define CONNECTIONS 200
#define TURNS	    4
#define TURN_MAX    3000

static struct programs *programs;
static unsigned seed = 1;

static int set_up(void **state)
{
	struct config config = {
		.stream = STREAM_HTTP, .cpus = libbpf_num_possible_cpus(), .rings = 1, .ring_slots = 1024};
	bool whole;

	(void)state;
	if (unshare(CLONE_NEWNET) || system("ip link set lo up"))
		return -1;
	return programs__load(&programs, &config, PROGRAMS_TRACKER | PROGRAMS_HTTP, NULL) ||
	       programs__attach_http(programs, &whole);
}

static int tear_down(void **state)
{
	(void)state;
	programs__free(programs);
	return 0;
}

static uint8_t any_byte(void)
{
	return rand_r(&seed) >> 8;
}

/* The descriptor of one of this process's programs. */
static int find_program(const char *name)
{
	DIR *fds = opendir("/proc/self/fd");
	const struct dirent *entry;
	int found = -1;

	assert_non_null(fds);
	while (found < 0 && (entry = readdir(fds))) {
		struct bpf_prog_info info = {};
		__u32 len = sizeof(info);
		char target[64] = "";

		if (readlinkat(dirfd(fds), entry->d_name, target, sizeof(target) - 1) < 0 ||
		    strcmp(target, "anon_inode:bpf-prog") != 0)
			continue;
		assert_int_equal(bpf_obj_get_info_by_fd(atoi(entry->d_name), &info, &len), 0);
		if (!strncmp(info.name, name, sizeof(info.name) - 1))
			found = atoi(entry->d_name);
	}
	closedir(fds);
	assert_true(found >= 0);
	return found;
}

/* An Ethernet frame, with room for an IPv6 header, which the kernel demands: half of them begin as IPv4 or IPv6 with
 * TCP. */
static size_t make_frame(uint8_t *frame)
{
	size_t len = FRAME_MIN + rand_r(&seed) % (FRAME_MAX - FRAME_MIN);
	bool ip6 = any_byte() & 1;

	for (size_t i = 0; i < len; i++)
		frame[i] = any_byte();
	frame[12] = ip6 ? 0x86 : 0x08;
	frame[13] = ip6 ? 0xdd : 0x00;
	if (any_byte() & 1)
		return len;
	frame[14] = ip6 ? 0x60 : 0x45;
	frame[14 + (ip6 ? 6 : 9)] = IPPROTO_TCP;
	if (!ip6)
		memset(&frame[14 + 6], 0, 2); /* no fragment */
	return len;
}

static void frames_pass(void **state)
{
	static const char *const names[] = {"see_incoming", "see_outgoing"};
	uint8_t frame[FRAME_MAX];

	(void)state;
	for (int i = 0; i < 2; i++) {
		int fd = find_program(names[i]);

		for (int n = 0; n < FRAMES; n++) {
			LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame);

			opts.data_size_in = make_frame(frame);
			assert_int_equal(bpf_prog_test_run_opts(fd, &opts), 0);
			assert_int_equal(opts.retval, 1);
		}
	}
}

/* What begins as HTTP often, and goes on as anything. */
static size_t make_turn(uint8_t *turn)
{
	static const char *const heads[] = {
		"GET / HTTP/1.1\r\n\r\n",
		"HTTP/1.1 200 OK\r\n\r\n",
		"HTTP/1.1 100 Continue\r\n\r\n",
		"PRI * HTTP/2.0\r\n",
		"\x16\x03\x01",
		"CONNECT a:1 HTTP/1.1\r\n\r\n",
		"HTTP/1.1 101 \r\n\r\n",
		"\r\n\r\n",
		"",
	};
	const char *head = heads[rand_r(&seed) % (sizeof(heads) / sizeof(*heads))];
	size_t len = strlen(head);

	memcpy(turn, head, len);
	if (len && any_byte() < 64)
		turn[rand_r(&seed) % len] = any_byte();
	for (size_t more = rand_r(&seed) % (any_byte() & 1 ? 16 : TURN_MAX - len); more; more--)
		turn[len++] = any_byte();
	return len;
}

static void connect_both(int listener, const struct sockaddr_in *at, int ends[2])
{
	ends[0] = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(connect(ends[0], (const void *)at, sizeof(*at)), 0);
	ends[1] = accept(listener, NULL, NULL);
	assert_true(ends[1] >= 0);
}

static void send_turn(int from, int to)
{
	static uint8_t sent[TURN_MAX], came[TURN_MAX];
	size_t len = make_turn(sent);

	assert_int_equal(send(from, sent, len, 0), len);
	if (len)
		assert_int_equal(recv(to, came, len, MSG_WAITALL), len);
	assert_memory_equal(sent, came, len);
}

static void connections_pass(void **state)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int listener = socket(AF_INET, SOCK_STREAM, 0), ends[2], first;
	socklen_t len = sizeof(at);

	(void)state;
	assert_int_equal(bind(listener, (void *)&at, sizeof(at)), 0);
	assert_int_equal(listen(listener, 16), 0);
	assert_int_equal(getsockname(listener, (void *)&at, &len), 0);
	for (int i = 0; i < CONNECTIONS; i++) {
		connect_both(listener, &at, ends);
		for (int turn = 0; turn < TURNS; turn++)
			send_turn(ends[turn & 1], ends[!(turn & 1)]);
		first = any_byte() & 1;
		close(ends[first]);
		close(ends[!first]);
	}
	close(listener);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_pass),
		cmocka_unit_test(connections_pass),
	};

	return cmocka_run_group_tests_name("http", tests, set_up, tear_down);
}
