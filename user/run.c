// SPDX-License-Identifier: GPL-2.0-only
/*
 * How a `run` begins: its settings, then load or take over, fill, attach, pin, serve.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "clock.h"
#include "lists.h"
#include "log.h"
#include "options.h"
#include "privileges.h"
#include "run.h"
#include "sysctls.h"

/* The command line may be read several times, and options_parse() moves its arguments about. */
static int read_command_line(struct settings *settings, int argc, char **argv)
{
	char **copy = calloc(argc + 1, sizeof(*copy));
	int count, i;

	if (!copy)
		return -1;
	memcpy(copy, argv, argc * sizeof(*copy));
	count = options_parse(&config__options, argc, copy, &settings->options);
	for (i = 0; i < count; i++)
		settings->interfaces[i] = copy[i + 1];
	if (count >= 0)
		settings->interface_count = count;
	free(copy);
	return count < 0 ? count : 0;
}

static int read_both(struct settings *settings, const char *file, int argc, char **argv)
{
	struct conf *conf = &settings->conf;
	int ret = read_command_line(settings, argc, argv); /* for --config, and before what the file gets wrong */

	if (ret)
		return -ret;
	settings->file = file ? file : settings->options.config;
	if (!settings->file && access(CONFIG_FILE, F_OK) == 0)
		settings->file = CONFIG_FILE;
	if (settings->file && conf__read(conf, settings->file))
		return 1;
	settings->options = conf->options;
	ret = read_command_line(settings, argc, argv);
	if (ret)
		return -ret;
	if (!settings->interface_count) {
		for (size_t i = 0; i < conf->interface_count; i++)
			settings->interfaces[i] = conf->interfaces[i];
		settings->interface_count = conf->interface_count;
	}
	return 0;
}

struct http_options run__endpoint(const struct run_options *options)
{
	return (struct http_options){options->listen, options->tls_cert, options->tls_key, options->auth_file};
}

int settings__read(struct settings **settings, const char *file, int argc, char **argv)
{
	struct settings *new = calloc(1, sizeof(*new));
	struct http_options endpoint;
	int ret;

	*settings = NULL;
	if (!new)
		return 1;
	conf__init(&new->conf);
	new->options = new->conf.options;
	ret = read_both(new, file, argc, argv);
	endpoint = run__endpoint(&new->options);
	if (!ret && !http__check(&endpoint))
		ret = EXIT_USAGE;
	if (ret)
		settings__free(new);
	else
		*settings = new;
	return ret;
}

void settings__free(struct settings *settings)
{
	if (!settings)
		return;
	conf__free(&settings->conf);
	free(settings);
}

int run__write_meta(struct run *run)
{
	const struct run_options *options = &run->options;
	__u32 key = 0;

	run->meta.dry_run = options->dry_run;
	run->meta.source_limit = options->source_limit;
	run->meta.port_budget = options->port_budget;
	run->meta.challenge = options->challenge == CHALLENGE_AUTO;
	if (bpf_map_update_elem(guard__maps(run->guard)->meta, &key, &run->meta, BPF_ANY) == 0)
		return 0;
	log_error("cannot write the pinned state: %s", strerror(errno));
	return -1;
}

/* Goes on with the maps of a run that was killed or ended with --keep. */
static int take_maps(struct run *run, struct config *config, struct meta *former, struct maps *maps)
{
	char who[24] = "a former run";
	__u32 key = 0;

	if (pins__maps(&run->pins, maps))
		return -1;
	run->goes_on = true;
	run->meta.since_ns = former->since_ns;
	memcpy(config->hash_seed, former->hash_seed, sizeof(config->hash_seed));
	if (former->pid)
		snprintf(who, sizeof(who), "run %u", former->pid);
	log_notice("taking over the filter that %s left: its lists and counters go on", who);
	former->pid = getpid(); /* for those who find the lock taken meanwhile */
	return bpf_map_update_elem(maps->meta, &key, former, BPF_ANY);
}

/* Takes over what a former run left, as far as it is of this layout. */
static int load(struct run *run, struct config *config, struct meta *former)
{
	struct maps maps;
	int ret;

	if (!run->former && pins__clear(&run->pins))
		return -1;
	if (run->former && former->layout == LAYOUT_VERSION) {
		if (take_maps(run, config, former, &maps))
			return -1;
	} else if (run->former) {
		log_warn("taking over from synwarden %.15s, whose lists and counters cannot be gone on with",
			 former->version);
		if (sysctls__restore_left(&run->pins)) /* our own note takes the place of that one */
			return -1;
	}
	memcpy(run->meta.hash_seed, config->hash_seed, sizeof(run->meta.hash_seed));
	ret = guard__load(&run->guard, config, GUARD_FILTER | GUARD_TRACKER | GUARD_CENSUS | GUARD_LISTS,
			  run->goes_on ? &maps : NULL);
	if (run->goes_on)
		pins__close_maps(&maps);
	return ret;
}

/* What the filter asks from its first packet on. */
static int fill(struct run *run, const struct config *config)
{
	const struct maps *maps = guard__maps(run->guard);
	const struct conf *conf = &run->settings->conf;

	if (config__rules(config, &run->options, maps->port_rules) ||
	    config__protect(run->options.protect, maps->served))
		return -1;
	for (unsigned list = 0; list < LIST_MAX; list++)
		if (lists__sync(maps, list, conf->lists[list].all, conf->lists[list].count))
			return -1;
	return 0;
}

static int on_alert(void *context, void *data, size_t size)
{
	struct run *run = context;

	run->alerted = true;
	if (size >= sizeof(struct alert) && run->attacks)
		attack__armed(run->attacks, data);
	return 0;
}

/* What reacts to arming; what a killed run had set in the kernel is put back first. */
static int watch(struct run *run)
{
	const struct maps *maps = guard__maps(run->guard);

	run->defence.harden = run->options.harden;
	run->alerts = ring_buffer__new(maps->alerts, on_alert, run, NULL);
	if (!run->alerts) {
		log_error("cannot open the alert ring: %s", strerror(errno));
		return -1;
	}
	if (defence__end(&run->defence, maps) || (!run->options.dry_run && defence__update(&run->defence, maps)))
		return -1;
	if (run->options.dry_run && propose__open(&run->proposal))
		return -1;
	return attack__open(&run->attacks, maps);
}

int run__start(struct run *run)
{
	const struct http_options endpoint = run__endpoint(&run->options);
	struct config config;
	struct meta former;

	run->begun_ns = clock__ns(CLOCK_REALTIME);
	run->meta.layout = LAYOUT_VERSION;
	run->meta.pid = getpid();
	run->meta.since_ns = run->begun_ns;
	run->meta.netns_cookie = pins__netns_cookie();
	snprintf(run->meta.version, sizeof(run->meta.version), VERSION);
	if (config__make(&config, &run->options) || pins__open(&run->pins, true, NULL) || pins__lock(&run->pins))
		return -1;
	run->former = pins__meta(&run->pins, &former) == 0;
	run->locked = true;
	/* The endpoint first: where it cannot be had, a former run's filter goes on as it was. */
	if (metrics__open(&run->metrics, &endpoint) || load(run, &config, &former) || fill(run, &config) ||
	    watch(run) || guard__attach_tracker(run->guard, run->goes_on ? run->pins.path : NULL) ||
	    census__take(run->guard, &run->census) || run__attach_interfaces(run) || run__write_meta(run) ||
	    guard__pin(run->guard, run->pins.path) || privileges__drop() || metrics__serve(run->metrics, run->guard))
		return -1;
	return 0;
}
