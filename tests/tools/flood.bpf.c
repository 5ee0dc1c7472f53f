// SPDX-License-Identifier: GPL-2.0-only
/*
 * The flood generator's kernel half. send_frame() is run over and over by BPF_PROG_TEST_RUN with live frames: each run
 * writes one whole packet, with a source, port and sequence number of its own, and redirects it out of an interface.
 * drop_replies() may sit on that interface, to swallow the answers; take_frames() where there is no flood.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_endian.h>

#define FRAME_WORDS 18
#define CLOCK_EVERY 64

/*
 * Source ports are 1024 to 32767, below those that Linux gives to its own connects (ip_local_port_range), so that
 * replies to the flood can be distinguished from replies to real clients.
 */
#define PORT_FIRST 1024
#define PORT_COUNT (32768 - PORT_FIRST)

/* The unicast IPv4 addresses without 0.0.0.0/8: 1.0.0.0 to 223.255.255.255. */
#define UNICAST_FIRST 0x01000000ULL
#define UNICAST_COUNT 0xdf000000ULL

const volatile struct {
	__u32 ifindex;
	__u32 sources; /* addresses from `base` on; 0: random */
	__u32 ip6;
	__u32 protocol;
	__u32 length; /* of the frame, bytes */
	__u32 ip_sum; /* IPv4 header, its source and checksum taken as 0; ones' complement, not folded */
	__u32 l4_sum; /* pseudo-header and segment without source address, source port and sequence number */
	__be16 dport;
	__u16 dports;		  /* from dport on */
	__be32 base[4];		  /* source address; IPv4 in the last word */
	__u64 frame[FRAME_WORDS]; /* the packet, with those fields 0; what is left of it behind the last whole word */
	__u16 tail[3];
} cfg;

__u64 limit; /* frames to send */
__u64 sent;  /* only one CPU runs send_frame() at a time */
__u64 first_ns;
__u64 last_ns; /* of every CLOCK_EVERYth frame, and of the last */
__u64 random;  /* state of splitmix64; seeded by the user side */

