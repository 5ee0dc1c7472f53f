// SPDX-License-Identifier: GPL-2.0-only
/*
 * A table is one blob: entries with a fixed head, matches, and a target, each of which says where the next one begins
 * (linux/netfilter_ipv4/ip_tables.h). To ask for a table that a namespace does not have would make it, with its hooks;
 * /proc lists those that it has.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <netinet/in.h>
#include <linux/netfilter_ipv4/ip_tables.h>
#include <linux/netfilter_ipv6/ip6_tables.h>

#include "system/nat_rule.h"

#define TABLE_BYTES_MAX (64U << 20)

/* What differs between the two families. */
static const struct family {
	int family, level;
	const char *names; /* the tables of this namespace */
	size_t entry;	   /* bytes of an entry's head */
} families[] = {
	{AF_INET, IPPROTO_IP, "/proc/net/ip_tables_names", sizeof(struct ipt_entry)},
	{AF_INET6, IPPROTO_IPV6, "/proc/net/ip6_tables_names", sizeof(struct ip6t_entry)},
};

/* The head of an entry, of either family. */
struct head {
	uint8_t protocol;
	uint16_t target, next; /* offsets */
};

static struct head read_head(const struct family *family, const char *entry)
{
	const struct ipt_entry *four = (const void *)entry;
	const struct ip6t_entry *six = (const void *)entry;

	if (family->family == AF_INET)
		return (struct head){four->ip.invflags & IPT_INV_PROTO ? 0 : four->ip.proto, four->target_offset,
				     four->next_offset};
	return (struct head){six->ipv6.flags & IP6T_F_PROTO && !(six->ipv6.invflags & IP6T_INV_PROTO) ? six->ipv6.proto
												      : 0,
			     six->target_offset, six->next_offset};
}

/* Matches stand between the head and the target. */
static void read_matches(struct nat_rule *rule, const char *entry, size_t at, size_t end)
{
	while (at + sizeof(struct xt_entry_match) <= end) {
		const struct xt_entry_match *match = (const void *)(entry + at);
		size_t bytes = match->u.match_size;

		if (bytes < sizeof(*match) || at + bytes > end)
			return;
		nat_rule__match(rule, match->u.user.name, match->data, bytes - sizeof(*match));
		at += bytes;
	}
}

/* Reads the entry; returns its length, 0 where it is not one. */
static size_t read_entry(struct nat_reading *reading, const struct family *family, const char *entry, size_t left)
{
	const struct xt_entry_target *target;
	struct nat_rule rule = {};
	struct head head;

	if (left < family->entry)
		return 0;
	head = read_head(family, entry);
	if (head.next > left || head.target < family->entry || head.target + sizeof(*target) > head.next)
		return 0;
	target = (const void *)(entry + head.target);
	rule.protocol = head.protocol;
	read_matches(&rule, entry, family->entry, head.target);
	nat_rule__target(&rule, family->family, target->u.user.name, target->data,
			 head.next - head.target - sizeof(*target));
	nat_rule__note(reading, &rule);
	return head.next;
}

/* 0, or -1 where the table cannot be read. The names and numbers of both families' requests are the same. */
static int read_info(struct ipt_getinfo *info, const struct family *family, int fd, const char *name)
{
	socklen_t bytes = sizeof(*info);

	*info = (struct ipt_getinfo){};
	snprintf(info->name, sizeof(info->name), "%s", name);
	return fd < 0 || getsockopt(fd, family->level, IPT_SO_GET_INFO, info, &bytes) || info->size > TABLE_BYTES_MAX
		       ? -1
		       : 0;
}

static int read_table(struct nat_reading *reading, const struct family *family, int fd, const struct ipt_getinfo *info)
{
	socklen_t bytes = sizeof(struct ipt_get_entries) + info->size;
	struct ipt_get_entries *entries = calloc(1, bytes);
	size_t at = 0, length = 1;
	int ret = -1;

	if (!entries)
		return -1;
	memcpy(entries->name, info->name, sizeof(entries->name));
	entries->size = info->size;
	if (getsockopt(fd, family->level, IPT_SO_GET_ENTRIES, entries, &bytes) == 0) {
		while (at < info->size && length)
			at += length =
				read_entry(reading, family, (const char *)entries->entrytable + at, info->size - at);
		ret = length ? 0 : -1;
	}
	free(entries);
	return ret;
}

/* The tables that can change a destination: their rules into `reading`, where it is not NULL. Returns their bytes. */
static uint32_t read_family(struct nat_reading *reading, const struct family *family)
{
	FILE *names = fopen(family->names, "re");
	char line[XT_TABLE_MAXNAMELEN];
	struct ipt_getinfo info;
	uint32_t bytes = 0;
	int fd = -1, err;

	while (names && fgets(line, sizeof(line), names)) {
		line[strcspn(line, "\n")] = '\0';
		if (strcmp(line, "nat") && strcmp(line, "mangle"))
			continue;
		if (fd < 0)
			fd = socket(family->family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		err = read_info(&info, family, fd, line);
		bytes += err ? 1 : info.size;
		if (reading && (err || read_table(reading, family, fd, &info)))
			redirects__unsure(reading->redirects, "a table of iptables-legacy cannot be read");
	}
	if (names)
		fclose(names);
	if (fd >= 0)
		close(fd);
	return bytes;
}

uint32_t redirects_legacy__read(struct nat_reading *reading)
{
	uint32_t bytes = 0;

	for (size_t i = 0; i < sizeof(families) / sizeof(*families); i++)
		bytes += read_family(reading, &families[i]);
	return bytes;
}
