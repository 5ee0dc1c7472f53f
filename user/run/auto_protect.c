// SPDX-License-Identifier: GPL-2.0-only
/*
 * The map `protected` says of each entry who made it; those of a former run are found there. Only ports with a slot are
 * taken: the others have no budget, and there are fewer slots than places.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>

#include "config/values.h"
#include "kernel/locals.h"
#include "kernel/snapshot.h"
#include "run/auto_protect.h"
#include "run/rules.h"
#include "text/log.h"

struct auto_protect {
	const struct maps *maps;
	bool on, told, failed;
	bool named[LISTENER_PORTS];
	bool taken[LISTENER_PORTS];
	struct rules rules;
};

/* Those that a former run has taken. */
static void find_taken(struct auto_protect *protect)
{
	struct served key, next;
	__u32 value;
	int err;

	for (err = bpf_map_get_next_key(protect->maps->protected, NULL, &next); !err;
	     err = bpf_map_get_next_key(protect->maps->protected, &key, &next)) {
		key = next;
		if (bpf_map_lookup_elem(protect->maps->protected, &key, &value) == 0 && value == PROTECTED_AUTO)
			protect->taken[key.port & 0xffff] = true;
	}
}

struct auto_protect *auto_protect__open(const struct maps *maps)
{
	struct auto_protect *protect = calloc(1, sizeof(*protect));

	if (!protect) {
		log_error("run: out of memory");
		return NULL;
	}
	protect->maps = maps;
	find_taken(protect);
	return protect;
}

/* A port that is named with an address is named there alone. */
static int name(void *context, const struct served *served)
{
	struct auto_protect *protect = context;

	if (!served->words[0] && !served->words[1] && !served->words[2] && !served->words[3])
		protect->named[served->port & 0xffff] = true;
	return 0;
}

void auto_protect__set(struct auto_protect *protect, const struct run_options *options)
{
	const char *why;

	memset(protect->named, 0, sizeof(protect->named));
	protect->on = options->protect && parse_served_has_auto(options->protect);
	protect->rules.read_ns = 0;
	if (options->protect)
		parse_served_list(options->protect, name, protect, &why);
}

static int take(struct auto_protect *protect, __u32 port, __u32 kind)
{
	const struct served key = {.port = port};

	if (bpf_map_update_elem(protect->maps->protected, &key, &kind, kind == PROTECTED_AUTO ? BPF_NOEXIST : BPF_ANY))
		return errno == EEXIST ? 0 : -1;
	protect->taken[port] = kind == PROTECTED_AUTO;
	return 0;
}

static int give_back(struct auto_protect *protect, __u32 port, bool *gone)
{
	const struct served key = {.port = port};

	if (bpf_map_delete_elem(protect->maps->protected, &key) && errno != ENOENT)
		return -1;
	protect->taken[port] = false;
	*gone = true;
	return 0;
}

/* Whether the port is to be served by "auto". */
static bool is_wanted(const struct auto_protect *protect, const struct listener *listener, __u32 port)
{
	return protect->on && !protect->rules.tc && listener->listening && listener->slot &&
	       !redirects__may_translate(&protect->rules.redirects, port);
}

static int update(struct auto_protect *protect, const struct listener *listeners)
{
	bool gone = false;
	int ret = 0;

	for (__u32 port = 1; port < LISTENER_PORTS; port++) {
		bool wanted = is_wanted(protect, &listeners[port], port);

		if (protect->named[port] && protect->taken[port])
			ret |= take(protect, port, PROTECTED_NAMED);
		else if (wanted && !protect->taken[port] && !protect->named[port])
			ret |= take(protect, port, PROTECTED_AUTO);
		else if (!wanted && protect->taken[port])
			ret |= give_back(protect, port, &gone);
	}
	if (gone)
		ret |= locals__forget_served(protect->maps);
	return ret;
}

uint32_t auto_protect__follow(struct auto_protect *protect, const struct meta *meta)
{
	struct listener *listeners = snapshot__map_listeners(protect->maps);
	const char *unsure = protect->on ? rules__look(&protect->rules, meta) : "";
	bool failed;

	failed = !listeners || update(protect, listeners);
	if (failed && !protect->failed)
		log_error("--protect auto: cannot follow the listening ports: %s", strerror(errno));
	protect->failed = failed;
	if (listeners)
		snapshot__unmap_listeners(listeners);
	if (!protect->on)
		return 0;
	if (*unsure && !protect->told)
		log_warn("--protect auto takes no port: %s, so that any may be translated; name the ports", unsure);
	protect->told = *unsure;
	return META_PROTECT_AUTO | (*unsure ? META_PROTECT_UNSURE : 0);
}

void auto_protect__close(struct auto_protect *protect)
{
	free(protect);
}
