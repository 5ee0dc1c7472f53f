// SPDX-License-Identifier: GPL-2.0-only
/*
 * The BPF object: open, configure, load, attach, pin. Maps that a former `run` pinned are gone on with where their
 * shape is still the same.
 */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/if_link.h>

#include "guard.h"
#include "log.h"
#include "privileges.h"
#include "synwarden.skel.h"
#include "tables.h"

#define MAX_INTERFACES META_INTERFACES
#define PORTS	       65536
#define KERNEL_BTF     "/sys/kernel/btf/vmlinux"

struct guard {
	struct synwarden_bpf *bpf;
	struct guard *filter; /* whose program has replaced that of `bpf`; NULL: none has */
	struct maps maps;
	size_t xdp_count;
	struct {
		unsigned ifindex;
		int fd;
	} xdp[MAX_INTERFACES];
};

static void choose_programs(struct synwarden_bpf *bpf, unsigned parts, bool streams)
{
	bpf_program__set_autoload(bpf->progs.filter_packet, parts & GUARD_FILTER);
	bpf_program__set_autoload(bpf->progs.track_state, parts & GUARD_TRACKER);
	bpf_program__set_autoload(bpf->progs.track_state_again, parts & GUARD_TRACKER);
	bpf_program__set_autoload(bpf->progs.track_retransmit, parts & GUARD_TRACKER);
	bpf_program__set_autoload(bpf->progs.track_synack, parts & GUARD_CENSUS);
	bpf_program__set_autoload(bpf->progs.track_reset_sent, parts & GUARD_CENSUS);
	bpf_program__set_autoload(bpf->progs.track_reset_rcvd, parts & GUARD_CENSUS);
	bpf_program__set_autoload(bpf->progs.count_sockets, parts & GUARD_CENSUS);
	bpf_program__set_autoload(bpf->progs.track_reader, parts & GUARD_OWNERS);
	bpf_program__set_autoload(bpf->progs.track_exit, parts & GUARD_OWNERS);
	bpf_program__set_autoload(bpf->progs.own_sockets, parts & (GUARD_OWNERS | GUARD_LISTS));
	bpf_program__set_autoload(bpf->progs.list_sockets, parts & (GUARD_OWNERS | GUARD_LISTS));
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

	copy.port_rules = -1; /* as fixed as the configuration that comes with them */
#define X(name)                                                                                                        \
	if (same_shape(bpf->maps.name, reuse->name) && bpf_map__reuse_fd(bpf->maps.name, reuse->name))                 \
		return -1;
	MAPS(X)
#undef X
	return 0;
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

/* What is loaded at the same time would have the kernel's type information in memory as often. */
static int load_one_at_a_time(struct synwarden_bpf *bpf)
{
	static pthread_mutex_t loading = PTHREAD_MUTEX_INITIALIZER;
	int err;

	pthread_mutex_lock(&loading);
	err = synwarden_bpf__load(bpf);
	pthread_mutex_unlock(&loading);
	return err;
}

static void size_rings(struct synwarden_bpf *bpf, const struct config *config)
{
	bpf_map__set_max_entries(bpf->maps.rings, config->rings);
	bpf_map__set_max_entries(bpf->maps.ring_slots, config->rings * config->ring_slots);
	bpf_map__set_value_size(bpf->maps.ring_slots,
				config->stream == STREAM_LIVES ? RING_SLOT_BYTES(life) : RING_SLOT_BYTES(event));
}

int guard__load(struct guard **guard, const struct config *config, unsigned parts, const struct maps *reuse)
{
	/* Named, libbpf looks for types nowhere else; older ones ask the modules for those that this kernel lacks,
	 * which takes CAP_SYS_ADMIN. But it has them in memory twice then. */
	LIBBPF_OPTS(bpf_object_open_opts, opts, .btf_custom_path = privileges__is_admin() ? NULL : KERNEL_BTF);
	struct guard *g = calloc(1, sizeof(*g));
	int err;

	*guard = NULL;
	if (!g || !(g->bpf = synwarden_bpf__open_opts(&opts))) {
		log_error("cannot open the BPF object: %s", strerror(errno));
		goto cleanup;
	}
	choose_programs(g->bpf, parts, config->ring_slots);
	memcpy((void *)&g->bpf->rodata->cfg, config, sizeof(*config));
	bpf_map__set_max_entries(g->bpf->maps.sketches, config->cpus);
	if (config->port_rules)
		bpf_map__set_max_entries(g->bpf->maps.port_rules, PORTS);
	if (config->ring_slots)
		size_rings(g->bpf, config);
	if (reuse && reuse_maps(g->bpf, reuse)) {
		log_error("cannot go on with the pinned maps: %s; synwarden detach removes them", strerror(errno));
		goto cleanup;
	}
	err = load_one_at_a_time(g->bpf);
	if (err) {
		explain_load(err);
		goto cleanup;
	}
#define X(name) g->maps.name = bpf_map__fd(g->bpf->maps.name);
	MAPS(X)
#undef X
	*guard = g;
	return 0;
cleanup:
	guard__free(g);
	return -1;
}

const struct maps *guard__maps(const struct guard *guard)
{
	return &guard->maps;
}

int guard__filter_fd(const struct guard *guard)
{
	const struct guard *holder = guard->filter ? guard->filter : guard;

	return bpf_program__fd(holder->bpf->progs.filter_packet);
}

bool guard__rings(const struct guard *guard, int *rings, int *slots)
{
	*rings = bpf_map__fd(guard->bpf->maps.rings);
	*slots = bpf_map__fd(guard->bpf->maps.ring_slots);
	return guard->bpf->rodata->cfg.ring_slots;
}

void guard__touch_rings(const struct guard *guard)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);
	__u32 ring;

	opts.ctx_in = &ring;
	opts.ctx_size_in = sizeof(ring);
	for (ring = 0; ring < guard->bpf->rodata->cfg.rings; ring++)
		bpf_prog_test_run_opts(bpf_program__fd(guard->bpf->progs.touch_ring), &opts);
}

