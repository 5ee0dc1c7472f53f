// SPDX-License-Identifier: GPL-2.0-only
/*
 * The BPF object: open, configure, load, attach the tracker, pin. Maps that a former `run` pinned are reused where
 * their shape is still the same.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "http.h"
#include "kernel/iterators.h"
#include "kernel/map_sizes.h"
#include "kernel/pins.h"
#include "kernel/programs.h"
#include "synwarden.skel.h"
#include "system/cgroups.h"
#include "system/privileges.h"
#include "text/log.h"

#define KERNEL_BTF "/sys/kernel/btf/vmlinux"

struct programs {
	struct synwarden_bpf *bpf;
	struct programs *filter;  /* its program has replaced that of `bpf`; NULL: none has */
	struct bpf_link *http[2]; /* not among those that are pinned */
	struct maps maps;
};

static void choose_programs(struct synwarden_bpf *bpf, unsigned parts, bool streams)
{
	bpf_program__set_autoload(bpf->progs.filter_packet, parts & PROGRAMS_FILTER);
	bpf_program__set_autoload(bpf->progs.explain_packet, parts & PROGRAMS_FILTER);
	bpf_program__set_autoload(bpf->progs.track_state, parts & PROGRAMS_TRACKER);
	bpf_program__set_autoload(bpf->progs.track_state_again, parts & PROGRAMS_TRACKER);
	bpf_program__set_autoload(bpf->progs.track_retransmit, parts & PROGRAMS_TRACKER);
	bpf_program__set_autoload(bpf->progs.track_synack, parts & (PROGRAMS_CENSUS | PROGRAMS_SEGMENTS));
	bpf_program__set_autoload(bpf->progs.track_error, parts & PROGRAMS_TRACKER);
	bpf_program__set_autoload(bpf->progs.track_destroy, parts & PROGRAMS_TRACKER);
	bpf_program__set_autoload(bpf->progs.track_closing, parts & PROGRAMS_TRACKER);
	bpf_program__set_autoload(bpf->progs.track_expiry, parts & PROGRAMS_TRACKER);
	bpf_program__set_autoload(bpf->progs.sweep_closings, parts & PROGRAMS_TRACKER);
	bpf_program__set_autoload(bpf->progs.track_reset_sent, parts & PROGRAMS_TRACKER);
	bpf_program__set_autoload(bpf->progs.track_unsent, parts & PROGRAMS_CENSUS);
	bpf_program__set_autoload(bpf->progs.track_refused, parts & PROGRAMS_CENSUS);
	bpf_program__set_autoload(bpf->progs.track_reset_rcvd, parts & PROGRAMS_CENSUS);
	bpf_program__set_autoload(bpf->progs.count_sockets, parts & PROGRAMS_CENSUS);
	bpf_program__set_autoload(bpf->progs.track_reader, parts & PROGRAMS_READERS);
	bpf_program__set_autoload(bpf->progs.track_exit, parts & PROGRAMS_OWNERS);
	bpf_program__set_autoload(bpf->progs.own_sockets, parts & (PROGRAMS_OWNERS | PROGRAMS_LISTS));
	bpf_program__set_autoload(bpf->progs.list_sockets, parts & (PROGRAMS_OWNERS | PROGRAMS_LISTS));
	bpf_program__set_autoload(bpf->progs.see_sent, parts & PROGRAMS_SEGMENTS);
	bpf_program__set_autoload(bpf->progs.see_arrived, parts & PROGRAMS_SEGMENTS);
	bpf_program__set_autoload(bpf->progs.see_dropped, parts & PROGRAMS_SEGMENTS);
	bpf_program__set_autoload(bpf->progs.see_incoming, parts & PROGRAMS_HTTP);
	bpf_program__set_autoload(bpf->progs.see_outgoing, parts & PROGRAMS_HTTP);
	bpf_program__set_autoload(bpf->progs.touch_ring, streams);
}

/* Whether a pinned map has the shape that this program wants. */
static bool same_shape(const struct bpf_map *map, int fd)
{
	struct bpf_map_info info = {};
	__u32 len = sizeof(info);

	return fd >= 0 && bpf_obj_get_info_by_fd(fd, &info, &len) == 0 && info.type == bpf_map__type(map) &&
	       info.key_size == bpf_map__key_size(map) && info.value_size == bpf_map__value_size(map) &&
	       info.max_entries == bpf_map__max_entries(map);
}

static int reuse_maps(struct synwarden_bpf *bpf, const struct maps *former)
{
	struct maps copy = *former, *reuse = &copy;

	copy.port_rules = -1; /* frozen with the configuration that comes with it */
#define X(name)                                                                                                        \
	if (same_shape(bpf->maps.name, reuse->name) && bpf_map__reuse_fd(bpf->maps.name, reuse->name))                 \
		return -1;
	MAPS(X)
	FLEET_MAPS(X)
#undef X
	return 0;
}

/* After that of the tracker that counts into these maps; NULL: the first. Never 0. */
static __u32 next_generation(const struct maps *former)
{
	__u32 key = 0, current = 0;

	if (former && bpf_map_lookup_elem(former->generation, &key, &current))
		current = 0;
	return current + 1 ? current + 1 : 1;
}

