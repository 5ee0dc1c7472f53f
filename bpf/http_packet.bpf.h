/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A packet of a TCP socket, as a cgroup_skb program sees it -> what HTTP needs of it: connection, direction, sequence
 * number, and where the payload is. Its data begins with the IP header. Payload may be in page fragments, which only
 * bpf_skb_load_bytes() reads.
 */
#ifndef SYNWARDEN_HTTP_PACKET_H
#define SYNWARDEN_HTTP_PACKET_H

#include "filter.bpf.h"
#include "http.h"
#include "maps.bpf.h"
#include "parse.bpf.h"
#include "sock.bpf.h"

#define HTTP_EXTENSIONS 4

struct http_packet {
	struct __sk_buff *skb;
	struct tcp_sock *tcp;
	struct flow flow;
	__u32 at;  /* offset of the payload */
	__u32 len; /* bytes of payload */
	__u32 seq; /* of its first byte */
	__u8 flags;
	__u8 direction; /* enum http_direction */
};

/* The address and port here, and the peer's. */
static __always_inline void http_packet_flow(struct http_packet *p, const struct addr *from, const struct addr *to)
{
	p->flow.laddr = p->direction == HTTP_IN ? *to : *from;
	p->flow.raddr = p->direction == HTTP_IN ? *from : *to;
}

static __always_inline int http_packet_ipv4(struct http_packet *p)
{
	struct addr from, to;
	struct iphdr ip;

	if (bpf_skb_load_bytes(p->skb, 0, &ip, sizeof(ip)) || ip.protocol != IPPROTO_TCP ||
	    ip.frag_off & bpf_htons(IP_MF | IP_OFFSET))
		return -1;
	parse_map_v4(&from, ip.saddr);
	parse_map_v4(&to, ip.daddr);
	http_packet_flow(p, &from, &to);
	p->at = ip.ihl * 4;
	return 0;
}

/* Behind extension headers that TCP may follow. */
static __always_inline int http_packet_skip_extensions(struct http_packet *p, __u8 protocol)
{
	struct parse_ipv6_ext ext;
	int i;

	for (i = 0; i < HTTP_EXTENSIONS && protocol != IPPROTO_TCP; i++) {
		if (protocol != IPPROTO_HOPOPTS && protocol != IPPROTO_ROUTING && protocol != IPPROTO_DSTOPTS)
			return -1;
		if (bpf_skb_load_bytes(p->skb, p->at, &ext, sizeof(ext)))
			return -1;
		protocol = ext.nexthdr;
		p->at += ext.len * 8 + 8;
	}
	return protocol == IPPROTO_TCP ? 0 : -1;
}

static __always_inline int http_packet_ipv6(struct http_packet *p)
{
	struct addr from, to;
	struct ipv6hdr ip;

	if (bpf_skb_load_bytes(p->skb, 0, &ip, sizeof(ip)))
		return -1;
	__builtin_memcpy(&from, &ip.saddr, sizeof(from));
	__builtin_memcpy(&to, &ip.daddr, sizeof(to));
	http_packet_flow(p, &from, &to);
	p->at = sizeof(ip);
	return ip.nexthdr == IPPROTO_TCP ? 0 : http_packet_skip_extensions(p, ip.nexthdr);
}

/* The ports, the sequence number, and the payload behind the TCP header. */
static __always_inline int http_packet_tcp(struct http_packet *p)
{
	__u16 from, to;
	struct tcphdr tcp;
	__u32 header;

	if (bpf_skb_load_bytes(p->skb, p->at, &tcp, sizeof(tcp)))
		return -1;
	header = p->at + tcp.doff * 4;
	if (header > p->skb->len)
		return -1;
	p->at = header;
	p->len = p->skb->len - header;
	p->seq = bpf_ntohl(tcp.seq) + tcp.syn;
	p->flags = ((__u8 *)&tcp)[13];
	from = bpf_ntohs(tcp.source);
	to = bpf_ntohs(tcp.dest);
	p->flow.lport = p->direction == HTTP_IN ? to : from;
	p->flow.rport = p->direction == HTTP_IN ? from : to;
	return 0;
}

/* The packet's socket, or NULL. */
static __always_inline struct tcp_sock *http_packet_socket(struct __sk_buff *skb)
{
	struct bpf_sock *sk = skb->sk;

	return sk ? bpf_skc_to_tcp_sock(sk) : 0;
}

/* 0: it is of a connection that is wanted, and brings payload or a FIN. p->tcp is set. */
static __always_inline int http_packet_parse(struct http_packet *p)
{
	if (p->skb->protocol == bpf_htons(ETH_P_IP)) {
		if (http_packet_ipv4(p))
			return -1;
	} else if (p->skb->protocol != bpf_htons(ETH_P_IPV6) || http_packet_ipv6(p)) {
		return -1;
	}
	if (http_packet_tcp(p) || (!p->len && !(p->flags & TCP_FIN)))
		return -1;
	p->flow.netns = sock_netns(&p->tcp->inet_conn.icsk_inet.sk.__sk_common);
	if (!cfg.stream)
		return p->flow.netns == cfg.netns ? 0 : -1;
	return filter_wants_flow(&p->flow) ? 0 : -1;
}

#endif
