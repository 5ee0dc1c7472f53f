/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Ethernet, VLAN tags and IPv4: what must become of such packets.
 */
#ifndef SYNWARDEN_TESTS_PACKETS_IPV4_H
#define SYNWARDEN_TESTS_PACKETS_IPV4_H

#include "packets.h"

/* clang-format off */
#define EIGHT_TAGS                                                                                                     \
	ETH_P_8021AD, ETH_P_8021Q, ETH_P_8021Q, ETH_P_8021Q, ETH_P_8021Q, ETH_P_8021Q, ETH_P_8021Q, ETH_P_8021Q

static const struct packet_case link_packets[] = {
	{"ARP", {.ethertype = ETH_P_ARP}, REASON_NOT_IP},
	{"LLDP", {.ethertype = 0x88cc}, REASON_NOT_IP},
	{"MPLS", {.ethertype = 0x8847}, REASON_NOT_IP},
	{"PPPoE session", {.ethertype = 0x8864}, REASON_NOT_IP},
	{"IEEE 802.3 length instead of a type", {.ethertype = 40}, REASON_NOT_IP},
	{"EtherType 0", {.ethertype = SAID(0)}, REASON_NOT_IP},
	{"EtherType IPv4 in the wrong byte order", {.ethertype = SAID(0x0008)}, REASON_NOT_IP},
	{"0x9100, which Linux does not take for a VLAN tag", {.tags = {0x9100}}, REASON_NOT_IP},
	{"IPv4 under IPv6's EtherType", {.ethertype = ETH_P_IPV6}, REASON_IPV6_HEADER},
	{"nothing behind the Ethernet header", {.ethertype = ETH_P_ARP, .cut = 14}, REASON_NOT_IP},
	{"802.1Q", {.tags = {ETH_P_8021Q}}, REASON_SYN},
	{"802.1ad", {.tags = {ETH_P_8021AD}}, REASON_SYN},
	{"802.1ad and 802.1Q", {.tags = {ETH_P_8021AD, ETH_P_8021Q}}, REASON_SYN},
	{"802.1Q twice", {.tags = {ETH_P_8021Q, ETH_P_8021Q}}, REASON_SYN},
	{"802.1Q, IPv6", {.tags = {ETH_P_8021Q}, .ip6 = true}, REASON_SYN},
	{"802.1ad and 802.1Q, IPv6 segment", {.tags = {ETH_P_8021AD, ETH_P_8021Q}, .ip6 = true, .flags = ACK},
	 REASON_SEGMENT},
	{"802.1Q, ARP", {.tags = {ETH_P_8021Q}, .ethertype = ETH_P_ARP}, REASON_NOT_IP},
	{"two tags, ARP", {.tags = {ETH_P_8021AD, ETH_P_8021Q}, .ethertype = ETH_P_ARP}, REASON_NOT_IP},
	{"802.1Q, Xmas", {.tags = {ETH_P_8021Q}, .flags = FIN | PSH | URG}, REASON_TCP_XMAS},
	{"802.1Q, 60 bytes", {.tags = {ETH_P_8021Q}, .pad = 2}, REASON_SYN},
	{"two tags, 64 bytes", {.tags = {ETH_P_8021AD, ETH_P_8021Q}, .pad = 2}, REASON_SYN},
	{"three tags", {.tags = {ETH_P_8021AD, ETH_P_8021Q, ETH_P_8021Q}}, REASON_SYN},
	{"eight tags", {.tags = {EIGHT_TAGS}}, REASON_SYN},
	{"nine tags", {.tags = {EIGHT_TAGS, ETH_P_8021Q}}, REASON_VLAN_DEPTH},
};

static const struct packet_sweep link_sweeps[] = {
	{"one tag, cut off", {.tags = {ETH_P_8021Q}}, CUT, 14, 17, REASON_ETH_TRUNCATED},
	{"two tags, cut off", {.tags = {ETH_P_8021AD, ETH_P_8021Q}}, CUT, 14, 21, REASON_ETH_TRUNCATED},
	{"nine tags, cut off in the eighth", {.tags = {EIGHT_TAGS, ETH_P_8021Q}}, CUT, 42, 45, REASON_ETH_TRUNCATED},
	{"nine tags, cut off in the ninth", {.tags = {EIGHT_TAGS, ETH_P_8021Q}}, CUT, 46, 49, REASON_VLAN_DEPTH},
	{"one tag, IPv4 header cut off", {.tags = {ETH_P_8021Q}}, CUT, 18, 37, REASON_IPV4_TRUNCATED},
	{"Ethernet header over two buffers", {}, LINEAR, 0, 13, REASON_NOT_LINEAR},
	{"VLAN tag over two buffers", {.tags = {ETH_P_8021Q}}, LINEAR, 14, 17, REASON_NOT_LINEAR},
	{"ARP, Ethernet header in the first buffer", {.ethertype = ETH_P_ARP}, LINEAR, 14, 54, REASON_NOT_IP},
};

