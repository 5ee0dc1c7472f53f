// SPDX-License-Identifier: GPL-2.0-only
/*
 * The scene as a whole: rights, limits, file systems and settings of this process's machine and network namespace, and
 * whether a `run` is at work there.
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

#include "pins.h"
#include "scene.h"
#include "snapshot.h"
#include "sysctls.h"

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

/* Access that is refused for want of rights says nothing of what another process may. */
static enum answer may_access(const char *path, int mode)
{
	if (access(path, mode) == 0)
		return ANSWER_YES;
	return errno == EACCES || errno == EPERM ? ANSWER_UNKNOWN : ANSWER_NO;
}

static void read_settings(struct scene *scene)
{
	char path[64];

	for (size_t i = 0; i < SETTING_MAX; i++)
		scene->settings[i] = read_setting(settings[i]);
	for (size_t i = 0; i < scene->device_count; i++) {
		snprintf(path, sizeof(path), "ipv4/conf/%s/rp_filter", scene->devices[i].name);
		scene->devices[i].rp_filter = read_setting(path);
	}
	scene->settings_writable = may_access("/proc/sys/net/ipv4/tcp_syncookies", W_OK);
	scene->jit_setting = access("/proc/sys/net/core/bpf_jit_enable", F_OK) == 0;
}

uint64_t scene__capabilities(const char *status)
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
	return scene__capabilities(text);
}

static uint64_t soft_limit(int resource)
{
	struct rlimit limit = {};

	getrlimit(resource, &limit);
	return limit.rlim_cur;
}

static enum answer has_tracefs(void)
{
	struct statfs fs;

	if (statfs("/sys/kernel/tracing", &fs))
		return errno == EACCES ? ANSWER_UNKNOWN : ANSWER_NO;
	return fs.f_type == TRACEFS_MAGIC ? ANSWER_YES : ANSWER_NO;
}

static void read_host(struct scene *scene)
{
	struct utsname name = {};
	int cpus = libbpf_num_possible_cpus();

	uname(&name);
	snprintf(scene->release, sizeof(scene->release), "%.64s", name.release);
	snprintf(scene->machine, sizeof(scene->machine), "%.64s", name.machine);
	scene->root = geteuid() == 0;
	scene->cpus = cpus > 0 ? cpus : 0;
	scene->capabilities = read_capabilities();
	scene->open_files = soft_limit(RLIMIT_NOFILE);
	scene->locked_memory = soft_limit(RLIMIT_MEMLOCK);
	scene->btf = may_access("/sys/kernel/btf/vmlinux", R_OK);
	scene->bpffs = pins__has_bpffs() ? ANSWER_YES : ANSWER_NO;
	scene->tracefs = has_tracefs();
}

static int mark_own(void *context, unsigned ifindex, int link_fd)
{
	struct scene *scene = context;
	struct bpf_link_info info = {};
	uint32_t len = sizeof(info);

	if (bpf_obj_get_info_by_fd(link_fd, &info, &len))
		return 0;
	for (size_t i = 0; i < scene->device_count; i++)
		if (scene->devices[i].ifindex == ifindex && scene->devices[i].xdp.id == info.prog_id)
			scene->devices[i].xdp.ours = true;
	return 0;
}

static int read_losses(struct scene *scene, const struct pins *pins)
{
	struct snapshot *snapshot = calloc(1, sizeof(*snapshot));
	struct maps maps;
	int ret = -1;

	if (snapshot && pins__maps(pins, &maps) == 0) {
		ret = snapshot__read(snapshot, &maps);
		memcpy(scene->run.losses, snapshot->losses, sizeof(scene->run.losses));
		pins__close_maps(&maps);
	}
	free(snapshot);
	return ret;
}

static enum run_state judge_run(struct scene *scene, const struct pins *pins)
{
	bool alive = pins__is_locked(pins);
	struct meta meta;

	if (pins__meta(pins, &meta))
		return alive ? RUN_UNKNOWN : RUN_LEFT; /* just starting, or stopping */
	scene->run.pid = meta.pid;
	snprintf(scene->run.version, sizeof(scene->run.version), "%.15s", meta.version);
	if (meta.layout != LAYOUT_VERSION)
		return RUN_OTHER;
	if (read_losses(scene, pins))
		return RUN_UNKNOWN;
	return alive ? RUN_ALIVE : RUN_LEFT;
}

void scene__find_run(struct scene *scene)
{
	static const char *const ways[] = {"/sys/fs/bpf", "/sys/fs/bpf/synwarden"};
	struct pins pins = {.fd = -1, .parent_fd = -1};
	bool missing;

	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++)
		if (access(ways[i], R_OK | X_OK) && errno != ENOENT)
			return;
	if (pins__open(&pins, false, &missing) == 0) {
		pins__each_xdp(&pins, mark_own, scene);
		scene->run.state = judge_run(scene, &pins);
	} else if (missing) {
		scene->run.state = RUN_NONE;
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

static void choose_devices(struct scene *scene, char *const names[])
{
	for (size_t i = 0; i < scene->device_count; i++) {
		struct device *device = &scene->devices[i];

		device->wanted = *names ? is_named(device, names) : device->up && !device->loopback;
	}
}

/* Also of what they stand on, and of a veth's peer. */
static void ask_drivers(struct scene *scene)
{
	for (size_t i = 0; i < scene->device_count; i++) {
		bool asked = scene->devices[i].wanted;

		for (size_t j = 0; j < scene->device_count; j++)
			asked |= scene->devices[j].wanted && scene->devices[j].lower == scene->devices[i].ifindex;
		if (asked)
			scene__ask_driver(&scene->devices[i]);
	}
}

const struct device *scene__device(const struct scene *scene, unsigned ifindex)
{
	for (size_t i = 0; i < scene->device_count; i++)
		if (scene->devices[i].ifindex == ifindex)
			return &scene->devices[i];
	return NULL;
}

int scene__gather(struct scene *scene, char *const names[])
{
	*scene = (struct scene){};
	if (scene__find_devices(scene))
		return -1;
	choose_devices(scene, names);
	read_host(scene);
	read_settings(scene);
	scene__probe_bpf(scene);
	ask_drivers(scene);
	scene__find_run(scene);
	scene__find_backlogs(scene);
	if (scene->backlog_count)
		scene__name_holders(scene);
	return 0;
}

void scene__free(struct scene *scene)
{
	free(scene->devices);
	free(scene->backlogs);
}
