// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest is sent away by shutting its socket down: the library sees the end of it, and closes.
 */
#include <arpa/inet.h>
#include <string.h>

#include "clock.h"
#include "guests.h"

#define READING_NS 2000000000ULL /* that a page may take in a crowd */

void guests__init(struct guests *guests)
{
	memset(guests, 0, sizeof(*guests));
	for (unsigned i = 0; i < GUESTS_MAX; i++)
		guests->all[i].fd = -1;
}

static void send_away(struct guests *guests, struct guest *guest)
{
	guest->leaves = true;
	guests->present--;
	shutdown(guest->fd, SHUT_RDWR);
}

static unsigned count_from(const struct guests *guests, const struct addr *from)
{
	unsigned count = 0;

	for (unsigned i = 0; i < GUESTS_MAX; i++) {
		const struct guest *guest = &guests->all[i];

		count += guest->fd >= 0 && !guest->leaves && !memcmp(&guest->from, from, sizeof(*from));
	}
	return count;
}

/* Of those that `may` go: of the source with the most, the one that it has waited for since the earliest. */
static struct guest *choose(struct guests *guests, bool (*may)(const struct guest *guest, uint64_t now), uint64_t now)
{
	struct guest *found = NULL;
	unsigned most = 0, count;

	for (unsigned i = 0; i < GUESTS_MAX; i++) {
		struct guest *guest = &guests->all[i];

		if (guest->fd < 0 || guest->leaves || guest->follows || !may(guest, now))
			continue;
		count = count_from(guests, &guest->from);
		if (found && (count < most || (count == most && guest->since_ns >= found->since_ns)))
			continue;
		found = guest;
		most = count;
	}
	return found;
}

static bool is_holding(const struct guest *guest, uint64_t now)
{
	(void)now;
	return guest->held;
}

/* Those that have just got an answer are probably reading it. */
static bool is_late(const struct guest *guest, uint64_t now)
{
	return !guest->reads || now - guest->since_ns > READING_NS;
}

static bool is_anybody(const struct guest *guest, uint64_t now)
{
	(void)guest, (void)now;
	return true;
}

static void make_room(struct guests *guests, uint64_t now)
{
	struct guest *guest = choose(guests, is_late, now) ?: choose(guests, is_anybody, now);

	if (guest)
		send_away(guests, guest);
}

static struct addr source_of(const struct sockaddr *from)
{
	struct addr source = {};

	if (from->sa_family == AF_INET) {
		source.words[2] = htonl(0xffff);
		source.words[3] = ((const struct sockaddr_in *)from)->sin_addr.s_addr;
	} else if (from->sa_family == AF_INET6) {
		memcpy(&source, &((const struct sockaddr_in6 *)from)->sin6_addr, 8);
	}
	return source;
}

struct guest *guests__came(struct guests *guests, int fd, const struct sockaddr *from)
{
	struct guest *guest = guests->all;
	uint64_t now = clock__now();

	while (guest < guests->all + GUESTS_MAX && guest->fd >= 0)
		guest++;
	if (guest == guests->all + GUESTS_MAX)
		return NULL;
	if (guests->present >= GUESTS_CROWD)
		make_room(guests, now);
	*guest = (struct guest){.fd = fd, .from = source_of(from), .since_ns = now};
	guests->present++;
	return guest;
}

void guests__went(struct guests *guests, struct guest *guest)
{
	if (!guest)
		return;
	guests->present -= !guest->leaves;
	guest->fd = -1;
}

void guests__moved(struct guest *guest, bool reads)
{
	guest->since_ns = clock__now();
	guest->reads = reads;
}

void guests__release(struct guests *guests, size_t bytes)
{
	struct guest *guest;
	size_t released = 0;

	for (unsigned i = 0; i < GUESTS_MAX; i++)
		released += guests->all[i].fd >= 0 && guests->all[i].leaves ? guests->all[i].held : 0;
	for (; released < bytes && (guest = choose(guests, is_holding, 0)); released += guest->held)
		send_away(guests, guest);
}
