// SPDX-License-Identifier: GPL-2.0-only
/*
 * The evidence of the last ten seconds, per listening port.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>

#include "output/event_show.h"
#include "output/sentence.h"
#include "run/attack.h"
#include "run/attack_record.h"
#include "run/distinct_sources.h"
#include "run/syn_samples.h"
#include "text/log.h"

#define SAMPLES	      11 /* one a second: ten seconds lie between the first and the last */
#define RATIO_SECONDS 5
#define JUDGE_SECONDS                                                                                                  \
	3 /* armed for so long before it may be an attack: the clients of a traffic spike complete by then */

struct watch {
	struct port_sample samples[SAMPLES];
	struct attack_record *record; /* NULL: it is not armed */
	uint64_t armed_ns;	      /* when the kernel side said so, CLOCK_MONOTONIC */
	bool armed, armed_strays, under_attack;
	bool counted;	    /* by the run before this one, whose attack lasts */
	uint64_t attacks;   /* since counting began */
	unsigned armed_for; /* judgements, one a second */
	uint32_t estimator; /* one more than its index; 0: none */
};

struct attacks {
	const struct maps *maps;
	const struct kept_events *kept;
	struct watch watches[MAX_PORTS]; /* by slot */
	bool in_use[HLL_POOL];
	uint8_t merged[HLL_POOL][HLL_REGISTERS]; /* of the whole attack */
	unsigned seconds;			 /* since the start */
};

/* Writes which estimator the kernel side uses for the port. */
static int set_estimator(struct attacks *a, __u32 slot, uint32_t estimator)
{
	a->watches[slot].estimator = estimator;
	if (bpf_map_update_elem(a->maps->estimators, &slot, &estimator, BPF_ANY) == 0)
		return 0;
	log_error("cannot count the distinct sources of a port: %s", strerror(errno));
	return -1;
}

static int write_evidence(const struct attacks *a, __u32 slot, const struct attack *attack)
{
	if (bpf_map_update_elem(a->maps->attacks, &slot, attack, BPF_ANY) == 0)
		return 0;
	log_error("cannot write the evidence: %s", strerror(errno));
	return -1;
}

/* Clears what a former run left, but for the number of attacks. */
static int take_over(struct attacks *a, __u32 slot)
{
	struct watch *watch = &a->watches[slot];
	struct attack former = {};

	if (bpf_map_lookup_elem(a->maps->attacks, &slot, &former)) {
		log_error("cannot read the evidence: %s", strerror(errno));
		return -1;
	}
	watch->attacks = former.attacks;
	watch->counted = former.under_attack;
	return write_evidence(a, slot, &(struct attack){.attacks = former.attacks});
}

int attack__open(struct attacks **attacks, const struct maps *maps, const struct kept_events *kept)
{
	struct attacks *a = calloc(1, sizeof(*a));

	*attacks = a;
	if (!a)
		return -1;
	a->maps = maps;
	a->kept = kept;
	for (__u32 slot = 0; slot < MAX_PORTS; slot++)
		if (set_estimator(a, slot, 0) || take_over(a, slot))
			return -1;
	return 0;
}

/* Where none is free, the next judgement tries again. */
static void begin_estimate(struct attacks *a, __u32 slot, uint64_t now)
{
	struct hll *hll;
	uint32_t i;

	for (i = 0; i < HLL_POOL && a->in_use[i]; i++)
		;
	hll = i < HLL_POOL ? distinct_sources__map(a->maps, i) : NULL;
	if (!hll)
		return;
	a->in_use[i] = true;
	memset(a->merged[i], 0, sizeof(a->merged[i]));
	distinct_sources__prepare(hll, now);
	set_estimator(a, slot, i + 1);
	distinct_sources__unmap(hll);
}

void attack__armed(struct attacks *a, const struct alert *alert)
{
	struct watch *watch = &a->watches[alert->slot < MAX_PORTS ? alert->slot : 0];

	watch->armed_ns = alert->time_ns;
	if (alert->slot < MAX_PORTS && !watch->estimator)
		begin_estimate(a, alert->slot, alert->time_ns);
}

