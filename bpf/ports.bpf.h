/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Listening ports, each with a slot for its counters, and the addresses that are known to be served. The tracker and
 * the census write here what the packet path asks.
 */
#ifndef SYNWARDEN_PORTS_H
#define SYNWARDEN_PORTS_H

#include "maps.bpf.h"
#include "report.bpf.h"
#include "sock.bpf.h"

/* The port's slot; a port that nobody ever listened on shares slot 0, "other". */
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
 * Somebody listens on the port. Its slot is given out once and kept: counters must not change hands. Of two CPUs that
 * give it one at once, the second one's number is used for no port.
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
	slot = *used < MAX_PORTS - 1 ? __sync_fetch_and_add(used, 1) + 1 : MAX_PORTS;
	if (slot >= MAX_PORTS) {
		if (!was.listening)
			report_loss(LOSS_PORTS);
		return;
	}
	was.listening = 1;
	given = was;
	given.slot = slot;
	/* Where a census came between, the port is "other" until the next one. A loop is too much for Linux 6.1. */
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

/*
 * An address and port that a client has reached. A host that connects to itself proves nothing: a port that it forwards
 * to a container may have a listener of its own beside it; and an address that TPROXY took is not this host's.
 */
static __always_inline void ports_served(struct sock_common *sk, const struct flow *flow)
{
	struct served key = {.port = flow->lport};
	__u32 seen = 1;

	if (flow->laddr.halves[0] == flow->raddr.halves[0] && flow->laddr.halves[1] == flow->raddr.halves[1])
		return;
	if (sock_is_transparent(sk))
		return;
	__builtin_memcpy(key.words, flow->laddr.words, sizeof(key.words));
	if (!bpf_map_lookup_elem(&served, &key) && bpf_map_update_elem(&served, &key, &seen, BPF_ANY))
		report_loss(LOSS_SERVED);
}

/* Counts what the listener has dropped since it was last looked at. */
static __always_inline void ports_listen_drops(struct conn *conn, const struct sock *sk, __u32 slot)
{
	struct port_count *count = ports_count(slot);
	__u32 drops = sk->sk_drops.counter;

	if (count && drops != conn->drops)
		report_add(&count->listen_drops, drops - conn->drops);
	conn->drops = drops;
}

#endif
