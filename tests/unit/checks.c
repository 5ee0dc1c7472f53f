// SPDX-License-Identifier: GPL-2.0-only
/*
 * The checks of `doctor` of the machine, its settings and listeners, on a host made by hand with one thing changed:
 * what is reported, and the command. What no machine here has (no BTF, no JIT) is tested only here.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/resource.h>

#include "lib/text.h"
#include "kernel/load_config.h"
#include "stage.h"

static void test_sound(void **state)
{
	struct findings findings;
	struct stage stage;

	(void)state;
	set_sound(&stage);
	look(&findings, &stage);
	assert_int_equal(findings.worst, CHECK_OK);
	assert_int_equal(findings.count, 20 + 8 + 10);
	for (size_t i = 0; i < findings.count; i++) {
		assert_int_equal(findings.all[i].status, CHECK_OK);
		assert_string_equal(findings.all[i].command, "");
		assert_string_equal(findings.all[i].advice, "");
		assert_true(strlen(findings.all[i].why) > 10);
		assert_true(strlen(findings.all[i].detail) > 0);
	}
}

static void test_settings(void **state)
{
	static const struct {
		enum setting_id setting;
		int64_t value;
		const char *name;
		enum check_status status;
		const char *detail, *command;
	} rows[] = {
		{SETTING_SYNCOOKIES, 2, "tcp_syncookies", CHECK_OK, "2: for every SYN", ""},
		{SETTING_SYNCOOKIES, 0, "tcp_syncookies", CHECK_WEAK, "0: off", "sysctl -w net.ipv4.tcp_syncookies=1"},
		{SETTING_SYNCOOKIES, SETTING_UNKNOWN, "tcp_syncookies", CHECK_UNKNOWN, "/proc/sys/net cannot be read",
		 ""},
		{SETTING_SYNCOOKIES, SETTING_ABSENT, "tcp_syncookies", CHECK_BROKEN, "this kernel was built without it",
		 ""},
		{SETTING_TIMESTAMPS, 2, "tcp_timestamps", CHECK_OK, "2: a challenged connection keeps all", ""},
		{SETTING_TIMESTAMPS, 0, "tcp_timestamps", CHECK_WEAK, "0: off", "sysctl -w net.ipv4.tcp_timestamps=1"},
		{SETTING_SYNACK_RETRIES, 0, "tcp_synack_retries", CHECK_WEAK,
		 "0: a client that loses one gets no other", "sysctl -w net.ipv4.tcp_synack_retries=5"},
		{SETTING_SYNACK_RETRIES, 1, "tcp_synack_retries", CHECK_OK, "1", ""},
		{SETTING_SYNACK_RETRIES, 6, "tcp_synack_retries", CHECK_WEAK,
		 "6: half-open connections stay for minutes", "sysctl -w net.ipv4.tcp_synack_retries=5"},
		{SETTING_SOMAXCONN, 512, "somaxconn", CHECK_OK, "512, caps no listener", ""},
		{SETTING_CONNTRACK_LOOSE, 0, "conntrack", CHECK_WEAK,
		 "tcp_loose 0: a challenged client's ACK is invalid to it",
		 "sysctl -w net.netfilter.nf_conntrack_tcp_loose=1"},
		{SETTING_CONNTRACK_LOOSE, 1, "conntrack", CHECK_OK,
		 "tcp_loose 1: a challenged client's ACK is new to it, without a SYN", ""},
		{SETTING_CONNTRACK_LOOSE, SETTING_UNKNOWN, "conntrack", CHECK_UNKNOWN, "/proc/sys/net cannot be read",
		 ""},
		{SETTING_RP_FILTER, 0, "rp_filter", CHECK_WEAK, "0: off", "sysctl -w net.ipv4.conf.eth0.rp_filter=2"},
		{SETTING_RP_FILTER, 1, "rp_filter", CHECK_OK,
		 "1: strict; packets that arrive on an interface other than the route back are dropped", ""},
	};
	struct stage stage;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		set_sound(&stage);
		stage.host.settings[rows[i].setting] = rows[i].value;
		expect(&stage, rows[i].name, rows[i].status, rows[i].detail, rows[i].command);
	}
	set_sound(&stage);
	stage.host.settings_writable = ANSWER_NO;
	expect(&stage, "sysctls", CHECK_BROKEN,
	       "/proc/sys/net is read-only: SYN cookies cannot be forced, and SYNs over budget pass",
	       "mount -o remount,rw /proc/sys");
}

/* Cookies that are always on need not be forced. */
static void test_read_only(void **state)
{
	struct stage stage;

	(void)state;
	set_sound(&stage);
	stage.host.settings_writable = ANSWER_NO;
	stage.host.settings[SETTING_SYNCOOKIES] = 2;
	expect(&stage, "sysctls", CHECK_OK, "/proc/sys/net is read-only, and tcp_syncookies is 2 already", "");
}

