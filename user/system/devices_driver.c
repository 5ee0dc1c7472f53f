// SPDX-License-Identifier: GPL-2.0-only
/*
 * Driver, queues and offloads by the ethtool ioctl; RPS from /sys.
 */
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/ethtool.h>
#include <linux/sockios.h>

#include "system/devices_driver.h"

#define FEATURE_BITS 32 /* a block of struct ethtool_gfeatures */

/* As the kernel spells them: net/ethtool/common.c. */
static const char *const offload_names[OFFLOAD_MAX] = {
	[OFFLOAD_VLAN] = "rx-vlan-hw-parse",
	[OFFLOAD_TX_VLAN] = "tx-vlan-hw-insert",
	[OFFLOAD_LRO] = "rx-lro",
	[OFFLOAD_GRO] = "rx-gro",
	[OFFLOAD_GRO_HW] = "rx-gro-hw",
	[OFFLOAD_RX_CHECKSUM] = "rx-checksum",
};

static int ethtool(int fd, const struct device *device, void *request)
{
	struct ifreq ifr = {.ifr_data = request};

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", device->name);
	return ioctl(fd, SIOCETHTOOL, &ifr);
}

static void ask_name(int fd, struct device *device)
{
	struct ethtool_drvinfo info = {.cmd = ETHTOOL_GDRVINFO};

	if (ethtool(fd, device, &info) == 0)
		snprintf(device->driver, sizeof(device->driver), "%.15s", info.driver);
}

static void ask_queues(int fd, struct device *device)
{
	struct ethtool_channels channels = {.cmd = ETHTOOL_GCHANNELS};

	if (ethtool(fd, device, &channels)) {
		if (*device->kind) /* a software device: its number of queues means little */
			device->queues = device->most_queues = 0;
		return;
	}
	device->queues = channels.rx_count + channels.combined_count;
	device->combined_queues = channels.max_combined;
	device->most_queues = channels.max_combined ? channels.max_combined : channels.max_rx;
}

static size_t ask_feature_count(int fd, const struct device *device)
{
	struct ethtool_sset_info *set = calloc(1, sizeof(*set) + sizeof(set->data[0]));
	size_t count = 0;

	if (!set)
		return 0;
	set->cmd = ETHTOOL_GSSET_INFO;
	set->sset_mask = 1ULL << ETH_SS_FEATURES;
	if (!ethtool(fd, device, set) && set->sset_mask)
		count = set->data[0];
	free(set);
	return count;
}

/* How many features this kernel knows; the names of all of them in *names. */
static size_t ask_feature_names(int fd, const struct device *device, struct ethtool_gstrings **names)
{
	size_t count = ask_feature_count(fd, device);

	*names = count ? calloc(1, sizeof(**names) + count * ETH_GSTRING_LEN) : NULL;
	if (!*names)
		return 0;
	**names = (struct ethtool_gstrings){.cmd = ETHTOOL_GSTRINGS, .string_set = ETH_SS_FEATURES, .len = count};
	return ethtool(fd, device, *names) ? 0 : count;
}

static void read_offload(struct offload *offload, const struct ethtool_gfeatures *features, size_t bit)
{
	const struct ethtool_get_features_block *block = &features->features[bit / FEATURE_BITS];
	__u32 mask = 1U << bit % FEATURE_BITS;

	offload->on = block->active & mask ? ANSWER_YES : ANSWER_NO;
	offload->fixed = !(block->available & mask) || block->never_changed & mask;
}

static void ask_offloads(int fd, struct device *device)
{
	struct ethtool_gstrings *names;
	size_t count = ask_feature_names(fd, device, &names), blocks = (count + FEATURE_BITS - 1) / FEATURE_BITS;
	struct ethtool_gfeatures *features = calloc(1, sizeof(*features) + blocks * sizeof(features->features[0]));

	if (!features || !count)
		goto cleanup;
	*features = (struct ethtool_gfeatures){.cmd = ETHTOOL_GFEATURES, .size = blocks};
	if (ethtool(fd, device, features))
		goto cleanup;
	for (size_t bit = 0; bit < count; bit++)
		for (size_t i = 0; i < OFFLOAD_MAX; i++)
			if (!strncmp((const char *)names->data + bit * ETH_GSTRING_LEN, offload_names[i],
				     ETH_GSTRING_LEN))
				read_offload(&device->offloads[i], features, bit);
cleanup:
	free(features);
	free(names);
}

/* The first line of a file below /sys/class/net/IFACE; "" where there is none. */
static const char *read_sys(const struct device *device, const char *file, char line[256])
{
	char path[128];
	FILE *f;

	*line = '\0';
	snprintf(path, sizeof(path), "/sys/class/net/%s/%s", device->name, file);
	f = fopen(path, "re");
	if (f) {
		if (!fgets(line, 256, f))
			*line = '\0';
		fclose(f);
	}
	return line;
}

/* /sys shows the network namespace in which it was mounted, which may be another one. */
static bool is_in_sys(const struct device *device)
{
	char line[256], mac[32];

	if (strtoul(read_sys(device, "ifindex", line), NULL, 10) != device->ifindex)
		return false;
	snprintf(mac, sizeof(mac), "%02x:%02x:%02x:%02x:%02x:%02x\n", device->mac[0], device->mac[1], device->mac[2],
		 device->mac[3], device->mac[4], device->mac[5]);
	return !strcmp(read_sys(device, "address", line), mac);
}

static void ask_rps(struct device *device)
{
	char file[64], line[256];

	if (!is_in_sys(device))
		return;
	for (unsigned i = 0; i < device->queues; i++) {
		snprintf(file, sizeof(file), "queues/rx-%u/rps_cpus", i);
		if (!*read_sys(device, file, line))
			return;
		device->rps = line[strspn(line, "0,\n")] ? ANSWER_YES : ANSWER_NO;
		if (device->rps == ANSWER_YES)
			return;
	}
}

void devices_driver__ask(struct device *device)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return;
	ask_name(fd, device);
	ask_queues(fd, device);
	ask_offloads(fd, device);
	close(fd);
	ask_rps(device);
}
