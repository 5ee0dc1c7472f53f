// SPDX-License-Identifier: GPL-2.0-only
/*
 * One thread, which waits for the network, for signals and for the next request that is due. The packet path never asks
 * it: when it dies, entries stay and end on their time.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <systemd/sd-daemon.h>

#include "sync/sync.h"
#include "system/clock.h"
#include "system/heap.h"
#include "text/log.h"

#define TICK_NS	     NS_PER_S
#define SWEEP_NS     (10 * NS_PER_S) /* ended entries do nothing; they only take room */
#define PROTECTED_NS (60 * NS_PER_S) /* routes change without a message */
#define PUBLISH_NS   (10 * NS_PER_S)
#define RETIRED_NS   (2 * NS_PER_S) /* a restart of run takes the maps over within less */

struct daemon {
	struct sync *sync;
	int signals;
	bool is_ended;
	int ret;
	uint64_t sweep_ns, protected_ns, publish_ns; /* the next */
	uint64_t retired_ns;			     /* since when no filter asks the maps; 0: one does */
};

static int open_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGUSR1);
	signal(SIGPIPE, SIG_IGN);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

static void take_signals(struct daemon *daemon)
{
	struct signalfd_siginfo info;

	while (read(daemon->signals, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGINT || info.ssi_signo == SIGTERM) {
			daemon->is_ended = true;
			continue;
		}
		log_notice("all sources are read in full%s",
			   info.ssi_signo == SIGUSR1 ? ", and believed however short they are" : "");
		for (size_t i = 0; i < daemon->sync->source_count; i++)
			source__want_all(&daemon->sync->sources[i], info.ssi_signo == SIGUSR1);
	}
}

static void read_protected(struct sync *sync)
{
	struct prefixes servers = {};

	for (size_t i = 0; i < sync->source_count; i++)
		prefixes__add_all(&servers, &sync->sources[i].servers);
	protected__read(&sync->protected, sync->settings->sync.options.protect_local, &servers);
	prefixes__free(&servers);
	sync->is_changed = true;
}

static struct shared_source *source_of(struct sync *sync, CURL *easy)
{
	struct pull *pull = NULL;

	curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&pull);
	for (size_t i = 0; i < sync->source_count; i++)
		if (&sync->sources[i].pull == pull)
			return &sync->sources[i];
	return NULL;
}

static void note_change(struct sync *sync)
{
	sync->is_changed = sync->is_unsaved = true;
}

/* A server that answered for the first time is protected before its answer is applied. */
static void take_answers(struct daemon *daemon)
{
	struct sync *sync = daemon->sync;
	struct CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(sync->context.multi, &left))) {
		struct shared_source *source = source_of(sync, message->easy_handle);
		size_t servers;

		if (message->msg != CURLMSG_DONE || !source)
			continue;
		servers = source->servers.count;
		if (source__answered(source, &sync->context, message->data.result))
			note_change(sync);
		if (source->servers.count != servers)
			read_protected(sync);
		daemon->publish_ns = 0;
	}
}

static void ask_sources(struct daemon *daemon)
{
	struct sync *sync = daemon->sync;

	for (size_t i = 0; i < sync->source_count; i++) {
		struct shared_source *source = &sync->sources[i];
		bool is_again = source->pulls[0][0] + source->pulls[0][1] + source->pulls[1][0] + source->pulls[1][1];

		if (!source__is_due(source, clock__now()) || (sync->flags->once && is_again))
			continue;
		if (source__ask(source, &sync->context))
			note_change(sync);
		daemon->publish_ns = source->is_running ? daemon->publish_ns : 0;
	}
}

static void look_around(struct daemon *daemon)
{
	struct sync *sync = daemon->sync;
	uint64_t now_ns = clock__now();

	if (protected__changed(&sync->protected) || now_ns >= daemon->protected_ns) {
		read_protected(sync);
		daemon->protected_ns = now_ns + PROTECTED_NS;
	}
	for (size_t i = 0; i < sync->source_count; i++)
		if (source__renew(&sync->sources[i]))
			note_change(sync);
	if (now_ns < daemon->sweep_ns)
		return;
	for (size_t i = 0; i < sync->source_count; i++)
		sync->is_changed |= said__expire(&sync->sources[i].said, now_ns) > 0;
	daemon->sweep_ns = now_ns + SWEEP_NS;
}

