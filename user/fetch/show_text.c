// SPDX-License-Identifier: GPL-2.0-only
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "fetch/show.h"
#include "fetch/say.h"
#include "text/address.h"
#include "text/colour.h"
#include "text/print.h"

#define BAR_COLUMNS 60

/* "A  name        files          197 us   not known"; `step` is STEP_MAX in a further line of a step. */
static void show_line(enum step step, const char *what, uint64_t took_ns, const char *text)
{
	char took[PRINT_NUMBER_LEN], line[SAY_LEN + 128];
	int len = snprintf(line, sizeof(line), "%c  %-11s %-15s %9s   %s",
			   step == STEP_MAX ? ' ' : page__step_letter(step),
			   step == STEP_MAX ? "" : page__step_name(step), what, print_duration(took, took_ns), text);

	while (len > 0 && line[len - 1] == ' ')
		line[--len] = '\0';
	puts(line);
}

/* "10.77.1.1, 10.77.1.2   answered by 192.0.2.53" */
static void say_found(char text[SAY_LEN * 2], const struct lookup *lookup, unsigned service)
{
	char words[SAY_LEN], addr[PRINT_ADDR_LEN];
	size_t used = 0;

	say__service(words, lookup, service);
	for (unsigned i = 0; i < lookup->count && used < SAY_LEN; i++) {
		struct addr found = address__from_sockaddr((const struct sockaddr *)&lookup->addresses[i]);

		used += snprintf(text + used, SAY_LEN * 2 - used, "%s%s", used ? ", " : "", print_addr(addr, &found));
	}
	snprintf(text + used, SAY_LEN * 2 - used, "%s%s", *words ? "   " : "", words);
}

static void show_name(const struct page *page)
{
	const struct lookup *lookup = page->lookup;
	enum step step = STEP_NAME;
	char text[SAY_LEN * 2];

	if (lookup->is_literal) {
		show_line(STEP_NAME, "-", DURATION_UNKNOWN,
			  page->options->to ? "--to: no look-up" : "an address: no look-up");
		return;
	}
	for (unsigned i = 0; i < lookup->services.count; i++) {
		if (lookup->results[i].result == LOOKUP_NOT_ASKED)
			continue;
		if (lookup->results[i].result == LOOKUP_FOUND)
			say_found(text, lookup, i);
		else
			say__service(text, lookup, i);
		show_line(step, lookup->services.services[i].name,
			  lookup->results[i].result == LOOKUP_WAITING ? page->took_ns[STEP_NAME]
								      : lookup->results[i].took_ns,
			  text);
		step = STEP_MAX;
	}
}

/* When each SYN left, where there were several: by the kernel's programs, or else seen at most so late (`~`). */
static void show_syns(const struct attempt *attempt)
{
	const struct attempt_seen *seen = &attempt->seen;
	char at[PRINT_NUMBER_LEN];

	if (!attempt->again)
		return;
	printf("%43s", "");
	for (unsigned i = 0; seen->is_known && i < seen->syns; i++)
		printf("SYN %s   ", print_duration(at, seen->syn_ns[i]));
	for (unsigned i = 0; !seen->is_known && i < attempt->again && i < ATTEMPT_SYNS; i++)
		printf("SYN again ~%s   ", print_duration(at, attempt->again_ns[i]));
	printf("%s %s\n", attempt->error ? "given up" : "connected", print_duration(at, attempt->took_ns));
}

static void show_connect(const struct page *page)
{
	char words[SAY_LEN], to[PRINT_ADDR_LEN];

	for (size_t i = 0; i < page->attempt_count; i++) {
		const struct attempt *attempt = &page->attempts[i];

		show_line(i ? STEP_MAX : STEP_CONNECT, print_addr(to, &attempt->raddr), attempt->took_ns,
			  say__attempt(words, attempt));
		show_syns(attempt);
	}
}

static void show_tls(const struct page *page)
{
	const struct tls_seen *tls = &page->tls;
	char text[SAY_LEN], date[32] = "";
	time_t until = tls->not_after;
	struct tm utc;

	if (!*tls->version) {
		show_line(STEP_TLS, "", page->took_ns[STEP_TLS], "no session");
		return;
	}
	snprintf(text, sizeof(text), "%s, %s%s%s", tls->version, tls->cipher, *tls->alpn ? ", ALPN " : "", tls->alpn);
	show_line(STEP_TLS, "", page->took_ns[STEP_TLS], text);
	strftime(date, sizeof(date), "%F", gmtime_r(&until, &utc));
	printf("%43sfor %s, until %s, issued by %s\n", "", tls->names, date, tls->issuer);
	if (*tls->wrong)
		printf("%43s%swrong: %s%s\n", "", print_red(), tls->wrong, print_plain());
}

