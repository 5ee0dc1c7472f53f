// SPDX-License-Identifier: GPL-2.0-only
/*
 * JSON lines, and text from outside made harmless for a terminal: both take apart UTF-8 that nobody has checked.
 */
#include <string.h>

#include "digits.h"
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

static const bool is_plain[256] = {[' ' ... '!'] = true, ['#' ... '['] = true, [']' ... '~'] = true};

/* Writes the character at `text`, escaped where it must be, and returns its length. */
static size_t put_character(struct json *json, const char *text)
{
	size_t len;
	int32_t character = utf8_decode((const unsigned char *)text, &len);

	if (character < 0)
		json->at = mempcpy(json->at, "\\ufffd", 6);
	else if (is_control(character))
		json->at += sprintf(json->at, "\\u%04x", (unsigned)character);
	else if (character == '"' || character == '\\')
		json->at = mempcpy(json->at, (char[]){'\\', (char)character}, 2);
	else
		json->at = mempcpy(json->at, text, len);
	return len;
}

static void write_out(struct json *json)
{
	fwrite_unlocked(json->text, 1, json->at - json->text, json->out);
	json->at = json->text;
}

/* Room for a name and a number, or for a character, is there whenever a function begins. */
static void make_room(struct json *json)
{
	if (json->at > json->text + sizeof(json->text) - JSON_ROOM)
		write_out(json);
}

/* Copies what needs no escape, as far as there is room. Returns where it stopped reading. */
static const char *put_plain(struct json *json, const char *text)
{
	char *at = json->at, *full = json->text + sizeof(json->text) - JSON_ROOM;

	while (is_plain[(unsigned char)*text] && at < full)
		*at++ = *text++;
	json->at = at;
	make_room(json);
	return text;
}

void json_put_string(struct json *json, const char *text)
{
	*json->at++ = '"';
	while (*(text = put_plain(json, text)))
		text += put_character(json, text);
	*json->at++ = '"';
	make_room(json);
}

void json_put_number(struct json *json, uint64_t value)
{
	json->at = digits_put(json->at, value);
	make_room(json);
}

void json_put_micros(struct json *json, uint64_t ns)
{
	json->at = digits_put(json->at, ns / 1000);
	*json->at++ = '.';
	json->at = digits_padded(json->at, ns % 1000, 3);
	make_room(json);
}

void json_put_word(struct json *json, const char *word)
{
	json->at = stpcpy(json->at, word);
	make_room(json);
}

void json_put_label(struct json *json, const char *label)
{
	*json->at++ = '"';
	json->at = stpcpy(json->at, label);
	*json->at++ = '"';
	make_room(json);
}

static void open_level(struct json *json, char opening)
{
	*json->at++ = opening;
	json->comma = 0;
	make_room(json);
}

void json_begin(struct json *json, FILE *out)
{
	json->out = out;
	json->at = json->text;
	open_level(json, '{');
}

void json_object(struct json *json, const char *name)
{
	json_name(json, name);
	open_level(json, '{');
}

void json_array(struct json *json, const char *name)
{
	json_name(json, name);
	open_level(json, '[');
}

void json_item(struct json *json)
{
	json_comma(json);
	open_level(json, '{');
}

void json_close(struct json *json, char closing)
{
	*json->at++ = closing;
	json->comma = 1;
	make_room(json);
}

void json_end(struct json *json)
{
	json->at = mempcpy(json->at, "}\n", 2);
	write_out(json);
}
