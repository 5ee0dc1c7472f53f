// SPDX-License-Identifier: GPL-2.0-only
/*
 * synwarden run: count, sweep and print once a second; reload on SIGHUP; print the summary at the end.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "config/options.h"
#include "kernel/list_set.h"
#include "kernel/sysctls.h"
#include "output/sentence.h"
#include "output/summary.h"
#include "output/verdict.h"
#include "run/addresses.h"
#include "run/auto_protect.h"
#include "run/forwards.h"
#include "run/interfaces.h"
#include "run/list_files.h"
#include "run/meta.h"
#include "run/port_slots.h"
#include "run/reload.h"
#include "run/served.h"
#include "run/service.h"
#include "run/start.h"
#include "run/store.h"
#include "run/usual.h"
#include "system/clock.h"
#include "system/heap.h"
#include "text/colour.h"
#include "text/log.h"

#define RETRY_SECONDS	 10 /* of list files */
#define SENTENCE_SECONDS 5
#define STATUS_LEN	 1024
#define STAYS		 " stays attached: synwarden run takes it over, synwarden detach removes it"
#define GIVE_UP		 30 /* failed ticks in a row: one may fail for a moment, as when the table of files is full */

static int defend(struct run *run)
{
	const struct maps *maps = programs__maps(run->programs);

	if (!run->settings->options.dry_run)
		return armed_sysctls__update(&run->armed_sysctls, maps);
	armed_sysctls__rest(&run->armed_sysctls, maps);
	return 0;
}

static void print_live(const struct run *run, unsigned second)
{
	char text[SENTENCE_LEN];
	size_t i;

	summary__live(stdout, run->before, run->now);
	if (second % SENTENCE_SECONDS == 0 && protection__severity(run->protection.host) == SEVERITY_CRITICAL)
		verdict__print_line(stdout, &run->protection);
	for (i = 0; second % SENTENCE_SECONDS == 0 && i < run->now->port_count; i++)
		if (run->now->ports[i].attack.under_attack)
			printf("%s%s%s\n", print_red(), sentence__attack(text, &run->now->ports[i]), print_plain());
	fflush(stdout);
}

/* "PROTECTED: listening ports: 3; 27 clients/s connect; filtering on eth0, eth1; port 80 is over its budget: ..." */
static void print_status(FILE *out, const struct run *run, const struct snapshot *snapshot)
{
	char sentence[SENTENCE_LEN], headline[VERDICT_LEN];
	size_t i;

	if (run->protection.snapshot)
		fprintf(out, "%s; ", verdict__headline(headline, &run->protection));
	if (run->reload_refused)
		fprintf(out, "the last reload was refused, see the log; ");
	fprintf(out, "filtering on ");
	for (i = 0; i < run->meta.interfaces; i++)
		fprintf(out, "%s%s%s", i ? ", " : "", run->meta.interface[i].name,
			run->meta.interface[i].ifindex ? "" : " (gone)");
	if (run->settings->options.dry_run)
		fprintf(out, " (dry run: everything passes)");
	if (endpoint__why_not(run->metrics))
		fprintf(out, "; no HTTP endpoint: %s", endpoint__why_not(run->metrics));
	if (run->meta.flags & META_SYSCTLS_FIXED)
		fprintf(out, "; /proc/sys is read-only: SYN cookies cannot be forced");
	if (list_files__why_not(run))
		fprintf(out, "; %s", list_files__why_not(run));
	for (i = 1; i < snapshot->port_count; i++)
		if (snapshot->ports[i].armed)
			fprintf(out, "; %s", sentence__attack(sentence, &snapshot->ports[i]));
}

static void tell_service(const struct run *run, const struct snapshot *snapshot)
{
	char text[STATUS_LEN] = "";
	FILE *out = fmemopen(text, sizeof(text) - 1, "w");

	if (!out)
		return;
	print_status(out, run, snapshot);
	fclose(out);
	service__alive(text);
}

/* For `status` and `doctor`. */
static void note_flags(struct run *run)
{
	__u32 flags = run->protect_flags | (run->confined ? META_CONFINED : 0) | (run->counts_http ? META_HTTP : 0);
	bool changed = false;

	if (endpoint__why_not(run->metrics))
		flags |= META_ENDPOINT_WAITS;
	if (sysctls__are_read_only() && sysctls__get(SYSCTL_SYNCOOKIES) != SYNCOOKIES_ALWAYS)
		flags |= META_SYSCTLS_FIXED;
	for (unsigned list = 0; list < LIST_MAX; list++)
		changed |= run->meta.waiting[list] != list_files__waiting(run, list);
	if (flags == run->meta.flags && !changed)
		return;
	run->meta.flags = flags;
	meta__write(run);
}

