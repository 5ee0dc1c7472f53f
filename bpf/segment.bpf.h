/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A packet that the kernel sends, receives or drops -> struct segment, into the stream's ring. Loaded only while a
 * ladder is shown; a packet that the filter does not want costs one read of its headers.
 *
 * All is read as kernel memory, since no tracepoint guarantees more of a packet than its first buffer. What lies beyond
 * (payload in page fragments) is not read. One read suffices for nearly all segments, and what tells most packets
 * apart, protocol and ports, is looked at before anything else.
 */
#ifndef SYNWARDEN_SEGMENT_H
#define SYNWARDEN_SEGMENT_H

#include "filter.bpf.h"
#include "maps.bpf.h"
#include "parse.bpf.h"
#include "report.bpf.h"
#include "segment_options.bpf.h"
#include "segments.h"
#include "sock.bpf.h"

#define SEGMENT_TAGS	   2
#define SEGMENT_EXTENSIONS 4

struct segment_tcp {
	struct tcphdr header;
	__be32 option; /* the first word of the options, or of what follows */
};

/* What is read at first. */
union segment_head {
	struct {
		struct iphdr ip; /* without options, if TCP is to follow */
		struct segment_tcp tcp;
	} v4;
	struct {
		struct ipv6hdr ip;
		__be16 ports[2];
	} v6;
};

/* How far the reading got. */
struct segment_cursor {
	const void *at; /* kernel memory: the IP header, then TCP's */
	__u32 left;	/* bytes of the IP packet behind it, by its header */
	__u8 protocol;
	struct flow flow; /* from its sender's side */
};

/* Moves behind VLAN tags that are still in the frame. The protocol behind them, as in the frame; 0: not to be read. */
static __always_inline __be16 segment_skip_tags(struct segment_cursor *c, __be16 protocol)
{
	struct parse_vlan tag;
	int i;

	for (i = 0; i < SEGMENT_TAGS; i++) {
		if (protocol != bpf_htons(ETH_P_8021Q) && protocol != bpf_htons(ETH_P_8021AD))
			break;
		if (bpf_probe_read_kernel(&tag, sizeof(tag), c->at))
			return 0;
		c->at += sizeof(tag);
		protocol = tag.proto;
	}
	return protocol;
}

static __always_inline int segment_ipv4(struct segment_cursor *c, const struct iphdr *ip, __u32 bytes)
{
	__u32 header = ip->ihl * 4, total = bpf_ntohs(ip->tot_len);

	if (ip->version != 4 || ip->protocol != IPPROTO_TCP || bpf_ntohs(ip->frag_off) & IP_OFFSET)
		return -1;
	if (!total)
		total = bytes; /* segmentation offload beyond 65,535 bytes */
	if (header < sizeof(*ip) || total < header)
		return -1;
	parse_map_v4(&c->flow.laddr, ip->saddr);
	parse_map_v4(&c->flow.raddr, ip->daddr);
	c->at += header;
	c->left = total - header;
	return 0;
}

/* Behind extension headers that TCP may follow. */
static __always_inline int segment_skip_extensions(struct segment_cursor *c)
{
	struct parse_ipv6_ext ext;
	__u32 length;
	int i;

	for (i = 0; i < SEGMENT_EXTENSIONS && c->protocol != IPPROTO_TCP; i++) {
		if (c->protocol != IPPROTO_HOPOPTS && c->protocol != IPPROTO_ROUTING &&
		    c->protocol != IPPROTO_DSTOPTS && c->protocol != IPPROTO_FRAGMENT)
			return -1;
		if (bpf_probe_read_kernel(&ext, sizeof(ext), c->at))
			return -1;
		if (c->protocol == IPPROTO_FRAGMENT && ext.frag_off & IP6_OFFSET)
			return -1;
		length = c->protocol == IPPROTO_FRAGMENT ? 8 : ext.len * 8 + 8;
		if (length > c->left)
			return -1;
		c->protocol = ext.nexthdr;
		c->at += length;
		c->left -= length;
	}
	return c->protocol == IPPROTO_TCP ? 0 : -1;
}