static void end_estimate(struct attacks *a, __u32 slot, struct hll *hll)
{
	uint32_t estimator = a->watches[slot].estimator;

	set_estimator(a, slot, 0);
	distinct_sources__clear(hll);
	a->in_use[estimator - 1] = false;
}

static void go_on_estimating(struct attacks *a, struct port_view *port, uint64_t now)
{
	const struct watch *watch = &a->watches[port->slot];
	uint32_t index = watch->estimator - 1;
	struct hll *hll = distinct_sources__map(a->maps, index);

	if (!hll)
		return;
	distinct_sources__prepare(hll, now);
	distinct_sources__merge(a->merged[index], hll, now);
	attack_record__count_sources(watch->record, distinct_sources__of_registers(a->merged[index]) + 0.5);
	if (port->armed)
		port->attack.sources = distinct_sources__estimate(hll, now);
	else
		end_estimate(a, port->slot, hll);
	distinct_sources__unmap(hll);
}

static void end_record(struct watch *watch, uint64_t now, bool interrupted)
{
	attack_record__end(watch->record, now, interrupted);
	watch->record = NULL;
}

void attack__forget(struct attacks *a, __u32 slot)
{
	struct watch *watch = &a->watches[slot];
	struct hll *hll = watch->estimator ? distinct_sources__map(a->maps, watch->estimator - 1) : NULL;

	if (hll) {
		end_estimate(a, slot, hll);
		distinct_sources__unmap(hll);
	}
	end_record(watch, 0, true);
	write_evidence(a, slot, &(struct attack){});
	*watch = (struct watch){};
}

static struct port_sample since(const struct watch *watch, unsigned seconds)
{
	const struct port_sample *now = &watch->samples[0], *then = &watch->samples[seconds];

	return (struct port_sample){
#define X(name) .name = now->name - then->name,
		EVENT_COUNTERS(X)
#undef X
	};
}

/* Over the last five seconds, of which those count in which it was armed: the others would lower it. */
static uint64_t syn_rate(const struct watch *watch)
{
	unsigned seconds = watch->armed_for > 1 ? watch->armed_for - 1 : 1;

	return attack_record__rate(&watch->samples[seconds < RATIO_SECONDS ? seconds : RATIO_SECONDS],
				   &watch->samples[0]);
}

static void log_end(const struct watch *watch, const struct port_view *port)
{
	const struct log_event *event = attack_record__event(watch->record);
	char figures[EVENT_FIGURES_LEN];

	log_notice("port %u is no longer under attack%s%s", port->port, event ? ": " : "",
		   event ? event_show__figures(figures, event) : "");
}

static void log_change(const struct watch *before, const struct port_view *port)
{
	char text[SENTENCE_LEN];

	if (port->armed && !before->armed)
		log_warn("port %u is armed: its SYNs are over the budget", port->port);
	if (port->attack.under_attack && !before->under_attack)
		log_warn("%s", sentence__attack(text, port));
	if (!port->attack.under_attack && before->under_attack)
		log_end(before, port);
	if (port->armed_strays && !before->armed_strays)
		log_warn("port %u is armed: segments without a connection are over the stray budget", port->port);
	if (!port->armed_strays && before->armed_strays)
		log_notice("port %u is released: ten seconds under half the stray budget", port->port);
	if (!port->armed && before->armed)
		log_notice("port %u is released: ten seconds under half the budget", port->port);
}

/* An attack is counted once, also if another `run` takes the port over in its midst. */
static void count_attack(struct watch *watch, struct port_view *port)
{
	if (port->attack.under_attack && !watch->under_attack) {
		watch->attacks += !watch->counted;
		watch->counted = false;
	}
	watch->counted &= !!port->armed;
	port->attacks = port->attack.attacks = watch->attacks;
}

