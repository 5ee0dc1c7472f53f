/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The machine as `run` would find it: kernel, rights, settings, interfaces, listeners; gathered at once, and without
 * changing anything. What could not be seen is unknown, never guessed. What it means is for checks.h to say.
 */
#ifndef SYNWARDEN_DOCTOR_PROBE_H
#define SYNWARDEN_DOCTOR_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "output/protection.h"
#include "system/backlogs.h"
#include "system/devices.h"
#include "system/redirects.h"
#include "types.h"

/* What the programs need of the kernel; each tried, none concluded from a version. */
enum feature_id {
	FEATURE_FILTER,	     /* XDP programs for frames in several buffers, and the maps they use */
	FEATURE_COOKIES,     /* the helpers that make and check SYN cookies there */
	FEATURE_TRACEPOINTS, /* BTF tracepoints */
	FEATURE_STORAGE,     /* socket-local storage that an accepted child inherits */
	FEATURE_ITERATORS,   /* over the tables of sockets and of open files */
	FEATURE_RING,
	FEATURE_CHARGING, /* memory of maps is charged to the cgroup, and RLIMIT_MEMLOCK not asked */
	FEATURE_PROGRAMS, /* synwarden's own programs pass the verifier */
	FEATURE_LADDER,	  /* and those that `ladder` needs besides, at tracepoints of packets */
	FEATURE_MAX,
};

struct feature {
	enum answer present;
	char missing[128]; /* which part, where it is not */
};

enum setting_id {
	SETTING_SYNCOOKIES,
	SETTING_TIMESTAMPS,
	SETTING_SYN_BACKLOG,
	SETTING_SOMAXCONN,
	SETTING_SYNACK_RETRIES,
	SETTING_RP_FILTER, /* of all interfaces; the greater of this and the interface's own holds */
	SETTING_CONNTRACK_LOOSE,
	SETTING_MAX,
};

#define SETTING_UNKNOWN (-1)
#define SETTING_ABSENT	(-2) /* this kernel was built without it */

enum run_state {
	RUN_UNKNOWN,
	RUN_NONE,
	RUN_ALIVE,
	RUN_LEFT,  /* its filter is attached without it */
	RUN_OTHER, /* of another version, whose maps cannot be read */
};

struct host {
	char release[65], machine[65];
	bool root;
	unsigned cpus;
	uint64_t capabilities; /* effective, a bit each */
	int landlock;	       /* version; 0: none, or not to be used */
	uint64_t open_files, locked_memory;
	enum answer loads; /* whether the kernel takes a BPF program of this process at all */
	enum answer btf, jit, bpffs, tracefs;
	enum answer cgroups;	/* whether the cgroup v2 hierarchy is mounted, */
	bool cgroups_are_whole; /* and all of it, not a container's part */
	bool jit_setting;	/* net.core.bpf_jit_enable can be seen from this namespace */
	enum answer settings_writable;
	struct feature features[FEATURE_MAX];
	int64_t settings[SETTING_MAX];
	struct devices devices; /* all of this namespace */
	struct backlogs backlogs;
	enum answer backlogs_seen;
	struct redirects redirects;
	bool redirects_seen;
	bool reports_closed; /* RSTs of closed ports: --stray-budget covers them */
	struct {
		enum run_state state;
		uint32_t pid;
		char version[16];
		uint32_t flags; /* enum meta_flag */
		struct addr endpoint;
		uint16_t endpoint_port;	    /* 0: off */
		uint16_t waiting[LIST_MAX]; /* list files that are not taken */
		uint64_t losses[LOSS_MAX];
		enum severity severity; /* of the state of protection, in words below, with the command that fixes it */
		char verdict[PROTECTION_TEXT_LEN], fix[PROTECTION_TEXT_LEN];
	} run;
};

/* `names` are the interfaces wanted, NULL-terminated; none: all that are up, but for loopback. 0, or -1 after a
 * message. */
int probe__gather(struct host *host, char *const names[]);
void probe__free(struct host *host);

/* The effective capabilities in the text of /proc/PID/status; 0 where it does not say. */
uint64_t probe__capabilities(const char *status);

/* Its parts, one file each. */
void probe__probe_bpf(struct host *host);
void probe__find_run(struct host *host);

#endif