static __always_inline __u64 next_random(void)
{
	__u64 z = random += 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

static __always_inline __u32 below(__u32 n, __u32 bits)
{
	return (__u64)bits * n >> 32;
}

static __always_inline __u16 fold(__u64 sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

static __always_inline void choose_source(__be32 source[4])
{
	__u64 bits = next_random();

	source[0] = cfg.base[0];
	source[1] = cfg.base[1];
	source[2] = cfg.base[2];
	if (cfg.sources) {
		source[3] = bpf_htonl(bpf_ntohl(cfg.base[3]) + below(cfg.sources, bits));
	} else if (cfg.ip6) {
		source[1] = bits;
		source[2] = bits >> 32;
		source[3] = next_random();
	} else {
		__u32 addr = UNICAST_FIRST + below(UNICAST_COUNT, bits);

		if (addr >> 24 == 127)
			addr ^= 0x40000000;
		source[3] = bpf_htonl(addr);
	}
}

/* A frame comes back from its last journey as the receiver left it, so all of it is written anew. */
static __always_inline void write_template(void *at, void *end)
{
	int i;

#pragma clang loop unroll(full)
	for (i = 0; i < FRAME_WORDS; i++) {
		if (at + 8 > end)
			break;
		*(__u64 *)at = cfg.frame[i];
		at += 8;
	}
#pragma clang loop unroll(full)
	for (i = 0; i < 3; i++) {
		if (at + 2 > end)
			return;
		*(__u16 *)at = cfg.tail[i];
		at += 2;
	}
}

/*
 * A receiver that answered in the frame itself (XDP_TX) has made it as long as its answer; the user side gives a few
 * bytes too many, so that this always changes the length.
 */
static __always_inline int restore_length(struct xdp_md *ctx)
{
	int grow = (int)cfg.length - (int)(ctx->data_end - ctx->data);

	return grow ? bpf_xdp_adjust_tail(ctx, grow) : 0;
}

/* Returns the sum of what it wrote that counts into the checksum of layer 4; 0 where the frame is too short. */
static __always_inline __u64 write_source(struct ethhdr *eth, void *end)
{
	struct ipv6hdr *ip6 = (void *)(eth + 1);
	struct iphdr *ip = (void *)(eth + 1);
	__be32 source[4];

	choose_source(source);
	if (!cfg.ip6) {
		if ((void *)(ip + 1) > end)
			return 0;
		ip->saddr = source[3];
		ip->check = fold((__u64)cfg.ip_sum + source[3]);
		return source[3];
	}
	if ((void *)(ip6 + 1) > end)
		return 0;
	__builtin_memcpy(&ip6->saddr, source, sizeof(source));
	return (__u64)source[0] + source[1] + source[2] + source[3];
}

/* Each call of BPF_PROG_TEST_RUN takes milliseconds to begin and end, which would blur a rate taken from outside. */
static __always_inline void note_time(void)
{
	if (sent % CLOCK_EVERY && sent != limit - 1)
		return;
	last_ns = bpf_ktime_get_ns();
	if (!sent)
		first_ns = last_ns;
}

SEC("xdp")
int send_frame(struct xdp_md *ctx)
{
	void *data, *end, *l4;
	struct tcphdr *tcp;
	struct udphdr *udp;
	__u64 sum, bits;
	__be16 port;

	if (sent >= limit)
		return XDP_DROP;
	if (restore_length(ctx))
		return XDP_ABORTED;
	data = (void *)(long)ctx->data;
	end = (void *)(long)ctx->data_end;
	l4 = data + ETH_HLEN + (cfg.ip6 ? sizeof(struct ipv6hdr) : sizeof(struct iphdr));
	tcp = l4;
	udp = l4;
	write_template(data, end);
	sum = write_source(data, end);
	if (!sum || l4 + sizeof(*udp) > end)
		return XDP_ABORTED;

	bits = next_random();
	port = bpf_htons(PORT_FIRST + below(PORT_COUNT, bits));
	sum += (__u64)cfg.l4_sum + port;
	udp->source = port;
	if (cfg.dports > 1) {
		port = bpf_htons(bpf_ntohs(cfg.dport) + below(cfg.dports, next_random()));
		sum += (__u64)port + (__u16)~cfg.dport;
		udp->dest = port;
	}
	if (cfg.protocol == IPPROTO_UDP) {
		/* A checksum of 0 would say that there is none (RFC 768). */
		udp->check = fold(sum) ?: 0xffff;
	} else {
		if (l4 + sizeof(*tcp) > end)
			return XDP_ABORTED;
		tcp->seq = bits >> 32;
		tcp->check = fold(sum + tcp->seq);
	}
	note_time();
	sent++;
	return bpf_redirect(cfg.ifindex, 0);
}

/* What answers the flood goes; replies to real clients, and everything else, pass. */
SEC("xdp")
int drop_replies(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	void *l4 = data + ETH_HLEN + (cfg.ip6 ? sizeof(struct ipv6hdr) : sizeof(struct iphdr));
	struct tcphdr *tcp = l4;
	struct ethhdr *eth = data;
	struct ipv6hdr *ip6 = (void *)(eth + 1);
	struct iphdr *ip = (void *)(eth + 1);
	__u8 protocol;

	if (l4 + sizeof(*tcp) > end || eth->h_proto != bpf_htons(cfg.ip6 ? ETH_P_IPV6 : ETH_P_IP))
		return XDP_PASS;
	protocol = cfg.ip6 ? ip6->nexthdr : ip->protocol;
	if (protocol == IPPROTO_TCP && tcp->source == cfg.dport && bpf_ntohs(tcp->dest) >= PORT_FIRST &&
	    bpf_ntohs(tcp->dest) < PORT_FIRST + PORT_COUNT)
		return XDP_DROP;
	return XDP_PASS;
}

/* Sits on a veth whose peer answers from XDP: without a program of its own, a veth lets such frames lie in its ring. */
SEC("xdp")
int take_frames(struct xdp_md *ctx)
{
	return XDP_PASS;
}

SEC("license")
const char LICENSE[] = "GPL";