static const struct packet_case ipv4_packets[] = {
	{"SYN", {}, REASON_SYN},
	{"SYN in 60 bytes", {.pad = 6}, REASON_SYN},
	{"1,000 bytes behind the packet", {.pad = 1000}, REASON_SYN},
	{"4 bytes of options", {.ip_options = 4}, REASON_SYN},
	{"40 bytes of options", {.ip_options = 40}, REASON_SYN},
	{"40 bytes of options, SYN+FIN behind them", {.ip_options = 40, .flags = SYN | FIN}, REASON_TCP_SYN_FIN},
	{"DF", {.fragment = IP4_DF}, REASON_SYN},
	{"the reserved bit", {.fragment = IP4_RESERVED}, REASON_SYN},
	{"source 0.0.0.0", {.from = "0.0.0.0"}, REASON_SYN},
	{"source 255.255.255.255", {.from = "255.255.255.255"}, REASON_SYN},
	{"source is the destination", {.from = "198.51.100.1"}, REASON_SYN},

	{"version 0", {.version = SAID(0)}, REASON_IPV4_HEADER},
	{"version 5", {.version = 5}, REASON_IPV4_HEADER},
	{"an IPv6 packet", {.ip6 = true, .ethertype = ETH_P_IP}, REASON_IPV4_HEADER},
	{"IHL 0", {.ihl = SAID(0)}, REASON_IPV4_HEADER},
	{"IHL 4", {.ihl = 4}, REASON_IPV4_HEADER},
	{"IHL 15 where total length has no room for it", {.ihl = 15}, REASON_IPV4_HEADER},
	{"IHL 15 and total length past the frame", {.ihl = 15, .length = 60}, REASON_IPV4_TRUNCATED},
	{"IHL 6 eats four bytes of TCP", {.ihl = 6}, REASON_TCP_TRUNCATED},
	{"total length 0", {.length = SAID(0)}, REASON_IPV4_HEADER},
	{"total length 19", {.length = 19}, REASON_IPV4_HEADER},
	{"total length 20: no TCP header", {.length = 20}, REASON_TCP_TRUNCATED},
	{"total length one past the frame", {.length = 41}, REASON_IPV4_TRUNCATED},
	{"total length 65535", {.length = 65535}, REASON_IPV4_TRUNCATED},
	{"total length in the wrong byte order", {.length = 40 << 8}, REASON_IPV4_TRUNCATED},
	{"60 bytes, the TCP header's last byte is padding", {.length = 39, .pad = 6}, REASON_TCP_TRUNCATED},
	{"60 bytes, the TCP options are padding", {.tcp_options = 4, .length = 40, .pad = 2}, REASON_TCP_DOFF_END},
	{"60 bytes, the TCP header is padding", {.length = 20, .pad = 6}, REASON_TCP_TRUNCATED},

	{"first fragment, whole header", {.fragment = IP4_MF, .payload = 4}, REASON_SYN},
	{"first fragment of a segment", {.fragment = IP4_MF, .payload = 4, .flags = ACK}, REASON_SEGMENT},
	{"first fragment, 40 bytes of TCP options", {.fragment = IP4_MF, .tcp_options = 40}, REASON_SYN},
	{"first fragment, Xmas", {.fragment = IP4_MF, .flags = FIN | PSH | URG}, REASON_TCP_XMAS},
	{"first fragment, data offset 4", {.fragment = IP4_MF, .doff = 4}, REASON_TCP_DOFF_SHORT},
	{"first fragment, options left to the next", {.fragment = IP4_MF, .tcp_options = 12, .keep = 24},
	 REASON_TCP_FRAGMENTED},
	{"first fragment, the rest of the header in padding", {.fragment = IP4_MF, .length = 28}, REASON_TCP_FRAGMENTED},
	{"first fragment with DF", {.fragment = IP4_MF | IP4_DF, .keep = 8}, REASON_TCP_FRAGMENTED},
	{"first fragment of UDP", {.fragment = IP4_MF, .protocol = IPPROTO_UDP, .keep = 8}, REASON_NOT_TCP},
	{"second fragment", {.fragment = IP4_MF | 1}, REASON_FRAGMENT},
	{"second fragment, that looks like flags", {.fragment = 1, .flags = SYN | FIN}, REASON_FRAGMENT},
	{"second fragment with DF", {.fragment = IP4_DF | 1}, REASON_FRAGMENT},
	{"last fragment", {.fragment = 185}, REASON_FRAGMENT},
	{"last fragment, at the largest offset", {.fragment = 0x1fff}, REASON_FRAGMENT},
	{"later fragment, empty", {.fragment = 185, .keep = SAID(0)}, REASON_FRAGMENT},
	{"later fragment of UDP", {.fragment = IP4_MF | 185, .protocol = IPPROTO_UDP}, REASON_FRAGMENT},
	{"later fragment, total length past the frame", {.fragment = 185, .length = 41}, REASON_IPV4_TRUNCATED},

	{"UDP", {.protocol = IPPROTO_UDP}, REASON_NOT_TCP},
	{"UDP, empty", {.protocol = IPPROTO_UDP, .keep = SAID(0)}, REASON_NOT_TCP},
	{"ICMP", {.protocol = IPPROTO_ICMP}, REASON_NOT_TCP},
	{"GRE", {.protocol = IPPROTO_GRE}, REASON_NOT_TCP},
	{"IPv4 in IPv4", {.protocol = IPPROTO_IPIP}, REASON_NOT_TCP},
	{"IPv6 in IPv4", {.protocol = IPPROTO_IPV6}, REASON_NOT_TCP},
	{"SCTP", {.protocol = IPPROTO_SCTP}, REASON_NOT_TCP},
	{"ESP", {.protocol = IPPROTO_ESP}, REASON_NOT_TCP},
	{"AH", {.protocol = IPPROTO_AH}, REASON_NOT_TCP},
	{"protocol 0: no hop-by-hop options in IPv4", {.protocol = SAID(0)}, REASON_NOT_TCP},
	{"IPv6's fragment header as IPv4's protocol", {.protocol = IPPROTO_FRAGMENT}, REASON_NOT_TCP},
	{"protocol 255", {.protocol = 255}, REASON_NOT_TCP},

	{"jumbo frame", {.flags = ACK, .payload = 8960}, REASON_SEGMENT},
	{"jumbo frame, SYN", {.payload = 8960}, REASON_SYN},
	{"jumbo frame, null scan", {.flags = SAID(0), .payload = 8960}, REASON_TCP_NO_FLAGS},
	{"jumbo frame, total length within its first buffer", {.payload = 8960, .length = 40}, REASON_SYN},
	{"jumbo frame, total length past its last buffer", {.payload = 8960, .length = 9001}, REASON_IPV4_TRUNCATED},
	{"jumbo frame, UDP", {.protocol = IPPROTO_UDP, .payload = 8960}, REASON_NOT_TCP},
	{"total length 65535, in full", {.flags = ACK, .payload = 65495}, REASON_SEGMENT},
	{"total length 0 in 65535 bytes", {.flags = ACK, .payload = 65495, .length = SAID(0)}, REASON_IPV4_HEADER},
	{"BIG TCP, 65536 bytes", {.flags = ACK, .payload = 65496, .length = SAID(0)}, REASON_SEGMENT},
	{"BIG TCP, 70,040 bytes", {.flags = ACK, .payload = 70000, .length = SAID(0)}, REASON_SEGMENT},
	{"BIG TCP with SYN+FIN", {.flags = SYN | FIN, .payload = 70000, .length = SAID(0)}, REASON_TCP_SYN_FIN},
};

