// SPDX-License-Identifier: GPL-2.0-only
/*
 * segments SECONDS: what a packet takes while an observer looks at it. One connection over loopback sends 100 bytes to
 * and fro, both ends in this thread. Each observer in turn is attached and detached again; the difference of the CPU
 * time of a segment is taken each time (paired.h), and its median printed, a JSON object an observer. A segment passes
 * two hooks, sent and received, so that a packet at one host is half of it.
 *
 * The observers: programs that do nothing; what `synwarden ladder` loads, with filters that match the connection or do
 * not; libpcap as tcpdump uses it. What they deliver is read by another thread.
 */
#define bpf_program pcap_program /* the names that <pcap.h> and libbpf both have */
#define bpf_insn    pcap_insn
#include <pcap/pcap.h>
#undef bpf_program
#undef bpf_insn

#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bench/paired.h"
#include "bench/segments.skel.h"
#include "kernel/programs.h"
#include "stream/rings.h"

#define PORT	   9911
#define MESSAGE	   100
#define PROGRAMS   32
#define RING_SLOTS (1 << 16)
#define READ_US	   20000

struct side {
	const char *name;
	struct event_filter filter; /* of a ladder */
	const char *expression;	    /* of libpcap */
	unsigned parts;		    /* enum program_parts; 0: no ladder */
	int programs[PROGRAMS], links[PROGRAMS], count;
	pcap_t *pcap;
	struct programs *loaded;
	struct rings *rings;
	unsigned long delivered;
	struct paired paired;
};

#define TRACKED (PROGRAMS_TRACKER | PROGRAMS_OWNERS)
#define LADDER	(TRACKED | PROGRAMS_SEGMENTS)

static struct side sides[] = {
	{.name = "empty"},
	{.name = "ladder_other", .parts = LADDER, .filter = {.port = 1}},
	{.name = "ladder_watched", .parts = LADDER, .filter = {.port = PORT}},
	{.name = "ladder_pid", .parts = LADDER | PROGRAMS_READERS, .filter = {.pid = 1}},
	{.name = "tcpdump_other", .expression = "tcp port 1"},
	{.name = "tcpdump_watched", .expression = "tcp port 9911"},
};
#define SIDES (sizeof(sides) / sizeof(*sides))

/* The reader's, while an observer comes or goes. */
static pthread_mutex_t reading = PTHREAD_MUTEX_INITIALIZER;

static bool is_program(int fd)
{
	char path[32], target[64];
	ssize_t length;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	length = readlink(path, target, sizeof(target) - 1);
	if (length < 0)
		return false;
	target[length] = '\0';
	return !strcmp(target, "anon_inode:bpf-prog");
}

/* Takes the programs that were loaded since the last call: those that the kernel attaches to a tracepoint. */
static void take_programs(struct side *side)
{
	static bool taken[1024];
	int link;

	for (int fd = 3; fd < 1024 && side->count < PROGRAMS; fd++) {
		if (taken[fd] || !is_program(fd))
			continue;
		taken[fd] = true;
		link = bpf_raw_tracepoint_open(NULL, fd);
		if (link < 0)
			continue;
		close(link);
		side->programs[side->count++] = fd;
	}
}

static void load_ladder(struct side *side)
{
	struct config config = {
		.stream = STREAM_LADDER,
		.filter = side->filter,
		.cpus = libbpf_num_possible_cpus(),
		.ring_slots = RING_SLOTS,
	};
	int rings, slots;

	config.rings = rings__count(config.cpus);
	if (programs__load(&side->loaded, &config, side->parts, NULL) ||
	    !programs__rings(side->loaded, &rings, &slots) || rings__open(&side->rings, rings, slots))
		exit(1);
	programs__touch_rings(side->loaded);
}

static void load(struct side *side)
{
	if (side->expression)
		return;
	if (side->parts)
		load_ladder(side);
	else if (!segments_bpf__open_and_load())
		die("BPF object");
	take_programs(side);
}

