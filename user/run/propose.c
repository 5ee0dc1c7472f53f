// SPDX-License-Identifier: GPL-2.0-only
/*
 * Histograms of rates. The rates of sources come from the cells of the sketches, one for (nearly) each source in a
 * window of a second; they are exact as long as sources are few against SKETCH_CELLS.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "config/run_options.h"
#include "run/propose.h"
#include "system/clock.h"
#include "text/colour.h"
#include "text/log.h"

#define EARLY_NS  15000000 /* before a window's end */
#define RATES	  65536	   /* rates from here on are counted as this one */
#define ROOM	  2	   /* the proposed limit is so many times the highest rate seen, */
#define MIN_LIMIT 20	   /* and at least what a browser sends at once */

struct rates {
	uint64_t seen[RATES];
	uint64_t total;
	uint64_t max;
};

struct proposal {
	struct rates sources, ports;
	uint64_t window; /* the last one that was read */
};

int propose__open(struct proposal **proposal)
{
	*proposal = calloc(1, sizeof(**proposal));
	return *proposal ? 0 : -1;
}

static void add(struct rates *rates, uint64_t rate)
{
	uint32_t index = rate < RATES ? rate : RATES - 1;

	if (!rate)
		return;
	rates->seen[index]++;
	rates->total++;
	if (rate > rates->max)
		rates->max = rate;
}

static uint32_t percentile(const struct rates *rates, double q)
{
	uint64_t below = 0;
	uint32_t i;

	for (i = 0; i < RATES - 1; i++) {
		below += rates->seen[i];
		if (rates->total && below >= q * rates->total)
			break;
	}
	return i;
}

/* A line of the sketch forgets its window as soon as the next one begins: it must be read before. */
int propose__due_ms(const struct proposal *p)
{
	uint64_t now = clock__now(), window = now >> SKETCH_WINDOW_SHIFT;
	uint64_t due = ((window + 1) << SKETCH_WINDOW_SHIFT) - EARLY_NS;

	if (p->window == window)
		due += 1ULL << SKETCH_WINDOW_SHIFT;
	return due > now ? (due - now) / 1000000 + 1 : 0;
}

/* Sums the cells of one window over all CPUs, of the first row: without an address, the cell in the other row is
 * unknown. */
static int sample_sources(struct proposal *p, const struct maps *maps, uint64_t window)
{
	struct sketch *sketch = malloc(sizeof(*sketch));
	uint32_t(*cells)[SKETCH_PER_LINE] = calloc(SKETCH_LINES, sizeof(*cells));
	int cpus = libbpf_num_possible_cpus(), ret = sketch && cells ? 0 : -1;
	size_t line, cell;

	for (__u32 cpu = 0; !ret && cpu < (__u32)cpus; cpu++) {
		ret = bpf_map_lookup_elem(maps->sketches, &cpu, sketch);
		for (line = 0; !ret && line < SKETCH_LINES; line++)
			if (sketch->lines[0][line].window == (__u16)window)
				for (cell = 0; cell < SKETCH_PER_LINE; cell++)
					cells[line][cell] += sketch->lines[0][line].cells[cell];
	}
	for (line = 0; !ret && line < SKETCH_LINES; line++)
		for (cell = 0; cell < SKETCH_PER_LINE; cell++)
			add(&p->sources, (cells[line][cell] * 1000000000ULL + (1 << 29)) >> SKETCH_WINDOW_SHIFT);
	if (ret)
		log_error("cannot read the rates of sources: %s", strerror(errno));
	free(cells);
	free(sketch);
	return ret;
}

static const struct port_view *find(const struct snapshot *s, uint32_t slot)
{
	for (size_t i = 1; i < s->port_count; i++)
		if (s->ports[i].slot == slot)
			return &s->ports[i];
	return NULL;
}

/* Snapshots may be more than a second apart on a busy machine. */
void propose__ports(struct proposal *p, const struct snapshot *before, const struct snapshot *now)
{
	double seconds = (now->taken_ns - before->taken_ns) / 1e9;

	for (size_t i = 1; i < now->port_count; i++) {
		const struct port_view *then = find(before, now->ports[i].slot);

		add(&p->ports, (now->ports[i].syns - (then ? then->syns : 0)) / seconds + 0.5);
	}
}

int propose__sources(struct proposal *p, const struct maps *maps)
{
	uint64_t window = clock__now() >> SKETCH_WINDOW_SHIFT;

	if (propose__due_ms(p) > 0)
		return 0;
	p->window = window;
	return sample_sources(p, maps, window);
}

static void print_rates(FILE *out, const char *what, const struct rates *rates)
{
	fprintf(out, "%-18s  %9u  %9u  %9u  %9" PRIu64 "\n", what, percentile(rates, 0.5), percentile(rates, 0.99),
		percentile(rates, 0.999), rates->max);
}

/* Within what `run` accepts. */
static void print_limit(FILE *out, const char *option, const struct rates *rates, uint64_t most)
{
	uint64_t limit = rates->max * ROOM > MIN_LIMIT ? rates->max * ROOM : MIN_LIMIT;

	if (limit <= most)
		fprintf(out, " --%s %" PRIu64, option, limit);
	else
		fprintf(out, " (no --%s: it goes up to %" PRIu64 ")", option, most);
}

void propose__print(FILE *out, const struct proposal *p)
{
	if (!p->ports.total) {
		fprintf(out, "\nno SYN came to a listening port: nothing to propose from\n");
		return;
	}
	fprintf(out, "\n%s%-18s  %9s  %9s  %9s  %9s%s\n", print_bold(), "SYN/s SEEN", "P50", "P99", "P99.9", "MAX",
		print_plain());
	print_rates(out, "from one source", &p->sources);
	print_rates(out, "to one port", &p->ports);
	fputs("proposed, if this was ordinary traffic:", out);
	print_limit(out, "port-budget", &p->ports, PORT_BUDGET_MAX);
	print_limit(out, "source-limit", &p->sources, SOURCE_LIMIT_MAX);
	fputc('\n', out);
}

void propose__close(struct proposal *p)
{
	free(p);
}