/* Once a second. Live lines count from the first snapshot. */
static int tick(struct run *run, unsigned second)
{
	const struct maps *maps = programs__maps(run->programs);
	struct snapshot *swap = run->before;

	if (interfaces__follow(run))
		return -1;
	programs__sweep_closings(run->programs);
	addresses__follow(run);
	if (census__take(run->programs, &run->census) || defend(run))
		return -1;
	/* Where this or served__judge() fails, the next second tries again. */
	if (port_slots__follow(run->slots, run->attacks) > 0)
		census__unsettle(&run->census);
	run->protect_flags = auto_protect__follow(run->auto_protect, &run->meta);
	forwards__follow(run->forwarding, &run->meta);
	if (snapshot__read(run->now, maps) || attack__judge(run->attacks, run->now))
		return -1;
	usual__note(run->usual, run->now);
	protection__judge(&run->protection, run->now, true);
	state_log__note(&run->state_log, &run->protection);
	served__judge(run->served, run->now);
	endpoint__note(run->metrics, run->now);
	kept_lists__save(&run->kept, &run->own);
	kept_events__follow(&run->events, run->now);
	note_flags(run);
	if (list_set__tend(&run->own, &run->own_pass, clock__now()) ||
	    (run->fleet.control && list_set__tend(&run->fleet, &run->fleet_pass, clock__now())))
		return -1;
	if (second && second % RETRY_SECONDS == 0)
		list_files__retry(run);
	if (second && run->proposal)
		propose__ports(run->proposal, run->before, run->now);
	if (second && !run->settings->options.quiet)
		print_live(run, second);
	tell_service(run, run->now);
	run->before = run->now;
	run->now = swap;
	return 0;
}

static int left_ms(const struct run *run, const struct timespec *next)
{
	struct timespec now;
	int64_t left;

	clock_gettime(CLOCK_MONOTONIC, &now);
	left = (next->tv_sec - now.tv_sec) * 1000LL + (next->tv_nsec - now.tv_nsec) / 1000000;
	if (left > 0 && run->proposal && propose__due_ms(run->proposal) < left)
		left = propose__due_ms(run->proposal) ?: 1;
	return left > 0 ? left : 0;
}

/* SIGHUP from a process asks for a reload; from the kernel it means that the terminal is gone. 1: stop. */
static int on_signal(struct run *run, int signals)
{
	struct signalfd_siginfo info;

	if (read(signals, &info, sizeof(info)) != sizeof(info))
		return 0;
	if (info.ssi_signo != SIGHUP || info.ssi_code == SI_KERNEL)
		return 1;
	service__reloading();
	run->reload_refused = reload__do(run) != 0;
	tell_service(run, run->before);
	service__ready();
	return 0;
}

/* Sleeps until the next second, and acts on alerts meanwhile. 1: a signal asks to stop. */
static int wait_until(struct run *run, int signals, const struct timespec *next)
{
	struct pollfd fds[] = {{.fd = signals, .events = POLLIN},
			       {.fd = ring_buffer__epoll_fd(run->alerts), .events = POLLIN},
			       {.fd = run->addresses.watch, .events = POLLIN}};
	int left;

	do {
		left = left_ms(run, next);
		if (poll(fds, sizeof(fds) / sizeof(*fds), left) < 0 && errno != EINTR) {
			log_error("cannot wait: %s", strerror(errno));
			return -1;
		}
		if (fds[0].revents && on_signal(run, signals))
			return 1;
		if (fds[2].revents)
			addresses__follow(run);
		if (fds[1].revents)
			ring_buffer__consume(run->alerts);
		if (run->alerted) {
			defend(run); /* where it fails, the next tick tries again */
			forwards__follow(run->forwarding, &run->meta);
		}
		run->alerted = false;
		if (run->proposal)
			propose__sources(run->proposal, programs__maps(run->programs));
	} while (left_ms(run, next) > 0);
	return 0;
}

/* Sets when the next tick is due. Seconds in which this process or machine was stopped are skipped; returns how many.
 */
static unsigned schedule(struct timespec *next)
{
	struct timespec now;
	time_t late;

	next->tv_sec++;
	clock_gettime(CLOCK_MONOTONIC, &now);
	late = now.tv_sec - next->tv_sec;
	if (late < 2)
		return 0;
	*next = now;
	return late;
}

