// SPDX-License-Identifier: GPL-2.0-only
/*
 * The whole file is read first: connections overlap, and are shown one behind the other.
 */
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "segments/capture.h"
#include "segments/connections.h"
#include "segments/from_file.h"
#include "text/log.h"
#include "text/print.h"

static bool is_within(const struct addr *addr, const struct prefix *prefix)
{
	unsigned whole = prefix->prefixlen / 8, rest = prefix->prefixlen % 8;
	const uint8_t *bytes = (const uint8_t *)prefix->words;

	if (memcmp(addr->bytes, bytes, whole))
		return false;
	return !rest || !((addr->bytes[whole] ^ bytes[whole]) >> (8 - rest));
}

static bool is_wanted(const struct from_file *from, const struct segment *segment)
{
	if (from->port && segment->sport != from->port && segment->dport != from->port)
		return false;
	return !from->addr || is_within(&segment->src, from->addr) || is_within(&segment->dst, from->addr);
}

/* The line of HTTP that the segment begins with; NULL: none. *next is the first that was not shown yet. */
static const char *line_of(const struct connection *connection, size_t segment, size_t *next)
{
	if (*next == connection->line_count || connection->lines[*next].segment != segment)
		return NULL;
	return connection->lines[(*next)++].text;
}

static void show(const struct ladder_format *format, struct ladder *ladder, const struct connection *connection,
		 size_t most)
{
	struct view_row row;
	struct view view;
	size_t line = 0;

	ladder->number++;
	view__begin(&view, connection->segments);
	format->begin(ladder, &view, connection->segments);
	for (size_t i = 0; i < connection->count && i < most; i++) {
		view__foresee(&view, connection->segments + i, connection->count - i);
		view__take(&view, &connection->segments[i], &row);
		ladder->line = line_of(connection, i, &line);
		format->row(ladder, &view, &connection->segments[i], &row);
	}
	format->end(ladder, &view);
}

/* Sorts the file's segments into connections. 0, or -1 after a message. */
static int read_all(struct capture *capture, const struct from_file *from, struct connections *connections)
{
	char line[HTTP_LINE_BYTES];
	struct segment segment;

	while (capture__next(capture, &segment, line))
		if (is_wanted(from, &segment) && connections__add(connections, &segment, line))
			return -1;
	return 0;
}

static void print_notes(const struct from_file *from, const struct capture *capture,
			const struct connections *connections)
{
	const struct capture_notes *notes = capture__notes(capture);
	char number[PRINT_NUMBER_LEN];

	if (*notes->end)
		log_warn("%s is read as far as it goes, %s packets: %s", from->path,
			 print_count(number, notes->packets), notes->end);
	if (notes->cut)
		log_warn("%s packets were captured without their whole headers (snaplen) and are left out",
			 print_count(number, notes->cut));
	if (notes->malformed)
		log_warn("%s packets have impossible lengths and are left out", print_count(number, notes->malformed));
	if (connections__left_out(connections))
		log_info("%s segments of further connections are not shown; --connections N shows more",
			 print_count(number, connections__left_out(connections)));
	if (!connections__count(connections))
		log_warn("%s holds no TCP segment%s", from->path,
			 from->port || from->addr ? " that the filter selects" : "");
}

int from_file__show(const struct from_file *from, const struct ladder_format *format, struct ladder *ladder)
{
	struct connections *connections = connections__new(from->connections);
	struct capture *capture = connections ? capture__open(from->path) : NULL;
	size_t most = from->count ? from->count : SIZE_MAX;
	int ret = -1;

	if (!capture || read_all(capture, from, connections))
		goto cleanup;
	for (size_t i = 0; i < connections__count(connections); i++)
		show(format, ladder, connections__get(connections, i), most);
	fflush(ladder->out);
	print_notes(from, capture, connections);
	ret = 0;
cleanup:
	capture__close(capture);
	connections__free(connections);
	return ret;
}
