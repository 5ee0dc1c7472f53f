// SPDX-License-Identifier: GPL-2.0-only
/*
 * glibc asks one service at a time, as it is configured here (__nss_configure_lookup). It cannot be made to give up, so
 * a thread asks.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <nss.h>
#include <pthread.h>
#include <resolv.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "fetch/lookup.h"
#include "system/clock.h"
#include "text/log.h"

#define FILE_MAX 65536

/* What the thread and the one that waits for it share. */
struct asking {
	struct lookup lookup;
	char *host;
	char service[NI_MAXSERV];
	struct addrinfo hints;
	pthread_mutex_t lock;
	pthread_cond_t done;
	bool is_done;
};

static void read_services(struct nsswitch *services)
{
	char text[FILE_MAX] = "";
	FILE *file = fopen(NSSWITCH_FILE, "re");

	if (file) {
		text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
		fclose(file);
	}
	nsswitch__parse(text, services);
}

static enum lookup_result result_of(int error)
{
	switch (error) {
	case 0:
		return LOOKUP_FOUND;
	case EAI_NONAME:
	case EAI_NODATA:
	case EAI_ADDRFAMILY:
		return LOOKUP_NOT_KNOWN;
	case EAI_AGAIN:
		return LOOKUP_NO_ANSWER;
	default:
		return LOOKUP_FAILED;
	}
}

static enum nsswitch_status status_of(enum lookup_result result)
{
	static const enum nsswitch_status status[] = {
		[LOOKUP_FOUND] = NSSWITCH_SUCCESS,
		[LOOKUP_NOT_KNOWN] = NSSWITCH_NOTFOUND,
		[LOOKUP_NO_ANSWER] = NSSWITCH_TRYAGAIN,
		[LOOKUP_FAILED] = NSSWITCH_UNAVAIL,
	};

	return status[result];
}

static void keep(struct lookup *lookup, const struct addrinfo *found)
{
	for (lookup->count = 0; found && lookup->count < LOOKUP_ADDRESSES; found = found->ai_next)
		memcpy(&lookup->addresses[lookup->count++], found->ai_addr, found->ai_addrlen);
}

/*
 * Whether [NOTFOUND=return] behind service `i` ends the walk. What a module says that is not there, or not for such
 * names (mdns4_minimal), is UNAVAIL, but getaddrinfo() tells of both alike: so glibc is asked to walk on from there.
 */
static bool ends_unknown(const struct asking *asking, unsigned i)
{
	const struct nsswitch *services = &asking->lookup.services;
	char rest[NSSWITCH_SERVICES * NSSWITCH_NAME + sizeof(" [NOTFOUND=return]")];
	struct addrinfo *found;
	int used;

	used = snprintf(rest, sizeof(rest), "%s [NOTFOUND=return]", services->services[i].name);
	while (++i < services->count)
		used += snprintf(rest + used, sizeof(rest) - used, " %s", services->services[i].name);
	__nss_configure_lookup("hosts", rest);
	if (getaddrinfo(asking->host, asking->service, &asking->hints, &found))
		return true;
	freeaddrinfo(found);
	return false;
}

/* Asks one service. -1: it ends the walk. */
static int ask_service(struct asking *asking, unsigned i)
{
	struct lookup *lookup = &asking->lookup;
	enum nsswitch_status status;
	struct addrinfo *found = NULL;
	uint64_t began = clock__now();
	int error;

	lookup->results[i].result = LOOKUP_WAITING;
	__nss_configure_lookup("hosts", lookup->services.services[i].name);
	error = getaddrinfo(asking->host, asking->service, &asking->hints, &found);
	pthread_mutex_lock(&asking->lock);
	lookup->results[i].took_ns = clock__now() - began;
	lookup->results[i].result = result_of(error);
	snprintf(lookup->results[i].why, LOOKUP_TEXT, "%s",
		 error == EAI_SYSTEM ? strerror(errno) : gai_strerror(error));
	if (!error)
		keep(lookup, found);
	pthread_mutex_unlock(&asking->lock);
	if (found)
		freeaddrinfo(found);
	status = status_of(result_of(error));
	if (!lookup->services.services[i].ends[status])
		return 0;
	return status == NSSWITCH_NOTFOUND && !ends_unknown(asking, i) ? 0 : -1;
}

/* Without what it takes to open and close the packet socket beside them. */
static uint64_t sum(const struct lookup *lookup, uint64_t timeout_ns)
{
	uint64_t took = 0;

	for (unsigned i = 0; i < lookup->services.count; i++) {
		if (lookup->results[i].result == LOOKUP_WAITING)
			return timeout_ns;
		took += lookup->results[i].took_ns;
	}
	return took;
}

