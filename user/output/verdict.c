// SPDX-License-Identifier: GPL-2.0-only
#include "output/verdict.h"
#include "text/colour.h"
#include "text/wrap.h"

#define MOST_PORTS 5 /* with a paragraph of their own */

static const char *label(enum protection_row row)
{
	static const char *const labels[] = {
		[SEVERITY_FINE] = "PROTECTED",
		[SEVERITY_WARNING] = "WARNING",
		[SEVERITY_CRITICAL] = "CRITICAL",
		[SEVERITY_UNKNOWN] = "UNKNOWN",
	};

	if (protection__severity(row) == SEVERITY_FINE && protection__state(row) == PROTECTION_NOT_PROTECTED)
		return "NOT PROTECTED";
	return labels[protection__severity(row)];
}

static const char *colour(enum protection_row row)
{
	if (protection__state(row) == PROTECTION_PROTECTED)
		return print_green();
	return protection__severity(row) == SEVERITY_CRITICAL ? print_red() : print_yellow();
}

/* A port with a trouble of its own that the headline does not name: where that is about the host, its own row is none.
 */
static bool is_more(const struct protection *p, size_t i)
{
	return i != p->port && (p->port || p->ports[i] != p->host) &&
	       protection__severity(p->ports[i]) != SEVERITY_FINE;
}

static size_t more_ports(const struct protection *p)
{
	size_t more = 0;

	for (size_t i = 1; i < p->snapshot->port_count; i++)
		more += is_more(p, i);
	return more;
}

const char *verdict__headline(char buf[VERDICT_LEN], const struct protection *p)
{
	char sentence[PROTECTION_TEXT_LEN], more[64] = "";
	size_t ports = more_ports(p);

	if (ports)
		snprintf(more, sizeof(more), "; %zu more port%s not fine", ports, ports > 1 ? "s are" : " is");
	snprintf(buf, VERDICT_LEN, "%s: %s%s", label(p->host), protection__sentence(sentence, p, p->host, p->port),
		 more);
	return buf;
}

void verdict__print_line(FILE *out, const struct protection *p)
{
	char headline[VERDICT_LEN], buf[PROTECTION_TEXT_LEN];
	const char *fix = protection__fix(buf, p, p->host, p->port);

	fprintf(out, "%s%s%s\n", verdict__headline(headline, p), fix ? "; fix: " : "", fix ? fix : "");
}

/* A command is not wrapped: it is to be copied. */
static void print_fix(FILE *out, const struct protection *p, enum protection_row row, size_t port)
{
	char buf[PROTECTION_TEXT_LEN];
	const char *fix = protection__fix(buf, p, row, port);

	if (fix)
		fprintf(out, "  %s\n", fix);
}

void verdict__print(FILE *out, const struct protection *p)
{
	char text[VERDICT_LEN];
	size_t printed = 0;

	fputs(colour(p->host), out);
	print_wrapped(out, verdict__headline(text, p));
	fputs(print_plain(), out);
	print_fix(out, p, p->host, p->port);
	for (size_t i = 1; i < p->snapshot->port_count && printed < MOST_PORTS; i++) {
		if (!is_more(p, i))
			continue;
		print_wrapped(out, protection__sentence(text, p, p->ports[i], i));
		print_fix(out, p, p->ports[i], i);
		printed++;
	}
}

static void json_row(struct json *json, const struct protection *p, enum protection_row row, size_t port)
{
	char buf[PROTECTION_TEXT_LEN];

	json_string(json, "state", protection__state_name(protection__state(row)));
	json_string(json, "state_reason", protection__reason(row));
	json_string(json, "severity", protection__severity_name(protection__severity(row)));
	json_string(json, "state_sentence", protection__sentence(buf, p, row, port));
	json_string(json, "fix", protection__fix(buf, p, row, port));
}

void verdict__json_port(struct json *json, const struct protection *p, size_t port)
{
	if (p->ports[port] != PROTECTION_ROW_MAX) {
		json_row(json, p, p->ports[port], port);
		return;
	}
	json_null(json, "state");
	json_null(json, "state_reason");
	json_null(json, "severity");
	json_null(json, "state_sentence");
	json_null(json, "fix");
}

void verdict__json(struct json *json, const struct protection *p)
{
	json_row(json, p, p->host, p->port);
	if (p->port)
		json_number(json, "state_port", p->snapshot->ports[p->port].port);
	else
		json_null(json, "state_port");
}
