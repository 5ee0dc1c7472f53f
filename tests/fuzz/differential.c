// SPDX-License-Identifier: GPL-2.0-only
/*
 * differential COUNT SEED FILE: makes so many frames, mostly sound ones with a few lies and mutations, and runs each
 * through the real filter program. The frames go to FILE as a pcap, and to stdout the reason that each was given, one
 * a line. tests/fuzz/differential.py judges the same frames by what tshark makes of them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>
#include <linux/ipv6.h>

#include "lib/filter_program.h"

#define LINKTYPE_ETHERNET 1
#define SHORTEST	  14 /* BPF_PROG_TEST_RUN takes none below */

struct pcap_header {
	uint32_t magic;
	uint16_t major, minor;
	uint32_t zone, sigfigs, snaplen, linktype;
};

struct pcap_packet {
	uint32_t seconds, micros, caplen, len;
};

static struct frame frame, after;
static uint64_t random_state;

static uint32_t any(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state >> 16;
}

static uint32_t below(uint32_t bound)
{
	return any() % bound;
}

/* True once in so many times. */
static bool once_in(uint32_t times)
{
	return !below(times);
}

#define ONE_OF(...) (((const uint32_t[]){__VA_ARGS__})[below(sizeof((uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t))])

static void choose_link(struct frame_spec *spec)
{
	int tags = once_in(3) ? below(FRAME_TAGS) : 0;

	for (int i = 0; i < tags; i++)
		spec->tags[i] = ONE_OF(ETH_P_8021Q, ETH_P_8021AD);
	if (once_in(30))
		spec->ethertype =
			SAID(ONE_OF(ETH_P_ARP, ETH_P_IP, ETH_P_IPV6, ETH_P_MPLS_UC, 0x88cc, 0x9100, 46, 1500));
}

static void choose_ipv4(struct frame_spec *spec)
{
	if (once_in(3))
		spec->ip_options = 4 * below(11);
	if (once_in(4))
		spec->fragment = ONE_OF(0, IP4_MF, IP4_DF, IP4_RESERVED) | (once_in(2) ? below(0x2000) : 0);
	if (once_in(10))
		spec->protocol = SAID(ONE_OF(IPPROTO_UDP, IPPROTO_ICMP, IPPROTO_IPIP, IPPROTO_GRE, below(256)));
	if (once_in(20))
		spec->ihl = SAID(below(16));
}

static void choose_ipv6(struct frame_spec *spec)
{
	int headers = once_in(2) ? below(FRAME_EXT - 1) : 0;

	for (int i = 0; i < headers; i++) {
		struct frame_ext *ext = &spec->ext[i];

		ext->type = ONE_OF(IPPROTO_HOPOPTS, IPPROTO_ROUTING, IPPROTO_DSTOPTS, IPPROTO_AH, IPPROTO_FRAGMENT,
				   EXT_SHIM6, once_in(10) ? EXT_MH : IPPROTO_DSTOPTS,
				   once_in(10) ? EXT_HIP : IPPROTO_ROUTING);
		ext->hop = ext->type == IPPROTO_HOPOPTS;
		ext->len = once_in(3) ? below(6) : 0;
		if (ext->type == IPPROTO_FRAGMENT)
			ext->fragment = ONE_OF(0, EXT_MF, EXT_MF, 6, once_in(2) ? any() & 0xffff : 0);
	}
	if (once_in(10))
		spec->protocol = SAID(ONE_OF(IPPROTO_UDP, IPPROTO_ICMPV6, IPPROTO_NONE, IPPROTO_ESP, below(256)));
}

static void choose_tcp(struct frame_spec *spec)
{
	spec->flags = SAID(once_in(3) ? below(256) : ONE_OF(SYN, ACK, SYN | ACK, FIN | ACK, RST, PSH | ACK));
	if (once_in(2))
		spec->tcp_options = 4 * below(11);
	if (once_in(10))
		spec->doff = SAID(below(16));
	spec->reserved = once_in(5) ? below(16) : 0;
	spec->payload = once_in(2) ? below(64) : 0;
	spec->dport = SAID(below(65536));
}

static void choose_lies(struct frame_spec *spec)
{
	if (once_in(20))
		spec->version = SAID(below(16));
	if (once_in(8))
		spec->keep = SAID(below(spec->ip6 ? 120 : 60));
	if (once_in(10))
		spec->length = SAID(once_in(2) ? below(150) : any() & 0xffff);
	if (once_in(4))
		spec->pad = below(20);
	if (once_in(10))
		spec->cut = SAID(SHORTEST + below(100));
}

/* Padding as options, and a routing type for experiments: tshark does not read on behind what it cannot make sense of.
 */
