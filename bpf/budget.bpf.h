/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who may send how many SYNs.
 *
 * Per source: every SYN adds one to a cell in each row of this CPU's sketch, which is fixed in size and written by this
 * CPU alone, but for the cells of a source that gets a record: they are cleared on all. A source is suspect when the
 * smaller of its cells stands above the CPU's mean load (a spoofed flood raises all cells alike) by its share of the
 * limit, and by eight standard deviations of that mean. The suspect's cells on all CPUs are then added up; only a sum
 * over the limit claims an exact record, and from then on the record alone decides, for all CPUs.
 *
 * Per listening port: a GCRA for all CPUs, from which each takes a batch at a time, so that nothing shared is written
 * for every packet.
 */
#ifndef SYNWARDEN_BUDGET_H
#define SYNWARDEN_BUDGET_H

#include "parse.bpf.h"
#include "ports.bpf.h"
#include "report.bpf.h"
#include "source.bpf.h"

#define SOURCE_IDLE_NS	 10000000000ULL /* a record without admissions for this long may be claimed by another source */
#define SOURCE_CAS_TRIES 4
#define BUDGET_CAS_TRIES 4
#define BUDGET_QUIET_NS	 10000000000ULL /* a port stays armed this long after its last busy moment */
#define BUDGET_RENEW_NS	 100000000ULL	/* and that moment is noted only so often */
#define SKETCH_NOISE	 64   /* the square of the eight standard deviations; a Poisson load's variance is its mean */
#define SKETCH_ASKS	 2000 /* times that one CPU may ask all about a source, in a window */

/* Where the source's records may be, and its cell in each row: independent parts of the hash. */
static __always_inline __u32 hash_set(__u64 h)
{
	return h & (SOURCE_SETS - 1);
}

static __always_inline __u64 hash_row(__u64 h, __u32 row)
{
	return row ? (h ^ h >> 29) * 0xbf58476d1ce4e5b9ULL : h;
}

static __always_inline __u32 hash_line(__u64 h)
{
	return (h >> 10) & (SKETCH_LINES - 1);
}

static __always_inline __u32 hash_cell(__u64 h)
{
	return ((h >> 32) * SKETCH_PER_LINE) >> 32;
}

/* Adds one to the cell of one row; a line left from a former window begins at zero. */
static __always_inline __u32 sketch_add_row(struct sketch *sketch, __u32 row, __u64 h, __u64 window)
{
	__u32 n = hash_line(h), cell = hash_cell(h);

	if (sketch->lines[row][n].window != (__u16)window) {
		__builtin_memset(&sketch->lines[row][n], 0, sizeof(sketch->lines[row][n]));
		sketch->lines[row][n].window = window;
	}
	if (sketch->lines[row][n].cells[cell] != 0xffff)
		sketch->lines[row][n].cells[cell]++;
	return sketch->lines[row][n].cells[cell];
}

/* Counts a SYN; returns how many its source has sent in this window, at most. */
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
	first = sketch_add_row(sketch, 0, hash_row(hash, 0), window);
	second = sketch_add_row(sketch, 1, hash_row(hash, 1), window);
	return first < second ? first : second;
}

static __always_inline __u32 sketch_read_row(const struct sketch *sketch, __u32 row, __u64 h, __u64 window)
{
	__u32 n = hash_line(h), cell = hash_cell(h);

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

/* The same question over all CPUs; it reads a cache line of each, and so is asked in steps, and only so often a window.
 */
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
		first = sketch_read_row(sketch, 0, hash_row(hash, 0), window);
		second = sketch_read_row(sketch, 1, hash_row(hash, 1), window);
		count += first < second ? first : second;
		syns += sketch->syns;
	}
	return sketch_exceeds(count, syns, cfg.source_limit);
}

/* The source has a record now: what it left in the sketch must not raise suspicion of others that share its cells. */
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
		sketch->lines[0][hash_line(hash_row(hash, 0))].cells[hash_cell(hash_row(hash, 0))] = 0;
		sketch->lines[1][hash_line(hash_row(hash, 1))].cells[hash_cell(hash_row(hash, 1))] = 0;
	}
	return 0;
}

