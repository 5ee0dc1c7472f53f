// SPDX-License-Identifier: GPL-2.0-only
/*
 * Options -> struct config: rates become intervals, limits become shares of a CPU.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "config.h"
#include "log.h"
#include "pins.h"

#define SECOND_NS	1000000000ULL
#define CLAIMS_A_SECOND 256 /* records of the source limit, over all CPUs */
#define MIN_SHARE	8   /* SYN/s and CPU: a smaller share drowns in the noise of the sketch */
#define SHARE_STEPS	16
#define BATCHES		100 /* a CPU takes a hundredth of its part of a port's budget at once */
#define BUDGET_BURST_NS (SECOND_NS / 4)

static void set_source_limit(struct config *config, uint32_t limit)
{
	config->sketch = 1;
	config->source_interval_ns = SECOND_NS / limit;
	config->source_burst_ns = SECOND_NS;
	config->source_limit = ((uint64_t)limit << SKETCH_WINDOW_SHIFT) / SECOND_NS;
	config->source_share = config->source_limit / config->cpus ?: 1;
	config->source_step = config->source_share / SHARE_STEPS ?: 1;
	config->source_claims = CLAIMS_A_SECOND / config->cpus ?: 1;
	if (limit / config->cpus < MIN_SHARE)
		log_warn("--source-limit %u is small for %u CPUs: under a flood a source may be noticed late; from %u "
			 "on it "
			 "is not",
			 limit, config->cpus, MIN_SHARE * config->cpus);
}

/* A dry run counts by source to propose a limit; nobody is suspect. */
static void set_observation(struct config *config)
{
	config->sketch = 1;
	config->source_share = UINT32_MAX;
	config->source_step = 1;
}

static void set_port_budget(struct config *config, const struct run_options *options)
{
	uint32_t budget = options->port_budget;

	config->budget_batch = budget / (config->cpus * BATCHES) ?: 1;
	config->budget_batch_ns = SECOND_NS * config->budget_batch / budget;
	config->budget_burst_ns = BUDGET_BURST_NS > config->budget_batch_ns ? BUDGET_BURST_NS : config->budget_batch_ns;
	config->challenge = options->challenge == CHALLENGE_AUTO;
}

int config__make(struct config *config, const struct run_options *options)
{
	memset(config, 0, sizeof(*config));
	config->cpus = libbpf_num_possible_cpus();
	config->netns = pins__netns();
	config->dry_run = options->dry_run;
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
	if (options->port_budget)
		set_port_budget(config, options);
	return 0;
}

/* One item: "443", "192.0.2.1:443", "[2001:db8::1]:443". */
static int parse_served(const char *item, struct served *served, const char **why)
{
	struct listen_at at;
	uint32_t port;

	memset(served, 0, sizeof(*served));
	if (!strchr(item, ':')) {
		if (parse_number(item, 1, 65535, &port, why))
			return -1;
		served->port = port;
		return 0;
	}
	if (parse_listen(item, &at, why) || at.off)
		return -1;
	if (at.addr.halves[0] || at.addr.words[3]) /* any address otherwise, also as 0.0.0.0 */
		memcpy(served->words, at.addr.words, sizeof(served->words));
	served->port = at.port;
	return 0;
}

int config__protect(const char *list, int map)
{
	char *copy = strdup(list), *rest = copy, *item;
	struct served served;
	const char *why;
	__u32 seen = 1;
	int ret = copy ? 0 : -1;

	while (!ret && (item = strsep(&rest, ","))) {
		ret = parse_served(item, &served, &why);
		if (ret)
			log_error("run: --protect: \"%s\" is not PORT, ADDR:PORT or [ADDR]:PORT with a port from 1 to "
				  "65535",
				  item);
		else if (map >= 0 && bpf_map_update_elem(map, &served, &seen, BPF_ANY)) {
			log_error("run: --protect: the served set is full (%d entries)", MAX_SERVED);
			ret = -1;
		}
	}
	free(copy);
	return ret;
}
