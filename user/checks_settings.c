// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checks of the network namespace's TCP settings, and of the listeners' backlogs against them.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "checks.h"
#include "print.h"

#define SMALL_BACKLOG  128  /* what listen() could get at most for thirty years */
#define LARGE_BACKLOG  4096 /* the kernel's own default of somaxconn since 5.4 */
#define ORDINARY_TRIES 5    /* SYN-ACKs sent again: 63 s until a half-open connection goes */

/* What all of them say where the value cannot be judged; CHECK_SKIP where it can. */
static enum check_status unreadable(struct finding *finding, int64_t value)
{
	if (value == SETTING_UNKNOWN)
		return checks__say(finding, CHECK_UNKNOWN, "/proc/sys/net cannot be read");
	if (value != SETTING_ABSENT)
		return CHECK_SKIP;
	checks__advise(finding, "boot a kernel that has it");
	return checks__say(finding, CHECK_BROKEN, "this kernel was built without it");
}

static enum check_status judge_syncookies(const struct subject *on, struct finding *finding)
{
	int64_t value = on->scene->settings[SETTING_SYNCOOKIES];
	enum check_status status = unreadable(finding, value);

	if (status != CHECK_SKIP)
		return status;
	if (value)
		return checks__say(finding, CHECK_OK, "%" PRId64 ": %s", value,
				   value == 1 ? "once a SYN queue is full" : "for every SYN");
	checks__command(finding, "sysctl -w net.ipv4.tcp_syncookies=1");
	return checks__say(finding, CHECK_WEAK, "0: off");
}

static enum check_status judge_writable(const struct subject *on, struct finding *finding)
{
	if (on->scene->settings_writable == ANSWER_YES)
		return checks__say(finding, CHECK_OK, "/proc/sys/net");
	if (on->scene->settings_writable == ANSWER_UNKNOWN)
		return checks__say(finding, CHECK_UNKNOWN, "this user may not write there; what root may is not seen");
	checks__command(finding, "mount -o remount,rw /proc/sys");
	checks__advise(finding, "or, from outside of the container, set net.ipv4.tcp_syncookies to 2 for good");
	return checks__say(finding, CHECK_WEAK, "/proc/sys/net is read-only");
}

static enum check_status judge_timestamps(const struct subject *on, struct finding *finding)
{
	int64_t value = on->scene->settings[SETTING_TIMESTAMPS];
	enum check_status status = unreadable(finding, value);

	if (status != CHECK_SKIP)
		return status;
	if (value == 1)
		return checks__say(finding, CHECK_OK,
				   "1: a challenged connection keeps its MSS alone, but with "
				   "--harden");
	if (value)
		return checks__say(finding, CHECK_OK, "%" PRId64 ": a challenged connection keeps all", value);
	checks__command(finding, "sysctl -w net.ipv4.tcp_timestamps=1");
	return checks__say(finding, CHECK_WEAK, "0: off");
}

static enum check_status judge_retries(const struct subject *on, struct finding *finding)
{
	int64_t value = on->scene->settings[SETTING_SYNACK_RETRIES];
	enum check_status status = unreadable(finding, value);

	if (status != CHECK_SKIP)
		return status;
	if (value >= 1 && value <= ORDINARY_TRIES)
		return checks__say(finding, CHECK_OK, "%" PRId64, value);
	checks__command(finding, "sysctl -w net.ipv4.tcp_synack_retries=%d", ORDINARY_TRIES);
	return checks__say(finding, CHECK_WEAK, "%" PRId64 ": %s", value,
			   value ? "half-open connections stay for minutes" : "a client that loses one gets no other");
}

/* The largest backlog of a listener that the interfaces reach; 0: there is none. */
static uint32_t largest_backlog(const struct scene *scene)
{
	uint32_t largest = 0;

	for (size_t i = 0; i < scene->backlog_count; i++)
		if (!scene->backlogs[i].loopback && scene->backlogs[i].limit > largest)
			largest = scene->backlogs[i].limit;
	return largest;
}

/* Whether listen() got no more for somaxconn's sake; what it had asked for is not kept. */
static bool is_capped(const struct scene *scene, const struct backlog *backlog)
{
	int64_t most = scene->settings[SETTING_SOMAXCONN];

	return !backlog->loopback && most >= 0 && most < LARGE_BACKLOG && backlog->limit == most;
}

/* Cookies on, the backlog alone bounds the SYN queue; off, three quarters of this setting do so too. */
static enum check_status judge_syn_backlog(const struct subject *on, struct finding *finding)
{
	const struct scene *scene = on->scene;
	int64_t value = scene->settings[SETTING_SYN_BACKLOG], wanted = LARGE_BACKLOG;
	enum check_status status = unreadable(finding, value);
	uint32_t largest = largest_backlog(scene);

	if (status != CHECK_SKIP)
		return status;
	if (scene->settings[SETTING_SYNCOOKIES] > 0)
		return checks__say(finding, CHECK_OK, "%" PRId64 ", not asked while tcp_syncookies is on", value);
	if (value * 3 / 4 >= largest)
		return checks__say(finding, CHECK_OK, "%" PRId64 ", enough for the largest backlog, %u", value,
				   largest);
	while (wanted * 3 / 4 < largest)
		wanted *= 2;
	checks__command(finding, "sysctl -w net.ipv4.tcp_max_syn_backlog=%" PRId64, wanted);
	return checks__say(finding, CHECK_WEAK, "%" PRId64 ": a quarter is kept free, and a listener's backlog is %u",
			   value, largest);
}