/* The process that holds the address that the endpoint waits for. */
static void test_protection(void **state)
{
	struct stage stage;

	(void)state;
	set_sound(&stage);
	stage.host.run.state = RUN_ALIVE;
	strcpy(stage.host.run.verdict, "all is well");
	expect(&stage, "protection", CHECK_OK, "all is well", "");
	stage.host.run.severity = SEVERITY_WARNING;
	strcpy(stage.host.run.fix, "synwarden top");
	expect(&stage, "protection", CHECK_WEAK, "all is well", "synwarden top");
	stage.host.run.severity = SEVERITY_CRITICAL;
	expect(&stage, "protection", CHECK_BROKEN, "all is well", "synwarden top");
}

static void test_endpoint(void **state)
{
	struct addr any = {};
	struct stage stage;

	(void)state;
	set_sound(&stage);
	stage.host.run.state = RUN_ALIVE;
	stage.host.run.endpoint.words[2] = htonl(0xffff);
	stage.host.run.endpoint.words[3] = htonl(0x7f000001);
	stage.host.run.endpoint_port = 9798;
	expect(&stage, "HTTP endpoint", CHECK_OK, "served at 127.0.0.1:9798", "");
	stage.host.run.flags = META_ENDPOINT_WAITS;
	expect(&stage, "HTTP endpoint", CHECK_WEAK, "not served: 127.0.0.1:9798 cannot be listened on", "");
	stage.backlogs[1] = (struct backlog){.addr = stage.host.run.endpoint, .port = 9798, .limit = 128, .uid = 65534};
	stage.backlogs[1].loopback = true;
	expect(&stage, "HTTP endpoint", CHECK_WEAK, "not served: 127.0.0.1:9798 is held by a process of uid 65534", "");
	stage.backlogs[1].addr = any;
	stage.backlogs[1].pid = 12;
	strcpy(stage.backlogs[1].comm, "nc");
	expect(&stage, "HTTP endpoint", CHECK_WEAK, "not served: 127.0.0.1:9798 is held by nc, pid 12, of uid 65534",
	       "");
}

static void test_realtime(void **state)
{
	(void)state;
	assert_true(load_config__is_realtime("#1 SMP PREEMPT_RT Debian 6.1.90-1 (2024-05-03)"));
	assert_false(load_config__is_realtime("#1 SMP PREEMPT_DYNAMIC Debian 6.1.90-1 (2024-05-03)"));
	assert_false(load_config__is_realtime("#1 SMP PREEMPT Debian 5.10.0"));
}

/* A kernel that tracks no connections has no finding. */
static void test_no_conntrack(void **state)
{
	struct findings findings;
	struct stage stage;

	(void)state;
	set_sound(&stage);
	stage.host.settings[SETTING_CONNTRACK_LOOSE] = SETTING_ABSENT;
	look(&findings, &stage);
	assert_int_equal(findings.worst, CHECK_OK);
	for (size_t i = 0; i < findings.count; i++)
		assert_string_not_equal(findings.all[i].name, "conntrack");
}

