// SPDX-License-Identifier: GPL-2.0-only
/*
 * Options -> struct config and maps: rates become intervals, limits become shares of a CPU.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "config/values.h"
#include "kernel/load_config.h"
#include "kernel/pins.h"
#include "system/clock.h"
#include "text/log.h"

#define CLAIMS_A_SECOND 256 /* records of the source limit, over all CPUs */
#define MIN_SHARE	8   /* SYN/s and CPU: a smaller share is lost in the noise of the sketch */
#define SHARE_STEPS	16
#define BATCHES		100 /* a CPU takes a hundredth of its part of a port's budget at once */
#define BUDGET_BURST_NS (NS_PER_S / 4)

static void set_source_limit(struct config *config, uint32_t limit)
{
	config->sketch = 1;
	config->source_interval_ns = NS_PER_S / limit;
	config->source_burst_ns = NS_PER_S;
	config->source_limit = ((uint64_t)limit << SKETCH_WINDOW_SHIFT) / NS_PER_S;
	config->source_share = config->source_limit / config->cpus ?: 1;
	config->source_step = config->source_share / SHARE_STEPS ?: 1;
	config->source_claims = CLAIMS_A_SECOND / config->cpus ?: 1;
	if (limit / config->cpus < MIN_SHARE)
		log_warn("--source-limit %u is small for %u CPUs: under a flood a source may be noticed late; the "
			 "smallest "
			 "reliable limit is %u",
			 limit, config->cpus, MIN_SHARE * config->cpus);
}

/* A dry run counts by source to propose a limit; no source is suspect. */
static void set_observation(struct config *config)
{
	config->sketch = 1;
	config->source_share = UINT32_MAX;
	config->source_step = 1;
}

/* What a CPU takes of the budget at once. */
static uint32_t batch_of(const struct config *config, uint32_t budget)
{
	return budget / (config->cpus * BATCHES) ?: 1;
}

static struct port_rule rule_for(const struct config *config, uint32_t budget, uint32_t challenge)
{
	struct port_rule rule = {.budget = budget, .challenge = challenge};

	if (!budget)
		return rule;
	rule.batch = batch_of(config, budget);
	rule.batch_ns = NS_PER_S * rule.batch / budget;
	return rule;
}

static uint32_t strays_of(const struct run_options *options, const struct port_options *port)
{
	return port->has_stray_budget ? port->stray_budget : options->stray_budget;
}

static uint32_t challenge_of(const struct run_options *options, const struct port_options *port)
{
	return port->has_challenge ? port->challenge : options->challenge;
}

static struct port_rule rule_of(const struct config *config, const struct run_options *options,
				const struct port_options *port)
{
	struct port_rule rule =
		rule_for(config, port->has_budget ? port->budget : options->port_budget, challenge_of(options, port));

	rule.own = 1;
	rule.stray_budget = strays_of(options, port);
	return rule;
}

static void count_rule(struct config *config, const struct port_rule *rule)
{
	config->has_budget |= rule->budget != 0;
	config->has_challenge |= rule->budget && rule->challenge == CHALLENGE_AUTO;
}

static void set_budgets(struct config *config, const struct run_options *options)
{
	struct port_rule rule;

	config->budget_burst_ns = BUDGET_BURST_NS;
	config->default_rule = rule_for(config, options->port_budget, options->challenge);
	count_rule(config, &config->default_rule);
	config->has_port_rules = options->port_count != 0;
	config->has_strays = options->stray_budget != 0;
	for (size_t i = 0; i < options->port_count; i++) {
		rule = rule_of(config, options, &options->ports[i]);
		count_rule(config, &rule);
		config->has_strays |= strays_of(options, &options->ports[i]) != 0;
	}
}

int load_config__rules(const struct config *config, const struct run_options *options, int map)
{
	for (size_t i = 0; i < options->port_count; i++) {
		struct port_rule rule = rule_of(config, options, &options->ports[i]);
		__u32 port = options->ports[i].port;

		if (bpf_map_update_elem(map, &port, &rule, BPF_ANY) == 0)
			continue;
		log_error("cannot set the budget of port %u: %s", port, strerror(errno));
		return -1;
	}
	if (bpf_map_freeze(map) == 0)
		return 0;
	log_error("cannot freeze the budgets of ports: %s", strerror(errno));
	return -1;
}

