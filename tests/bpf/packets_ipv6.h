/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * IPv6 and its extension headers: what must become of such packets. All rows are IPv6.
 */
#ifndef SYNWARDEN_TESTS_PACKETS_IPV6_H
#define SYNWARDEN_TESTS_PACKETS_IPV6_H

#include "packets.h"

#define HOP                                                                                                            \
	{                                                                                                              \
		.type = IPPROTO_HOPOPTS, .hop = true                                                                   \
	}
#define DST                                                                                                            \
	{                                                                                                              \
		.type = IPPROTO_DSTOPTS                                                                                \
	}
#define ROUTING                                                                                                        \
	{                                                                                                              \
		.type = IPPROTO_ROUTING                                                                                \
	}
#define AUTH(n)                                                                                                        \
	{                                                                                                              \
		.type = IPPROTO_AH, .len = (n)                                                                         \
	}
#define FRAGMENT(value)                                                                                                \
	{                                                                                                              \
		.type = IPPROTO_FRAGMENT, .fragment = (value)                                                          \
	}
#define LONG_DST(n)                                                                                                    \
	{                                                                                                              \
		.type = IPPROTO_DSTOPTS, .len = (n)                                                                    \
	}
#define SEVEN DST, DST, DST, DST, DST, DST, DST
#define EIGHT SEVEN, DST

