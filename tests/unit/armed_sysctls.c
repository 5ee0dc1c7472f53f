// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is set in the kernel while a port is armed, in a network namespace of the test's own: raised, put back, and what
 * the filter's configuration says of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "kernel/sysctls.h"
#include "lib/capture.h"
#include "lib/own_netns.h"
#include "lib/text.h"
#include "run/armed_sysctls.h"
#include "system/clock.h"
#include "types.h"

struct stage {
	struct armed_sysctls defence;
	struct maps maps;
};

/* How many descriptors there may be: with none more, no sysctl can be read. Returns how many there might be. */
static rlim_t limit_files(rlim_t files)
{
	struct rlimit limit;
	rlim_t before;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	before = limit.rlim_cur;
	limit.rlim_cur = files;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	return before;
}

static int make_array(__u32 value_size, __u32 entries)
{
	int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, NULL, sizeof(__u32), value_size, entries, NULL);

	if (fd < 0)
		fail_msg("cannot make a map (are you root?)");
	return fd;
}

static void expect(uint32_t syncookies, uint32_t backlog, uint32_t retries, uint32_t timestamps)
{
	assert_int_equal(sysctls__get(SYSCTL_SYNCOOKIES), syncookies);
	assert_int_equal(sysctls__get(SYSCTL_SYN_BACKLOG), backlog);
	assert_int_equal(sysctls__get(SYSCTL_SYNACK_RETRIES), retries);
	assert_int_equal(sysctls__get(SYSCTL_TIMESTAMPS), timestamps);
}

static struct cookie_policy told(const struct stage *stage)
{
	struct cookie_policy policy;
	__u32 key = 0;

	assert_int_equal(bpf_map_lookup_elem(stage->maps.cookie_policy, &key, &policy), 0);
	return policy;
}

/* A namespace as the kernel makes it, but for the timestamps; a port is armed for good, and with --harden. */
static void set_armed(struct stage *stage)
{
	const struct armed until = {.any_until_ns = ~0ULL, .syns_until_ns = ~0ULL};
	__u32 key = 0;

	*stage = (struct stage){.defence = {.harden = true},
				.maps = {.armed = make_array(sizeof(struct armed), 1),
					 .cookie_policy = make_array(sizeof(struct cookie_policy), 1),
					 .sysctls = make_array(sizeof(struct saved_sysctl), SYSCTL_MAX)}};
	net_sysctl("tcp_syncookies", 1);
	net_sysctl("tcp_max_syn_backlog", 512);
	net_sysctl("tcp_synack_retries", 5);
	net_sysctl("tcp_timestamps", 1);
	assert_int_equal(bpf_map_update_elem(stage->maps.armed, &key, &until, BPF_ANY), 0);
	assert_int_equal(armed_sysctls__update(&stage->defence, &stage->maps), 0);
	expect(2, 65536, 2, 2);
	assert_int_equal(told(stage).timestamps, 1);
	assert_int_equal(told(stage).always, 1);
}

static void release(const struct stage *stage)
{
	const struct armed until = {};
	__u32 key = 0;

	assert_int_equal(bpf_map_update_elem(stage->maps.armed, &key, &until, BPF_ANY), 0);
}

static void clear(struct stage *stage)
{
	close(stage->maps.armed);
	close(stage->maps.cookie_policy);
	close(stage->maps.sysctls);
}

/* Its filter may stay and challenge: with timestamps that the kernel no longer writes so, it would be misread. */
static void test_end_while_armed(void **state)
{
	struct stage stage;

	(void)state;
	set_armed(&stage);
	assert_int_equal(armed_sysctls__end(&stage.defence, &stage.maps), 0);
	expect(1, 512, 5, 1);
	assert_int_equal(told(&stage).timestamps, 0);
	clear(&stage);
}

/* Where they were so before, it goes on with them. */
static void test_end_with_timestamps_of_others(void **state)
{
	struct stage stage;

	(void)state;
	set_armed(&stage);
	assert_int_equal(sysctls__restore(stage.maps.sysctls, SYSCTL_TIMESTAMPS), 0);
	net_sysctl("tcp_timestamps", 2);
	assert_int_equal(armed_sysctls__end(&stage.defence, &stage.maps), 0);
	expect(1, 512, 5, 2);
	assert_int_equal(told(&stage).timestamps, 1);
	clear(&stage);
}

