// SPDX-License-Identifier: GPL-2.0-only
/*
 * A sample may still be written to while it is read: a SYN counts only with a time since the arming, which the kernel
 * side writes last.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>

#include "output/syn_pcap.h"
#include "run/syn_samples.h"
#include "system/clock.h"
#include "text/log.h"

static void gather(struct syn_pcap *pcap, const struct syn_sample *sample)
{
	int64_t ahead = clock__realtime_ahead();

	for (size_t i = 0; i < SYN_SAMPLE_SIZE && i < sample->taken; i++) {
		const struct sampled_syn *syn = &sample->syns[i];

		if (syn->time_ns < sample->armed_ns || syn->copied > SYN_SAMPLE_BYTES)
			continue;
		pcap->syns[pcap->count] = *syn;
		pcap->syns[pcap->count++].time_ns += ahead;
	}
}

static void keep(const struct state_folder *folder, const struct syn_sample *sample, struct syn_pcap *pcap, uint64_t id)
{
	char kind[SYN_PCAP_KIND_LEN];

	gather(pcap, sample);
	if (pcap->count && (state_folder__replace(folder, syn_pcap__kind(kind, id), syn_pcap__write, pcap) ||
			    state_folder__prune(folder, SYN_PCAP_PREFIX, SYN_PCAP_SUFFIX, SYN_SAMPLES_KEPT)))
		log_error("cannot keep the sample of an attack in %s: %s", folder->path, strerror(errno));
}

void syn_samples__keep(const struct maps *maps, const struct state_folder *folder, uint32_t slot, int64_t started_ns,
		       uint64_t id)
{
	uint32_t key = slot & (SYN_SAMPLES - 1);
	struct syn_sample *sample = malloc(sizeof(*sample));
	struct syn_pcap *pcap = calloc(1, sizeof(*pcap));

	if (sample && pcap && folder->fd >= 0 && !bpf_map_lookup_elem(maps->samples, &key, sample) &&
	    sample->slot == slot && (int64_t)(sample->armed_ns + SYN_PCAP_EARLY_NS) >= started_ns)
		keep(folder, sample, pcap, id);
	free(pcap);
	free(sample);
}
