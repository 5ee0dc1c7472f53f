/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The boundary between the BPF programs and the user side: the contents of maps, rings and read-only configuration.
 * Both sides include this file, which brings the others of this folder, and nothing else of each other's.
 *
 * Addresses are 16 bytes in network order, IPv4 as v4-mapped (::ffff:192.0.2.1), so that one form, one trie and
 * one comparison serve both families; a wildcard is :: or ::ffff:0.0.0.0. Ports are in host order, times in
 * nanoseconds of CLOCK_MONOTONIC unless said otherwise, and 0 means "none" unless said otherwise.
 */
#ifndef SYNWARDEN_TYPES_H
#define SYNWARDEN_TYPES_H

#include <linux/types.h>

#include "arming.h"
#include "conns.h"
#include "counters.h"
#include "lists.h"
#include "local.h"
#include "reasons.h"
#include "samples.h"
#include "states.h"
#include "strays.h"

/*
 * Shape and meaning of the pinned maps: a command that finds another version refuses. A row more in one of the tables
 * changes it by itself; for any other change add 1 to LAYOUT.
 */
#define LAYOUT	       26
#define LAYOUT_VERSION (LAYOUT * 1000 + REASON_MAX + ENDING_MAX + TALLY_MAX + LOSS_MAX + PORT_COUNTER_MAX)

#define MAX_CPUS	     1024
#define LISTENER_PORTS	     65536
#define MAX_PORTS	     1024  /* listening ports with counters of their own; slot 0 is "other" */
#define NAMED_SLOTS	     128   /* of them only for ports that --protect or [port N] names, given out by `run` */
#define MAX_SERVED	     4096  /* addresses and ports that connections have proved */
#define MAX_HALF_OPEN_PROOFS 64	   /* entries of it that one census makes for half-open connections */
#define MAX_PROTECTED	     4096  /* and those that --protect names */
#define MAX_VERIFIED	     65536 /* a power of two */
#define MAX_CLOSING	     65536 /* closed connections that wait for the peer's FIN */
#define HIST_SLOTS	     40 /* log2 of microseconds: slot n counts [2^n, 2^(n+1)), slot 0 also 0; the last is open */

/*
 * The source limit: a sketch a CPU (SKETCH_ROWS rows of SKETCH_LINES cache lines) and one table of exact records. A
 * source has a cell in each row and counts as the smaller of the two: a source that shares a cell with a flooder shares
 * it in one row only.
 */
#define SKETCH_ROWS	    2
#define SKETCH_LINES	    1024
#define SKETCH_PER_LINE	    31 /* cells of 16 bits; the line's first 16 bits say which window they count */
#define SKETCH_CELLS	    (SKETCH_LINES * SKETCH_PER_LINE) /* of a row */
#define SKETCH_WINDOW_SHIFT 30				     /* a window is 2^30 ns = 1.07 s */
#define SOURCE_SETS	    1024
#define SOURCE_WAYS	    4
#define SOURCE_LIMIT_MAX    50000 /* SYN/s; a cell of 16 bits must not overflow below it */

/* A per-CPU counter of packets. */
struct verdict_count {
	__u64 packets;
	__u64 bytes;
};

#define PORT_COUNT_COUNTER(name) __u64 name;
#define PORT_COUNT_SYNS(name)
#define PORT_COUNT_CENSUS(name)
#define PORT_COUNT_JUDGED(name)

/* What is counted for one listening port, per CPU. */
struct port_count {
	__u64 syns[VERDICT_MAX]; /* by what the filter did with them (in a dry run: would have done) */
	struct tokens syn_tokens;
	struct tokens stray_tokens;
	__u64 verified_tokens; /* SYNs of verified sources beyond the budget that this CPU may still admit */
	struct addr served;    /* address of this host that this CPU last found in the served set for this port */
	__u32 served_epoch;    /* struct local's, when it was found */
	__u32 pad;
	__u64 per_sender_ns;	     /* until then, each SYN is taken to reach a listener of its sender's own */
	__u64 sound_answers;	     /* of `answered`, those without data and with a right checksum: the kernel makes a
					connection of each */
	struct addr not_served_addr; /* the address that the last SYN of `not_served` went to */
	__u64 limited;		     /* of the SYNs dropped, those over the source limit, */
	__u64 over_budget;	     /* and those over the budget */
	__u64 own;		     /* of `completed`, those of this host with itself */
#define X(kind, name, ...) PORT_COUNT_##kind(name)
	PORT_COUNTERS(X)
#undef X
};

