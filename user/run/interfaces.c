// SPDX-License-Identifier: GPL-2.0-only
/*
 * Finds, attaches, and attaches again when an interface is back.
 */
#include <errno.h>
#include <limits.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "run/interfaces.h"
#include "run/meta.h"
#include "system/devices_driver.h"
#include "system/redirects.h"
#include "text/log.h"

#define RETRY_SECONDS 10

/* The filter expects an Ethernet header: tunnels have none. */
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

/* Its number, 0 where it is not there; -1, after a message, where it cannot be filtered. */
static int check(const struct run *run, size_t i)
{
	const char *name = run->settings->interfaces[i];
	unsigned ifindex = if_nametoindex(name);

	if (ifindex && !is_ethernet(name)) {
		log_error("run: \"%s\" carries no Ethernet frames, and the filter would judge by the wrong bytes; "
			  "filter where its packets come in",
			  name);
		return -1;
	}
	for (size_t j = 0; j < i; j++)
		if (ifindex && run->meta.interface[j].ifindex == ifindex) {
			log_error("run: \"%s\" is named twice", name);
			return -1;
		}
	return ifindex;
}

/* What is not there is no reason not to filter the rest. */
static void warn_of_absent(const struct run *run)
{
	for (size_t i = 0; i < run->meta.interfaces; i++)
		if (!run->meta.interface[i].ifindex)
			log_warn("%s is not there: it is filtered once an interface of that name comes",
				 run->meta.interface[i].name);
}

int interfaces__find(struct run *run)
{
	unsigned present = 0;

	for (size_t i = 0; i < run->settings->interface_count; i++) {
		int ifindex = check(run, i);

		if (ifindex < 0)
			return -1;
		present += ifindex > 0;
		run->meta.interface[i].ifindex = ifindex;
		snprintf(run->meta.interface[i].name, sizeof(run->meta.interface[i].name), "%s",
			 run->settings->interfaces[i]);
	}
	run->meta.interfaces = run->settings->interface_count;
	if (!present) {
		log_error("run: \"%s\" is not an interface of this network namespace; see: ip link",
			  run->settings->interfaces[0]);
		return -1;
	}
	warn_of_absent(run);
	return 0;
}

/* A link cannot change its mode: in another mode than asked for, it is attached anew. */
static bool is_in_mode(unsigned ifindex, enum xdp_mode mode)
{
	return mode == XDP_MODE_AUTO || links__is_native(ifindex) == (mode == XDP_MODE_NATIVE);
}

/* Takes over the links of a former run on interfaces that both name; the others lose their filter. */
static int take_over(void *context, unsigned ifindex, int link_fd)
{
	struct run *run = context;
	size_t i;

	for (i = 0; i < run->meta.interfaces && run->meta.interface[i].ifindex != ifindex; i++)
		;
	if (i < run->meta.interfaces && is_in_mode(ifindex, run->settings->options.xdp_mode)) {
		int ret = links__take_over(&run->links, programs__filter_fd(run->programs), ifindex, dup(link_fd));

		run->taken_over[i] = !ret;
		if (ret <= 0)
			return ret;
	}
	return pins__remove_xdp(&run->pins, ifindex);
}

static void note_mode(struct run *run, size_t i, const char *when)
{
	run->meta.interface[i].native = links__is_native(run->meta.interface[i].ifindex);
	log_info("%s%s: filtering in %s mode%s", run->meta.interface[i].name, when,
		 run->meta.interface[i].native ? "native" : "generic",
		 run->settings->options.dry_run ? "; dry run: everything passes" : "");
}

/* Whether it is filtered, or the peer of one that is. */
static bool is_concerned(const struct run *run, const struct devices *devices, unsigned ifindex)
{
	for (size_t i = 0; i < run->meta.interfaces; i++) {
		const struct device *filtered = devices__find(devices, run->meta.interface[i].ifindex);

		if (filtered && (filtered->ifindex == ifindex || filtered->lower == ifindex))
			return true;
	}
	return false;
}

