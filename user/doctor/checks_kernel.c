// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checks of the machine: the kernel's features, the rights of this process, file systems, and the running `run`.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include <linux/capability.h>

#include "doctor/checks.h"
#include "text/names.h"
#include "text/print.h"

#define FILES_NEEDED 256 /* maps, programs, links, and clients of the endpoint */
#define NO_RIGHTS    "not tried: this process may not load BPF; ask as root"

static enum check_status judge_kernel(const struct subject *on, struct finding *finding)
{
	return checks__say(finding, CHECK_OK, "Linux %s %s", on->host->release, on->host->machine);
}

/* CAP_SYS_ADMIN includes what was once part of it. */
static bool has_capability(const struct host *host, unsigned capability, bool or_admin)
{
	uint64_t mask = 1ULL << capability;

	if (or_admin)
		mask |= 1ULL << CAP_SYS_ADMIN;
	return host->capabilities & mask;
}

static enum check_status judge_capabilities(const struct subject *on, struct finding *finding)
{
	const struct host *host = on->host;
	char missing[64] = "";

	if (!has_capability(host, CAP_BPF, true))
		strcat(missing, " CAP_BPF");
	if (!has_capability(host, CAP_NET_ADMIN, false))
		strcat(missing, " CAP_NET_ADMIN");
	if (!has_capability(host, CAP_PERFMON, true))
		strcat(missing, " CAP_PERFMON");
	if (!*missing && host->loads != ANSWER_NO)
		return checks__say(finding, CHECK_OK, "CAP_BPF CAP_NET_ADMIN CAP_PERFMON");
	if (!*missing) {
		checks__advise(finding, "run it outside of the user namespace, or allow bpf() in the seccomp filter");
		return checks__say(finding, CHECK_BROKEN, "all there, and yet bpf() is refused");
	}
	if (!host->root)
		return checks__say(finding, CHECK_UNKNOWN, "this user lacks%s; what root has is not seen from here",
				   missing);
	checks__advise(finding, "start it with the capabilities added (a container: --cap-add; systemd: "
				"CapabilityBoundingSet=)");
	return checks__say(finding, CHECK_BROKEN, "missing:%s", missing);
}

static enum check_status judge_btf(const struct subject *on, struct finding *finding)
{
	if (on->host->btf == ANSWER_YES)
		return checks__say(finding, CHECK_OK, "/sys/kernel/btf/vmlinux");
	if (on->host->btf == ANSWER_UNKNOWN)
		return checks__say(finding, CHECK_UNKNOWN, "/sys/kernel/btf/vmlinux is not readable for this user");
	checks__advise(finding, "boot a kernel built with CONFIG_DEBUG_INFO_BTF=y");
	return checks__say(finding, CHECK_BROKEN, "no /sys/kernel/btf/vmlinux");
}

static enum check_status judge_feature(const struct subject *on, struct finding *finding, enum feature_id id,
				       const char *all)
{
	const struct feature *feature = &on->host->features[id];

	if (feature->present == ANSWER_YES)
		return checks__say(finding, CHECK_OK, "%s", all);
	if (feature->present == ANSWER_UNKNOWN)
		return checks__say(finding, CHECK_UNKNOWN, NO_RIGHTS);
	checks__advise(finding, "boot a newer kernel, built with BPF as Debian's are");
	return checks__say(finding, CHECK_BROKEN, "missing: %s", feature->missing);
}

static enum check_status judge_filter(const struct subject *on, struct finding *finding)
{
	return judge_feature(on, finding, FEATURE_FILTER, "programs for frames in several buffers, LPM tries");
}

static enum check_status judge_cookies(const struct subject *on, struct finding *finding)
{
	return judge_feature(on, finding, FEATURE_COOKIES, "bpf_tcp_gen_syncookie, bpf_tcp_check_syncookie");
}

static enum check_status judge_tracepoints(const struct subject *on, struct finding *finding)
{
	return judge_feature(on, finding, FEATURE_TRACEPOINTS, "inet_sock_set_state and six more");
}

static enum check_status judge_strays(const struct subject *on, struct finding *finding)
{
	if (on->host->reports_closed)
		return checks__say(finding, CHECK_OK, "of listening and of closed ports");
	if (on->host->loads != ANSWER_YES)
		return checks__say(finding, CHECK_UNKNOWN, NO_RIGHTS);
	return checks__say(finding, CHECK_OK,
			   "of listening ports; those of closed ports are reported from Linux 6.10 on");
}

