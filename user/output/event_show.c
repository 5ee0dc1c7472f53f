// SPDX-License-Identifier: GPL-2.0-only
/*
 * Events of ports have figures; the others are a sentence of their kind.
 */
#include <inttypes.h>

#include "output/event_show.h"
#include "system/clock.h"
#include "text/json.h"
#include "text/print.h"

static bool is_of_port(const struct log_event *event)
{
	return event->kind == EVENT_ATTACK || event->kind == EVENT_ARMED;
}

static void append_count(char buf[EVENT_FIGURES_LEN], const char *before, uint64_t count, const char *after)
{
	char number[PRINT_NUMBER_LEN];

	print_append(buf, EVENT_FIGURES_LEN, "%s%s %s", before, print_count(number, count), after);
}

/* "(95.0 % challenged, 5.0 % passed)": what was done with the SYNs, without what was not. */
static void append_shares(char buf[EVENT_FIGURES_LEN], const struct log_event *event)
{
	const struct {
		uint64_t count;
		const char *name;
	} shares[] = {{event->challenged, "challenged"}, {event->dropped, "dropped"}, {event->passed, "passed"}};
	const char *before = " (";

	for (size_t i = 0; i < sizeof(shares) / sizeof(shares[0]); i++) {
		uint64_t permille = event->syns ? shares[i].count * 1000 / event->syns : 0;

		if (!shares[i].count)
			continue;
		print_append(buf, EVENT_FIGURES_LEN, "%s%" PRIu64 ".%" PRIu64 " %% %s", before, permille / 10,
			     permille % 10, shares[i].name);
		before = ", ";
	}
	print_append(buf, EVENT_FIGURES_LEN, "%s", *before == ',' ? ")" : "");
}

char *event_show__figures(char buf[EVENT_FIGURES_LEN], const struct log_event *event)
{
	*buf = '\0';
	print_duration(buf, event->duration_ms * NS_PER_MS);
	append_count(buf, ", peak ", event->peak_syn_rate, "SYN/s");
	append_count(buf, ", average ", event->average_syn_rate, "SYN/s");
	append_count(buf, ", ", event->syns, "SYNs");
	append_shares(buf, event);
	if (event->not_served)
		append_count(buf, ", of them ", event->not_served, "let through as not served");
	if (event->distinct_sources)
		append_count(buf, ", about ", event->distinct_sources, "sources");
	append_count(buf, ", ", event->completed,
		     event->completed == 1 ? "handshake completed" : "handshakes completed");
	if (event->listen_drops)
		append_count(buf, ", ", event->listen_drops, "dropped by the listener");
	append_count(buf, ", budget ", event->budget, "SYN/s");
	if (event->flags & EVENT_DRY_RUN)
		print_append(buf, EVENT_FIGURES_LEN, " (dry run: all passed)");
	return buf;
}

static const char *port_state(const struct log_event *event)
{
	if (event->flags & EVENT_ONGOING)
		return ", going on";
	return event->flags & EVENT_INTERRUPTED ? ", until the recording ended" : "";
}

static void print_port(FILE *out, const struct log_event *event)
{
	char figures[EVENT_FIGURES_LEN];

	fprintf(out, "%s port %" PRIu64 "%s: %s", event->kind == EVENT_ATTACK ? "attack on" : "traffic spike on",
		event->port, port_state(event), event_show__figures(figures, event));
}

/* The formats are of the table, and take the detail or nothing. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-extra-args"
static void print_sentence(FILE *out, const struct log_event *event)
{
	static const char *const sentences[] = {
#define X(name, text, detail, sentence) [EVENT_##name] = (sentence),
		EVENT_KINDS(X)
#undef X
	};

	fprintf(out, sentences[event->kind], event->detail);
}
#pragma GCC diagnostic pop

void event_show__text(FILE *out, const struct log_event *event)
{
	char time[PRINT_TIME_LEN], number[PRINT_NUMBER_LEN];

	fprintf(out, "%.*sZ  #%-4" PRIu64 "  ", PRINT_TIME_WHOLE, print_time(time, event->time_ns), event->id);
	if (is_of_port(event)) {
		print_port(out, event);
	} else {
		print_sentence(out, event);
		if (event->kind == EVENT_LOST)
			fprintf(out, "%s lost", print_count(number, event->count));
		if (event->flags & EVENT_TOOK_OVER)
			fprintf(out, ", and took over the filter of a former run");
		if (event->flags & EVENT_DRY_RUN)
			fprintf(out, " (dry run: everything passes)");
	}
	fputc('\n', out);
}

static void json_time(struct json *json, const char *name, uint64_t time_ns)
{
	char time[PRINT_TIME_LEN];

	json_label(json, name, print_time(time, time_ns));
}

static void json_flags(struct json *json, const struct log_event *event)
{
#define X(name, bit, text)                                                                                             \
	if ((bit) == EVENT_DRY_RUN || is_of_port(event) == ((bit) != EVENT_TOOK_OVER))                                 \
		json_bool(json, text, event->flags &(bit));
	EVENT_FLAGS(X)
#undef X
}

static void json_steps(struct json *json, const struct log_event *event)
{
	size_t count = event_log__steps(event);

	json_array(json, "syns_by_step");
	for (size_t i = 0; i < count; i++) {
		json_comma(json);
		json_put_number(json, event->steps[i]);
	}
	json_close(json, ']');
}

static void json_port(struct json *json, const struct log_event *event)
{
	json_time(json, "end", event_log__end_ns(event));
	if (event->released_ms)
		json_time(json, "released", event->time_ns + event->released_ms * NS_PER_MS);
	else
		json_null(json, "released");
#define X(name) json_number(json, #name, event->name);
	json_number(json, "port", event->port);
	json_number(json, "budget", event->budget);
	json_number(json, "duration_ms", event->duration_ms);
	json_number(json, "peak_syn_rate", event->peak_syn_rate);
	json_number(json, "average_syn_rate", event->average_syn_rate);
	if (event->distinct_sources)
		json_number(json, "distinct_sources", event->distinct_sources);
	else
		json_null(json, "distinct_sources");
	EVENT_COUNTERS(X)
#undef X
	json_number(json, "step_seconds", event->step_seconds);
	json_steps(json, event);
}

void event_show__json(FILE *out, const struct log_event *event)
{
	static const char *const details[] = {
#define X(name, text, detail, sentence) [EVENT_##name] = (detail),
		EVENT_KINDS(X)
#undef X
	};
	struct json json;

	json_begin(&json, out);
	json_number(&json, "id", event->id);
	json_time(&json, "time", event->time_ns);
	json_label(&json, "event", event_log__kind_name(event->kind));
	if (*details[event->kind])
		json_string(&json, details[event->kind], event->detail);
	if (event->kind == EVENT_LOST)
		json_number(&json, "count", event->count);
	if (is_of_port(event) || event->kind == EVENT_STARTED)
		json_flags(&json, event);
	if (is_of_port(event))
		json_port(&json, event);
	json_end(&json);
}
