// SPDX-License-Identifier: GPL-2.0-only
/*
 * A line a request. "~" marks what is inferred, "<" an upper and ">" a lower bound.
 */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "output/columns.h"
#include "segments/exchange_show.h"
#include "text/address.h"
#include "text/clean.h"
#include "text/colour.h"
#include "text/names.h"
#include "text/print.h"

#define WORDS_LEN 512
#define DAY_LEN	  (sizeof("2026-01-01T") - 1)

/* Widths of the columns, 0: left out. */
struct exchange_layout {
	unsigned least; /* columns of the terminal */
	int time, side, port, client, number, method, status, bytes, first, total;
	int until; /* columns before the last one, which takes the rest */
};

static const struct exchange_layout layouts[] = {
	{120, .time = 15, .side = 6, .port = 5, .client = 21, .number = 5, .method = 7, .status = 6, .bytes = 9,
	 .first = 10, .total = 9, .until = 103},
	{0, .time = 8, .client = 21, .method = 6, .status = 3, .first = 9, .total = 9, .until = 62},
};

const struct exchange_layout *exchange_text__layout(unsigned width)
{
	const struct exchange_layout *layout = layouts;

	while (layout->least > width)
		layout++;
	return layout;
}

void exchange_text__header(const struct exchange_layout *l)
{
	struct line line = {};

	printf("%s", print_bold());
	columns__column(&line, l->time, LINE_LEFT, "TIME");
	columns__column(&line, l->side, LINE_LEFT, "HERE");
	columns__column(&line, l->port, LINE_LEFT, "PORT");
	columns__column(&line, l->client, LINE_LEFT, "CLIENT");
	columns__column(&line, l->number, LINE_RIGHT, "N");
	columns__column(&line, l->method, LINE_LEFT, "METHOD");
	columns__column(&line, l->status, LINE_LEFT, l->status < 6 ? "ST" : "STATUS");
	columns__column(&line, l->bytes, LINE_RIGHT, "BYTES");
	columns__column(&line, l->first, LINE_RIGHT, l->first < 10 ? "1ST BYTE" : "FIRST BYTE");
	columns__column(&line, l->total, LINE_RIGHT, "TOTAL");
	columns__column(&line, 1, LINE_LEFT, "HOST AND PATH");
	printf("%s\n", print_plain());
}

/* Time, and whose connection it is: the port is the server's. */
static void put_place(struct line *line, const struct exchange_line *to, const struct http_about *about)
{
	const struct flow *flow = &about->event.flow;
	char when[PRINT_TIME_LEN], client[PRINT_ENDPOINT_LEN], port[8];
	bool server = about->is_server;

	print_time(when, to->realtime_ns);
	memmove(when, when + DAY_LEN, to->layout->time);
	when[to->layout->time] = '\0';
	print_endpoint(client, server ? &flow->raddr : &flow->laddr, server ? flow->rport : flow->lport);
	snprintf(port, sizeof(port), "%u", server ? flow->lport : flow->rport);
	columns__column(line, to->layout->time, LINE_LEFT, when);
	columns__column(line, to->layout->side, LINE_LEFT, server ? "server" : "client");
	columns__column(line, to->layout->port, LINE_LEFT, port);
	columns__column(line, to->layout->client, LINE_LEFT, client);
}

/* The last column: as much as there is room for. */
static void put_words(struct line *line, const struct exchange_line *to, char *words)
{
	size_t room = to->width == UINT_MAX ? WORDS_LEN : to->width - line->due;

	print_clean(words);
	if (strlen(words) > room && room > 3)
		strcpy(words + room - 3, "...");
	columns__column(line, 1, LINE_LEFT, words);
	putchar('\n');
}

static const char *colour_of(uint16_t status)
{
	return status >= 500 || !status ? print_red() : status >= 400 ? print_yellow() : print_green();
}

static void put_number(struct line *line, int width, const struct http_about *about, const struct http_request *request)
{
	char text[16] = "-";

	if (!request->is_unseen)
		snprintf(text, sizeof(text), "%s%u", about->at_least ? ">=" : "", request->number);
	columns__column(line, width, LINE_RIGHT, text);
}

