/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Values as people and programs read them: addresses, durations, counts, tables, JSON lines, colour.
 * The functions that fill a buffer always terminate it, and return it.
 */
#ifndef SYNWARDEN_PRINT_H
#define SYNWARDEN_PRINT_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "types.h"

#define PRINT_ADDR_LEN	   46 /* INET6_ADDRSTRLEN */
#define PRINT_ENDPOINT_LEN 56 /* "[addr]:65535" */
#define PRINT_PREFIX_LEN   50 /* "addr/128" */
#define PRINT_NUMBER_LEN   32
#define PRINT_TIME_LEN	   40

bool print_is_v4(const struct addr *addr);
/* 127.0.0.0/8, or ::1. */
bool print_is_loopback(const struct addr *addr);
char *print_addr(char buf[PRINT_ADDR_LEN], const struct addr *addr);
/* "192.0.2.1:80", "[2001:db8::1]:80". port in host order. */
char *print_endpoint(char buf[PRINT_ENDPOINT_LEN], const struct addr *addr, uint16_t port);
/* As one would type it: "192.0.2.0/24", and a whole address without its length. */
char *print_prefix(char buf[PRINT_PREFIX_LEN], const struct prefix *prefix);
/* What a limit counts as one source: an address, or an IPv6 /64. */
char *print_source(char buf[PRINT_PREFIX_LEN], const struct addr *addr);
/* Three digits and a unit: "6 us", "1.20 ms", "34.5 s", then "12m05s", "3h04m", "2d03h"; "-" for DURATION_UNKNOWN. */
char *print_duration(char buf[PRINT_NUMBER_LEN], uint64_t ns);
/* "512 B", "1.50 KiB", "12.3 MiB". */
char *print_bytes(char buf[PRINT_NUMBER_LEN], uint64_t bytes);
/* "48,210" */
char *print_count(char buf[PRINT_NUMBER_LEN], uint64_t n);
/* RFC 3339 in UTC with nanoseconds: "2026-01-02T03:04:05.000000006Z". realtime_ns since the epoch. */
char *print_time(char buf[PRINT_TIME_LEN], uint64_t realtime_ns);

/* Names from the tables in include/; "?" for a number that is none. */
const char *print_state(unsigned state);
const char *print_ending(unsigned ending);   /* NULL for ENDING_NONE */
const char *print_owner_kind(unsigned kind); /* "unknown", "connect", ... */
const char *print_reason(unsigned reason);   /* metric label */
enum verdict print_reason_verdict(unsigned reason);
const char *print_verdict(enum verdict verdict); /* "pass", "drop", "challenge" */
const char *print_loss(unsigned loss);		 /* stage label */

/* Colour: on where `out` is a terminal, NO_COLOR is unset or empty and TERM is not "dumb". Off, each is "". */
void print_colour_init(FILE *out);
const char *print_bold(void);
const char *print_dim(void);
const char *print_red(void);
const char *print_green(void);
const char *print_yellow(void);
const char *print_plain(void);

/*
 * One JSON object a line. Strings are escaped (RFC 8259), bytes that are not UTF-8 replaced by U+FFFD. Names are taken
 * as they are: at most JSON_NAME_MAX bytes, and nothing in them to escape. They are written inline, so that the
 * compiler knows their lengths.
 */
#define JSON_NAME_MAX 64
#define JSON_ROOM     (3 * JSON_NAME_MAX) /* for a name, a number or label, and what stands around them */

struct json {
	FILE *out; /* takes what is in `text` when that is full, and at the end */
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

/* A name, a time, an address as this file prints it: at most JSON_NAME_MAX bytes, and nothing to escape. */
static inline void json_label(struct json *json, const char *name, const char *label)
{
	json_name(json, name);
	json_put_label(json, label);
}

/* Whatever text it is; NULL: null. */
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

/* Text from outside (a process's comm) for a terminal: control characters become '?'. Works in place. */
void print_clean(char *text);

#endif
