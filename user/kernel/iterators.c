// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs BPF iterators, and cuts the bytes that they write into records.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "kernel/iterators.h"
#include "text/log.h"

#define ENOUGH 1

/* Runs an iterator until its end or until `chunk` returns ENOUGH; calls `chunk` for each read, which may end within a
 * record. */
static int iterate(struct bpf_program *program, int (*chunk)(void *context, const void *data, size_t bytes),
		   void *context)
{
	struct bpf_link *link = bpf_program__attach_iter(program, NULL);
	char buffer[64 << 10];
	int fd = -1, ret;
	ssize_t n = -1;

	if (link)
		fd = bpf_iter_create(bpf_link__fd(link));
	while (fd >= 0) {
		n = read(fd, buffer, sizeof(buffer));
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (n <= 0)
			break;
		ret = chunk ? chunk(context, buffer, n) : 0;
		if (ret) {
			n = ret == ENOUGH ? 0 : -1;
			break;
		}
	}
	if (n < 0)
		log_error("cannot read the kernel's tables with %s: %s", bpf_program__name(program), strerror(errno));
	if (fd >= 0)
		close(fd);
	bpf_link__destroy(link);
	return n < 0 ? -1 : 0;
}

int iterators__count(struct bpf_program *program)
{
	return iterate(program, NULL, NULL);
}

struct holders {
	struct holder *all;
	size_t bytes;
};

static int keep_holders(void *context, const void *data, size_t bytes)
{
	struct holders *holders = context;
	void *grown = realloc(holders->all, holders->bytes + bytes);

	if (!grown)
		return -1;
	holders->all = grown;
	memcpy((char *)grown + holders->bytes, data, bytes);
	holders->bytes += bytes;
	return 0;
}

int iterators__holders(struct bpf_program *program, struct holder **holders, size_t *count)
{
	struct holders found = {};
	int ret = iterate(program, keep_holders, &found);

	*holders = found.all;
	*count = found.bytes / sizeof(**holders);
	return ret;
}

struct listing {
	bool (*each)(void *context, const struct life *life);
	void *context;
	struct life life; /* `have` bytes of it came with the last chunk */
	size_t have;
};

static int list_chunk(void *context, const void *data, size_t bytes)
{
	struct listing *listing = context;
	size_t n;

	for (; bytes; data = (const char *)data + n, bytes -= n) {
		n = sizeof(listing->life) - listing->have;
		if (n > bytes)
			n = bytes;
		memcpy((char *)&listing->life + listing->have, data, n);
		listing->have += n;
		if (listing->have < sizeof(listing->life))
			continue;
		listing->have = 0;
		if (!listing->each(listing->context, &listing->life))
			return ENOUGH;
	}
	return 0;
}

int iterators__sockets(struct bpf_program *program, bool (*each)(void *context, const struct life *life), void *context)
{
	struct listing listing = {.each = each, .context = context};

	return iterate(program, list_chunk, &listing);
}
