// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ladder as JSON: an object a segment, and one at the end of each connection.
 */
#include <inttypes.h>

#include "segments/words.h"
#include "text/address.h"
#include "text/json.h"
#include "text/names.h"
#include "text/print.h"

static void put_end(struct json *json, const char *addr, const char *port, const struct view_end *end)
{
	char text[PRINT_ADDR_LEN];

	json_label(json, addr, print_addr(text, &end->addr));
	json_number(json, port, end->port);
}

static void put_connection(struct json *json, const struct ladder *ladder, const struct view *view)
{
	json_number(json, "flow", ladder->number);
	if (ladder->netns)
		json_number(json, "netns", ladder->netns);
	if (ladder->cookie)
		json_number(json, "cookie", ladder->cookie);
	put_end(json, "laddr", "lport", &view->ends[0]);
	put_end(json, "raddr", "rport", &view->ends[1]);
}

static void put_names(struct json *json, const char *name, const char *const *names, uint32_t bits)
{
	json_array(json, name);
	for (; bits; bits &= bits - 1) {
		json_comma(json);
		json_put_string(json, names[__builtin_ctz(bits)]);
	}
	json_close(json, ']');
}

/* Relative to the first number of its sender, and so maybe negative; null where that is not known. */
static void put_offset(struct json *json, const char *name, const struct view *view, int end, uint32_t number)
{
	char text[24];

	json_name(json, name);
	if (view->ends[end].has_next)
		snprintf(text, sizeof(text), "%" PRId64, view__offset(view, end, number));
	json_put_word(json, view->ends[end].has_next ? text : "null");
}

static void put_numbers(struct json *json, const struct view *view, const struct segment *segment, int from)
{
	json_number(json, "seq", segment->seq);
	put_offset(json, "rel_seq", view, from, segment->seq);
	if (segment->flags & SEGMENT_ACK) {
		json_number(json, "ack", segment->ack);
		put_offset(json, "rel_ack", view, !from, segment->ack);
	} else {
		json_null(json, "ack");
		json_null(json, "rel_ack");
	}
	json_number(json, "len", segment->len);
	json_number(json, "segments", segment->segs);
	json_number(json, "window", segment->window);
}

static void put_options(struct json *json, const struct segment *segment)
{
	static const char *const names[] = {"sack_permitted", "timestamps", "sack", "tfo", "mptcp"};

	json_object(json, "options");
	if (segment->mss)
		json_number(json, "mss", segment->mss);
	if (segment->wscale != SEGMENT_NO_WSCALE)
		json_number(json, "wscale", segment->wscale);
	for (uint32_t bits = segment->options; bits; bits &= bits - 1)
		json_bool(json, names[__builtin_ctz(bits)], true);
	json_close(json, '}');
}

static void put_state(struct json *json, const char *state, const char *known, const struct view_end *end)
{
	json_string(json, state, end->state ? print_state(end->state) : NULL);
	json_label(json, known, end->is_known ? "kernel" : "inferred");
}

static void begin_object(struct json *json, const struct ladder *ladder, const struct view *view, uint64_t time_ns,
			 const char *kind)
{
	char time[PRINT_TIME_LEN];

	json_begin(json, ladder->out);
	json_label(json, "ts", print_time(time, time_ns + ladder->realtime_ns));
	json_label(json, "kind", kind);
	put_connection(json, ladder, view);
}

/* All states that the segment led to. */
static void put_passed(struct json *json, const char *name, const struct view_end *end)
{
	json_array(json, name);
	for (unsigned i = 0; i < end->passed_count; i++) {
		json_comma(json);
		json_put_string(json, print_state(end->passed[i]));
	}
	json_close(json, ']');
}

/* What the filter did: see words__is_filtered(). */
static void put_verdict(struct json *json, const struct segment *segment)
{
	json_label(json, "verdict", print_verdict(segment->verdict));
	json_label(json, "reason", print_reason(segment->reason));
	json_bool(json, "dry_run", segment->verdict != print_reason_verdict(segment->reason));
	if (segment->kind == SEGMENT_ANSWERED)
		json_number(json, "syn_cookie", segment->seq);
}

static void row(struct ladder *ladder, const struct view *view, const struct segment *segment,
		const struct view_row *row)
{
	static const char *const flags[] = {"FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR"};
	static const char *const marks[] = {
#define X(name, json, text) json,
		MARKS(X)
#undef X
	};
	struct json json;

	begin_object(&json, ladder, view, segment->time_ns,
		     segment->kind == SEGMENT_JUDGED || segment->kind == SEGMENT_ANSWERED ? "answered" : "segment");
	json_label(&json, "dir", row->from ? "in" : "out");
	put_names(&json, "flags", flags, segment->flags);
	put_numbers(&json, view, segment, row->from);
	put_options(&json, segment);
	put_names(&json, "marks", marks, row->marks);
	json_micros(&json, "delta_us", row->delta_ns);
	put_state(&json, "local_state", "local_known", &view->ends[0]);
	put_state(&json, "remote_state", "remote_known", &view->ends[1]);
	put_passed(&json, "local_passed", &view->ends[0]);
	put_passed(&json, "remote_passed", &view->ends[1]);
	if (ladder->detailed && ladder->line)
		json_string(&json, "http", ladder->line);
	if (words__is_filtered(segment))
		put_verdict(&json, segment);
	json_end(&json);
}

/* One object an end and state. */
static void states(struct ladder *ladder, const struct view *view, uint64_t time_ns)
{
	struct json json;

	for (int end = 0; end < 2; end++) {
		for (unsigned i = 0; i < view->ends[end].passed_count; i++) {
			begin_object(&json, ladder, view, time_ns, "state");
			json_label(&json, "end", end ? "remote" : "local");
			json_string(&json, "state", print_state(view->ends[end].passed[i]));
			json_label(&json, "known", view->ends[end].is_known ? "kernel" : "inferred");
			json_end(&json);
		}
	}
}

static void drop(struct ladder *ladder, const struct view *view, const struct segment *segment, const char *reason)
{
	int from = view__end_of(view, &segment->src, segment->sport);
	struct json json;

	begin_object(&json, ladder, view, segment->time_ns, "drop");
	json_label(&json, "dir", from ? "in" : "out");
	put_numbers(&json, view, segment, from < 0 ? 0 : from);
	json_string(&json, "drop_reason", reason);
	json_end(&json);
}

static void begin(struct ladder *ladder, const struct view *view, const struct segment *first)
{
	(void)ladder;
	(void)view;
	(void)first;
}

static void end(struct ladder *ladder, const struct view *view)
{
	static const char *const endings[] = {"open", "closed", "reset", "refused", "unanswered"};
	struct json json;

	begin_object(&json, ladder, view, view->last_ns, "end");
	json_label(&json, "ending", endings[view__ending(view)]);
	json_string(&json, "reason", print_ending(ladder->ending));
	json_string(&json, "first_fin", view->first_fin < 0 ? NULL : view->first_fin ? "remote" : "local");
	json_number(&json, "rows", view->segments);
	json_number(&json, "sent_again", view->ends[0].sent_again + view->ends[1].sent_again);
	if (ladder->netns)
		json_number(&json, "dropped", view->dropped);
	json_micros(&json, "handshake_us", view->handshake_ns ? view->handshake_ns : DURATION_UNKNOWN);
	json_end(&json);
}

const struct ladder_format ladder_json = {.begin = begin, .row = row, .states = states, .drop = drop, .end = end};
