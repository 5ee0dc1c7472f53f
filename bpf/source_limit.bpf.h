/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The source limit: how many SYNs one source may send.
 *
 * Every SYN adds one to a cell in each row of this CPU's sketch, which is fixed in size. Other CPUs write to it only to
 * clear the cells of a source that gets a record. A source is suspect when the smaller of its cells stands above the
 * CPU's mean load (a spoofed flood raises all cells alike) by its share of the limit, and by eight standard deviations
 * of that mean. The suspect's cells on all CPUs are then added up. Only a sum over the limit claims an exact record,
 * and from then on the record alone decides, for all CPUs. Where no record is idle, the source passes, and is counted
 * as a loss.
 */
#ifndef SYNWARDEN_SOURCE_LIMIT_H
#define SYNWARDEN_SOURCE_LIMIT_H

#include "report.bpf.h"
#include "source.bpf.h"
#include "syn.bpf.h"

#define RECORD_IDLE_NS	 10000000000ULL /* a record without admissions for this long may be claimed by another source */
#define RECORD_CAS_TRIES 4
#define SKETCH_NOISE	 64   /* the square of the eight standard deviations; a Poisson load's variance is its mean */
#define SKETCH_ASKS	 2000 /* sums over all CPUs that one CPU may ask for in a window */

/* A source's set of records and its cell in each row come from independent parts of the hash. */
static __always_inline __u32 record_set(__u64 h)
{
	return h & (SOURCE_SETS - 1);
}

static __always_inline __u64 sketch_row(__u64 h, __u32 row)
{
	return row ? (h ^ h >> 29) * 0xbf58476d1ce4e5b9ULL : h;
}

static __always_inline __u32 sketch_line(__u64 h)
{
	return (h >> 10) & (SKETCH_LINES - 1);
}

static __always_inline __u32 sketch_cell(__u64 h)
{
	return ((h >> 32) * SKETCH_PER_LINE) >> 32;
}

/* Adds one to the cell of one row; a line of an earlier window starts again at zero. */
static __always_inline __u32 sketch_add_row(struct sketch *sketch, __u32 row, __u64 h, __u64 window)
{
	__u32 n = sketch_line(h), cell = sketch_cell(h);

	if (sketch->lines[row][n].window != (__u16)window) {
		__builtin_memset(&sketch->lines[row][n], 0, sizeof(sketch->lines[row][n]));
		sketch->lines[row][n].window = window;
	}
	if (sketch->lines[row][n].cells[cell] != 0xffff)
		sketch->lines[row][n].cells[cell]++;
	return sketch->lines[row][n].cells[cell];
}

/* Counts a SYN; returns an upper bound of the SYNs of its source in this window. */
static __always_inline __u32 sketch_add(struct sketch *sketch, __u64 hash, __u64 window)
{
	__u32 first, second;

	if (sketch->window != window) {
		sketch->window = window;
		sketch->syns = 0;
		sketch->claims = 0;
		sketch->asks = 0;
	}
	sketch->syns++;
	first = sketch_add_row(sketch, 0, sketch_row(hash, 0), window);
	second = sketch_add_row(sketch, 1, sketch_row(hash, 1), window);
	return first < second ? first : second;
}

static __always_inline __u32 sketch_read_row(const struct sketch *sketch, __u32 row, __u64 h, __u64 window)
{
	__u32 n = sketch_line(h), cell = sketch_cell(h);

	return sketch->lines[row][n].window == (__u16)window ? sketch->lines[row][n].cells[cell] : 0;
}

/* Whether `count` in cells that share `syns` at random is `limit` above their mean, and not by chance. */
static __always_inline int sketch_exceeds(__u64 count, __u64 syns, __u64 limit)
{
	__u64 excess = count * SKETCH_CELLS;

	if (excess < syns + limit * SKETCH_CELLS)
		return 0;
	excess = (excess - syns) / SKETCH_CELLS;
	return excess * excess * SKETCH_CELLS > SKETCH_NOISE * syns;
}

/* The same over all CPUs. It reads cache lines of each, so SKETCH_ASKS bounds its calls. */
static __noinline int sketch_exceeds_everywhere(__u64 hash, __u64 window)
{
	__u64 count = 0, syns = 0;
	__u32 cpu, first, second;

	for (cpu = 0; cpu < MAX_CPUS; cpu++) {
		__u32 key = cpu;
		const struct sketch *sketch;

		if (cpu >= cfg.cpus)
			break;
		sketch = bpf_map_lookup_elem(&sketches, &key);
		if (!sketch || sketch->window != window)
			continue;
		first = sketch_read_row(sketch, 0, sketch_row(hash, 0), window);
		second = sketch_read_row(sketch, 1, sketch_row(hash, 1), window);
		count += first < second ? first : second;
		syns += sketch->syns;
	}
	return sketch_exceeds(count, syns, cfg.source_limit);
}

/* The source has a record now: its cells are cleared, so that other sources that share them do not become suspect. */
static __noinline int sketch_forget(__u64 hash, __u64 window)
{
	__u32 cpu;

	for (cpu = 0; cpu < MAX_CPUS; cpu++) {
		__u32 key = cpu;
		struct sketch *sketch;

		if (cpu >= cfg.cpus)
			break;
		sketch = bpf_map_lookup_elem(&sketches, &key);
		if (!sketch || sketch->window != window)
			continue;
		sketch->lines[0][sketch_line(sketch_row(hash, 0))].cells[sketch_cell(sketch_row(hash, 0))] = 0;
		sketch->lines[1][sketch_line(sketch_row(hash, 1))].cells[sketch_cell(sketch_row(hash, 1))] = 0;
	}
	return 0;
}