static void put_bytes(struct line *line, int width, const struct http_request *request)
{
	bool at_most = request->known == HTTP_KNOWN_AT_MOST && !request->is_cut;
	char text[1 + PRINT_NUMBER_LEN] = "<";

	print_bytes(text + at_most, request->answer_bytes);
	columns__column(line, width, LINE_RIGHT, request->status ? text : "-");
}

static void put_total(struct line *line, int width, const struct http_request *request, bool ended)
{
	char text[1 + PRINT_NUMBER_LEN];

	*text = ended ? '>' : request->known == HTTP_KNOWN_CHUNKED ? '~' : '<';
	print_duration(text + (ended || request->known != HTTP_KNOWN_EXACT), exchange_words__total(request));
	columns__column(line, width, LINE_RIGHT, text);
}

/* What became of a connection: "reset by the client". */
static void print_end(char *text, size_t size, const struct http_about *about, const struct http_end *end)
{
	const char *by = exchange_words__closed_by(about, end);

	if (by)
		snprintf(text, size, "%s by the %s", exchange_words__is_reset(end) ? "reset" : "closed", by);
	else
		snprintf(text, size, "ended (%s)", print_ending(end->ending));
}

void exchange_text__request(const struct exchange_line *to, const struct http_about *about,
			    const struct http_request *request, const struct http_end *end)
{
	char status[8] = "-", first[PRINT_NUMBER_LEN], words[WORDS_LEN + 64], ended[64];
	const struct exchange_layout *l = to->layout;
	const struct http_head *head = &request->head;
	struct line line = {};

	if (request->status)
		snprintf(status, sizeof(status), "%u", request->status);
	put_place(&line, to, about);
	put_number(&line, l->number, about, request);
	columns__column(&line, l->method, LINE_LEFT, *head->method ? head->method : "-");
	columns__coloured(&line, l->status, colour_of(request->status), status);
	put_bytes(&line, l->bytes, request);
	columns__column(&line, l->first, LINE_RIGHT, print_duration(first, exchange_words__first_byte(request)));
	put_total(&line, l->total, request, end);
	snprintf(words, sizeof(words), "%s%s%s", head->host, head->path, head->cut ? "..." : "");
	if (request->is_unseen)
		snprintf(words, sizeof(words), "to a request that was not seen");
	if (end) {
		print_end(ended, sizeof(ended), about, end);
		snprintf(words + strlen(words), sizeof(words) - strlen(words), "  %s%s", ended,
			 request->is_cut ? " within the answer" : ", unanswered");
	}
	put_words(&line, to, words);
}

void exchange_text__tls(const struct exchange_line *to, const struct http_about *about, const struct http_hello *hello)
{
	struct line line = {};
	char words[WORDS_LEN];

	put_place(&line, to, about);
	snprintf(words, sizeof(words), "tls %s, %s%s: requests not visible", *hello->name ? hello->name : "(no name)",
		 *hello->alpn ? "offers " : "no protocol offered", hello->alpn);
	put_words(&line, to, words);
}

void exchange_text__http2(const struct exchange_line *to, const struct http_about *about)
{
	struct line line = {};
	char words[] = "h2c: HTTP/2 in cleartext: requests not shown";

	put_place(&line, to, about);
	put_words(&line, to, words);
}

/* How the connection was used. */
static const char *use_of(const struct http_about *about)
{
	if (about->pipelined)
		return ", pipelined";
	return about->requests > 1 ? ", kept alive" : about->requests == 1 && !about->at_least ? ", short" : "";
}

void exchange_text__closed(const struct exchange_line *to, const struct http_about *about, const struct http_end *end)
{
	char words[WORDS_LEN], ended[64], age[PRINT_NUMBER_LEN];
	struct line line = {};

	put_place(&line, to, about);
	print_end(ended, sizeof(ended), about, end);
	snprintf(words, sizeof(words), "%s after %s%u request%s, %s%s%s", ended, about->at_least ? ">=" : "",
		 about->requests, about->requests == 1 ? "" : "s", end->existed ? ">" : "",
		 print_duration(age, end->age_ns), use_of(about));
	if (to->layout->side)
		snprintf(words + strlen(words), sizeof(words) - strlen(words), " (%s)", print_ending(end->ending));
	put_words(&line, to, words);
}