static void explain_load(int err)
{
	char missing[PRIVILEGES_LEN];

	privileges__missing(missing);
	if (err == -EPERM || *missing)
		log_error("cannot load the BPF programs: not permitted%s%s; run as root, or with CAP_BPF, "
			  "CAP_NET_ADMIN and CAP_PERFMON",
			  *missing ? ": this process lacks " : "", missing);
	else if (access(KERNEL_BTF, R_OK))
		log_error("cannot load the BPF programs: this kernel has no BTF (" KERNEL_BTF "); boot one built with "
			  "CONFIG_DEBUG_INFO_BTF=y");
	else
		log_error("cannot load the BPF programs: %s%s%s; SYNWARDEN_DEBUG=1 shows the verifier's words",
			  strerror(-err), *log_libbpf_last() ? ": " : "", log_libbpf_last());
}

/* The object's file, a part of this executable, is read again only by the next load: until then it takes no memory. */
static void leave_object(const struct bpf_object_skeleton *skeleton)
{
	uintptr_t page = sysconf(_SC_PAGESIZE), begin = (uintptr_t)skeleton->data + page - 1,
		  end = (uintptr_t)skeleton->data + skeleton->data_sz;

	begin -= begin % page;
	end -= end % page;
	if (end > begin)
		madvise((void *)begin, end - begin, MADV_DONTNEED);
}

/* One at a time: each load holds the kernel's type information in memory. */
static int load_one_at_a_time(struct synwarden_bpf *bpf)
{
	static pthread_mutex_t loading = PTHREAD_MUTEX_INITIALIZER;
	int err;

	pthread_mutex_lock(&loading);
	err = synwarden_bpf__load(bpf);
	leave_object(bpf->skeleton);
	pthread_mutex_unlock(&loading);
	return err;
}

size_t programs__slot_bytes(const struct config *config)
{
	switch (config->stream) {
	case STREAM_HTTP:
		return sizeof(struct http_slot);
	case STREAM_LIVES:
		return RING_SLOT_BYTES(life);
	default:
		return RING_SLOT_BYTES(event);
	}
}

int programs__load(struct programs **programs, const struct config *config, unsigned parts, const struct maps *reuse)
{
	/* With a path, libbpf reads types from nowhere else. Without, older ones search the modules for missing types,
	 * which takes CAP_SYS_ADMIN; but with it, they hold the types in memory twice. */
	LIBBPF_OPTS(bpf_object_open_opts, opts, .btf_custom_path = privileges__is_admin() ? NULL : KERNEL_BTF);
	struct programs *new = calloc(1, sizeof(*new));
	int err;

	*programs = NULL;
	if (!new || !(new->bpf = synwarden_bpf__open_opts(&opts))) {
		log_error("cannot open the BPF object: %s", strerror(errno));
		goto cleanup;
	}
	choose_programs(new->bpf, parts, config->ring_slots);
	memcpy((void *)&new->bpf->rodata->cfg, config, sizeof(*config));
	if (!config->stream)
		new->bpf->rodata->cfg.generation = next_generation(reuse);
	if (map_sizes__set(new->bpf->obj, config)) {
		log_error("cannot set the sizes of the maps: %s", strerror(errno));
		goto cleanup;
	}
	if (reuse && reuse_maps(new->bpf, reuse)) {
		log_error("cannot reuse the pinned maps: %s; remove them: synwarden detach", strerror(errno));
		goto cleanup;
	}
	err = load_one_at_a_time(new->bpf);
	if (err) {
		explain_load(err);
		goto cleanup;
	}
#define X(name) new->maps.name = bpf_map__fd(new->bpf->maps.name);
	MAPS(X)
	FLEET_MAPS(X)
#undef X
	*programs = new;
	return 0;
cleanup:
	programs__free(new);
	return -1;
}

const struct maps *programs__maps(const struct programs *programs)
{
	return &programs->maps;
}

/* The object whose filter is in force. */
static struct synwarden_bpf *filter_of(const struct programs *programs)
{
	return programs->filter ? programs->filter->bpf : programs->bpf;
}

int programs__filter_fd(const struct programs *programs)
{
	return bpf_program__fd(filter_of(programs)->progs.filter_packet);
}

int programs__explain_fd(const struct programs *programs)
{
	return bpf_program__fd(filter_of(programs)->progs.explain_packet);
}

bool programs__rings(const struct programs *programs, int *rings, int *slots)
{
	*rings = bpf_map__fd(programs->bpf->maps.rings);
	*slots = bpf_map__fd(programs->bpf->maps.ring_slots);
	return programs->bpf->rodata->cfg.ring_slots;
}

void programs__touch_rings(const struct programs *programs)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);
	__u32 ring;

	opts.ctx_in = &ring;
	opts.ctx_size_in = sizeof(ring);
	for (ring = 0; ring < programs->bpf->rodata->cfg.rings; ring++)
		bpf_prog_test_run_opts(bpf_program__fd(programs->bpf->progs.touch_ring), &opts);
}

