// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checks of the network namespace's TCP settings, and of the listeners' backlogs against them.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "doctor/checks.h"
#include "kernel/sysctls.h"
#include "text/address.h"

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
	int64_t value = on->host->settings[SETTING_SYNCOOKIES];
	enum check_status status = unreadable(finding, value);

	if (status != CHECK_SKIP)
		return status;
	if (value)
		return checks__say(finding, CHECK_OK, "%" PRId64 ": %s", value,
				   value == 1 ? "once a SYN backlog is full" : "for every SYN");
	checks__command(finding, "sysctl -w net.ipv4.tcp_syncookies=1");
	return checks__say(finding, CHECK_WEAK, "0: off");
}

static enum check_status judge_writable(const struct subject *on, struct finding *finding)
{
	if (on->host->settings_writable == ANSWER_YES)
		return checks__say(finding, CHECK_OK, "/proc/sys/net");
	if (on->host->settings_writable == ANSWER_UNKNOWN)
		return checks__say(finding, CHECK_UNKNOWN, "this user may not write there; what root may is not seen");
	if (on->host->settings[SETTING_SYNCOOKIES] == SYNCOOKIES_ALWAYS)
		return checks__say(finding, CHECK_OK, "/proc/sys/net is read-only, and tcp_syncookies is 2 already");
	checks__command(finding, "mount -o remount,rw /proc/sys");
	checks__advise(finding, "or, from outside of the container, set net.ipv4.tcp_syncookies to 2 for good");
	return checks__say(finding, CHECK_BROKEN,
			   "/proc/sys/net is read-only: SYN cookies cannot be forced, and SYNs "
			   "over budget pass");
}

static enum check_status judge_timestamps(const struct subject *on, struct finding *finding)
{
	int64_t value = on->host->settings[SETTING_TIMESTAMPS];
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
	int64_t value = on->host->settings[SETTING_SYNACK_RETRIES];
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
static uint32_t largest_backlog(const struct host *host)
{
	uint32_t largest = 0;

	for (size_t i = 0; i < host->backlogs.count; i++)
		if (!host->backlogs.all[i].loopback && host->backlogs.all[i].limit > largest)
			largest = host->backlogs.all[i].limit;
	return largest;
}

/* Whether listen() got no more for somaxconn's sake; what it had asked for is not kept. */
static bool is_capped(const struct host *host, const struct backlog *backlog)
{
	int64_t most = host->settings[SETTING_SOMAXCONN];

	return !backlog->loopback && most >= 0 && most < LARGE_BACKLOG && backlog->limit == most;
}

/* With cookies on, only the listener's backlog bounds the SYN backlog; with cookies off, three quarters of this setting
 * do too. */
static enum check_status judge_syn_backlog(const struct subject *on, struct finding *finding)
{
	const struct host *host = on->host;
	int64_t value = host->settings[SETTING_SYN_BACKLOG], wanted = LARGE_BACKLOG;
	enum check_status status = unreadable(finding, value);
	uint32_t largest = largest_backlog(host);

	if (status != CHECK_SKIP)
		return status;
	if (host->settings[SETTING_SYNCOOKIES] > 0)
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
	const struct host *host = on->host;
	int64_t value = host->settings[SETTING_SOMAXCONN];
	enum check_status status = unreadable(finding, value);
	unsigned capped = 0;

	if (status != CHECK_SKIP)
		return status;
	for (size_t i = 0; i < host->backlogs.count; i++)
		capped += is_capped(host, &host->backlogs.all[i]);
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
	int64_t value = on->host->settings[SETTING_CONNTRACK_LOOSE];

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
	if (on->host->backlogs_seen != ANSWER_YES)
		return checks__say(finding, CHECK_UNKNOWN, "the kernel does not list them (CONFIG_INET_DIAG)");
	return checks__say(finding, CHECK_OK, "%zu; those on loopback are out of an attacker's reach",
			   on->host->backlogs.count);
}

static bool is_wildcard(const struct addr *addr)
{
	return !addr->halves[0] && (!addr->halves[1] || (print_is_v4(addr) && !addr->words[3]));
}

/* The listener that holds a port of an address, or of all; NULL where there is none. */
static const struct backlog *holder_of(const struct host *host, const struct addr *addr, uint16_t port)
{
	for (size_t i = 0; i < host->backlogs.count; i++) {
		const struct backlog *backlog = &host->backlogs.all[i];

		if (backlog->port == port &&
		    (!memcmp(&backlog->addr, addr, sizeof(*addr)) || is_wildcard(addr) || is_wildcard(&backlog->addr)))
			return backlog;
	}
	return NULL;
}

static enum check_status judge_list_files(const struct subject *on, struct finding *finding)
{
	const struct host *host = on->host;
	unsigned waiting = 0;

