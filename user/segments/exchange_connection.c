// SPDX-License-Identifier: GPL-2.0-only
/*
 * One connection: the pieces of each side in the order of their sequence numbers, what they carry, and which answer
 * belongs to which request.
 */
#include <stdlib.h>
#include <string.h>

#include "segments/exchange_parts.h"

#define OPENING_MAX   HTTP_REQUEST_BYTES
#define PREFACE	      "PRI * HTTP/2.0\r\n"
#define PREFACE_KNOWN 6 /* bytes of it that nothing else begins with */

static bool is_after(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) > 0;
}

static struct exchange_side *other_side(struct exchange_side *side)
{
	struct exchange *e = side->exchange;

	return side == &e->sides[HTTP_IN] ? &e->sides[HTTP_OUT] : &e->sides[HTTP_IN];
}

static bool is_answering(const struct exchange_side *side)
{
	const struct exchange *e = side->exchange;

	return e->has_role && e->about.is_server == (side == &e->sides[HTTP_OUT]);
}

static void note_role(struct exchange_side *side, bool is_answer)
{
	struct exchange *e = side->exchange;

	if (!e->has_role)
		e->about.is_server = is_answer == (side == &e->sides[HTTP_OUT]);
	e->has_role = true;
	e->kind = HTTP_KIND_1;
	e->about.at_least |= !e->fresh;
}

static struct http_request *append_request(struct exchange *e)
{
	struct http_request *request = calloc(1, sizeof(*request)), **end = &e->requests;

	if (!request)
		return NULL;
	while (*end)
		end = &(*end)->next;
	*end = request;
	return request;
}

/* Shows a request, and forgets it. */
static void finish_request(struct exchange *e, struct http_request *request, const struct http_end *end)
{
	struct http_request **at = &e->requests;

	for (int i = 0; i < HTTP_DIRECTIONS; i++) {
		struct exchange_side *side = &e->sides[i];

		if (side->request != request)
			continue;
		if (!is_answering(side))
			request->bytes = http_reader__position(side->reader) - side->message_at;
		side->request = NULL;
	}
	e->about.event.time_ns = request->is_unseen ? request->answered_ns : request->begun_ns;
	e->events->request(e->events->context, &e->about, request, end);
	while (*at != request)
		at = &(*at)->next;
	*at = request->next;
	explicit_bzero(request, sizeof(*request));
	free(request);
}

/* An answer of unknown length that was lost sight of has ended by now, as its client goes on. */
static void end_lost_answer(struct exchange_side *side)
{
	if (side->request && http_reader__is_lost(side->reader) && side->request == side->exchange->requests)
		http_reader__resume(side->reader, true);
}

static void begin_request(struct exchange_side *side, const struct http_head *head)
{
	struct exchange *e = side->exchange;
	struct http_request *request;

	end_lost_answer(other_side(side));
	e->about.requests++;
	request = append_request(e);
	if (!request)
		return;
	request->head = *head;
	request->number = e->about.requests;
	request->pipelined = e->requests != request;
	request->begun_ns = side->begun_ns;
	request->asked_ns = e->now;
	e->about.pipelined += request->pipelined;
	side->request = request;
}

static struct http_request *first_unanswered(struct exchange *e)
{
	struct http_request *request = e->requests;

	while (request && request->status)
		request = request->next;
	if (request)
		return request;
	request = append_request(e);
	if (request)
		request->is_unseen = true;
	return request;
}

static enum http_body begin_answer(struct exchange_side *side, const struct http_head *head)
{
	struct exchange *e = side->exchange;
	struct http_request *request;

	if (head->status < 200 && head->status != 101)
		return HTTP_BODY_AS_SAID;
	request = first_unanswered(e);
	if (!request)
		return HTTP_BODY_AS_SAID;
	request->status = head->status;
	request->answered_ns = side->begun_ns;
	if (request->is_unseen)
		request->head.major = head->major, request->head.minor = head->minor;
	else
		e->about.answered++;
	side->request = request;
	if (head->status == 101 || (head->status < 300 && !strcmp(request->head.method, "CONNECT"))) {
		e->kind = HTTP_KIND_UPGRADED;
		return HTTP_BODY_TUNNEL;
	}
	/* RFC 9112, section 6.3. The library reads a body after 204 and 304 where a length is given. */
	if (head->status == 204 || head->status == 304 || !strcmp(request->head.method, "HEAD"))
		return HTTP_BODY_NONE;
	return HTTP_BODY_AS_SAID;
}