static int loop(struct run *run, const sigset_t *blocked)
{
	int signals = signalfd(-1, blocked, SFD_CLOEXEC), ret = signals < 0 ? -1 : 0;
	unsigned second = 0, failures = 0;
	struct timespec next;

	clock_gettime(CLOCK_MONOTONIC, &next);
	while (!ret) {
		failures = tick(run, second++) ? failures + 1 : 0;
		if (failures)
			service__alive("the last second's work failed, see the log");
		if (failures == GIVE_UP || (run->settings->options.seconds && second > run->settings->options.seconds))
			break;
		second += schedule(&next);
		ret = wait_until(run, signals, &next);
	}
	if (signals >= 0)
		close(signals);
	return ret < 0 || failures == GIVE_UP ? -1 : 0;
}

/* Where a sysctl could not be restored, the pins stay: its former value is saved in them. */
static int finish(struct run *run)
{
	bool keep = run->settings->options.keep;
	int ret = 0;

	run->census.next_ns = 0;
	kept_events__note(&run->events, EVENT_STOPPED, 0, VERSION);
	kept_lists__save(&run->kept, &run->own);
	if (census__take(run->programs, &run->census) || snapshot__read(run->now, programs__maps(run->programs)))
		ret = -1;
	else
		summary__print(stdout, run->now);
	if (run->proposal && run->settings->options.dry_run)
		propose__print(stdout, run->proposal);
	if (armed_sysctls__end(&run->armed_sysctls, programs__maps(run->programs))) {
		keep = true;
		ret = -1;
	}
	if (!keep) {
		store__keep(&run->pins);
		return pins__remove(&run->pins) ? -1 : ret;
	}
	run->meta.pid = 0;
	if (meta__write(run))
		return -1;
	log_notice("the filter stays; synwarden run takes it over, synwarden detach removes it");
	return ret;
}

/* A start that failed leaves nothing, unless a former run's filter was there before: that stays, with as many of the
 * new rules as were set. */
static void give_up(struct run *run)
{
	if (!run->locked || (run->has_old_pins && !run->programs))
		return;
	if (run->programs)
		armed_sysctls__end(&run->armed_sysctls, programs__maps(run->programs));
	if (run->has_old_pins)
		log_error("the start failed; the filter of the former run" STAYS);
	else
		pins__remove(&run->pins);
}

static void block_signals(sigset_t *signals)
{
	sigemptyset(signals);
	sigaddset(signals, SIGINT);
	sigaddset(signals, SIGTERM);
	sigaddset(signals, SIGHUP);
	sigprocmask(SIG_BLOCK, signals, NULL);
	signal(SIGPIPE, SIG_IGN);
}

static void release(struct run *run)
{
	endpoint__stop(run->metrics);
	attack__close(run->attacks);
	kept_events__close(&run->events);
	usual__close(run->usual);
	served__close(run->served);
	port_slots__close(run->slots);
	auto_protect__close(run->auto_protect);
	forwards__close(run->forwarding);
	propose__close(run->proposal);
	ring_buffer__free(run->alerts);
	links__close(&run->links);
	list_set__close(&run->own);
	list_set__close(&run->fleet);
	if (run->former_fleet >= 0)
		close(run->former_fleet);
	programs__free(run->programs);
	pins__close(&run->pins);
	addresses__close(run);
	state_folder__close(&run->state);
	settings__free(run->settings);
	free(run->before);
	free(run->now);
}

/* From the start to the end. 0, or -1 after a message. */
static int protect(struct run *run, const sigset_t *blocked)
{
	int ret;

	run->before = calloc(1, sizeof(*run->before));
	run->now = calloc(1, sizeof(*run->now));
	if (!run->before || !run->now) {
		log_error("run: out of memory");
		return -1;
	}
	if (start__do(run)) {
		give_up(run);
		return -1;
	}
	heap__trim();
	service__ready();
	ret = loop(run, blocked);
	service__stopping();
	endpoint__stop(run->metrics);
	run->metrics = NULL;
	if (!ret)
		return finish(run);
	log_error("run failed; its filter" STAYS);
	return -1;
}

int cmd_run(int argc, char **argv)
{
	struct run run = {.former_fleet = -1,
			  .argc = argc,
			  .argv = argv,
			  .pins = {.fd = -1, .parent_fd = -1},
			  .addresses.watch = -1,
			  .state.fd = -1};
	sigset_t signals;
	int ret;

	heap__share();
	ret = start__settings(&run.settings, NULL, argc, argv);
	if (ret)
		return ret;
	ret = EXIT_USAGE;
	print_colour_init(stdout);
	if (!run.settings->interface_count) {
		options__refuse(&run_options__options, "missing argument: IFACE..., or interface = in %s", CONFIG_FILE);
	} else if (!interfaces__find(&run)) {
		block_signals(&signals);
		ret = -protect(&run, &signals);
	}
	release(&run);
	return ret;
}
