// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a ladder's cost is compared with: programs that do nothing, where its own look at each packet.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

SEC("tp_btf/net_dev_queue")
int ignore_sent(void *ctx)
{
	return 0;
}

SEC("tp_btf/netif_receive_skb")
int ignore_arrived(void *ctx)
{
	return 0;
}

char LICENSE[] SEC("license")
= "GPL";
