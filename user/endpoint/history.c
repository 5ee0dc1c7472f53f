// SPDX-License-Identifier: GPL-2.0-only
/*
 * A ring of samples for each span, and one for each port; one thread adds, another reads.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "endpoint/history.h"
#include "output/port_counters.h"
#include "text/json.h"
#include "text/log.h"

/* What the dashboard's charts show */
static const enum port_counter kept[] = {PORT_passed, PORT_challenged, PORT_answered, PORT_dropped, PORT_completed};

#define KEPT (sizeof(kept) / sizeof(kept[0]))

struct sample {
	uint64_t taken_ns, values[KEPT];
};

/* Sums over all ports. */
struct span_ring {
	uint64_t head; /* number of the next sample */
	struct sample samples[HISTORY_LONGEST];
};

static const struct {
	const char *name;
	unsigned seconds; /* between two samples */
	unsigned samples;
} spans[] = {
#define X(name, text, seconds, samples) [HISTORY_##name] = {text, seconds, samples},
	HISTORY_SPANS(X)
#undef X
};

/* The last hour of a port, in the lower bits of its counters: they are as good for differences. */
struct port_ring {
	uint16_t port;
	uint64_t first; /* number of its first sample in this slot */
	uint64_t next;	/* and of the next one */
	uint32_t values[HISTORY_PORT_SAMPLES][KEPT];
};

/* What a slot's counters were last. */
struct counted {
	uint16_t port;
	uint64_t values[KEPT];
};

struct history {
	pthread_mutex_t lock;
	uint64_t second;		   /* notes so far */
	uint64_t total[KEPT];		   /* over all ports, with those whose slot was taken back: it never falls */
	struct counted counted[MAX_PORTS]; /* by slot */
	struct span_ring rings[HISTORY_SPAN_MAX];
	uint64_t port_head; /* number of the next sample of ports, and when they were taken */
	uint64_t port_taken_ns[HISTORY_PORT_SAMPLES];
	struct port_ring ports[MAX_PORTS]; /* by slot; pages of those that are not used stay untouched */
};

struct history *history__make(void)
{
	struct history *history = calloc(1, sizeof(*history));

	if (history)
		pthread_mutex_init(&history->lock, NULL);
	else
		log_error("cannot keep a history: out of memory");
	return history;
}

/* What the port counted since its last sample: all that it has, where its slot was another port's or began anew. */
static void count_port(struct history *history, const struct port_view *port)
{
	struct counted *last = &history->counted[port->slot];

	for (size_t value = 0; value < KEPT; value++) {
		uint64_t now = port_counter__of(port, kept[value]);
		bool goes_on = last->port == port->port && last->values[value] <= now;

		history->total[value] += now - (goes_on ? last->values[value] : 0);
		last->values[value] = now;
	}
	last->port = port->port;
}

static struct sample make_sample(struct history *history, const struct snapshot *s)
{
	struct sample sample = {.taken_ns = s->taken_ns};

	for (size_t i = 0; i < s->port_count; i++)
		count_port(history, &s->ports[i]);
	memcpy(sample.values, history->total, sizeof(sample.values));
	return sample;
}

static void add_port(struct history *history, const struct port_view *port)
{
	struct port_ring *ring = &history->ports[port->slot];
	uint64_t now = history->port_head;

	if (ring->port != port->port || ring->next != now)
		ring->first = now;
	ring->port = port->port;
	ring->next = now + 1;
	for (size_t value = 0; value < KEPT; value++)
		ring->values[now % HISTORY_PORT_SAMPLES][value] = port_counter__of(port, kept[value]);
}

static void add_ports(struct history *history, const struct snapshot *s)
{
	for (size_t i = 1; i < s->port_count; i++)
		add_port(history, &s->ports[i]);
	history->port_taken_ns[history->port_head++ % HISTORY_PORT_SAMPLES] = s->taken_ns;
}

