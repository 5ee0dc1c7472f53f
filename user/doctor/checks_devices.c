// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checks of one interface: how fast the filter would be there, what stands in its way, and what would not get through.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "doctor/checks.h"

#define ONE_BUFFER_MTU 3498 /* what a page holds beside XDP's headroom and the skb's tail, on x86 */
#define MASK_WORD      32   /* CPUs in a group of the kernel's bitmap format */
#define MASK_LEN       (1024 / MASK_WORD * 9 + 1)
#define WORD_LEN       64

/* An interface's name as a word of the shell: it may hold all but '/', ':' and white space. */
static const char *shell_word(char buf[WORD_LEN], const char *name)
{
	char *out = buf;

	if (name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._@-")] == '\0')
		return name;
	*out++ = '\'';
	for (; *name; name++)
		out += sprintf(out, *name == '\'' ? "'\\''" : "%c", *name);
	strcpy(out, "'");
	return buf;
}

static bool is_kind(const struct device *device, const char *kind)
{
	return !strcmp(device->kind, kind);
}

static enum check_status judge_link(const struct subject *on, struct finding *finding)
{
	const struct device *device = on->device;
	char word[WORD_LEN];

	if (device->up)
		return checks__say(finding, CHECK_OK, "up, MTU %u, driver %s", device->mtu,
				   *device->driver ? device->driver : "unknown");
	checks__command(finding, "ip link set dev %s up", shell_word(word, device->name));
	return checks__say(finding, CHECK_WEAK, "down");
}

static enum check_status no_native(const struct subject *on, struct finding *finding)
{
	const struct device *device = on->device, *lower = devices__find(&on->host->devices, device->lower);
	char word[WORD_LEN];

	if (is_kind(device, "vlan") && lower)
		checks__command(finding, "synwarden run %s", shell_word(word, lower->name));
	else if (is_kind(device, "veth"))
		checks__advise(finding, "a veth takes them while it has at least as many RX queues as its peer has TX "
					"queues");
	else
		checks__advise(finding, "run uses generic mode there; another driver or NIC has it");
	return checks__say(finding, CHECK_WEAK, "driver %s has none", *device->driver ? device->driver : "(unknown)");
}

static enum check_status judge_native(const struct subject *on, struct finding *finding)
{
	const struct device *device = on->device;
	char word[WORD_LEN];

	if (device->native == ANSWER_NO)
		return no_native(on, finding);
	if (device->native == ANSWER_UNKNOWN) {
		checks__command(finding, "synwarden run --dry-run --xdp-mode native --duration 1 %s",
				shell_word(word, device->name));
		return checks__say(finding, CHECK_UNKNOWN, "this kernel does not tell without attaching; driver %s",
				   *device->driver ? device->driver : "unknown");
	}
	if (device->native_buffers || device->mtu <= ONE_BUFFER_MTU)
		return checks__say(finding, CHECK_OK, "yes%s",
				   device->native_buffers ? ", frames in several buffers too" : "");
	checks__command(finding, "ip link set dev %s mtu %d", shell_word(word, device->name), ONE_BUFFER_MTU);
	return checks__say(finding, CHECK_WEAK, "yes, but not at MTU %u: frames would not fit into one buffer",
			   device->mtu);
}

static void command_to_remove(const struct device *device, struct finding *finding)
{
	char word[WORD_LEN];

	if (!strcmp(device->xdp.name, "xdp_dispatcher"))
		checks__command(finding, "xdp-loader unload %s --all", shell_word(word, device->name));
	else if (device->xdp.link)
		checks__command(finding, "bpftool link detach id %u", device->xdp.link);
	else
		checks__command(finding, "ip link set dev %s %s off", shell_word(word, device->name),
				device->xdp.native ? "xdp" : "xdpgeneric");
	checks__advise(finding, "better, stop what put it there: it may put it back");
}

static enum check_status judge_program(const struct subject *on, struct finding *finding)
{
	const struct device *device = on->device;

	if (!device->xdp.id)
		return checks__say(finding, CHECK_OK, "none");
	if (device->xdp.ours)
		return checks__say(finding, CHECK_OK, "synwarden's own (id %u, %s)", device->xdp.id,
				   device->xdp.native ? "native" : "generic");
	if (on->host->run.state == RUN_UNKNOWN)
		return checks__say(finding, CHECK_UNKNOWN, "there is one (id %u); only root can see its name",
				   device->xdp.id);
	command_to_remove(device, finding);
	return checks__say(finding, CHECK_BROKEN, "%s (id %u, %s)",
			   *device->xdp.name ? device->xdp.name : "a program without a name", device->xdp.id,
			   device->xdp.native ? "native" : "generic");
}

static enum check_status judge_queues(const struct subject *on, struct finding *finding)
{
	const struct device *device = on->device;
	unsigned cpus = on->host->cpus, wanted = cpus < device->most_queues ? cpus : device->most_queues;
	char word[WORD_LEN];

	if (!device->queues)
		return CHECK_SKIP;
	if (device->queues < wanted)
		checks__command(finding, "ethtool -L %s %s %u", shell_word(word, device->name),
				device->combined_queues ? "combined" : "rx", wanted);
	else if (device->queues == 1 && cpus > 1)
		checks__advise(finding, "it has no more: give it several where it is made, or use another NIC");
	else
		return checks__say(finding, CHECK_OK, "%u, for %u CPUs", device->queues, cpus);
	return checks__say(finding, CHECK_WEAK, "%u of %u, for %u CPUs", device->queues, device->most_queues, cpus);
}

/* All CPUs, as the kernel writes a bitmap: "3", "f,ffffffff". */
static void print_mask(char buf[MASK_LEN], unsigned cpus)
{
	unsigned rest = cpus % MASK_WORD, words = cpus / MASK_WORD;
	char *out = buf;

	*out = '\0';
	if (rest)
		out += sprintf(out, "%x%s", (1U << rest) - 1, words ? "," : "");
	while (words--)
		out += sprintf(out, "ffffffff%s", words ? "," : "");
}

/* XDP runs before RPS: it spreads what the filter lets through. */
static enum check_status judge_rps(const struct subject *on, struct finding *finding)
{
	const struct device *device = on->device;
	char mask[MASK_LEN], word[WORD_LEN];

	if (!device->queues || on->host->cpus < 2)
		return CHECK_SKIP;
	if (device->rps == ANSWER_UNKNOWN) {
		checks__advise(finding, "look from within: ip netns exec NAME synwarden doctor");
		return checks__say(finding, CHECK_UNKNOWN, "/sys shows another network namespace");
	}
	if (device->rps == ANSWER_YES || device->queues > 1)
		return checks__say(finding, CHECK_OK,
				   device->rps == ANSWER_YES ? "on" : "off: there are several queues");
	print_mask(mask, on->host->cpus);
	checks__command(finding, "echo %s >/sys/class/net/%s/queues/rx-0/rps_cpus", mask,
			shell_word(word, device->name));
	return checks__say(finding, CHECK_WEAK, "off, with one queue for %u CPUs", on->host->cpus);
}

/* On a veth, its peer strips the tags. */
static void fix_vlan(const struct device *device, const struct device *peer, struct finding *finding)
{
	char word[WORD_LEN];

	if (peer)
		checks__command(finding, "ethtool -K %s txvlan off", shell_word(word, peer->name));
	else if (device->offloads[OFFLOAD_VLAN].fixed)
		checks__advise(finding, "this driver cannot leave them: use --challenge off");
	else
		checks__command(finding, "ethtool -K %s rxvlan off", shell_word(word, device->name));
}

static enum check_status unknown_vlan(const struct device *device, const char *vlan, struct finding *finding)
{
	if (is_kind(device, "bond")) {
		checks__advise(finding, "rx-vlan-offload must be off on its ports: ethtool -k PORT");
		return checks__say(finding, CHECK_UNKNOWN, "%s is on it, and its ports decide", vlan);
	}
	if (!is_kind(device, "veth"))
		return checks__say(finding, CHECK_UNKNOWN, "%s is on it, and the driver does not tell", vlan);
	checks__advise(finding, "where its peer is, tx-vlan-offload must be off: ethtool -k PEER");
	return checks__say(finding, CHECK_UNKNOWN, "%s is on it; its peer is in another network namespace", vlan);
}

static enum check_status judge_vlan(const struct subject *on, struct finding *finding)
{
	const struct devices *devices = &on->host->devices;
	const struct device *device = on->device, *vlan = devices__vlan_on(devices, device);
	const struct device *peer = is_kind(device, "veth") ? devices__find(devices, device->lower) : NULL;

	switch (devices__vlan_tags(devices, device)) {
	case VLAN_TAGS_NONE:
		return checks__say(finding, CHECK_OK, "no VLAN on it");
	case VLAN_TAGS_IN_FRAME:
		return checks__say(finding, CHECK_OK, "left in the frame%s%s, for %s", peer ? " by " : "",
				   peer ? peer->name : "", vlan->name);
	case VLAN_TAGS_STRIPPED:
		fix_vlan(device, peer, finding);
		return peer ? checks__say(finding, CHECK_WEAK, "beside the frame, from %s on, and %s is on it",
					  peer->name, vlan->name)
			    : checks__say(finding, CHECK_WEAK, "taken out before the filter, and %s is on it",
					  vlan->name);
	default:
		return unknown_vlan(device, vlan->name, finding);
	}
}

static enum check_status judge_lro(const struct subject *on, struct finding *finding)
{
	const struct offload *offload = &on->device->offloads[OFFLOAD_LRO];
	char word[WORD_LEN];

	if (offload->on == ANSWER_UNKNOWN)
		return CHECK_SKIP;
	if (offload->on == ANSWER_NO)
		return checks__say(finding, CHECK_OK, "off");
	if (!offload->fixed)
		checks__command(finding, "ethtool -K %s lro off", shell_word(word, on->device->name));
	return checks__say(finding, CHECK_WEAK, "on%s", offload->fixed ? ", fixed" : "");
}

/* virtio_net refuses native XDP where the host merges segments and cannot be configured otherwise. */
static enum check_status judge_gro_hw(const struct subject *on, struct finding *finding)
{
	const struct offload *offload = &on->device->offloads[OFFLOAD_GRO_HW];

	if (offload->on == ANSWER_UNKNOWN || strcmp(on->device->driver, "virtio_net"))
		return CHECK_SKIP;
	if (offload->on == ANSWER_NO || !offload->fixed)
		return checks__say(finding, CHECK_OK, "%s",
				   offload->on == ANSWER_YES ? "on, can be turned off" : "off");
	checks__advise(finding, "on the host, turn off the device's guest_tso4, guest_tso6, guest_ufo and guest_ecn");
	return checks__say(finding, CHECK_WEAK, "on, fixed");
}

static enum check_status judge_checksum(const struct subject *on, struct finding *finding)
{
	const struct offload *offload = &on->device->offloads[OFFLOAD_RX_CHECKSUM];
	char word[WORD_LEN];

	if (offload->on == ANSWER_UNKNOWN)
		return CHECK_SKIP;
	if (offload->on == ANSWER_YES || offload->fixed)
		return checks__say(finding, CHECK_OK, "%s", offload->on == ANSWER_YES ? "on" : "off, fixed");
	checks__command(finding, "ethtool -K %s rx on", shell_word(word, on->device->name));
	return checks__say(finding, CHECK_WEAK, "off");
}

static enum check_status judge_peer(const struct subject *on, struct finding *finding)
{
	const struct device *device = on->device, *peer = devices__find(&on->host->devices, device->lower);
	enum veth_peer kind = devices__veth_peer(&on->host->devices, device);

	if (kind == VETH_PEER_NONE)
		return CHECK_SKIP;
	if (kind == VETH_PEER_READY)
		return checks__say(finding, CHECK_OK, "%s has an XDP program", peer->name);
	if (!device->xdp.ours || !device->xdp.native)
		return checks__say(finding, CHECK_OK, "run uses generic mode here, which needs nothing of it");
	checks__advise(finding, "run with --xdp-mode auto or generic");
	if (kind == VETH_PEER_UNKNOWN)
		return checks__say(finding, CHECK_UNKNOWN, "native mode, and its peer is in another network namespace");
	return checks__say(finding, CHECK_BROKEN, "native mode, and %s has no XDP program", peer->name);
}

static enum check_status judge_rp_filter(const struct subject *on, struct finding *finding)
{
	int64_t own = on->device->rp_filter, all = on->host->settings[SETTING_RP_FILTER], value = own > all ? own : all;
	bool dotted = strchr(on->device->name, '.');
	char word[WORD_LEN];

	if (own < 0 || all < 0)
		return checks__say(finding, CHECK_UNKNOWN, "/proc/sys/net/ipv4/conf cannot be read");
	if (value)
		return checks__say(
			finding, CHECK_OK, "%" PRId64 ": %s", value,
			value == 1 ? "strict; packets that arrive on an interface other than the route back are dropped"
				   : "loose");
	checks__command(finding,
			dotted ? "sysctl -w net/ipv4/conf/%s/rp_filter=2" : "sysctl -w net.ipv4.conf.%s.rp_filter=2",
			shell_word(word, on->device->name));
	return checks__say(finding, CHECK_WEAK, "0: off");
}

static enum check_status judge_frames(const struct subject *on, struct finding *finding)
{
	if (!on->device->bare)
		return CHECK_SKIP;
	checks__advise(finding, "filter where its packets come in");
	return checks__say(finding, CHECK_OK, "without an Ethernet header: run refuses to filter here");
}

static const struct check bare_checks[] = {
	{"frames", "the filter reads Ethernet headers, and would judge by the wrong bytes", judge_frames},
};

static const struct check checks[] = {
	{"link", "an interface that is down filters nothing", judge_link},
	{"native XDP", "generic mode costs several times more a packet", judge_native},
	{"other XDP program", "run attaches to no interface that has one already", judge_program},
	{"RX queues", "as many CPUs work on a flood as there are queues", judge_queues},
	{"RPS", "with one queue, one CPU does all of TCP beside the filter, unless RPS spreads it", judge_rps},
	{"VLAN tags",
	 "a SYN cookie goes out without a tag that the filter has not seen, and the client does not get it",
	 judge_vlan},
	{"LRO", "many drivers refuse native XDP while it is on", judge_lro},
	{"GRO in hardware", "virtio refuses native XDP where it cannot be turned off", judge_gro_hw},
	{"RX checksums", "otherwise a CPU verifies the checksum of each segment that passes", judge_checksum},
	{"veth peer", "in native mode a veth delivers what XDP answers only if its peer has an XDP program too",
	 judge_peer},
	{"rp_filter", "if off, spoofed sources without a route back reach TCP", judge_rp_filter},
};

const struct check_table checks_devices = {checks, sizeof(checks) / sizeof(*checks)};
const struct check_table checks_bare = {bare_checks, sizeof(bare_checks) / sizeof(*bare_checks)};