/* What a SYN over its port's budget gets. Options, rules and struct meta all hold these values. */
enum challenge {
	CHALLENGE_OFF,	/* it is dropped */
	CHALLENGE_AUTO, /* it is answered with a SYN cookie */
};

/* What holds for the SYNs of one port. */
struct port_rule {
	__u32 batch_ns;	    /* time that one batch takes; 0: no budget */
	__u32 batch;	    /* SYNs that a CPU takes from the budget at once; at least 1 */
	__u32 budget;	    /* SYN/s, for display; 0: off */
	__u16 challenge;    /* enum challenge */
	__u16 own;	    /* in `port_rules`, 1; 0: config.default_rule holds for this port */
	__u32 stray_budget; /* segments/s, for display, as struct port_strays holds; 0: off */
	__u32 pad[3];
};

/* An address and port that this host is known to serve; all-zero address: any (--protect PORT). */
struct served {
	__be32 words[4];
	__u32 port;
};

#define VERIFIED_NS	     300000000000ULL /* how long a source is verified, */
#define VERIFIED_INTERVAL_NS 10000000ULL     /* and the rate of SYNs that are not challenged meanwhile: 100 SYN/s, */
#define VERIFIED_BURST_NS    1000000000ULL   /* 100 at once */
#define VERIFIED_BUDGETS     10		     /* budgets of the port that all of them together may have beyond it */
#define VERIFIED_ANSWER_NS   10000000000ULL  /* a cookie that has not come back by then is not expected any more */
#define VERIFIED_FRESH_NS    1000000000ULL   /* how long its segments pass though no socket exists yet */

/*
 * A source (IPv4 address, IPv6 /64) that has answered a challenge; its hash gives the slot. A later source with the
 * same slot replaces it, and the earlier one is challenged again.
 */
struct verified {
	struct addr source;
	__u64 until_ns;
	__u64 tat_ns; /* GCRA over VERIFIED_INTERVAL_NS */
	__be32 ack;   /* acknowledgement number of its last answer: a cookie counts once, however many segments carry it
		       */
	__u32 passed; /* SYNs that lately passed unchallenged, and whose cookies from the kernel have not come back */
};

/* Distinct sources of one armed port by HyperLogLog, a set of registers for each window of 2^30 ns. */
#define HLL_BITS      14
#define HLL_REGISTERS (1 << HLL_BITS)
#define HLL_WINDOWS   16 /* a power of two; ten seconds, the current one, and one made ready by the user side */
#define HLL_POOL      16 /* armed ports that are estimated at once */

struct hll {
	__u64 window[HLL_WINDOWS]; /* which window the registers are for; the user side clears them ahead */
	__u8 registers[HLL_WINDOWS][HLL_REGISTERS];
};

/* What the kernel would do with a cookie; `run` keeps it up to date from the sysctls. */
struct cookie_policy {
	__u32 timestamps; /* 1: tcp_timestamps is not 1, so window scale, SACK and ECN survive in the timestamp */
	__u32 sack;
	__u32 scaling;
	__u32 wscale; /* the kernel's, for a socket with default buffers */
	__u32 ecn;
	__u32 ttl;	   /* of IPv4 packets, where the listener has none of its own */
	__u32 reflect_tos; /* 1: the answer has the SYN's TOS, without its ECN bits */
	__u32 always;	   /* 1: tcp_syncookies is 2: a SYN that passes leaves nothing half-open, unless it replaces a
			      TIME_WAIT */
};

