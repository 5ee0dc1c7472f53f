// SPDX-License-Identifier: GPL-2.0-only
/*
 * struct config -> entries of each map.
 */
#include <errno.h>

#include "http.h"
#include "kernel/map_sizes.h"
#include "kernel/programs.h"

#define PORTS 65536

struct size {
	const char *map;
	__u32 entries; /* 0: as it is */
};

int map_sizes__set(struct bpf_object *object, const struct config *config)
{
	const __u32 own = LIST_ROOM * config->list_entries, fleet = LIST_ROOM * config->fleet_entries;
	const __u32 rings = config->ring_slots ? config->rings : 0;
	const struct size sizes[] = {
		{"sketches", config->cpus},
		{"port_rules", config->has_port_rules ? PORTS : 0},
		{"http_counts", config->http ? HTTP_COUNT_PORTS + MAX_PORTS : 0},
		{"rings", rings},
		{"ring_slots", rings * config->ring_slots},
		{"allowed", own},
		{"blocked", own},
		{"allowed_hosts", own},
		{"blocked_hosts", own},
		{"list_filter", own ? LIST_COPIES * list_copy_words(config->list_words) : 0},
		{"fleet_allowed", fleet},
		{"fleet_blocked", fleet},
		{"fleet_allow_ips", fleet},
		{"fleet_block_ips", fleet},
		{"fleet_filter", fleet ? LIST_COPIES * list_copy_words(config->fleet_words) : 0},
		{"fleet_origins", fleet ? FLEET_ORIGINS : 0},
		{"fleet_sources", fleet ? FLEET_SOURCES : 0},
	};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++)
		if (sizes[i].entries &&
		    bpf_map__set_max_entries(bpf_object__find_map_by_name(object, sizes[i].map), sizes[i].entries))
			return -1;
	return rings ? bpf_map__set_value_size(bpf_object__find_map_by_name(object, "ring_slots"),
					       programs__slot_bytes(config))
		     : 0;
}
