// SPDX-License-Identifier: GPL-2.0-only
/*
 * synwarden run: load or take over, attach, pin, serve; once a second count, sweep and print; at the end the summary.
 */
#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "attack.h"
#include "census.h"
#include "cmd.h"
#include "config.h"
#include "defence.h"
#include "guard.h"
#include "lists.h"
#include "log.h"
#include "metrics.h"
#include "options.h"
#include "pins.h"
#include "print.h"
#include "propose.h"
#include "summary.h"

#define SWEEP_SECONDS	    10
#define DEFAULT_PORT_BUDGET 1000
#define SENTENCE_SECONDS    5

static const struct option_row rows[] = {
	{"dry-run", 'n', OPTION_FLAG, 0, 0, NULL, offsetof(struct run_options, dry_run),
	 "judge and count as if enforcing, but pass everything"},
	{"source-limit", 0, OPTION_NUMBER, 0, SOURCE_LIMIT_MAX, "N", offsetof(struct run_options, source_limit),
	 "SYN/s from one source (IPv4 address, IPv6 /64) before it is dropped; default 0: off"},
	{"port-budget", 0, OPTION_NUMBER, 0, PORT_BUDGET_MAX, "N", offsetof(struct run_options, port_budget),
	 "SYN/s admitted to one listening port before the rest are challenged; default 1000; 0: off"},
	{"challenge", 0, OPTION_CHOICE, 0, 0, "auto|off", offsetof(struct run_options, challenge),
	 "answer SYNs over budget with a SYN cookie, or drop them (off); default auto"},
	{"protect", 0, OPTION_TEXT, 0, 0, "[ADDR:]PORT[,...]", offsetof(struct run_options, protect),
	 "served from the start, without waiting for a first handshake"},
	{"harden", 0, OPTION_FLAG, 0, 0, NULL, offsetof(struct run_options, harden),
	 "while a port is armed, also lengthen the SYN queue, shorten its time-outs and let cookies keep options"},
	{"xdp-mode", 0, OPTION_CHOICE, 0, 0, "auto|native|generic", offsetof(struct run_options, xdp_mode),
	 "where the program runs; default auto: native, else generic"},
	{"listen", 0, OPTION_LISTEN, 0, 0, "ADDR:PORT|off", offsetof(struct run_options, listen),
	 "HTTP endpoint; default 127.0.0.1:9798"},
	{"duration", 0, OPTION_NUMBER, 1, 31536000, "SECONDS", offsetof(struct run_options, seconds), "stop by itself"},
	{"keep", 0, OPTION_FLAG, 0, 0, NULL, offsetof(struct run_options, keep), "leave the filter attached on exit"},
	{"quiet", 'q', OPTION_FLAG, 0, 0, NULL, offsetof(struct run_options, quiet), "no live lines"},
};

static const struct option_table table = {
	.command = "run",
	.arguments = "IFACE...",
	.summary = "Filters SYNs on the interfaces and tracks TCP connections until SIGINT or SIGTERM.",
	.rows = rows,
	.count = sizeof(rows) / sizeof(*rows),
	.min_arguments = 1,
	.max_arguments = META_INTERFACES,
};

struct run {
	struct run_options options;
	struct pins pins;
	struct attacks *attacks;
	struct defence defence;
	struct ring_buffer *alerts;
	struct proposal *proposal; /* of a dry run */
	bool alerted;
	struct guard *guard;
	struct metrics *metrics;
	struct census_clock census;
	struct meta meta;
	bool locked; /* the pins are ours to change */
	bool former; /* they hold what a former run left */
	bool taken_over[META_INTERFACES];
	struct snapshot *before, *now;
};

static int find_interfaces(struct run *run, int count, char **names)
{
	int i, j;

	for (i = 0; i < count; i++) {
		unsigned ifindex = if_nametoindex(names[i]);

		if (!ifindex) {
			log_error("run: \"%s\" is not an interface of this network namespace; see: ip link", names[i]);
			return -1;
		}
		for (j = 0; j < i; j++) {
			if (run->meta.interface[j].ifindex == ifindex) {
				log_error("run: \"%s\" is named twice", names[i]);
				return -1;
			}
		}
		run->meta.interface[i].ifindex = ifindex;
		snprintf(run->meta.interface[i].name, sizeof(run->meta.interface[i].name), "%s", names[i]);
	}
	run->meta.interfaces = count;
	return 0;
}

/* Puts this run's program into the links of a former one, on interfaces that both name; the others lose their filter.
 */
