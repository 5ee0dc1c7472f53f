/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The machine as `run` would find it: kernel, rights, settings, interfaces, listeners; gathered at once, and without
 * changing anything. What could not be seen is unknown, never guessed. What it means is for checks.h to say.
 */
#ifndef SYNWARDEN_SCENE_H
#define SYNWARDEN_SCENE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "types.h"

#define SCENE_NAME_LEN 16 /* IFNAMSIZ */

enum answer {
	ANSWER_UNKNOWN,
	ANSWER_NO,
	ANSWER_YES,
};

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

enum offload_id {
	OFFLOAD_VLAN,	 /* tags are taken out of the frame */
	OFFLOAD_TX_VLAN, /* tags go beside the frame, for the hardware to put in; a veth hands it on so */
	OFFLOAD_LRO,
	OFFLOAD_GRO_HW,
	OFFLOAD_RX_CHECKSUM,
	OFFLOAD_MAX,
};

struct offload {
	enum answer on;
	bool fixed;
};

/* An interface. */
struct device {
	unsigned ifindex;
	char name[SCENE_NAME_LEN];
	char kind[SCENE_NAME_LEN];   /* "veth", "vlan"; "" for hardware */
	char driver[SCENE_NAME_LEN]; /* "" where unknown */
	uint8_t mac[6];
	bool up, loopback;
	unsigned mtu;
	unsigned lower; /* what it stands on, or a veth's peer; 0: nothing in this namespace */
	struct {
		uint32_t id;   /* 0: none */
		uint32_t link; /* 0: not attached by a link, or unknown */
		bool native, ours;
		char name[SCENE_NAME_LEN]; /* "" where unknown */
	} xdp;
	enum answer native;	      /* whether the driver takes XDP programs itself */
	bool native_buffers;	      /* and frames in several buffers */
	unsigned queues, most_queues; /* that receive; 0: unknown */
	bool combined_queues;	      /* each receives and sends */
	struct offload offloads[OFFLOAD_MAX];
	enum answer rps;
	int64_t rp_filter;
	bool wanted; /* named, or up and no loopback where none was named */
};

/* A listening socket. */
struct backlog {
	struct addr addr;
	uint16_t port;
	bool loopback;	 /* out of reach for the interfaces */
	uint32_t queued; /* waiting for accept() now */
	uint32_t limit;	 /* that listen() got */
	uint32_t inode;
	uint32_t pid; /* of a process that holds it; 0: unknown */
	char comm[COMM_LEN];
};

enum run_state {
	RUN_UNKNOWN,
	RUN_NONE,
	RUN_ALIVE,
	RUN_LEFT,  /* its filter is at work without it */
	RUN_OTHER, /* of another version, whose maps cannot be read */
};

struct scene {
	char release[65], machine[65];
	bool root;
	unsigned cpus;
	uint64_t capabilities; /* effective, a bit each */
	uint64_t open_files, locked_memory;
	enum answer loads; /* whether the kernel takes a BPF program of this process at all */
	enum answer btf, jit, bpffs, tracefs;
	bool jit_setting; /* net.core.bpf_jit_enable can be seen from this namespace */
	enum answer settings_writable;
	struct feature features[FEATURE_MAX];
	int64_t settings[SETTING_MAX];
	struct device *devices; /* all of this namespace */
	size_t device_count;
	struct backlog *backlogs;
	size_t backlog_count;
	enum answer backlogs_seen;
	struct {
		enum run_state state;
		uint32_t pid;
		char version[16];
		uint64_t losses[LOSS_MAX];
	} run;
};

/* `names` are the interfaces wanted, NULL-terminated; none: all that are up, but for loopback. 0, or -1 after a
 * message. */
int scene__gather(struct scene *scene, char *const names[]);
void scene__free(struct scene *scene);

/* The device with that number; NULL where there is none. */
const struct device *scene__device(const struct scene *scene, unsigned ifindex);
/* The effective capabilities in the text of /proc/PID/status; 0 where it does not say. */
uint64_t scene__capabilities(const char *status);

/* Its parts, one file each. */
void scene__probe_bpf(struct scene *scene);
int scene__find_devices(struct scene *scene);
void scene__ask_driver(struct device *device);
void scene__find_backlogs(struct scene *scene);
void scene__name_holders(struct scene *scene);
void scene__find_run(struct scene *scene);

#endif