/* clang-format off */
static const struct packet_case ipv6_packets[] = {
	{"SYN", {}, REASON_SYN},
	{"segment", {.flags = ACK, .payload = 1000}, REASON_SEGMENT},
	{"bytes behind the packet", {.pad = 10}, REASON_SYN},
	{"source ::", {.from = "::"}, REASON_SYN},
	{"source is the destination", {.from = "2001:db8:1::1"}, REASON_SYN},
	{"version 4", {.version = 4}, REASON_IPV6_HEADER},
	{"version 0", {.version = SAID(0)}, REASON_IPV6_HEADER},
	{"version 15", {.version = 15}, REASON_IPV6_HEADER},
	{"payload length one past the frame", {.length = 21}, REASON_IPV6_TRUNCATED},
	{"payload length 65535", {.length = 65535}, REASON_IPV6_TRUNCATED},
	{"payload length 19", {.length = 19}, REASON_TCP_TRUNCATED},
	{"payload length 0", {.length = SAID(0)}, REASON_TCP_TRUNCATED},
	{"the TCP header's last byte is padding", {.length = 19, .pad = 6}, REASON_TCP_TRUNCATED},
	{"the TCP options are padding", {.tcp_options = 4, .length = 20, .pad = 6}, REASON_TCP_DOFF_END},

	{"UDP", {.protocol = IPPROTO_UDP}, REASON_NOT_TCP},
	{"ICMPv6", {.protocol = IPPROTO_ICMPV6}, REASON_NOT_TCP},
	{"ESP", {.protocol = IPPROTO_ESP}, REASON_NOT_TCP},
	{"no next header", {.protocol = IPPROTO_NONE}, REASON_NOT_TCP},
	{"no next header, no payload", {.protocol = IPPROTO_NONE, .keep = SAID(0)}, REASON_NOT_TCP},
	{"IPv4 in IPv6", {.protocol = IPPROTO_IPIP}, REASON_NOT_TCP},
	{"IPv6 in IPv6", {.protocol = IPPROTO_IPV6}, REASON_NOT_TCP},
	{"next header 255", {.protocol = 255}, REASON_NOT_TCP},

	{"hop-by-hop options", {.ext = {HOP}}, REASON_SYN},
	{"hop-by-hop options of 2,048 bytes", {.ext = {{.hop = true, .len = 255}}}, REASON_SYN},
	{"routing header", {.ext = {ROUTING}}, REASON_SYN},
	{"destination options", {.ext = {DST}}, REASON_SYN},
	{"mobility header", {.ext = {{.type = EXT_MH}}}, REASON_SYN},
	{"HIP", {.ext = {{.type = EXT_HIP, .len = 4}}}, REASON_SYN},
	{"Shim6", {.ext = {{.type = EXT_SHIM6, .len = 1}}}, REASON_SYN},
	{"AH of 24 bytes", {.ext = {AUTH(4)}}, REASON_SYN},
	{"AH of 8 bytes", {.ext = {AUTH(0)}}, REASON_SYN},
	{"AH of 12 bytes: no multiple of 8", {.ext = {AUTH(1)}}, REASON_SYN},
	{"AH of 1,028 bytes", {.ext = {AUTH(255)}}, REASON_SYN},
	{"AH, then destination options", {.ext = {AUTH(4), DST}}, REASON_SYN},
	{"hop-by-hop options in the wrong place", {.ext = {DST, HOP}}, REASON_SYN},
	{"destination options, ESP", {.ext = {DST}, .protocol = IPPROTO_ESP}, REASON_NOT_TCP},
	{"destination options, no next header", {.ext = {DST}, .protocol = IPPROTO_NONE}, REASON_NOT_TCP},
	{"hop-by-hop options, ICMPv6 (MLD)", {.ext = {HOP}, .protocol = IPPROTO_ICMPV6}, REASON_NOT_TCP},
	{"SYN+FIN behind destination options", {.ext = {DST}, .flags = SYN | FIN}, REASON_TCP_SYN_FIN},
	{"null scan behind AH", {.ext = {AUTH(4)}, .flags = SAID(0)}, REASON_TCP_NO_FLAGS},

	{"eight extension headers", {.ext = {EIGHT}}, REASON_SYN},
	{"eight extension headers, UDP", {.ext = {EIGHT}, .protocol = IPPROTO_UDP}, REASON_NOT_TCP},
	{"eight extension headers, Xmas", {.ext = {EIGHT}, .flags = FIN | PSH | URG}, REASON_TCP_XMAS},
	{"eight extension headers, the last cut off", {.ext = {EIGHT}, .keep = 60}, REASON_IPV6_HEADER},
	{"nine extension headers", {.ext = {EIGHT, DST}}, REASON_IPV6_CHAIN},
	{"nine extension headers, the last cut off", {.ext = {EIGHT, DST}, .keep = 64}, REASON_IPV6_CHAIN},
	{"nine extension headers, UDP", {.ext = {EIGHT, DST}, .protocol = IPPROTO_UDP}, REASON_IPV6_CHAIN},
	{"ten extension headers", {.ext = {EIGHT, DST, DST}}, REASON_IPV6_CHAIN},
	{"later fragment as the eighth", {.ext = {SEVEN, FRAGMENT(1480)}}, REASON_FRAGMENT},
	{"later fragment as the ninth", {.ext = {EIGHT, FRAGMENT(1480)}}, REASON_IPV6_CHAIN},

	{"first fragment", {.ext = {FRAGMENT(EXT_MF)}, .payload = 4}, REASON_SYN},
	{"first fragment of a segment", {.ext = {FRAGMENT(EXT_MF)}, .payload = 4, .flags = ACK}, REASON_SEGMENT},
	{"first fragment, SYN+RST", {.ext = {FRAGMENT(EXT_MF)}, .flags = SYN | RST}, REASON_TCP_SYN_RST},
	{"first fragment, TCP options left to the next", {.ext = {FRAGMENT(EXT_MF)}, .tcp_options = 12, .keep = 32},
	 REASON_TCP_FRAGMENTED},
	{"first fragment, chain goes on in the next", {.ext = {FRAGMENT(EXT_MF), DST}, .keep = 8}, REASON_IPV6_HEADER},
	{"first fragment of UDP", {.ext = {FRAGMENT(EXT_MF)}, .protocol = IPPROTO_UDP, .keep = 16}, REASON_NOT_TCP},
	{"second fragment", {.ext = {FRAGMENT(8 | EXT_MF)}}, REASON_FRAGMENT},
	{"second fragment, that looks like flags", {.ext = {FRAGMENT(8)}, .flags = SYN | FIN}, REASON_FRAGMENT},
	{"last fragment, at the largest offset", {.ext = {FRAGMENT(0xfff8)}}, REASON_FRAGMENT},
	{"later fragment of UDP", {.ext = {FRAGMENT(1480)}, .protocol = IPPROTO_UDP}, REASON_FRAGMENT},
	{"later fragment, whose data looks like a chain cut off", {.ext = {FRAGMENT(1480), LONG_DST(9)}, .keep = 16},
	 REASON_FRAGMENT},
	{"atomic fragment", {.ext = {FRAGMENT(0)}}, REASON_SYN},
	{"atomic fragment, TCP header cut off", {.ext = {FRAGMENT(0)}, .keep = 16}, REASON_TCP_TRUNCATED},
	{"fragment header's reserved bits", {.ext = {FRAGMENT(6)}, .keep = 16}, REASON_TCP_TRUNCATED},
	{"fragment header's reserved byte is no length", {.ext = {{.type = IPPROTO_FRAGMENT, .len = 255}}}, REASON_SYN},
	{"reserved byte of a later fragment", {.ext = {{.type = IPPROTO_FRAGMENT, .len = 255, .fragment = 1480}}},
	 REASON_FRAGMENT},
	{"hop-by-hop, routing, first fragment, destination options", {.ext = {HOP, ROUTING, FRAGMENT(EXT_MF), DST}},
	 REASON_SYN},
	{"hop-by-hop, routing, later fragment, destination options", {.ext = {HOP, ROUTING, FRAGMENT(1480), DST}},
	 REASON_FRAGMENT},
	{"hop-by-hop, routing, atomic fragment, destination options", {.ext = {HOP, ROUTING, FRAGMENT(0), DST}},
	 REASON_SYN},
	{"first fragment in an atomic one", {.ext = {FRAGMENT(0), FRAGMENT(EXT_MF)}, .keep = 24}, REASON_TCP_FRAGMENTED},
	{"atomic fragment in a first one", {.ext = {FRAGMENT(EXT_MF), FRAGMENT(0)}}, REASON_SYN},
	{"later fragment in a first one", {.ext = {FRAGMENT(EXT_MF), FRAGMENT(8)}}, REASON_FRAGMENT},

	{"jumbo frame", {.flags = ACK, .payload = 8940}, REASON_SEGMENT},
	{"jumbo frame, payload length past its last buffer", {.flags = ACK, .payload = 8940, .length = 8961},
	 REASON_IPV6_TRUNCATED},
	{"jumbo frame, options past its last buffer", {.ext = {LONG_DST(255)}, .payload = 3000, .length = 2047},
	 REASON_IPV6_HEADER},
	{"jumbo frame, TCP header in a later buffer", {.ext = {LONG_DST(255), LONG_DST(255)}}, REASON_NOT_LINEAR},
	{"jumbo frame, UDP in a later buffer", {.ext = {LONG_DST(255), LONG_DST(255)}, .protocol = IPPROTO_UDP},
	 REASON_NOT_LINEAR},
	{"payload length 65535, in full", {.flags = ACK, .payload = 65515}, REASON_SEGMENT},
	{"payload length 0 before hop-by-hop options", {.ext = {HOP}, .length = SAID(0)}, REASON_IPV6_HEADER},
	{"jumbogram (BIG TCP)", {.ext = {HOP}, .flags = ACK, .payload = 70000, .length = SAID(0)}, REASON_SEGMENT},
	{"jumbogram with SYN+FIN", {.ext = {HOP}, .flags = SYN | FIN, .payload = 70000, .length = SAID(0)},
	 REASON_TCP_SYN_FIN},
};