/* Cookies off, three quarters of tcp_max_syn_backlog are asked too. */
static void test_syn_backlog(void **state)
{
	static const struct {
		int64_t value;
		uint32_t backlog;
		enum check_status status;
		const char *detail, *command;
	} rows[] = {
		{1024, 768, CHECK_OK, "1024, enough for the largest backlog, 768", ""},
		{1024, 769, CHECK_WEAK, "1024: a quarter is kept free, and a listener's backlog is 769",
		 "sysctl -w net.ipv4.tcp_max_syn_backlog=4096"},
		{1024, 3072, CHECK_WEAK, "1024: a quarter is kept free, and a listener's backlog is 3072",
		 "sysctl -w net.ipv4.tcp_max_syn_backlog=4096"},
		{1024, 3073, CHECK_WEAK, "1024: a quarter is kept free, and a listener's backlog is 3073",
		 "sysctl -w net.ipv4.tcp_max_syn_backlog=8192"},
	};
	struct findings findings;
	const struct finding *finding;
	struct stage stage;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		set_sound(&stage);
		stage.host.settings[SETTING_SYNCOOKIES] = 0;
		stage.host.settings[SETTING_SYN_BACKLOG] = rows[i].value;
		stage.backlogs[0].limit = rows[i].backlog;
		look(&findings, &stage);
		finding = named(&findings, "tcp_max_syn_backlog");
		assert_int_equal(finding->status, rows[i].status);
		assert_string_equal(finding->detail, rows[i].detail);
		assert_string_equal(finding->command, rows[i].command);
	}
}

static void test_backlogs(void **state)
{
	struct findings findings;
	const struct finding *finding;
	struct stage stage;

	(void)state;
	set_sound(&stage);
	stage.backlogs[0].limit = 127;
	expect(&stage, "backlog", CHECK_WEAK, "0.0.0.0:80 (nginx, pid 7): 127", "");
	stage.backlogs[0].pid = 0;
	expect(&stage, "backlog", CHECK_WEAK, "0.0.0.0:80 (process unknown): 127", "");

	set_sound(&stage);
	stage.backlogs[0].queued = 512;
	expect(&stage, "backlog", CHECK_BROKEN,
	       "0.0.0.0:80 (nginx, pid 7): 512 wait for accept(), its backlog of 511 is full", "");

	set_sound(&stage);
	stage.host.settings[SETTING_SOMAXCONN] = 511;
	look(&findings, &stage);
	finding = named(&findings, "somaxconn");
	assert_int_equal(finding->status, CHECK_WEAK);
	assert_string_equal(finding->detail, "511, the backlog of 1 listener, named below");
	assert_string_equal(finding->command, "sysctl -w net.core.somaxconn=4096");
	finding = named(&findings, "backlog");
	assert_int_equal(finding->port, 80);
	assert_string_equal(finding->detail, "0.0.0.0:80 (nginx, pid 7): 511, all that somaxconn lets it have");
	assert_string_equal(finding->command, "sysctl -w net.core.somaxconn=4096");
}

static void test_rights(void **state)
{
	struct stage stage;

	(void)state;
	set_sound(&stage);
	stage.host.capabilities = 1ULL << 12 | 1ULL << 21; /* CAP_NET_ADMIN, CAP_SYS_ADMIN */
	expect(&stage, "capabilities", CHECK_OK, "CAP_BPF CAP_NET_ADMIN CAP_PERFMON", "");
	stage.host.capabilities = 1ULL << 39;
	expect(&stage, "capabilities", CHECK_BROKEN, "missing: CAP_NET_ADMIN CAP_PERFMON", "");
	stage.host.root = false;
	expect(&stage, "capabilities", CHECK_UNKNOWN,
	       "this user lacks CAP_NET_ADMIN CAP_PERFMON; what root has is not seen from here", "");

	set_sound(&stage);
	stage.host.loads = ANSWER_NO;
	expect(&stage, "capabilities", CHECK_BROKEN, "all there, and yet bpf() is refused", "");

	set_sound(&stage);
	stage.host.open_files = 255;
	expect(&stage, "RLIMIT_NOFILE", CHECK_WEAK, "255, less than 256", "ulimit -n 1024");

	set_sound(&stage);
	stage.host.features[FEATURE_CHARGING].present = ANSWER_NO;
	expect(&stage, "RLIMIT_MEMLOCK", CHECK_BROKEN, "8.00 MiB, of which this kernel takes BPF maps",
	       "ulimit -l unlimited");
	stage.host.locked_memory = RLIM_INFINITY;
	expect(&stage, "RLIMIT_MEMLOCK", CHECK_OK, "unlimited", "");
}

