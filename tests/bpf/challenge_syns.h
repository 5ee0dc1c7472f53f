/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * SYNs that are challenged: the frame, its TCP options, and what of them must be kept where the client offers
 * timestamps.
 */
#ifndef SYNWARDEN_TESTS_CHALLENGE_SYNS_H
#define SYNWARDEN_TESTS_CHALLENGE_SYNS_H

#include "challenge.h"
#include "packets.h"

#define ANY 2 /* either family */

struct syn_case {
	const char *what;
	int family; /* IP4, IP6 or ANY */
	struct frame_spec frame;
	uint8_t options[TCP_OPTION_MAX]; /* as many as frame.tcp_options says */
	struct offer kept;
};

#define MSS	       2, 4, 0x05, 0xb4
#define SACK_PERMITTED 4, 2
#define STAMP	       8, 10, 0xa1, 0xb2, 0xc3, 0xd4, 0, 0, 0, 0
#define TSVAL	       0xa1b2c3d4
#define NOPS4	       1, 1, 1, 1
#define LINUX	       MSS, SACK_PERMITTED, STAMP, 1, 3, 3, 7
#define KEPT_LINUX                                                                                                     \
	{                                                                                                              \
		.stamped = true, .scale = 7, .sack = true, .tsval = TSVAL                                              \
	}
#define STAMP_ALONE                                                                                                    \
	{                                                                                                              \
		.stamped = true, .no_scale = true, .tsval = TSVAL                                                      \
	}

