// SPDX-License-Identifier: GPL-2.0-only
/*
 * A paced and bounded flood generator for tests: flood [OPTIONS] IFACE DST_MAC DST_ADDR, run in the attacker's network
 * namespace. BPF_PROG_TEST_RUN makes live frames, which flood.bpf.c fills and redirects out of the veth IFACE, so that
 * the XDP program on its peer sees them come in.
 *
 * The peer must be up and have an XDP program, or GRO (ethtool -K PEER gro on): a veth takes no frames from BPF else.
 * The same holds for IFACE where the peer answers by XDP_TX; -x puts a program there that drops the answers.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <ifaddrs.h>
#include <inttypes.h>
#include <linux/if_link.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ether.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <netpacket/packet.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "tools/flood.skel.h"

#define NS_PER_SEC  1000000000ULL
#define SECONDS_MAX 600
#define COUNT_MAX   1000000000
#define BATCH	    64
/* A paced flood sends what is due this often, or less often: each BPF_PROG_TEST_RUN waits for RCU (20 ms). */
#define SLICE_NS      10000000
#define LATE_NS	      40000000 /* what is due for longer is not sent with -e */
#define GRACE_SECONDS 1	       /* for its last slice */
#define PAYLOAD	      64
#define SPARE	      4 /* bytes that send_frame() cuts off again: only then does the kernel note a frame's length anew */
#define FRAME_SIZE    (sizeof(((struct flood_bpf__rodata *)0)->cfg.frame) + 6 + SPARE)

static const char usage[] =
	"usage: flood [-r RATE] [-c COUNT] [-t SECONDS] [-s SOURCES] [-S BASE_ADDR] [-p DPORT] [-n PORTS] [-6]\n"
	"             [-k syn|ack|rst|fin|synack|data|udp] [-C CPU] [-x] [-e] [-q] IFACE DST_MAC DST_ADDR\n"
	"  RATE packets/s (10000; 0: as fast as it goes), COUNT packets (100000) in at most SECONDS (5; up to 600)\n"
	"  from SOURCES addresses (1; 0: random) from BASE_ADDR on (198.18.0.1, 2001:db8::1) to PORTS ports (1) from "
	"DPORT on\n"
	"  -C pins to a CPU, -x drops the replies on IFACE, -q prints no result, -e never makes up for a pause\n";

static const struct kind {
	const char *name;
	uint8_t protocol;
	uint8_t flags;
	uint8_t payload;
} kinds[] = {
	{"syn", IPPROTO_TCP, TH_SYN, 0},
	{"ack", IPPROTO_TCP, TH_ACK, 0},
	{"rst", IPPROTO_TCP, TH_RST, 0},
	{"fin", IPPROTO_TCP, TH_FIN | TH_ACK, 0},
	{"synack", IPPROTO_TCP, TH_SYN | TH_ACK, 0},
	{"data", IPPROTO_TCP, TH_PUSH | TH_ACK, PAYLOAD},
	{"udp", IPPROTO_UDP, 0, PAYLOAD},
};

/* As Linux sends them: MSS 1460, SACK permitted, a timestamp, window scale 7. */
static const uint8_t syn_options[20] = {2, 4, 1460 >> 8, 1460 & 0xff, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0, 1, 3, 3, 7};

struct settings {
	uint64_t rate, count, seconds, sources, dport, dports, cpu;
	bool ip6, drop_replies, even, quiet, pinned;
	const struct kind *kind;
	const char *base, *iface;
	struct ether_addr dst_mac;
	uint8_t dst[16];
	uint8_t src[16]; /* IPv4 in the first four, as inet_pton() writes it */
};

/* A packet without what changes from one to the next, and the sums of it that go into its checksums. */
struct frame {
	uint8_t bytes[FRAME_SIZE];
	size_t length;
	uint32_t ip_sum, l4_sum;
};

static volatile sig_atomic_t stopped;

static void stop(int signal)
{
	(void)signal;
	stopped = 1;
}

static int fail(const char *what, const char *value, const char *why)
{
	fprintf(stderr, "flood: %s \"%s\": %s\n", what, value, why);
	return -1;
}

