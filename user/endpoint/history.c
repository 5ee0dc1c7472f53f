// SPDX-License-Identifier: GPL-2.0-only
/*
 * A ring of samples; one thread adds, another reads.
 */
#include <pthread.h>
#include <stdlib.h>

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

struct history {
	pthread_mutex_t lock;
	uint64_t head; /* number of the next sample */
	struct sample samples[HISTORY_SAMPLES];
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

/* Sums over all ports. */
static struct sample make_sample(const struct snapshot *s)
{
	struct sample sample = {.taken_ns = s->taken_ns};

	for (size_t i = 0; i < s->port_count; i++)
		for (size_t value = 0; value < KEPT; value++)
			sample.values[value] += port_counter__of(&s->ports[i], kept[value]);
	return sample;
}

void history__add(struct history *history, const struct snapshot *snapshot)
{
	struct sample sample = make_sample(snapshot);

	pthread_mutex_lock(&history->lock);
	history->samples[history->head++ % HISTORY_SAMPLES] = sample;
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

void history__json(FILE *out, struct history *history)
{
	uint64_t at;

	fputc('[', out);
	pthread_mutex_lock(&history->lock);
	at = history->head > HISTORY_SAMPLES ? history->head - HISTORY_SAMPLES : 0;
	for (; at < history->head; at++) {
		write_sample(out, &history->samples[at % HISTORY_SAMPLES]);
		if (at + 1 < history->head)
			fputc(',', out);
	}
	pthread_mutex_unlock(&history->lock);
	fputs("]\n", out);
}

void history__free(struct history *history)
{
	if (!history)
		return;
	pthread_mutex_destroy(&history->lock);
	free(history);
}