static void apply(struct daemon *daemon)
{
	struct sync *sync = daemon->sync;

	if (sync->is_changed) {
		sync__apply(sync);
		sync__export(sync);
		heap__trim();
		daemon->publish_ns = 0;
	}
	if (clock__now() >= daemon->publish_ns) {
		sync__publish(sync);
		sd_notify(0, "WATCHDOG=1");
		daemon->publish_ns = clock__now() + PUBLISH_NS;
	}
	sync__save(sync, false);
}

/* With --once, each source has been asked and has answered. */
static bool is_done(const struct sync *sync)
{
	for (size_t i = 0; i < sync->source_count; i++) {
		const struct shared_source *source = &sync->sources[i];

		if (source->is_running || !source->tried_ns)
			return false;
	}
	return sync->flags->once;
}

static void wait_for_events(struct daemon *daemon)
{
	struct curl_waitfd more[] = {
		{.fd = daemon->signals, .events = CURL_WAIT_POLLIN},
		{.fd = daemon->sync->protected.watch, .events = CURL_WAIT_POLLIN},
	};
	uint64_t now_ns = clock__now(), next_ns = now_ns + TICK_NS;

	for (size_t i = 0; i < daemon->sync->source_count; i++) {
		const struct shared_source *source = &daemon->sync->sources[i];

		if (!source->is_running && source->next_ns < next_ns &&
		    !(daemon->sync->flags->once && source->tried_ns))
			next_ns = source->next_ns;
	}
	next_ns = next_ns > now_ns ? next_ns - now_ns : 0;
	curl_multi_poll(daemon->sync->context.multi, more, more[1].fd >= 0 ? 2 : 1,
			(int)((next_ns + NS_PER_MS - 1) / NS_PER_MS), NULL);
}

static bool is_retired(struct daemon *daemon)
{
	const struct fleet_lists *fleet = daemon->sync->fleet;

	if (!fleet || !fleet_lists__are_retired(fleet)) {
		daemon->retired_ns = 0;
		return false;
	}
	daemon->retired_ns = daemon->retired_ns ?: clock__now();
	if (clock__now() - daemon->retired_ns < RETIRED_NS)
		return false;
	log_notice(
		"the synwarden that asked the fleet's lists has ended; this ends, to be started again beside the next");
	return true;
}

static void step(struct daemon *daemon)
{
	struct sync *sync = daemon->sync;
	int running;

	look_around(daemon);
	ask_sources(daemon);
	curl_multi_perform(sync->context.multi, &running);
	take_answers(daemon);
	apply(daemon);
}

/* What the last run knew is in force before the network is asked. */
static int begin(struct daemon *daemon)
{
	struct sync *sync = daemon->sync;

	protected__open(&sync->protected);
	if (!sync__restore(sync) && sync__take_over(sync))
		return -1;
	step(daemon);
	sd_notify(0, "READY=1");
	return 0;
}

static int result_of(const struct sync *sync)
{
	for (size_t i = 0; i < sync->source_count; i++)
		if (sync->sources[i].failures || !sync->sources[i].succeeded_ns || sync->sources[i].is_doubted)
			return EXIT_STALE;
	return sync->is_changed ? EXIT_FAILURE : EXIT_SUCCESS;
}

int sync__run(struct sync *sync)
{
	struct daemon daemon = {.sync = sync, .signals = open_signals()};

	if (daemon.signals < 0) {
		log_error("sync cannot start: %s", strerror(errno));
		return EXIT_FAILURE;
	}
	if (begin(&daemon))
		return EXIT_FAILURE;
	while (!daemon.is_ended && !is_done(sync)) {
		wait_for_events(&daemon);
		take_signals(&daemon);
		if (is_retired(&daemon)) {
			daemon.ret = EXIT_FAILURE;
			break;
		}
		step(&daemon);
	}
	sd_notify(0, "STOPPING=1");
	sync__save(sync, true);
	close(daemon.signals);
	if (sync->flags->once)
		sync__show(sync);
	return daemon.ret ?: sync->flags->once ? result_of(sync) : EXIT_SUCCESS;
}