static const struct packet_sweep ipv6_sweeps[] = {
	{"IPv6 header cut off", {}, CUT, 14, 53, REASON_IPV6_TRUNCATED},
	{"TCP header cut off below payload length", {}, CUT, 54, 73, REASON_IPV6_TRUNCATED},
	{"extension header cut off below payload length", {.ext = {DST}}, CUT, 54, 81, REASON_IPV6_TRUNCATED},
	{"destination options cut off", {.ext = {DST}}, KEEP, 0, 7, REASON_IPV6_HEADER},
	{"TCP header cut off behind destination options", {.ext = {DST}}, KEEP, 8, 27, REASON_TCP_TRUNCATED},
	{"hop-by-hop options cut off", {.ext = {{.hop = true, .len = 2}}}, KEEP, 0, 23, REASON_IPV6_HEADER},
	{"routing header cut off", {.ext = {{.type = IPPROTO_ROUTING, .len = 2}}}, KEEP, 0, 23, REASON_IPV6_HEADER},
	{"AH cut off", {.ext = {AUTH(4)}}, KEEP, 0, 23, REASON_IPV6_HEADER},
	{"TCP header cut off behind AH", {.ext = {AUTH(4)}}, KEEP, 24, 43, REASON_TCP_TRUNCATED},
	{"fragment header cut off", {.ext = {FRAGMENT(EXT_MF)}}, KEEP, 0, 7, REASON_IPV6_HEADER},
	{"first fragment, TCP header cut off", {.ext = {FRAGMENT(EXT_MF)}}, KEEP, 8, 27, REASON_TCP_FRAGMENTED},
	{"first fragment, next header cut off", {.ext = {FRAGMENT(EXT_MF), DST}}, KEEP, 8, 15, REASON_IPV6_HEADER},
	{"later fragment, fragment header cut off", {.ext = {FRAGMENT(1480)}}, KEEP, 0, 7, REASON_IPV6_HEADER},
	{"later fragment, cut off", {.ext = {FRAGMENT(1480)}}, KEEP, 8, 28, REASON_FRAGMENT},
	{"IPv6 headers over two buffers", {}, LINEAR, 14, 73, REASON_NOT_LINEAR},
	{"extension header over two buffers", {.ext = {AUTH(4)}}, LINEAR, 14, 97, REASON_NOT_LINEAR},
	{"extension header in the first buffer", {.ext = {AUTH(4)}}, LINEAR, 98, 98, REASON_SYN},
	{"later fragment over two buffers", {.ext = {FRAGMENT(1480)}}, LINEAR, 62, 82, REASON_FRAGMENT},
	{"ICMPv6 over two buffers", {.protocol = IPPROTO_ICMPV6}, LINEAR, 54, 74, REASON_NOT_TCP},
};
/* clang-format on */

#endif
