// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is frozen in the filter comes with a second copy of it, which uses the same maps and takes the first one's
 * place; the tracker, which depends on no option, stays as it is.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "config/kinds.h"
#include "config/list_sources.h"
#include "kernel/lists.h"
#include "kernel/load_config.h"
#include "run/auto_protect.h"
#include "run/list_files.h"
#include "run/meta.h"
#include "run/port_slots.h"
#include "run/reload.h"
#include "run/start.h"
#include "system/clock.h"
#include "system/heap.h"
#include "text/log.h"

#define FIXED_LEN 192

/* Whether the file may differ from the one that was read: changed since, or removed. */
static bool is_newer(const char *path, uint64_t since_ns)
{
	struct stat st;

	if (!path)
		return false;
	if (stat(path, &st))
		return errno == ENOENT;
	return st.st_ctim.tv_sec * NS_PER_S + st.st_ctim.tv_nsec > since_ns;
}

/* In any order. An interface may have been renamed since the settings named it. */
static bool are_same_interfaces(const struct settings *former, const struct settings *next)
{
	size_t i, j;

	for (i = 0; i < next->interface_count; i++) {
		for (j = 0; j < former->interface_count && strcmp(former->interfaces[j], next->interfaces[i]); j++)
			;
		if (j == former->interface_count)
			return false;
	}
	return next->interface_count == former->interface_count;
}

/* Whether `list` ("80,443") contains every entry of `of`. */
static bool holds_all(const char *list, const char *of)
{
	size_t len;

	for (; of && *of; of += len + (of[len] == ',')) {
		const char *at = list;

		len = strcspn(of, ",");
		if (len == strlen("auto") && !strncmp(of, "auto", len))
			continue; /* what it took is given back */
		while (at && (strcspn(at, ",") != len || strncmp(at, of, len)))
			at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL;
		if (!at)
			return false;
	}
	return true;
}

static void add_name(char names[FIXED_LEN], const char *name)
{
	size_t len = strlen(names);

	snprintf(names + len, FIXED_LEN - len, "%s%s", len ? ", " : "", name);
}

/* Gives `next` the former values of options that only a restart changes; `names` are those that differ. */
static void keep_fixed(const struct run *run, struct settings *next, char names[FIXED_LEN])
{
	const struct option_table *table = &run_options__options;
	struct settings *former = run->settings;

	*names = '\0';
	if (!are_same_interfaces(former, next))
		add_name(names, "interface");
	memcpy(next->interfaces, former->interfaces, sizeof(next->interfaces));
	next->interface_count = former->interface_count;
	for (size_t i = 0; i < table->count; i++) {
		const struct option_row *row = &table->rows[i];

		if (!row->restart)
			continue;
		if (!kinds__is_same(row, &former->options, &next->options) ||
		    (row->kind == OPTION_FILE && is_newer(kinds__text(row, &former->options), run->begun_ns)))
			add_name(names, row->name);
		settings__swap(next, former, row);
	}
	if (next->options.fleet_entries != former->options.fleet_entries)
		add_name(names, "[sync]");
	next->options.fleet_entries = former->options.fleet_entries;
	if (!holds_all(next->options.protect, former->options.protect))
		add_name(names, "protect (what it no longer names stays known)");
}

static int load_filter(struct run *run, const struct run_options *options, struct config *config,
		       struct programs **filter)
{
	if (load_config__make(config, options))
		return -1;
	memcpy(config->hash_seed, run->meta.hash_seed, sizeof(config->hash_seed));
	load_config__lists(config, run->meta.list_entries, run->meta.fleet_entries);
	if (programs__load(filter, config, PROGRAMS_FILTER, programs__maps(run->programs)))
		return -1;
	if (load_config__rules(config, options, programs__maps(*filter)->port_rules) == 0)
		return 0;
	programs__free(*filter);
	return -1;
}

static int plan_lists(struct list_plan plans[LIST_MAX], const struct list_set *set, const struct settings *settings)
{
	for (unsigned list = 0; list < LIST_MAX; list++) {
		const struct list_wish wish = list_files__wish(settings, list);

		if (lists__plan(&plans[list], set, list, &wish))
			return -1;
	}
	return 0;
}

