// SPDX-License-Identifier: GPL-2.0-only
/*
 * A hash table of connections, by both addresses and ports without regard to direction.
 */
#include <stdlib.h>
#include <string.h>

#include "segments/connections.h"
#include "text/log.h"

#define BUCKETS	   4096 /* a power of two */
#define FIRST_ROOM 16

struct connections {
	struct connection **all;
	size_t count;
	size_t room;
	size_t most;
	size_t left_out; /* segments */
	struct connection *buckets[BUCKETS];
};

struct connections *connections__new(size_t most)
{
	struct connections *connections = calloc(1, sizeof(*connections));

	if (connections)
		connections->most = most;
	else
		log_error("out of memory");
	return connections;
}

/* FNV-1a, of the sum of both ends: the same for both directions. */
static size_t bucket_of(const struct segment *segment)
{
	uint64_t hash = 0xcbf29ce484222325;

	for (size_t i = 0; i < sizeof(segment->src.bytes); i++)
		hash = (hash ^ (uint8_t)(segment->src.bytes[i] + segment->dst.bytes[i])) * 0x100000001b3;
	hash = (hash ^ (uint32_t)(segment->sport + segment->dport)) * 0x100000001b3;
	return (hash >> 32 ^ hash) & (BUCKETS - 1);
}

/* Doubles an array that is full. 0, or -1 after a message. */
static int grow(void **array, size_t count, size_t *room, size_t bytes)
{
	size_t more = *room ? *room * 2 : FIRST_ROOM;
	void *bigger;

	if (count < *room)
		return 0;
	bigger = reallocarray(*array, more, bytes);
	if (!bigger) {
		log_error("out of memory for the segments of the file");
		return -1;
	}
	*array = bigger;
	*room = more;
	return 0;
}

static struct connection *find(const struct connections *connections, size_t bucket, const struct segment *segment)
{
	struct connection *found = connections->buckets[bucket];

	while (found && !view__matches(&found->view, segment))
		found = found->older;
	return found;
}

static struct connection *begin(struct connections *connections, size_t bucket, const struct segment *segment)
{
	struct connection *connection;

	if (grow((void **)&connections->all, connections->count, &connections->room, sizeof(*connections->all)))
		return NULL;
	connection = calloc(1, sizeof(*connection));
	if (!connection) {
		log_error("out of memory for the connections of the file");
		return NULL;
	}
	view__begin(&connection->view, segment);
	connection->older = connections->buckets[bucket];
	connections->buckets[bucket] = connection;
	connections->all[connections->count++] = connection;
	return connection;
}

static int add_line(struct connection *connection, const char *text)
{
	struct http_line *line;

	if (!*text)
		return 0;
	if (grow((void **)&connection->lines, connection->line_count, &connection->line_room, sizeof(*line)))
		return -1;
	line = &connection->lines[connection->line_count++];
	line->segment = connection->count;
	strcpy(line->text, text);
	return 0;
}

int connections__add(struct connections *connections, const struct segment *segment, const char *line)
{
	size_t bucket = bucket_of(segment);
	struct connection *connection = find(connections, bucket, segment);
	struct view_row row;

	if (!connection || connection->is_over || view__is_reuse(&connection->view, segment)) {
		if (connections->count == connections->most) {
			connections->left_out++;
			if (connection)
				connection->is_over = true;
			return 0;
		}
		connection = begin(connections, bucket, segment);
		if (!connection)
			return -1;
	}
	if (add_line(connection, line) ||
	    grow((void **)&connection->segments, connection->count, &connection->room, sizeof(*segment)))
		return -1;
	connection->segments[connection->count++] = *segment;
	view__take(&connection->view, segment, &row);
	return 0;
}

size_t connections__left_out(const struct connections *connections)
{
	return connections->left_out;
}

size_t connections__count(const struct connections *connections)
{
	return connections->count;
}

const struct connection *connections__get(const struct connections *connections, size_t i)
{
	return connections->all[i];
}

void connections__free(struct connections *connections)
{
	if (!connections)
		return;
	for (size_t i = 0; i < connections->count; i++) {
		free(connections->all[i]->segments);
		free(connections->all[i]->lines);
		free(connections->all[i]);
	}
	free(connections->all);
	free(connections);
}