static void *ask(void *context)
{
	struct asking *asking = context;

	for (unsigned i = 0; i < asking->lookup.services.count; i++)
		if (ask_service(asking, i))
			break;
	pthread_mutex_lock(&asking->lock);
	asking->is_done = true;
	pthread_cond_signal(&asking->done);
	pthread_mutex_unlock(&asking->lock);
	return NULL;
}

/* Those that resolv.conf names. */
static void read_name_servers(char text[LOOKUP_TEXT])
{
	struct __res_state state = {};
	size_t used = 0;

	*text = '\0';
	if (res_ninit(&state))
		return;
	for (int i = 0; i < state.nscount; i++) {
		const struct sockaddr_in6 *v6 = state._u._ext.nsaddrs[i];
		bool is_v4 = state.nsaddr_list[i].sin_family == AF_INET;
		char name[INET6_ADDRSTRLEN];

		if (!is_v4 && !v6)
			continue;
		inet_ntop(is_v4 ? AF_INET : AF_INET6,
			  is_v4 ? (const void *)&state.nsaddr_list[i].sin_addr : &v6->sin6_addr, name, sizeof(name));
		used += snprintf(text + used, LOOKUP_TEXT - used, "%s%s", used ? ", " : "", name);
	}
	res_nclose(&state);
}

static bool find_literal(struct asking *asking)
{
	struct addrinfo *found, hints = asking->hints;

	hints.ai_flags |= AI_NUMERICHOST;
	if (getaddrinfo(asking->host, asking->service, &hints, &found))
		return false;
	keep(&asking->lookup, found);
	freeaddrinfo(found);
	return true;
}

/* Whether the thread has come to its end in time; it may be looked at then. */
static bool wait(struct asking *asking, uint64_t timeout_ns)
{
	uint64_t until = clock__now() + timeout_ns;
	struct timespec due = {until / NS_PER_S, until % NS_PER_S};
	bool is_done;

	pthread_mutex_lock(&asking->lock);
	while (!asking->is_done && !pthread_cond_clockwait(&asking->done, &asking->lock, CLOCK_MONOTONIC, &due))
		;
	is_done = asking->is_done;
	pthread_mutex_unlock(&asking->lock);
	return is_done;
}

static void free_asking(struct asking *asking)
{
	free(asking->host);
	free(asking);
}

/* A copy for the caller: the thread may go on writing into its own. */
static struct lookup *copy(struct asking *asking)
{
	struct lookup *lookup = malloc(sizeof(*lookup));

	pthread_mutex_lock(&asking->lock);
	if (lookup)
		*lookup = asking->lookup;
	pthread_mutex_unlock(&asking->lock);
	return lookup;
}

/* In a thread. Returns whether that has ended. */
static bool ask_services(struct asking *asking, uint64_t timeout_ns)
{
	int watch = dns_watch__open();
	pthread_t thread;
	bool is_done;

	read_services(&asking->lookup.services);
	read_name_servers(asking->lookup.name_servers);
	if (pthread_create(&thread, NULL, ask, asking)) {
		ask(asking);
		is_done = true;
	} else {
		is_done = wait(asking, timeout_ns);
		if (is_done)
			pthread_join(thread, NULL);
		else
			pthread_detach(thread);
	}
	if (watch >= 0) {
		dns_watch__read(watch, asking->host, &asking->lookup.answer);
		close(watch);
	}
	return is_done;
}

static struct asking *begin(const struct lookup_question *question)
{
	struct asking *asking = calloc(1, sizeof(*asking));

	if (!asking)
		return NULL;
	asking->host = strdup(question->host);
	asking->hints = (struct addrinfo){.ai_family = question->family, .ai_socktype = SOCK_STREAM};
	asking->hints.ai_flags = AI_NUMERICSERV;
	snprintf(asking->service, sizeof(asking->service), "%u", question->port);
	pthread_mutex_init(&asking->lock, NULL);
	pthread_cond_init(&asking->done, NULL);
	if (asking->host)
		return asking;
	free(asking);
	return NULL;
}

struct lookup *lookup__find(const struct lookup_question *question)
{
	struct asking *asking = begin(question);
	struct lookup *lookup = NULL;
	bool is_done = true;

	if (asking) {
		asking->lookup.is_literal = find_literal(asking);
		if (!asking->lookup.is_literal)
			is_done = ask_services(asking, question->timeout_ns);
		lookup = copy(asking);
	}
	if (lookup)
		lookup->took_ns = sum(lookup, question->timeout_ns);
	else
		log_error("out of memory");
	if (asking && is_done)
		free_asking(asking);
	return lookup;
}

unsigned lookup__last(const struct lookup *lookup)
{
	unsigned last = 0;

	for (unsigned i = 0; i < lookup->services.count; i++)
		if (lookup->results[i].result != LOOKUP_NOT_ASKED)
			last = i;
	return last;
}

void lookup__free(struct lookup *lookup)
{
	free(lookup);
}
