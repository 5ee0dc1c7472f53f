// SPDX-License-Identifier: GPL-2.0-only
/*
 * The only file that includes <pcap.h>: its struct bpf_insn is not the one of <linux/bpf.h>.
 */
#include <pcap/pcap.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "segments/capture.h"
#include "segments/headers.h"
#include "text/log.h"

#define SECOND_NS 1000000000ULL

struct capture {
	pcap_t *pcap;
	enum headers_link link;
	struct capture_notes notes;
};

static bool find_link(int type, enum headers_link *link)
{
	static const struct {
		int type;
		enum headers_link link;
	} links[] = {
		{DLT_EN10MB, HEADERS_ETHERNET},
		{DLT_LINUX_SLL, HEADERS_LINUX_SLL},
		{DLT_LINUX_SLL2, HEADERS_LINUX_SLL2},
		{DLT_NULL, HEADERS_NULL},
		{DLT_LOOP, HEADERS_NULL},
		{DLT_RAW, HEADERS_IP},
		{DLT_IPV4, HEADERS_IP},
		{DLT_IPV6, HEADERS_IP},
	};

	for (size_t i = 0; i < sizeof(links) / sizeof(*links); i++) {
		if (links[i].type != type)
			continue;
		*link = links[i].link;
		return true;
	}
	return false;
}

struct capture *capture__open(const char *path)
{
	struct capture *capture = calloc(1, sizeof(*capture));
	char why[PCAP_ERRBUF_SIZE];
	const char *name;

	if (!capture) {
		log_error("out of memory");
		return NULL;
	}
	capture->pcap = pcap_open_offline_with_tstamp_precision(path, PCAP_TSTAMP_PRECISION_NANO, why);
	if (!capture->pcap) {
		log_error("cannot read %s: %s", path, why);
		free(capture);
		return NULL;
	}
	if (find_link(pcap_datalink(capture->pcap), &capture->link))
		return capture;
	name = pcap_datalink_val_to_name(pcap_datalink(capture->pcap));
	log_error("%s holds packets of link type %s; read are EN10MB, LINUX_SLL, LINUX_SLL2, NULL, LOOP and RAW", path,
		  name ? name : "unknown");
	capture__close(capture);
	return NULL;
}

int capture__next(struct capture *capture, struct segment *segment, char line[HTTP_LINE_BYTES])
{
	struct headers_payload payload;
	struct pcap_pkthdr *header;
	const u_char *bytes;
	int got;

	while ((got = pcap_next_ex(capture->pcap, &header, &bytes)) == 1) {
		capture->notes.packets++;
		*segment = (struct segment){
			.kind = SEGMENT_CAPTURED,
			.time_ns = header->ts.tv_sec * SECOND_NS + header->ts.tv_usec, /* nanoseconds, as asked for */
		};
		switch (headers__parse(segment, &payload, capture->link, bytes, header->caplen)) {
		case HEADERS_TCP:
			http_line__read(line, payload.bytes, payload.captured);
			return 1;
		case HEADERS_CUT:
			capture->notes.cut++;
			break;
		case HEADERS_MALFORMED:
			capture->notes.malformed++;
			break;
		case HEADERS_OTHER:
			break;
		}
	}
	if (got == PCAP_ERROR)
		snprintf(capture->notes.end, sizeof(capture->notes.end), "%s", pcap_geterr(capture->pcap));
	return 0;
}

const struct capture_notes *capture__notes(const struct capture *capture)
{
	return &capture->notes;
}

void capture__close(struct capture *capture)
{
	if (!capture)
		return;
	if (capture->pcap)
		pcap_close(capture->pcap);
	free(capture);
}
