/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The interfaces of this network namespace: what they are, what XDP program is on each, what driver and settings they
 * have. Nothing is changed. What cannot be read is unknown, never guessed.
 */
#ifndef SYNWARDEN_SYSTEM_DEVICES_H
#define SYNWARDEN_SYSTEM_DEVICES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DEVICE_NAME_LEN 16 /* IFNAMSIZ */

enum answer {
	ANSWER_UNKNOWN,
	ANSWER_NO,
	ANSWER_YES,
};

enum offload_id {
	OFFLOAD_VLAN,	 /* the receiving side takes tags out of the frame */
	OFFLOAD_TX_VLAN, /* the sending side leaves tags beside the frame, for the hardware; a veth hands them on so */
	OFFLOAD_LRO,
	OFFLOAD_GRO,
	OFFLOAD_GRO_HW,
	OFFLOAD_RX_CHECKSUM,
	OFFLOAD_MAX,
};

struct offload {
	enum answer on;
	bool fixed; /* by the driver: ethtool cannot change it */
};

struct device {
	unsigned ifindex;
	char name[DEVICE_NAME_LEN];
	char kind[DEVICE_NAME_LEN];   /* "veth", "vlan"; "" for hardware */
	char driver[DEVICE_NAME_LEN]; /* "" where unknown */
	uint8_t mac[6];
	bool up, loopback;
	bool bare; /* its frames have no Ethernet header, which the filter expects: a tunnel */
	unsigned mtu;
	unsigned lower; /* ifindex of the device below a VLAN, or of a veth's peer; 0: not in this namespace */
	struct {
		uint32_t id;   /* 0: none */
		uint32_t link; /* 0: not attached by a link, or unknown */
		bool native, ours;
		char name[DEVICE_NAME_LEN]; /* "" where unknown */
	} xdp;
	enum answer native;	      /* whether the driver runs XDP programs itself */
	bool native_buffers;	      /* and takes frames in several buffers */
	unsigned queues, most_queues; /* that receive; 0: unknown */
	bool combined_queues;	      /* each receives and sends */
	struct offload offloads[OFFLOAD_MAX];
	enum answer rps;
	int64_t rp_filter; /* filled in by doctor */
	bool wanted;	   /* the same */
};

struct devices {
	struct device *all;
	size_t count;
};

/* Where the VLAN tags of received frames are when an XDP program sees them. */
enum vlan_tags {
	VLAN_TAGS_UNKNOWN,
	VLAN_TAGS_NONE,	    /* no VLAN device stands on the interface */
	VLAN_TAGS_IN_FRAME, /* a program sees them, and its answers carry them */
	VLAN_TAGS_STRIPPED, /* by the driver, or by a veth's peer: answers of a program lack them */
};

/* Whether a veth's peer takes what an XDP program in native mode answers. */
enum veth_peer {
	VETH_PEER_NONE,	   /* not a veth */
	VETH_PEER_UNKNOWN, /* the peer is in another namespace */
	VETH_PEER_READY,   /* it has an XDP program in native mode */
	VETH_PEER_BARE,	   /* it has none: answers are lost */
	VETH_PEER_STALLS,  /* it has none, and GRO: answers fill its ring, which then takes no other packet either */
};

/* Lists all of the namespace, without what devices_driver__ask() reads. 0, or -1 after a message; devices__free() in
 * both cases. */
int devices__list(struct devices *devices);
/* NULL where there is none of that ifindex. */
const struct device *devices__find(const struct devices *devices, unsigned ifindex);
/* A VLAN device that stands on `device`; NULL where none does. */
const struct device *devices__vlan_on(const struct devices *devices, const struct device *device);
/* `device`, and a veth's peer, must have been asked. */
enum vlan_tags devices__vlan_tags(const struct devices *devices, const struct device *device);
/* The peer must have been asked. */
enum veth_peer devices__veth_peer(const struct devices *devices, const struct device *device);
void devices__free(struct devices *devices);

#endif
