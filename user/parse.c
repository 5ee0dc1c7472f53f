// SPDX-License-Identifier: GPL-2.0-only
/*
 * Parsers of one value each. `*why` is a noun phrase, for a message of the form: "abc" is not *why.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "options.h"
#include "print.h"

static _Thread_local char why_text[192];

/* Digits alone: no sign, no blank, no other base. -1 where it is none, or above `max`. */
static int parse_digits(const char *text, size_t len, uint64_t max, uint64_t *number)
{
	uint64_t value = 0;
	size_t i;

	if (!len)
		return -1;
	for (i = 0; i < len; i++) {
		unsigned digit = (unsigned char)text[i] - '0';

		if (digit > 9 || digit > max || value > (max - digit) / 10)
			return -1;
		value = value * 10 + digit;
	}
	*number = value;
	return 0;
}

int parse_number(const char *text, uint32_t min, uint32_t max, uint32_t *number, const char **why)
{
	uint64_t value;

	if (parse_digits(text, strlen(text), max, &value) || value < min) {
		snprintf(why_text, sizeof(why_text), "a number from %u to %u", min, max);
		*why = why_text;
		return -1;
	}
	*number = value;
	return 0;
}

int parse_duration(const char *text, uint64_t *ns, const char **why)
{
	static const struct {
		const char *name;
		uint64_t seconds;
	} units[] = {{"", 1}, {"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}};
	size_t digits = strspn(text, "0123456789");
	uint64_t value, unit_ns;
	size_t i;

	for (i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		unit_ns = units[i].seconds * NS_PER_S;
		if (strcmp(text + digits, units[i].name) || parse_digits(text, digits, UINT64_MAX / unit_ns, &value))
			continue;
		*ns = value * unit_ns;
		return 0;
	}
	*why = "a duration such as 90, 90s, 10m, 2h or 1d";
	return -1;
}

int parse_state(const char *text, uint32_t *state, const char **why)
{
	static const struct {
		uint32_t number;
		const char *name;
	} states[] = {
#define X(number, name) {number, #name},
		STATES(X)
#undef X
	};
	size_t i;

	for (i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		if (strcasecmp(text, states[i].name))
			continue;
		*state = states[i].number;
		return 0;
	}
#define X(number, name) " " #name
	*why = "one of" STATES(X);
#undef X
	return -1;
}

/* The first `len` bytes of `text`: 4, 6, or 0 where they are no address. */
static int parse_addr(const char *text, size_t len, struct addr *addr)
{
	char copy[INET6_ADDRSTRLEN];
	struct addr v4 = {.words = {0, 0, htonl(0xffff), 0}};

	if (len >= sizeof(copy))
		return 0;
	memcpy(copy, text, len);
	copy[len] = '\0';
	if (inet_pton(AF_INET, copy, &v4.words[3]) == 1) {
		*addr = v4;
		return 4;
	}
	return inet_pton(AF_INET6, copy, addr->bytes) == 1 ? 6 : 0;
}

static void clear_behind(struct addr *addr, unsigned bits)
{
	unsigned i;

	for (i = 0; i < sizeof(addr->bytes); i++) {
		unsigned keep = bits < 8 * i ? 0 : bits - 8 * i;

		addr->bytes[i] &= keep < 8 ? 0xff00 >> keep : 0xff;
	}
}

int parse_cidr(const char *text, struct prefix *prefix, const char **why)
{
	const char *slash = strchrnul(text, '/');
	char meant_text[PRINT_PREFIX_LEN];
	struct addr addr, network;
	struct prefix meant;
	uint64_t length;
	int family;

	family = parse_addr(text, slash - text, &addr);
	if (!family) {
		*why = "an IPv4 or IPv6 address, optionally with /LENGTH";
		return -1;
	}
	length = family == 4 ? 32 : 128;
	if (*slash && parse_digits(slash + 1, strlen(slash + 1), length, &length)) {
		*why = family == 4 ? "an IPv4 prefix: its length is a number from 0 to 32"
				   : "an IPv6 prefix: its length is a number from 0 to 128";
		return -1;
	}
	meant.prefixlen = length + (family == 4 ? 96 : 0);
	network = addr;
	clear_behind(&network, meant.prefixlen);
	memcpy(meant.words, network.words, sizeof(meant.words));
	if (memcmp(&network, &addr, sizeof(addr))) {
		snprintf(why_text, sizeof(why_text), "a prefix: bits are set behind its length; did you mean %s?",
			 print_prefix(meant_text, &meant));
		*why = why_text;
		return -1;
	}
	*prefix = meant;
	return 0;
}

int parse_listen(const char *text, struct listen_at *at, const char **why)
{
	const char *colon = strrchr(text, ':');
	bool brackets = text[0] == '[';
	struct addr addr;
	uint64_t port;
	size_t len;

	if (!strcmp(text, "off")) {
		*at = (struct listen_at){.off = true};
		return 0;
	}
	*why = "ADDR:PORT, [ADDR]:PORT for IPv6 (port 1 to 65535), or off";
	if (!colon || parse_digits(colon + 1, strlen(colon + 1), 65535, &port) || !port)
		return -1;
	len = colon - text;
	if (brackets) {
		if (len < 2 || text[len - 1] != ']')
			return -1;
		text++;
		len -= 2;
	}
	if (parse_addr(text, len, &addr) != (brackets ? 6 : 4))
		return -1;
	*at = (struct listen_at){.addr = addr, .port = port};
	return 0;
}

int parse_comm(const char *text, const char **comm, const char **why)
{
	if (!*text || strlen(text) >= COMM_LEN) {
		*why = "the name of a process, 1 to 15 bytes long (see: ps -eo comm)";
		return -1;
	}
	*comm = text;
	return 0;
}

int parse_cgroup(const char *text, struct cgroup_path *path, const char **why)
{
	if (!cgroups__find(text, path))
		return 0;
	*why = "a cgroup of the v2 hierarchy, such as /system.slice/ssh.service (see: systemd-cgls)";
	return -1;
}

int parse_netns(const char *text, uint32_t *inode, const char **why)
{
	const char *dir = strchr(text, '/') ? "" : "/run/netns/";
	char path[PATH_MAX];
	uint64_t number;
	struct stat st;
	int fd, ret = -1;

	if (!parse_digits(text, strlen(text), UINT32_MAX, &number) && number) {
		*inode = number;
		return 0;
	}
	snprintf(path, sizeof(path), "%s%s", dir, text);
	fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd >= 0 && ioctl(fd, NS_GET_NSTYPE) == CLONE_NEWNET && !fstat(fd, &st)) {
		*inode = st.st_ino;
		ret = 0;
	}
	if (fd >= 0)
		close(fd);
	*why = "a network namespace: a name (see: ip netns), a path such as /proc/PID/ns/net, or an inode number";
	return ret;
}

int parse_served(const char *text, struct served *served, const char **why)
{
	struct listen_at at;
	uint32_t port;

	memset(served, 0, sizeof(*served));
	if (!strchr(text, ':')) {
		if (parse_number(text, 1, 65535, &port, why))
			return -1;
		served->port = port;
		return 0;
	}
	if (parse_listen(text, &at, why))
		return -1;
	if (at.addr.halves[0] || at.addr.words[3]) /* any address otherwise, also as 0.0.0.0 */
		memcpy(served->words, at.addr.words, sizeof(served->words));
	served->port = at.port;
	return 0;
}

int parse_served_list(const char *text, int (*each)(void *context, const struct served *served), void *context,
		      const char **why)
{
	char *copy = strdup(text), *rest = copy, *item;
	struct served served;
	int ret = copy ? 0 : -1;

	*why = "read: out of memory";
	while (!ret && (item = strsep(&rest, ","))) {
		if (parse_served(item, &served, why) == 0) {
			ret = each ? each(context, &served) : 0;
			continue;
		}
		snprintf(why_text, sizeof(why_text),
			 "a list of PORT, ADDR:PORT or [ADDR]:PORT with ports from 1 to 65535: \"%.64s\" is none",
			 item);
		*why = why_text;
		ret = -1;
	}
	free(copy);
	return ret;
}
