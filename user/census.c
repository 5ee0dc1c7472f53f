// SPDX-License-Identifier: GPL-2.0-only
/*
 * Takes the census and clears the ports that nobody listens on any more.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <bpf/bpf.h>

#include "census.h"
#include "log.h"

#define CENSUS_EVERY_NS 1000000000ULL
#define CENSUS_SHARE	100 /* of the time at most one part in so many */

static uint64_t monotonic_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

/* A port that began to listen after the census began may be missing from it, and stays. */
static bool is_gone(const struct listener *listener, const struct census *census, __u32 port, __u32 begun_ms)
{
	return listener->listening && !(census->listening[port / 64] & 1ULL << port % 64) &&
	       (int32_t)(listener->since_ms - begun_ms) < 0;
}

static int clear_gone(const struct maps *maps, const struct census *census, __u32 begun_ms)
{
	enum { PORTS = 65536 };
	struct listener *listeners = calloc(PORTS, sizeof(*listeners));
	__u32 *ports = calloc(PORTS, sizeof(*ports)), batch, count = PORTS, i;
	int ret = -1;

	if (!listeners || !ports ||
	    (bpf_map_lookup_batch(maps->listeners, NULL, &batch, ports, listeners, &count, NULL) && errno != ENOENT))
		goto cleanup;
	for (i = 0; i < count; i++) {
		if (!is_gone(&listeners[i], census, ports[i], begun_ms))
			continue;
		listeners[i].listening = 0;
		if (bpf_map_update_elem(maps->listeners, &ports[i], &listeners[i], BPF_EXIST))
			goto cleanup;
	}
	ret = 0;
cleanup:
	free(listeners);
	free(ports);
	return ret;
}

int census__take(struct guard *guard, struct census_clock *clock)
{
	uint64_t begun = monotonic_ns(), took;
	const struct maps *maps = guard__maps(guard);
	__u32 last = CENSUS_LAST;
	struct census census;

	if (begun < clock->next_ns)
		return 0;
	if (guard__census(guard, !clock->next_ns) || bpf_map_lookup_elem(maps->censuses, &last, &census) ||
	    clear_gone(maps, &census, begun / 1000000)) {
		log_error("cannot count the sockets: %s", strerror(errno));
		return -1;
	}
	took = monotonic_ns() - begun;
	clock->next_ns = begun + (took * CENSUS_SHARE > CENSUS_EVERY_NS ? took * CENSUS_SHARE : CENSUS_EVERY_NS) -
			 CENSUS_EVERY_NS / 20; /* a timer that fires a little early still takes it */
	return 0;
}