/* Sources that may have a connection here have a mark, by the hash of their address; see bpf/known.bpf.h. */
#define KNOWN_MARKS	(1 << 17)
#define KNOWN_EPOCHS	255
#define KNOWN_RELIED_NS 3000000000ULL

struct known {
	__u64 until_ns; /* until then the marks are relied on; `run` renews it while the kernel's settings allow that */
	__u8 epoch;	/* below KNOWN_EPOCHS; a census that has seen all sockets begins the next */
	__u8 pad[7];
};

/* What `run` makes of an armed port's counters, once a second; by slot. */
struct attack {
	__u64 under_attack;	  /* armed, and fewer than half of the handshakes of the last 5 s completed */
	__u64 completed_permille; /* of the SYNs of the last 5 s */
	__u64 syn_rate;		  /* SYN/s, over the last 5 s */
	__u64 sources;		  /* distinct ones in the last 10 s, an estimate */
	__u64 unanswered;	  /* challenges, in the last 10 s */
	__u64 attacks;		  /* that began since counting did; the only one kept while the port is not armed */
};

/*
 * What `run` makes of a port's counters once a second, by slot: their growth in the last `seconds`, and how many
 * clients connect as a rule.
 */
struct port_recent {
	__u64 seconds; /* at most RECENT_SECONDS; 0: nothing is known */
	__u64 syns;
	__u64 passed;
	__u64 challenged;
	__u64 dropped;
	__u64 limited;	   /* dropped over the source limit, */
	__u64 over_budget; /* and over the budget */
	__u64 not_served;
	__u64 answered;	 /* valid cookies of which the kernel makes a connection each */
	__u64 completed; /* handshakes, without those of this host with itself */
	__u64 listen_drops;
	__u64 usual_millis; /* handshakes completed in 1,000 s, while the port was not armed; 0: unknown, or none */
};

#define RECENT_SECONDS 10

/* Sysctls that `run` may change; in the order of enum sysctl_id. */
enum sysctl_id {
	SYSCTL_SYNCOOKIES,
	SYSCTL_SYN_BACKLOG,
	SYSCTL_SYNACK_RETRIES,
	SYSCTL_TIMESTAMPS,
	SYSCTL_MAX,
};

/* What has to be restored, also after a crash. */
struct saved_sysctl {
	__u32 changed; /* 1: `was` is to be restored if the value still is `set` */
	__u32 was;
	__u32 set;
};

/*
 * What explain_packet is asked, and its answer, in the metadata of the frame (32 bytes at most). It judges the frame as
 * filter_packet would, and changes nothing.
 */
struct explanation {
	__u64 until_ns;	 /* end of the list entry, 0: for good; or of the time for which the source is verified */
	__u32 prefixlen; /* of the list entry, as in struct prefix */
	__u32 budget;	 /* of the port, SYN/s; 0: none was asked about */
	__u16 reason;	 /* enum reason */
	__u8 own_rule;	 /* 1: the budget is of a rule of the port's own */
	__u8 armed;	 /* 1: the port is armed */
	__u8 verified;	 /* 1: the source is verified, within its rate or not */
	__u8 served;	 /* 1: the address is known to be served */
	__u8 burst;	 /* in; 1: judge a SYN of a burst, see below */
	__u8 pad;
};

/* SYNs of one sender come in bursts, between which one more may pass. For a SYN of a burst, an armed port has no budget
 * left, and a rate is judged as of this long ago. */
#define EXPLAIN_BURST_NS 50000000ULL

/* By port, 65,536 entries. A LISTEN transition sets it at once; only a census that finds no listener clears it. */
struct listener {
	union {
		struct {
			__u16 slot;	 /* where the port's counters are: 1..MAX_PORTS-1, until `run` takes it back; 0:
					    "other", or      never listened */
			__u16 listening; /* 1 while a socket listens there */
		};
		__u32 word; /* both, for an atomic exchange */
	};
	__u32 since_ms; /* CLOCK_MONOTONIC in ms modulo 2^32 of the last LISTEN transition: a census begun earlier
			   proves nothing */
};