/* Lists the devices, and reads drivers of those that matter here. */
static int find_devices(const struct run *run, struct devices *devices)
{
	if (devices__list(devices))
		return -1;
	for (size_t i = 0; i < devices->count; i++)
		if (is_concerned(run, devices, devices->all[i].ifindex))
			devices_driver__ask(&devices->all[i]);
	return 0;
}

/* A challenge is answered from the frame of the SYN: without a tag that is not in it. */
static void warn_of_vlans(const struct devices *devices, const struct device *device)
{
	if (devices__vlan_tags(devices, device) == VLAN_TAGS_STRIPPED)
		log_warn(
			"%s: VLAN tags are stripped before the filter sees a frame: challenges leave without them, and "
			"new clients behind a VLAN cannot connect under attack; see the fix: synwarden doctor %s",
			device->name, device->name);
}

static void warn_of_veths(const struct devices *devices, const struct device *device)
{
	enum veth_peer peer = devices__veth_peer(devices, device);

	if (peer != VETH_PEER_NONE && peer != VETH_PEER_READY)
		log_warn("%s: a veth in native mode delivers what the filter answers only if its peer has an XDP "
			 "program, and %s; without one, new clients cannot connect under attack: use --xdp-mode auto",
			 device->name,
			 peer == VETH_PEER_UNKNOWN ? "the peer is in another network namespace" : "it has none");
}

/* What would keep challenges in native mode from their clients. */
static void warn_of_answers(const struct run *run)
{
	struct devices devices = {};

	if (run->settings->options.challenge != CHALLENGE_AUTO || find_devices(run, &devices))
		goto cleanup;
	for (size_t i = 0; i < run->meta.interfaces; i++) {
		const struct device *device = devices__find(&devices, run->meta.interface[i].ifindex);

		if (!device || !run->meta.interface[i].native)
			continue;
		warn_of_vlans(&devices, device);
		warn_of_veths(&devices, device);
	}
cleanup:
	devices__free(&devices);
}

static enum veth_peer veth_peer(unsigned ifindex)
{
	enum veth_peer kind = VETH_PEER_NONE;
	struct devices devices = {};
	const struct device *device;

	if (devices__list(&devices) == 0 && (device = devices__find(&devices, ifindex))) {
		for (size_t i = 0; i < devices.count; i++)
			if (devices.all[i].ifindex == device->lower)
				devices_driver__ask(&devices.all[i]);
		kind = devices__veth_peer(&devices, device);
	}
	devices__free(&devices);
	return kind;
}

/* In generic mode a veth sends challenges like any packet; in native mode its peer has to accept them. */
static int attach(struct run *run, unsigned ifindex)
{
	enum veth_peer peer = run->settings->options.xdp_mode == XDP_MODE_GENERIC ? VETH_PEER_NONE : veth_peer(ifindex);
	enum xdp_mode mode = run->settings->options.xdp_mode;
	char name[IF_NAMESIZE] = "?";

	if (mode == XDP_MODE_NATIVE && peer == VETH_PEER_STALLS) {
		log_error(
			"%s: --xdp-mode native would stall this veth: its peer has GRO on and no XDP program, so that "
			"answers fill its ring for good; use --xdp-mode auto",
			if_indextoname(ifindex, name) ?: name);
		return -1;
	}
	if (mode == XDP_MODE_AUTO && peer != VETH_PEER_NONE && peer != VETH_PEER_READY)
		mode = XDP_MODE_GENERIC;
	return links__attach(&run->links, programs__filter_fd(run->programs), ifindex, mode);
}

/* What comes to such a port reaches a listener on another one: it has no budget of its own. */
static void warn_of_redirects(void)
{
	struct redirects *redirects = malloc(sizeof(*redirects));

	if (redirects && redirects__read(redirects) == 0)
		for (size_t i = 0; i < redirects->count; i++) {
			char port[REDIRECT_PORT_LEN], to[REDIRECT_PORT_LEN];

			log_warn("SYNs to %s are redirected to %s by a rule of the packet filter, and are not "
				 "filtered: no socket listens on the port that they name",
				 redirects__port(port, "port ", redirects->all[i].port),
				 redirects__port(to, "port ", redirects->all[i].to));
		}
	free(redirects);
}