void history__add(struct history *history, const struct snapshot *snapshot)
{
	struct sample sample = make_sample(history, snapshot);

	pthread_mutex_lock(&history->lock);
	for (enum history_span span = 0; span < HISTORY_SPAN_MAX; span++) {
		struct span_ring *ring = &history->rings[span];

		if (history->second % spans[span].seconds == 0)
			ring->samples[ring->head++ % spans[span].samples] = sample;
	}
	if (history->second % HISTORY_PORT_SECONDS == 0)
		add_ports(history, snapshot);
	history->second++;
	pthread_mutex_unlock(&history->lock);
}

static void write_sample(FILE *out, const struct sample *sample)
{
	struct json json;

	json_begin(&json, out);
	json_number(&json, "monotonic_us", sample->taken_ns / 1000);
	for (size_t value = 0; value < KEPT; value++)
		json_number(&json, port_counters[kept[value]].name, sample->values[value]);
	json_end(&json);
}

void history__json(FILE *out, struct history *history, enum history_span span)
{
	const struct span_ring *ring = &history->rings[span];
	unsigned samples = spans[span].samples;

	fputc('[', out);
	pthread_mutex_lock(&history->lock);
	for (uint64_t at = ring->head > samples ? ring->head - samples : 0; at < ring->head; at++) {
		write_sample(out, &ring->samples[at % samples]);
		if (at + 1 < ring->head)
			fputc(',', out);
	}
	pthread_mutex_unlock(&history->lock);
	fputs("]\n", out);
}

/* Counts on from the sample before, whose values are `last`; NULL: it is the first one. */
static void write_step(FILE *out, struct sample *sample, const uint32_t *values, const uint32_t *last,
		       uint64_t taken_ns)
{
	for (size_t value = 0; last && value < KEPT; value++)
		sample->values[value] += (uint32_t)(values[value] - last[value]);
	sample->taken_ns = taken_ns;
	if (last)
		fputc(',', out);
	write_sample(out, sample);
}

/* Ends with what the port's counters are now. */
static void write_port(FILE *out, const struct history *history, const struct port_ring *ring,
		       const struct port_view *port, uint64_t now_ns)
{
	uint64_t oldest = ring->next > HISTORY_PORT_SAMPLES ? ring->next - HISTORY_PORT_SAMPLES : 0, at;
	const uint32_t *last = NULL;
	struct sample sample = {};
	uint32_t now[KEPT];

	for (at = ring->first > oldest ? ring->first : oldest; at < ring->next; at++) {
		const uint32_t *values = ring->values[at % HISTORY_PORT_SAMPLES];

		write_step(out, &sample, values, last, history->port_taken_ns[at % HISTORY_PORT_SAMPLES]);
		last = values;
	}
	for (size_t value = 0; value < KEPT; value++)
		now[value] = port_counter__of(port, kept[value]);
	if (now_ns > sample.taken_ns)
		write_step(out, &sample, now, last, now_ns);
}

void history__port_json(FILE *out, struct history *history, const struct snapshot *snapshot, uint16_t port)
{
	fputc('[', out);
	pthread_mutex_lock(&history->lock);
	for (size_t i = 1; i < snapshot->port_count; i++) {
		const struct port_view *view = &snapshot->ports[i];
		const struct port_ring *ring = &history->ports[view->slot];

		if (view->port == port && ring->port == port && ring->next == history->port_head)
			write_port(out, history, ring, view, snapshot->taken_ns);
	}
	pthread_mutex_unlock(&history->lock);
	fputs("]\n", out);
}

enum history_span history__span(const char *name)
{
	enum history_span span = 0;

	while (span < HISTORY_SPAN_MAX && strcmp(spans[span].name, name) != 0)
		span++;
	return span;
}

void history__free(struct history *history)
{
	if (!history)
		return;
	pthread_mutex_destroy(&history->lock);
	free(history);
}
