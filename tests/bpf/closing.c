// SPDX-License-Identifier: GPL-2.0-only
/*
 * Closed connections that wait for a FIN, as `run` follows them: what is counted where there is no room for another,
 * and where the end of one was missed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <cmocka.h>

#include "kernel/programs.h"
#include "lib/own_netns.h"

#define PORT	   80
#define WAIT_TURNS 500 /* of 10 ms */

static struct programs *programs;
static const struct maps *maps;

/* The sum over the CPUs. */
static uint64_t count_of(int map, uint32_t key)
{
	uint64_t values[libbpf_num_possible_cpus()], sum = 0;

	assert_int_equal(bpf_map_lookup_elem(map, &key, values), 0);
	for (int i = 0; i < libbpf_num_possible_cpus(); i++)
		sum += values[i];
	return sum;
}

static uint64_t lost(void)
{
	return count_of(maps->losses, LOSS_CLOSING);
}

static uint64_t ended(enum ending ending)
{
	return count_of(maps->endings, ending);
}

/* What is said to be in the table. */
static uint64_t waiting(void)
{
	uint64_t count = 0;

	assert_int_equal(bpf_map_lookup_elem(maps->closing_count, &(uint32_t){0}, &count), 0);
	return count;
}

/* The only entry of the table. */
static void first_entry(struct flow *flow, struct closing *closing)
{
	assert_int_equal(bpf_map_get_next_key(maps->closings, NULL, flow), 0);
	assert_int_equal(bpf_map_lookup_elem(maps->closings, flow, closing), 0);
}

/* A connection whose client has closed, and has the acknowledgement of its FIN. Returns the server's socket. */
static int close_client(int listener)
{
	int client = net_queue(IP4, PORT, listener), server = accept(listener, NULL, NULL), on = 1;

	assert_true(server >= 0);
	assert_int_equal(setsockopt(server, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof(on)), 0);
	assert_int_equal(shutdown(client, SHUT_WR), 0);
	for (int i = 0; i < WAIT_TURNS; i++) {
		struct tcp_info info;
		socklen_t len = sizeof(info);

		assert_int_equal(getsockopt(client, IPPROTO_TCP, TCP_INFO, &info, &len), 0);
		if (info.tcpi_state == TCP_FIN_WAIT2)
			break;
		usleep(10000);
	}
	close(client);
	return server;
}

static int set_up(void **state)
{
	struct config config = {.cpus = libbpf_num_possible_cpus()};
	struct stat netns;

	(void)state;
	net_enter();
	assert_int_equal(stat("/proc/self/ns/net", &netns), 0);
	config.netns = netns.st_ino;
	assert_int_equal(programs__load(&programs, &config, PROGRAMS_TRACKER, NULL), 0);
	maps = programs__maps(programs);
	assert_int_equal(programs__attach_tracker(programs, NULL), 0);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	programs__free(programs);
	return 0;
}

/* One that can still end is left alone; of one that cannot, the end was missed. */
static void stale_ones_are_swept(void **state)
{
	int listener = net_listen(IP4, PORT, &(struct listen_options){.backlog = 1});
	int server = close_client(listener);
	uint64_t before = lost(), orphaned = ended(ENDING_ORPHANED);
	struct closing closing;
	struct flow flow;

	(void)state;
	assert_int_equal(waiting(), 1);
	programs__sweep_closings(programs);
	assert_int_equal(waiting(), 1);
	assert_int_equal(lost(), before);
	first_entry(&flow, &closing);
	assert_int_equal(flow.lport, CLIENT_PORT);
	assert_int_equal(flow.rport, PORT);
	closing.stale_at = 1;
	assert_int_equal(bpf_map_update_elem(maps->closings, &flow, &closing, BPF_EXIST), 0);
	programs__sweep_closings(programs);
	assert_int_equal(waiting(), 0);
	assert_int_not_equal(bpf_map_lookup_elem(maps->closings, &flow, &closing), 0);
	assert_int_equal(lost(), before + 1);
	assert_int_equal(ended(ENDING_ORPHANED), orphaned + 1);
	net_reset(server);
	close(listener);
}

/* A full table: the close is reported as it was known then, and counted as lost. */
static void no_room_is_a_loss(void **state)
{
	int listener = net_listen(IP4, PORT, &(struct listen_options){.backlog = 1}), server;
	uint64_t before = lost(), orphaned = ended(ENDING_ORPHANED), filled = MAX_CLOSING;
	struct closing closing = {.life.event.old = STATE_FIN_WAIT2};
	struct flow flow = {};

	(void)state;
	for (uint32_t i = 0; i < MAX_CLOSING; i++) {
		flow.netns = i;
		assert_int_equal(bpf_map_update_elem(maps->closings, &flow, &closing, BPF_NOEXIST), 0);
	}
	assert_int_equal(bpf_map_update_elem(maps->closing_count, &(uint32_t){0}, &filled, BPF_ANY), 0);
	server = close_client(listener);
	assert_int_equal(waiting(), MAX_CLOSING);
	assert_int_equal(lost(), before + 1);
	assert_int_equal(ended(ENDING_ORPHANED), orphaned + 1);
	/* None of them can end any more. */
	programs__sweep_closings(programs);
	assert_int_equal(waiting(), 0);
	assert_int_equal(lost(), before + 1 + MAX_CLOSING);
	net_reset(server);
	close(listener);
}

/* There is room again. */
static void ends_are_seen(void **state)
{
	int listener = net_listen(IP4, PORT, &(struct listen_options){.backlog = 1});
	uint64_t before = lost(), waits = ended(ENDING_TIME_WAIT);
	int server = close_client(listener);

	(void)state;
	assert_int_equal(waiting(), 1);
	close(server);
	assert_int_equal(waiting(), 0);
	assert_int_equal(ended(ENDING_TIME_WAIT), waits + 1);
	assert_int_equal(lost(), before);
	close(listener);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stale_ones_are_swept),
		cmocka_unit_test(no_room_is_a_loss),
		cmocka_unit_test(ends_are_seen),
	};

	return cmocka_run_group_tests_name("closing", tests, set_up, tear_down);
}