static int number(const char *text, uint64_t min, uint64_t max, uint64_t *to)
{
	char why[64], *end;

	errno = 0;
	*to = strtoull(text, &end, 10);
	if (!errno && text[0] >= '0' && text[0] <= '9' && !*end && *to >= min && *to <= max)
		return 0;
	snprintf(why, sizeof(why), "must be a number from %" PRIu64 " to %" PRIu64, min, max);
	return fail("option", text, why);
}

static int kind_by_name(const char *name, const struct kind **kind)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strcmp(kinds[i].name, name))
			continue;
		*kind = &kinds[i];
		return 0;
	}
	return fail("kind", name, "must be syn, ack, rst, fin, synack, data or udp");
}

static int parse_option(struct settings *set, int option)
{
	switch (option) {
	case 'r':
		return number(optarg, 0, COUNT_MAX, &set->rate);
	case 'c':
		return number(optarg, 1, COUNT_MAX, &set->count);
	case 't':
		return number(optarg, 1, SECONDS_MAX, &set->seconds);
	case 's':
		return number(optarg, 0, UINT32_MAX, &set->sources);
	case 'p':
		return number(optarg, 1, UINT16_MAX, &set->dport);
	case 'n':
		return number(optarg, 1, UINT16_MAX, &set->dports);
	case 'C':
		set->pinned = true;
		return number(optarg, 0, CPU_SETSIZE - 1, &set->cpu);
	case 'S':
		set->base = optarg;
		return 0;
	case 'k':
		return kind_by_name(optarg, &set->kind);
	case '6':
	case 'x':
	case 'e':
	case 'q':
		set->ip6 |= option == '6';
		set->drop_replies |= option == 'x';
		set->even |= option == 'e';
		set->quiet |= option == 'q';
		return 0;
	default:
		return -1;
	}
}

static int parse(struct settings *set, int argc, char **argv)
{
	int option;

	while ((option = getopt(argc, argv, "r:c:t:s:S:p:n:6k:C:xeq")) != -1) {
		if (option == '?') {
			fputs(usage, stderr);
			return -1;
		}
		if (parse_option(set, option))
			return -1;
	}
	if (argc - optind != 3) {
		fputs(usage, stderr);
		return -1;
	}
	set->iface = argv[optind];
	if (!ether_aton_r(argv[optind + 1], &set->dst_mac))
		return fail("MAC address", argv[optind + 1], "must be six bytes as 02:00:00:00:00:01");
	if (inet_pton(set->ip6 ? AF_INET6 : AF_INET, argv[optind + 2], set->dst) != 1)
		return fail("address", argv[optind + 2],
			    set->ip6 ? "not an IPv6 address" : "not an IPv4 address (IPv6: -6)");
	if (!set->base)
		set->base = set->ip6 ? "2001:db8::1" : "198.18.0.1";
	if (inet_pton(set->ip6 ? AF_INET6 : AF_INET, set->base, set->src) != 1)
		return fail("address", set->base, set->ip6 ? "not an IPv6 address" : "not an IPv4 address (IPv6: -6)");
	return 0;
}

/* The interface's own MAC address (where asked for), and the packets that its peer took from it (they wrap). */
static int look_at(const char *iface, uint8_t *mac, uint32_t *taken)
{
	struct ifaddrs *list, *i;
	int ret = -1;

	if (getifaddrs(&list))
		return fail("interface", iface, strerror(errno));
	for (i = list; i; i = i->ifa_next) {
		if (!i->ifa_addr || i->ifa_addr->sa_family != AF_PACKET || strcmp(i->ifa_name, iface))
			continue;
		if (mac)
			memcpy(mac, ((struct sockaddr_ll *)i->ifa_addr)->sll_addr, ETH_ALEN);
		*taken = ((struct rtnl_link_stats *)i->ifa_data)->tx_packets;
		ret = 0;
	}
	freeifaddrs(list);
	return ret ? fail("interface", iface, "does not exist in this network namespace") : 0;
}

/* Ones' complement sum of 16-bit words in memory order, not folded. An odd last byte is the first of its word. */
static uint32_t sum_of(const void *data, size_t length)
{
	const uint8_t *at = data;
	uint32_t sum = 0;
	uint16_t word;

	for (; length > 1; length -= 2, at += 2) {
		memcpy(&word, at, sizeof(word));
		sum += word;
	}
	return length ? sum + htons(*at << 8) : sum;
}