static enum http_body on_head(void *context, const struct http_head *head)
{
	struct exchange_side *side = context;

	note_role(side, head->is_answer);
	side->message_at = http_reader__begun_at(side->reader);
	if (head->is_answer)
		return begin_answer(side, head);
	begin_request(side, head);
	return HTTP_BODY_AS_SAID;
}

static void on_end(void *context, enum http_known known)
{
	struct exchange_side *side = context;
	struct exchange *e = side->exchange;
	struct http_request *request = side->request;

	side->begun_ns = e->now;
	side->request = NULL;
	if (!request)
		return;
	if (!is_answering(side)) {
		request->bytes = http_reader__position(side->reader) - side->message_at;
		return;
	}
	request->ended_ns = e->now;
	request->known = known;
	request->answer_bytes = http_reader__position(side->reader) - side->message_at;
	finish_request(e, request, NULL);
}

int exchange__init(struct exchange *e, const struct http_events *events, const struct http_piece *first)
{
	e->events = events;
	e->about.event = first->event;
	e->fresh = first->fresh;
	e->opening_direction = first->direction;
	for (int i = 0; i < HTTP_DIRECTIONS; i++) {
		struct http_reader_events read = {on_head, on_end, &e->sides[i]};

		e->sides[i].exchange = e;
		e->sides[i].reader = http_reader__new(&read);
		if (!e->sides[i].reader) {
			exchange__clear(e);
			return -1;
		}
	}
	return 0;
}

static void forget_opening(struct exchange *e)
{
	if (e->opening)
		explicit_bzero(e->opening, e->opening_len);
	free(e->opening);
	e->opening = NULL;
	e->opening_len = 0;
}

static void tell_tls(struct exchange *e)
{
	struct http_hello hello;

	http_hello__read(&hello, e->opening, e->opening_len);
	e->kind = HTTP_KIND_TLS;
	e->about.event.time_ns = e->now;
	e->events->tls(e->events->context, &e->about, &hello);
	forget_opening(e);
}

static void tell_http2(struct exchange *e)
{
	e->kind = HTTP_KIND_2;
	e->about.event.time_ns = e->now;
	e->events->http2(e->events->context, &e->about);
	forget_opening(e);
}

/* Looks at the first bytes of a connection for what is not HTTP/1.x. Whether they are, or may be, something else. */
static bool is_other_opening(struct exchange *e, const struct http_piece *piece)
{
	size_t room = OPENING_MAX - e->opening_len, len = piece->copied < room ? piece->copied : room;
	struct http_hello hello;

	if (piece->direction != e->opening_direction) {
		if (http_hello__begins(e->opening, e->opening_len))
			tell_tls(e);
		forget_opening(e);
		return e->kind != HTTP_KIND_UNDECIDED;
	}
	if (!e->opening)
		e->opening = malloc(OPENING_MAX);
	if (!e->opening)
		return false;
	memcpy(e->opening + e->opening_len, piece->data, len);
	e->opening_len += len;
	e->about.is_server = piece->direction == HTTP_IN;
	if (http_hello__begins(e->opening, e->opening_len)) {
		if (http_hello__read(&hello, e->opening, e->opening_len) || e->opening_len == OPENING_MAX)
			tell_tls(e);
		return true;
	}
	if (e->opening_len >= PREFACE_KNOWN && !memcmp(e->opening, PREFACE, PREFACE_KNOWN))
		tell_http2(e);
	else if (e->opening_len >= PREFACE_KNOWN)
		forget_opening(e);
	return e->kind == HTTP_KIND_2;
}

/* Whether a lost reader may go on with this piece. */
static void find_way(struct exchange_side *side, const struct http_piece *piece)
{
	bool answers = is_answering(side);

	if (!side->exchange->has_role)
		answers = http_reader__may_begin(piece->data, piece->copied, true);
	if (http_reader__may_begin(piece->data, piece->copied, answers))
		http_reader__resume(side->reader, answers);
}

