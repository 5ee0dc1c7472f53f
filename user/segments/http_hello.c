// SPDX-License-Identifier: GPL-2.0-only
/*
 * A cursor checks each length once, against what is there. A handshake that is split into several records is read as
 * far as the first one goes.
 */
#include <ctype.h>
#include <string.h>

#include "segments/http_hello.h"

#define RECORD_HANDSHAKE 0x16
#define CLIENT_HELLO	 1
#define EXTENSION_SNI	 0
#define EXTENSION_ALPN	 16
#define RECORD_HEADER	 5
#define HANDSHAKE_HEADER 4
#define VERSION_RANDOM	 34

struct cursor {
	const uint8_t *at, *end;
};

/* A number of `bytes` bytes; 0 where they are not there, and the cursor is at its end then. */
static uint32_t take(struct cursor *c, size_t bytes)
{
	uint32_t number = 0;

	if ((size_t)(c->end - c->at) < bytes) {
		c->at = c->end;
		return 0;
	}
	while (bytes--)
		number = number << 8 | *c->at++;
	return number;
}

/* The next `len` bytes, or what is there of them. */
static struct cursor part(struct cursor *c, size_t len)
{
	size_t left = c->end - c->at;
	struct cursor inner = {c->at, c->at + (len < left ? len : left)};

	c->at = inner.end;
	return inner;
}

/* Appends a name; a byte that is not printable is none of a name. */
static void put(char *text, size_t size, const struct cursor *from)
{
	size_t len = strlen(text), n = from->end - from->at;

	if (len + n >= size)
		n = size - 1 - len;
	for (size_t i = 0; i < n; i++)
		text[len + i] = isgraph(from->at[i]) ? from->at[i] : '?';
	text[len + n] = '\0';
}

static void read_names(struct http_hello *hello, struct cursor c)
{
	struct cursor list = part(&c, take(&c, 2)), name;
	uint32_t type = take(&list, 1), len = take(&list, 2);

	name = part(&list, len);
	if (type == 0 && (size_t)(name.end - name.at) == len)
		put(hello->name, sizeof(hello->name), &name);
}

static void read_protocols(struct http_hello *hello, struct cursor c)
{
	struct cursor list = part(&c, take(&c, 2)), protocol;

	while (list.at < list.end) {
		uint32_t len = take(&list, 1);

		protocol = part(&list, len);
		if ((size_t)(protocol.end - protocol.at) != len || !len)
			break;
		if (*hello->alpn)
			strncat(hello->alpn, ",", sizeof(hello->alpn) - 1 - strlen(hello->alpn));
		put(hello->alpn, sizeof(hello->alpn), &protocol);
	}
}

bool http_hello__begins(const uint8_t *data, size_t len)
{
	return len && data[0] == RECORD_HANDSHAKE && (len < 2 || data[1] == 3) && (len < 3 || data[2] <= 4);
}

bool http_hello__read(struct http_hello *hello, const uint8_t *data, size_t len)
{
	struct cursor c = {data, data + len}, extensions;
	size_t handshake;

	*hello = (struct http_hello){};
	part(&c, RECORD_HEADER);
	if (take(&c, 1) != CLIENT_HELLO)
		return false;
	handshake = take(&c, 3);
	part(&c, VERSION_RANDOM);
	part(&c, take(&c, 1)); /* session */
	part(&c, take(&c, 2)); /* cipher suites */
	part(&c, take(&c, 1)); /* compression */
	extensions = part(&c, take(&c, 2));
	while (extensions.at < extensions.end) {
		uint32_t type = take(&extensions, 2), size = take(&extensions, 2);
		struct cursor extension = part(&extensions, size);

		if (type == EXTENSION_SNI && extension.at < extension.end)
			read_names(hello, extension);
		else if (type == EXTENSION_ALPN)
			read_protocols(hello, extension);
	}
	return len >= RECORD_HEADER + HANDSHAKE_HEADER + handshake;
}
