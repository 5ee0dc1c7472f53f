// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the kernel's BPF can do, found by loading programs and maps that do nothing; none is attached, each is gone as
 * its descriptor is closed.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "kernel/load_config.h"
#include "doctor/probe.h"
#include "kernel/programs.h"
#include "text/log.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* r0 = 0; exit: every program type takes it, if it takes any. */
static int load_nothing(enum bpf_prog_type type, const struct bpf_prog_load_opts *options)
{
	static const struct bpf_insn nothing[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0},
		{.code = BPF_JMP | BPF_EXIT},
	};

	return bpf_prog_load(type, "doctor", "GPL", nothing, COUNT_OF(nothing), options);
}

static bool loads(enum bpf_prog_type type, const struct bpf_prog_load_opts *options)
{
	int fd = load_nothing(type, options);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static void miss(struct feature *feature, const char *what)
{
	feature->present = ANSWER_NO;
	if (!*feature->missing)
		snprintf(feature->missing, sizeof(feature->missing), "%s", what);
}

/* Also whether the compiler in the kernel made machine code of it. */
static void probe_loading(struct host *host)
{
	struct bpf_prog_info info = {};
	uint32_t len = sizeof(info);
	int fd = load_nothing(BPF_PROG_TYPE_XDP, NULL);

	if (fd < 0) {
		host->loads = errno == EPERM || errno == EACCES ? ANSWER_NO : ANSWER_UNKNOWN;
		return;
	}
	host->loads = ANSWER_YES;
	if (bpf_obj_get_info_by_fd(fd, &info, &len) == 0)
		host->jit = info.jited_prog_len ? ANSWER_YES : ANSWER_NO;
	close(fd);
}

static void probe_filter(struct feature *feature)
{
	static const struct {
		enum bpf_map_type type;
		const char *name;
	} maps[] = {
		{BPF_MAP_TYPE_LPM_TRIE, "LPM tries"},
		{BPF_MAP_TYPE_PERCPU_ARRAY, "per-CPU arrays"},
	};
	LIBBPF_OPTS(bpf_prog_load_opts, options, .prog_flags = BPF_F_XDP_HAS_FRAGS);

	if (!loads(BPF_PROG_TYPE_XDP, &options))
		miss(feature, "XDP programs for frames in several buffers");
	for (size_t i = 0; i < COUNT_OF(maps); i++)
		if (libbpf_probe_bpf_map_type(maps[i].type, NULL) != 1)
			miss(feature, maps[i].name);
}

static void probe_cookies(struct feature *feature)
{
	static const struct {
		enum bpf_func_id id;
		const char *name;
	} helpers[] = {
		{BPF_FUNC_tcp_gen_syncookie, "bpf_tcp_gen_syncookie"},
		{BPF_FUNC_tcp_check_syncookie, "bpf_tcp_check_syncookie"},
		{BPF_FUNC_skc_lookup_tcp, "bpf_skc_lookup_tcp"},
		{BPF_FUNC_xdp_load_bytes, "bpf_xdp_load_bytes"},
		{BPF_FUNC_check_mtu, "bpf_check_mtu"},
	};

	for (size_t i = 0; i < COUNT_OF(helpers); i++)
		if (libbpf_probe_bpf_helper(BPF_PROG_TYPE_XDP, helpers[i].id, NULL) != 1)
			miss(feature, helpers[i].name);
}

/* A program for something that the kernel describes in its BTF. */
static bool traces(const struct btf *btf, enum bpf_attach_type type, const char *prefix, const char *name,
		   uint32_t kind)
{
	LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = type);
	char full[64];
	int id;

	snprintf(full, sizeof(full), "%s%s", prefix, name);
	id = btf__find_by_name_kind(btf, full, kind);
	if (id < 0)
		return false;
	options.attach_btf_id = id;
	return loads(BPF_PROG_TYPE_TRACING, &options);
}

/* From Linux 6.10 on, RSTs without a socket are reported too, and all with a reason: a third argument beside the
 * context. */
static bool reports_closed_ports(const struct btf *btf)
{
	int id = btf__find_by_name_kind(btf, "btf_trace_tcp_send_reset", BTF_KIND_TYPEDEF);
	const struct btf_type *type = id < 0 ? NULL : btf__type_by_id(btf, id);

	while (type && !btf_is_func_proto(type))
		type = btf_is_typedef(type) || btf_is_ptr(type) ? btf__type_by_id(btf, type->type) : NULL;
	return type && btf_vlen(type) > 3;
}

