// SPDX-License-Identifier: GPL-2.0-only
/*
 * Strict parsers: the whole text must be the value.
 */
#include <arpa/inet.h>
#include <ctype.h>
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

#include "config/cidr.h"
#include "config/values.h"
#include "system/clock.h"
#include "text/address.h"

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

int parse_choice(const char *text, const char *choices, uint32_t *choice, const char **why)
{
	const char *at = choices;
	size_t len;

	for (uint32_t i = 0;; i++, at += len + 1) {
		len = strcspn(at, "|");
		if (strlen(text) == len && !strncmp(at, text, len)) {
			*choice = i;
			return 0;
		}
		if (!at[len])
			break;
	}
	snprintf(why_text, sizeof(why_text), "one of %s", choices);
	*why = why_text;
	return -1;
}

/* "48", "48.1": value * unit_ns into *ns, and how many bytes were read; 0 where it is none, or too long. */
static size_t read_amount(const char *text, uint64_t unit_ns, uint64_t *ns)
{
	size_t digits = strspn(text, "0123456789"), decimals = 0;
	uint64_t whole, part = 0, scale = 1;

	if (text[digits] == '.') {
		decimals = strspn(text + digits + 1, "0123456789");
		for (size_t i = 0; i < decimals && i < 9; i++)
			scale *= 10;
		if (!decimals || decimals > 9 || parse_digits(text + digits + 1, decimals, scale, &part))
			return 0;
		decimals++;
	}
	if (parse_digits(text, digits, UINT64_MAX / unit_ns, &whole))
		return 0;
	part = (__uint128_t)part * unit_ns / scale;
	if (whole * unit_ns > UINT64_MAX - part)
		return 0;
	*ns = whole * unit_ns + part;
	return digits + decimals;
}

/* As people and Go write it: units in falling order, each at most once; a number alone is in seconds. */
int parse_duration(const char *text, uint64_t *ns, const char **why)
{
	static const struct {
		char name;
		uint64_t seconds;
	} units[] = {{'w', 604800}, {'d', 86400}, {'h', 3600}, {'m', 60}, {'s', 1}};
	const char *at = text;
	uint64_t sum = 0, amount;
	size_t unit = 0, len;

	do {
		len = strspn(at, "0123456789.");
		while (unit < sizeof(units) / sizeof(*units) && at[len] != units[unit].name)
			unit++;
		if (!at[len] && at == text)
			unit = sizeof(units) / sizeof(*units) - 1;
		if (unit == sizeof(units) / sizeof(*units) || !len ||
		    read_amount(at, units[unit++].seconds * NS_PER_S, &amount) != len || sum > UINT64_MAX - amount) {
			*why = "a duration such as 90, 90s, 10m, 1h30m, 2.5h, 1d or 1w";
			return -1;
		}
		sum += amount;
		at += len + (at[len] != '\0');
	} while (*at);
	*ns = sum;
	return 0;
}

/* Whether two names of a state are the same, but for case and for what joins their words: TIME_WAIT, time-wait. */
static bool is_same_state(const char *a, const char *b)
{
	for (;; a++, b++) {
		a += strspn(a, "-_");
		b += strspn(b, "-_");
		if (tolower((unsigned char)*a) != tolower((unsigned char)*b))
			return false;
		if (!*a)
			return true;
	}
}

int parse_state(const char *text, uint32_t *state, const char **why)
{
	static const struct {
		uint32_t number;
		const char *name;
	} states[] = {
#define X(number, name, ...) {number, #name},
		STATES(X)
#undef X
		/* of ss, where they are other words */
		{STATE_ESTABLISHED, "ESTAB"},
		{STATE_LISTEN, "LISTENING"},
		{STATE_CLOSE, "CLOSED"},
		{STATE_CLOSE, "UNCONN"},
	};
	size_t i;

	for (i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		if (!is_same_state(text, states[i].name))
			continue;
		*state = states[i].number;
		return 0;
	}
#define X(number, name, ...) " " #name
	*why = "one of" STATES(X);
#undef X
	return -1;
}

int parse_listen(const char *text, struct listen_at *at, const char **why)
{
	const char *colon = strrchr(text, ':');
	bool brackets = text[0] == '[';
	struct addr addr;
	uint64_t port;
	size_t len;

	if (!strcmp(text, "off")) {
		memset(at, 0, sizeof(*at));
		at->off = true;
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
	if (cidr__address(text, len, &addr) != (brackets ? 6 : 4))
		return -1;
	memset(at, 0, sizeof(*at));
	at->addr = addr;
	at->port = port;
	return 0;
}

int parse_hosts(const char *text, const char **hosts, const char **why)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.,";

	if (!*text || text[strspn(text, letters)] || *text == ',' || text[strlen(text) - 1] == ',' ||
	    strstr(text, ",,")) {
		*why = "a host's name, or several with commas: of letters, digits, dots and dashes";
		return -1;
	}
	*hosts = text;
	return 0;
}

/* The kernel would also take ',', '"' and '#', with which several names, or one and a comment, may have been meant. */
int parse_interface(const char *text, const char **why)
{
	size_t len = strlen(text);

	if (len && len < 16 && !strpbrk(text, "/:,\"# \t\n\v\f\r") && strcmp(text, ".") && strcmp(text, ".."))
		return 0;
	*why = "an interface's name, of 1 to 15 characters, none of them / : , \" # or a blank";
	return -1;
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
	if (at.addr.halves[0] || at.addr.words[3]) /* any address otherwise, also for 0.0.0.0 and :: */
		memcpy(served->words, at.addr.words, sizeof(served->words));
	served->port = at.port;
	return 0;
}

#define AUTO "auto"

int parse_served_list(const char *text, int (*each)(void *context, const struct served *served), void *context,
		      const char **why)
{
	char *copy = strdup(text), *rest = copy, *item;
	struct served served;
	int ret = copy ? 0 : -1;

	*why = "read: out of memory";
	while (!ret && (item = strsep(&rest, ","))) {
		if (!strcmp(item, AUTO))
			continue;
		if (parse_served(item, &served, why) == 0) {
			ret = each ? each(context, &served) : 0;
			continue;
		}
		snprintf(why_text, sizeof(why_text),
			 "a list of auto, PORT, ADDR:PORT or [ADDR]:PORT with ports from 1 to 65535: \"%.64s\" is none",
			 item);
		*why = why_text;
		ret = -1;
	}
	free(copy);
	return ret;
}

bool parse_served_has_auto(const char *text)
{
	size_t len;

	for (; *text; text += len + (text[len] == ',')) {
		len = strcspn(text, ",");
		if (len == strlen(AUTO) && !strncmp(text, AUTO, len))
			return true;
	}
	return false;
}
