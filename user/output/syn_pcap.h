/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The sample of an attack as a capture file, for a person and for tcpdump: pcap with nanoseconds, Ethernet frames.
 */
#ifndef SYNWARDEN_OUTPUT_SYN_PCAP_H
#define SYNWARDEN_OUTPUT_SYN_PCAP_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "system/clock.h"
#include "types.h"

#define SYN_PCAP_PREFIX	  "sample-" /* of the file's kind; see state_folder.h */
#define SYN_PCAP_SUFFIX	  ".pcap"   /* and its end */
#define SYN_PCAP_KIND_LEN 48
#define SYN_PCAP_EARLY_NS (2 * NS_PER_S) /* a sample begins at most so much before its event: the clock was set */

struct syn_pcap {
	size_t count;
	struct sampled_syn syns[SYN_SAMPLE_SIZE]; /* time_ns by CLOCK_REALTIME */
};

/* "sample-12.pcap": of the event of this number. */
char *syn_pcap__kind(char buf[SYN_PCAP_KIND_LEN], uint64_t id);
/* `context` is a struct syn_pcap. -1: it could not be written. */
int syn_pcap__write(FILE *out, const void *context);
/* What syn_pcap__write() wrote on this host. -1 with errno; EBADMSG: it is something else, or damaged. */
int syn_pcap__read(struct syn_pcap *pcap, const char *path);

#endif
