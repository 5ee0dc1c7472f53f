// SPDX-License-Identifier: GPL-2.0-only
/*
 * A ring of samples; the one thread adds, the other one reads.
 */
#include <pthread.h>
#include <stdlib.h>

#include "history.h"
#include "log.h"
#include "print.h"

struct sample {
	uint64_t taken_ns, passed, challenged, answered, dropped, completed;
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

/* Of all ports. */
static struct sample make_sample(const struct snapshot *s)
{
	struct sample sample = {.taken_ns = s->taken_ns};

	for (size_t i = 0; i < s->port_count; i++) {
		sample.passed += s->ports[i].passed;
		sample.challenged += s->ports[i].challenged;
		sample.answered += s->ports[i].answered;
		sample.dropped += s->ports[i].dropped;
		sample.completed += s->ports[i].completed;
	}
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
	json_number(&json, "passed", sample->passed);
	json_number(&json, "challenged", sample->challenged);
	json_number(&json, "answered", sample->answered);
	json_number(&json, "dropped", sample->dropped);
	json_number(&json, "completed", sample->completed);
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
