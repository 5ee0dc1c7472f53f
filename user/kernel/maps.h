/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * File descriptors of the maps, by name: of a loaded object, or of the pins that a `run` left.
 */
#ifndef SYNWARDEN_KERNEL_MAPS_H
#define SYNWARDEN_KERNEL_MAPS_H

#define MAPS(X)                                                                                                        \
	X(verdicts)                                                                                                    \
	X(allowed)                                                                                                     \
	X(blocked)                                                                                                     \
	X(lists_used)                                                                                                  \
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

struct maps {
#define X(name) int name;
	MAPS(X)
#undef X
};

#endif
