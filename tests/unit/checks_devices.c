// SPDX-License-Identifier: GPL-2.0-only
/*
 * The checks of `doctor` of an interface, on a host made by hand with one thing changed: what is reported, and the
 * command. What no machine here has (a hundred CPUs, LRO, VLANs, names for a shell to trip over) is tested only here.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib/text.h"
#include "stage.h"

static void test_xdp(void **state)
{
	struct stage stage;
	struct device *eth0 = &stage.devices[0];

	(void)state;
	set_sound(&stage);
	eth0->native = ANSWER_NO;
	expect(&stage, "native XDP", CHECK_WEAK, "driver ixgbe has none", "");
	eth0->native = ANSWER_UNKNOWN;
	expect(&stage, "native XDP", CHECK_UNKNOWN, "this kernel does not tell without attaching; driver ixgbe",
	       "synwarden run --dry-run --xdp-mode native --duration 1 eth0");

	set_sound(&stage);
	eth0->mtu = 9000;
	expect(&stage, "native XDP", CHECK_WEAK, "yes, but not at MTU 9000: frames would not fit into one buffer",
	       "ip link set dev eth0 mtu 3498");
	eth0->native_buffers = true;
	expect(&stage, "native XDP", CHECK_OK, "yes, frames in several buffers too", "");

	set_sound(&stage);
	eth0->xdp.id = 12;
	strcpy(eth0->xdp.name, "other_filter");
	expect(&stage, "other XDP program", CHECK_BROKEN, "other_filter (id 12, generic)",
	       "ip link set dev eth0 xdpgeneric off");
	eth0->xdp.native = true;
	expect(&stage, "other XDP program", CHECK_BROKEN, "other_filter (id 12, native)",
	       "ip link set dev eth0 xdp off");
	eth0->xdp.link = 34;
	expect(&stage, "other XDP program", CHECK_BROKEN, "other_filter (id 12, native)", "bpftool link detach id 34");
	strcpy(eth0->xdp.name, "xdp_dispatcher");
	expect(&stage, "other XDP program", CHECK_BROKEN, "xdp_dispatcher (id 12, native)",
	       "xdp-loader unload eth0 --all");
	eth0->xdp.ours = true;
	expect(&stage, "other XDP program", CHECK_OK, "synwarden's own (id 12, native)", "");
}

/* Nothing else matters where run does not filter. */
static void test_bare(void **state)
{
	struct findings findings;
	struct stage stage;
	size_t of_device = 0;

	(void)state;
	set_sound(&stage);
	stage.devices[0].bare = true;
	expect(&stage, "frames", CHECK_OK, "without an Ethernet header: run refuses to filter here", "");
	look(&findings, &stage);
	for (size_t i = 0; i < findings.count; i++)
		of_device += findings.all[i].device && !strcmp(findings.all[i].device, "eth0");
	assert_int_equal(of_device, 1);
}

static void test_queues(void **state)
{
	struct stage stage;
	struct device *eth0 = &stage.devices[0];

	(void)state;
	set_sound(&stage);
	eth0->queues = 2;
	expect(&stage, "RX queues", CHECK_WEAK, "2 of 8, for 4 CPUs", "ethtool -L eth0 combined 4");
	eth0->combined_queues = false;
	expect(&stage, "RX queues", CHECK_WEAK, "2 of 8, for 4 CPUs", "ethtool -L eth0 rx 4");
	eth0->most_queues = 2;
	expect(&stage, "RX queues", CHECK_OK, "2, for 4 CPUs", "");

	eth0->queues = eth0->most_queues = 1;
	eth0->rps = ANSWER_YES;
	expect(&stage, "RX queues", CHECK_WEAK, "1 of 1, for 4 CPUs", "");
}

static void test_rps(void **state)
{
	static const struct {
		unsigned cpus;
		const char *command;
	} rows[] = {
		{2, "echo 3 >/sys/class/net/eth0/queues/rx-0/rps_cpus"},
		{31, "echo 7fffffff >/sys/class/net/eth0/queues/rx-0/rps_cpus"},
		{32, "echo ffffffff >/sys/class/net/eth0/queues/rx-0/rps_cpus"},
		{33, "echo 1,ffffffff >/sys/class/net/eth0/queues/rx-0/rps_cpus"},
		{100, "echo f,ffffffff,ffffffff,ffffffff >/sys/class/net/eth0/queues/rx-0/rps_cpus"},
	};
	struct findings findings;
	struct stage stage;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		set_sound(&stage);
		stage.host.cpus = rows[i].cpus;
		stage.devices[0].queues = stage.devices[0].most_queues = 1;
		look(&findings, &stage);
		assert_int_equal(named(&findings, "RPS")->status, CHECK_WEAK);
		assert_string_equal(named(&findings, "RPS")->command, rows[i].command);
	}
}