static void show_request(const struct page *page)
{
	char text[SAY_LEN], later[PRINT_NUMBER_LEN];
	int len = snprintf(text, sizeof(text), "%" PRIu64 " bytes", page->request_bytes);

	if (page->acked_ns != DURATION_UNKNOWN)
		snprintf(text + len, sizeof(text) - len, ", acknowledged %s later",
			 print_duration(later, page->acked_ns));
	show_line(STEP_REQUEST, "", page->took_ns[STEP_REQUEST], text);
}

static void show_first_byte(const struct page *page)
{
	show_line(STEP_FIRST_BYTE, "", page->took_ns[STEP_FIRST_BYTE],
		  *page->head			    ? page->head
		  : page->failed == STEP_FIRST_BYTE ? page->because
						    : "no status line");
}

static void show_document(const struct page *page)
{
	char text[SAY_LEN];
	int len = snprintf(text, sizeof(text), "%" PRIu64 " bytes, and %" PRIu64 " of the head", page->body_bytes,
			   page->head_bytes);

	if (page->segments)
		snprintf(text + len, sizeof(text) - len, ", in %s%" PRIu64 " segment%s", page->place.is_tls ? "~" : "",
			 page->segments, page->segments == 1 ? "" : "s");
	show_line(STEP_DOCUMENT, "", page->took_ns[STEP_DOCUMENT], text);
}

static void show_close(const struct page *page)
{
	char words[SAY_LEN];

	show_line(STEP_CLOSE, "", page->took_ns[STEP_CLOSE], say__closed(words, page));
}

void show__steps(const struct page *page, enum step first, enum step last)
{
	static void (*const functions[])(const struct page *page) = {
		[STEP_NAME] = show_name,       [STEP_CONNECT] = show_connect,	    [STEP_TLS] = show_tls,
		[STEP_REQUEST] = show_request, [STEP_FIRST_BYTE] = show_first_byte, [STEP_DOCUMENT] = show_document,
		[STEP_CLOSE] = show_close,
	};

	for (enum step step = first; step <= last; step++)
		if (page->took_ns[step] != DURATION_UNKNOWN || step == STEP_NAME)
			functions[step](page);
	fflush(stdout);
}

static uint64_t total_of(const struct page *page, enum step last)
{
	uint64_t total = 0;

	for (enum step step = STEP_NAME; step <= last; step++)
		total += page->took_ns[step] == DURATION_UNKNOWN ? 0 : page->took_ns[step];
	return total;
}

void show__shares(const struct page *page, unsigned width, unsigned columns[STEP_MAX])
{
	uint64_t total = total_of(page, STEP_DOCUMENT);
	unsigned used = 0, widest = 0;

	memset(columns, 0, STEP_MAX * sizeof(*columns));
	if (!total)
		return;
	for (enum step step = STEP_NAME; step <= STEP_DOCUMENT; step++) {
		uint64_t took = page->took_ns[step] == DURATION_UNKNOWN ? 0 : page->took_ns[step];

		columns[step] = took * width / total ?: took > 0;
		used += columns[step];
		if (columns[step] > columns[widest])
			widest = step;
	}
	columns[widest] += width - used;
}

/* "|AAAAAABDDDDEEE|", and behind it the shares of what is not below one in a hundred. */
static void show_bar(const struct page *page)
{
	uint64_t total = total_of(page, STEP_DOCUMENT);
	unsigned columns[STEP_MAX];
	char text[PRINT_NUMBER_LEN];
	const char *separator = ":";

	show__shares(page, BAR_COLUMNS, columns);
	putchar('|');
	for (enum step step = STEP_NAME; step <= STEP_DOCUMENT; step++)
		for (unsigned i = 0; i < columns[step]; i++)
			putchar(step == STEP_TLS ? 'T' : page__step_letter(step));
	printf("|\ntotal %s", print_duration(text, total));
	for (enum step step = STEP_NAME; step <= STEP_DOCUMENT && total; step++) {
		unsigned share = page->took_ns[step] == DURATION_UNKNOWN ? 0 : page->took_ns[step] * 100 / total;

		if (!share)
			continue;
		printf("%s %s %u %%", separator, page__step_name(step), share);
		separator = ",";
	}
	putchar('\n');
}

void show__end(const struct page *page)
{
	if (page__is_fetched(page))
		show_bar(page);
	else
		printf("%snot fetched: %s: %s%s\n", print_red(), page__step_name(page->failed), page->because,
		       print_plain());
	fflush(stdout);
}
