/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Whether the kernel would hand a SYN to its listener: what it discards before that is not answered from here. Asked of
 * a SYN that is about to be challenged, whose headers stand in the scratch.
 */
#ifndef SYNWARDEN_SOUND_H
#define SYNWARDEN_SOUND_H

#include "parse.bpf.h"
#include "synack.bpf.h"

#define SOUND_FRAGMENT_LEN 8

/*
 * Nothing may stand between the IP and the TCP header but the header of an atomic fragment. The kernel drops packets
 * with many of these options and headers, and the rest are as good as never used with TCP.
 */
static __always_inline int sound_chain(const struct packet *pkt, const __u8 *ip, __u32 ip_len)
{
	__u32 between = pkt->tcp_at - pkt->ip_at - ip_len;

	if (!between)
		return 1;
	return ip_len == sizeof(struct ipv6hdr) && between == SOUND_FRAGMENT_LEN && ip[6] == IPPROTO_FRAGMENT;
}

/* Sources that the kernel answers, and nobody can have (RFC 1122 section 3.2.1.3, RFC 4291 section 2.5.2). */
static __always_inline int sound_source(const struct addr *source)
{
	if (parse_is_v4(source))
		return source->bytes[12] && source->bytes[12] < 240;
	return source->halves[0] || source->halves[1];
}

/* Bytes of the TCP header and what follows it in the packet. */
static __always_inline __u32 sound_segment_len(const struct packet *pkt, const __u8 *ip, __u32 ip_len)
{
	__u32 length;

	if (ip_len == sizeof(struct iphdr))
		length = (__u32)ip[2] << 8 | ip[3];
	else
		length = ((__u32)ip[4] << 8 | ip[5]) + ip_len;
	return length - (pkt->tcp_at - pkt->ip_at);
}

static __always_inline int sound_ipv4_sum(const __u8 *ip)
{
	const __be32 *words = (const void *)ip;

	return !synack_fold((__u64)words[0] + words[1] + words[2] + words[3] + words[4]);
}

/*
 * The TCP checksum of a SYN without data. A packet from a local sender (veth, virtio) may carry the sum of its
 * pseudo-header alone, as the rest is left to hardware that it never reached: the kernel trusts that, and so does this.
 * Data is not read: such a SYN passes for sound.
 */
static __always_inline int sound_tcp_sum(const struct packet *pkt, const struct scratch *s, __u32 segment_len)
{
	const __be32 *words = (const void *)s->tcp;
	__u32 len = scratch_tcp_len(pkt), i;
	__u64 pseudo, sum;

	if (segment_len != len)
		return 1;
	pseudo = synack_pseudo_sum(pkt, len);
	sum = pseudo;
#pragma unroll
	for (i = 0; i < 15; i++)
		if (i < 5 || i * 4 < len)
			sum += words[i];
	return !synack_fold(sum) || ((const struct tcphdr *)s->tcp)->check == (__u16)~synack_fold(pseudo);
}

/* Whether it has no data, and its checksum is right. */
static __always_inline int sound_is_bare(const struct packet *pkt, const struct scratch *s, const __u8 *ip,
					 __u32 ip_len)
{
	__u32 len = sound_segment_len(pkt, ip, ip_len);

	return len == scratch_tcp_len(pkt) && sound_tcp_sum(pkt, s, len);
}

static __always_inline int sound_syn(const struct packet *pkt, const struct scratch *s, const __u8 *ip, __u32 ip_len)
{
	if (!sound_chain(pkt, ip, ip_len) || !sound_source(&pkt->saddr) || s->options_bad)
		return 0;
	if (ip_len == sizeof(struct iphdr) && !sound_ipv4_sum(ip))
		return 0;
	return sound_tcp_sum(pkt, s, sound_segment_len(pkt, ip, ip_len));
}

#endif
