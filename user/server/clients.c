// SPDX-License-Identifier: GPL-2.0-only
/*
 * Own policy: libmicrohttpd refuses the newest client, or one address as a whole, where all places are taken. A client
 * is sent away by shutting its socket down: the library sees the end of it, and closes.
 */
#include <microhttpd.h>
#include <string.h>

#include "server/clients.h"
#include "system/clock.h"

#define READING_NS 2000000000ULL /* that a page may take in a crowd */

void clients__init(struct clients *clients)
{
	memset(clients, 0, sizeof(*clients));
	for (unsigned i = 0; i < CLIENTS_MAX; i++)
		clients->all[i].fd = -1;
}

static void send_away(struct clients *clients, struct client *client)
{
	client->leaves = true;
	clients->present--;
	shutdown(client->fd, SHUT_RDWR);
	if (client->follows)
		MHD_resume_connection(client->connection); /* one that is suspended sees no end */
}

static unsigned count_from(const struct clients *clients, const struct origin *from)
{
	unsigned count = 0;

	for (unsigned i = 0; i < CLIENTS_MAX; i++) {
		const struct client *client = &clients->all[i];

		count += client->fd >= 0 && !client->leaves && origin__same(&client->from, from);
	}
	return count;
}

/* Of those that `may` go: of the source with the most, the one that it has waited for since the earliest. */
static struct client *choose(struct clients *clients, bool (*may)(const struct client *client, uint64_t now),
			     uint64_t now)
{
	struct client *found = NULL;
	unsigned most = 0, count;

	for (unsigned i = 0; i < CLIENTS_MAX; i++) {
		struct client *client = &clients->all[i];

		if (client->fd < 0 || client->leaves || client->follows || !may(client, now))
			continue;
		count = count_from(clients, &client->from);
		if (found && (count < most || (count == most && client->since_ns >= found->since_ns)))
			continue;
		found = client;
		most = count;
	}
	return found;
}

static bool is_holding(const struct client *client, uint64_t now)
{
	(void)now;
	return client->held;
}

/* Those that have just got an answer are probably reading it. */
static bool is_late(const struct client *client, uint64_t now)
{
	return !client->reads || now - client->since_ns > READING_NS;
}

static bool is_anybody(const struct client *client, uint64_t now)
{
	(void)client, (void)now;
	return true;
}

static void make_room(struct clients *clients, uint64_t now)
{
	struct client *client = choose(clients, is_late, now) ?: choose(clients, is_anybody, now);

	if (client)
		send_away(clients, client);
}

struct client *clients__came(struct clients *clients, struct MHD_Connection *connection, int fd,
			     const struct sockaddr *from)
{
	struct client *client = clients->all;
	uint64_t now = clock__now();

	while (client < clients->all + CLIENTS_MAX && client->fd >= 0)
		client++;
	if (client == clients->all + CLIENTS_MAX)
		return NULL;
	if (clients->present >= CLIENTS_CROWD)
		make_room(clients, now);
	client->connection = connection;
	client->fd = fd;
	client->from = origin__of(fd, from);
	client->since_ns = now;
	client->reads = false;
	client->follows = NULL;
	client->leaves = false;
	client->held = 0;
	clients->present++;
	return client;
}

void clients__went(struct clients *clients, struct client *client)
{
	if (!client)
		return;
	clients->present -= !client->leaves;
	client->fd = -1;
}

void clients__moved(struct client *client, bool reads)
{
	client->since_ns = clock__now();
	client->reads = reads;
}

void clients__release(struct clients *clients, size_t bytes)
{
	struct client *client;
	size_t released = 0;

	for (unsigned i = 0; i < CLIENTS_MAX; i++)
		released += clients->all[i].fd >= 0 && clients->all[i].leaves ? clients->all[i].held : 0;
	for (; released < bytes && (client = choose(clients, is_holding, 0)); released += client->held)
		send_away(clients, client);
}

static unsigned count_followers(const struct clients *clients, const void *stream, const struct origin *from)
{
	unsigned count = 0;

	for (unsigned i = 0; i < CLIENTS_MAX; i++) {
		const struct client *client = &clients->all[i];

		count += client->fd >= 0 && !client->leaves && client->follows == stream &&
			 (!from || origin__same(&client->from, from));
	}
	return count;
}

/* The oldest follower of the origin with the most places, of which there are `*most`. */
static struct client *choose_follower(struct clients *clients, const void *stream, unsigned *most)
{
	struct client *found = NULL;
	unsigned count;

	*most = 0;
	for (unsigned i = 0; i < CLIENTS_MAX; i++) {
		struct client *client = &clients->all[i];

		if (client->fd < 0 || client->leaves || client->follows != stream)
			continue;
		count = count_followers(clients, stream, &client->from);
		if (found && (count < *most || (count == *most && client->since_ns >= found->since_ns)))
			continue;
		found = client;
		*most = count;
	}
	return found;
}

bool clients__follow(struct clients *clients, struct client *client, const void *stream, unsigned most)
{
	struct client *oldest;
	unsigned theirs;

	if (count_followers(clients, stream, NULL) >= most) {
		oldest = choose_follower(clients, stream, &theirs);
		if (!oldest || theirs < count_followers(clients, stream, &client->from) + 2)
			return false;
		send_away(clients, oldest);
	}
	client->follows = stream;
	return true;
}

void clients__resume(struct clients *clients)
{
	for (unsigned i = 0; i < CLIENTS_MAX; i++)
		if (atomic_exchange(&clients->all[i].delayed, false))
			MHD_resume_connection(clients->all[i].connection);
}
