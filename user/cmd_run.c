// SPDX-License-Identifier: GPL-2.0-only
/*
 * synwarden run: once a second count, sweep and print; read the configuration again where asked to; at the end the
 * summary.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "cmd.h"
#include "heap.h"
#include "lists.h"
#include "log.h"
#include "options.h"
#include "print.h"
#include "run.h"
#include "service.h"
#include "summary.h"

#define SWEEP_SECONDS	 10
#define SENTENCE_SECONDS 5
#define STATUS_LEN	 512
#define FILTER_STAYS	 ", and a filter stays: synwarden run takes it over, synwarden detach removes it"
#define GIVE_UP		 30 /* ticks in a row that fail: a table of files that is full for a moment is no reason to end */

static int defend(struct run *run)
{
	const struct maps *maps = guard__maps(run->guard);

	if (!run->options.dry_run)
		return defence__update(&run->defence, maps);
	defence__rest(&run->defence, maps);
	return 0;
}

static void print_live(const struct run *run, unsigned second)
{
	char text[ATTACK_SENTENCE_LEN];
	size_t i;

	summary__live(stdout, run->before, run->now);
	for (i = 0; second % SENTENCE_SECONDS == 0 && i < run->now->port_count; i++)
		if (run->now->ports[i].attack.under_attack)
			printf("%s%s%s\n", print_red(), attack__sentence(text, &run->now->ports[i]), print_plain());
	fflush(stdout);
}

/* "filtering on eth0, eth1; port 80 is over its budget: ..." */
static void print_status(FILE *out, const struct run *run, const struct snapshot *snapshot)
{
	char sentence[ATTACK_SENTENCE_LEN];
	size_t i;

	if (run->reload_refused)
		fprintf(out, "the last reload was refused, see the log; ");
	fprintf(out, "filtering on ");
	for (i = 0; i < run->meta.interfaces; i++)
		fprintf(out, "%s%s%s", i ? ", " : "", run->meta.interface[i].name,
			run->meta.interface[i].ifindex ? "" : " (gone)");
	if (run->options.dry_run)
		fprintf(out, " (dry run: everything passes)");
	for (i = 1; i < snapshot->port_count; i++)
		if (snapshot->ports[i].armed)
			fprintf(out, "; %s", attack__sentence(sentence, &snapshot->ports[i]));
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

/* Once a second; the first snapshot is what live lines are counted from. */
static int tick(struct run *run, unsigned second)
{
	const struct maps *maps = guard__maps(run->guard);
	struct snapshot *swap = run->before;

	if (run__follow_interfaces(run) || census__take(run->guard, &run->census) || defend(run) ||
	    snapshot__read(run->now, maps) || attack__judge(run->attacks, run->now))
		return -1;
	metrics__note(run->metrics, run->now);
	if (second % SWEEP_SECONDS == 0 && (lists__sweep(maps, LIST_ALLOW) || lists__sweep(maps, LIST_BLOCK)))
		return -1;
	if (second && run->proposal)
		propose__ports(run->proposal, run->before, run->now);
	if (second && !run->options.quiet)
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

/* A process that sends SIGHUP wants the configuration read again; the kernel says with it that the terminal is gone. 1:
 * stop. */
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

/* Sleeps until the next second; an alert is acted on meanwhile. 1: a signal says to stop. */
static int wait_until(struct run *run, int signals, const struct timespec *next)
{
	struct pollfd fds[] = {{.fd = signals, .events = POLLIN},
			       {.fd = ring_buffer__epoll_fd(run->alerts), .events = POLLIN}};
	int left;

	do {
		left = left_ms(run, next);
		if (poll(fds, 2, left) < 0 && errno != EINTR) {
			log_error("cannot wait: %s", strerror(errno));
			return -1;
		}
		if (fds[0].revents && on_signal(run, signals))
			return 1;
		if (fds[1].revents)
			ring_buffer__consume(run->alerts);
		if (run->alerted)
			defend(run); /* where it fails, the next tick tries again */
		run->alerted = false;
		if (run->proposal)
			propose__sources(run->proposal, guard__maps(run->guard));
	} while (left_ms(run, next) > 0);
	return 0;
}

/* When the next tick is due. What a pause of this process or machine has swallowed is not made up for; returns how many
 * seconds that were. */
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
		if (failures == GIVE_UP || (run->options.seconds && second > run->options.seconds))
			break;
		second += schedule(&next);
		ret = wait_until(run, signals, &next);
	}
	if (signals >= 0)
		close(signals);
	return ret < 0 || failures == GIVE_UP ? -1 : 0;
}

/* Where not all could be put back in the kernel, the pins stay: what it was stands in them. */
static int finish(struct run *run)
{
	bool keep = run->options.keep;
	int ret = 0;

	run->census.next_ns = 0;
	if (census__take(run->guard, &run->census) || snapshot__read(run->now, guard__maps(run->guard)))
		ret = -1;
	else
		summary__print(stdout, run->now);
	if (run->proposal && run->options.dry_run)
		propose__print(stdout, run->proposal);
	if (defence__end(&run->defence, guard__maps(run->guard))) {
		keep = true;
		ret = -1;
	}
	if (!keep)
		return pins__remove(&run->pins) ? -1 : ret;
	run->meta.pid = 0;
	if (run__write_meta(run))
		return -1;
	log_notice("the filter stays; synwarden run takes it over, synwarden detach removes it");
	return ret;
}

/* A start that failed leaves nothing behind, unless a former run's filter was there before: that protects on, as far as
 * this start has come with its own rules. */
static void give_up(struct run *run)
{
	if (!run->locked || (run->former && !run->guard))
		return;
	if (run->guard)
		defence__end(&run->defence, guard__maps(run->guard));
	if (run->former)
		log_error("the start failed on the way" FILTER_STAYS);
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

int cmd_run(int argc, char **argv)
{
	struct run run = {.argc = argc, .argv = argv, .pins = {.fd = -1, .parent_fd = -1}};
	sigset_t signals;
	int ret;

	heap__share();
	ret = settings__read(&run.settings, NULL, argc, argv);
	if (ret)
		return ret;
	ret = EXIT_USAGE;
	run.started = run.settings;
	run.options = run.settings->options;
	print_colour_init(stdout);
	if (!run.settings->interface_count) {
		options_refuse(&config__options, "missing argument: IFACE..., or interface = in %s", CONFIG_FILE);
		goto cleanup;
	}
	if (run__find_interfaces(&run, run.settings->interfaces, run.settings->interface_count))
		goto cleanup;
	ret = 1;
	block_signals(&signals);
	run.before = calloc(1, sizeof(*run.before));
	run.now = calloc(1, sizeof(*run.now));
	if (!run.before || !run.now)
		goto cleanup;
	if (run__start(&run)) {
		give_up(&run);
		goto cleanup;
	}
	heap__trim();
	service__ready();
	ret = -loop(&run, &signals);
	service__stopping();
	metrics__stop(run.metrics);
	run.metrics = NULL;
	if (ret)
		log_error("run ends by its own failure" FILTER_STAYS);
	else
		ret = -finish(&run);
cleanup:
	metrics__stop(run.metrics);
	attack__close(run.attacks);
	propose__close(run.proposal);
	ring_buffer__free(run.alerts);
	guard__free(run.guard);
	pins__close(&run.pins);
	if (run.settings != run.started)
		settings__free(run.settings);
	settings__free(run.started);
	free(run.before);
	free(run.now);
	return ret;
}
