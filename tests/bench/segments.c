// SPDX-License-Identifier: GPL-2.0-only
/*
 * segments SECONDS: what a packet takes while an observer looks at it. One connection over loopback sends 100 bytes to
 * and fro, both ends in this thread. Each observer in turn is attached and detached again; the difference of the CPU
 * time of a segment is taken each time, and its median printed, a JSON object an observer. Of the batches of each time
 * the fastest counts, as other work on the machine only adds. A segment passes two hooks, sent and received, so that a
 * packet at one host is half of it.
 *
 * The observers: programs that do nothing; what `synwarden ladder` loads, with filters that match the connection or do
 * not; libpcap as tcpdump uses it. What they deliver is read by another thread.
 */
#define bpf_program pcap_program /* the names that <pcap.h> and libbpf both have */
#define bpf_insn    pcap_insn
#include <pcap/pcap.h>
#undef bpf_program
#undef bpf_insn

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bench/segments.skel.h"
#include "kernel/programs.h"
#include "stream/rings.h"

#define PORT	   9911
#define MESSAGE	   100
#define BATCH	   50 /* round trips between two looks at the clock */
#define BATCHES	   32
#define PROGRAMS   32
#define ROUNDS	   4096
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
	unsigned rounds;
	unsigned long delivered;
	double ns[ROUNDS], without[ROUNDS];
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

static uint64_t now(clockid_t clock)
{
	struct timespec time;

	clock_gettime(clock, &time);
	return time.tv_sec * 1000000000ULL + time.tv_nsec;
}

static void die(const char *what)
{
	perror(what);
	exit(1);
}

/* A connected pair over 127.0.0.1. */
static void connect_pair(int ends[2])
{
	struct sockaddr_in at = {
		.sin_family = AF_INET, .sin_port = htons(PORT), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int listener = socket(AF_INET, SOCK_STREAM, 0), on = 1;

	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(listener, (struct sockaddr *)&at, sizeof(at)) || listen(listener, 1))
		die("listen");
	ends[0] = socket(AF_INET, SOCK_STREAM, 0);
	if (connect(ends[0], (struct sockaddr *)&at, sizeof(at)))
		die("connect");
	ends[1] = accept(listener, NULL, NULL);
	for (int i = 0; i < 2; i++)
		setsockopt(ends[i], IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	close(listener);
}

static void pass(int from, int to)
{
	char message[MESSAGE] = "";

	if (send(from, message, sizeof(message), 0) != sizeof(message) ||
	    recv(to, message, sizeof(message), MSG_WAITALL) != sizeof(message))
		die("exchange");
}

/* The CPU time of a segment, in nanoseconds. */
static double exchange(const int ends[2])
{
	uint64_t cpu = now(CLOCK_THREAD_CPUTIME_ID);

	for (int i = 0; i < BATCH; i++) {
		pass(ends[0], ends[1]);
		pass(ends[1], ends[0]);
	}
	return (double)(now(CLOCK_THREAD_CPUTIME_ID) - cpu) / (2 * BATCH);
}

/* Of some batches, the CPU time of a segment in the fastest. */
static double fastest(const int ends[2])
{
	double least = exchange(ends);

	for (int i = 1; i < BATCHES; i++) {
		double ns = exchange(ends);

		if (ns < least)
			least = ns;
	}
	return least;
}

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

static void attach(struct side *side)
{
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

static void detach(struct side *side)
{
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

static void pin_to(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
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

static void measure(struct side *side, const int ends[2])
{
	double before = fastest(ends), with, without;

	if (side->rounds == ROUNDS)
		return;
	attach(side);
	with = fastest(ends);
	detach(side);
	without = (before + fastest(ends)) / 2;
	side->without[side->rounds] = without;
	side->ns[side->rounds++] = (with - without) / 2;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *values, unsigned count)
{
	qsort(values, count, sizeof(*values), by_value);
	return values[count / 2];
}

int main(int argc, char **argv)
{
	pthread_t reader;
	uint64_t end;
	int ends[2];

	if (argc != 2)
		return 2;
	pin_to(0);
	for (size_t i = 0; i < SIDES; i++)
		load(&sides[i]);
	connect_pair(ends);
	if (pthread_create(&reader, NULL, read_all, NULL))
		die("pthread_create");
	end = now(CLOCK_MONOTONIC) + strtoull(argv[1], NULL, 10) * 1000000000;
	do {
		for (size_t i = 0; i < SIDES; i++)
			measure(&sides[i], ends);
	} while (now(CLOCK_MONOTONIC) < end);
	for (size_t i = 0; i < SIDES; i++) {
		struct side *side = &sides[i];
		double ns = median(side->ns, side->rounds);

		printf("{\"case\": \"%s\", \"ns\": %.1f, \"quartiles\": [%.1f, %.1f], \"without\": %.1f, \"rounds\": "
		       "%u, "
		       "\"delivered\": %lu}\n",
		       side->name, ns, side->ns[side->rounds / 4], side->ns[side->rounds * 3 / 4],
		       median(side->without, side->rounds), side->rounds, side->delivered);
	}
	return 0;
}