static const struct packet_sweep ipv4_sweeps[] = {
	{"IPv4 header cut off", {}, CUT, 14, 33, REASON_IPV4_TRUNCATED},
	{"TCP header cut off below total length", {}, CUT, 34, 53, REASON_IPV4_TRUNCATED},
	{"IPv4 options cut off", {.ip_options = 40}, CUT, 34, 73, REASON_IPV4_TRUNCATED},
	{"TCP header cut off behind options", {.ip_options = 40}, KEEP, 0, 19, REASON_TCP_TRUNCATED},
	{"first fragment, TCP header cut off", {.fragment = IP4_MF}, KEEP, 0, 19, REASON_TCP_FRAGMENTED},
	{"IHL below 5", {}, IHL, 0, 4, REASON_IPV4_HEADER},
	{"IPv4 headers over two buffers", {}, LINEAR, 14, 53, REASON_NOT_LINEAR},
	{"IPv4 options over two buffers", {.ip_options = 40}, LINEAR, 14, 93, REASON_NOT_LINEAR},
	{"TCP options over two buffers", {.tcp_options = 12}, LINEAR, 54, 66, REASON_SYN},
	{"UDP over two buffers", {.protocol = IPPROTO_UDP}, LINEAR, 34, 54, REASON_NOT_TCP},
	{"later fragment over two buffers", {.fragment = 185}, LINEAR, 34, 54, REASON_FRAGMENT},
	{"lying total length, over two buffers", {.length = 41}, LINEAR, 34, 54, REASON_IPV4_TRUNCATED},
	{"TCP header cut off, in the second buffer", {.length = 39}, LINEAR, 34, 54, REASON_TCP_TRUNCATED},
};
/* clang-format on */

#endif
