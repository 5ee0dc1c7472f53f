/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The sample of an armed port: copies of its first SYNs, for a report. Times are those of types.h.
 */
#ifndef SYNWARDEN_SAMPLES_H
#define SYNWARDEN_SAMPLES_H

#include <linux/types.h>

#define SYN_SAMPLES	 16  /* of armed ports, by the lower bits of their slots; a power of two */
#define SYN_SAMPLE_SIZE	 100 /* of one port, from its arming on */
#define SYN_SAMPLE_BYTES 128 /* bytes that are copied of each */

/*
 * The first SYNs of one armed port that were judged by its budget: without those that the lists or the source limit
 * dropped. Another port of the same sample takes it over.
 */
struct syn_sample {
	__u64 armed_ns; /* when the port was armed, as in its alert */
	__u32 slot;
	__u32 taken; /* SYNs begun to be copied; SYN_SAMPLE_SIZE or more: it is full */
	struct sampled_syn {
		__u64 time_ns; /* before armed_ns: of a former port, or not copied yet */
		__u32 len;     /* of the frame */
		__u32 copied;
		__u8 bytes[SYN_SAMPLE_BYTES]; /* from the Ethernet header on */
	} syns[SYN_SAMPLE_SIZE];
};

#endif
