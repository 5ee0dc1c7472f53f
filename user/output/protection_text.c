// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rows of PROTECTION_ROWS -> names, sentences and commands.
 */
#include <stdio.h>
#include <string.h>

#include "output/protection.h"
#include "text/address.h"
#include "text/print.h"

#define WORD_LEN 128

static const struct {
	enum protection_state state;
	const char *reason;
	enum severity severity;
	const char *sentence, *fix;
} rows[] = {
#define X(name, state, reason, severity, sentence, fix)                                                                \
	{PROTECTION_##state, reason, SEVERITY_##severity, sentence, fix},
	PROTECTION_ROWS(X)
#undef X
		[PROTECTION_ROW_MAX] = {PROTECTION_PROTECTED, "", SEVERITY_FINE, "", ""},
};

static const char *const states[] = {
#define X(name, label, help) label,
	PROTECTION_STATES(X)
#undef X
};

static const char *const severities[] = {
#define X(name, label) label,
	SEVERITIES(X)
#undef X
};

const char *protection__state_name(enum protection_state state)
{
	return states[state];
}

const char *protection__severity_name(enum severity severity)
{
	return severities[severity];
}

enum protection_state protection__state(enum protection_row row)
{
	return rows[row].state;
}

const char *protection__reason(enum protection_row row)
{
	return *rows[row].reason ? rows[row].reason : NULL;
}

enum severity protection__severity(enum protection_row row)
{
	return rows[row].severity;
}

/* What a word in braces may speak of. */
struct subject {
	const struct protection *protection;
	const struct snapshot *snapshot;
	const struct port_view *port;
};

/* "20,099"; below ten with one decimal: "0.3". */
static void put_rate(char buf[WORD_LEN], uint64_t n, uint64_t seconds)
{
	uint64_t tenths = seconds ? n * 10 / seconds : 0;

	if (tenths < 100 && tenths % 10)
		snprintf(buf, WORD_LEN, "%lu.%lu", tenths / 10, tenths % 10);
	else
		print_count(buf, seconds ? n / seconds : 0);
}

#define RATE(name, field)                                                                                              \
	static void put_##name(char buf[WORD_LEN], const struct subject *of)                                           \
	{                                                                                                              \
		put_rate(buf, of->port->recent.field, of->port->recent.seconds);                                       \
	}
#define NUMBER(name, value)                                                                                            \
	static void put_##name(char buf[WORD_LEN], const struct subject *of)                                           \
	{                                                                                                              \
		print_count(buf, value);                                                                               \
	}

/* Of the host, those of the port that is watched longest. */
static uint64_t seconds_of(const struct subject *of)
{
	uint64_t most = of->port->recent.seconds;

	for (size_t i = 1; of->port == of->snapshot->ports && i < of->snapshot->port_count; i++)
		if (of->snapshot->ports[i].recent.seconds > most)
			most = of->snapshot->ports[i].recent.seconds;
	return most;
}

RATE(syns, syns)
RATE(passed, passed)
RATE(not_served, not_served)
RATE(limited, limited)
RATE(over_budget, over_budget)
RATE(clients, completed)
NUMBER(answered, of->port->recent.answered)
NUMBER(completed, of->port->recent.completed)
NUMBER(listen_drops, of->port->recent.listen_drops)
NUMBER(seconds, seconds_of(of))
NUMBER(queue, of->port->accept_queue)
NUMBER(limit, of->port->accept_limit)
NUMBER(budget, of->port->budget)
NUMBER(unslotted, of->snapshot->unslotted)

static void put_port(char buf[WORD_LEN], const struct subject *of)
{
	snprintf(buf, WORD_LEN, "%u", of->port->port);
}

static void put_usual(char buf[WORD_LEN], const struct subject *of)
{
	put_rate(buf, of->port->recent.usual_millis, 1000);
}

/* "" where there is none. */
static void put_source(char buf[WORD_LEN], const struct subject *of)
{
	if (of->snapshot->source_count)
		print_source(buf, &of->snapshot->sources[0].addr);
}

/* "eth0, eth1" */
static void put_gone(char buf[WORD_LEN], const struct subject *of)
{
	const struct meta *meta = &of->snapshot->meta;
	size_t len = 0;

	for (size_t i = 0; i < meta->interfaces && i < META_INTERFACES && len < WORD_LEN; i++)
		if (!meta->interface[i].ifindex)
			len += snprintf(buf + len, WORD_LEN - len, "%s%.16s", len ? ", " : "", meta->interface[i].name);
}

static void put_ports(char buf[WORD_LEN], const struct subject *of)
{
	uint64_t judged = 0;

	for (size_t i = 1; i < of->snapshot->port_count; i++)
		judged += of->protection->ports[i] != PROTECTION_ROW_MAX;
	print_count(buf, judged);
}

static void put_all_clients(char buf[WORD_LEN], const struct subject *of)
{
	uint64_t sum = 0;

	for (size_t i = 1; i < of->snapshot->port_count; i++)
		sum += of->snapshot->ports[i].recent.completed;
	put_rate(buf, sum, seconds_of(of));
}

#define WORDS(X)                                                                                                       \
	X(syns)                                                                                                        \
	X(passed)                                                                                                      \
	X(not_served)                                                                                                  \
	X(limited)                                                                                                     \
	X(over_budget)                                                                                                 \
	X(clients)                                                                                                     \
	X(answered)                                                                                                    \
	X(completed)                                                                                                   \
	X(listen_drops)                                                                                                \
	X(seconds)                                                                                                     \
	X(queue)                                                                                                       \
	X(limit)                                                                                                       \
	X(budget)                                                                                                      \
	X(unslotted)                                                                                                   \
	X(port)                                                                                                        \
	X(usual)                                                                                                       \
	X(source)                                                                                                      \
	X(gone)                                                                                                        \
	X(ports)                                                                                                       \
	X(all_clients)

static const struct {
	const char *name;
	void (*put)(char buf[WORD_LEN], const struct subject *of);
} words[] = {
#define X(name) {#name "}", put_##name},
	WORDS(X)
#undef X
};

/* The word behind a brace; returns what follows it. */
static const char *put_word(char buf[WORD_LEN], const char *text, const struct subject *of)
{
	*buf = '\0';
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		size_t len = strlen(words[i].name);

		if (strncmp(text, words[i].name, len))
			continue;
		words[i].put(buf, of);
		return text + len;
	}
	return text;
}