static __always_inline int record_is_idle(const struct source *source, __u64 now)
{
	__u64 tat = source->tat_ns;

	return !tat || tat + RECORD_IDLE_NS < now;
}

static __always_inline int record_is_of(const struct source *source, const struct addr *key)
{
	return source->addr.halves[1] == key->halves[1] && source->addr.halves[0] == key->halves[0];
}

/* Claims an idle record, with no burst left: the source has just used it up. tat_ns is exchanged first: one CPU wins.
 */
static __noinline int record_claim(struct source_set *set, const struct addr *key, __u64 now)
{
	struct source *source;
	__u64 tat;
	int way;

	if (!set || !key)
		return 0;
	/* Another CPU may have claimed one for this source meanwhile. */
	for (way = 0; way < SOURCE_WAYS; way++) {
		source = &set->ways[way];
		if (record_is_of(source, key) && !record_is_idle(source, now))
			return 1;
	}
	for (way = 0; way < SOURCE_WAYS; way++) {
		source = &set->ways[way];
		tat = source->tat_ns;
		if (!record_is_idle(source, now))
			continue;
		if (__sync_val_compare_and_swap(&source->tat_ns, tat, now + cfg.source_burst_ns) != tat)
			continue;
		source->claimed_ns = now;
		source->addr = *key;
		return 1;
	}
	return 0;
}

/* GCRA: when the theoretical arrival time would be after one more SYN; 0: it would be too far ahead. */
static __always_inline __u64 record_next_tat(__u64 tat, __u64 now)
{
	__u64 next = (tat > now ? tat : now) + cfg.source_interval_ns;

	return next > now + cfg.source_burst_ns ? 0 : next;
}

/* A SYN over the limit writes nothing. A lost race admits it. */
static __always_inline int record_admit(struct source *source, __u64 now)
{
	__u64 tat, next;
	int i;

	for (i = 0; i < RECORD_CAS_TRIES; i++) {
		tat = source->tat_ns;
		next = record_next_tat(tat, now);
		if (!next)
			return 0;
		if (__sync_val_compare_and_swap(&source->tat_ns, tat, next) == tat)
			return 1;
	}
	return 1;
}

static __always_inline void record_count_drop(__u32 set, __u32 way, __u64 claimed_ns)
{
	struct source_drops_set *drops = bpf_map_lookup_elem(&source_drops, &set);

	if (!drops)
		return;
	if (drops->ways[way].claimed_ns != claimed_ns) {
		drops->ways[way].claimed_ns = claimed_ns;
		drops->ways[way].packets = 0;
	}
	drops->ways[way].packets++;
}

static __always_inline struct sketch *sketch_of_cpu(void)
{
	__u32 cpu = bpf_get_smp_processor_id();

	return bpf_map_lookup_elem(&sketches, &cpu);
}

/* A dry run proposes limits from the sketches, so it counts sources with a record there too. */
static __always_inline void sketch_count_on(__u64 hash, __u64 now)
{
	struct sketch *sketch = sketch_of_cpu();

	if (sketch)
		sketch_add(sketch, hash, now >> SKETCH_WINDOW_SHIFT);
}

/* No record yet: counts the SYN in the sketch, and claims a record if the source is over its limit. */
static __always_inline void source_limit_observe(struct source_set *set, const struct addr *key, __u64 hash, __u64 now)
{
	struct sketch *sketch = sketch_of_cpu();
	__u64 window = now >> SKETCH_WINDOW_SHIFT;
	__u32 count;

	if (!sketch)
		return;
	count = sketch_add(sketch, hash, window);
	if (count < cfg.source_share || (count - cfg.source_share) % cfg.source_step)
		return;
	if (!sketch_exceeds(count, sketch->syns, cfg.source_share) || sketch->asks >= SKETCH_ASKS)
		return;
	sketch->asks++;
	if (!sketch_exceeds_everywhere(hash, window) || sketch->claims >= cfg.source_claims)
		return;
	sketch->claims++;
	if (!record_claim(set, key, now))
		report_loss(LOSS_SOURCES);
	else if (!cfg.dry_run)
		sketch_forget(hash, window);
}

/* 1: the SYN is within its source's limit. In a dry run without --source-limit, SYNs are only counted. */
static __always_inline int source_limit_admit(const struct syn *s)
{
	__u32 index = record_set(s->hash), way;
	struct source_set *set = bpf_map_lookup_elem(&sources, &index);

	if (!set)
		return 1;
	for (way = 0; cfg.source_interval_ns && way < SOURCE_WAYS; way++) {
		struct source *source = &set->ways[way];

		if (!record_is_of(source, s->source) || !source->tat_ns)
			continue;
		if (s->mode->explains)
			return !!record_next_tat(source->tat_ns, s->now);
		if (cfg.dry_run)
			sketch_count_on(s->hash, s->now);
		if (record_admit(source, s->now))
			return 1;
		record_count_drop(index, way, source->claimed_ns);
		return 0;
	}
	if (!s->mode->explains)
		source_limit_observe(set, s->source, s->hash, s->now);
	return 1;
}

#endif
