/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Allow and block lists, and SYNs counted by port: the entries, a packet, and what must become of it.
 */
#ifndef SYNWARDEN_TESTS_PACKETS_LISTS_H
#define SYNWARDEN_TESTS_PACKETS_LISTS_H

#include "packets.h"

enum { BLOCK, ALLOW };

struct list_row {
	bool allow;
	const char *cidr;
	enum { LIFE_ENDLESS, LIFE_HOUR, LIFE_OVER } life;
};

struct list_case {
	const char *what;
	struct list_row rows[10];
	struct frame_spec frame;
	enum reason reason;
};

#define FROM(address)                                                                                                  \
	{                                                                                                              \
		.from = (address)                                                                                      \
	}
#define LIVE(list, text)                                                                                               \
	{                                                                                                              \
		.allow = (list), .cidr = (text)                                                                        \
	}
#define HOUR(list, text)                                                                                               \
	{                                                                                                              \
		.allow = (list), .cidr = (text), .life = LIFE_HOUR                                                     \
	}
#define OVER(list, text)                                                                                               \
	{                                                                                                              \
		.allow = (list), .cidr = (text), .life = LIFE_OVER                                                     \
	}
#define SEVEN_OVER                                                                                                     \
	OVER(BLOCK, "192.0.2.0/25"), OVER(BLOCK, "192.0.2.0/26"), OVER(BLOCK, "192.0.2.0/27"),                         \
		OVER(BLOCK, "192.0.2.0/28"), OVER(BLOCK, "192.0.2.0/29"), OVER(BLOCK, "192.0.2.0/30"),                 \
		OVER(BLOCK, "192.0.2.0/31")

