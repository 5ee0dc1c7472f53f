// SPDX-License-Identifier: GPL-2.0-only
/*
 * https://www.tcpdump.org/manpages/pcap-savefile.5.txt; numbers are in the byte order of the host, which the magic
 * tells.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "output/syn_pcap.h"

#define MAGIC_NS 0xa1b23c4d
#define ETHERNET 1

struct file_head {
	uint32_t magic;
	uint16_t major, minor;
	uint32_t zone, accuracy, snaplen, link;
};

struct packet_head {
	uint32_t seconds, ns, captured, len;
};

static const struct file_head head = {
	.magic = MAGIC_NS, .major = 2, .minor = 4, .snaplen = SYN_SAMPLE_BYTES, .link = ETHERNET};

char *syn_pcap__kind(char buf[SYN_PCAP_KIND_LEN], uint64_t id)
{
	snprintf(buf, SYN_PCAP_KIND_LEN, SYN_PCAP_PREFIX "%" PRIu64 SYN_PCAP_SUFFIX, id);
	return buf;
}

int syn_pcap__write(FILE *out, const void *context)
{
	const struct syn_pcap *pcap = context;

	fwrite(&head, sizeof(head), 1, out);
	for (size_t i = 0; i < pcap->count; i++) {
		const struct sampled_syn *syn = &pcap->syns[i];
		struct packet_head packet = {syn->time_ns / NS_PER_S, syn->time_ns % NS_PER_S, syn->copied, syn->len};

		fwrite(&packet, sizeof(packet), 1, out);
		fwrite(syn->bytes, syn->copied, 1, out);
	}
	return fflush(out) || ferror(out) ? -1 : 0;
}

/* 1; 0 at the end, -1: damaged. */
static int read_syn(struct sampled_syn *syn, FILE *in)
{
	struct packet_head packet;
	size_t got = fread(&packet, 1, sizeof(packet), in);

	if (got != sizeof(packet))
		return got || ferror(in) ? -1 : 0;
	if (packet.captured > SYN_SAMPLE_BYTES || packet.captured > packet.len || packet.ns >= NS_PER_S)
		return -1;
	*syn = (struct sampled_syn){
		.time_ns = packet.seconds * NS_PER_S + packet.ns, .len = packet.len, .copied = packet.captured};
	return fread(syn->bytes, 1, syn->copied, in) == syn->copied ? 1 : -1;
}

static int read_all(struct syn_pcap *pcap, FILE *in)
{
	struct file_head got;
	struct sampled_syn syn;
	int ret;

	pcap->count = 0;
	if (fread(&got, sizeof(got), 1, in) != 1 || memcmp(&got, &head, sizeof(got)) != 0)
		return -1;
	while ((ret = read_syn(&syn, in)) > 0) {
		if (pcap->count == SYN_SAMPLE_SIZE)
			return -1;
		pcap->syns[pcap->count++] = syn;
	}
	return ret;
}

int syn_pcap__read(struct syn_pcap *pcap, const char *path)
{
	FILE *in = fopen(path, "re");
	int ret;

	if (!in)
		return -1;
	ret = read_all(pcap, in);
	fclose(in);
	if (ret)
		errno = EBADMSG;
	return ret;
}