static int apply_lists(struct list_plan plans[LIST_MAX])
{
	for (unsigned list = 0; list < LIST_MAX; list++)
		if (lists__apply(&plans[list]))
			return -1;
	return 0;
}

/* The lists are bounded by the maps that there are, whatever max-entries says now. */
static void fit_lists(const struct run *run, struct settings *next)
{
	uint32_t wanted = next->options.max_entries;

	if (wanted == run->meta.list_entries)
		return;
	next->options.max_entries = run->meta.list_entries;
	list_sources__join(next);
	next->options.max_entries = wanted;
}

struct change {
	struct run *run;
	const struct settings *next;
	bool applied;
};

/* All steps that may fail: first those that change nothing, then those that can be undone; the last one replaces the
 * filter. */
static void apply(void *context)
{
	struct change *change = context;
	struct programs *programs = change->run->programs;
	const struct run_options *options = &change->next->options;
	const struct maps *maps = programs__maps(programs);
	struct list_plan plans[LIST_MAX] = {};
	struct newly_served added = {};
	struct programs *filter;
	struct config config;

	if (load_filter(change->run, options, &config, &filter))
		return;
	change->applied =
		!plan_lists(plans, &change->run->own, change->next) &&
		!load_config__protect_more(options->protect, maps->protected, &added) && !apply_lists(plans) &&
		!census__begin_anew(programs, &change->run->census) &&
		!load_config__strays(&config, options, maps->strays) &&
		!links__replace(&change->run->links, programs__filter_fd(programs), programs__filter_fd(filter));
	if (change->applied) {
		programs__replace_filter(programs, filter);
	} else {
		load_config__unprotect(maps->protected, &added);
		load_config__strays(&config, &change->run->settings->options, maps->strays);
		programs__free(filter);
	}
	for (unsigned list = 0; list < LIST_MAX; list++) {
		if (!change->applied)
			lists__revert(&plans[list]);
		lists__forget(&plans[list]);
	}
	free(added.all);
}

/* Puts the settings in force in the other parts of the run. What fails here is logged; the filter is in force. */
static void settle(struct run *run, struct settings *next)
{
	const struct maps *maps = programs__maps(run->programs);
	bool was_dry = run->settings->options.dry_run, is_dry = next->options.dry_run;

	settings__free(run->settings);
	run->settings = next;
	run->armed_sysctls.harden = next->options.harden;
	port_slots__name(run->slots, &next->options);
	auto_protect__set(run->auto_protect, &next->options);
	memset(run->list_failed, 0, sizeof(run->list_failed));
	if (is_dry && !was_dry) {
		armed_sysctls__end(&run->armed_sysctls, maps);
		propose__open(&run->proposal);
	} else if (!is_dry) {
		propose__close(run->proposal);
		run->proposal = NULL;
	}
	meta__write(run);
	programs__pin(run->programs, run->pins.path);
}

int reload__do(struct run *run)
{
	const char *file = run->settings->file;
	struct change change = {.run = run};
	struct settings *next;
	char fixed[FIXED_LEN];

	if (start__settings(&next, file, run->argc, run->argv) == 0) {
		list_sources__keep(next, run->settings);
		fit_lists(run, next);
		change.next = next;
		heap__apart(apply, &change);
	}
	if (!change.applied) {
		settings__free(next);
		log_error("%s is not applied: what was in force stays", file ? file : CONFIG_FILE);
		kept_events__note(&run->events, EVENT_REFUSED, 0, file ? file : CONFIG_FILE);
		return -1;
	}
	keep_fixed(run, next, fixed);
	settle(run, next);
	if (next->file)
		kept_events__note(&run->events, EVENT_RELOADED, 0, next->file);
	if (!next->file)
		log_notice("there is no " CONFIG_FILE " to be read again");
	else if (*fixed)
		log_warn("%s is read again and in force, but for %s: changed only by a restart", next->file, fixed);
	else
		log_notice("%s is read again and in force", next->file);
	return 0;
}
