// SPDX-License-Identifier: GPL-2.0-only
/*
 * DNS messages (RFC 1035) from a packet socket that takes UDP from port 53 alone.
 */
#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <netpacket/packet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fetch/dns_watch.h"
#include "text/address.h"

#define DNS_PORT    53
#define DNS_HEADER  12
#define UDP_HEADER  8
#define IPV6_HEADER 40
#define TYPE_A	    1
#define TYPE_AAAA   28
#define PACKET_MAX  4096
#define NAME_LEN    256 /* RFC 1035: 255, and the terminator */

/* Offsets are from the IP header on. */
static struct sock_filter from_dns[] = {
	BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0),
	BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xf0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x60, 5, 0),
	BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 9),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_UDP, 0, 8),
	BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0),
	BPF_STMT(BPF_LD | BPF_H | BPF_IND, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, DNS_PORT, 4, 5),
	BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 6),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_UDP, 0, 3),
	BPF_STMT(BPF_LD | BPF_H | BPF_ABS, IPV6_HEADER),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, DNS_PORT, 0, 1),
	BPF_STMT(BPF_RET | BPF_K, PACKET_MAX),
	BPF_STMT(BPF_RET | BPF_K, 0),
};

/* A message that is read; `at` behind its end: it was cut. */
struct cursor {
	const uint8_t *message;
	size_t len, at;
};

static unsigned read_u16(struct cursor *cursor)
{
	const uint8_t *at = cursor->message + cursor->at;

	cursor->at += 2;
	return cursor->at <= cursor->len ? at[0] << 8 | at[1] : 0;
}

static uint32_t read_u32(struct cursor *cursor)
{
	uint32_t high = read_u16(cursor);

	return high << 16 | read_u16(cursor);
}

static void cut(struct cursor *cursor)
{
	cursor->at = cursor->len + 1;
}

/* A name without compression, as the one in a question is, with dots: "www.example.org". */
static void read_name(struct cursor *cursor, char name[NAME_LEN])
{
	size_t used = 0, label;

	*name = '\0';
	while (cursor->at < cursor->len && (label = cursor->message[cursor->at++]) != 0) {
		if (label > 63 || cursor->at + label > cursor->len || used + label + 2 > NAME_LEN) {
			cut(cursor);
			return;
		}
		used += snprintf(name + used, NAME_LEN - used, "%s%.*s", used ? "." : "", (int)label,
				 (const char *)cursor->message + cursor->at);
		cursor->at += label;
	}
}

static void skip_name(struct cursor *cursor)
{
	while (cursor->at < cursor->len) {
		uint8_t label = cursor->message[cursor->at++];

		if ((label & 0xc0) == 0xc0)
			cursor->at++;
		if (!label || (label & 0xc0) == 0xc0)
			return;
		cursor->at += label;
	}
	cut(cursor);
}

/* Whether the name is `host`, or below a search domain. */
static bool is_about(const char *name, const char *host)
{
	size_t len = strlen(host);

	if (len && host[len - 1] == '.')
		len--;
	return !strncasecmp(name, host, len) && (!name[len] || name[len] == '.');
}

static void read_ttl(struct cursor *cursor, unsigned records, struct dns_answer *answer)
{
	while (records-- && cursor->at < cursor->len && !answer->has_ttl) {
		unsigned type;
		uint32_t ttl;

		skip_name(cursor);
		type = read_u16(cursor);
		read_u16(cursor); /* class */
		ttl = read_u32(cursor);
		cursor->at += read_u16(cursor);
		if (cursor->at > cursor->len || (type != TYPE_A && type != TYPE_AAAA))
			continue;
		answer->has_ttl = true;
		answer->ttl = ttl;
	}
}

bool dns_watch__parse(const uint8_t *message, size_t len, const char *host, struct dns_answer *answer)
{
	struct cursor cursor = {message, len, 2};
	unsigned flags = read_u16(&cursor), questions = read_u16(&cursor), records = read_u16(&cursor), type;
	char name[NAME_LEN];

	if (len < DNS_HEADER || !(flags & 0x8000) || questions != 1)
		return false;
	cursor.at = DNS_HEADER;
	read_name(&cursor, name);
	type = read_u16(&cursor);
	read_u16(&cursor); /* class */
	if (cursor.at > len || (type != TYPE_A && type != TYPE_AAAA) || !is_about(name, host))
		return false;
	*answer = (struct dns_answer){.is_seen = true, .code = flags & 0xf};
	read_ttl(&cursor, records, answer);
	return true;
}

static struct addr source_of(const uint8_t *packet)
{
	struct addr addr;
	uint32_t v4;

	if (*packet >> 4 == 6) {
		memcpy(&addr, packet + 8, sizeof(addr));
		return addr;
	}
	memcpy(&v4, packet + 12, sizeof(v4));
	return address__from_v4(v4);
}

int dns_watch__open(void)
{
	struct sock_fprog program = {sizeof(from_dns) / sizeof(*from_dns), from_dns};
	struct sockaddr_ll all = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
	int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) ||
	    bind(fd, (struct sockaddr *)&all, sizeof(all))) {
		close(fd);
		return -1;
	}
	return fd;
}

void dns_watch__read(int fd, const char *host, struct dns_answer *answer)
{
	uint8_t packet[PACKET_MAX];
	struct dns_answer next;
	ssize_t len;

	while ((len = recv(fd, packet, sizeof(packet), 0)) > 0) {
		size_t headers = (*packet >> 4 == 6 ? IPV6_HEADER : (*packet & 0xf) * 4) + UDP_HEADER;

		if ((size_t)len <= headers || !dns_watch__parse(packet + headers, len - headers, host, &next))
			continue;
		next.server = source_of(packet);
		if (next.has_ttl || !answer->has_ttl)
			*answer = next;
	}
}

const char *dns_watch__code(unsigned code)
{
	static const char *const names[] = {"NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED"};
	static char text[16];

	if (code < sizeof(names) / sizeof(*names))
		return names[code];
	snprintf(text, sizeof(text), "code %u", code);
	return text;
}
