/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * File descriptors of the maps, by name: of a loaded object, or of the pins that a `run` left. -1: not open.
 */
#ifndef SYNWARDEN_KERNEL_MAPS_H
#define SYNWARDEN_KERNEL_MAPS_H

#define MAPS(X)                                                                                                        \
	X(verdicts)                                                                                                    \
	X(allowed)                                                                                                     \
	X(blocked)                                                                                                     \
	X(allowed_hosts)                                                                                               \
	X(blocked_hosts)                                                                                               \
	X(list_filter)                                                                                                 \
	X(list_control)                                                                                                \
	X(sketches)                                                                                                    \
	X(sources)                                                                                                     \
	X(source_drops)                                                                                                \
	X(listeners)                                                                                                   \
	X(ports)                                                                                                       \
	X(port_slots)                                                                                                  \
	X(losses)                                                                                                      \
	X(closings)                                                                                                    \
	X(closing_count)                                                                                               \
	X(conns)                                                                                                       \
	X(generation)                                                                                                  \
	X(listen_pids)                                                                                                 \
	X(transitions)                                                                                                 \
	X(durations)                                                                                                   \
	X(handshakes)                                                                                                  \
	X(endings)                                                                                                     \
	X(tallies)                                                                                                     \
	X(port_tats)                                                                                                   \
	X(port_rules)                                                                                                  \
	X(armed)                                                                                                       \
	X(strays)                                                                                                      \
	X(ended_marks)                                                                                                 \
	X(forwards)                                                                                                    \
	X(refused_marks)                                                                                               \
	X(verified)                                                                                                    \
	X(verified_tags)                                                                                               \
	X(served)                                                                                                      \
	X(protected)                                                                                                   \
	X(locals)                                                                                                      \
	X(local_prefixes)                                                                                              \
	X(cookie_policy)                                                                                               \
	X(known_marks)                                                                                                 \
	X(known)                                                                                                       \
	X(estimators)                                                                                                  \
	X(samples)                                                                                                     \
	X(distinct_srcs)                                                                                               \
	X(watches)                                                                                                     \
	X(sightings)                                                                                                   \
	X(alerts)                                                                                                      \
	X(attacks)                                                                                                     \
	X(recents)                                                                                                     \
	X(http_counts)                                                                                                 \
	X(http_conns)                                                                                                  \
	X(sysctls)                                                                                                     \
	X(censuses)                                                                                                    \
	X(meta)

/* Those of the fleet's lists, which `run` pins only where the configuration has a [sync] section. */
#define FLEET_MAPS(X)                                                                                                  \
	X(fleet_allowed)                                                                                               \
	X(fleet_blocked)                                                                                               \
	X(fleet_allow_ips)                                                                                             \
	X(fleet_block_ips)                                                                                             \
	X(fleet_filter)                                                                                                \
	X(fleet_control)                                                                                               \
	X(fleet_origins)                                                                                               \
	X(fleet_sources)

struct maps {
#define X(name) int name;
	MAPS(X)
	FLEET_MAPS(X)
#undef X
};

#endif