static size_t write_segment(const struct settings *set, uint8_t *at)
{
	const struct kind *kind = set->kind;
	struct tcphdr tcp = {
		.th_dport = htons(set->dport),
		.th_ack = kind->flags & TH_ACK ? htonl(1) : 0,
		.th_off = 5,
		.th_flags = kind->flags,
		.th_win = htons(64240),
	};
	struct udphdr udp = {
		.uh_dport = htons(set->dport),
		.uh_ulen = htons(sizeof(udp) + kind->payload),
	};
	size_t length = sizeof(tcp);

	if (kind->protocol == IPPROTO_UDP) {
		length = sizeof(udp);
		memcpy(at, &udp, length);
	} else if (kind->flags & TH_SYN) {
		memcpy(at + length, syn_options, sizeof(syn_options));
		tcp.th_off += sizeof(syn_options) / 4;
		memcpy(at, &tcp, length);
		length += sizeof(syn_options);
	} else {
		memcpy(at, &tcp, length);
	}
	memset(at + length, 'x', kind->payload);
	return length + kind->payload;
}

static void write_ip(const struct settings *set, struct frame *frame, uint8_t *at, size_t segment)
{
	struct iphdr ip = {
		.version = 4,
		.ihl = 5,
		.tot_len = htons(sizeof(ip) + segment),
		.frag_off = htons(IP_DF),
		.ttl = 64,
		.protocol = set->kind->protocol,
	};
	struct ip6_hdr ip6 = {
		.ip6_flow = htonl(6 << 28),
		.ip6_plen = htons(segment),
		.ip6_nxt = set->kind->protocol,
		.ip6_hlim = 64,
	};

	if (set->ip6) {
		memcpy(&ip6.ip6_dst, set->dst, sizeof(ip6.ip6_dst));
		memcpy(at, &ip6, sizeof(ip6));
		return;
	}
	memcpy(&ip.daddr, set->dst, sizeof(ip.daddr));
	memcpy(at, &ip, sizeof(ip));
	frame->ip_sum = sum_of(&ip, sizeof(ip));
}

static void write_frame(const struct settings *set, const uint8_t *src_mac, struct frame *frame)
{
	struct ether_header eth = {.ether_type = htons(set->ip6 ? ETHERTYPE_IPV6 : ETHERTYPE_IP)};
	size_t ip_size = set->ip6 ? sizeof(struct ip6_hdr) : sizeof(struct iphdr);
	uint8_t *at = frame->bytes;
	size_t segment;

	memcpy(eth.ether_dhost, &set->dst_mac, ETH_ALEN);
	memcpy(eth.ether_shost, src_mac, ETH_ALEN);
	memcpy(at, &eth, sizeof(eth));
	segment = write_segment(set, at + sizeof(eth) + ip_size);
	write_ip(set, frame, at + sizeof(eth), segment);
	frame->length = sizeof(eth) + ip_size + segment;
	frame->l4_sum = sum_of(at + sizeof(eth) + ip_size, segment) + sum_of(set->dst, set->ip6 ? 16 : 4) +
			htons(set->kind->protocol) + htons(segment);
}

static void configure(struct flood_bpf *skel, const struct settings *set, const struct frame *frame)
{
	struct flood_bpf__rodata *ro = skel->rodata;
	size_t words = frame->length / sizeof(ro->cfg.frame[0]) * sizeof(ro->cfg.frame[0]);

	ro->cfg.ifindex = if_nametoindex(set->iface);
	ro->cfg.sources = set->sources;
	ro->cfg.ip6 = set->ip6;
	ro->cfg.protocol = set->kind->protocol;
	ro->cfg.length = frame->length;
	ro->cfg.ip_sum = frame->ip_sum;
	ro->cfg.l4_sum = frame->l4_sum;
	ro->cfg.dport = htons(set->dport);
	ro->cfg.dports = set->dports;
	memcpy(set->ip6 ? ro->cfg.base : ro->cfg.base + 3, set->src, set->ip6 ? 16 : 4);
	memcpy(ro->cfg.frame, frame->bytes, words);
	memcpy(ro->cfg.tail, frame->bytes + words, frame->length - words);
	skel->bss->limit = set->count;
}

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * NS_PER_SEC + t.tv_nsec;
}

static void sleep_until(uint64_t ns)
{
	struct timespec t = {.tv_sec = ns / NS_PER_SEC, .tv_nsec = ns % NS_PER_SEC};

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
}

