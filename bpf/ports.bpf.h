/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Listening ports, each with a slot for its counters, and the addresses that are known to be served. The tracker and
 * the census write what the packet path reads.
 */
#ifndef SYNWARDEN_PORTS_H
#define SYNWARDEN_PORTS_H

#include "local.bpf.h"
#include "maps.bpf.h"
#include "parse.bpf.h"
#include "report.bpf.h"
#include "sock.bpf.h"

/* The port's slot; ports that never had a listener share slot 0, "other". */
static __always_inline __u32 ports_slot(__u16 port)
{
	__u32 key = port;
	const struct listener *listener = bpf_map_lookup_elem(&listeners, &key);

	return listener ? listener->slot : 0;
}

static __always_inline struct port_count *ports_count(__u32 slot)
{
	return bpf_map_lookup_elem(&ports, &slot);
}

/*
 * Notes a listener on the port. A port keeps the slot that it is given, so that its counters stay its own. If two CPUs
 * race, the loser's slot number is leaked.
 */
static __always_inline void ports_listen(__u32 port)
{
	__u32 first = 0, slot, *used = bpf_map_lookup_elem(&port_slots, &first);
	struct listener *listener = bpf_map_lookup_elem(&listeners, &port), was, given;

	if (!listener || !used)
		return;
	was.word = listener->word;
	listener->listening = 1;
	if (was.slot)
		return;
	slot = *used < MAX_PORTS - 1 - NAMED_SLOTS ? __sync_fetch_and_add(used, 1) + 1 : MAX_PORTS;
	if (slot >= MAX_PORTS) {
		if (!was.listening)
			report_loss(LOSS_PORTS);
		return;
	}
	was.listening = 1;
	given = was;
	given.slot = slot;
	/* If a census interferes, the port stays "other" until the next one. Linux 6.1 does not verify a loop here. */
	__sync_val_compare_and_swap(&listener->word, was.word, given.word);
}

/* A listen() without a bind() has no port yet: the next census finds it. */
static __always_inline void ports_listen_begins(__u32 port, __u64 now)
{
	struct listener *listener = bpf_map_lookup_elem(&listeners, &port);

	if (!port)
		return;
	if (listener)
		listener->since_ms = now / 1000000;
	ports_listen(port);
}

/* The entry of `served` for a local address: its own, or one for a whole prefix of them. 0: it is not local. */
static __always_inline int ports_served_key(struct served *key, const struct local *local, const struct addr *addr)
{
	const struct prefix *prefix;

	__builtin_memcpy(key->words, addr->words, sizeof(key->words));
	if (local_has(local, addr))
		return 1;
	prefix = local_prefix(local, addr);
	if (prefix)
		__builtin_memcpy(key->words, prefix->words, sizeof(key->words));
	return !!prefix;
}

/*
 * Notes an address and port that a client has reached. What this host reaches itself, by whatever address, is no proof,
 * as a port that is forwarded to a container may have a listener on the host too. Neither is an address taken by
 * TPROXY, which is not this host's. 1: it was not known before; -1: the peer is this host.
 */
static __always_inline int ports_note_served(struct sock_common *sk, const struct flow *flow)
{
	const struct local *local = local_state();
	struct served key = {.port = flow->lport};
	__u32 seen = 1;

	if (!local)
		return 0;
	if (local_is_martian(&flow->raddr) || local_is_own(local, &flow->raddr))
		return -1;
	if (sock_is_transparent(sk) || !ports_served_key(&key, local, &flow->laddr))
		return 0;
	if (bpf_map_lookup_elem(&served, &key))
		return 0;
	if (bpf_map_update_elem(&served, &key, &seen, BPF_ANY))
		report_loss(LOSS_SERVED);
	return 1;
}

/* Whether the packet's address and port are named by --protect, or proved by a connection. */
static __always_inline int ports_has_served(const struct packet *pkt, const struct local *local)
{
	struct served key = {.port = pkt->dport}, one = {
							  .words = {pkt->daddr.words[0], pkt->daddr.words[1],
								    pkt->daddr.words[2], pkt->daddr.words[3]},
							  .port = pkt->dport,
						  };

	if (bpf_map_lookup_elem(&protected, &key) || bpf_map_lookup_elem(&protected, &one))
		return 1;
	return ports_served_key(&key, local, &pkt->daddr) && bpf_map_lookup_elem(&served, &key);
}

/*
 * Whether this host is known to serve the packet's address and port. Callers keep the last address by CPU and port, as
 * most SYNs over budget go to one. A connection from a link-local address belongs to the device that it came in by,
 * which may be one above ours (a VLAN, a bridge, a bond): its socket cannot be found from here, and so it counts as not
 * served.
 */
static __always_inline int ports_is_served(const struct packet *pkt, const struct arrival *arrival)
{
	if (parse_is_link_local(&pkt->saddr))
		return 0;
	return arrival->found || ports_has_served(pkt, arrival->local);
}

static __always_inline void ports_keep_served(const struct packet *pkt, struct port_count *count,
					      const struct local *local)
{
	count->served = pkt->daddr;
	count->served_epoch = local->epoch;
}

/* Counts what the listener has dropped since the last call. */
static __always_inline void ports_listen_drops(struct conn *conn, const struct sock *sk, __u32 slot)
{
	struct port_count *count = ports_count(slot);
	__u32 drops = sk->sk_drops.counter;

	if (count && drops != conn->drops)
		report_add(&count->listen_drops, drops - conn->drops);
	conn->drops = drops;
}

#endif
