// SPDX-License-Identifier: GPL-2.0-only
/*
 * Counts the sockets by state, and clears ports without a listener.
 */
#include <errno.h>
#include <string.h>

#include <bpf/bpf.h>

#include "kernel/snapshot.h"
#include "run/census.h"
#include "system/clock.h"
#include "text/log.h"

#define CENSUS_EVERY_NS	  1000000000ULL
#define CENSUS_LONGEST_MS 3600000
#define CENSUS_SHARE	  100		  /* at most one part in so many of the time is spent on it */
#define LONGEST_NS	  (10 * NS_PER_S) /* between two: a listener's limit may change without any motion */
#define JIFFY_LEAST_NS	  1000000	  /* CONFIG_HZ is 1000 at most */

/* A port that began to listen after the census began may be missing from it. The millisecond clock wraps after 49 days.
 */
static bool began_since(const struct listener *listener, __u32 begun_ms)
{
	return *(const volatile __u32 *)&listener->since_ms - begun_ms < CENSUS_LONGEST_MS;
}

static bool is_gone(const struct listener *listener, const struct census *census, __u32 port, __u32 begun_ms)
{
	return listener->listening && !(census->listening[port / 64] & 1ULL << port % 64) &&
	       !began_since(listener, begun_ms);
}

static int clear_gone(const struct maps *maps, const struct census *census, __u32 begun_ms)
{
	struct listener *listeners = snapshot__map_listeners(maps);
	__u32 port;

	if (!listeners)
		return -1;
	for (port = 0; port < LISTENER_PORTS; port++) {
		if (!is_gone(&listeners[port], census, port, begun_ms))
			continue;
		listeners[port].listening = 0;
		if (began_since(&listeners[port], begun_ms)) /* it began just now */
			listeners[port].listening = 1;
	}
	snapshot__unmap_listeners(listeners);
	return 0;
}

static int read_flows(const struct maps *maps, struct reconcile_flows *flows)
{
	static uint64_t transitions[STATE_MAX][STATE_MAX];

	if (snapshot__transitions(transitions, maps))
		return -1;
	reconcile__flows(flows, transitions);
	return 0;
}

static int count(struct programs *programs, struct census_clock *clock, const struct reconcile_flows *before,
		 struct census *census)
{
	const struct maps *maps = programs__maps(programs);
	struct reconcile_flows after;
	__u32 last = CENSUS_LAST;
	__u64 unseen;

	if (bpf_map_lookup_elem(maps->censuses, &last, census))
		return -1;
	unseen = census->unseen;
	if (programs__census(programs, !clock->reconcile.begun, census) || read_flows(maps, &after))
		return -1;
	census->unseen =
		unseen + reconcile__compare(&clock->reconcile, (const uint64_t *)census->states, before, &after);
	return bpf_map_update_elem(maps->censuses, &last, census, BPF_ANY);
}

/* Until when nothing ends by a timer or by accept(), of which no counter tells; 0: at any time. */
static uint64_t settled_until(const struct census *census, uint64_t now)
{
	uint64_t ns = LONGEST_NS;

	if (census->states[STATE_NEW_SYN_RECV])
		return 0;
	for (size_t slot = 0; slot < MAX_PORTS; slot++)
		if (census->ports[slot].accept_queue)
			return 0;
	if (census->ends_in < ns / JIFFY_LEAST_NS)
		ns = census->ends_in * JIFFY_LEAST_NS;
	return now + ns;
}

/* Sets until when the filter may rely on its marks (bpf/known.bpf.h). With `seen_all`, the sources of all sockets have
 * a mark of this epoch, and the next epoch begins. */
static int rely_on_marks(const struct maps *maps, uint64_t until_ns, bool seen_all)
{
	struct known known;
	__u32 key = 0;

	if (bpf_map_lookup_elem(maps->known, &key, &known))
		goto fail;
	if (seen_all)
		known.epoch = (known.epoch + 1) % KNOWN_EPOCHS;
	known.until_ns = until_ns;
	if (bpf_map_update_elem(maps->known, &key, &known, BPF_ANY) == 0)
		return 0;
fail:
	log_error("cannot write until when the marks of known sources hold: %s", strerror(errno));
	return -1;
}

void census__unsettle(struct census_clock *clock)
{
	clock->settled_ns = 0;
}

int census__begin_anew(const struct programs *programs, struct census_clock *clock)
{
	clock->next_ns = 0;
	return rely_on_marks(programs__maps(programs), 0, false);
}

/* A transition just before a census may be missing from it. Only a census after a second without motion is valid for
 * the next seconds. */
static void settle(struct census_clock *clock, const struct motion *motion, const struct census *census, uint64_t begun)
{
	bool still = motion__is_same(motion, &clock->seen) && !reconcile__doubts(&clock->reconcile);

	clock->settled_ns = still ? settled_until(census, begun) : 0;
	clock->seen = *motion;
}

int census__take(struct programs *programs, struct census_clock *clock)
{
	uint64_t begun = clock__now(), cpu = clock__ns(CLOCK_THREAD_CPUTIME_ID), took;
	const struct maps *maps = programs__maps(programs);
	struct reconcile_flows before;
	struct census census;
	struct motion motion;

	if (begun < clock->next_ns)
		return rely_on_marks(maps, begun + KNOWN_RELIED_NS, false);
	if (read_flows(maps, &before))
		goto fail;
	motion__read(&motion, &before);
	if (clock->next_ns && begun < clock->settled_ns && motion__is_same(&motion, &clock->seen))
		return rely_on_marks(maps, begun + KNOWN_RELIED_NS, false);
	if (count(programs, clock, &before, &census) || clear_gone(maps, &census, begun / 1000000))
		goto fail;
	settle(clock, &motion, &census, begun);
	took = clock__ns(CLOCK_THREAD_CPUTIME_ID) - cpu;
	clock->next_ns = begun + (took * CENSUS_SHARE > CENSUS_EVERY_NS ? took * CENSUS_SHARE : CENSUS_EVERY_NS) -
			 CENSUS_EVERY_NS / 20; /* a timer that fires a little early still counts */
	return rely_on_marks(maps, clock__now() + KNOWN_RELIED_NS, true);
fail:
	log_error("cannot count the sockets: %s", strerror(errno));
	return -1;
}
