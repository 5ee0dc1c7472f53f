// SPDX-License-Identifier: GPL-2.0-only
/*
 * JSON lines, and text from outside made harmless for a terminal: both take apart UTF-8 that nobody has checked.
 */
#include <inttypes.h>
#include <string.h>

#include "print.h"

/* The character at `text`, *len its bytes; -1, and one byte, where that is not UTF-8 (RFC 3629). */
static int32_t utf8_decode(const unsigned char *text, size_t *len)
{
	static const int32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t bytes = text[0] < 0x80 ? 1 : text[0] >= 0xf0 ? 4 : text[0] >= 0xe0 ? 3 : 2;
	int32_t character = bytes == 1 ? text[0] : text[0] & (0x7f >> bytes);
	size_t i;

	*len = 1;
	if (text[0] >= 0xf8 || (text[0] & 0xc0) == 0x80)
		return -1;
	for (i = 1; i < bytes; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return -1;
		character = character << 6 | (text[i] & 0x3f);
	}
	if (character < least[bytes] || character > 0x10ffff || (character >= 0xd800 && character < 0xe000))
		return -1;
	*len = bytes;
	return character;
}

/* C0, DEL and C1: a terminal may obey any of them. */
static bool is_control(int32_t character)
{
	return character >= 0 && (character < 0x20 || (character >= 0x7f && character < 0xa0));
}

void print_clean(char *text)
{
	char *out = text;
	int32_t character;
	size_t len;

	for (; *text; text += len) {
		character = utf8_decode((unsigned char *)text, &len);
		if (character < 0 || is_control(character)) {
			*out++ = '?';
			continue;
		}
		memmove(out, text, len);
		out += len;
	}
	*out = '\0';
}

static void put_string(FILE *out, const char *text)
{
	const char *plain = text; /* what follows is written as it stands, up to the next escape */
	int32_t character;
	size_t len;

	putc('"', out);
	for (; *text; text += len) {
		character = utf8_decode((const unsigned char *)text, &len);
		if (character >= 0 && !is_control(character) && character != '"' && character != '\\')
			continue;
		fwrite(plain, 1, text - plain, out);
		plain = text + len;
		if (character < 0)
			fputs("\\ufffd", out);
		else if (is_control(character))
			fprintf(out, "\\u%04x", (unsigned)character);
		else
			fprintf(out, "\\%c", (char)character);
	}
	fwrite(plain, 1, text - plain, out);
	putc('"', out);
}

static void put_name(struct json *json, const char *name)
{
	if (!json->first)
		putc(',', json->out);
	json->first = false;
	if (name) {
		put_string(json->out, name);
		putc(':', json->out);
	}
}

static void open_level(struct json *json, const char *name, char opening)
{
	put_name(json, name);
	putc(opening, json->out);
	json->first = true;
}

void json_begin(struct json *json, FILE *out)
{
	json->out = out;
	json->first = true;
	putc('{', out);
}

void json_string(struct json *json, const char *name, const char *value)
{
	if (!value) {
		json_null(json, name);
		return;
	}
	put_name(json, name);
	put_string(json->out, value);
}

void json_number(struct json *json, const char *name, uint64_t value)
{
	put_name(json, name);
	fprintf(json->out, "%" PRIu64, value);
}

void json_micros(struct json *json, const char *name, uint64_t ns)
{
	if (ns == DURATION_UNKNOWN) {
		json_null(json, name);
		return;
	}
	put_name(json, name);
	fprintf(json->out, "%" PRIu64 ".%03" PRIu64, ns / 1000, ns % 1000);
}

void json_bool(struct json *json, const char *name, bool value)
{
	put_name(json, name);
	fputs(value ? "true" : "false", json->out);
}

void json_null(struct json *json, const char *name)
{
	put_name(json, name);
	fputs("null", json->out);
}

void json_object(struct json *json, const char *name)
{
	open_level(json, name, '{');
}

void json_array(struct json *json, const char *name)
{
	open_level(json, name, '[');
}

void json_item(struct json *json)
{
	open_level(json, NULL, '{');
}

void json_close(struct json *json, char closing)
{
	putc(closing, json->out);
	json->first = false;
}

void json_end(struct json *json)
{
	fputs("}\n", json->out);
}