/* Replaces a pin, at no time of which there is none: the old object lives on only if somebody else holds it. */
static int pin(const char *dir, const char *name, int fd)
{
	char path[256], new[256];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	snprintf(new, sizeof(new), "%s/new", dir);
	if (unlink(new) && errno != ENOENT)
		goto fail;
	if (bpf_obj_pin(fd, new) == 0 && rename(new, path) == 0)
		return 0;
fail:
	log_error("cannot pin %s: %s", path, strerror(errno));
	return -1;
}

static int pin_link(const char *dir, const struct bpf_prog_skeleton *p)
{
	char name[64];

	snprintf(name, sizeof(name), "link-%s", p->name);
	return pin(dir, name, bpf_link__fd(*p->link));
}

int guard__attach_tracker(struct guard *guard, const char *dir)
{
	int i;

	/* The iterators and the XDP program are attached where they are used. */
	for (i = 0; i < guard->bpf->skeleton->prog_cnt; i++) {
		struct bpf_prog_skeleton *p = &guard->bpf->skeleton->progs[i];

		if (!bpf_program__autoload(*p->prog) || bpf_program__expected_attach_type(*p->prog) != BPF_TRACE_RAW_TP)
			continue;
		*p->link = bpf_program__attach(*p->prog);
		if (!*p->link) {
			log_error("cannot attach %s: %s; the kernel needs the tracepoint and BTF", p->name,
				  strerror(errno));
			return -1;
		}
		if (dir && pin_link(dir, p))
			return -1;
	}
	return 0;
}

/* Names the program that is on the interface already. */
static int refuse_foreign(const char *name, unsigned ifindex)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, query);
	struct bpf_prog_info info = {};
	__u32 len = sizeof(info), id = 0;
	int fd;

	if (bpf_xdp_query(ifindex, 0, &query) == 0)
		id = query.prog_id ? query.prog_id : query.drv_prog_id ? query.drv_prog_id : query.skb_prog_id;
	if (!id)
		return 0;
	fd = bpf_prog_get_fd_by_id(id);
	if (fd >= 0) {
		bpf_obj_get_info_by_fd(fd, &info, &len);
		close(fd);
	}
	log_error("%s has another XDP program already: %s (id %u); see what owns it with `bpftool net`, remove it with "
		  "`ip link set dev %s xdp off`, or detach it with its own tool",
		  name, *info.name ? info.name : "unknown", id, name);
	return -1;
}

static int attach_with(struct guard *guard, unsigned ifindex, __u32 flags)
{
	LIBBPF_OPTS(bpf_link_create_opts, options, .flags = flags);

	return bpf_link_create(guard__filter_fd(guard), ifindex, BPF_XDP, &options);
}

static int keep_link(struct guard *guard, unsigned ifindex, int fd)
{
	if (guard->xdp_count == MAX_INTERFACES) {
		log_error("at most %d interfaces at once", MAX_INTERFACES);
		close(fd);
		return -1;
	}
	guard->xdp[guard->xdp_count].ifindex = ifindex;
	guard->xdp[guard->xdp_count++].fd = fd;
	return 0;
}

int guard__attach_xdp(struct guard *guard, unsigned ifindex, enum xdp_mode mode)
{
	char name[IF_NAMESIZE] = "?";
	int fd = -1, err = 0;

	if_indextoname(ifindex, name);
	if (refuse_foreign(name, ifindex))
		return -1;
	if (mode != XDP_MODE_GENERIC) {
		fd = attach_with(guard, ifindex, XDP_FLAGS_DRV_MODE);
		err = errno;
	}
	if (fd < 0 && mode != XDP_MODE_NATIVE) {
		if (mode == XDP_MODE_AUTO)
			log_warn("%s: the driver takes no native XDP program (%s); using generic mode, which costs "
				 "several "
				 "times more a packet",
				 name, strerror(err));
		fd = attach_with(guard, ifindex, XDP_FLAGS_SKB_MODE);
		err = errno;
	}
	if (fd < 0) {
		log_error("cannot attach to %s in %s mode: %s%s", name, mode == XDP_MODE_NATIVE ? "native" : "generic",
			  strerror(err), mode == XDP_MODE_NATIVE ? "; try --xdp-mode generic" : "");
		return -1;
	}
	return keep_link(guard, ifindex, fd);
}