static __always_inline int source_idle(const struct source *source, __u64 now)
{
	__u64 tat = source->tat_ns;

	return !tat || tat + SOURCE_IDLE_NS < now;
}

static __always_inline int source_is(const struct source *source, const struct addr *key)
{
	return source->addr.halves[1] == key->halves[1] && source->addr.halves[0] == key->halves[0];
}

/* Takes an idle record, with no burst left: the source has just used it up. The time is taken first, so that one CPU
 * wins. */
static __noinline int source_claim(struct source_set *set, const struct addr *key, __u64 now)
{
	struct source *source;
	__u64 tat;
	int way;

	if (!set || !key)
		return 0;
	/* Another CPU may have taken one for it meanwhile. */
	for (way = 0; way < SOURCE_WAYS; way++) {
		source = &set->ways[way];
		if (source_is(source, key) && !source_idle(source, now))
			return 1;
	}
	for (way = 0; way < SOURCE_WAYS; way++) {
		source = &set->ways[way];
		tat = source->tat_ns;
		if (!source_idle(source, now))
			continue;
		if (__sync_val_compare_and_swap(&source->tat_ns, tat, now + cfg.source_burst_ns) != tat)
			continue;
		source->claimed_ns = now;
		source->addr = *key;
		return 1;
	}
	return 0;
}

/* GCRA: a packet conforms if the theoretical arrival time is not too far ahead. One that does not only reads. */
static __always_inline int source_conforms(struct source *source, __u64 now)
{
	__u64 tat, start;
	int i;

	for (i = 0; i < SOURCE_CAS_TRIES; i++) {
		tat = source->tat_ns;
		start = tat > now ? tat : now;
		if (start + cfg.source_interval_ns > now + cfg.source_burst_ns)
			return 0;
		if (__sync_val_compare_and_swap(&source->tat_ns, tat, start + cfg.source_interval_ns) == tat)
			return 1;
	}
	return 1;
}

static __always_inline void source_count_drop(__u32 set, __u32 way, __u64 claimed_ns)
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

/* A dry run proposes limits from what the sketches hold: there, sources with a record are counted on. */
static __always_inline void source_count_on(__u64 hash, __u64 now)
{
	struct sketch *sketch = sketch_of_cpu();

	if (sketch)
		sketch_add(sketch, hash, now >> SKETCH_WINDOW_SHIFT);
}

/* No record yet: count the SYN in the sketch, and open a record if the source proves to be over its limit. */
static __always_inline void source_observe(struct source_set *set, const struct addr *key, __u64 hash, __u64 now)
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
	if (!source_claim(set, key, now))
		report_loss(LOSS_SOURCES);
	else if (!cfg.dry_run)
		sketch_forget(hash, window);
}

/* 1: the SYN is within its source's limit; without one, a dry run only counts. */
static __always_inline int budget_admit_source(const struct addr *key, __u64 hash, __u64 now)
{
	__u32 index = hash_set(hash), way;
	struct source_set *set = bpf_map_lookup_elem(&sources, &index);

	if (!set)
		return 1;
	for (way = 0; cfg.source_interval_ns && way < SOURCE_WAYS; way++) {
		struct source *source = &set->ways[way];

		if (!source_is(source, key) || !source->tat_ns)
			continue;
		if (cfg.dry_run)
			source_count_on(hash, now);
		if (source_conforms(source, now))
			return 1;
		source_count_drop(index, way, source->claimed_ns);
		return 0;
	}
	source_observe(set, key, hash, now);
	return 1;
}

/* Where no port has a rule of its own, what the rule says is constant to the verifier. */
static __always_inline const volatile struct port_rule *budget_rule(__u16 port)
{
	const struct port_rule *rule;
	__u32 key = port;

	if (!cfg.port_rules)
		return &cfg.rule;
	rule = bpf_map_lookup_elem(&port_rules, &key);
	return rule && rule->own ? rule : &cfg.rule;
}

/* Takes a batch from the port's budget, for this CPU: an idle budget always has one. */
static __always_inline int budget_take(__u64 *tat_ns, __u64 batch_ns, __u64 now)
{
	__u64 tat, start;
	int i;

	for (i = 0; i < BUDGET_CAS_TRIES; i++) {
		tat = *tat_ns;
		start = tat > now ? tat : now;
		if (start > now && start + batch_ns > now + cfg.budget_burst_ns)
			return 0;
		if (__sync_val_compare_and_swap(tat_ns, tat, start + batch_ns) == tat)
			return 1;
	}
	return 1;
}

