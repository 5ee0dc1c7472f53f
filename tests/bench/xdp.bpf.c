// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the bench compares with: the cheapest program that drops, that passes, that sends back; the ideal filter, which
 * knows the flood of tests/tools/flood.bpf.c by its source ports and takes nothing else for it; and a tracker of
 * nothing.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_endian.h>

#define FLOOD_PORT_FIRST 1024
#define FLOOD_PORT_LAST	 32767 /* from here on Linux takes the ports of its own connects (ip_local_port_range) */

SEC("xdp")
int drop_all(struct xdp_md *ctx)
{
	return XDP_DROP;
}

SEC("xdp")
int pass_all(struct xdp_md *ctx)
{
	return XDP_PASS;
}

SEC("xdp")
int return_all(struct xdp_md *ctx)
{
	return XDP_TX;
}

SEC("xdp")
int drop_flood(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct ethhdr *eth = data;
	struct iphdr *ip = (void *)(eth + 1);
	struct ipv6hdr *ip6 = (void *)(eth + 1);
	struct tcphdr *tcp;
	__u16 port;

	if ((void *)(ip + 1) > end)
		return XDP_PASS;
	if (eth->h_proto == bpf_htons(ETH_P_IP) && ip->ihl == 5 && ip->protocol == IPPROTO_TCP)
		tcp = (void *)(ip + 1);
	else if (eth->h_proto == bpf_htons(ETH_P_IPV6) && (void *)(ip6 + 1) <= end && ip6->nexthdr == IPPROTO_TCP)
		tcp = (void *)(ip6 + 1);
	else
		return XDP_PASS;
	if ((void *)(tcp + 1) > end)
		return XDP_PASS;
	port = bpf_ntohs(tcp->source);
	return port >= FLOOD_PORT_FIRST && port <= FLOOD_PORT_LAST ? XDP_DROP : XDP_PASS;
}

/* What the kernel's statistics say that nothing costs. */
SEC("tp_btf/inet_sock_set_state")
int do_nothing(void *ctx)
{
	return 0;
}

char LICENSE[] SEC("license")
= "GPL";