void programs__sweep_closings(const struct programs *programs)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);

	bpf_prog_test_run_opts(bpf_program__fd(programs->bpf->progs.sweep_closings), &opts);
}

static int pin_link(const char *dir, const struct bpf_prog_skeleton *p)
{
	char name[64];

	snprintf(name, sizeof(name), "link-%s", p->name);
	return pins__put(dir, name, bpf_link__fd(*p->link));
}

static int pin_links(const struct programs *programs, const char *dir)
{
	const struct bpf_object_skeleton *skeleton = programs->bpf->skeleton;

	for (int i = 0; i < skeleton->prog_cnt; i++) {
		if (*skeleton->progs[i].link && pin_link(dir, &skeleton->progs[i]))
			return -1;
	}
	return 0;
}

/* From here on, these programs count, and no longer those of a former `run`, which the kernel detaches when it likes.
 */
static int take_turn(const struct programs *programs)
{
	__u32 key = 0, generation = programs->bpf->rodata->cfg.generation;

	if (!generation || bpf_map_update_elem(programs->maps.generation, &key, &generation, BPF_ANY) == 0)
		return 0;
	log_error("cannot begin to count: %s", strerror(errno));
	return -1;
}

int programs__attach_tracker(struct programs *programs, const char *dir)
{
	const struct bpf_object_skeleton *skeleton = programs->bpf->skeleton;

	/* The iterators and the XDP program are attached where they are used. */
	for (int i = 0; i < skeleton->prog_cnt; i++) {
		struct bpf_prog_skeleton *p = &skeleton->progs[i];

		if (!bpf_program__autoload(*p->prog) || bpf_program__expected_attach_type(*p->prog) != BPF_TRACE_RAW_TP)
			continue;
		*p->link = bpf_program__attach(*p->prog);
		if (!*p->link) {
			log_error("cannot attach %s: %s; the kernel needs the tracepoint and BTF", p->name,
				  strerror(errno));
			return -1;
		}
	}
	if (take_turn(programs))
		return -1;
	return dir ? pin_links(programs, dir) : 0;
}

int programs__attach_http(struct programs *programs, bool *whole)
{
	struct bpf_program *const both[] = {programs->bpf->progs.see_incoming, programs->bpf->progs.see_outgoing};
	int root = cgroups__open_root(whole);

	if (root < 0) {
		log_error("the cgroup v2 hierarchy is not mounted; mount it: mount -t cgroup2 none /sys/fs/cgroup");
		return -1;
	}
	for (int i = 0; i < 2; i++) {
		programs->http[i] = bpf_program__attach_cgroup(both[i], root);
		if (!programs->http[i]) {
			log_error("cannot attach %s to the root of the cgroup hierarchy: %s",
				  bpf_program__name(both[i]), strerror(errno));
			close(root);
			return -1;
		}
	}
	close(root);
	return 0;
}

void programs__replace_filter(struct programs *programs, struct programs *next)
{
	/* Under the descriptor that other threads use. */
	if (dup3(next->maps.port_rules, programs->maps.port_rules, O_CLOEXEC) < 0)
		log_warn("the budgets that are shown may be the former ones: %s", strerror(errno));
	if (programs->filter) {
		programs__free(programs->filter);
	} else {
		bpf_program__unload(programs->bpf->progs.filter_packet);
		bpf_program__unload(programs->bpf->progs.explain_packet);
	}
	programs->filter = next;
}

static int pin_fleet(const struct programs *programs, const char *dir)
{
#define X(map)                                                                                                         \
	if (pins__put(dir, #map, programs->maps.map))                                                                  \
		return -1;
	FLEET_MAPS(X)
#undef X
	return 0;
}

int programs__pin(struct programs *programs, const char *dir)
{
#define X(map)                                                                                                         \
	if (pins__put(dir, #map, programs->maps.map))                                                                  \
		return -1;
	MAPS(X)
#undef X
	if (programs->bpf->rodata->cfg.fleet_entries && pin_fleet(programs, dir))
		return -1;
	return pin_links(programs, dir) ? -1 : pins__put(dir, PIN_EXPLAIN, programs__explain_fd(programs));
}

int programs__census(struct programs *programs, bool first, struct census *census)
{
	__u32 work = CENSUS_WORK;

	*census = (struct census){.first = first, .ends_in = CENSUS_NO_END};
	if (bpf_map_update_elem(programs->maps.censuses, &work, census, BPF_ANY) ||
	    iterators__count(programs->bpf->progs.count_sockets))
		return -1;
	return bpf_map_lookup_elem(programs->maps.censuses, &work, census);
}

int programs__owners(struct programs *programs, struct holder **holders, size_t *count)
{
	return iterators__holders(programs->bpf->progs.own_sockets, holders, count);
}

int programs__sockets(struct programs *programs, bool (*each)(void *context, const struct life *life), void *context)
{
	return iterators__sockets(programs->bpf->progs.list_sockets, each, context);
}

void programs__free(struct programs *programs)
{
	if (!programs)
		return;
	programs__free(programs->filter);
	for (int i = 0; i < 2; i++)
		bpf_link__destroy(programs->http[i]);
	synwarden_bpf__destroy(programs->bpf);
	free(programs);
}