void guard__detach_xdp(struct guard *guard, unsigned ifindex)
{
	size_t i;

	for (i = 0; i < guard->xdp_count && guard->xdp[i].ifindex != ifindex; i++)
		;
	if (i == guard->xdp_count)
		return;
	bpf_link_detach(guard->xdp[i].fd);
	close(guard->xdp[i].fd);
	guard->xdp[i] = guard->xdp[--guard->xdp_count];
}

bool guard__is_attached(const struct guard *guard, unsigned ifindex)
{
	struct bpf_link_info info = {};
	__u32 len = sizeof(info);
	size_t i;

	for (i = 0; i < guard->xdp_count && guard->xdp[i].ifindex != ifindex; i++)
		;
	return i < guard->xdp_count &&
	       (bpf_obj_get_info_by_fd(guard->xdp[i].fd, &info, &len) || info.xdp.ifindex == ifindex);
}

bool guard__is_native(unsigned ifindex)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, query);

	return bpf_xdp_query(ifindex, 0, &query) == 0 && query.attach_mode != XDP_ATTACHED_SKB;
}

int guard__takeover_xdp(struct guard *guard, unsigned ifindex, int link_fd)
{
	if (bpf_link_update(link_fd, guard__filter_fd(guard), NULL)) {
		if (errno == ENOLINK) {
			close(link_fd);
			return 1;
		}
		log_error("cannot take over the filter that a former run left on interface %u: %s; synwarden detach "
			  "removes it",
			  ifindex, strerror(errno));
		close(link_fd);
		return -1;
	}
	return keep_link(guard, ifindex, link_fd);
}

/* An interface that is gone has nothing to be replaced. */
static int update_links(const struct guard *guard, int filter, size_t *updated)
{
	for (*updated = 0; *updated < guard->xdp_count; (*updated)++) {
		if (bpf_link_update(guard->xdp[*updated].fd, filter, NULL) && errno != ENOLINK) {
			log_error("cannot replace the filter on interface %u: %s", guard->xdp[*updated].ifindex,
				  strerror(errno));
			return -1;
		}
	}
	return 0;
}

int guard__replace_filter(struct guard *guard, struct guard *next)
{
	int before = guard__filter_fd(guard);
	size_t updated;

	if (update_links(guard, guard__filter_fd(next), &updated)) {
		while (updated--)
			bpf_link_update(guard->xdp[updated].fd, before, NULL);
		guard__free(next);
		return -1;
	}
	/* Under the number that the threads know. */
	if (dup3(next->maps.port_rules, guard->maps.port_rules, O_CLOEXEC) < 0)
		log_warn("the budgets that are shown may be the former ones: %s", strerror(errno));
	if (guard->filter)
		guard__free(guard->filter);
	else
		bpf_program__unload(guard->bpf->progs.filter_packet);
	guard->filter = next;
	return 0;
}

int guard__pin(struct guard *guard, const char *dir)
{
	char name[64];
	size_t i;

#define X(map)                                                                                                         \
	if (pin(dir, #map, guard->maps.map))                                                                           \
		return -1;
	MAPS(X)
#undef X
	for (i = 0; i < (size_t)guard->bpf->skeleton->prog_cnt; i++) {
		const struct bpf_prog_skeleton *p = &guard->bpf->skeleton->progs[i];

		if (*p->link && pin_link(dir, p))
			return -1;
	}
	for (i = 0; i < guard->xdp_count; i++) {
		snprintf(name, sizeof(name), "xdp-%u", guard->xdp[i].ifindex);
		if (pin(dir, name, guard->xdp[i].fd))
			return -1;
	}
	return 0;
}

int guard__census(struct guard *guard, bool first, struct census *census)
{
	__u32 work = CENSUS_WORK;

	*census = (struct census){.first = first};
	if (bpf_map_update_elem(guard->maps.censuses, &work, census, BPF_ANY) ||
	    tables__count(guard->bpf->progs.count_sockets))
		return -1;
	return bpf_map_lookup_elem(guard->maps.censuses, &work, census);
}

int guard__owners(struct guard *guard, struct holder **holders, size_t *count)
{
	return tables__holders(guard->bpf->progs.own_sockets, holders, count);
}

int guard__sockets(struct guard *guard, bool (*each)(void *context, const struct life *life), void *context)
{
	return tables__sockets(guard->bpf->progs.list_sockets, each, context);
}

void guard__free(struct guard *guard)
{
	size_t i;

	if (!guard)
		return;
	for (i = 0; i < guard->xdp_count; i++)
		close(guard->xdp[i].fd);
	guard__free(guard->filter);
	synwarden_bpf__destroy(guard->bpf);
	free(guard);
}
