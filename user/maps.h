/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The maps by name, as file descriptors: of a loaded object, or of the pins that a `run` left.
 */
#ifndef SYNWARDEN_USER_MAPS_H
#define SYNWARDEN_USER_MAPS_H

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
	X(conns)                                                                                                       \
	X(listen_pids)                                                                                                 \
	X(transitions)                                                                                                 \
	X(durations)                                                                                                   \
	X(handshakes)                                                                                                  \
	X(endings)                                                                                                     \
	X(tallies)                                                                                                     \
	X(budgets)                                                                                                     \
	X(port_rules)                                                                                                  \
	X(armed)                                                                                                       \
	X(verified)                                                                                                    \
	X(verified_tags)                                                                                               \
	X(served)                                                                                                      \
	X(cookie_policy)                                                                                               \
	X(known_marks)                                                                                                 \
	X(known)                                                                                                       \
	X(estimators)                                                                                                  \
	X(distinct_srcs)                                                                                               \
	X(alerts)                                                                                                      \
	X(attacks)                                                                                                     \
	X(sysctls)                                                                                                     \
	X(censuses)                                                                                                    \
	X(meta)

struct maps {
#define X(name) int name;
	MAPS(X)
#undef X
};

#endif
