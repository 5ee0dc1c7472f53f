/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One JSON object a line. Strings are escaped (RFC 8259), bytes that are not UTF-8 replaced by U+FFFD. Names are taken
 * as they are: at most JSON_NAME_MAX bytes, and nothing in them to escape. They are written inline, so that the
 * compiler knows their lengths.
 */
#ifndef SYNWARDEN_TEXT_JSON_H
#define SYNWARDEN_TEXT_JSON_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "types.h"

#define JSON_NAME_MAX 64
#define JSON_ROOM     (3 * JSON_NAME_MAX) /* for a name, a number or label, and the punctuation around them */

struct json {
	FILE *out; /* gets `text` when that is full, and at the end */
	char *at;
	size_t comma; /* 1 before all but the first of an object or array */
	char text[4096];
};
void json_begin(struct json *json, FILE *out);
void json_object(struct json *json, const char *name); /* nested; ended by json_close */
void json_array(struct json *json, const char *name);
void json_item(struct json *json);		  /* an object in an array; ended by json_close */
void json_close(struct json *json, char closing); /* '}' or ']' */
void json_end(struct json *json);		  /* "}\n" */

/* Values, each behind its json_name(). */
void json_put_string(struct json *json, const char *text);
void json_put_number(struct json *json, uint64_t value);
void json_put_micros(struct json *json, uint64_t ns);
void json_put_word(struct json *json, const char *word);
void json_put_label(struct json *json, const char *label);

static inline void json_comma(struct json *json)
{
	*json->at = ',';
	json->at += json->comma;
	json->comma = 1;
}

static inline void json_name(struct json *json, const char *name)
{
	size_t len = strlen(name);

	assert(len <= JSON_NAME_MAX);
	json_comma(json);
	*json->at++ = '"';
	memcpy(json->at, name, len);
	json->at += len;
	*json->at++ = '"';
	*json->at++ = ':';
}

static inline void json_null(struct json *json, const char *name)
{
	json_name(json, name);
	json_put_word(json, "null");
}

static inline void json_bool(struct json *json, const char *name, bool value)
{
	json_name(json, name);
	json_put_word(json, value ? "true" : "false");
}

static inline void json_number(struct json *json, const char *name, uint64_t value)
{
	json_name(json, name);
	json_put_number(json, value);
}

/* A name, a time, an address: at most JSON_NAME_MAX bytes, and nothing to escape. */
static inline void json_label(struct json *json, const char *name, const char *label)
{
	json_name(json, name);
	json_put_label(json, label);
}

/* Any text; NULL: null. */
static inline void json_string(struct json *json, const char *name, const char *value)
{
	json_name(json, name);
	if (value)
		json_put_string(json, value);
	else
		json_put_word(json, "null");
}

/* Nanoseconds as microseconds, with three decimals; DURATION_UNKNOWN: null. */
static inline void json_micros(struct json *json, const char *name, uint64_t ns)
{
	json_name(json, name);
	if (ns != DURATION_UNKNOWN)
		json_put_micros(json, ns);
	else
		json_put_word(json, "null");
}

#endif
