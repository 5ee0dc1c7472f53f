/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * TCP: what must become of such segments. Each row is run in IPv4 and in IPv6.
 */
#ifndef SYNWARDEN_TESTS_PACKETS_TCP_H
#define SYNWARDEN_TESTS_PACKETS_TCP_H

#include "packets.h"

/* clang-format off */
static const struct packet_case tcp_packets[] = {
	{"SYN", {}, REASON_SYN},
	{"SYN with data (TCP Fast Open)", {.tcp_options = 12, .payload = 1000}, REASON_SYN},
	{"SYN, ECN asked for", {.flags = SYN | ECE | CWR}, REASON_SYN},
	{"SYN, accurate ECN asked for", {.flags = SYN | ECE | CWR, .reserved = 1}, REASON_SYN},
	{"SYN, all reserved bits", {.reserved = 15}, REASON_SYN},
	{"SYN, PSH and URG", {.flags = SYN | PSH | URG}, REASON_SYN},
	{"SYN to port 0", {.dport = SAID(0)}, REASON_SYN},
	{"SYN, 40 bytes of options", {.tcp_options = 40}, REASON_SYN},
	{"SYN-ACK", {.flags = SYN | ACK}, REASON_SEGMENT},
	{"ACK", {.flags = ACK}, REASON_SEGMENT},
	{"ACK, 40 bytes of options", {.flags = ACK, .tcp_options = 40}, REASON_SEGMENT},
	{"data", {.flags = PSH | ACK, .payload = 1448}, REASON_SEGMENT},
	{"data, ECN echoed", {.flags = PSH | ACK | ECE, .payload = 1}, REASON_SEGMENT},
	{"FIN", {.flags = FIN | ACK}, REASON_SEGMENT},
	{"FIN without ACK", {.flags = FIN}, REASON_SEGMENT},
	{"RST", {.flags = RST}, REASON_SEGMENT},
	{"RST and ACK", {.flags = RST | ACK}, REASON_SEGMENT},
	{"FIN, PSH, URG and ACK", {.flags = FIN | PSH | URG | ACK}, REASON_SEGMENT},
	{"urgent data", {.flags = PSH | URG | ACK, .payload = 1}, REASON_SEGMENT},

	{"null scan", {.flags = SAID(0)}, REASON_TCP_NO_FLAGS},
	{"null scan with data", {.flags = SAID(0), .payload = 100}, REASON_TCP_NO_FLAGS},
	{"null scan behind ECN bits", {.flags = ECE | CWR, .reserved = 15}, REASON_TCP_NO_FLAGS},
	{"SYN and FIN", {.flags = SYN | FIN}, REASON_TCP_SYN_FIN},
	{"SYN, FIN and ACK", {.flags = SYN | FIN | ACK}, REASON_TCP_SYN_FIN},
	{"SYN and RST", {.flags = SYN | RST}, REASON_TCP_SYN_RST},
	{"SYN, RST and ACK", {.flags = SYN | RST | ACK}, REASON_TCP_SYN_RST},
	{"Xmas", {.flags = FIN | PSH | URG}, REASON_TCP_XMAS},
	{"Xmas behind ECN bits", {.flags = FIN | PSH | URG | ECE | CWR}, REASON_TCP_XMAS},
	{"all flags", {.flags = 0xff}, REASON_TCP_SYN_FIN},

	{"data offset 4, no flags: the header comes first", {.doff = 4, .flags = SAID(0)}, REASON_TCP_DOFF_SHORT},
	{"data offset 6, nothing there", {.doff = 6}, REASON_TCP_DOFF_END},
	{"data offset 15, data there", {.doff = 15, .payload = 40}, REASON_SYN},
	{"data offset 15, one byte short", {.doff = 15, .payload = 39}, REASON_TCP_DOFF_END},
	{"data offset into the frame's padding", {.doff = 6, .pad = 100}, REASON_TCP_DOFF_END},
	{"data offset past the end of a segment", {.doff = 15, .flags = ACK}, REASON_TCP_DOFF_END},
	{"nothing behind IP's header but padding", {.keep = SAID(0), .pad = 60}, REASON_TCP_TRUNCATED},
};

static const struct packet_sweep tcp_sweeps[] = {
	{"TCP header cut off", {}, KEEP, 0, 19, REASON_TCP_TRUNCATED},
	{"TCP header of a segment cut off", {.flags = ACK}, KEEP, 0, 19, REASON_TCP_TRUNCATED},
	{"TCP options cut off", {.tcp_options = 40}, KEEP, 20, 59, REASON_TCP_DOFF_END},
	{"TCP header cut off, padding behind", {.pad = 60}, KEEP, 0, 19, REASON_TCP_TRUNCATED},
	{"data offset too small", {}, DOFF, 0, 4, REASON_TCP_DOFF_SHORT},
	{"data offset past the end", {}, DOFF, 6, 15, REASON_TCP_DOFF_END},
	{"data offset within the data", {.payload = 40}, DOFF, 5, 15, REASON_SYN},
};

/* All 256 values of the flags: the first row that fits says the reason. */
static const struct {
	uint8_t mask, set;
	enum reason reason;
} tcp_flags[] = {
	{FIN | SYN | RST | PSH | ACK | URG, 0, REASON_TCP_NO_FLAGS},
	{SYN | FIN, SYN | FIN, REASON_TCP_SYN_FIN},
	{SYN | RST, SYN | RST, REASON_TCP_SYN_RST},
	{FIN | PSH | URG | ACK, FIN | PSH | URG, REASON_TCP_XMAS},
	{SYN | ACK, SYN, REASON_SYN},
	{0, 0, REASON_SEGMENT},
};
/* clang-format on */

#endif