static void fill_extensions(const struct frame_spec *spec)
{
	uint8_t *at = frame.bytes + frame.ip + sizeof(struct ipv6hdr);

	for (const struct frame_ext *ext = spec->ext; frame.ip6 && frame_has_ext(ext); ext++) {
		uint32_t len = ext->type == IPPROTO_AH	       ? 8 + ext->len * 4
			       : ext->type == IPPROTO_FRAGMENT ? 8
							       : 8 + ext->len * 8;

		if (ext->type == IPPROTO_HOPOPTS || ext->type == IPPROTO_DSTOPTS) {
			memset(at + 2, 0, len - 2);
			at[2] = 1; /* PadN */
			at[3] = len - 4;
		} else if (ext->type == IPPROTO_ROUTING) {
			at[2] = 253;
			at[3] = 0;
		}
		at += len;
	}
}

static void mutate(void)
{
	for (int changes = once_in(3) ? 1 + below(4) : 0; changes; changes--) {
		uint8_t *at = &frame.bytes[12 + below(frame.len > 140 ? 128 : frame.len - 12)];

		*at = once_in(2) ? any() : *at ^ 1u << below(8);
	}
}

static void make_frame(void)
{
	struct frame_spec spec = {.ip6 = once_in(2)};

	choose_link(&spec);
	if (spec.ip6)
		choose_ipv6(&spec);
	else
		choose_ipv4(&spec);
	choose_tcp(&spec);
	choose_lies(&spec);
	frame_build(&frame, &spec);
	fill_extensions(&spec);
	if (frame.len < SHORTEST)
		frame_fill(&frame, SHORTEST - frame.len);
	mutate();
}

static void read_counts(const struct filter *filter, uint64_t packets[REASON_MAX])
{
	size_t cpus = libbpf_num_possible_cpus();
	struct verdict_count values[REASON_MAX * cpus];
	uint32_t keys[REASON_MAX], next, count = REASON_MAX;

	/* It says ENOENT where it has come to the end. */
	if (bpf_map_lookup_batch(filter->maps->verdicts, NULL, &next, keys, values, &count, NULL) && errno != ENOENT)
		fail_msg("cannot read the counters: %s", strerror(errno));
	assert_int_equal(count, REASON_MAX);
	memset(packets, 0, REASON_MAX * sizeof(*packets));
	for (size_t i = 0; i < REASON_MAX * cpus; i++)
		packets[keys[i / cpus]] += values[i].packets;
}

/* The one reason that was counted; the frame leaves with its action, and unchanged. */
static enum reason run_frame(const struct filter *filter, uint64_t before[REASON_MAX])
{
	uint64_t now[REASON_MAX];
	enum reason reason, found = REASON_MAX;
	int action = filter_run(filter, &frame, &after);

	read_counts(filter, now);
	for (reason = 0; reason < REASON_MAX; reason++) {
		if (now[reason] == before[reason])
			continue;
		if (found != REASON_MAX || now[reason] != before[reason] + 1)
			fail_msg("a frame was counted twice, under %s", print_reason(reason));
		found = reason;
	}
	if (found == REASON_MAX || action != filter_action(found))
		fail_msg("action %d, counted as %s", action, print_reason(found));
	if (after.len != frame.len || memcmp(after.bytes, frame.bytes, frame.len))
		fail_msg("the frame was changed, counted as %s", print_reason(found));
	memcpy(before, now, sizeof(now));
	return found;
}

static void write_frame(FILE *out, uint32_t number)
{
	const struct pcap_packet packet = {.seconds = number, .caplen = frame.len, .len = frame.len};

	if (fwrite(&packet, sizeof(packet), 1, out) != 1 || fwrite(frame.bytes, frame.len, 1, out) != 1)
		fail_msg("cannot write a frame: %s", strerror(errno));
}

int main(int argc, char **argv)
{
	const struct pcap_header header = {0xa1b2c3d4, 2, 4, 0, 0, FRAME_MAX, LINKTYPE_ETHERNET};
	uint64_t counts[REASON_MAX];
	struct filter filter;
	FILE *out;

	if (argc != 4) {
		fprintf(stderr, "usage: differential COUNT SEED FILE\n");
		return 2;
	}
	out = fopen(argv[3], "w");
	if (!out || fwrite(&header, sizeof(header), 1, out) != 1) {
		fprintf(stderr, "differential: cannot write \"%s\": %s\n", argv[3], strerror(errno));
		return 1;
	}
	random_state = (strtoull(argv[2], NULL, 10) + 1) * 0x9e3779b97f4a7c15;
	filter_load(&filter, &(struct run_options){});
	read_counts(&filter, counts);
	for (uint32_t i = 0, count = atoi(argv[1]); i < count; i++) {
		make_frame();
		write_frame(out, i);
		puts(print_reason(run_frame(&filter, counts)));
	}
	filter_free(&filter);
	return fclose(out) ? 1 : 0;
}
