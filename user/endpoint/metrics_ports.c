// SPDX-License-Identifier: GPL-2.0-only
/*
 * The metrics of listening ports.
 */
#include <inttypes.h>
#include <string.h>

#include "endpoint/metrics_parts.h"
#include "output/port_counters.h"
#include "output/protection.h"

/* One series a port. `labels` go beside the port's; "": none. */
static void render_port(FILE *out, const char *metric, const char *labels, const struct port_view *port, uint64_t value)
{
	char name[8] = "other";

	if (port->port)
		snprintf(name, sizeof(name), "%u", port->port);
	fprintf(out, PREFIX "%s{port=\"%s\"%s%s} %" PRIu64 "\n", metric, name, *labels ? "," : "", labels, value);
}

static void render_ports(const struct exposition *to, const struct snapshot *snapshot)
{
	const char *last = "";

	for (unsigned counter = 0; counter < PORT_COUNTER_MAX; counter++) {
		const struct port_counter_row *row = &port_counters[counter];

		if (!*row->metric)
			continue;
		if (strcmp(row->metric, last))
			metrics__row_family(to, row->metric, row->help,
					    row->gauge ? ", by listening port, at the last census"
						       : ", by listening port");
		for (size_t i = 0; i < snapshot->port_count; i++)
			render_port(to->out, row->metric, row->labels, &snapshot->ports[i],
				    port_counter__of(&snapshot->ports[i], counter));
		last = row->metric;
	}
}

/* What the filter holds a port to. */
static void render_rules(const struct exposition *to, const struct snapshot *snapshot)
{
	const struct port_view *ports = snapshot->ports;
	size_t i;

	metrics__family(to, "port_budget", "gauge", "SYNs a second that a listening port admits; 0: it has no budget.");
	for (i = 0; i < snapshot->port_count; i++)
		render_port(to->out, "port_budget", "", &ports[i], ports[i].budget);
	metrics__family(
		to, "port_stray_budget", "gauge",
		"Segments without a connection a second that a listening port admits; 0: it has no such budget.");
	for (i = 0; i < snapshot->port_count; i++)
		render_port(to->out, "port_stray_budget", "", &ports[i], ports[i].stray_budget);
	metrics__family(
		to, "served", "gauge",
		"1: some address of this host is known to be served on the port; 0: SYNs over its budget pass.");
	for (i = 0; i < snapshot->port_count; i++)
		render_port(to->out, "served", "", &ports[i], ports[i].served);
}

static void render_attacks(const struct exposition *to, const struct snapshot *snapshot)
{
	const struct port_view *ports = snapshot->ports;
	uint64_t sources = 0;
	size_t i;

	metrics__family(to, "armed", "gauge", "1 while a listening port is over its budget, and ten seconds longer.");
	for (i = 0; i < snapshot->port_count; i++)
		render_port(to->out, "armed", "", &ports[i], ports[i].armed);
	metrics__family(
		to, "armed_strays", "gauge",
		"1 while more segments without a connection come to a listening port than its budget of them, and "
		"ten seconds longer.");
	for (i = 0; i < snapshot->port_count; i++)
		render_port(to->out, "armed_strays", "", &ports[i], ports[i].armed_strays);
	metrics__family(to, "under_attack", "gauge",
			"1 while a listening port is armed and fewer than half of its handshakes complete.");
	for (i = 0; i < snapshot->port_count; i++)
		render_port(to->out, "under_attack", "", &ports[i], ports[i].attack.under_attack);
	for (i = 0; i < snapshot->port_count; i++)
		if (ports[i].attack.sources > sources)
			sources = ports[i].attack.sources;
	metrics__family(to, "distinct_sources", "gauge",
			"Estimated number of sources that sent SYNs in the last 10 s to the armed port with the most.");
	fprintf(to->out, PREFIX "distinct_sources %" PRIu64 "\n", sources);
}

/* One series a state and port that clients can reach, as there is one alert a state. */
static void render_protection(const struct exposition *to, const struct snapshot *snapshot)
{
	struct protection protection;
	char labels[48];

	protection__judge(&protection, snapshot, true);
	metrics__family(
		to, "protection_severity", "gauge",
		"State of protection of the worst port, or of the host: 0 fine, 1 warning, 2 critical, 3 unknown.");
	fprintf(to->out, PREFIX "protection_severity %d\n", protection__severity(protection.host));
	metrics__family(to, "protection_state", "gauge",
			"1 for the state of protection that a listening port is in (see synwarden help protection).");
	for (size_t i = 0; i < snapshot->port_count; i++) {
		for (unsigned state = 0; state < PROTECTION_STATE_MAX; state++) {
			snprintf(labels, sizeof(labels), "state=\"%s\"", protection__state_name(state));
			render_port(to->out, "protection_state", labels, &snapshot->ports[i],
				    protection.ports[i] != PROTECTION_ROW_MAX &&
					    protection__state(protection.ports[i]) == state);
		}
	}
}

void metrics__ports(const struct exposition *to, const struct snapshot *snapshot)
{
	render_ports(to, snapshot);
	render_rules(to, snapshot);
	render_attacks(to, snapshot);
	render_protection(to, snapshot);
}
