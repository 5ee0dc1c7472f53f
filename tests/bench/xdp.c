// SPDX-License-Identifier: GPL-2.0-only
/*
 * The bench's own measuring, where no command does it: what a loaded XDP program takes to pass an established
 * connection's data packet, beside an empty program, by BPF_PROG_TEST_RUN; and the kernel's run-time statistics of BPF
 * programs, for as long as this process lives, with an empty tracker beside those that are measured. It also attaches
 * what stands in bench_xdp.bpf.c: ip(8) would leave directories in bpffs.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/if_link.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bench/xdp.skel.h"

#define RUNS	   8 /* of each program, in turns; the kernel tells whole nanoseconds, their mean is finer */
#define RUN_REPEAT 250000
#define PAYLOAD	   512

static const char usage[] = "usage: bench_xdp pass PROGRAM_ID SRC_ADDR SRC_PORT DST_ADDR DST_PORT\n"
			    "       bench_xdp attach IFACE PROGRAM\n"
			    "       bench_xdp stats\n"
			    "  pass runs in the namespace that has the connection; stats until it is ended\n";

struct data_packet {
	struct ether_header eth;
	struct iphdr ip;
	struct tcphdr tcp;
	uint8_t payload[PAYLOAD];
} __attribute__((packed));

static int fail(const char *what, const char *why)
{
	fprintf(stderr, "bench_xdp: %s: %s\n", what, why);
	return -1;
}

static int fill(struct data_packet *packet, char **tuple)
{
	uint32_t saddr, daddr;

	if (inet_pton(AF_INET, tuple[0], &saddr) != 1 || inet_pton(AF_INET, tuple[2], &daddr) != 1)
		return fail(tuple[0], "source and destination must be IPv4 addresses");
	*packet = (struct data_packet){
		.eth = {.ether_type = htons(ETHERTYPE_IP)},
		.ip =
			{
				.version = 4,
				.ihl = 5,
				.tot_len = htons(sizeof(*packet) - sizeof(packet->eth)),
				.frag_off = htons(IP_DF),
				.ttl = 64,
				.protocol = IPPROTO_TCP,
				.saddr = saddr,
				.daddr = daddr,
			},
		.tcp =
			{
				.th_sport = htons(strtoul(tuple[1], NULL, 10)),
				.th_dport = htons(strtoul(tuple[3], NULL, 10)),
				.th_seq = htonl(1),
				.th_ack = htonl(1),
				.th_off = 5,
				.th_flags = TH_PUSH | TH_ACK,
				.th_win = htons(64240),
			},
	};
	return 0;
}

/* Adds the time of one run, in ns, to `ns`. */
static int time_run(int program, const struct data_packet *packet, uint64_t *ns)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = packet, .data_size_in = sizeof(*packet), .repeat = RUN_REPEAT);
	int err = bpf_prog_test_run_opts(program, &opts);

	if (err)
		return fail("BPF_PROG_TEST_RUN", strerror(-err));
	if (opts.retval != XDP_PASS)
		return fail("BPF_PROG_TEST_RUN", "the program did not pass the packet");
	*ns += opts.duration;
	return 0;
}

static int time_pass(int program, char **tuple)
{
	struct xdp_bpf *skel = xdp_bpf__open_and_load();
	uint64_t empty_ns = 0, ns = 0;
	struct data_packet packet;
	int i, ret = -1;

	if (!skel) {
		fail("BPF object", "cannot be loaded: needs root");
		goto cleanup;
	}
	if (fill(&packet, tuple))
		goto cleanup;
	for (i = 0; i < RUNS; i++) {
		if (time_run(bpf_program__fd(skel->progs.pass_all), &packet, &empty_ns) ||
		    time_run(program, &packet, &ns))
			goto cleanup;
	}
	printf("{\"empty_ns\": %.2f, \"ns\": %.2f}\n", (double)empty_ns / RUNS, (double)ns / RUNS);
	ret = 0;
cleanup:
	xdp_bpf__destroy(skel);
	return ret;
}

/* Without a link, so that it stays until `ip link set dev IFACE xdpdrv off`. */
static int attach(const char *iface, const char *name)
{
	struct xdp_bpf *skel = xdp_bpf__open_and_load();
	struct bpf_program *program;
	int err, ret = -1;

	if (!skel) {
		fail("BPF object", "cannot be loaded: needs root");
		goto cleanup;
	}
	program = bpf_object__find_program_by_name(skel->obj, name);
	if (!program) {
		fail(name, "no such program");
		goto cleanup;
	}
	err = bpf_xdp_attach(if_nametoindex(iface), bpf_program__fd(program),
			     XDP_FLAGS_DRV_MODE | XDP_FLAGS_UPDATE_IF_NOEXIST, NULL);
	if (err) {
		fail(iface, strerror(-err));
		goto cleanup;
	}
	ret = 0;
cleanup:
	xdp_bpf__destroy(skel);
	return ret;
}

static int keep_stats(void)
{
	struct xdp_bpf *skel = xdp_bpf__open_and_load();
	int fd = -1, ret = -1;

	if (!skel || !(skel->links.do_nothing = bpf_program__attach(skel->progs.do_nothing))) {
		fail("BPF object", "cannot be attached: needs root");
		goto cleanup;
	}
	fd = bpf_enable_stats(BPF_STATS_RUN_TIME);
	if (fd < 0) {
		fail("run-time statistics", strerror(errno));
		goto cleanup;
	}
	pause();
	close(fd);
	ret = 0;
cleanup:
	xdp_bpf__destroy(skel);
	return ret;
}

static int pass(char **arguments)
{
	int program = bpf_prog_get_fd_by_id(strtoul(arguments[0], NULL, 10)), ret;

	if (program < 0)
		return fail(arguments[0], "no such BPF program");
	ret = time_pass(program, arguments + 1);
	close(program);
	return ret;
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "stats"))
		return keep_stats() ? 1 : 0;
	if (argc == 4 && !strcmp(argv[1], "attach"))
		return attach(argv[2], argv[3]) ? 1 : 0;
	if (argc == 7 && !strcmp(argv[1], "pass"))
		return pass(argv + 2) ? 1 : 0;
	fputs(usage, stderr);
	return 2;
}
