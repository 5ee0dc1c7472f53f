// SPDX-License-Identifier: GPL-2.0-only
/*
 * The host as a whole: rights, limits, file systems and settings of this process's machine and network namespace, and
 * whether a `run` is running there.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/magic.h>

#include "doctor/probe.h"
#include "kernel/bpffs.h"
#include "kernel/pins.h"
#include "kernel/snapshot.h"
#include "kernel/sysctls.h"
#include "system/cgroups.h"
#include "system/devices_driver.h"
#include "system/confine.h"

static const char *const settings[SETTING_MAX] = {
	[SETTING_SYNCOOKIES] = "ipv4/tcp_syncookies",
	[SETTING_TIMESTAMPS] = "ipv4/tcp_timestamps",
	[SETTING_SYN_BACKLOG] = "ipv4/tcp_max_syn_backlog",
	[SETTING_SOMAXCONN] = "core/somaxconn",
	[SETTING_SYNACK_RETRIES] = "ipv4/tcp_synack_retries",
	[SETTING_RP_FILTER] = "ipv4/conf/all/rp_filter",
	[SETTING_CONNTRACK_LOOSE] = "netfilter/nf_conntrack_tcp_loose",
};

static int64_t read_setting(const char *path)
{
	uint32_t value = 0;

	if (sysctls__read(path, &value) == 0)
		return value;
	return errno == ENOENT ? SETTING_ABSENT : SETTING_UNKNOWN;
}

/* Access that is refused for lack of privileges says nothing about another process. */
static enum answer may_access(const char *path, int mode)
{
	if (access(path, mode) == 0)
		return ANSWER_YES;
	return errno == EACCES || errno == EPERM ? ANSWER_UNKNOWN : ANSWER_NO;
}

static void read_settings(struct host *host)
{
	char path[64];

	for (size_t i = 0; i < SETTING_MAX; i++)
		host->settings[i] = read_setting(settings[i]);
	for (size_t i = 0; i < host->devices.count; i++) {
		snprintf(path, sizeof(path), "ipv4/conf/%s/rp_filter", host->devices.all[i].name);
		host->devices.all[i].rp_filter = read_setting(path);
	}
	host->settings_writable = may_access("/proc/sys/net/ipv4/tcp_syncookies", W_OK);
	host->jit_setting = access("/proc/sys/net/core/bpf_jit_enable", F_OK) == 0;
}

uint64_t probe__capabilities(const char *status)
{
	const char *line = strstr(status, "\nCapEff:");
	unsigned long long mask = 0;

	return line && sscanf(line, "\nCapEff: %llx", &mask) == 1 ? mask : 0;
}

static uint64_t read_capabilities(void)
{
	char text[4096];
	size_t bytes = 0;
	FILE *status = fopen("/proc/self/status", "r");

	if (status) {
		bytes = fread(text, 1, sizeof(text) - 1, status);
		fclose(status);
	}
	text[bytes] = '\0';
	return probe__capabilities(text);
}

static uint64_t soft_limit(int resource)
{
	struct rlimit limit = {};

	getrlimit(resource, &limit);
	return limit.rlim_cur;
}

static void find_cgroups(struct host *host)
{
	int root = cgroups__open_root(&host->cgroups_are_whole);

	host->cgroups = root >= 0 ? ANSWER_YES : ANSWER_NO;
	if (root >= 0)
		close(root);
}

static enum answer has_tracefs(void)
{
	struct statfs fs;

	if (statfs("/sys/kernel/tracing", &fs))
		return errno == EACCES ? ANSWER_UNKNOWN : ANSWER_NO;
	return fs.f_type == TRACEFS_MAGIC ? ANSWER_YES : ANSWER_NO;
}

static void read_host(struct host *host)
{
	struct utsname name = {};
	int cpus = libbpf_num_possible_cpus();
	char bpffs[BPFFS_LEN];

	uname(&name);
	snprintf(host->release, sizeof(host->release), "%.64s", name.release);
	snprintf(host->machine, sizeof(host->machine), "%.64s", name.machine);
	host->root = geteuid() == 0;
	host->cpus = cpus > 0 ? cpus : 0;
	host->capabilities = read_capabilities();
	host->landlock = confine__version();
	host->open_files = soft_limit(RLIMIT_NOFILE);
	host->locked_memory = soft_limit(RLIMIT_MEMLOCK);
	host->btf = may_access("/sys/kernel/btf/vmlinux", R_OK);
	host->bpffs = bpffs__find(bpffs) ? ANSWER_YES : ANSWER_NO;
	host->tracefs = has_tracefs();
	find_cgroups(host);
}