/* clang-format off */
static const struct list_case list_cases[] = {
	{"no lists", {}, {}, REASON_SYN},
	{"blocked host", {LIVE(BLOCK, "192.0.2.1")}, {}, REASON_BLOCKED},
	{"another host is blocked", {LIVE(BLOCK, "192.0.2.2")}, {}, REASON_SYN},
	{"blocked network, first address", {LIVE(BLOCK, "192.0.2.128/25")}, FROM("192.0.2.128"), REASON_BLOCKED},
	{"blocked network, the address before", {LIVE(BLOCK, "192.0.2.128/25")}, FROM("192.0.2.127"), REASON_SYN},
	{"blocked network, last address", {LIVE(BLOCK, "192.0.0.0/9")}, FROM("192.127.255.255"), REASON_BLOCKED},
	{"blocked network, the address behind", {LIVE(BLOCK, "192.0.0.0/9")}, FROM("192.128.0.0"), REASON_SYN},
	{"the destination is blocked", {LIVE(BLOCK, "198.51.100.0/24")}, {}, REASON_SYN},
	{"allowed host", {LIVE(ALLOW, "192.0.2.1")}, {}, REASON_ALLOWED},
	{"another host is allowed", {LIVE(ALLOW, "192.0.2.2")}, {}, REASON_SYN},

	{"0.0.0.0/0 holds all of IPv4", {LIVE(BLOCK, "0.0.0.0/0")}, FROM("203.0.113.1"), REASON_BLOCKED},
	{"0.0.0.0/0 holds nothing of IPv6", {LIVE(BLOCK, "0.0.0.0/0")}, FROM("2001:db8::1"), REASON_SYN},
	{"0.0.0.0/0 and IPv6's ::192.0.2.1", {LIVE(BLOCK, "0.0.0.0/0")}, FROM("::192.0.2.1"), REASON_SYN},
	{"an allowed IPv4 address in an IPv6 header", {LIVE(ALLOW, "192.0.2.1")}, FROM("::ffff:192.0.2.1"),
	 REASON_IPV6_HEADER},
	{"::/0 holds all of IPv6", {LIVE(BLOCK, "::/0")}, FROM("2001:db8::1"), REASON_BLOCKED},
	{"::/0 holds nothing of IPv4", {LIVE(BLOCK, "::/0")}, {}, REASON_SYN},
	{"::/1 holds nothing of IPv4", {LIVE(BLOCK, "::/1")}, {}, REASON_SYN},
	{"::/0 hides no IPv4 prefix", {LIVE(BLOCK, "::/0"), LIVE(BLOCK, "0.0.0.0/0")}, {}, REASON_BLOCKED},
	{"an expired IPv4 prefix before ::/0", {OVER(BLOCK, "192.0.2.1"), LIVE(BLOCK, "::/0")}, {}, REASON_SYN},
	{"2000::/3 holds nothing of IPv4", {LIVE(BLOCK, "2000::/3")}, {}, REASON_SYN},
	{"blocked /64", {LIVE(BLOCK, "2001:db8:0:1::/64")}, FROM("2001:db8:0:1:ffff:ffff:ffff:ffff"), REASON_BLOCKED},
	{"blocked /64, the address before", {LIVE(BLOCK, "2001:db8:0:1::/64")}, FROM("2001:db8:0:0:ffff:ffff:ffff:ffff"),
	 REASON_SYN},
	{"blocked /64, the address behind", {LIVE(BLOCK, "2001:db8:0:1::/64")}, FROM("2001:db8:0:2::"), REASON_SYN},
	{"blocked /127", {LIVE(BLOCK, "2001:db8::2/127")}, FROM("2001:db8::3"), REASON_BLOCKED},
	{"blocked /128", {LIVE(BLOCK, "2001:db8::3")}, FROM("2001:db8::2"), REASON_SYN},

	{"allowed host in a blocked network", {LIVE(BLOCK, "192.0.2.0/24"), LIVE(ALLOW, "192.0.2.1")}, {}, REASON_ALLOWED},
	{"its neighbour", {LIVE(BLOCK, "192.0.2.0/24"), LIVE(ALLOW, "192.0.2.1")}, FROM("192.0.2.2"), REASON_BLOCKED},
	{"blocked host in an allowed network: allow wins", {LIVE(BLOCK, "192.0.2.1"), LIVE(ALLOW, "192.0.2.0/24")}, {},
	 REASON_ALLOWED},
	{"the same prefix in both: allow wins", {LIVE(BLOCK, "192.0.2.0/24"), LIVE(ALLOW, "192.0.2.0/24")}, {},
	 REASON_ALLOWED},
	{"IPv6 host in an allowed network", {LIVE(BLOCK, "::/0"), LIVE(ALLOW, "2001:db8::/32")}, FROM("2001:db8::1"),
	 REASON_ALLOWED},

	{"segment, blocked", {LIVE(BLOCK, "192.0.2.1")}, {.flags = ACK}, REASON_BLOCKED},
	{"SYN-ACK, blocked", {LIVE(BLOCK, "192.0.2.1")}, {.flags = SYN | ACK}, REASON_BLOCKED},
	{"UDP, blocked", {LIVE(BLOCK, "192.0.2.1")}, {.protocol = IPPROTO_UDP}, REASON_BLOCKED},
	{"ICMPv6, blocked", {LIVE(BLOCK, "2001:db8::/32")}, {.ip6 = true, .protocol = IPPROTO_ICMPV6}, REASON_BLOCKED},
	{"first fragment, blocked", {LIVE(BLOCK, "192.0.2.1")}, {.fragment = IP4_MF}, REASON_BLOCKED},
	{"later fragment, blocked", {LIVE(BLOCK, "192.0.2.1")}, {.fragment = 185}, REASON_BLOCKED},
	{"later IPv6 fragment, blocked", {LIVE(BLOCK, "2001:db8::1")},
	 {.ip6 = true, .ext = {{.type = IPPROTO_FRAGMENT, .fragment = 1480}}}, REASON_BLOCKED},
	{"two VLAN tags, blocked", {LIVE(BLOCK, "192.0.2.1")}, {.tags = {ETH_P_8021AD, ETH_P_8021Q}}, REASON_BLOCKED},
	{"TCP header in a later buffer, blocked", {LIVE(BLOCK, "2001:db8::1")},
	 {.ip6 = true, .ext = {LONG_DST(255), LONG_DST(255)}}, REASON_BLOCKED},
	{"jumbo frame, blocked", {LIVE(BLOCK, "192.0.2.1")}, {.flags = ACK, .payload = 8960}, REASON_BLOCKED},
	{"segment, allowed", {LIVE(ALLOW, "192.0.2.1")}, {.flags = ACK}, REASON_ALLOWED},
	{"UDP, allowed", {LIVE(ALLOW, "192.0.2.1")}, {.protocol = IPPROTO_UDP}, REASON_ALLOWED},
	{"later fragment, allowed", {LIVE(ALLOW, "192.0.2.1")}, {.fragment = 185}, REASON_ALLOWED},
	{"no IP packet: lists do not apply", {LIVE(BLOCK, "::/0")}, {.ethertype = ETH_P_ARP}, REASON_NOT_IP},
	{"unsound, from an allowed source", {LIVE(ALLOW, "192.0.2.1")}, {.flags = SYN | FIN}, REASON_TCP_SYN_FIN},
	{"unsound, from a blocked source", {LIVE(BLOCK, "192.0.2.1")}, {.doff = 4}, REASON_TCP_DOFF_SHORT},

	{"blocked for an hour", {HOUR(BLOCK, "192.0.2.1")}, {}, REASON_BLOCKED},
	{"blocked no more", {OVER(BLOCK, "192.0.2.1")}, {}, REASON_SYN},
	{"allowed no more", {OVER(ALLOW, "192.0.2.1")}, {}, REASON_SYN},
	{"allowed no more, but blocked", {OVER(ALLOW, "192.0.2.1"), LIVE(BLOCK, "192.0.2.0/24")}, {}, REASON_BLOCKED},
	{"::/0 blocked no more", {OVER(BLOCK, "::/0")}, {}, REASON_SYN},
	{"expired host in a blocked network", {OVER(BLOCK, "192.0.2.1"), LIVE(BLOCK, "192.0.2.0/24")}, {},
	 REASON_BLOCKED},
	{"expired host in an allowed network", {OVER(ALLOW, "192.0.2.1"), LIVE(ALLOW, "192.0.0.0/16")}, {},
	 REASON_ALLOWED},
	{"expired /128 in a blocked ::/0", {OVER(BLOCK, "2001:db8::1"), HOUR(BLOCK, "::/0")},
	 FROM("2001:db8::1"), REASON_BLOCKED},
	{"blocked host in an expired network", {LIVE(BLOCK, "192.0.2.1"), OVER(BLOCK, "192.0.2.0/24")}, {},
	 REASON_BLOCKED},
	{"seven expired prefixes before one that holds", {SEVEN_OVER, LIVE(BLOCK, "192.0.2.0/24")}, {},
	 REASON_BLOCKED},
	{"eight are too many to look behind", {SEVEN_OVER, OVER(BLOCK, "192.0.2.0/24"), LIVE(BLOCK, "192.0.0.0/16")},
	 {}, REASON_SYN},

	/* Where the filter's levels meet. */
	{"/23, last /24", {LIVE(BLOCK, "192.0.2.0/23")}, FROM("192.0.3.255"), REASON_BLOCKED},
	{"/23, behind", {LIVE(BLOCK, "192.0.2.0/23")}, FROM("192.0.4.0"), REASON_SYN},
	{"/16, last /24", {LIVE(BLOCK, "192.0.0.0/16")}, FROM("192.0.255.255"), REASON_BLOCKED},
	{"/16, before", {LIVE(BLOCK, "192.0.0.0/16")}, FROM("191.255.255.255"), REASON_SYN},
	{"/15, last /16", {LIVE(BLOCK, "192.0.0.0/15")}, FROM("192.1.255.255"), REASON_BLOCKED},
	{"/15, behind", {LIVE(BLOCK, "192.0.0.0/15")}, FROM("192.2.0.0"), REASON_SYN},
	{"/15 on the allow list", {LIVE(ALLOW, "192.0.0.0/15")}, FROM("192.1.0.0"), REASON_ALLOWED},
	{"/1, last /16", {LIVE(BLOCK, "128.0.0.0/1")}, FROM("223.255.255.255"), REASON_BLOCKED},
	{"/1, before", {LIVE(BLOCK, "128.0.0.0/1")}, FROM("126.255.255.255"), REASON_SYN},
	{"IPv6 /49", {LIVE(BLOCK, "2001:db8:0:8000::/49")}, FROM("2001:db8:0:ffff::"), REASON_BLOCKED},
	{"IPv6 /48, behind", {LIVE(BLOCK, "2001:db8:1::/48")}, FROM("2001:db8:2::"), REASON_SYN},
	{"IPv6 /47, last /48", {LIVE(BLOCK, "2001:db8::/47")}, FROM("2001:db8:1:ffff::"), REASON_BLOCKED},
	{"IPv6 /47, behind", {LIVE(BLOCK, "2001:db8::/47")}, FROM("2001:db8:2::"), REASON_SYN},
	{"IPv6 /32, last /48", {LIVE(BLOCK, "2001:db8::/32")}, FROM("2001:db8:ffff::"), REASON_BLOCKED},
	{"IPv6 /31, last /32", {LIVE(BLOCK, "2001:db8::/31")}, FROM("2001:db9:ffff::"), REASON_BLOCKED},
	{"IPv6 /31, behind", {LIVE(BLOCK, "2001:db8::/31")}, FROM("2001:dba::"), REASON_SYN},
	{"IPv6 /24, last /32", {LIVE(ALLOW, "2001:d00::/24")}, FROM("2001:dff:ffff::"), REASON_ALLOWED},
	{"IPv6 /23, last /24", {LIVE(BLOCK, "2001:c00::/23")}, FROM("2001:dff:ffff::"), REASON_BLOCKED},
	{"IPv6 /23, behind", {LIVE(BLOCK, "2001:c00::/23")}, FROM("2001:e00::"), REASON_SYN},
	{"IPv6 /15, last /16", {LIVE(ALLOW, "2a00::/15")}, FROM("2a01:ffff::"), REASON_ALLOWED},
	{"IPv6 /15, behind", {LIVE(BLOCK, "2a00::/15")}, FROM("2a02::"), REASON_SYN},
	{"levels side by side",
	 {LIVE(BLOCK, "192.0.0.0/9"), LIVE(BLOCK, "2001:db8::/32"), LIVE(BLOCK, "192.0.2.9"), LIVE(ALLOW, "192.0.2.1")},
	 {}, REASON_ALLOWED},
};