static int take_over(void *context, unsigned ifindex, int link_fd)
{
	struct run *run = context;
	size_t i;

	for (i = 0; i < run->meta.interfaces; i++) {
		if (run->meta.interface[i].ifindex == ifindex) {
			run->taken_over[i] = true;
			return guard__takeover_xdp(run->guard, ifindex, dup(link_fd));
		}
	}
	return pins__remove_xdp(&run->pins, ifindex);
}

static int attach(struct run *run)
{
	size_t i;

	if (guard__attach_tracker(run->guard) || census__take(run->guard, &run->census) ||
	    pins__each_xdp(&run->pins, take_over, run))
		return -1;
	for (i = 0; i < run->meta.interfaces; i++) {
		unsigned ifindex = run->meta.interface[i].ifindex;

		if (!run->taken_over[i] && guard__attach_xdp(run->guard, ifindex, run->options.xdp_mode))
			return -1;
		run->meta.interface[i].native = guard__is_native(ifindex);
		log_info("%s: filtering in %s mode%s", run->meta.interface[i].name,
			 run->meta.interface[i].native ? "native" : "generic",
			 run->options.dry_run ? "; dry run: everything passes" : "");
	}
	return 0;
}

static int write_meta(struct run *run)
{
	__u32 key = 0;

	if (bpf_map_update_elem(guard__maps(run->guard)->meta, &key, &run->meta, BPF_ANY) == 0)
		return 0;
	log_error("cannot write the pinned state: %s", strerror(errno));
	return -1;
}

/* Goes on with the maps of a run that was killed or ended with --keep, if they are of this layout. */
static int load(struct run *run, struct config *config)
{
	struct meta former;
	struct maps maps;
	char who[24];
	bool reuse = false;
	int ret;

	run->former = pins__meta(&run->pins, &former) == 0;
	if (!run->former && pins__clear(&run->pins))
		return -1;
	if (run->former) {
		if (former.layout == LAYOUT_VERSION) {
			if (pins__maps(&run->pins, &maps))
				return -1;
			reuse = true;
			run->meta.since_ns = former.since_ns;
			memcpy(config->hash_seed, former.hash_seed, sizeof(config->hash_seed));
			snprintf(who, sizeof(who), former.pid ? "run %u" : "a former run", former.pid);
			log_info("taking over the filter that %s left: its lists and counters go on", who);
		} else {
			log_warn("taking over from synwarden %.15s, whose lists and counters cannot be gone on with",
				 former.version);
		}
	}
	memcpy(run->meta.hash_seed, config->hash_seed, sizeof(run->meta.hash_seed));
	ret = guard__load(&run->guard, config, GUARD_FILTER | GUARD_TRACKER | GUARD_CENSUS, reuse ? &maps : NULL, 0);
	if (reuse)
		pins__close_maps(&maps);
	return ret;
}

static int on_alert(void *context, void *data, size_t size)
{
	struct run *run = context;

	run->alerted = true;
	if (size >= sizeof(struct alert) && run->attacks)
		attack__armed(run->attacks, data);
	return 0;
}

/* What reacts to arming; what a killed run had set in the kernel is put back first. */
static int watch(struct run *run)
{
	const struct maps *maps = guard__maps(run->guard);

	run->defence.harden = run->options.harden;
	run->alerts = ring_buffer__new(maps->alerts, on_alert, run, NULL);
	if (!run->alerts) {
		log_error("cannot open the alert ring: %s", strerror(errno));
		return -1;
	}
	if (defence__end(maps) || (!run->options.dry_run && defence__update(&run->defence, maps)) ||
	    (run->options.protect && config__protect(run->options.protect, maps->served)))
		return -1;
	if (run->options.dry_run && propose__open(&run->proposal))
		return -1;
	return attack__open(&run->attacks, maps);
}

static int start(struct run *run)
{
	struct config config;
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	run->meta.layout = LAYOUT_VERSION;
	run->meta.pid = getpid();
	run->meta.since_ns = now.tv_sec * 1000000000ULL + now.tv_nsec;
	run->meta.netns_cookie = pins__netns_cookie();
	run->meta.dry_run = run->options.dry_run;
	run->meta.source_limit = run->options.source_limit;
	run->meta.port_budget = run->options.port_budget;
	run->meta.challenge = run->options.challenge == CHALLENGE_AUTO;
	snprintf(run->meta.version, sizeof(run->meta.version), VERSION);
	if (config__make(&config, &run->options) || pins__open(&run->pins, true, NULL) || pins__lock(&run->pins))
		return -1;
	run->locked = true;
	if (load(run, &config) || watch(run) || attach(run) || write_meta(run) ||
	    guard__pin(run->guard, run->pins.path) ||
	    metrics__start(&run->metrics, &run->options.listen, guard__maps(run->guard)))
		return -1;
	return 0;
}

