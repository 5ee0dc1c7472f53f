// SPDX-License-Identifier: GPL-2.0-only
/*
 * Load or take over, fill, attach, pin, serve: in this order, so that a start that fails leaves nothing behind.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "config/options.h"
#include "kernel/lists.h"
#include "kernel/load_config.h"
#include "kernel/sysctls.h"
#include "run/addresses.h"
#include "run/auto_protect.h"
#include "run/forwards.h"
#include "run/interfaces.h"
#include "run/list_files.h"
#include "run/meta.h"
#include "run/port_slots.h"
#include "run/run.h"
#include "run/served.h"
#include "run/start.h"
#include "run/store.h"
#include "run/usual.h"
#include "system/clock.h"
#include "system/privileges.h"
#include "text/log.h"

struct server_options start__endpoint(const struct run_options *options)
{
	return (struct server_options){options->listen, options->tls_cert, options->tls_key, options->auth_file,
				       options->hosts};
}

int start__settings(struct settings **settings, const char *file, int argc, char **argv)
{
	int ret = settings__read(settings, file, argc, argv);
	struct server_options endpoint;

	if (ret)
		return ret;
	endpoint = start__endpoint(&(*settings)->options);
	if (server__check(&endpoint))
		return 0;
	settings__free(*settings);
	*settings = NULL;
	return EXIT_USAGE;
}

/* Reuses the maps of a run that was killed or ended with --keep. */
static int take_maps(struct run *run, struct config *config, struct meta *former, struct maps *maps)
{
	char left_by[24] = "a former run";
	__u32 key = 0;

	if (pins__maps(&run->pins, maps))
		return -1;
	/* What passes between two runs is not seen, and would be missing in these records. */
	if (maps->http_conns >= 0)
		close(maps->http_conns);
	maps->http_conns = -1;
	run->reuses_maps = true;
	run->meta.since_ns = former->since_ns;
	memcpy(config->hash_seed, former->hash_seed, sizeof(config->hash_seed));
	if (former->pid)
		snprintf(left_by, sizeof(left_by), "run %u", former->pid);
	log_notice("taking over the filter that %s left: its lists and counters go on", left_by);
	if (usual__forget(maps)) /* commands take it for what is now */
		return -1;
	former->pid = getpid(); /* for commands that find the lock taken meanwhile */
	return bpf_map_update_elem(maps->meta, &key, former, BPF_ANY);
}

/* Lists of another size are filled anew: this host's own from the former ones, the fleet's by `sync`. */
static void leave_lists(struct maps *reuse, const struct meta *former, const struct config *config)
{
	if (former->list_entries != config->list_entries)
		reuse->allowed = reuse->blocked = reuse->allowed_hosts = reuse->blocked_hosts = reuse->list_filter =
			reuse->list_control = -1;
#define X(name) reuse->name = -1;
	if (former->fleet_entries != config->fleet_entries) {
		FLEET_MAPS(X)
	}
#undef X
}

/* `former`: maps of the run before, as far as they are open. */
static int open_lists(struct run *run, const struct config *config, const struct maps *former)
{
	const struct list_set left = list_set__of(former, LIST_SET_OWN);
	const struct maps *maps = programs__maps(run->programs);
	int carried;

	run->meta.list_entries = config->list_entries;
	run->meta.fleet_entries = config->fleet_entries;
	if (list_set__open(&run->own, maps, LIST_SET_OWN))
		return -1;
	list_set__begin(&run->own, config->hash_seed[HASH_SEED_LISTS], config->list_entries);
	run->reuses_lists = run->reuses_maps;
	if (run->has_old_pins && !run->own.control->changes && left.maps[LIST_ALLOW][LIST_RANGES] >= 0) {
		carried = lists__carry_over(&left, &run->own);
		if (carried > 0) /* else the next save would lose what is left out */
			return -1;
		run->reuses_lists = carried == 0;
	}
	if (!config->fleet_entries)
		return 0;
	if (list_set__open(&run->fleet, maps, LIST_SET_FLEET))
		return -1;
	list_set__begin(&run->fleet, config->hash_seed[HASH_SEED_LISTS], config->fleet_entries);
	pins__name_fleet(maps, run->fleet.control);
	return 0;
}

/* Takes over what a former run left, as far as its layout is this one. */
static int load(struct run *run, struct config *config, struct meta *former)
{
	struct maps maps, reuse;
	int ret;

	memset(&maps, -1, sizeof(maps));
	if (!run->has_old_pins && pins__clear(&run->pins))
		return -1;
	if (run->has_old_pins && former->layout == LAYOUT_VERSION) {
		if (take_maps(run, config, former, &maps))
			return -1;
	} else if (run->has_old_pins) {
		log_warn("taking over from synwarden %.15s: its lists go on, its counters cannot be reused",
			 former->version);
		if (sysctls__restore_left(&run->pins)) /* our own saved values replace those */
			return -1;
		pins__lists(&run->pins, &maps);
	}
	memcpy(run->meta.hash_seed, config->hash_seed, sizeof(run->meta.hash_seed));
	reuse = maps;
	leave_lists(&reuse, former, config);
	ret = programs__load(&run->programs, config,
			     PROGRAMS_FILTER | PROGRAMS_TRACKER | PROGRAMS_CENSUS | PROGRAMS_LISTS |
				     (config->http ? PROGRAMS_HTTP : 0),
			     run->reuses_maps ? &reuse : NULL);
	if (!ret)
		ret = open_lists(run, config, &maps);
	if (maps.fleet_control >= 0 && reuse.fleet_control < 0) {
		run->former_fleet = maps.fleet_control;
		maps.fleet_control = -1;
	}
	pins__close_maps(&maps);
	return ret;
}

