// SPDX-License-Identifier: GPL-2.0-only
/*
 * The interfaces of a `run`: found by name, filtered, and filtered again when one that went away is back.
 */
#include <errno.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "checks.h"
#include "log.h"
#include "run.h"

#define RETRY_SECONDS 10

/* The filter looks for an Ethernet header: on tunnels there is none. */
static bool is_ethernet(const char *name)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq ifr = {};
	bool ethernet;

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	ethernet = fd < 0 || ioctl(fd, SIOCGIFHWADDR, &ifr) || ifr.ifr_hwaddr.sa_family == ARPHRD_ETHER ||
		   ifr.ifr_hwaddr.sa_family == ARPHRD_LOOPBACK;
	if (fd >= 0)
		close(fd);
	return ethernet;
}

int run__find_interfaces(struct run *run, const char *const *names, size_t count)
{
	size_t i, j;

	for (i = 0; i < count; i++) {
		unsigned ifindex = if_nametoindex(names[i]);

		if (!ifindex) {
			log_error("run: \"%s\" is not an interface of this network namespace; see: ip link", names[i]);
			return -1;
		}
		if (!is_ethernet(names[i])) {
			log_error("run: \"%s\" carries no Ethernet frames, and the filter would judge by the wrong "
				  "bytes; "
				  "filter where its packets come in",
				  names[i]);
			return -1;
		}
		for (j = 0; j < i; j++) {
			if (run->meta.interface[j].ifindex == ifindex) {
				log_error("run: \"%s\" is named twice", names[i]);
				return -1;
			}
		}
		run->meta.interface[i].ifindex = ifindex;
		snprintf(run->meta.interface[i].name, sizeof(run->meta.interface[i].name), "%s", names[i]);
	}
	run->meta.interfaces = count;
	return 0;
}

/* A link cannot change its mode: one in another than is asked for is attached anew. */
static bool is_in_mode(unsigned ifindex, enum xdp_mode mode)
{
	return mode == XDP_MODE_AUTO || guard__is_native(ifindex) == (mode == XDP_MODE_NATIVE);
}

/* Puts this run's program into the links of a former one, on interfaces that both name; the others lose their filter.
 */
static int take_over(void *context, unsigned ifindex, int link_fd)
{
	struct run *run = context;
	size_t i;

	for (i = 0; i < run->meta.interfaces && run->meta.interface[i].ifindex != ifindex; i++)
		;
	if (i < run->meta.interfaces && is_in_mode(ifindex, run->options.xdp_mode)) {
		int ret = guard__takeover_xdp(run->guard, ifindex, dup(link_fd));

		run->taken_over[i] = !ret;
		if (ret <= 0)
			return ret;
	}
	return pins__remove_xdp(&run->pins, ifindex);
}

static void note_mode(struct run *run, size_t i, const char *when)
{
	run->meta.interface[i].native = guard__is_native(run->meta.interface[i].ifindex);
	log_info("%s%s: filtering in %s mode%s", run->meta.interface[i].name, when,
		 run->meta.interface[i].native ? "native" : "generic",
		 run->options.dry_run ? "; dry run: everything passes" : "");
}

/* One that is filtered, or the peer of one. */
static bool is_concerned(const struct run *run, const struct scene *scene, unsigned ifindex)
{
	for (size_t i = 0; i < run->meta.interfaces; i++) {
		const struct device *filtered = scene__device(scene, run->meta.interface[i].ifindex);

		if (filtered && (filtered->ifindex == ifindex || filtered->lower == ifindex))
			return true;
	}
	return false;
}

/* An answer leaves the way the SYN came: without the tag that stood beside it. */
static void warn_of_vlans(const struct run *run)
{
	struct scene scene = {};

	if (run->options.challenge != CHALLENGE_AUTO || scene__find_devices(&scene))
		return;
	for (size_t i = 0; i < scene.device_count; i++)
		if (is_concerned(run, &scene, scene.devices[i].ifindex))
			scene__ask_driver(&scene.devices[i]);
	for (size_t i = 0; i < run->meta.interfaces; i++) {
		struct finding finding = {};

		if (run->meta.interface[i].native &&
		    checks__vlan(&scene, run->meta.interface[i].ifindex, &finding) == CHECK_WEAK)
			log_warn("%s: VLAN tags are %s: challenges would be answered without them, and clients there "
				 "kept out under attack; %s",
				 run->meta.interface[i].name, finding.detail,
				 *finding.command ? finding.command : finding.advice);
	}
	scene__free(&scene);
}

int run__attach_interfaces(struct run *run)
{
	size_t i;

	if (pins__each_xdp(&run->pins, take_over, run))
		return -1;
	for (i = 0; i < run->meta.interfaces; i++) {
		if (!run->taken_over[i] &&
		    guard__attach_xdp(run->guard, run->meta.interface[i].ifindex, run->options.xdp_mode))
			return -1;
		note_mode(run, i, "");
	}
	warn_of_vlans(run);
	return 0;
}

/* Whether it is there, and filtered: it may have been removed, or gone to another network namespace, where this filter
 * has no business; or made anew with its number, or another tool has taken the filter off. */
static bool is_kept(const struct run *run, size_t i)
{
	const char *name = run->meta.interface[i].name;
	unsigned ifindex = run->meta.interface[i].ifindex;
	char now[IF_NAMESIZE]; /* which may be another: the filter stays with the interface */

	if (!if_indextoname(ifindex, now) && errno == ENXIO)
		log_warn("%s is gone: it is filtered again once an interface of that name is back", name);
	else if (!guard__is_attached(run->guard, ifindex))
		log_warn("%s is not filtered any more: it was made anew, or another tool has removed the filter", name);
	else
		return true;
	return false;
}

static void let_go(struct run *run, size_t i)
{
	guard__detach_xdp(run->guard, run->meta.interface[i].ifindex);
	pins__remove_xdp(&run->pins, run->meta.interface[i].ifindex);
	run->meta.interface[i].ifindex = 0;
	run->meta.interface[i].native = 0;
	run->retry[i] = 0;
}

/* Not each second where it is refused, which is said each time: a driver may need a while. */
static bool take_back(struct run *run, size_t i, unsigned ifindex)
{
	if (run->retry[i]) {
		run->retry[i]--;
		return false;
	}
	if (guard__attach_xdp(run->guard, ifindex, run->options.xdp_mode)) {
		run->retry[i] = RETRY_SECONDS;
		return false;
	}
	run->meta.interface[i].ifindex = ifindex;
	note_mode(run, i, " is back");
	return true;
}

int run__follow_interfaces(struct run *run)
{
	size_t i;

	for (i = 0; i < run->meta.interfaces; i++) {
		unsigned ifindex;

		if (run->meta.interface[i].ifindex && !is_kept(run, i)) {
			let_go(run, i);
			run->stale = true;
		}
		if (!run->meta.interface[i].ifindex && (ifindex = if_nametoindex(run->meta.interface[i].name)))
			run->stale |= take_back(run, i, ifindex);
	}
	if (run->stale && (run__write_meta(run) || guard__pin(run->guard, run->pins.path)))
		return -1;
	run->stale = false;
	return 0;
}