static __noinline void budget_arm_anew(struct budget *budget, __u32 slot, __u16 port, __u64 now)
{
	struct alert alert = {.time_ns = now, .slot = slot, .port = port};
	__u64 *any;
	__u32 key = 0;

	if (!budget)
		return;
	if (budget->armed_until_ns < now)
		bpf_ringbuf_output(&alerts, &alert, sizeof(alert), BPF_RB_FORCE_WAKEUP);
	budget->armed_until_ns = now + BUDGET_QUIET_NS;
	any = bpf_map_lookup_elem(&armed, &key);
	if (any && *any < now + BUDGET_QUIET_NS)
		*any = now + BUDGET_QUIET_NS;
}

/* The port is busy now. */
static __always_inline void budget_arm(struct budget *budget, __u32 slot, __u16 port, __u64 now)
{
	if (budget->armed_until_ns + BUDGET_RENEW_NS < now + BUDGET_QUIET_NS)
		budget_arm_anew(budget, slot, port, now);
}

/* Where a CPU may be taken from us between two lines (PREEMPT_RT), they may be spent twice, and wrap. */
static __always_inline int budget_are_spent(__u64 tokens, const volatile struct port_rule *rule)
{
	return tokens - 1 >= rule->batch;
}

/*
 * 1: the SYN is within its port's budget. Over it the port is armed; an armed port stays so while its SYNs come at more
 * than half the budget, and ten seconds longer.
 */
static __always_inline int budget_admit_port(struct budget *budget, struct port_count *count,
					     const volatile struct port_rule *rule, __u32 slot, __u16 port, __u64 now)
{
	if (budget_are_spent(count->tokens, rule)) {
		if (!budget_take(&budget->tat_ns, rule->batch_ns, now)) {
			budget_arm(budget, slot, port, now);
			return 0;
		}
		count->tokens = rule->batch;
	}
	count->tokens--;
	if (budget->armed_until_ns < now)
		return 1;
	if (budget_are_spent(count->half_tokens, rule)) {
		if (!budget_take(&budget->half_tat_ns, rule->batch_ns * 2ULL, now)) {
			budget_arm(budget, slot, port, now);
			return 1;
		}
		count->half_tokens = rule->batch;
	}
	count->half_tokens--;
	return 1;
}

/*
 * Whether this host is known to serve the packet's address and port. The last answer is kept by CPU and port, as most
 * SYNs over budget go to one address. A connection from a link-local address stands on the device that it came in by,
 * which may be one above ours (a VLAN's, a bridge, a bond): we could not find it, and leave such alone.
 */
static __always_inline int budget_is_served(const struct packet *pkt, struct port_count *count)
{
	struct served key = {
		.words = {pkt->daddr.words[0], pkt->daddr.words[1], pkt->daddr.words[2], pkt->daddr.words[3]},
		.port = pkt->dport,
	};

	if (parse_is_link_local(&pkt->saddr))
		return 0;
	if (count->served.halves[0] == pkt->daddr.halves[0] && count->served.halves[1] == pkt->daddr.halves[1])
		return 1;
	if (!bpf_map_lookup_elem(&served, &key)) {
		__builtin_memset(key.words, 0, sizeof(key.words));
		if (!bpf_map_lookup_elem(&served, &key))
			return 0;
	}
	count->served = pkt->daddr;
	return 1;
}

/* Whether an ordinary segment may answer a challenge: its port is armed, and its SYNs are challenged. A clock is read
 * only where any port may be armed. */
static __always_inline int budget_challenges(__u16 port)
{
	__u32 key = 0, slot;
	const __u64 *any = bpf_map_lookup_elem(&armed, &key);
	const struct budget *budget;
	__u64 now;

	if (!any || !*any)
		return 0;
	now = bpf_ktime_get_coarse_ns();
	if (*any < now)
		return 0;
	slot = ports_slot(port);
	budget = bpf_map_lookup_elem(&budgets, &slot);
	return slot && budget && budget->armed_until_ns > now && budget_rule(port)->challenge;
}

#endif
