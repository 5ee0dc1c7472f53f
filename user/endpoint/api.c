// SPDX-License-Identifier: GPL-2.0-only
/*
 * Arrays of a bounded number of objects, so that no page outgrows the memory that `run` may take.
 */
#include <string.h>

#include "config/options.h"
#include "config/values.h"
#include "endpoint/api.h"
#include "kernel/fleet_lists.h"
#include "kernel/lists.h"
#include "output/fleet_origin.h"
#include "output/event_show.h"
#include "output/records.h"
#include "output/summary.h"
#include "stream/owners.h"
#include "system/clock.h"

#define DEFAULT_CONNS 1000
#define MOST_OBJECTS  10000

int api__status(FILE *out, const struct snapshot *snapshot, struct http_request *request)
{
	const char *ports = server__query(request, "ports");

	if (ports && strcmp(ports, "moving") != 0) {
		fputs("ports: not \"moving\"\n", out);
		return 400;
	}
	summary__json(out, snapshot, true, ports ? SUMMARY_MOVING_PORTS : SUMMARY_ALL_PORTS);
	return 0;
}

/* The array as it grows. */
struct array {
	FILE *out;
	struct http_request *request;
	uint32_t left; /* objects that may still be added */
	const char *separator;
	const char *list; /* of api__lists() */
	const struct fleet_lists *fleet;
	const struct owners *owners; /* of api__conns() */
	int64_t realtime_ns;	     /* CLOCK_REALTIME minus CLOCK_MONOTONIC */
	uint32_t port;		     /* the local one; 0: any */
	bool listeners;		     /* only these */
};

/* 0, or an HTTP status if the query is invalid. */
static int begin(struct array *array, FILE *out, struct http_request *request, uint32_t limit)
{
	const char *asked = server__query(request, "limit"), *why;

	*array = (struct array){.out = out, .request = request, .left = limit, .separator = "["};
	if (!asked || parse_number(asked, 1, MOST_OBJECTS, &array->left, &why) == 0)
		return 0;
	fprintf(out, "limit: not %s\n", why);
	return 400;
}

/* Begins the next object; false: the limit is reached. */
static bool next(struct array *array)
{
	if (!array->left) {
		server__truncated(array->request);
		return false;
	}
	array->left--;
	fputs(array->separator, array->out);
	array->separator = ",";
	return true;
}

static void end(const struct array *array)
{
	fputs(*array->separator == '[' ? "[]\n" : "]\n", array->out);
}

static void write_entry(void *context, const struct prefix *prefix, uint64_t left_ns, unsigned origins)
{
	struct array *array = context;

	if (next(array))
		records__list_entry(array->out, array->list, prefix, left_ns, origins);
}

static void write_fleet_entry(void *context, const struct fleet_entry *entry)
{
	struct fleet_origin origin = {};
	struct array *array = context;

	if (!next(array))
		return;
	fleet_lists__origin(array->fleet, entry->origin, &origin);
	fleet_origin__record(array->out, array->list, entry, &origin, clock__now());
}

/* After this host's own. */
static int write_fleet(struct array *array, const struct maps *maps)
{
	struct fleet_lists *fleet;
	int ret = fleet_lists__view(&fleet, maps);

	array->fleet = fleet;
	for (enum list list = 0; list < LIST_MAX && !ret; list++) {
		array->list = lists__name(list);
		ret = fleet_lists__each(fleet, list, write_fleet_entry, array);
	}
	fleet_lists__close(fleet);
	return ret < 0 ? -1 : 0;
}

int api__lists(FILE *out, const struct maps *maps, struct http_request *request)
{
	const struct list_set own = list_set__of(maps, LIST_SET_OWN);
	struct array array;
	int status = begin(&array, out, request, MOST_OBJECTS);

	if (status)
		return status;
	for (enum list list = 0; list < LIST_MAX; list++) {
		array.list = lists__name(list);
		if (lists__each(&own, list, write_entry, &array))
			return -1;
	}
	if (write_fleet(&array, maps))
		return -1;
	end(&array);
	return 0;
}

static bool write_log_event(void *context, const struct log_event *event)
{
	struct array *array = context;

	if (!next(array))
		return false;
	event_show__json(array->out, event);
	return true;
}

int api__events(FILE *out, struct event_log *log, struct http_request *request)
{
	struct array array;
	int status = begin(&array, out, request, EVENT_LOG_MAX);

	if (status)
		return status;
	event_log__each(log, true, write_log_event, &array);
	end(&array);
	return 0;
}

/* A half-open connection belongs to its listener. */
static bool write_connection(void *context, const struct life *life)
{
	struct array *array = context;
	struct life copy = *life;

	if ((array->port && life->event.flow.lport != array->port) ||
	    (array->listeners && life->event.new != STATE_LISTEN))
		return true;
	if (!next(array))
		return false;
	if (copy.event.new == STATE_NEW_SYN_RECV)
		owners__recall(array->owners, &copy.event);
	records__whole_life(&copy);
	records__connection(array->out, &copy, copy.event.time_ns + array->realtime_ns);
	return true;
}

int api__query_port(FILE *out, struct http_request *request, uint32_t *port)
{
	const char *asked = server__query(request, "port"), *why;

	*port = 0;
	if (!asked || parse_number(asked, 1, 65535, port, &why) == 0)
		return 0;
	fprintf(out, "port: not %s\n", why);
	return 400;
}

static int begin_conns(struct array *array, FILE *out, struct http_request *request)
{
	int status = begin(array, out, request, DEFAULT_CONNS);
	const char *state = server__query(request, "state");

	if (!status)
		status = api__query_port(out, request, &array->port);
	if (status || !state)
		return status;
	array->listeners = !strcmp(state, "LISTEN");
	if (array->listeners)
		return 0;
	fputs("state: not \"LISTEN\"\n", out);
	return 400;
}

int api__conns(FILE *out, struct programs *programs, struct http_request *request)
{
	struct owners *owners;
	struct array array;
	int status = begin_conns(&array, out, request);

	if (status)
		return status;
	status = owners__open(&owners, programs);
	if (!status) {
		array.owners = owners;
		array.realtime_ns = clock__realtime_ahead();
		status = programs__sockets(programs, write_connection, &array);
		end(&array);
	}
	owners__close(owners);
	return status;
}