static int mark_own(void *context, unsigned ifindex, int link_fd)
{
	struct host *host = context;
	struct bpf_link_info info = {};
	uint32_t len = sizeof(info);

	if (bpf_obj_get_info_by_fd(link_fd, &info, &len))
		return 0;
	for (size_t i = 0; i < host->devices.count; i++)
		if (host->devices.all[i].ifindex == ifindex && host->devices.all[i].xdp.id == info.prog_id)
			host->devices.all[i].xdp.ours = true;
	return 0;
}

/* In words: the snapshot that they are of is not kept. */
static void note_protection(struct host *host, const struct snapshot *snapshot)
{
	struct protection protection;

	protection__judge(&protection, snapshot, true);
	host->run.severity = protection__severity(protection.host);
	protection__sentence(host->run.verdict, &protection, protection.host, protection.port);
	if (!protection__fix(host->run.fix, &protection, protection.host, protection.port))
		*host->run.fix = '\0';
}

static int read_counts(struct host *host, const struct pins *pins)
{
	struct snapshot *snapshot = calloc(1, sizeof(*snapshot));
	struct maps maps;
	int ret = -1;

	if (snapshot && pins__maps(pins, &maps) == 0) {
		ret = snapshot__read(snapshot, &maps);
		memcpy(host->run.losses, snapshot->losses, sizeof(host->run.losses));
		if (!ret)
			note_protection(host, snapshot);
		pins__close_maps(&maps);
	}
	free(snapshot);
	return ret;
}

static enum run_state judge_run(struct host *host, const struct pins *pins)
{
	bool alive = pins__is_locked(pins);
	struct meta meta;

	if (pins__meta(pins, &meta))
		return alive ? RUN_UNKNOWN : RUN_LEFT; /* just starting, or stopping */
	host->run.pid = meta.pid;
	snprintf(host->run.version, sizeof(host->run.version), "%.15s", meta.version);
	if (meta.layout != LAYOUT_VERSION)
		return RUN_OTHER;
	host->run.flags = meta.flags;
	host->run.endpoint = meta.endpoint;
	host->run.endpoint_port = meta.endpoint_port;
	memcpy(host->run.waiting, meta.waiting, sizeof(host->run.waiting));
	if (read_counts(host, pins))
		return RUN_UNKNOWN;
	return alive ? RUN_ALIVE : RUN_LEFT;
}

void probe__find_run(struct host *host)
{
	static const char *const ways[] = {"/sys/fs/bpf", "/sys/fs/bpf/synwarden"};
	struct pins pins = {.fd = -1, .parent_fd = -1};
	bool missing;

	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++)
		if (access(ways[i], R_OK | X_OK) && errno != ENOENT)
			return;
	if (pins__open(&pins, false, &missing) == 0) {
		pins__each_xdp(&pins, mark_own, host);
		host->run.state = judge_run(host, &pins);
	} else if (missing) {
		host->run.state = RUN_NONE;
	}
	pins__close(&pins);
}

static bool is_named(const struct device *device, char *const names[])
{
	for (; *names; names++)
		if (!strcmp(*names, device->name))
			return true;
	return false;
}

static void choose_devices(struct host *host, char *const names[])
{
	for (size_t i = 0; i < host->devices.count; i++) {
		struct device *device = &host->devices.all[i];

		device->wanted = *names ? is_named(device, names) : device->up && !device->loopback;
	}
}

/* Also of what they stand on, and of a veth's peer. */
static void ask_drivers(struct host *host)
{
	for (size_t i = 0; i < host->devices.count; i++) {
		bool asked = host->devices.all[i].wanted;

		for (size_t j = 0; j < host->devices.count; j++)
			asked |= host->devices.all[j].wanted &&
				 host->devices.all[j].lower == host->devices.all[i].ifindex;
		if (asked)
			devices_driver__ask(&host->devices.all[i]);
	}
}

int probe__gather(struct host *host, char *const names[])
{
	*host = (struct host){};
	if (devices__list(&host->devices))
		return -1;
	choose_devices(host, names);
	read_host(host);
	read_settings(host);
	host->redirects_seen = redirects__read(&host->redirects) == 0;
	probe__probe_bpf(host);
	ask_drivers(host);
	probe__find_run(host);
	host->backlogs_seen = backlogs__find(&host->backlogs) ? ANSWER_UNKNOWN : ANSWER_YES;
	backlogs__name_holders(&host->backlogs);
	return 0;
}

void probe__free(struct host *host)
{
	devices__free(&host->devices);
	backlogs__free(&host->backlogs);
}