/* A dry run changes nothing in the kernel. */
static int defend(struct run *run)
{
	return run->options.dry_run ? 0 : defence__update(&run->defence, guard__maps(run->guard));
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

/* Once a second; the first snapshot is what live lines are counted from. */
static int tick(struct run *run, unsigned second)
{
	const struct maps *maps = guard__maps(run->guard);
	struct snapshot *swap = run->before;

	if (census__take(run->guard, &run->census) || defend(run) || snapshot__read(run->now, maps) ||
	    attack__judge(run->attacks, run->now))
		return -1;
	if (second % SWEEP_SECONDS == 0 && (lists__sweep(maps, LIST_ALLOW) || lists__sweep(maps, LIST_BLOCK)))
		return -1;
	if (second && run->proposal)
		propose__ports(run->proposal, run->before, run->now);
	if (second && !run->options.quiet)
		print_live(run, second);
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

/* Sleeps until the next second; an alert is acted on meanwhile. 1: a signal says to stop. */
static int wait_until(struct run *run, int signals, const struct timespec *next)
{
	struct pollfd fds[] = {{.fd = signals, .events = POLLIN},
			       {.fd = ring_buffer__epoll_fd(run->alerts), .events = POLLIN}};
	int left;

	while ((left = left_ms(run, next)) > 0) {
		if (poll(fds, 2, left) < 0 && errno != EINTR) {
			log_error("cannot wait: %s", strerror(errno));
			return -1;
		}
		if (fds[0].revents)
			return 1;
		if (fds[1].revents)
			ring_buffer__consume(run->alerts);
		if (run->alerted && defend(run))
			return -1;
		run->alerted = false;
		if (run->proposal && propose__sources(run->proposal, guard__maps(run->guard)))
			return -1;
	}
	return 0;
}

static int loop(struct run *run, const sigset_t *blocked)
{
	int signals = signalfd(-1, blocked, SFD_CLOEXEC), ret = signals < 0 ? -1 : 0;
	struct timespec next;
	unsigned second = 0;

	clock_gettime(CLOCK_MONOTONIC, &next);
	while (!ret) {
		ret = tick(run, second++);
		if (ret || (run->options.seconds && second > run->options.seconds))
			break;
		next.tv_sec++;
		ret = wait_until(run, signals, &next);
	}
	if (signals >= 0)
		close(signals);
	return ret < 0 ? -1 : 0;
}

static int finish(struct run *run)
{
	int ret = 0;

	run->census.next_ns = 0;
	if (census__take(run->guard, &run->census) || snapshot__read(run->now, guard__maps(run->guard)))
		ret = -1;
	else
		summary__print(stdout, run->now);
	if (run->proposal)
		propose__print(stdout, run->proposal);
	if (defence__end(guard__maps(run->guard)))
		ret = -1;
	if (!run->options.keep)
		return pins__remove(&run->pins) ? -1 : ret;
	run->meta.pid = 0;
	if (write_meta(run))
		return -1;
	log_info("the filter stays; synwarden run takes it over, synwarden detach removes it");
	return ret;
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
	struct run run = {.pins = {.fd = -1, .parent_fd = -1}, .options = {.port_budget = DEFAULT_PORT_BUDGET}};
	const char *why;
	sigset_t signals;
	int count, ret = 1;

	parse_listen("127.0.0.1:9798", &run.options.listen, &why);
	count = options_parse(&table, argc, argv, &run.options);
	if (count < 0)
		return -count;
	print_colour_init(stdout);
	if (find_interfaces(&run, count, argv + 1) || (run.options.protect && config__protect(run.options.protect, -1)))
		return EXIT_USAGE;
	block_signals(&signals);
	run.before = calloc(1, sizeof(*run.before));
	run.now = calloc(1, sizeof(*run.now));
	if (!run.before || !run.now)
		goto cleanup;
	if (start(&run)) {
		if (run.locked && !run.former)
			pins__remove(&run.pins);
		goto cleanup;
	}
	ret = -loop(&run, &signals);
	metrics__stop(run.metrics);
	run.metrics = NULL;
	ret |= -finish(&run);
cleanup:
	metrics__stop(run.metrics);
	attack__close(run.attacks);
	propose__close(run.proposal);
	ring_buffer__free(run.alerts);
	guard__free(run.guard);
	pins__close(&run.pins);
	free(run.before);
	free(run.now);
	return ret;
}
