// SPDX-License-Identifier: GPL-2.0-only
/*
 * XDP links, by interface number.
 */
#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/if_link.h>

#include "kernel/links.h"
#include "kernel/pins.h"
#include "text/log.h"

/* Whether there is one for the interface, and at which place. */
static bool find(const struct links *links, unsigned ifindex, size_t *at)
{
	for (*at = 0; *at < links->count; (*at)++)
		if (links->all[*at].ifindex == ifindex)
			return true;
	return false;
}

static int keep(struct links *links, unsigned ifindex, int fd)
{
	if (links->count == META_INTERFACES) {
		log_error("at most %d interfaces at once", META_INTERFACES);
		close(fd);
		return -1;
	}
	links->all[links->count].ifindex = ifindex;
	links->all[links->count++].fd = fd;
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

static int create(int filter, unsigned ifindex, __u32 flags)
{
	LIBBPF_OPTS(bpf_link_create_opts, options, .flags = flags);

	return bpf_link_create(filter, ifindex, BPF_XDP, &options);
}

int links__attach(struct links *links, int filter, unsigned ifindex, enum xdp_mode mode)
{
	char name[IF_NAMESIZE] = "?";
	int fd = -1, err = 0;

	if_indextoname(ifindex, name);
	if (refuse_foreign(name, ifindex))
		return -1;
	if (mode != XDP_MODE_GENERIC) {
		fd = create(filter, ifindex, XDP_FLAGS_DRV_MODE);
		err = errno;
	}
	if (fd < 0 && mode != XDP_MODE_NATIVE) {
		if (mode == XDP_MODE_AUTO)
			log_warn("%s: the driver takes no native XDP program (%s); using generic mode, which costs "
				 "several times more a packet",
				 name, strerror(err));
		fd = create(filter, ifindex, XDP_FLAGS_SKB_MODE);
		err = errno;
	}
	if (fd < 0) {
		log_error("cannot attach to %s in %s mode: %s%s", name, mode == XDP_MODE_NATIVE ? "native" : "generic",
			  strerror(err), mode == XDP_MODE_NATIVE ? "; try --xdp-mode generic" : "");
		return -1;
	}
	return keep(links, ifindex, fd);
}

int links__take_over(struct links *links, int filter, unsigned ifindex, int link)
{
	if (bpf_link_update(link, filter, NULL) == 0)
		return keep(links, ifindex, link);
	if (errno == ENOLINK) {
		close(link);
		return 1;
	}
	log_error("cannot take over the filter that a former run left on interface %u: %s; synwarden detach removes "
		  "it",
		  ifindex, strerror(errno));
	close(link);
	return -1;
}

void links__detach(struct links *links, unsigned ifindex)
{
	size_t i;

	if (!find(links, ifindex, &i))
		return;
	bpf_link_detach(links->all[i].fd);
	close(links->all[i].fd);
	links->all[i] = links->all[--links->count];
}

int links__replace(const struct links *links, int before, int after)
{
	size_t i;

	for (i = 0; i < links->count; i++)
		if (bpf_link_update(links->all[i].fd, after, NULL) && errno != ENOLINK) /* the interface is gone */
			break;
	if (i == links->count)
		return 0;
	log_error("cannot replace the filter on interface %u: %s", links->all[i].ifindex, strerror(errno));
	while (i--)
		bpf_link_update(links->all[i].fd, before, NULL);
	return -1;
}

int links__pin(const struct links *links, const char *dir)
{
	for (size_t i = 0; i < links->count; i++)
		if (pins__put_xdp(dir, links->all[i].ifindex, links->all[i].fd))
			return -1;
	return 0;
}

bool links__is_attached(const struct links *links, unsigned ifindex)
{
	struct bpf_link_info info = {};
	__u32 len = sizeof(info);
	size_t i;

	return find(links, ifindex, &i) &&
	       (bpf_obj_get_info_by_fd(links->all[i].fd, &info, &len) || info.xdp.ifindex == ifindex);
}

bool links__is_native(unsigned ifindex)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, query);

	return bpf_xdp_query(ifindex, 0, &query) == 0 && query.attach_mode != XDP_ATTACHED_SKB;
}

void links__close(struct links *links)
{
	for (size_t i = 0; i < links->count; i++)
		close(links->all[i].fd);
	links->count = 0;
}