	if (host->run.state != RUN_ALIVE)
		return CHECK_SKIP;
	for (unsigned list = 0; list < LIST_MAX; list++)
		waiting += host->run.waiting[list];
	if (!waiting)
		return checks__say(finding, CHECK_OK, "in force as they are named");
	checks__advise(finding,
		       "correct the files that this names: synwarden check-config --strict; run then takes them "
		       "by itself");
	return checks__say(finding, CHECK_WEAK, "%u of them not taken: the lists are as they last were", waiting);
}

static enum check_status judge_protection(const struct subject *on, struct finding *finding)
{
	static const enum check_status statuses[] = {
		[SEVERITY_FINE] = CHECK_OK,
		[SEVERITY_WARNING] = CHECK_WEAK,
		[SEVERITY_CRITICAL] = CHECK_BROKEN,
		[SEVERITY_UNKNOWN] = CHECK_UNKNOWN,
	};
	const struct host *host = on->host;

	if (host->run.state != RUN_ALIVE)
		return CHECK_SKIP;
	if (*host->run.fix)
		checks__command(finding, "%s", host->run.fix);
	return checks__say(finding, statuses[host->run.severity], "%s", host->run.verdict);
}

static enum check_status judge_endpoint(const struct subject *on, struct finding *finding)
{
	const struct host *host = on->host;
	const struct backlog *holder;
	char place[PRINT_ENDPOINT_LEN];

	if (host->run.state != RUN_ALIVE || !host->run.endpoint_port)
		return CHECK_SKIP;
	print_endpoint(place, &host->run.endpoint, host->run.endpoint_port);
	if (!(host->run.flags & META_ENDPOINT_WAITS))
		return checks__say(finding, CHECK_OK, "served at %s", place);
	holder = holder_of(host, &host->run.endpoint, host->run.endpoint_port);
	if (!holder) {
		checks__advise(finding,
			       "give an interface that address, or restart run with another --listen ADDR:PORT");
		return checks__say(finding, CHECK_WEAK, "not served: %s cannot be listened on", place);
	}
	checks__advise(finding, "stop that process: run takes the address within a second; synwarden.socket "
				"keeps it over restarts");
	if (holder->pid)
		return checks__say(finding, CHECK_WEAK, "not served: %s is held by %.15s, pid %u, of uid %u", place,
				   holder->comm, holder->pid, holder->uid);
	return checks__say(finding, CHECK_WEAK, "not served: %s is held by a process of uid %u", place, holder->uid);
}

static enum check_status judge_redirects(const struct subject *on, struct finding *finding)
{
	const struct redirects *redirects = &on->host->redirects;
	char list[128] = "", port[REDIRECT_PORT_LEN], to[REDIRECT_PORT_LEN];
	size_t len = 0;

	if (!on->host->redirects_seen) {
		checks__advise(finding, "look as root");
		return checks__say(finding, CHECK_UNKNOWN, "rules cannot be read");
	}
	if (!redirects->count)
		return checks__say(finding, CHECK_OK, "none");
	for (size_t i = 0; i < redirects->count && len < sizeof(list); i++)
		len += snprintf(list + len, sizeof(list) - len, "%s%s to %s", i ? ", " : "",
				redirects__port(port, "", redirects->all[i].port),
				redirects__port(to, "", redirects->all[i].to));
	checks__advise(finding, "let the service listen on the port that clients use");
	return checks__say(finding, CHECK_WEAK, "%s", list);
}

static const struct check setting_checks[] = {
	{"tcp_syncookies", "below the budget, the kernel's cookies let clients in while the SYN backlog is full",
	 judge_syncookies},
	{"sysctls",
	 "run raises them while a port is armed; otherwise the kernel takes cookies only once its backlog is full",
	 judge_writable},
	{"tcp_timestamps", "cookies keep window scale, SACK and ECN only in timestamps", judge_timestamps},
	{"tcp_synack_retries", "it bounds the time that an unanswered SYN stays in the SYN backlog", judge_retries},
	{"tcp_max_syn_backlog", "with SYN cookies off it bounds each SYN backlog, whatever the listener asked for",
	 judge_syn_backlog},
	{"somaxconn", "it caps the backlog that listen() asks for", judge_somaxconn},
	{"conntrack",
	 "a firewall's connection tracking sees neither SYN nor SYN-ACK of a challenge, but first the client's ACK",
	 judge_conntrack},
	{"listeners", "each has its own backlog, which bounds its queues", judge_listeners},
	{"HTTP endpoint", "another process that holds its address answers in its place, and scrapers notice nothing",
	 judge_endpoint},
	{"protection", "what a flood would meet now, and whether clients get in", judge_protection},
	{"list files", "a list whose file is not taken no longer follows what its publisher says", judge_list_files},
	{"redirected ports", "SYNs to a port that a rule redirects are not filtered: no socket listens on it",
	 judge_redirects},
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
	if (is_capped(on->host, backlog)) {
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
	{"backlog", "it bounds the SYN backlog and the accept queue: connections in a burst beyond it are refused",
	 judge_backlog},
};

const struct check_table checks_listeners = {backlog_checks, sizeof(backlog_checks) / sizeof(*backlog_checks)};