/* In the order of sequence numbers; nothing before it comes any more. */
static void read_piece(struct exchange_side *side, const struct http_piece *piece)
{
	uint32_t seen = side->has_next ? side->next - piece->seq : 0, copied;
	struct exchange *e = side->exchange;

	if (side->has_next && is_after(piece->seq, side->next)) {
		http_reader__skip(side->reader, piece->seq - side->next, true);
		seen = 0;
	}
	if (seen < piece->len || !piece->len) {
		side->next = piece->seq + piece->len;
		side->has_next = true;
	}
	if (seen < piece->len) {
		copied = seen < piece->copied ? piece->copied - seen : 0;
		if (!http_reader__is_within(side->reader))
			side->begun_ns = e->now;
		if (http_reader__is_lost(side->reader) && !seen)
			find_way(side, piece);
		http_reader__feed(side->reader, piece->data + piece->copied - copied, copied);
		http_reader__skip(side->reader, piece->len - seen - copied, false);
		if (side->request && !side->request->status)
			side->request->asked_ns = e->now;
		if (piece->len >= sizeof(piece->tail))
			http_reader__tail(side->reader, piece->tail);
	}
	if (http_reader__is_lost(side->reader) && !is_answering(side))
		e->about.at_least = true;
	if (piece->fin)
		http_reader__finish(side->reader);
}

static void hold(struct exchange_side *side, const struct http_piece *piece)
{
	struct held_piece **at = &side->held, *held;

	if (side->held_count == HELD_MAX)
		return;
	held = malloc(sizeof(*held));
	if (!held)
		return;
	while (*at && !is_after((*at)->piece.seq, piece->seq))
		at = &(*at)->next;
	*held = (struct held_piece){*at, *piece};
	*at = held;
	side->held_count++;
}

/* Reads what was held back and begins at `until` or before; with `all`, everything. */
static void read_held(struct exchange_side *side, uint32_t until, bool all)
{
	struct held_piece *held;

	while ((held = side->held) && (all || !is_after(held->piece.seq, until))) {
		side->held = held->next;
		side->held_count--;
		read_piece(side, &held->piece);
		explicit_bzero(held, sizeof(*held));
		free(held);
	}
}

void exchange__read(struct exchange *e, const struct http_piece *piece)
{
	struct exchange_side *side = &e->sides[piece->direction & 1];

	if (e->kind > HTTP_KIND_1)
		return;
	e->now = piece->event.time_ns;
	if (piece->event.cookie)
		e->about.event = piece->event;
	if (e->fresh && e->kind == HTTP_KIND_UNDECIDED && is_other_opening(e, piece))
		return;
	if (piece->ahead && side->has_next && is_after(piece->seq, side->next)) {
		hold(side, piece);
		return;
	}
	read_held(side, piece->seq, false);
	read_piece(side, piece);
	read_held(side, side->next, false);
}

void exchange__end(struct exchange *e, const struct life *life)
{
	struct http_end end = {life->event.ending, life->closer, life->age_ns, life->existed};
	struct http_request *request;

	for (int i = 0; i < HTTP_DIRECTIONS; i++)
		read_held(&e->sides[i], 0, true);
	e->now = life->event.time_ns;
	if (e->kind == HTTP_KIND_UNDECIDED && http_hello__begins(e->opening, e->opening_len))
		tell_tls(e);
	if (!e->about.event.owner.pid)
		e->about.event.owner = life->event.owner;
	while ((request = e->requests)) {
		request->ended_ns = e->now;
		request->known = HTTP_KNOWN_AT_MOST;
		request->is_cut = request->status;
		if (request->is_cut)
			request->answer_bytes = http_reader__position(e->sides[e->about.is_server].reader) -
						e->sides[e->about.is_server].message_at;
		finish_request(e, request, &end);
	}
	e->about.event.time_ns = e->now;
	if (e->has_role)
		e->events->closed(e->events->context, &e->about, &end);
}

void exchange__clear(struct exchange *e)
{
	for (int i = 0; i < HTTP_DIRECTIONS; i++) {
		while (e->sides[i].held) {
			struct held_piece *held = e->sides[i].held;

			e->sides[i].held = held->next;
			explicit_bzero(held, sizeof(*held));
			free(held);
		}
		http_reader__free(e->sides[i].reader);
	}
	while (e->requests) {
		struct http_request *request = e->requests;

		e->requests = request->next;
		explicit_bzero(request, sizeof(*request));
		free(request);
	}
	forget_opening(e);
}