static void test_offloads(void **state)
{
	struct stage stage;
	struct device *eth0 = &stage.devices[0];

	(void)state;
	set_sound(&stage);
	eth0->offloads[OFFLOAD_VLAN].on = ANSWER_YES;
	expect(&stage, "VLAN tags", CHECK_WEAK, "taken out before the filter, and eth0.10 is on it",
	       "ethtool -K eth0 rxvlan off");
	eth0->offloads[OFFLOAD_VLAN].fixed = true;
	expect(&stage, "VLAN tags", CHECK_WEAK, "taken out before the filter, and eth0.10 is on it", "");
	strcpy(eth0->kind, "bond");
	expect(&stage, "VLAN tags", CHECK_UNKNOWN, "eth0.10 is on it, and its ports decide", "");
	stage.devices[1].lower = 0;
	expect(&stage, "VLAN tags", CHECK_OK, "no VLAN on it", "");

	set_sound(&stage);
	eth0->offloads[OFFLOAD_LRO].on = ANSWER_YES;
	expect(&stage, "LRO", CHECK_WEAK, "on", "ethtool -K eth0 lro off");

	set_sound(&stage);
	strcpy(eth0->driver, "virtio_net");
	eth0->offloads[OFFLOAD_GRO_HW] = (struct offload){.on = ANSWER_YES};
	expect(&stage, "GRO in hardware", CHECK_OK, "on, can be turned off", "");
	eth0->offloads[OFFLOAD_GRO_HW].fixed = true;
	expect(&stage, "GRO in hardware", CHECK_WEAK, "on, fixed", "");

	set_sound(&stage);
	eth0->offloads[OFFLOAD_RX_CHECKSUM].on = ANSWER_NO;
	expect(&stage, "RX checksums", CHECK_WEAK, "off", "ethtool -K eth0 rx on");
	eth0->offloads[OFFLOAD_RX_CHECKSUM].fixed = true;
	expect(&stage, "RX checksums", CHECK_OK, "off, fixed", "");
}

/* The kernel forbids only '/', ':' and white space in a name; a name must not become a command. */
static void test_names(void **state)
{
	struct stage stage;
	struct device *eth0 = &stage.devices[0];

	(void)state;
	set_sound(&stage);
	eth0->up = false;
	expect(&stage, "link", CHECK_WEAK, "down", "ip link set dev eth0 up");
	strcpy(eth0->name, "x;reboot");
	expect(&stage, "link", CHECK_WEAK, "down", "ip link set dev 'x;reboot' up");
	strcpy(eth0->name, "a'$(b)");
	expect(&stage, "link", CHECK_WEAK, "down", "ip link set dev 'a'\\''$(b)' up");
	strcpy(eth0->name, "'''''''''''''''");
	expect(&stage, "link", CHECK_WEAK, "down",
	       "ip link set dev "
	       "''\\'''\\'''\\'''\\'''\\'''\\'''\\'''\\'''\\'''\\'''\\'''\\'''\\'''\\'''\\''' up");

	set_sound(&stage);
	strcpy(eth0->name, "eth0.7");
	stage.host.settings[SETTING_RP_FILTER] = 0;
	expect(&stage, "rp_filter", CHECK_WEAK, "0: off", "sysctl -w net/ipv4/conf/eth0.7/rp_filter=2");
}

/* What is made of software: a VLAN has its filter below, a veth's answers need its peer. */
static void test_kinds(void **state)
{
	struct stage stage;
	struct device *device = &stage.devices[0];

	(void)state;
	set_sound(&stage);
	*device = (struct device){.ifindex = 5,
				  .name = "v0.7",
				  .kind = "vlan",
				  .driver = "802.1Q VLAN Sup",
				  .lower = 4,
				  .up = true,
				  .native = ANSWER_NO,
				  .wanted = true};
	expect(&stage, "native XDP", CHECK_WEAK, "driver 802.1Q VLAN Sup has none", "synwarden run v0");

	set_sound(&stage);
	strcpy(device->kind, "veth");
	expect(&stage, "VLAN tags", CHECK_UNKNOWN, "eth0.10 is on it; its peer is in another network namespace", "");
	device->xdp.ours = device->xdp.native = true;
	expect(&stage, "veth peer", CHECK_UNKNOWN, "native mode, and its peer is in another network namespace", "");
	device->lower = 4;
	expect(&stage, "veth peer", CHECK_BROKEN, "native mode, and v0 has no XDP program", "");
	stage.devices[2].xdp.id = 1;
	expect(&stage, "veth peer", CHECK_BROKEN, "native mode, and v0 has no XDP program", "");
	device->xdp.native = false;
	expect(&stage, "veth peer", CHECK_OK, "run uses generic mode here, which needs nothing of it", "");
	stage.devices[2].xdp.native = true;
	expect(&stage, "veth peer", CHECK_OK, "v0 has an XDP program", "");
	expect(&stage, "VLAN tags", CHECK_OK, "left in the frame by v0, for eth0.10", "");
	stage.devices[2].offloads[OFFLOAD_TX_VLAN].on = ANSWER_YES;
	expect(&stage, "VLAN tags", CHECK_WEAK, "beside the frame, from v0 on, and eth0.10 is on it",
	       "ethtool -K v0 txvlan off");
	stage.devices[2].offloads[OFFLOAD_TX_VLAN].on = ANSWER_NO;
	expect(&stage, "VLAN tags", CHECK_OK, "left in the frame by v0, for eth0.10", "");
}

int main(void)
{
	static const struct CMUnitTest checks[] = {
		cmocka_unit_test(test_xdp),   cmocka_unit_test(test_bare),     cmocka_unit_test(test_queues),
		cmocka_unit_test(test_rps),   cmocka_unit_test(test_offloads), cmocka_unit_test(test_names),
		cmocka_unit_test(test_kinds),
	};

	return cmocka_run_group_tests(checks, NULL, NULL);
}