/* clang-format off */
static const struct syn_case syns[] = {
	{"no options", ANY, {}, {}, {}},
	{"MSS alone", ANY, {.tcp_options = 4}, {MSS}, {}},
	{"Linux", ANY, {.tcp_options = 20}, {LINUX}, KEPT_LINUX},
	{"Windows", ANY, {.tcp_options = 12}, {MSS, 1, 3, 3, 8, 1, 1, SACK_PERMITTED}, {}},
	{"Windows with timestamps", ANY, {.tcp_options = 20}, {MSS, 1, 3, 3, 8, SACK_PERMITTED, STAMP},
	 {.stamped = true, .scale = 8, .sack = true, .tsval = TSVAL}},
	{"macOS", ANY, {.tcp_options = 24}, {MSS, 1, 3, 3, 6, 1, 1, STAMP, SACK_PERMITTED, 0, 0},
	 {.stamped = true, .scale = 6, .sack = true, .tsval = TSVAL}},
	{"timestamp alone", ANY, {.tcp_options = 12}, {1, 1, STAMP}, STAMP_ALONE},
	{"timestamp and SACK", ANY, {.tcp_options = 12}, {SACK_PERMITTED, STAMP},
	 {.stamped = true, .no_scale = true, .sack = true, .tsval = TSVAL}},
	{"timestamp and window scale 0", ANY, {.tcp_options = 16}, {1, 3, 3, 0, 1, 1, STAMP},
	 {.stamped = true, .tsval = TSVAL}},
	{"window scale 14", ANY, {.tcp_options = 16}, {1, 3, 3, 14, 1, 1, STAMP},
	 {.stamped = true, .scale = 14, .tsval = TSVAL}},
	{"window scale 255 (RFC 7323: take 14)", ANY, {.tcp_options = 16}, {1, 3, 3, 255, 1, 1, STAMP},
	 {.stamped = true, .scale = 14, .tsval = TSVAL}},
	{"ECN without timestamps", ANY, {.flags = SYN | ECE | CWR}, {}, {}},
	{"ECN with timestamps", ANY, {.flags = SYN | ECE | CWR, .tcp_options = 20}, {LINUX},
	 {.stamped = true, .scale = 7, .sack = true, .ecn = true, .tsval = TSVAL}},
	{"accurate ECN falls back to ECN", ANY, {.flags = SYN | ECE | CWR, .reserved = 1, .tcp_options = 20}, {LINUX},
	 {.stamped = true, .scale = 7, .sack = true, .ecn = true, .tsval = TSVAL}},
	{"ECN is declined to a SYN that is ECN-capable itself", ANY,
	 {.flags = SYN | ECE | CWR, .ecn = 2, .tcp_options = 20}, {LINUX}, KEPT_LINUX},
	{"but not to accurate ECN", ANY, {.flags = SYN | ECE | CWR, .ecn = 1, .reserved = 1, .tcp_options = 20}, {LINUX},
	 {.stamped = true, .scale = 7, .sack = true, .ecn = true, .tsval = TSVAL}},
	{"ECE alone is not ECN", ANY, {.flags = SYN | ECE, .tcp_options = 20}, {LINUX}, KEPT_LINUX},
	{"PSH and URG", ANY, {.flags = SYN | PSH | URG, .tcp_options = 20}, {LINUX}, KEPT_LINUX},

	{"data behind the SYN", ANY, {.tcp_options = 20, .payload = 1000}, {LINUX}, KEPT_LINUX},
	{"data, no options", ANY, {.payload = 1400}, {}, {}},
	{"padded to 60 bytes", IP4, {.pad = 6}, {}, {}},
	{"padded, a shorter answer", ANY, {.pad = 200}, {}, {}},
	{"one tag", ANY, {.tags = {ETH_P_8021Q}, .tcp_options = 20}, {LINUX}, KEPT_LINUX},
	{"two tags", ANY, {.tags = {ETH_P_8021AD, ETH_P_8021Q}, .tcp_options = 20}, {LINUX}, KEPT_LINUX},
	{"two tags, no options, data", ANY, {.tags = {ETH_P_8021Q, ETH_P_8021Q}, .payload = 64}, {}, {}},
	{"eight tags", ANY, {.tags = {ETH_P_8021Q, ETH_P_8021Q, ETH_P_8021Q, ETH_P_8021Q, ETH_P_8021Q, ETH_P_8021Q,
				      ETH_P_8021Q, ETH_P_8021Q}, .tcp_options = 20}, {LINUX}, KEPT_LINUX},
	{"an atomic fragment", IP6, {.ext = {{.type = IPPROTO_FRAGMENT}}, .tcp_options = 20}, {LINUX}, KEPT_LINUX},

	{"unknown options are skipped", ANY, {.tcp_options = 28}, {254, 4, 1, 2, 34, 2, 30, 2, LINUX}, KEPT_LINUX},
	{"the last of two window scales", ANY, {.tcp_options = 20}, {3, 3, 2, 1, 3, 3, 9, 1, 1, 1, STAMP},
	 {.stamped = true, .scale = 9, .tsval = TSVAL}},
	{"what stands behind the end is not read", ANY, {.tcp_options = 20}, {MSS, 0, 1, 1, 1, 1, 1, STAMP}, {}},
	{"length 1", ANY, {.tcp_options = 20}, {MSS, SACK_PERMITTED, STAMP, 5, 1}, {
	 .stamped = true, .no_scale = true, .sack = true, .tsval = TSVAL}},
	{"an option past the end", ANY, {.tcp_options = 16}, {1, 1, STAMP, 1, 3, 4, 7}, STAMP_ALONE},
	{"a timestamp cut off by the end", ANY, {.tcp_options = 8}, {MSS, 8, 10, 1, 2}, {}},
	{"a window scale of 4 bytes, a SACK of 3, a timestamp of 11", ANY, {.tcp_options = 20},
	 {3, 4, 7, 7, 4, 3, 0, 8, 11, 1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 1}, {}},
	{"a kind whose last byte is the header's last", ANY, {.tcp_options = 12}, {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 8}, {}},
	{"40 NOPs", ANY, {.tcp_options = 40}, {NOPS4, NOPS4, NOPS4, NOPS4, NOPS4, NOPS4, NOPS4, NOPS4, NOPS4, NOPS4}, {}},
	{"40 ends", ANY, {.tcp_options = 40}, {}, {}},
};
/* SYNs over the budget that the kernel would not answer. The sums are bent by this in their first byte. */
struct unanswerable_case {
	const char *what;
	int family;
	uint8_t ip_sum, tcp_sum;
	struct frame_spec frame;
	uint8_t options[TCP_OPTION_MAX];
};

