// SPDX-License-Identifier: GPL-2.0-only
/*
 * A new configuration for a `run` at work. What is frozen in the filter comes with a second copy of it, which goes on
 * with the maps and takes the first one's place; the tracker, which depends on no option, stays as it is.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "clock.h"
#include "heap.h"
#include "lists.h"
#include "log.h"
#include "run.h"

#define FIXED_LEN 192

static bool is_same_place(const struct listen_at *a, const struct listen_at *b)
{
	return a->off == b->off && a->port == b->port && !memcmp(&a->addr, &b->addr, sizeof(a->addr));
}

static bool is_same_text(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

/* Whether the file is another than the one that was read then, as far as can be seen. */
static bool is_newer(const char *path, uint64_t since_ns)
{
	struct stat st;

	if (!path)
		return false;
	if (stat(path, &st))
		return errno == ENOENT;
	return st.st_ctim.tv_sec * NS_PER_S + st.st_ctim.tv_nsec > since_ns;
}

static bool is_same_access(const struct run *run, const struct run_options *next)
{
	const struct run_options *was = &run->options;

	return is_same_text(was->tls_cert, next->tls_cert) && is_same_text(was->tls_key, next->tls_key) &&
	       is_same_text(was->auth_file, next->auth_file) && !is_newer(was->tls_cert, run->begun_ns) &&
	       !is_newer(was->tls_key, run->begun_ns) && !is_newer(was->auth_file, run->begun_ns);
}

/* In whatever order. */
static bool are_filtered(const struct meta *meta, const struct settings *next)
{
	size_t i, j;

	for (i = 0; i < next->interface_count; i++) {
		for (j = 0; j < meta->interfaces && strcmp(meta->interface[j].name, next->interfaces[i]); j++)
			;
		if (j == meta->interfaces)
			return false;
	}
	return next->interface_count == meta->interfaces;
}

/* Whether `list` ("80,443") has all that `of` has. */
static bool holds_all(const char *list, const char *of)
{
	size_t len;

	for (; of && *of; of += len + (of[len] == ',')) {
		const char *at = list;

		len = strcspn(of, ",");
		while (at && (strcspn(at, ",") != len || strncmp(at, of, len)))
			at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL;
		if (!at)
			return false;
	}
	return true;
}

/* What is different, but stays as it was at the start: "" where nothing is. */
static void name_fixed(char text[FIXED_LEN], const struct run *run, const struct settings *next)
{
	const struct run_options *was = &run->options, *is = &next->options;
	const struct {
		const char *name;
		bool differs;
	} fixed[] = {
		{"interface", !are_filtered(&run->meta, next)},
		{"xdp-mode", was->xdp_mode != is->xdp_mode},
		{"listen", !is_same_place(&was->listen, &is->listen)},
		{"tls-cert, tls-key and auth-file", !is_same_access(run, is)},
		{"protect (what it no longer names stays known)", !holds_all(is->protect, was->protect)},
	};
	size_t len = 0;

	*text = '\0';
	for (size_t i = 0; i < sizeof(fixed) / sizeof(*fixed); i++)
		if (fixed[i].differs)
			len += snprintf(text + len, FIXED_LEN - len, "%s%s", len ? ", " : "", fixed[i].name);
}

static int load_filter(struct run *run, const struct run_options *options, struct guard **filter)
{
	struct config config;

	if (config__make(&config, options))
		return -1;
	memcpy(config.hash_seed, run->meta.hash_seed, sizeof(config.hash_seed));
	if (guard__load(filter, &config, GUARD_FILTER, guard__maps(run->guard)))
		return -1;
	if (config__rules(&config, options, guard__maps(*filter)->port_rules) == 0)
		return 0;
	guard__free(*filter);
	return -1;
}

static int plan_lists(struct list_plan plans[LIST_MAX], const struct maps *maps, const struct conf *conf)
{
	for (unsigned list = 0; list < LIST_MAX; list++)
		if (lists__plan(&plans[list], maps, list, conf->lists[list].all, conf->lists[list].count))
			return -1;
	return 0;
}

static int apply_lists(struct list_plan plans[LIST_MAX])
{
	for (unsigned list = 0; list < LIST_MAX; list++)
		if (lists__apply(&plans[list]))
			return -1;
	return 0;
}

struct change {
	struct run *run;
	const struct settings *next;
	bool applied;
};

/* All that may fail: first what changes nothing, then what can be taken back; the last step puts the new filter into
 * place. */
static void apply(void *context)
{
	struct change *change = context;
	struct guard *guard = change->run->guard;
	const struct run_options *options = &change->next->options;
	const struct maps *maps = guard__maps(guard);
	struct list_plan plans[LIST_MAX] = {};
	struct newly_served added = {};
	struct guard *filter;

	if (load_filter(change->run, options, &filter))
		return;
	if (plan_lists(plans, maps, &change->next->conf) ||
	    config__protect_more(options->protect, maps->served, &added) || apply_lists(plans) ||
	    census__begin_anew(guard, &change->run->census))
		guard__free(filter);
	else
		change->applied = guard__replace_filter(guard, filter) == 0;
	if (!change->applied)
		config__unprotect(maps->served, &added);
	for (unsigned list = 0; list < LIST_MAX; list++) {
		if (!change->applied)
			lists__revert(&plans[list]);
		lists__forget(&plans[list]);
	}
	free(added.all);
}

/* What the other parts of the run make of it. The interfaces, their mode and the endpoint stay those of the start. */
static void settle(struct run *run, const struct run_options *next)
{
	const struct maps *maps = guard__maps(run->guard);
	struct run_options was = run->options;

	run->options = *next;
	run->options.xdp_mode = was.xdp_mode;
	run->options.listen = was.listen;
	run->options.tls_cert = was.tls_cert;
	run->options.tls_key = was.tls_key;
	run->options.auth_file = was.auth_file;
	run->defence.harden = next->harden;
	if (next->dry_run && !was.dry_run) {
		defence__end(&run->defence, maps);
		propose__open(&run->proposal);
	} else if (!next->dry_run) {
		propose__close(run->proposal);
		run->proposal = NULL;
	}
	/* Whatever fails here is said; the filter is in force. */
	run__write_meta(run);
	guard__pin(run->guard, run->pins.path);
}

int reload__do(struct run *run)
{
	const char *file = run->settings->file;
	struct change change = {.run = run};
	struct settings *next;
	char fixed[FIXED_LEN];

	if (settings__read(&next, file, run->argc, run->argv) == 0) {
		change.next = next;
		heap__apart(apply, &change);
	}
	if (!change.applied) {
		settings__free(next);
		log_error("%s is not applied: what was in force stays", file ? file : CONFIG_FILE);
		return -1;
	}
	name_fixed(fixed, run, next);
	settle(run, &next->options);
	if (run->settings != run->started)
		settings__free(run->settings);
	run->settings = next;
	if (!next->file)
		log_notice("there is no " CONFIG_FILE " to be read again");
	else if (*fixed)
		log_warn("%s is read again and in force, but for %s: changed only by a restart", next->file, fixed);
	else
		log_notice("%s is read again and in force", next->file);
	return 0;
}