static void probe_tracing(struct host *host)
{
	static const char *const tracepoints[] = {
		"inet_sock_set_state", "tcp_retransmit_skb",   "tcp_retransmit_synack", "tcp_send_reset",
		"tcp_receive_reset",   "tcp_rcv_space_adjust", "sched_process_exit",
	};
	static const char *const iterators[] = {"tcp", "task_file"};
	struct btf *btf = btf__load_vmlinux_btf();

	for (size_t i = 0; i < COUNT_OF(tracepoints); i++)
		if (!btf || !traces(btf, BPF_TRACE_RAW_TP, "btf_trace_", tracepoints[i], BTF_KIND_TYPEDEF))
			miss(&host->features[FEATURE_TRACEPOINTS], tracepoints[i]);
	for (size_t i = 0; i < COUNT_OF(iterators); i++)
		if (!btf || !traces(btf, BPF_TRACE_ITER, "bpf_iter_", iterators[i], BTF_KIND_FUNC))
			miss(&host->features[FEATURE_ITERATORS], iterators[i]);
	host->reports_closed = btf && reports_closed_ports(btf);
	btf__free(btf);
}

/* Socket-local storage describes its key and value with BTF of its own. */
static void probe_storage(struct feature *feature)
{
	LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_NO_PREALLOC | BPF_F_CLONE);
	struct btf *btf = btf__new_empty();
	int fd = -1, id = btf ? btf__add_int(btf, "int", 4, BTF_INT_SIGNED) : -1;

	if (id > 0 && btf__load_into_kernel(btf) == 0) {
		options.btf_fd = btf__fd(btf);
		options.btf_key_type_id = options.btf_value_type_id = id;
		fd = bpf_map_create(BPF_MAP_TYPE_SK_STORAGE, "doctor", 4, 4, 0, &options);
	}
	if (fd < 0)
		miss(feature, "BPF_F_CLONE");
	else
		close(fd);
	btf__free(btf);
}

/* The last word: each feature may be there, and the verifier still refuse. */
static void probe_programs(struct feature *feature)
{
	struct run_options options;
	struct programs *programs = NULL;
	struct config config;

	run_options__defaults(&options);
	if (load_config__make(&config, &options) ||
	    programs__load(&programs, &config,
			   PROGRAMS_FILTER | PROGRAMS_TRACKER | PROGRAMS_CENSUS | PROGRAMS_OWNERS | PROGRAMS_READERS,
			   NULL))
		miss(feature, *log_libbpf_last() ? log_libbpf_last() : "refused");
	programs__free(programs);
}

/* What `ladder` loads besides the tracker, which has just been tried. */
static void probe_ladder(struct feature *feature)
{
	const struct config config = {
		.stream = STREAM_LADDER, .cpus = libbpf_num_possible_cpus(), .rings = 1, .ring_slots = 1024};
	struct programs *programs = NULL;

	if (programs__load(&programs, &config, PROGRAMS_SEGMENTS, NULL))
		miss(feature, *log_libbpf_last() ? log_libbpf_last() : "refused");
	programs__free(programs);
}

void probe__probe_bpf(struct host *host)
{
	struct feature *features = host->features;

	probe_loading(host);
	if (host->loads != ANSWER_YES)
		return;
	for (size_t i = 0; i < FEATURE_MAX; i++)
		features[i].present = ANSWER_YES;
	probe_filter(&features[FEATURE_FILTER]);
	probe_cookies(&features[FEATURE_COOKIES]);
	probe_tracing(host);
	probe_storage(&features[FEATURE_STORAGE]);
	if (libbpf_probe_bpf_map_type(BPF_MAP_TYPE_RINGBUF, NULL) != 1)
		miss(&features[FEATURE_RING], "ring buffers");
	/* Of the release that began to charge, as libbpf asks too. */
	if (libbpf_probe_bpf_helper(BPF_PROG_TYPE_XDP, BPF_FUNC_ktime_get_coarse_ns, NULL) != 1)
		miss(&features[FEATURE_CHARGING], "bpf_ktime_get_coarse_ns");
	probe_programs(&features[FEATURE_PROGRAMS]);
	probe_ladder(&features[FEATURE_LADDER]);
}
