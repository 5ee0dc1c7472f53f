// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>

#include "fetch/show.h"
#include "fetch/say.h"
#include "segments/drop_reasons.h"
#include "text/address.h"
#include "text/json.h"
#include "text/names.h"

static void put_lookups(struct json *json, const struct lookup *lookup)
{
	char words[SAY_LEN];

	json_array(json, "lookups");
	for (unsigned i = 0; i < lookup->services.count; i++) {
		if (lookup->results[i].result == LOOKUP_NOT_ASKED)
			continue;
		json_item(json);
		json_string(json, "service", lookup->services.services[i].name);
		json_bool(json, "found", lookup->results[i].result == LOOKUP_FOUND);
		json_micros(json, "took_us",
			    lookup->results[i].result == LOOKUP_WAITING ? DURATION_UNKNOWN
									: lookup->results[i].took_ns);
		json_string(json, "answer", say__service(words, lookup, i));
		json_close(json, '}');
	}
	json_close(json, ']');
}

static void put_name_server(struct json *json, const struct lookup *lookup)
{
	char text[PRINT_ADDR_LEN];

	json_string(json, "name_server", lookup->answer.is_seen ? print_addr(text, &lookup->answer.server) : NULL);
	json_string(json, "name_code", lookup->answer.is_seen ? dns_watch__code(lookup->answer.code) : NULL);
	if (lookup->answer.has_ttl)
		json_number(json, "ttl", lookup->answer.ttl);
	else
		json_null(json, "ttl");
}

static void put_seen(struct json *json, const struct attempt_seen *seen)
{
	json_bool(json, "observed", seen->is_known);
	if (!seen->is_known)
		return;
	json_number(json, "dropped", seen->dropped_in + seen->dropped_out);
	json_string(json, "drop_reason",
		    seen->dropped_in + seen->dropped_out ? drop_reasons__name(seen->drop_reason) : NULL);
	json_number(json, "filtered", seen->filtered);
	json_string(json, "filter_reason", seen->filtered ? print_reason(seen->filter_reason) : NULL);
}

static void put_attempts(struct json *json, const struct page *page)
{
	char text[PRINT_ADDR_LEN], words[SAY_LEN];

	json_array(json, "attempts");
	for (size_t i = 0; i < page->attempt_count; i++) {
		const struct attempt *attempt = &page->attempts[i];

		json_item(json);
		json_label(json, "raddr", print_addr(text, &attempt->raddr));
		json_number(json, "rport", attempt->rport);
		json_label(json, "laddr", print_addr(text, &attempt->laddr));
		json_number(json, "lport", attempt->lport);
		json_number(json, "cookie", attempt->cookie);
		json_bool(json, "connected", !attempt->error);
		json_micros(json, "took_us", attempt->took_ns);
		json_micros(json, "rtt_us", attempt->rtt_ns);
		json_number(json, "syns", attempt->again + 1);
		json_string(json, "because", say__attempt(words, attempt));
		put_seen(json, &attempt->seen);
		json_close(json, '}');
	}
	json_close(json, ']');
}

static void put_tls(struct json *json, const struct page *page)
{
	const struct tls_seen *tls = &page->tls;

	if (!*tls->version) {
		json_null(json, "tls");
		return;
	}
	json_object(json, "tls");
	json_string(json, "version", tls->version);
	json_string(json, "cipher", tls->cipher);
	json_string(json, "alpn", *tls->alpn ? tls->alpn : NULL);
	json_string(json, "names", tls->names);
	json_string(json, "issuer", tls->issuer);
	json_number(json, "not_after", tls->not_after);
	json_string(json, "wrong", *tls->wrong ? tls->wrong : NULL);
	json_close(json, '}');
}

static void put_times(struct json *json, const struct page *page)
{
	static const char *const names[STEP_MAX] = {"name_us",	     "connect_us",  "tls_us",  "request_us",
						    "first_byte_us", "document_us", "close_us"};

	for (enum step step = STEP_NAME; step < STEP_MAX; step++)
		json_micros(json, names[step], page->took_ns[step]);
}

static void put_answer(struct json *json, const struct page *page)
{
	static const char *const by[] = {NULL, "client", "server", "reset"};

	if (page->status)
		json_number(json, "status", page->status);
	else
		json_null(json, "status");
	json_number(json, "request_bytes", page->request_bytes);
	json_micros(json, "request_acked_us", page->acked_ns);
	json_number(json, "head_bytes", page->head_bytes);
	json_number(json, "body_bytes", page->body_bytes);
	if (page->length >= 0)
		json_number(json, "length", page->length);
	else
		json_null(json, "length");
	if (page->segments)
		json_number(json, "segments", page->segments);
	else
		json_null(json, "segments");
	json_string(json, "closed_by", by[page->ended]);
	json_string(json, "states", *page->states ? page->states : NULL);
	json_string(json, "location", page->location);
}

static void put_transfer_drops(struct json *json, const struct page *page)
{
	if (!page->seen.is_known) {
		json_null(json, "transfer");
		return;
	}
	json_object(json, "transfer");
	put_seen(json, &page->seen);
	json_close(json, '}');
}

void show__json(const struct page *page)
{
	struct json json;

	json_begin(&json, stdout);
	json_string(&json, "url", page->place.url);
	put_lookups(&json, page->lookup);
	put_name_server(&json, page->lookup);
	put_attempts(&json, page);
	put_tls(&json, page);
	put_times(&json, page);
	put_answer(&json, page);
	put_transfer_drops(&json, page);
	json_string(&json, "failed_at", page__is_fetched(page) ? NULL : page__step_name(page->failed));
	json_string(&json, "because", page__is_fetched(page) ? NULL : page->because);
	json_end(&json);
	fflush(stdout);
}