static enum check_status judge_storage(const struct subject *on, struct finding *finding)
{
	return judge_feature(on, finding, FEATURE_STORAGE, "with BPF_F_CLONE");
}

static enum check_status judge_iterators(const struct subject *on, struct finding *finding)
{
	return judge_feature(on, finding, FEATURE_ITERATORS, "tcp, task_file");
}

static enum check_status judge_ring(const struct subject *on, struct finding *finding)
{
	return judge_feature(on, finding, FEATURE_RING, "there");
}

static enum check_status judge_programs(const struct subject *on, struct finding *finding)
{
	enum check_status status = judge_feature(on, finding, FEATURE_PROGRAMS, "all load");

	if (status == CHECK_BROKEN)
		checks__advise(finding, "SYNWARDEN_DEBUG=1 synwarden doctor shows the verifier's words");
	return status;
}

/* It protects nothing: `run` goes on without it. */
static enum check_status judge_ladder(const struct subject *on, struct finding *finding)
{
	const struct feature *feature = &on->host->features[FEATURE_LADDER];

	if (feature->present == ANSWER_YES)
		return checks__say(finding, CHECK_OK,
				   "net_dev_queue, netif_receive_skb, kfree_skb; it needs CAP_BPF and CAP_PERFMON");
	if (feature->present == ANSWER_UNKNOWN)
		return checks__say(finding, CHECK_UNKNOWN, NO_RIGHTS);
	checks__advise(finding, "record with tcpdump -w FILE, and show it: synwarden ladder --read FILE");
	return checks__say(finding, CHECK_WEAK, "its programs do not load: %s", feature->missing);
}

/* Only the first namespace has the setting. */
static enum check_status judge_jit(const struct subject *on, struct finding *finding)
{
	if (on->host->jit == ANSWER_YES)
		return checks__say(finding, CHECK_OK, "programs become machine code");
	if (on->host->jit == ANSWER_UNKNOWN)
		return checks__say(finding, CHECK_UNKNOWN, NO_RIGHTS);
	checks__command(finding, "%ssysctl -w net.core.bpf_jit_enable=1",
			on->host->jit_setting ? "" : "nsenter --net=/proc/1/ns/net ");
	return checks__say(finding, CHECK_WEAK, "programs are interpreted");
}

static enum check_status judge_files(const struct subject *on, struct finding *finding)
{
	uint64_t limit = on->host->open_files;

	if (limit >= FILES_NEEDED)
		return checks__say(finding, CHECK_OK, "%" PRIu64, limit);
	checks__command(finding, "ulimit -n 1024");
	return checks__say(finding, CHECK_WEAK, "%" PRIu64 ", less than %d", limit, FILES_NEEDED);
}

static enum check_status judge_memory(const struct subject *on, struct finding *finding)
{
	const struct feature *charging = &on->host->features[FEATURE_CHARGING];
	char bytes[PRINT_NUMBER_LEN] = "unlimited";

	if (on->host->locked_memory != RLIM_INFINITY)
		print_bytes(bytes, on->host->locked_memory);
	if (charging->present == ANSWER_YES)
		return checks__say(finding, CHECK_OK, "%s, not asked: BPF memory is charged to the cgroup", bytes);
	if (on->host->locked_memory == RLIM_INFINITY)
		return checks__say(finding, CHECK_OK, "%s", bytes);
	if (charging->present == ANSWER_UNKNOWN)
		return checks__say(finding, CHECK_UNKNOWN, "%s; whether it is asked was not tried", bytes);
	checks__command(finding, "ulimit -l unlimited");
	return checks__say(finding, CHECK_BROKEN, "%s, of which this kernel takes BPF maps", bytes);
}

static enum check_status judge_bpffs(const struct subject *on, struct finding *finding)
{
	if (on->host->bpffs == ANSWER_YES)
		return checks__say(finding, CHECK_OK, "/sys/fs/bpf");
	checks__command(finding, "mount -t bpf bpf /sys/fs/bpf");
	checks__advise(finding, "run does it too, where it may");
	return checks__say(finding, CHECK_WEAK, "not mounted at /sys/fs/bpf");
}

static enum check_status judge_tracefs(const struct subject *on, struct finding *finding)
{
	if (on->host->tracefs == ANSWER_YES)
		return checks__say(finding, CHECK_OK, "/sys/kernel/tracing");
	return checks__say(finding, CHECK_OK, "not %s: BTF tracepoints do without",
			   on->host->tracefs == ANSWER_NO ? "mounted" : "to be seen by this user");
}

