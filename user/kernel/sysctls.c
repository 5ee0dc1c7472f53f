// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads, changes and restores sysctls below /proc/sys/net.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "kernel/sysctls.h"
#include "text/log.h"

#define PROC	      "/proc/sys/net/"
#define WSCALE_MAX    14 /* RFC 7323 section 2.3 */
#define UNSCALED_BITS 15 /* net/ipv4/tcp_output.c: tcp_select_initial_window() */

static const char *const paths[SYSCTL_MAX] = {
	[SYSCTL_SYNCOOKIES] = "ipv4/tcp_syncookies",
	[SYSCTL_SYN_BACKLOG] = "ipv4/tcp_max_syn_backlog",
	[SYSCTL_SYNACK_RETRIES] = "ipv4/tcp_synack_retries",
	[SYSCTL_TIMESTAMPS] = "ipv4/tcp_timestamps",
};

int sysctls__read(const char *setting, uint32_t *value)
{
	char path[128], text[128] = "", *word, *rest = text;
	int fd;
	ssize_t n;

	snprintf(path, sizeof(path), PROC "%s", setting);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n <= 0)
		return -1;
	while ((word = strsep(&rest, " \t\n")))
		if (*word)
			*value = strtoul(word, NULL, 10);
	return 0;
}

static int write_value(const char *setting, uint32_t value)
{
	char path[128], text[16];
	int fd, len = snprintf(text, sizeof(text), "%u\n", value), ret;

	snprintf(path, sizeof(path), PROC "%s", setting);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	ret = fd >= 0 && write(fd, text, len) == len ? 0 : -1;
	if (ret)
		log_error("cannot set %s to %u: %s", path, value, strerror(errno));
	if (fd >= 0)
		close(fd);
	return ret;
}

bool sysctls__are_read_only(void)
{
	return access(PROC "ipv4/tcp_syncookies", W_OK) && errno == EROFS;
}

uint32_t sysctls__get(enum sysctl_id id)
{
	uint32_t value = 0;

	sysctls__read(paths[id], &value);
	return value;
}

int sysctls__set(int map, enum sysctl_id id, uint32_t value)
{
	struct saved_sysctl saved;
	__u32 key = id, now;

	if (sysctls__read(paths[id], &now) || bpf_map_lookup_elem(map, &key, &saved)) {
		log_error("cannot read " PROC "%s: %s", paths[id], strerror(errno));
		return -1;
	}
	if (now == value)
		return 0;
	if (!saved.changed)
		saved.was = now;
	saved.changed = 1;
	saved.set = value;
	if (bpf_map_update_elem(map, &key, &saved, BPF_ANY)) {
		log_error("cannot note the old value of " PROC "%s: %s", paths[id], strerror(errno));
		return -1;
	}
	if (write_value(paths[id], value) == 0)
		return 0;
	saved.changed = 0;
	bpf_map_update_elem(map, &key, &saved, BPF_ANY);
	return -1;
}

bool sysctls__is_changed(int map, enum sysctl_id id)
{
	struct saved_sysctl saved;
	__u32 key = id;

	return bpf_map_lookup_elem(map, &key, &saved) == 0 && saved.changed;
}

int sysctls__restore(int map, enum sysctl_id id)
{
	struct saved_sysctl saved;
	__u32 key = id, now;

	if (bpf_map_lookup_elem(map, &key, &saved) || !saved.changed)
		return 0;
	if (sysctls__read(paths[id], &now)) {
		log_error("cannot read " PROC "%s, which was %u before synwarden: %s", paths[id], saved.was,
			  strerror(errno));
		return -1;
	}
	if (now != saved.set)
		log_warn(PROC "%s is %u, which synwarden did not set; it was %u before synwarden and is left alone",
			 paths[id], now, saved.was);
	else if (write_value(paths[id], saved.was))
		return -1;
	saved.changed = 0;
	return bpf_map_update_elem(map, &key, &saved, BPF_ANY);
}

int sysctls__restore_all(int map)
{
	int ret = 0;

	for (unsigned id = 0; id < SYSCTL_MAX; id++)
		ret |= sysctls__restore(map, id);
	return ret;
}

int sysctls__restore_left(const struct pins *pins)
{
	int map = pins__sysctls(pins), ret;

	if (map < 0)
		return 0;
	ret = sysctls__restore_all(map);
	close(map);
	return ret;
}

/* As tcp_select_initial_window() computes it for a socket with default buffers. */
static uint32_t window_scale(void)
{
	uint32_t space = 0, rmem = 0, core = 0, bits = 0;

	sysctls__read("ipv4/tcp_rmem", &rmem);
	sysctls__read("core/rmem_max", &core);
	for (space = rmem > core ? rmem : core; space > 1; space >>= 1)
		bits++;
	if (bits <= UNSCALED_BITS)
		return 0;
	return bits - UNSCALED_BITS < WSCALE_MAX ? bits - UNSCALED_BITS : WSCALE_MAX;
}

void sysctls__cookie_policy(struct cookie_policy *policy)
{
	uint32_t sack = 0, scaling = 0, ecn = 0, ttl = 0, reflect_tos = 0;

	sysctls__read("ipv4/tcp_sack", &sack);
	sysctls__read("ipv4/tcp_window_scaling", &scaling);
	sysctls__read("ipv4/tcp_ecn", &ecn);
	sysctls__read("ipv4/ip_default_ttl", &ttl);
	sysctls__read("ipv4/tcp_reflect_tos", &reflect_tos); /* from 5.10 on */
	*policy = (struct cookie_policy){
		.timestamps = sysctls__get(SYSCTL_TIMESTAMPS) == 2,
		.sack = sack != 0,
		.scaling = scaling != 0,
		.wscale = window_scale(),
		.ecn = ecn != 0,
		.ttl = ttl,
		.reflect_tos = reflect_tos != 0,
		.always = sysctls__get(SYSCTL_SYNCOOKIES) == SYNCOOKIES_ALWAYS,
	};
}