/* How long sockets stayed in one state, per CPU. */
struct histogram {
	__u64 slots[HIST_SLOTS];
	__u64 sum_ns;
};

/* An exact record of one source that is over the limit; admits by GCRA (ITU-T I.371 annex A, virtual scheduling). */
struct source {
	struct addr addr; /* IPv4 whole; IPv6 with the low 64 bits zero */
	__u64 tat_ns;	  /* theoretical arrival time; written only when a packet is admitted, or the slot claimed */
	__u64 claimed_ns; /* when the slot was claimed; tells its drop counters from those of an earlier source */
};

struct source_set {
	struct source ways[SOURCE_WAYS];
};

/* SYNs dropped of one source, per CPU; belongs to the record only while claimed_ns agrees. */
struct source_drops {
	__u64 claimed_ns;
	__u64 packets;
};

struct source_drops_set {
	struct source_drops ways[SOURCE_WAYS];
};

/* One CPU's sketch: SYNs by source hash in the current window. */
struct sketch {
	struct {
		__u16 window;
		__u16 cells[SKETCH_PER_LINE];
	} lines[SKETCH_ROWS][SKETCH_LINES];
	__u64 window; /* the window that the next two count */
	__u32 syns;   /* all SYNs of this CPU in it */
	__u32 claims; /* records claimed by this CPU in it */
	__u32 asks;   /* sums over all CPUs in it */
	__u32 pad[11];
};

#define PORT_CENSUS_CENSUS(name) __u32 name;
#define PORT_CENSUS_SYNS(name)
#define PORT_CENSUS_COUNTER(name)
#define PORT_CENSUS_JUDGED(name)

/* What the kernel's tables hold for one listening port: sums over its listeners. Half-open is NEW_SYN_RECV. */
struct port_census {
#define X(kind, name, ...) PORT_CENSUS_##kind(name)
	PORT_COUNTERS(X)
#undef X
	__u32 reachable; /* listeners that are not bound to a loopback address */
};

#define CENSUS_NO_END (~0ULL) /* there is none */

/* The kernel's own socket tables of one network namespace, counted by iter/tcp. */
struct census {
	__u64 half_open_proofs; /* entries of `served` that this one has made for half-open connections */
	__u64 ends_in; /* jiffies until the first TIME_WAIT, or FIN_WAIT2 without a process, may end; CENSUS_NO_END */
	__u64 first;   /* 1: also note the addresses that existing connections show to be served */
	__u64 unseen;  /* sockets by which censuses differed from the transitions seen; kept by `run` */
	__u64 states[STATE_MAX];
	struct port_census ports[MAX_PORTS]; /* by the port's slot */
	__u64 listening[65536 / 64];	     /* a bit a port */
};

enum census_entry {
	CENSUS_LAST, /* the last one that was finished: what others read */
	CENSUS_WORK, /* the one being counted */
	CENSUS_MAX,
};

#define HASH_SEEDS	3
#define HASH_SEED_LISTS 2 /* of the lists alone: processes without rights see it */

/* Frozen at load: copied whole into the BPF object's read-only data. What can change while the programs run is in maps.
 */