int interfaces__attach(struct run *run)
{
	size_t i;

	if (pins__each_xdp(&run->pins, take_over, run))
		return -1;
	for (i = 0; i < run->meta.interfaces; i++) {
		if (!run->meta.interface[i].ifindex)
			continue;
		if (!run->taken_over[i] && attach(run, run->meta.interface[i].ifindex))
			return -1;
		note_mode(run, i, "");
	}
	warn_of_answers(run);
	warn_of_redirects();
	return 0;
}

/* The filter stays with a renamed interface. One that has its former name now is another one. */
static void follow_name(struct run *run, size_t i, const char *now)
{
	char *name = run->meta.interface[i].name;

	if (!strcmp(name, now))
		return;
	log_notice(
		"%s is called %s now: it is filtered as before, and an interface that is called %s from now on is not",
		name, now, name);
	snprintf(name, sizeof(run->meta.interface[i].name), "%s", now);
	run->pins_outdated = true;
}

/* Whether the interface exists and is filtered. It may have been removed, moved to another network namespace, or made
 * anew with its number, or another tool may have removed the filter. */
static bool is_kept(struct run *run, size_t i)
{
	const char *name = run->meta.interface[i].name;
	unsigned ifindex = run->meta.interface[i].ifindex;
	char buf[IF_NAMESIZE];
	const char *now = if_indextoname(ifindex, buf);
	bool exists = now || errno != ENXIO;

	if (exists && links__is_attached(&run->links, ifindex)) {
		if (now)
			follow_name(run, i, now);
		return true;
	}
	if (exists)
		log_warn("%s is not filtered any more: it was made anew, or another tool has removed the filter", name);
	else
		log_warn("%s is gone: it is filtered again once an interface called %s is there", name,
			 run->settings->interfaces[i]);
	return false;
}

static void let_go(struct run *run, size_t i)
{
	kept_events__note(&run->events, EVENT_GONE, 0, run->meta.interface[i].name);
	links__detach(&run->links, run->meta.interface[i].ifindex);
	pins__remove_xdp(&run->pins, run->meta.interface[i].ifindex);
	run->meta.interface[i].ifindex = 0;
	run->meta.interface[i].native = 0;
	snprintf(run->meta.interface[i].name, sizeof(run->meta.interface[i].name), "%s", run->settings->interfaces[i]);
	run->retry[i] = 0;
}

/* Not each second where the kernel refuses, as each refusal is logged: a driver may need a while. */
static bool take_back(struct run *run, size_t i, unsigned ifindex)
{
	if (run->retry[i]) {
		run->retry[i]--;
		return false;
	}
	if (!is_ethernet(run->meta.interface[i].name)) {
		log_error("%s carries no Ethernet frames, and is not filtered", run->meta.interface[i].name);
		run->retry[i] = UINT_MAX;
		return false;
	}
	if (attach(run, ifindex)) {
		run->retry[i] = RETRY_SECONDS;
		return false;
	}
	run->meta.interface[i].ifindex = ifindex;
	note_mode(run, i, " is back");
	kept_events__note(&run->events, EVENT_BACK, 0, run->meta.interface[i].name);
	return true;
}

/* Under any of its names. */
static bool is_filtered(const struct run *run, unsigned ifindex)
{
	for (size_t i = 0; i < run->meta.interfaces; i++)
		if (run->meta.interface[i].ifindex == ifindex)
			return true;
	return false;
}

int interfaces__follow(struct run *run)
{
	size_t i;

	for (i = 0; i < run->meta.interfaces; i++) {
		unsigned ifindex;

		if (run->meta.interface[i].ifindex && !is_kept(run, i)) {
			let_go(run, i);
			run->pins_outdated = true;
		}
		if (run->meta.interface[i].ifindex)
			continue;
		ifindex = if_nametoindex(run->meta.interface[i].name);
		if (ifindex && !is_filtered(run, ifindex))
			run->pins_outdated |= take_back(run, i, ifindex);
		else
			run->retry[i] = 0;
	}
	run->addresses.changed |= run->pins_outdated;
	if (run->pins_outdated && (meta__write(run) || links__pin(&run->links, run->pins.path)))
		return -1;
	run->pins_outdated = false;
	return 0;
}
