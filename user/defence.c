// SPDX-License-Identifier: GPL-2.0-only
/*
 * Raises and lowers the kernel's own defences with the arming.
 */
#include <errno.h>
#include <string.h>

#include <bpf/bpf.h>

#include "clock.h"
#include "defence.h"
#include "log.h"
#include "sysctls.h"

#define HARDENED_BACKLOG 65536 /* asked by tcp_conn_request() where tcp_syncookies is 0, and only there */
#define HARDENED_RETRIES 2     /* SYN-ACKs: gives up after 7 s instead of 63 */
#define PLAIN_TIMESTAMPS 2     /* without a random offset, so that a cookie's can be read */
#define TIMESTAMPS_HOLD_NS                                                                                             \
	(60 * NS_PER_S) /* cookies live this long: until then they must be read as they were written */
#define RETRY_NS (30 * NS_PER_S)

/* A setting of our own is not built on once it is to be put back. */
static int write_policy(const struct maps *maps, bool is_armed)
{
	struct cookie_policy policy;
	__u32 key = 0;

	sysctls__cookie_policy(&policy);
	if (!is_armed && sysctls__is_changed(maps->sysctls, SYSCTL_TIMESTAMPS))
		policy.timestamps = 0;
	if (!is_armed && sysctls__is_changed(maps->sysctls, SYSCTL_SYNCOOKIES))
		policy.always = 0;
	if (bpf_map_update_elem(maps->cookie_policy, &key, &policy, BPF_ANY) == 0)
		return 0;
	log_error("cannot tell the filter how cookies are read: %s", strerror(errno));
	return -1;
}

static int raise_all(const struct defence *defence, const struct maps *maps)
{
	uint32_t backlog = sysctls__get(SYSCTL_SYN_BACKLOG), retries = sysctls__get(SYSCTL_SYNACK_RETRIES);
	int ret = sysctls__set(maps->sysctls, SYSCTL_SYNCOOKIES, SYNCOOKIES_ALWAYS);

	if (defence->harden) {
		if (backlog < HARDENED_BACKLOG)
			ret |= sysctls__set(maps->sysctls, SYSCTL_SYN_BACKLOG, HARDENED_BACKLOG);
		if (retries > HARDENED_RETRIES)
			ret |= sysctls__set(maps->sysctls, SYSCTL_SYNACK_RETRIES, HARDENED_RETRIES);
		ret |= sysctls__set(maps->sysctls, SYSCTL_TIMESTAMPS, PLAIN_TIMESTAMPS);
	}
	return ret;
}

static int lower_all(const struct maps *maps)
{
	int ret = sysctls__restore(maps->sysctls, SYSCTL_SYNCOOKIES);

	ret |= sysctls__restore(maps->sysctls, SYSCTL_SYN_BACKLOG);
	return ret | sysctls__restore(maps->sysctls, SYSCTL_SYNACK_RETRIES);
}

/* The timestamps' setting last, as long as cookies are under way that were written by it. */
static int put_back(struct defence *defence, const struct maps *maps, uint64_t now)
{
	if (defence->raised && lower_all(maps))
		return -1;
	defence->raised = false;
	return now - defence->last_armed_ns > TIMESTAMPS_HOLD_NS ? sysctls__restore(maps->sysctls, SYSCTL_TIMESTAMPS)
								 : 0;
}

int defence__update(struct defence *defence, const struct maps *maps)
{
	uint64_t now = clock__now(), until = 0;
	__u32 key = 0;

	defence->ended = false;
	if (bpf_map_lookup_elem(maps->armed, &key, &until)) {
		log_error("cannot see whether a port is armed: %s", strerror(errno));
		return -1;
	}
	if (until > now) {
		defence->last_armed_ns = now;
		/* Where the kernel's settings cannot be changed, what they allow must do: the filter goes on. */
		if ((!defence->raised || defence->hardened != defence->harden) && raise_all(defence, maps))
			log_warn("the kernel is not set to accept cookies at all times: SYNs over budget may pass as "
				 "unready; "
				 "see: sysctl net.ipv4.tcp_syncookies");
		defence->raised = true;
		defence->hardened = defence->harden;
		return write_policy(maps, true);
	}
	if (write_policy(maps, false)) /* first, so that it never relies on what is not so any more */
		return -1;
	if (now >= defence->retry_ns && put_back(defence, maps, now))
		defence->retry_ns = now + RETRY_NS; /* after a message; the filter goes on */
	return 0;
}

void defence__rest(struct defence *defence, const struct maps *maps)
{
	uint64_t now = clock__now();

	if (defence->ended)
		write_policy(maps, false);
	else if (now >= defence->retry_ns && defence__end(defence, maps))
		defence->retry_ns = now + RETRY_NS;
}

int defence__end(struct defence *defence, const struct maps *maps)
{
	int ret = write_policy(maps, false); /* first, as in defence__update() */

	ret |= sysctls__restore_all(maps->sysctls);
	ret |= write_policy(maps, false);
	defence->raised = false;
	defence->ended = !ret;
	return ret;
}
