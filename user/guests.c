// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest is sent away by shutting its socket down: the library sees the end of it, and closes.
 */
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "guests.h"

#define READING_NS 2000000000ULL /* that a page may take in a crowd */

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

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

/* The one that it has waited for since the earliest, of those that `may` go. */
static struct guest *longest(struct guests *guests, bool (*may)(const struct guest *guest, uint64_t now), uint64_t now)
{
	struct guest *found = NULL;

	for (unsigned i = 0; i < GUESTS_MAX; i++) {
		struct guest *guest = &guests->all[i];

		if (guest->fd < 0 || guest->leaves || guest->follows || !may(guest, now))
			continue;
		if (!found || guest->since_ns < found->since_ns)
			found = guest;
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
	struct guest *guest = longest(guests, is_late, now) ?: longest(guests, is_anybody, now);

	if (guest)
		send_away(guests, guest);
}

struct guest *guests__came(struct guests *guests, int fd)
{
	struct guest *guest = guests->all;
	uint64_t now = now_ns();

	while (guest < guests->all + GUESTS_MAX && guest->fd >= 0)
		guest++;
	if (guest == guests->all + GUESTS_MAX)
		return NULL;
	if (guests->present >= GUESTS_CROWD)
		make_room(guests, now);
	*guest = (struct guest){.fd = fd, .since_ns = now};
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
	guest->since_ns = now_ns();
	guest->reads = reads;
}

void guests__release(struct guests *guests, size_t bytes)
{
	struct guest *guest;
	size_t released = 0;

	for (unsigned i = 0; i < GUESTS_MAX; i++)
		released += guests->all[i].fd >= 0 && guests->all[i].leaves ? guests->all[i].held : 0;
	for (; released < bytes && (guest = longest(guests, is_holding, 0)); released += guest->held)
		send_away(guests, guest);
}
