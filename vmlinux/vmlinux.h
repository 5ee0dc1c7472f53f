/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel types that the BPF programs read, with only the fields that are read. Kept by hand: libbpf
 * relocates each access to the running kernel's layout (CO-RE), so order and omissions do not matter.
 * Constants and packet headers come from the UAPI headers.
 */
#ifndef SYNWARDEN_VMLINUX_H
#define SYNWARDEN_VMLINUX_H

#include <linux/types.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct ns_common {
	unsigned int inum;
};

/* include/net/netns/bpf.h, where programs that belong to a namespace stand */
enum netns_bpf_attach_type {
	NETNS_BPF_FLOW_DISSECTOR,
	NETNS_BPF_SK_LOOKUP,
	MAX_NETNS_BPF_ATTACH_TYPE,
};

struct netns_bpf {
	struct bpf_prog_array *run_array[MAX_NETNS_BPF_ATTACH_TYPE];
};

struct net {
	struct ns_common ns;
	struct netns_bpf bpf;
};

typedef struct {
	struct net *net;
} possible_net_t;

/* The suffix (which libbpf ignores) tells it from the packet headers' own in6_addr. */
struct in6_addr___kernel {
	union {
		__be32 u6_addr32[4];
	} in6_u;
};

struct sock_common {
	__be32 skc_daddr;
	__be32 skc_rcv_saddr;
	__be16 skc_dport;
	__u16 skc_num;
	unsigned short skc_family;
	volatile unsigned char skc_state;
	unsigned char skc_reuseport : 1;
	possible_net_t skc_net;
	struct in6_addr___kernel skc_v6_daddr;
	struct in6_addr___kernel skc_v6_rcv_saddr;
	unsigned long skc_flags;
};

typedef struct {
	int counter;
} atomic_t;

typedef struct {
	int owned;
} socket_lock_t;

struct sock {
	struct sock_common __sk_common;
	socket_lock_t sk_lock;
	__u16 sk_protocol;
	__u8 sk_userlocks : 4;
	int sk_err;
	int sk_rcvbuf;
	__u32 sk_ack_backlog;
	__u32 sk_max_ack_backlog;
	atomic_t sk_drops;
};

struct inet_sock {
	struct sock sk;
	unsigned long inet_flags;
	__be16 inet_sport;
};

/* Before there was inet_flags. */
struct inet_sock___bits {
	__u8 transparent : 1;
};

struct inet_connection_sock {
	struct inet_sock icsk_inet;
};

struct tcp_sock {
	struct inet_connection_sock inet_conn;
	__u32 srtt_us;
	__u32 window_clamp;
	__u32 total_retrans;
	__u64 bytes_sent;
	__u64 bytes_retrans;
	__u64 bytes_received;
	__u64 tcp_mstamp;
	struct {
		__u64 time;
	} rcvq_space;
};

struct request_sock {
	struct sock_common __req_common;
	__u8 num_retrans;
};

struct inet_request_sock {
	struct request_sock req;
};

struct tcp_request_sock {
	struct inet_request_sock req;
	__u64 snt_synack;
};

struct inet_timewait_sock {
	volatile unsigned char tw_substate;
	unsigned int tw_transparent : 1;
	__u32 tw_entry_stamp;
};

struct tcp_timewait_sock {
	struct inet_timewait_sock tw_sk;
};

typedef struct {
	unsigned int val;
} kuid_t;

struct cred {
	kuid_t uid;
};

struct kernfs_node {
	__u64 id;
};

struct cgroup {
	struct kernfs_node *kn;
};

struct css_set {
	struct cgroup *dfl_cgrp;
};

struct signal_struct {
	atomic_t live;
};

struct task_struct {
	unsigned int flags;
	__u32 tgid;
	struct task_struct *group_leader;
	struct signal_struct *signal;
	__u64 start_boottime;
	const struct cred *real_cred;
	struct css_set *cgroups;
	char comm[16];
};

struct socket {
	struct sock *sk;
};

struct file;

struct net_device {
	possible_net_t nd_net;
};

struct sk_buff {
	struct net_device *dev;
};

struct seq_file;

struct bpf_iter_meta {
	struct seq_file *seq;
	__u64 session_id;
	__u64 seq_num;
};

struct bpf_iter__tcp {
	struct bpf_iter_meta *meta;
	struct sock_common *sk_common;
};

struct bpf_iter__task_file {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
	__u32 fd;
	struct file *file;
};

struct trace_event_raw_tcp_retransmit_skb {
	int err;
};

enum sock_flags {
	SOCK_DEAD,
	SOCK_DONE,
};

#pragma clang attribute pop

#endif