/* False where a word has no value. What does not fit is cut. */
static bool fill(char buf[PROTECTION_TEXT_LEN], const char *text, const struct subject *of)
{
	size_t len = 0;
	bool whole = true;
	char word[WORD_LEN];

	while (*text && len + 1 < PROTECTION_TEXT_LEN) {
		if (*text != '{') {
			buf[len++] = *text++;
			continue;
		}
		text = put_word(word, text + 1, of);
		whole &= *word != '\0';
		buf[len] = '\0';
		strncat(buf, *word ? word : "unknown", PROTECTION_TEXT_LEN - 1 - len);
		len += strlen(buf + len);
	}
	buf[len] = '\0';
	return whole;
}

const char *protection__sentence(char buf[PROTECTION_TEXT_LEN], const struct protection *p, enum protection_row row,
				 size_t port)
{
	fill(buf, rows[row].sentence, &(struct subject){p, p->snapshot, &p->snapshot->ports[port]});
	return buf;
}

const char *protection__fix(char buf[PROTECTION_TEXT_LEN], const struct protection *p, enum protection_row row,
			    size_t port)
{
	bool whole = fill(buf, rows[row].fix, &(struct subject){p, p->snapshot, &p->snapshot->ports[port]});

	return whole && *buf ? buf : NULL;
}