static const struct unanswerable_case unanswerable[] = {
	{"IP checksum", IP4, 1, 0, {}, {}},
	{"TCP checksum", ANY, 0, 1, {}, {}},
	{"TCP checksum, with options", ANY, 0, 0x80, {.tcp_options = 20}, {LINUX}},
	{"IP options", IP4, 0, 0, {.ip_options = 4}, {}},
	{"IP and TCP options at their most", IP4, 0, 0, {.ip_options = 40, .tcp_options = 40}, {LINUX}},
	{"hop-by-hop options", IP6, 0, 0, {.ext = {{.hop = true}}}, {}},
	{"destination options", IP6, 0, 0, {.ext = {{.type = IPPROTO_DSTOPTS}}}, {}},
	{"a routing header", IP6, 0, 0, {.ext = {{.type = IPPROTO_ROUTING, .len = 1}}}, {}},
	{"extension headers", IP6, 0, 0, {.ext = {{.hop = true}, {.type = IPPROTO_DSTOPTS, .len = 2},
					    {.type = IPPROTO_ROUTING, .len = 1}}, .tcp_options = 20}, {LINUX}},
	{"AH", IP6, 0, 0, {.ext = {{.type = IPPROTO_AH, .len = 4}}}, {}},
	{"HIP", IP6, 0, 0, {.ext = {{.type = EXT_HIP}}}, {}},
	{"Shim6", IP6, 0, 0, {.ext = {{.type = EXT_SHIM6}}}, {}},
	{"mobility", IP6, 0, 0, {.ext = {{.type = EXT_MH}}}, {}},
	{"two atomic fragments", IP6, 0, 0, {.ext = {{.type = IPPROTO_FRAGMENT}, {.type = IPPROTO_FRAGMENT}}}, {}},
	{"from 0.0.0.0/8", IP4, 0, 0, {.from = "0.1.2.3"}, {}},
	{"from 240.0.0.0/4", IP4, 0, 0, {.from = "240.0.0.1"}, {}},
	{"from 240.0.0.0/4", IP4, 0, 0, {.from = "255.255.255.254"}, {}},
	{"from ::", IP6, 0, 0, {.from = "::"}, {}},
	{"an option of length 0", ANY, 0, 0, {.tcp_options = 20}, {MSS, SACK_PERMITTED, 254, 0, STAMP}},
	{"a timestamp cut off by the end", ANY, 0, 0, {.tcp_options = 12}, {MSS, 8, 10, 1, 2, 3, 4, 5, 6}},
	{"length 255", ANY, 0, 0, {.tcp_options = 40}, {254, 255, STAMP}},
	{"a signature for a listener without keys", ANY, 0, 0, {.tcp_options = 20}, {19, 18, 1, 2, 3, 4, 5, 6, 7, 8, 9}},
};

/* SYNs over the budget that are none of the challenge's business; in both families. */
static const struct packet_case unchallenged[] = {
	{"no socket listens", {.dport = PORT_UNHEARD}, REASON_NOT_SERVED},
	{"a port not served", {.dport = PORT_UNSERVED}, REASON_NOT_SERVED},
	{"a port that nobody ever listened on", {.dport = 4711}, REASON_SYN},
	{"a first fragment", {.fragment = IP4_MF, .ext = {{.type = IPPROTO_FRAGMENT, .fragment = EXT_MF}}},
	 REASON_PORT_BUDGET},
	{"headers between IP and TCP", {.ip_options = 4, .ext = {{.hop = true}}}, REASON_UNANSWERABLE},
	{"a later fragment", {.fragment = 100, .ext = {{.type = IPPROTO_FRAGMENT, .fragment = 800}}}, REASON_FRAGMENT},
};
/* clang-format on */

#endif
