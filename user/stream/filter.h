/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which connections `states` and `conns` show: the options that both have. The kernel side filters what it knows;
 * what depends on the owner is decided here, when the owner is known.
 */
#ifndef SYNWARDEN_STREAM_FILTER_H
#define SYNWARDEN_STREAM_FILTER_H

#include <stdbool.h>

#include "config/options.h"
#include "system/cgroups.h"
#include "types.h"

struct filter_options {
	uint32_t port;
	struct prefix addr; /* FILTER_NO_ADDR bits: none */
	uint32_t family;    /* index into the choices */
	uint32_t pid;
	uint32_t netns;
	uint32_t state; /* enum state; 0: any */
	const char *comm;
	struct cgroup_path cgroup;
};

#define FILTER_NO_ADDR UINT32_MAX
/* The initial value, before options are parsed. */
#define FILTER_ALL                                                                                                     \
	{                                                                                                              \
		.addr.prefixlen = FILTER_NO_ADDR                                                                       \
	}

/* Rows of an option table, for a struct `type` with the struct filter_options `member`. */
#define FILTER_ROWS(type, member)                                                                                      \
	FILTER_ROW("port", 'p', OPTION_NUMBER, 65535, "N", offsetof(type, member.port), "either port is N"),           \
		FILTER_ROW("addr", 'a', OPTION_CIDR, 0, "CIDR", offsetof(type, member.addr),                           \
			   "either address is within CIDR"),                                                           \
		FILTER_ROW("family", 'f', OPTION_CHOICE, 0, "any|4|6", offsetof(type, member.family),                  \
			   "IPv4 (v4-mapped too) or IPv6"),                                                            \
		FILTER_ROW("pid", 0, OPTION_NUMBER, 4194304, "N", offsetof(type, member.pid), "owned by process N"),   \
		FILTER_ROW("comm", 0, OPTION_COMM, 0, "NAME", offsetof(type, member.comm),                             \
			   "owned by a process of this name"),                                                         \
		FILTER_ROW("cgroup", 0, OPTION_CGROUP, 0, "PATH", offsetof(type, member.cgroup),                       \
			   "owned from this cgroup, or one below it"),                                                 \
		FILTER_ROW("netns", 0, OPTION_NETNS, 0, "NETNS", offsetof(type, member.netns),                         \
			   "in a network namespace: name, path or inode number")
#define FILTER_ROW(name, letter, kind, most, value, offset, what)                                                      \
	{                                                                                                              \
		name, letter, kind, 1, most, value, offset, .help = what                                               \
	}

/* Fills in what the kernel side filters by. */
void filter__set(struct event_filter *filter, const struct filter_options *options);
/* Whether an event with its final owner matches; an unknown owner matches no name, pid or cgroup. */
bool filter__matches(const struct filter_options *options, const struct event *event);

#endif