static enum check_status judge_cgroups(const struct subject *on, struct finding *finding)
{
	if (on->host->cgroups == ANSWER_YES)
		return checks__say(finding, CHECK_OK,
				   on->host->cgroups_are_whole
					   ? "its root is seen"
					   : "a container's part of it: sockets outside are not seen");
	checks__command(finding, "mount -t cgroup2 none /sys/fs/cgroup");
	return checks__say(finding, CHECK_WEAK, "not mounted: HTTP is neither shown nor counted");
}

static enum check_status judge_losses(const struct subject *on, struct finding *finding)
{
	char lost[192] = "", item[48];

	for (size_t i = 0; i < LOSS_MAX; i++) {
		if (!on->host->run.losses[i])
			continue;
		snprintf(item, sizeof(item), " %s %" PRIu64, print_loss(i), on->host->run.losses[i]);
		strncat(lost, item, sizeof(lost) - strlen(lost) - 1);
	}
	if (!*lost)
		return checks__say(finding, CHECK_OK, "running (pid %u), nothing lost", on->host->run.pid);
	checks__advise(finding, "synwarden help losses explains each stage");
	return checks__say(finding, CHECK_WEAK, "running (pid %u), lost:%s", on->host->run.pid, lost);
}

static enum check_status judge_run(const struct subject *on, struct finding *finding)
{
	switch (on->host->run.state) {
	case RUN_UNKNOWN:
		return checks__say(finding, CHECK_UNKNOWN, "the pins below /sys/fs/bpf cannot be read; ask as root");
	case RUN_NONE:
		return checks__say(finding, CHECK_OK, "none in this network namespace");
	case RUN_ALIVE:
		return judge_losses(on, finding);
	case RUN_LEFT:
		checks__command(finding, "synwarden detach");
		checks__advise(finding, "or start run again: it takes over");
		return checks__say(finding, CHECK_WEAK, "gone, and its filter is still attached");
	case RUN_OTHER:
		checks__command(finding, "synwarden detach");
		return checks__say(finding, CHECK_WEAK, "the pins are of synwarden %s, which this version cannot read",
				   on->host->run.version);
	}
	return CHECK_SKIP;
}

/* A kernel without it protects as well: seccomp and capabilities bound run, and systemd where it is a service. */
static enum check_status judge_landlock(const struct subject *on, struct finding *finding)
{
	if (!on->host->landlock)
		return checks__say(finding, CHECK_OK, "none: what run may write is not bounded by it");
	return checks__say(finding, CHECK_OK, "version %d", on->host->landlock);
}

static const struct check checks[] = {
	{"kernel", "each feature is probed below: the version alone says nothing", judge_kernel},
	{"capabilities", "without them no BPF program can be loaded or attached", judge_capabilities},
	{"BTF", "programs are adapted to this kernel by BTF when they are loaded", judge_btf},
	{"JIT", "an interpreted filter takes several times longer for each packet", judge_jit},
	{"XDP", "the filter is an XDP program", judge_filter},
	{"SYN cookies in XDP", "without these helpers a SYN over the budget cannot be challenged", judge_cookies},
	{"BTF tracepoints", "the tracker sees every TCP transition through them", judge_tracepoints},
	{"RSTs reported", "floods without a SYN arm a port by the RSTs that the kernel reports", judge_strays},
	{"socket storage", "it holds a connection's record and inherits its listener's owner", judge_storage},
	{"iterators", "the census and the owners of sockets that existed before come from them", judge_iterators},
	{"ring buffer", "run receives alerts through it", judge_ring},
	{"programs", "a kernel may have all features and still refuse a program", judge_programs},
	{"ladder", "synwarden ladder sees segments live by these tracepoints", judge_ladder},
	{"RLIMIT_NOFILE", "run holds a descriptor for each map and program, and for each client of its endpoint",
	 judge_files},
	{"RLIMIT_MEMLOCK", "older kernels charge the maps' memory to it", judge_memory},
	{"bpffs", "the other commands find a run by its pins there", judge_bpffs},
	{"tracefs", "other tools need it to follow the kernel; synwarden does not", judge_tracefs},
	{"cgroup v2", "synwarden http and run --http on see the packets of sockets at its root", judge_cgroups},
	{"Landlock", "with it run writes nothing but its pins and sysctls, and starts no program", judge_landlock},
	{"run", "a dead run raises no sysctl and reports no attack; lost events are missing from every count",
	 judge_run},
};

const struct check_table checks_kernel = {checks, sizeof(checks) / sizeof(*checks)};