static void test_kernel(void **state)
{
	static const struct {
		enum feature_id feature;
		const char *name;
	} rows[] = {
		{FEATURE_FILTER, "XDP"},
		{FEATURE_COOKIES, "SYN cookies in XDP"},
		{FEATURE_TRACEPOINTS, "BTF tracepoints"},
		{FEATURE_STORAGE, "socket storage"},
		{FEATURE_ITERATORS, "iterators"},
		{FEATURE_RING, "ring buffer"},
		{FEATURE_PROGRAMS, "programs"},
	};
	struct stage stage;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		set_sound(&stage);
		stage.host.features[rows[i].feature] = (struct feature){ANSWER_NO, "this part"};
		expect(&stage, rows[i].name, CHECK_BROKEN, "missing: this part", "");
		stage.host.features[rows[i].feature] = (struct feature){};
		expect(&stage, rows[i].name, CHECK_UNKNOWN, "not tried: this process may not load BPF; ask as root",
		       "");
	}
	set_sound(&stage);
	stage.host.features[FEATURE_LADDER] = (struct feature){ANSWER_NO, "refused"};
	expect(&stage, "ladder", CHECK_WEAK, "its programs do not load: refused", "");
	stage.host.features[FEATURE_LADDER] = (struct feature){};
	expect(&stage, "ladder", CHECK_UNKNOWN, "not tried: this process may not load BPF; ask as root", "");
	set_sound(&stage);
	stage.host.btf = ANSWER_NO;
	expect(&stage, "BTF", CHECK_BROKEN, "no /sys/kernel/btf/vmlinux", "");
	set_sound(&stage);
	stage.host.jit = ANSWER_NO;
	expect(&stage, "JIT", CHECK_WEAK, "programs are interpreted", "sysctl -w net.core.bpf_jit_enable=1");
	stage.host.jit_setting = false;
	expect(&stage, "JIT", CHECK_WEAK, "programs are interpreted",
	       "nsenter --net=/proc/1/ns/net sysctl -w net.core.bpf_jit_enable=1");
	set_sound(&stage);
	stage.host.bpffs = ANSWER_NO;
	expect(&stage, "bpffs", CHECK_WEAK, "not mounted at /sys/fs/bpf", "mount -t bpf bpf /sys/fs/bpf");
	set_sound(&stage);
	stage.host.cgroups_are_whole = false;
	expect(&stage, "cgroup v2", CHECK_OK, "a container's part of it: sockets outside are not seen", "");
	stage.host.cgroups = ANSWER_NO;
	expect(&stage, "cgroup v2", CHECK_WEAK, "not mounted: HTTP is neither shown nor counted",
	       "mount -t cgroup2 none /sys/fs/cgroup");
}

static void test_run(void **state)
{
	struct stage stage;

	(void)state;
	set_sound(&stage);
	stage.host.run.state = RUN_ALIVE;
	stage.host.run.pid = 9;
	expect(&stage, "run", CHECK_OK, "running (pid 9), nothing lost", "");
	stage.host.run.losses[LOSS_RING] = 5;
	stage.host.run.losses[LOSS_PORTS] = 1;
	expect(&stage, "run", CHECK_WEAK, "running (pid 9), lost: ring 5 ports 1", "");
	stage.host.run.state = RUN_LEFT;
	expect(&stage, "run", CHECK_WEAK, "gone, and its filter is still attached", "synwarden detach");
	stage.host.run.state = RUN_UNKNOWN;
	expect(&stage, "run", CHECK_UNKNOWN, "the pins below /sys/fs/bpf cannot be read; ask as root", "");
}

static void test_status(void **state)
{
	(void)state;
	assert_int_equal(probe__capabilities("Name:\tx\nCapPrm:\t1\nCapEff:\t000001c000201000\nCapBnd:\tff\n"),
			 0x1c000201000ULL);
	assert_int_equal(probe__capabilities("Name:\tCapEff:\t1\n"), 0);
	assert_int_equal(probe__capabilities(""), 0);
}

int main(void)
{
	static const struct CMUnitTest checks[] = {
		cmocka_unit_test(test_sound),	     cmocka_unit_test(test_settings),
		cmocka_unit_test(test_syn_backlog),  cmocka_unit_test(test_backlogs),
		cmocka_unit_test(test_rights),	     cmocka_unit_test(test_kernel),
		cmocka_unit_test(test_run),	     cmocka_unit_test(test_status),
		cmocka_unit_test(test_no_conntrack), cmocka_unit_test(test_read_only),
		cmocka_unit_test(test_protection),   cmocka_unit_test(test_endpoint),
		cmocka_unit_test(test_realtime),
	};

	return cmocka_run_group_tests(checks, NULL, NULL);
}
