// SPDX-License-Identifier: GPL-2.0-only
/*
 * One array value holds nearly all; prefixes, and addresses whose bucket is full, are in a trie.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>

#include "kernel/locals.h"
#include "strays.h"
#include "system/clock.h"
#include "text/log.h"

bool locals__add(struct local *local, const struct prefix *prefix)
{
	struct addr addr;
	__u32 bucket, way;

	memcpy(addr.words, prefix->words, sizeof(addr.words));
	bucket = local_bucket(&addr);
	if (prefix->prefixlen < 128) {
		local->prefixes = 1;
		return false;
	}
	for (way = 0; way < local->used[bucket]; way++)
		if (!memcmp(&local->addrs[bucket][way], &addr, sizeof(addr)))
			return true;
	if (way == LOCAL_WAYS) {
		local->prefixes = 1;
		return false;
	}
	local->addrs[bucket][way] = addr;
	local->used[bucket]++;
	return true;
}

bool locals__add_mac(struct local *local, unsigned ifindex, const struct net_link *link, bool above)
{
	struct local_mac *bucket = local->macs[local_mac_bucket(link->mac[5], ifindex)];
	struct local_mac mac = {.ifindex = ifindex, .hop_limit = link->hop_limit, .above = above};

	memcpy(mac.words, link->mac, sizeof(mac.words));
	for (int way = 0; way < LOCAL_MAC_WAYS; way++) {
		if (bucket[way].ifindex == ifindex && !memcmp(bucket[way].words, mac.words, sizeof(mac.words)))
			return true;
		if (bucket[way].ifindex)
			continue;
		bucket[way] = mac;
		return true;
	}
	return false;
}

static bool has_addr(const struct local *local, const struct addr *addr)
{
	__u32 bucket = local_bucket(addr);

	for (__u32 way = 0; way < local->used[bucket]; way++)
		if (!memcmp(&local->addrs[bucket][way], addr, sizeof(*addr)))
			return true;
	return false;
}

bool locals__has(const struct maps *maps, const struct addr *addr)
{
	struct prefix key = {.prefixlen = 128}, prefix;
	struct local *local = calloc(1, sizeof(*local));
	__u32 zero = 0;
	bool has = false;

	memcpy(key.words, addr->words, sizeof(key.words));
	if (local && bpf_map_lookup_elem(maps->locals, &zero, local) == 0) {
		has = has_addr(local, addr);
		has |= local->prefixes && bpf_map_lookup_elem(maps->local_prefixes, &key, &prefix) == 0;
	}
	free(local);
	return has;
}

int locals__forget_served(const struct maps *maps)
{
	struct local *local = calloc(1, sizeof(*local));
	__u32 key = 0;
	int err = -1;

	if (local && bpf_map_lookup_elem(maps->locals, &key, local) == 0) {
		local->epoch++;
		err = bpf_map_update_elem(maps->locals, &key, local, BPF_ANY);
	}
	free(local);
	return err;
}

/* Whether a frame that the program sees on `ifindex` may go on to another device, to which sockets may be bound. */
static bool has_above(const struct local_net *net, unsigned ifindex)
{
	for (size_t i = 0; i < net->link_count; i++)
		if (net->links[i].ifindex != ifindex && local_net__stands_on(net, ifindex, &net->links[i]))
			return true;
	return false;
}

/* Frames that the program sees on `ifindex` reach this host by the MAC addresses of what is above `filtered`. */
static void add_macs(struct local *local, const struct local_net *net, unsigned filtered, unsigned ifindex)
{
	bool above = filtered != ifindex || has_above(net, ifindex);
	static bool said;

	for (size_t i = 0; i < net->link_count; i++) {
		if (!local_net__is_above(net, filtered, &net->links[i]) ||
		    locals__add_mac(local, ifindex, &net->links[i], above) || said)
			continue;
		log_warn(
			"more MAC addresses stand on the filtered interfaces than the filter can tell: SYNs to some of "
			"them pass");
		said = true;
	}
}