struct config {
	__u64 source_interval_ns;      /* 1e9 / --source-limit; 0: no source limit */
	__u64 source_burst_ns;	       /* how far tat_ns may run ahead */
	__u64 hash_seed[HASH_SEEDS];   /* random, so that no sender can aim at a cell */
	__u32 source_limit;	       /* SYN per window over all CPUs */
	__u32 source_share;	       /* SYN per window on one CPU that raise suspicion; at least 1 */
	__u32 source_claims;	       /* records that one CPU may claim in a window */
	__u32 source_step;	       /* of further SYNs on one CPU that ask again; at least 1 */
	__u64 budget_burst_ns;	       /* how far a budget's tat_ns may run ahead; one batch always may */
	struct port_rule default_rule; /* of every port without one in `port_rules` */
	__u32 cpus;		       /* possible CPUs: entries of `sketches` */
	__u32 has_port_rules;	       /* 1: some port has a rule of its own */
	__u32 has_budget;	       /* 1: some rule has a budget */
	__u32 sketch;		       /* 1: count SYNs by source (source limit, dry run) */
	__u32 has_challenge;	       /* 1: some rule has a budget and CHALLENGE_AUTO */
	__u32 has_strays;	       /* 1: some port has a budget of strays */
	__u32 netns;		       /* inode number; listeners, ports and their counters are of this namespace */
	__u32 dry_run;
	__u32 preempts;	  /* 1: the kernel is PREEMPT_RT: two packets may be under way on one CPU */
	__u32 stream;	  /* enum stream_kind */
	__u32 rings;	  /* CPUs that have one of their own */
	__u32 ring_slots; /* of each ring: a power of two, 1024 at least; 0: nothing is streamed */
	__u32 http;	  /* 1: `run` counts HTTP */
	__u32 generation; /* of the tracker of a `run`, one more than that of the run it takes over from; 0: of a stream
			   */
	__u32 http_lives; /* 1: a `run`, this one or another, fills `http_conns`: a struct life tells of HTTP */
	__u32 list_entries;  /* of each of this host's own lists; 0: a tracker, which asks none */
	__u32 list_words;    /* list_words() of it */
	__u32 fleet_entries; /* of each list of the fleet; 0: there is none */
	__u32 fleet_words;
	struct event_filter filter;
};

#define META_INTERFACES 32

enum meta_flag {
	META_ENDPOINT_WAITS = 1 << 0, /* the HTTP endpoint's address is taken or absent */
	META_SYSCTLS_FIXED = 1 << 1,  /* /proc/sys/net/ipv4 is read-only: cookies cannot be forced */
	META_CONFINED = 1 << 2,	      /* Landlock bounds the files of `run` */
	META_PROTECT_AUTO = 1 << 3,   /* --protect auto */
	META_PROTECT_UNSURE = 1 << 4, /* which takes no port, as any may be translated */
	META_HTTP = 1 << 5,	      /* HTTP is counted */
};

/* What a `run` (running, crashed, or ended with --keep) tells other commands; pinned. */
struct meta {
	__u32 layout;		     /* LAYOUT_VERSION */
	__u32 pid;		     /* of `run`; 0: it ended with --keep */
	__u64 since_ns;		     /* CLOCK_REALTIME at which counting began */
	__u64 netns_cookie;	     /* SO_NETNS_COOKIE */
	__u64 hash_seed[HASH_SEEDS]; /* of struct config: a run that takes over must find the sources where they are */
	__u32 dry_run;
	__u32 source_limit; /* SYN/s; 0: off */
	__u32 port_budget;  /* SYN/s; 0: off */
	__u32 challenge;    /* enum challenge */
	__u32 interfaces;   /* entries in use below */
	__u32 flags;	    /* enum meta_flag, a bit each */
	struct {
		__u32 ifindex; /* 0: it is gone */
		__u32 native;  /* 1: XDP in the driver, 0: generic */
		char name[16];
	} interface[META_INTERFACES];
	char version[16];
	struct addr endpoint;	 /* where the HTTP endpoint is to listen */
	__u16 endpoint_port;	 /* host order; 0: it is off */
	__u16 waiting[LIST_MAX]; /* list files that are not in force as they are */
	__u16 pad;
	__u32 list_entries; /* as in struct config */
	__u32 fleet_entries;
	__u32 stray_budget; /* segments/s; 0: off */
	__u32 more;
};

_Static_assert(META_INTERFACES <= LOCAL_INTERFACES, "as many as may be filtered");
_Static_assert(sizeof(struct port_rule) == 32, "two rules a cache line");
_Static_assert(sizeof(struct explanation) == 24, "metadata of a frame");
_Static_assert(sizeof(struct source) == 32, "two records a cache line");
_Static_assert(sizeof(struct sketch) == SKETCH_ROWS * SKETCH_LINES * 64 + 64, "a sketch line is a cache line");

#endif