static enum check_status judge_somaxconn(const struct subject *on, struct finding *finding)
{
	const struct scene *scene = on->scene;
	int64_t value = scene->settings[SETTING_SOMAXCONN];
	enum check_status status = unreadable(finding, value);
	unsigned capped = 0;

	if (status != CHECK_SKIP)
		return status;
	for (size_t i = 0; i < scene->backlog_count; i++)
		capped += is_capped(scene, &scene->backlogs[i]);
	if (!capped)
		return checks__say(finding, CHECK_OK, "%" PRId64 ", caps no listener", value);
	checks__command(finding, "sysctl -w net.core.somaxconn=%d", LARGE_BACKLOG);
	checks__advise(finding, "then restart what listens: it holds from the next listen() on");
	return checks__say(finding, CHECK_WEAK, "%" PRId64 ", the backlog of %u listener%s, named below", value, capped,
			   capped == 1 ? "" : "s");
}

/* Whether a firewall's rule drops what is invalid, or wants a SYN of what is new, is not looked at. */
static enum check_status judge_conntrack(const struct subject *on, struct finding *finding)
{
	int64_t value = on->scene->settings[SETTING_CONNTRACK_LOOSE];

	if (value == SETTING_ABSENT)
		return CHECK_SKIP;
	if (value == SETTING_UNKNOWN)
		return unreadable(finding, value);
	if (value)
		return checks__say(finding, CHECK_OK,
				   "tcp_loose %" PRId64 ": a challenged client's ACK is new to it, without a SYN",
				   value);
	checks__command(finding, "sysctl -w net.netfilter.nf_conntrack_tcp_loose=1");
	return checks__say(finding, CHECK_WEAK, "tcp_loose 0: a challenged client's ACK is invalid to it");
}

static enum check_status judge_listeners(const struct subject *on, struct finding *finding)
{
	if (on->scene->backlogs_seen != ANSWER_YES)
		return checks__say(finding, CHECK_UNKNOWN, "the kernel does not list them (CONFIG_INET_DIAG)");
	return checks__say(finding, CHECK_OK, "%zu; those on loopback are out of an attacker's reach",
			   on->scene->backlog_count);
}

static const struct check setting_checks[] = {
	{"tcp_syncookies",
	 "below the budget it is the kernel's cookies that keep a full SYN queue from turning clients away",
	 judge_syncookies},
	{"sysctls", "while a port is armed run raises them, or the kernel takes cookies only once its queue is full",
	 judge_writable},
	{"tcp_timestamps", "cookies can keep window scale, SACK and ECN in them alone", judge_timestamps},
	{"tcp_synack_retries", "it says how long an unanswered SYN holds its place in the SYN queue", judge_retries},
	{"tcp_max_syn_backlog", "with SYN cookies off it bounds each SYN queue, whatever the listener asked for",
	 judge_syn_backlog},
	{"somaxconn", "it caps the backlog that listen() asks for", judge_somaxconn},
	{"conntrack",
	 "a firewall's connection tracking sees neither SYN nor SYN-ACK of a challenge, but first the client's ACK",
	 judge_conntrack},
	{"listeners", "each has a backlog of its own, which bounds its queues", judge_listeners},
};

const struct check_table checks_settings = {setting_checks, sizeof(setting_checks) / sizeof(*setting_checks)};

/* "0.0.0.0:80 (nginx, pid 12)" */
static void print_listener(char *buf, size_t size, const struct backlog *backlog)
{
	char endpoint[PRINT_ENDPOINT_LEN];

	print_endpoint(endpoint, &backlog->addr, backlog->port);
	if (backlog->pid)
		snprintf(buf, size, "%s (%.15s, pid %u)", endpoint, backlog->comm, backlog->pid);
	else
		snprintf(buf, size, "%s (process unknown)", endpoint);
}

static enum check_status judge_backlog(const struct subject *on, struct finding *finding)
{
	const struct backlog *backlog = on->backlog;
	char who[PRINT_ENDPOINT_LEN + 64];

	if (backlog->loopback)
		return CHECK_SKIP;
	print_listener(who, sizeof(who), backlog);
	/* The kernel lets one more in than it says: net/sock.h, sk_acceptq_is_full(). */
	if (backlog->queued > backlog->limit) {
		checks__advise(finding, "see why the process does not accept(); a larger backlog helps over a burst "
					"only");
		return checks__say(finding, CHECK_BROKEN, "%s: %u wait for accept(), its backlog of %u is full", who,
				   backlog->queued, backlog->limit);
	}
	if (is_capped(on->scene, backlog)) {
		checks__command(finding, "sysctl -w net.core.somaxconn=%d", LARGE_BACKLOG);
		checks__advise(finding, "then restart it");
		return checks__say(finding, CHECK_WEAK, "%s: %u, all that somaxconn lets it have", who, backlog->limit);
	}
	if (backlog->limit >= SMALL_BACKLOG)
		return CHECK_SKIP;
	checks__advise(finding, "raise the backlog in its own configuration, to %d or more, and restart it",
		       SMALL_BACKLOG);
	return checks__say(finding, CHECK_WEAK, "%s: %u", who, backlog->limit);
}

static const struct check backlog_checks[] = {
	{"backlog", "it bounds the SYN queue and the accept queue: who comes in a burst beyond it is turned away",
	 judge_backlog},
};

const struct check_table checks_listeners = {backlog_checks, sizeof(backlog_checks) / sizeof(*backlog_checks)};
