// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which ports of a snapshot are served: what connections have proved, and what --protect names.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>

#include "kernel/snapshot_parts.h"

/* The view of a port; NULL: it has none. They are in order. */
static struct port_view *find_port(struct snapshot *s, uint32_t port)
{
	size_t low = 1, high = s->port_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (s->ports[middle].port < port)
			low = middle + 1;
		else
			high = middle;
	}
	return low < s->port_count && s->ports[low].port == port ? &s->ports[low] : NULL;
}

static void note_served(struct port_view *port, const struct served *key, uint32_t protected_by)
{
	port->served = true;
	if (!(key->words[0] | key->words[1] | key->words[2] | key->words[3]))
		port->protected_by = protected_by;
}

/* The whole of `served`, or of `protected`, whose values are enum protected_by. */
static int read_served(struct snapshot *s, int map, __u32 count, bool protected)
{
	struct served *keys = calloc(count, sizeof(*keys));
	__u32 *values = calloc(count, sizeof(*values)), token;
	int err = keys && values ? 0 : -1;

	if (!err)
		err = bpf_map_lookup_batch(map, NULL, &token, keys, values, &count, NULL);
	if (err && keys && values && errno == ENOENT)
		err = 0; /* those are all */
	for (__u32 i = 0; !err && i < count; i++) {
		struct port_view *port = find_port(s, keys[i].port);

		if (port)
			note_served(port, &keys[i], protected ? values[i] : 0);
	}
	if (!protected)
		s->served_full = !err && count >= MAX_SERVED;
	free(keys);
	free(values);
	return err;
}

int snapshot__read_served(struct snapshot *s, const struct maps *maps)
{
	return read_served(s, maps->protected, MAX_PROTECTED, true) | read_served(s, maps->served, MAX_SERVED, false);
}

static int next_served(int map, const struct served *at, struct served *next, uint16_t port)
{
	int err = bpf_map_get_next_key(map, at, next);

	while (!err && next->port != port) {
		struct served key = *next;

		err = bpf_map_get_next_key(map, &key, next);
	}
	return err;
}

int snapshot__served(struct addr *addrs, size_t most, const struct maps *maps, uint16_t port)
{
	const int tables[] = {maps->protected, maps->served};
	struct served key, next;
	size_t count = 0;

	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		int err = next_served(tables[i], NULL, &next, port);

		for (; !err && count < most; err = next_served(tables[i], &key, &next, port)) {
			memcpy(addrs[count++].words, next.words, sizeof(next.words));
			key = next;
		}
	}
	return count;
}