static __always_inline int segment_ipv6(struct segment_cursor *c, const struct ipv6hdr *ip, __u32 bytes)
{
	__u32 length = bpf_ntohs(ip->payload_len);

	if (ip->version != 6)
		return -1;
	__builtin_memcpy(&c->flow.laddr, &ip->saddr, sizeof(c->flow.laddr));
	__builtin_memcpy(&c->flow.raddr, &ip->daddr, sizeof(c->flow.raddr));
	c->protocol = ip->nexthdr;
	c->at += sizeof(*ip);
	c->left = length ?: bytes - sizeof(*ip);
	return c->protocol == IPPROTO_TCP ? 0 : segment_skip_extensions(c);
}

/* Most packets are not wanted by their protocol or their ports, which a plain header tells. 0: it may be wanted. */
static __always_inline int segment_is_other(const union segment_head *head, __be16 protocol)
{
	__be16 port = bpf_htons(cfg.filter.port);

	if (protocol == bpf_htons(ETH_P_IP)) {
		if (head->v4.ip.protocol != IPPROTO_TCP)
			return 1;
		return port && head->v4.ip.ihl == sizeof(struct iphdr) / 4 && head->v4.tcp.header.source != port &&
		       head->v4.tcp.header.dest != port;
	}
	if (protocol != bpf_htons(ETH_P_IPV6))
		return 1;
	if (head->v6.ip.nexthdr != IPPROTO_TCP)
		return head->v6.ip.nexthdr == IPPROTO_UDP;
	return port && head->v6.ports[0] != port && head->v6.ports[1] != port;
}

/* Fills in the flow, and TCP's header. -1: it is no segment, or not wanted. `bytes`: from c->at to the end of the
 * packet. */
static __always_inline int segment_parse(struct segment_cursor *c, const union segment_head *head, __be16 protocol,
					 __u32 bytes, struct segment_tcp *tcp)
{
	int plain = 0;
	__u32 length;

	if (protocol == bpf_htons(ETH_P_IP)) {
		if (segment_ipv4(c, &head->v4.ip, bytes))
			return -1;
		plain = head->v4.ip.ihl == sizeof(struct iphdr) / 4;
	} else if (segment_ipv6(c, &head->v6.ip, bytes)) {
		return -1;
	}
	if (plain)
		*tcp = head->v4.tcp;
	else if (bpf_probe_read_kernel(tcp, sizeof(*tcp), c->at))
		return -1;
	c->flow.lport = bpf_ntohs(tcp->header.source);
	c->flow.rport = bpf_ntohs(tcp->header.dest);
	length = tcp->header.doff * 4;
	return filter_wants_flow(&c->flow) && length >= sizeof(tcp->header) && length <= c->left ? 0 : -1;
}

/* Where a packet was seen, and what is known of it besides its bytes. */
struct segment_sight {
	struct sk_buff *skb;
	const void *at; /* the IP header, or VLAN tags before it */
	__u8 kind;	/* enum segment_kind */
	__u16 reason;
};

/* A segment may be dropped before a device was chosen for it: its namespace is that of its socket then. */
static __always_inline __u32 segment_netns(const struct segment_sight *sight)
{
	struct net_device *dev = sight->skb->dev;
	struct sock *sk = sight->skb->sk;

	if (dev)
		return dev->nd_net.net->ns.inum;
	return sk && sight->kind != SEGMENT_ARRIVED ? sock_netns(&sk->__sk_common) : 0;
}

/* How many segments of the wire it is. One byte is in one. */
static __always_inline __u16 segment_count(const struct sk_buff *skb, __u32 len)
{
	struct skb_shared_info *shared = (void *)(skb->head + skb->end);
	__u16 segs = len > 1 ? BPF_CORE_READ(shared, gso_segs) : 0;

	return segs ?: 1;
}