static int send_frames(int program, const struct frame *frame, uint64_t count)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame->bytes, .data_size_in = frame->length + SPARE,
		    .repeat = count, .flags = BPF_F_TEST_XDP_LIVE_FRAMES, .batch_size = BATCH);
	int err = bpf_prog_test_run_opts(program, &opts);

	/* Interrupted by a signal, which set `stopped`. */
	if (err && err != -EINTR)
		return fail("BPF_PROG_TEST_RUN", "send_frame", strerror(-err));
	return 0;
}

/* Sends what has become due, slice by slice; without a rate all is due at once, and an alarm ends it. */
static int flood(struct flood_bpf *skel, const struct settings *set, const struct frame *frame)
{
	uint64_t start = now(), end = set->seconds * NS_PER_SEC, elapsed = 0, skipped = 0, before, target;
	int program = bpf_program__fd(skel->progs.send_frame);

	alarm(set->seconds + (set->rate ? GRACE_SECONDS : 0));
	while (!stopped && skel->bss->sent < set->count && elapsed < end) {
		if (set->rate)
			sleep_until(start + elapsed + SLICE_NS);
		before = elapsed;
		elapsed = now() - start;
		if (set->even && elapsed > before + LATE_NS)
			skipped += elapsed - before - LATE_NS;
		if (elapsed > end)
			elapsed = end;
		target = set->rate ? (elapsed - skipped) * set->rate / NS_PER_SEC : set->count;
		if (target > set->count)
			target = set->count;
		if (target > skel->bss->sent && send_frames(program, frame, target - skel->bss->sent))
			return -1;
	}
	return 0;
}

static int pin_to_cpu(const struct settings *set)
{
	char number[24];
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(set->cpu, &cpus);
	if (!set->pinned || !sched_setaffinity(0, sizeof(cpus), &cpus))
		return 0;
	snprintf(number, sizeof(number), "%" PRIu64, set->cpu);
	return fail("CPU", number, strerror(errno));
}

static int run(struct flood_bpf *skel, const struct settings *set, const struct frame *frame, uint32_t taken_before)
{
	uint64_t ns, sent;
	uint32_t taken;

	if (set->drop_replies) {
		skel->links.drop_replies =
			bpf_program__attach_xdp(skel->progs.drop_replies, if_nametoindex(set->iface));
		if (!skel->links.drop_replies)
			return fail("interface", set->iface, "an XDP program is there already, or it takes none");
	}
	if (flood(skel, set, frame) || look_at(set->iface, NULL, &taken))
		return -1;
	sent = skel->bss->sent;
	ns = skel->bss->last_ns - skel->bss->first_ns;
	if (sent && taken == taken_before)
		return fail("interface", set->iface,
			    "the peer took nothing: it must be up, with XDP or GRO (ethtool -K PEER gro on)");
	if (!set->quiet)
		printf("{\"sent\": %" PRIu64 ", \"seconds\": %.3f, \"pps\": %.0f}\n", sent, ns / 1e9,
		       ns ? sent * 1e9 / ns : 0);
	return 0;
}

int main(int argc, char **argv)
{
	struct settings set = {
		.rate = 10000, .count = 100000, .seconds = 5, .sources = 1, .dport = 80, .dports = 1, .kind = kinds};
	struct sigaction action = {.sa_handler = stop};
	uint8_t src_mac[ETH_ALEN];
	struct frame frame = {0};
	struct flood_bpf *skel;
	uint32_t taken;
	int ret = 1;

	if (parse(&set, argc, argv))
		return 2;
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGALRM, &action, NULL);
	if (pin_to_cpu(&set) || look_at(set.iface, src_mac, &taken))
		return 1;

	write_frame(&set, src_mac, &frame);
	skel = flood_bpf__open();
	if (!skel) {
		fail("BPF object", "flood", "cannot be opened");
		goto cleanup;
	}
	configure(skel, &set, &frame);
	if (getrandom(&skel->bss->random, sizeof(skel->bss->random), 0) < 0 || flood_bpf__load(skel)) {
		fail("BPF object", "flood", "cannot be loaded: needs root and Linux 5.18");
		goto cleanup;
	}
	ret = run(skel, &set, &frame, taken) ? 1 : 0;
cleanup:
	flood_bpf__destroy(skel);
	return ret;
}