/*
 * Port 8080 listens and has a slot, 65535 has the last one, 443 listens but found none left; 192.0.2.7 is allowed,
 * 2001:db8:7::/48 blocked. A slot that there cannot be costs the count, not the packet.
 */
enum { PORT_SYNS_8080 = 8, PORT_SYNS_65535 = 1, PORT_SYNS_OTHER = 2 };
static const struct packet_case port_packets[] = {
	{"SYN to 8080", {.dport = 8080}, REASON_SYN},
	{"IPv6 SYN to 8080", {.ip6 = true, .dport = 8080}, REASON_SYN},
	{"tagged SYN to 8080", {.tags = {ETH_P_8021Q}, .dport = 8080}, REASON_SYN},
	{"SYN to 8080 behind options", {.ip_options = 40, .dport = 8080}, REASON_SYN},
	{"SYN to 8080 behind an extension header", {.ip6 = true, .ext = {{.hop = true}}, .dport = 8080}, REASON_SYN},
	{"first fragment of a SYN to 8080", {.fragment = IP4_MF, .dport = 8080}, REASON_SYN},
	{"SYN to 8080 from an allowed source", {.from = "192.0.2.7", .dport = 8080}, REASON_ALLOWED},
	{"SYN to 8080 from a blocked source", {.from = "2001:db8:7::1", .dport = 8080}, REASON_BLOCKED},
	{"SYN-ACK to 8080", {.flags = SYN | ACK, .dport = 8080}, REASON_SEGMENT},
	{"segment to 8080", {.flags = ACK, .dport = 8080}, REASON_SEGMENT},
	{"SYN and FIN to 8080", {.flags = SYN | FIN, .dport = 8080}, REASON_TCP_SYN_FIN},
	{"SYN to 8080 with a bad data offset", {.doff = 15, .dport = 8080}, REASON_TCP_DOFF_END},
	{"UDP to 8080", {.protocol = IPPROTO_UDP, .dport = 8080}, REASON_NOT_TCP},
	{"later fragment that looks like a SYN to 8080", {.fragment = 185, .dport = 8080}, REASON_FRAGMENT},
	{"SYN to 65535", {.dport = 65535}, REASON_SYN},
	{"SYN to 8081", {.dport = 8081}, REASON_SYN},
	{"SYN to port 0", {.dport = SAID(0)}, REASON_SYN},
	{"SYN to 443", {.dport = 443}, REASON_SYN},
};
/* clang-format on */

#endif