/* The filter's configuration changes before the kernel's: from then on, SYNs that pass may leave half-open connections.
 */
static void test_release(void **state)
{
	struct stage stage;
	int policy;

	(void)state;
	set_armed(&stage);
	release(&stage);
	policy = stage.maps.cookie_policy;
	stage.maps.cookie_policy = -1; /* it cannot be changed */
	assert_int_equal(armed_sysctls__update(&stage.defence, &stage.maps), -1);
	expect(2, 65536, 2, 2);
	stage.maps.cookie_policy = policy;
	assert_int_equal(armed_sysctls__update(&stage.defence, &stage.maps), 0);
	expect(1, 512, 5, 2);
	assert_int_equal(told(&stage).always, 0);
	clear(&stage);
}

/* Where others have set it so, it is relied on. */
static void test_always_of_others(void **state)
{
	struct stage stage;

	(void)state;
	set_armed(&stage);
	release(&stage);
	assert_int_equal(armed_sysctls__end(&stage.defence, &stage.maps), 0);
	assert_int_equal(told(&stage).always, 0);
	net_sysctl("tcp_syncookies", 2);
	assert_int_equal(armed_sysctls__update(&stage.defence, &stage.maps), 0);
	assert_int_equal(told(&stage).always, 1);
	net_sysctl("tcp_syncookies", 1);
	armed_sysctls__rest(&stage.defence, &stage.maps);
	assert_int_equal(told(&stage).always, 0);
	clear(&stage);
}

/* What cannot be read is not put back: it is said, once, and tried again half a minute later. The run goes on; what it
 * tells the filter cannot fail. Timestamps stay for a minute. */
static void test_unreadable_at_release(void **state)
{
	struct capture said;
	struct stage stage;
	rlim_t files;

	(void)state;
	set_armed(&stage);
	release(&stage);
	capture_begin(&said, STDERR_FILENO);
	files = limit_files(0);
	assert_int_equal(armed_sysctls__update(&stage.defence, &stage.maps), 0);
	assert_int_equal(armed_sysctls__update(&stage.defence, &stage.maps), 0);
	limit_files(files);
	assert_string_equal(capture_end(&said), "synwarden: cannot read /proc/sys/net/ipv4/tcp_syncookies, which was 1 "
						"before synwarden: Too many open files\n"
						"synwarden: cannot read /proc/sys/net/ipv4/tcp_max_syn_backlog, which "
						"was 512 before synwarden: Too many open files\n"
						"synwarden: cannot read /proc/sys/net/ipv4/tcp_synack_retries, which "
						"was 5 before synwarden: Too many open files\n");
	assert_int_equal(armed_sysctls__update(&stage.defence, &stage.maps), 0);
	expect(2, 65536, 2, 2);
	assert_in_range(stage.defence.retry_ns - clock__now(), 29 * NS_PER_S, 30 * NS_PER_S);
	stage.defence.retry_ns = clock__now();
	assert_int_equal(armed_sysctls__update(&stage.defence, &stage.maps), 0);
	expect(1, 512, 5, 2);
	clear(&stage);
}

static void test_unreadable_at_end(void **state)
{
	struct capture said;
	struct stage stage;
	rlim_t files;

	(void)state;
	set_armed(&stage);
	capture_begin(&said, STDERR_FILENO);
	files = limit_files(0);
	assert_int_equal(armed_sysctls__end(&stage.defence, &stage.maps), -1);
	limit_files(files);
	assert_int_equal(count_of(capture_end(&said), "\n"), 4);
	assert_false(stage.defence.ended);
	assert_int_equal(armed_sysctls__end(&stage.defence, &stage.maps), 0);
	assert_true(stage.defence.ended);
	expect(1, 512, 5, 1);
	clear(&stage);
}

static int enter_namespace(void **state)
{
	(void)state;
	return unshare(CLONE_NEWNET);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_end_while_armed),
		cmocka_unit_test(test_end_with_timestamps_of_others),
		cmocka_unit_test(test_release),
		cmocka_unit_test(test_always_of_others),
		cmocka_unit_test(test_unreadable_at_release),
		cmocka_unit_test(test_unreadable_at_end),
	};

	return cmocka_run_group_tests(tests, enter_namespace, NULL);
}