static struct attack make_evidence(const struct attacks *a, const struct watch *watch)
{
	unsigned long_span = a->seconds < SAMPLES - 1 ? a->seconds : SAMPLES - 1;
	unsigned span = long_span < RATIO_SECONDS ? long_span : RATIO_SECONDS;
	struct port_sample ten = since(watch, long_span), five = since(watch, span);

	return (struct attack){
		.syn_rate = syn_rate(watch),
		.completed_permille =
			five.syns ? (five.completed < five.syns ? five.completed * 1000 / five.syns : 1000) : 0,
		.unanswered = ten.challenged > ten.answered ? ten.challenged - ten.answered : 0,
		.under_attack = watch->armed_for >= JUDGE_SECONDS && five.syns && five.completed * 2 < five.syns,
	};
}

/* A flood may begin just before a second ends, and the port be armed in the next one: both count. */
static void begin_record(struct attacks *a, const struct port_view *port, const struct snapshot *s)
{
	struct watch *watch = &a->watches[port->slot];
	unsigned before = 2;
	bool is_told = watch->armed_ns && watch->armed_ns > watch->samples[1].taken_ns;

	while (before && !watch->samples[before].taken_ns)
		before--;
	watch->record = attack_record__begin(a->kept->log, port, is_told ? watch->armed_ns : s->taken_ns,
					     &watch->samples[before], s->meta.dry_run);
}

/* By now, three seconds after the arming, the sample is full, or the attack is small. */
static void begin_attack(struct attacks *a, __u32 slot)
{
	const struct watch *watch = &a->watches[slot];
	const struct log_event *event = attack_record__event(watch->record);

	if (!event || event->kind == EVENT_ATTACK)
		return;
	attack_record__is_attack(watch->record);
	syn_samples__keep(a->maps, a->kept->folder, slot, event->started_ns, event->id);
}

static void judge_port(struct attacks *a, struct port_view *port, const struct snapshot *s)
{
	struct watch *watch = &a->watches[port->slot];

	memmove(&watch->samples[1], &watch->samples[0], (SAMPLES - 1) * sizeof(watch->samples[0]));
	attack_record__sample(&watch->samples[0], port, s->taken_ns);
	watch->armed_for = port->armed ? watch->armed_for + 1 : 0;
	if (port->armed && !watch->record)
		begin_record(a, port, s);
	if (port->armed && !watch->estimator)
		begin_estimate(a, port->slot, s->taken_ns);
	port->attack = port->armed ? make_evidence(a, watch) : (struct attack){};
	if (watch->estimator)
		go_on_estimating(a, port, s->taken_ns);
	if (port->attack.under_attack)
		begin_attack(a, port->slot);
	attack_record__grow(watch->record, &watch->samples[1], &watch->samples[0]);
	count_attack(watch, port);
	log_change(watch, port);
	if (!port->armed)
		end_record(watch, s->taken_ns, false);
	watch->armed = port->armed;
	watch->armed_strays = port->armed_strays;
	watch->under_attack = port->attack.under_attack;
}

/* Ports without a listener, all together. */
static void judge_closed(struct attacks *a, const struct port_view *closed)
{
	struct watch *watch = &a->watches[0];

	if (closed->armed_strays && !watch->armed_strays)
		log_warn("closed ports are armed: what comes to them is over the stray budget");
	if (!closed->armed_strays && watch->armed_strays)
		log_notice("closed ports are released: ten seconds under half the stray budget");
	watch->armed_strays = closed->armed_strays;
}

int attack__judge(struct attacks *a, struct snapshot *s)
{
	size_t i;

	judge_closed(a, &s->ports[0]);
	for (i = 1; i < s->port_count; i++) {
		struct port_view *port = &s->ports[i];
		bool before = a->watches[port->slot].armed;

		judge_port(a, port, s);
		if ((port->armed || before) && write_evidence(a, port->slot, &port->attack))
			return -1;
	}
	a->seconds++;
	return 0;
}

void attack__close(struct attacks *a)
{
	for (size_t slot = 0; a && slot < MAX_PORTS; slot++)
		end_record(&a->watches[slot], 0, true);
	free(a);
}