/* The program runs on `ifindex`, for the interface that the filter is attached to. */
static void add_interface(struct local *local, const struct local_net *net, unsigned filtered, unsigned ifindex)
{
	size_t at = 0;

	while (at < LOCAL_INTERFACES && local->filtered[at] && local->filtered[at] != ifindex)
		at++;
	if (at < LOCAL_INTERFACES)
		local->filtered[at] = ifindex;
	add_macs(local, net, filtered, ifindex);
}

static void add_filtered(struct local *local, const struct local_net *net, unsigned filtered)
{
	add_interface(local, net, filtered, filtered);
	for (size_t i = 0; i < net->link_count; i++)
		if (local_net__runs_programs_of(net, filtered, &net->links[i]))
			add_interface(local, net, filtered, net->links[i].ifindex);
}

/* Removes from the trie what is none of `keep`. */
static int remove_others(int trie, const struct prefix *keep, size_t count, bool *removed)
{
	struct prefix key, next;
	int err = bpf_map_get_next_key(trie, NULL, &next);

	while (!err) {
		size_t i = 0;

		key = next;
		err = bpf_map_get_next_key(trie, &key, &next);
		while (i < count && memcmp(&keep[i], &key, sizeof(key)))
			i++;
		if (i == count && bpf_map_delete_elem(trie, &key) && errno != ENOENT)
			return -1;
		*removed |= i == count;
	}
	return err == -ENOENT ? 0 : -1;
}

/* `net->prefixes` keeps those that belong into the trie. */
static int write_trie(int trie, struct local *local, struct local_net *net, bool *removed)
{
	size_t kept = 0;

	for (size_t i = 0; i < net->prefix_count; i++)
		if (!locals__add(local, &net->prefixes[i]))
			net->prefixes[kept++] = net->prefixes[i];
	for (size_t i = 0; i < kept; i++)
		if (bpf_map_update_elem(trie, &net->prefixes[i], &net->prefixes[i], BPF_ANY))
			return -1;
	return remove_others(trie, net->prefixes, kept, removed);
}

/* Whether there is an address, but in prefixes, that was not there before. */
static bool has_gained(const struct local *local, const struct local *was)
{
	for (__u32 bucket = 0; bucket < LOCAL_BUCKETS; bucket++)
		for (__u32 way = 0; way < local->used[bucket]; way++)
			if (!has_addr(was, &local->addrs[bucket][way]))
				return true;
	return false;
}

/* Connections of clients to another host that had the address, or to this one before it started, are unknown here. */
static int note_gain(const struct maps *maps)
{
	struct port_strays host;
	__u32 key = 0;

	if (bpf_map_lookup_elem(maps->strays, &key, &host))
		return -1;
	host.ended_ms = clock__now() / NS_PER_MS ?: 1;
	return bpf_map_update_elem(maps->strays, &key, &host, BPF_ANY);
}

static int write_local(const struct maps *maps, struct local *local, struct local *was, struct local_net *net)
{
	bool removed = false;
	__u32 key = 0;

	if (bpf_map_lookup_elem(maps->locals, &key, was) || write_trie(maps->local_prefixes, local, net, &removed))
		return -1;
	local->epoch = was->epoch;
	if (!memcmp(local, was, sizeof(*local)) && !removed)
		return 0;
	local->epoch++;
	if (has_gained(local, was) && note_gain(maps))
		return -1;
	return bpf_map_update_elem(maps->locals, &key, local, BPF_ANY);
}

int locals__update(const struct maps *maps, const unsigned *ifindexes, size_t count)
{
	struct local *both = calloc(2, sizeof(*both));
	struct local_net net;
	int ret = -1, err = local_net__read(&net);

	if (err || !both) {
		log_error("cannot list this host's addresses: %s", strerror(err ? -err : ENOMEM));
		goto cleanup;
	}
	for (size_t i = 0; i < count; i++)
		if (ifindexes[i])
			add_filtered(both, &net, ifindexes[i]);
	ret = write_local(maps, both, both + 1, &net);
	if (ret)
		log_error("cannot tell the filter this host's addresses: %s", strerror(errno));
cleanup:
	local_net__free(&net);
	free(both);
	return ret;
}