/* Until then, a start that fails leaves them in force. */
static int pin(struct run *run, const struct config *config)
{
	if (programs__pin(run->programs, run->pins.path) || (!config->fleet_entries && pins__remove_fleet(&run->pins)))
		return -1;
	if (run->former_fleet >= 0)
		list_set__retire(run->former_fleet);
	return links__pin(&run->links, run->pins.path);
}

/* Fills the maps that the filter reads from its first packet on. */
static int fill(struct run *run, const struct config *config)
{
	const struct maps *maps = programs__maps(run->programs);
	const struct settings *settings = run->settings;

	if (addresses__open(run) || load_config__rules(config, &settings->options, maps->port_rules) ||
	    load_config__strays(config, &settings->options, maps->strays) ||
	    load_config__protect(settings->options.protect, maps->protected))
		return -1;
	state_folder__open(&run->state);
	kept_lists__open(&run->kept, &run->state);
	if (kept_events__open(&run->events, &run->state))
		return -1;
	if (!run->reuses_lists && kept_lists__restore(&run->kept, &run->own, settings))
		return -1;
	for (unsigned list = 0; list < LIST_MAX; list++)
		list_files__sync(run, list); /* where it fails, the filter starts with what is there */
	return 0;
}

static int on_alert(void *context, void *data, size_t size)
{
	const struct alert *alert = data;
	struct run *run = context;

	run->alerted = true;
	if (size >= sizeof(*alert) && alert->kind == ARMING_SYNS && run->attacks)
		attack__armed(run->attacks, alert);
	return 0;
}

/* Starts what reacts to arming; sysctls that a killed run changed are restored first. */
static int watch(struct run *run)
{
	const struct run_options *options = &run->settings->options;
	const struct maps *maps = programs__maps(run->programs);

	run->armed_sysctls.harden = options->harden;
	run->alerts = ring_buffer__new(maps->alerts, on_alert, run, NULL);
	if (!run->alerts) {
		log_error("cannot open the alert ring: %s", strerror(errno));
		return -1;
	}
	if (armed_sysctls__end(&run->armed_sysctls, maps) ||
	    (!options->dry_run && armed_sysctls__update(&run->armed_sysctls, maps)))
		return -1;
	if (options->dry_run && propose__open(&run->proposal))
		return -1;
	run->served = served__open(maps);
	run->slots = port_slots__open(maps);
	run->auto_protect = auto_protect__open(maps);
	run->forwarding = forwards__open(maps);
	if (!run->served || !run->slots || !run->auto_protect || !run->forwarding)
		return -1;
	port_slots__name(run->slots, &run->settings->options);
	auto_protect__set(run->auto_protect, &run->settings->options);
	forwards__follow(run->forwarding, &run->meta);
	return attack__open(&run->attacks, maps, &run->events) | usual__open(&run->usual, maps);
}

/* The filter does not depend on it. */
static void attach_http(struct run *run)
{
	bool whole;

	if (!run->settings->options.http)
		return;
	if (programs__attach_http(run->programs, &whole)) {
		log_warn("run: no HTTP is counted");
		return;
	}
	run->counts_http = true;
	run->meta.flags |= META_HTTP; /* before the pins are there: `conns` looks once, when it starts */
	if (!whole)
		log_warn("the cgroup hierarchy that is mounted here is a container's: HTTP of processes outside is not "
			 "counted");
}

static int attach(struct run *run)
{
	if (programs__attach_tracker(run->programs, run->reuses_maps ? run->pins.path : NULL) ||
	    census__take(run->programs, &run->census) || interfaces__attach(run))
		return -1;
	attach_http(run);
	return 0;
}

static void describe(struct run *run)
{
	run->begun_ns = clock__ns(CLOCK_REALTIME);
	run->meta.layout = LAYOUT_VERSION;
	run->meta.pid = getpid();
	run->meta.since_ns = run->begun_ns;
	run->meta.netns_cookie = pins__netns_cookie();
	snprintf(run->meta.version, sizeof(run->meta.version), VERSION);
}

static int confine(struct run *run)
{
	const struct listen_at *at = &run->settings->options.listen;
	const struct confinement allowed = {run->pins.parent_fd, run->state.fd, at->off ? 0 : at->port};

	return privileges__drop(&allowed, &run->confined);
}

static void note_start(struct run *run)
{
	kept_events__note(&run->events, EVENT_STARTED,
			  (run->settings->options.dry_run ? EVENT_DRY_RUN : 0) |
				  (run->reuses_maps ? EVENT_TOOK_OVER : 0),
			  VERSION);
	for (size_t i = 0; i < run->meta.interfaces; i++)
		if (!run->meta.interface[i].ifindex)
			kept_events__note(&run->events, EVENT_GONE, 0, run->meta.interface[i].name);
}

int start__do(struct run *run)
{
	const struct run_options *options = &run->settings->options;
	const struct server_options endpoint = start__endpoint(options);
	struct config config;
	struct meta former;

	describe(run);
	if (load_config__make(&config, options) || pins__open(&run->pins, true, NULL) || pins__lock(&run->pins) ||
	    store__restore(&run->pins))
		return -1;
	run->has_old_pins = pins__meta(&run->pins, &former) == 0;
	run->locked = true;
	/* The endpoint first: where its files cannot be read, a former run's filter stays as it was. */
	if (endpoint__open(&run->metrics, &endpoint) || load(run, &config, &former) || fill(run, &config) ||
	    watch(run) || attach(run) || meta__write(run) || pin(run, &config) || confine(run) ||
	    endpoint__serve(run->metrics, run->programs, run->events.log))
		return -1;
	note_start(run);
	return 0;
}
