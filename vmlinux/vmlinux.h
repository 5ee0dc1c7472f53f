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

struct netns_ipv4 {
	int sysctl_tcp_fin_timeout; /* jiffies */
	__u8 sysctl_tcp_syncookies;
};

struct net {
	struct ns_common ns;
	struct netns_ipv4 ipv4;
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

typedef struct {
	int counter;
} atomic_t;

typedef struct {
	__s64 counter;
} atomic64_t;

struct sock_common {
	__be32 skc_daddr;
	__be32 skc_rcv_saddr;
	__be16 skc_dport;
	__u16 skc_num;
	unsigned short skc_family;
	volatile unsigned char skc_state;
	unsigned char skc_reuseport : 1;
	int skc_bound_dev_if;
	possible_net_t skc_net;
	struct in6_addr___kernel skc_v6_daddr;
	struct in6_addr___kernel skc_v6_rcv_saddr;
	unsigned long skc_flags;
	atomic64_t skc_cookie; /* 0: nobody has asked for one */
};

typedef struct {
	int owned;
} socket_lock_t;

struct dst_entry {
	struct net_device *dev;
};

struct sk_buff_head {
	struct sk_buff *prev; /* the last one; of an empty queue, the queue itself */
};

struct sock {
	struct sock_common __sk_common;
	socket_lock_t sk_lock;
	__u16 sk_protocol;
	__u8 sk_userlocks : 4;
	int sk_err;
	int sk_err_soft;
	int sk_rcvbuf;
	struct sk_buff_head sk_error_queue;
	struct dst_entry *sk_dst_cache;
	__u32 sk_ack_backlog;
	__u32 sk_max_ack_backlog;
	atomic_t sk_drops;
};

struct ipv6_pinfo {
	__s16 hop_limit;
	__u8 tclass;
};

struct inet_sock {
	struct sock sk;
	struct ipv6_pinfo *pinet6;
	unsigned long inet_flags;
	__be16 inet_sport;
	__s16 uc_ttl;
	__u8 tos;
};

/* Before there was inet_flags. */
struct inet_sock___bits {
	__u8 transparent : 1;
};

struct request_sock_queue {
	atomic_t qlen;
};

struct inet_connection_sock {
	struct inet_sock icsk_inet;
	__u32 icsk_rto; /* jiffies */
	struct request_sock_queue icsk_accept_queue;
};

struct tcp_sock {
	struct inet_connection_sock inet_conn;
	__u32 srtt_us;
	__u32 window_clamp;
	__u32 total_retrans;
	__u32 segs_in;
	__u32 write_seq;
	__u32 snd_nxt;
	__u32 snd_una;
	__u32 rcv_nxt;
	__u32 rcv_wup;
	__u32 rcv_wnd;
	__u32 copied_seq;
	__u32 rcv_tstamp; /* jiffies; 0: no ACK yet */
	int linger2;	  /* jiffies; below 0: no FIN_WAIT2 without a process */
	__u8 repair : 1;
	struct request_sock *fastopen_rsk;
	__u64 bytes_acked;
	__u64 bytes_sent;
	__u64 bytes_retrans;
	__u64 bytes_received;
	__u64 tcp_mstamp;
	struct tcp_md5sig_info *md5sig_info; /* with CONFIG_TCP_MD5SIG */
	struct tcp_ao_info *ao_info;	     /* with CONFIG_TCP_AO, from 6.7 on */
	struct {
		__u64 time;
	} rcvq_space;
};

struct mptcp_sock {
	struct sock_common *first; /* the first subflow, a TCP socket */
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
	__u32 snt_isn;
};

struct timer_list {
	unsigned long expires; /* jiffies */
	void (*function)(struct timer_list *timer);
};

struct inet_timewait_sock {
	struct sock_common __tw_common;
	struct timer_list tw_timer;
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
	unsigned int flags;
	int ifindex;
	possible_net_t nd_net;
};

struct skb_shared_info {
	unsigned short gso_segs;
};

enum skb_drop_reason {
	SKB_DROP_REASON_NOT_SPECIFIED = 2,
};

struct sk_buff {
	struct sock *sk;
	struct net_device *dev;
	char cb[48];
	unsigned int len;
	int skb_iif;
	__be16 protocol;
	__u16 transport_header; /* this and the next one: offsets from head */
	__u16 network_header;
	unsigned int end; /* sk_buff_data_t: an offset where a pointer has 64 bits */
	unsigned char *head;
	unsigned char *data;
};

struct sock_extended_err {
	__u32 ee_errno;
	__u8 ee_origin;
};

struct sock_exterr_skb { /* in sk_buff.cb, in a socket's error queue */
	struct sock_extended_err ee;
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

struct trace_event_raw_kfree_skb {
	void *rx_sk;
};

enum sock_flags {
	SOCK_DEAD,
	SOCK_DONE,
};

#pragma clang attribute pop

#endif
