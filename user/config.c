// SPDX-License-Identifier: GPL-2.0-only
/*
 * The options of `run`, and options -> struct config: rates become intervals, limits become shares of a CPU.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "config.h"
#include "log.h"
#include "pins.h"

#define SECOND_NS	    1000000000ULL
#define CLAIMS_A_SECOND	    256 /* records of the source limit, over all CPUs */
#define MIN_SHARE	    8	/* SYN/s and CPU: a smaller share drowns in the noise of the sketch */
#define SHARE_STEPS	    16
#define DEFAULT_PORT_BUDGET 1000
#define BATCHES		    100 /* a CPU takes a hundredth of its part of a port's budget at once */
#define BUDGET_BURST_NS	    (SECOND_NS / 4)

static const struct option_row rows[] = {
	{"config", 'c', OPTION_TEXT, 0, 0, "FILE", offsetof(struct run_options, config),
	 "read options, ports and lists from it; default " CONFIG_FILE " where it exists"},
	{"dry-run", 'n', OPTION_FLAG, 0, 0, NULL, offsetof(struct run_options, dry_run),
	 "judge and count as if enforcing, but pass everything"},
	{"source-limit", 0, OPTION_NUMBER, 0, SOURCE_LIMIT_MAX, "N", offsetof(struct run_options, source_limit),
	 "SYN/s from one source (IPv4 address, IPv6 /64) before it is dropped; default 0: off"},
	{"port-budget", 0, OPTION_NUMBER, 0, PORT_BUDGET_MAX, "N", offsetof(struct run_options, port_budget),
	 "SYN/s admitted to one listening port before the rest are challenged; default 1000; 0: off"},
	{"challenge", 0, OPTION_CHOICE, 0, 0, "auto|off", offsetof(struct run_options, challenge),
	 "answer SYNs over budget with a SYN cookie, or drop them (off); default auto"},
	{"protect", 0, OPTION_SERVED, 0, 0, "[ADDR:]PORT[,...]", offsetof(struct run_options, protect),
	 "served from the start, without waiting for a first handshake"},
	{"harden", 0, OPTION_FLAG, 0, 0, NULL, offsetof(struct run_options, harden),
	 "while a port is armed, also shorten the SYN queue's time-outs and let cookies keep options"},
	{"xdp-mode", 0, OPTION_CHOICE, 0, 0, "auto|native|generic", offsetof(struct run_options, xdp_mode),
	 "where the program runs; default auto: native, else generic"},
	{"listen", 0, OPTION_LISTEN, 0, 0, "ADDR:PORT|off", offsetof(struct run_options, listen),
	 "HTTP endpoint; default 127.0.0.1:9798"},
	{"tls-cert", 0, OPTION_TEXT, 0, 0, "FILE", offsetof(struct run_options, tls_cert),
	 "serve HTTPS with this certificate (PEM, with its chain)"},
	{"tls-key", 0, OPTION_TEXT, 0, 0, "FILE", offsetof(struct run_options, tls_key), "the certificate's key (PEM)"},
	{"auth-file", 0, OPTION_TEXT, 0, 0, "FILE", offsetof(struct run_options, auth_file),
	 "who may use the endpoint: lines USER:HASH, by crypt(3) as yescrypt or SHA-512"},
	{"duration", 0, OPTION_NUMBER, 1, 31536000, "SECONDS", offsetof(struct run_options, seconds), "stop by itself"},
	{"keep", 0, OPTION_FLAG, 0, 0, NULL, offsetof(struct run_options, keep), "leave the filter attached on exit"},
	{"quiet", 'q', OPTION_FLAG, 0, 0, NULL, offsetof(struct run_options, quiet), "no live lines"},
};

const struct option_table config__options = {
	.command = "run",
	.arguments = "[IFACE...]",
	.summary = "Filters SYNs on the interfaces and tracks TCP connections until SIGINT or SIGTERM.",
	.rows = rows,
	.count = sizeof(rows) / sizeof(*rows),
	.max_arguments = META_INTERFACES,
};

void config__defaults(struct run_options *options)
{
	const char *why;

	*options = (struct run_options){.port_budget = DEFAULT_PORT_BUDGET};
	parse_listen("127.0.0.1:9798", &options->listen, &why);
}

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

static struct port_rule rule_for(const struct config *config, uint32_t budget, uint32_t challenge)
{
	struct port_rule rule = {.budget = budget, .challenge = challenge == CHALLENGE_AUTO};

	if (!budget)
		return rule;
	rule.batch = budget / (config->cpus * BATCHES) ?: 1;
	rule.batch_ns = SECOND_NS * rule.batch / budget;
	return rule;
}

static struct port_rule rule_of(const struct config *config, const struct run_options *options,
				const struct port_options *port)
{
	struct port_rule rule = rule_for(config, port->has_budget ? port->budget : options->port_budget,
					 port->has_challenge ? port->challenge : options->challenge);

	rule.own = 1;
	return rule;
}

static void count_rule(struct config *config, const struct port_rule *rule)
{
	config->budgets |= rule->budget != 0;
	config->challenge |= rule->budget && rule->challenge;
}

static void set_budgets(struct config *config, const struct run_options *options)
{
	struct port_rule rule;

	config->budget_burst_ns = BUDGET_BURST_NS;
	config->rule = rule_for(config, options->port_budget, options->challenge);
	count_rule(config, &config->rule);
	config->port_rules = options->port_count != 0;
	for (size_t i = 0; i < options->port_count; i++) {
		rule = rule_of(config, options, &options->ports[i]);
		count_rule(config, &rule);
	}
}

int config__rules(const struct config *config, const struct run_options *options, int map)
{
	for (size_t i = 0; i < options->port_count; i++) {
		struct port_rule rule = rule_of(config, options, &options->ports[i]);
		__u32 port = options->ports[i].port;

		if (bpf_map_update_elem(map, &port, &rule, BPF_ANY) == 0)
			continue;
		log_error("cannot set the budget of port %u: %s", port, strerror(errno));
		return -1;
	}
	return 0;
}

int config__make(struct config *config, const struct run_options *options)
{
	memset(config, 0, sizeof(*config));
	config->cpus = libbpf_num_possible_cpus();
	config->netns = pins__netns();
	config->dry_run = options->dry_run;
	config->preempts = access("/sys/kernel/realtime", F_OK) == 0;
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
	__u32 seen = 1;

	if (!more)
		return -1;
	added->all = more;
	if (bpf_map_update_elem(protecting->map, served, &seen, BPF_NOEXIST))
		return errno == EEXIST ? 0 : -1;
	added->all[added->count++] = *served;
	return 0;
}

int config__protect_more(const char *list, int map, struct newly_served *added)
{
	struct protecting protecting = {added, map};
	const char *why;

	*added = (struct newly_served){};
	if (!list || parse_served_list(list, put_served, &protecting, &why) == 0)
		return 0;
	log_error("run: --protect: the served set is full (%d entries)", MAX_SERVED);
	config__unprotect(map, added);
	added->count = 0;
	return -1;
}

void config__unprotect(int map, const struct newly_served *added)
{
	for (size_t i = 0; i < added->count; i++)
		bpf_map_delete_elem(map, &added->all[i]);
}

int config__protect(const char *list, int map)
{
	struct newly_served added = {};
	int ret = config__protect_more(list, map, &added);

	free(added.all);
	return ret;
}
