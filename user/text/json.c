// SPDX-License-Identifier: GPL-2.0-only
/*
 * JSON lines, written through one buffer of fixed size: nothing is allocated, however long a text is.
 */
#include <string.h>

#include "text/clean.h"
#include "text/digits.h"
#include "text/json.h"

static const bool is_plain[256] = {[' ' ... '!'] = true, ['#' ... '['] = true, [']' ... '~'] = true};

/* Writes the character at `text`, escaped where it must be, and returns its length. */
static size_t put_character(struct json *json, const char *text)
{
	size_t len;
	int32_t character = clean_decode(text, &len);

	if (character < 0)
		json->at = mempcpy(json->at, "\\ufffd", 6);
	else if (clean_is_control(character))
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

/* Invariant: each function begins with room for a name and a number, or for a character. */
static void make_room(struct json *json)
{
	if (json->at > json->text + sizeof(json->text) - JSON_ROOM)
		write_out(json);
}

/* Copies characters that need no escape, while there is room. Returns where it stopped reading. */
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
