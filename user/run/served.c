// SPDX-License-Identifier: GPL-2.0-only
/*
 * The value of an entry is 1, or from when on its port has had no listener, in seconds of CLOCK_MONOTONIC.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>

#include "kernel/locals.h"
#include "run/served.h"
#include "system/clock.h"
#include "text/log.h"

#define IDLE_SECONDS	 3600
#define SWEEP_SECONDS	 10
#define LISTENED	 1 /* the value of an entry whose port has a listener */
#define JUDGE_SECONDS	 3
#define FRUITLESS_LEAST	 8 /* answers in that time, and no connection */
#define NEARLY_FULL(max) ((max) / 8 * 7)

struct port_watch {
	uint64_t answers, completed, listen_drops; /* when fruitless answers began to be counted */
	unsigned seconds;
};

struct served_watch {
	const struct maps *maps;
	struct port_watch ports[MAX_PORTS]; /* by slot */
	unsigned seconds;
	bool told_full;
};

struct served_watch *served__open(const struct maps *maps)
{
	struct served_watch *watch = calloc(1, sizeof(*watch));

	if (!watch)
		log_error("run: out of memory");
	else
		watch->maps = maps;
	return watch;
}

/* All keys; NULL with errno, or *count is 0. */
static struct served *read_keys(int map, size_t *count)
{
	struct served *all = calloc(MAX_SERVED, sizeof(*all));
	int err;

	*count = 0;
	if (!all)
		return NULL;
	for (err = bpf_map_get_next_key(map, NULL, &all[0]); !err && *count + 1 < MAX_SERVED;
	     err = bpf_map_get_next_key(map, &all[*count - 1], &all[*count]))
		++*count;
	return all;
}

/* Whether the entry is to go; notes in it since when its port has had no listener. */
static bool is_idle(int map, const struct served *key, bool listening, bool full, __u32 now)
{
	__u32 since = LISTENED, listened = LISTENED;

	if (bpf_map_lookup_elem(map, key, &since))
		return false;
	if (listening) {
		if (since != LISTENED)
			bpf_map_update_elem(map, key, &listened, BPF_EXIST);
		return false;
	}
	if (since == LISTENED)
		bpf_map_update_elem(map, key, &now, BPF_EXIST);
	return full || (since != LISTENED && now - since >= IDLE_SECONDS);
}

static int sweep(const struct maps *maps)
{
	struct listener *listeners = snapshot__map_listeners(maps);
	__u32 now = clock__now() / NS_PER_S;
	size_t count, gone = 0;
	struct served *keys = read_keys(maps->served, &count);
	int ret = keys && listeners ? 0 : -1;

	for (size_t i = 0; !ret && i < count; i++)
		if (is_idle(maps->served, &keys[i], listeners[keys[i].port & 0xffff].listening,
			    count >= NEARLY_FULL(MAX_SERVED), now))
			gone += !bpf_map_delete_elem(maps->served, &keys[i]);
	if (gone)
		ret |= locals__forget_served(maps);
	if (listeners)
		snapshot__unmap_listeners(listeners);
	free(keys);
	return ret;
}

static int revoke_port(const struct maps *maps, __u32 port)
{
	size_t count, gone = 0;
	struct served *keys = read_keys(maps->served, &count);

	for (size_t i = 0; keys && i < count; i++)
		if (keys[i].port == port)
			gone += !bpf_map_delete_elem(maps->served, &keys[i]);
	free(keys);
	if (!gone)
		return keys ? 0 : -1;
	log_warn("port %u: valid cookies come back, and the kernel makes no connections of them: it seems to be "
		 "translated or filtered, and is not challenged until a connection to it completes",
		 port);
	return locals__forget_served(maps);
}

/* A connection, or a full queue, explains the answers. */
static int judge_port(const struct maps *maps, struct port_watch *watch, const struct port_view *port)
{
	if (port->completed != watch->completed || port->listen_drops != watch->listen_drops || port->accept_full ||
	    port->sound_answers < watch->answers || !port->armed) {
		*watch = (struct port_watch){port->sound_answers, port->completed, port->listen_drops, 0};
		return 0;
	}
	if (port->sound_answers - watch->answers < FRUITLESS_LEAST || ++watch->seconds < JUDGE_SECONDS)
		return 0;
	*watch = (struct port_watch){port->sound_answers, port->completed, port->listen_drops, 0};
	return revoke_port(maps, port->port);
}

int served__judge(struct served_watch *watch, const struct snapshot *s)
{
	int ret = 0;

	for (size_t i = 1; i < s->port_count; i++)
		ret |= judge_port(watch->maps, &watch->ports[s->ports[i].slot], &s->ports[i]);
	if (watch->seconds++ % SWEEP_SECONDS == 0)
		ret |= sweep(watch->maps);
	if (ret)
		log_error("cannot revoke what is not served any more: %s", strerror(errno));
	if (s->losses[LOSS_SERVED] && !watch->told_full)
		log_warn("the table of served addresses is full: SYNs over the budget to further ones pass; those of "
			 "--protect have places of their own");
	watch->told_full |= s->losses[LOSS_SERVED] != 0;
	return ret;
}

void served__close(struct served_watch *watch)
{
	free(watch);
}