static __always_inline void segment_fill(struct segment *s, const struct segment_sight *sight,
					 const struct segment_cursor *c, const struct segment_tcp *tcp)
{
	__u32 header = tcp->header.doff * 4;
	struct sk_buff *skb = sight->skb;
	struct net_device *dev = skb->dev;
	struct sock *sk = skb->sk;
	struct segment_known known;

	segment_read_options(&known, c->at + sizeof(tcp->header), header - sizeof(tcp->header), tcp->option);
	s->cookie = 0;
	s->src = c->flow.laddr;
	s->dst = c->flow.raddr;
	s->sport = c->flow.lport;
	s->dport = c->flow.rport;
	s->netns = c->flow.netns;
	s->ifindex = dev ? dev->ifindex : 0;
	s->seq = bpf_ntohl(tcp->header.seq);
	s->ack = tcp->header.ack ? bpf_ntohl(tcp->header.ack_seq) : 0;
	s->len = c->left - header;
	s->window = bpf_ntohs(tcp->header.window);
	s->segs = segment_count(skb, c->left - header);
	s->mss = known.mss;
	s->flags = ((const __u8 *)&tcp->header)[13];
	s->kind = sight->kind;
	s->wscale = known.wscale;
	s->options = known.options;
	s->reason = sight->reason;
	s->sack[0] = known.sack[0];
	s->sack[1] = known.sack[1];
	s->state = sk && sight->kind != SEGMENT_ARRIVED ? sk->__sk_common.skc_state : 0;
	s->what = RING_SEGMENT;
	s->time_ns = bpf_ktime_get_ns();
}

static __always_inline int segment_tell(const struct segment_sight *sight)
{
	struct sk_buff *skb = sight->skb;
	struct segment_cursor c;
	union segment_head head;
	struct segment_tcp tcp;
	struct ring_slot *slot;
	__be16 protocol;
	__u64 turn;

	c.at = sight->at;
	protocol = segment_skip_tags(&c, skb->protocol);
	if (bpf_probe_read_kernel(&head, sizeof(head), c.at) || segment_is_other(&head, protocol))
		return 0;
	c.flow.netns = segment_netns(sight);
	if (segment_parse(&c, &head, protocol, skb->len, &tcp))
		return 0;
	slot = ring_take(&turn);
	if (!slot) {
		report_loss(LOSS_RING);
		return 0;
	}
	segment_fill((struct segment *)&slot->event, sight, &c, &tcp);
	ring_publish(slot, turn);
	return 0;
}

/* On its way out the IP header is where the skb says. */
static __always_inline int segment_sent(struct sk_buff *skb)
{
	struct segment_sight sight = {.skb = skb, .at = skb->head + skb->network_header, .kind = SEGMENT_SENT};

	return segment_tell(&sight);
}

/* Before the stack has looked at it, what is behind the Ethernet header is at the data pointer. */
static __always_inline int segment_arrived(struct sk_buff *skb)
{
	struct segment_sight sight = {.skb = skb, .at = skb->data, .kind = SEGMENT_ARRIVED};

	return segment_tell(&sight);
}

static __always_inline int segment_dropped(struct sk_buff *skb, __u32 reason)
{
	struct segment_sight sight = {skb, skb->head + skb->network_header, SEGMENT_DROPPED, reason};

	return skb->network_header ? segment_tell(&sight) : 0;
}

/* Of a segment in TCP's own queue, whose control block begins with it (struct tcp_skb_cb, include/net/tcp.h). */
static __always_inline __u32 segment_seq(const struct sk_buff *skb)
{
	__u32 seq = 0;

	bpf_core_read(&seq, sizeof(seq), &skb->cb);
	return seq;
}

static __always_inline __u32 segment_synack_seq(const struct request_sock *req)
{
	return BPF_CORE_READ((const struct tcp_request_sock *)req, snt_isn);
}

/* TCP has sent a segment of a connection again, with the sequence number `seq`. */
static __always_inline int segment_again(struct sock_common *sk, __u32 seq)
{
	struct segment s = {.kind = SEGMENT_AGAIN, .seq = seq, .what = RING_SEGMENT};
	struct flow flow = {};

	sock_common_flow(&flow, sk);
	if (!filter_wants_flow(&flow))
		return 0;
	s.src = flow.laddr;
	s.dst = flow.raddr;
	s.sport = flow.lport;
	s.dport = flow.rport;
	s.netns = flow.netns;
	s.time_ns = bpf_ktime_get_ns();
	if (ring_put((struct event *)&s, sizeof(s)))
		report_loss(LOSS_RING);
	return 0;
}

#endif