static void begin_capture(struct side *side)
{
	struct pcap_program program;
	char error[PCAP_ERRBUF_SIZE];
	pcap_t *pcap = pcap_create("lo", error);

	if (!pcap || pcap_set_snaplen(pcap, 96) || pcap_set_timeout(pcap, 1000) || pcap_activate(pcap) < 0 ||
	    pcap_compile(pcap, &program, side->expression, 1, PCAP_NETMASK_UNKNOWN) || pcap_setfilter(pcap, &program) ||
	    pcap_setnonblock(pcap, 1, error))
		die("libpcap");
	pcap_freecode(&program);
	side->pcap = pcap;
}

static void attach(void *observer)
{
	struct side *side = observer;

	pthread_mutex_lock(&reading);
	if (side->expression)
		begin_capture(side);
	for (int i = 0; i < side->count; i++) {
		side->links[i] = bpf_raw_tracepoint_open(NULL, side->programs[i]);
		if (side->links[i] < 0)
			die("attach");
	}
	pthread_mutex_unlock(&reading);
}

static void detach(void *observer)
{
	struct side *side = observer;

	pthread_mutex_lock(&reading);
	if (side->pcap)
		pcap_close(side->pcap);
	side->pcap = NULL;
	for (int i = 0; i < side->count; i++)
		close(side->links[i]);
	pthread_mutex_unlock(&reading);
}

static void count_event(void *context, const struct event *event)
{
	struct side *side = context;

	(void)event;
	side->delivered++;
}

static void count_packet(u_char *context, const struct pcap_pkthdr *header, const u_char *bytes)
{
	struct side *side = (void *)context;

	(void)header;
	(void)bytes;
	side->delivered++;
}

static void *read_all(void *unused)
{
	(void)unused;
	pin_to(sysconf(_SC_NPROCESSORS_ONLN) - 1);
	for (;;) {
		usleep(READ_US);
		pthread_mutex_lock(&reading);
		for (size_t i = 0; i < SIDES; i++) {
			if (sides[i].rings)
				rings__consume(sides[i].rings, now(CLOCK_MONOTONIC), SIZE_MAX, count_event, &sides[i]);
			if (sides[i].pcap)
				pcap_dispatch(sides[i].pcap, -1, count_packet, (void *)&sides[i]);
		}
		pthread_mutex_unlock(&reading);
	}
	return NULL;
}

/* A round trip is two segments, and each passes two hooks. */
static void print(struct side *side)
{
	struct paired *paired = &side->paired;
	double ns = median(paired->ns, paired->rounds) / 4;

	printf("{\"case\": \"%s\", \"ns\": %.1f, \"quartiles\": [%.1f, %.1f], \"without\": %.1f, \"rounds\": %u, "
	       "\"delivered\": %lu}\n",
	       side->name, ns, paired->ns[paired->rounds / 4] / 4, paired->ns[paired->rounds * 3 / 4] / 4,
	       median(paired->without, paired->rounds) / 2, paired->rounds, side->delivered);
}

int main(int argc, char **argv)
{
	static const char message[MESSAGE];
	struct pair pair = {.ask = message, .answer = message, .ask_len = MESSAGE, .answer_len = MESSAGE};
	pthread_t reader;
	uint64_t end;

	if (argc != 2)
		return 2;
	for (size_t i = 0; i < SIDES; i++)
		load(&sides[i]);
	connect_pair(&pair, PORT);
	if (pthread_create(&reader, NULL, read_all, NULL))
		die("pthread_create");
	pin_to(0);
	end = now(CLOCK_MONOTONIC) + strtoull(argv[1], NULL, 10) * 1000000000;
	do {
		for (size_t i = 0; i < SIDES; i++)
			paired__measure(&sides[i].paired, &pair, attach, detach, &sides[i]);
	} while (now(CLOCK_MONOTONIC) < end);
	for (size_t i = 0; i < SIDES; i++)
		print(&sides[i]);
	return 0;
}