/* A store of both halves at once: the kernel side reads while this writes. */
static void set_strays(struct port_strays *port, const struct config *config, uint32_t budget, uint32_t challenge)
{
	struct port_strays rule = {.batch = batch_of(config, budget)};

	if (budget)
		rule.batch_ns = NS_PER_S * rule.batch / budget;
	__atomic_store_n(&port->rule, rule.rule, __ATOMIC_RELAXED);
	__atomic_store_n(&port->challenged, challenge, __ATOMIC_RELAXED);
}

int load_config__strays(const struct config *config, const struct run_options *options, int map)
{
	const size_t bytes = LISTENER_PORTS * sizeof(struct port_strays);
	struct port_strays *all = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, map, 0);
	bool own[LISTENER_PORTS] = {true};

	if (all == MAP_FAILED) {
		log_error("cannot set the budgets of strays: %s", strerror(errno));
		return -1;
	}
	set_strays(&all[0], config, options->stray_budget, options->challenge);
	for (size_t i = 0; i < options->port_count; i++) {
		own[options->ports[i].port] = true;
		set_strays(&all[options->ports[i].port], config, strays_of(options, &options->ports[i]),
			   challenge_of(options, &options->ports[i]));
	}
	for (size_t port = 0; port < LISTENER_PORTS; port++)
		if (!own[port])
			__atomic_store_n(&all[port].rule, 0, __ATOMIC_RELAXED);
	munmap(all, bytes);
	return 0;
}

bool load_config__is_realtime(const char *version)
{
	return strstr(version, "PREEMPT_RT");
}

void load_config__lists(struct config *config, uint32_t own, uint32_t fleet)
{
	config->list_entries = own;
	config->list_words = list_words(own);
	config->fleet_entries = fleet;
	config->fleet_words = list_words(fleet);
}

int load_config__make(struct config *config, const struct run_options *options)
{
	struct utsname kernel = {};

	memset(config, 0, sizeof(*config));
	config->cpus = libbpf_num_possible_cpus();
	config->netns = pins__netns();
	config->dry_run = options->dry_run;
	config->http = config->http_lives = options->http;
	uname(&kernel);
	config->preempts = load_config__is_realtime(kernel.version);
	if (config->cpus > MAX_CPUS) {
		log_error("run: this machine may have %u CPUs; at most %d are supported", config->cpus, MAX_CPUS);
		return -1;
	}
	if (getrandom(config->hash_seed, sizeof(config->hash_seed), 0) != sizeof(config->hash_seed)) {
		log_error("run: no random numbers: %s", strerror(errno));
		return -1;
	}
	if (options->source_limit)
		set_source_limit(config, options->source_limit);
	else if (options->dry_run)
		set_observation(config);
	set_budgets(config, options);
	load_config__lists(config, options->max_entries, options->fleet_entries);
	return 0;
}

struct protecting {
	struct newly_served *added;
	int map;
};

static int put_served(void *context, const struct served *served)
{
	const struct protecting *protecting = context;
	struct newly_served *added = protecting->added;
	struct served *more = realloc(added->all, (added->count + 1) * sizeof(*more));
	__u32 kind = PROTECTED_NAMED;

	if (!more)
		return -1;
	added->all = more;
	if (bpf_map_update_elem(protecting->map, served, &kind, BPF_NOEXIST))
		return errno == EEXIST ? 0 : -1;
	added->all[added->count++] = *served;
	return 0;
}

int load_config__protect_more(const char *list, int map, struct newly_served *added)
{
	struct protecting protecting = {added, map};
	const char *why;

	*added = (struct newly_served){};
	if (!list || parse_served_list(list, put_served, &protecting, &why) == 0)
		return 0;
	log_error("run: --protect: more than %d addresses and ports", MAX_PROTECTED);
	load_config__unprotect(map, added);
	added->count = 0;
	return -1;
}

void load_config__unprotect(int map, const struct newly_served *added)
{
	for (size_t i = 0; i < added->count; i++)
		bpf_map_delete_elem(map, &added->all[i]);
}

int load_config__protect(const char *list, int map)
{
	struct newly_served added = {};
	int ret = load_config__protect_more(list, map, &added);

	free(added.all);
	return ret;
}
