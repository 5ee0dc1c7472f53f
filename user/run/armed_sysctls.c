// SPDX-License-Identifier: GPL-2.0-only
/*
 * Changes sysctls when the first port is armed, and restores them after the last one is released.
 */
#include <errno.h>
#include <string.h>

#include <bpf/bpf.h>

#include "kernel/sysctls.h"
#include "run/armed_sysctls.h"
#include "system/clock.h"
#include "text/log.h"

#define HARDENED_BACKLOG 65536 /* read by tcp_conn_request() only where tcp_syncookies is 0 */
#define HARDENED_RETRIES 2     /* SYN-ACKs: gives up after 7 s instead of 63 */
#define PLAIN_TIMESTAMPS 2     /* without a random offset, so that a cookie's timestamp can be decoded */
#define TIMESTAMPS_HOLD_NS                                                                                             \
	(60 * NS_PER_S) /* a cookie is valid for so long: the setting by which it was made must hold until then */
#define RETRY_NS (30 * NS_PER_S)

/* A setting that this process changed, and will restore, does not count as the host's own. */
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
	log_error("cannot write the cookie policy for the filter: %s", strerror(errno));
	return -1;
}

static int raise_all(const struct armed_sysctls *state, const struct maps *maps)
{
	uint32_t backlog = sysctls__get(SYSCTL_SYN_BACKLOG), retries = sysctls__get(SYSCTL_SYNACK_RETRIES);
	int ret = sysctls__set(maps->sysctls, SYSCTL_SYNCOOKIES, SYNCOOKIES_ALWAYS);

	if (state->harden) {
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

/* The timestamps' setting comes last: cookies that were made by it may be under way. */
static int put_back(struct armed_sysctls *state, const struct maps *maps, uint64_t now)
{
	if (state->raised && lower_all(maps))
		return -1;
	state->raised = false;
	return now - state->last_armed_ns > TIMESTAMPS_HOLD_NS ? sysctls__restore(maps->sysctls, SYSCTL_TIMESTAMPS) : 0;
}

int armed_sysctls__update(struct armed_sysctls *state, const struct maps *maps)
{
	uint64_t now = clock__now();
	struct armed armed = {};
	__u32 key = 0;

	state->ended = false;
	if (bpf_map_lookup_elem(maps->armed, &key, &armed)) {
		log_error("cannot read whether a port is armed: %s", strerror(errno));
		return -1;
	}
	if (armed.syns_until_ns > now) {
		state->last_armed_ns = now;
		/* Where the settings cannot be changed, the filter runs with those that there are. */
		if ((!state->raised || state->hardened != state->harden) && raise_all(state, maps))
			log_warn("the kernel is not set to accept cookies at all times: SYNs over budget may pass as "
				 "unready; "
				 "see: sysctl net.ipv4.tcp_syncookies");
		state->raised = true;
		state->hardened = state->harden;
		return write_policy(maps, true);
	}
	if (write_policy(maps, false)) /* first: the filter must not rely on a setting that is about to be restored */
		return -1;
	if (now >= state->retry_ns && put_back(state, maps, now))
		state->retry_ns = now + RETRY_NS; /* after a message; the filter stays in force */
	return 0;
}

void armed_sysctls__rest(struct armed_sysctls *state, const struct maps *maps)
{
	uint64_t now = clock__now();

	if (state->ended)
		write_policy(maps, false);
	else if (now >= state->retry_ns && armed_sysctls__end(state, maps))
		state->retry_ns = now + RETRY_NS;
}

int armed_sysctls__end(struct armed_sysctls *state, const struct maps *maps)
{
	int ret = write_policy(maps, false); /* first, as in armed_sysctls__update() */

	ret |= sysctls__restore_all(maps->sysctls);
	ret |= write_policy(maps, false);
	state->raised = false;
	state->ended = !ret;
	return ret;
}
