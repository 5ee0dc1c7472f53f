// SPDX-License-Identifier: GPL-2.0-only
/*
 * synwarden fetch: a page from its name to the close of its connection: what each step did, how long it took, and,
 * where it fails, at which step and why.
 */
#include <arpa/inet.h>
#include <curl/curl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/options.h"
#include "fetch/connect.h"
#include "fetch/fetch.h"
#include "fetch/finish.h"
#include "fetch/observer.h"
#include "fetch/page.h"
#include "fetch/place.h"
#include "fetch/show.h"
#include "fetch/transfer.h"
#include "fetch/say.h"
#include "text/colour.h"
#include "text/log.h"

#define REDIRECTS_MAX 10
#define DAY	      86400

static const struct option_row rows[] = {
	{"connect-timeout", 0, OPTION_DURATION, 1, DAY, "S", offsetof(struct fetch_options, connect_ns),
	 .help = "for the name, and for each address", .fallback = "10s"},
	{"timeout", 0, OPTION_DURATION, 1, DAY, "S", offsetof(struct fetch_options, stall_ns),
	 .help = "give up when no byte has come for so long", .fallback = "30s"},
	{"to", 't', OPTION_TEXT, 0, 0, "ADDR", offsetof(struct fetch_options, to),
	 .help = "connect to this address, whatever the name's is"},
	{"ipv4", '4', OPTION_FLAG, 0, 0, NULL, offsetof(struct fetch_options, ipv4), .help = "IPv4 addresses alone"},
	{"ipv6", '6', OPTION_FLAG, 0, 0, NULL, offsetof(struct fetch_options, ipv6), .help = "IPv6 addresses alone"},
	{"head", 'I', OPTION_FLAG, 0, 0, NULL, offsetof(struct fetch_options, head), .help = "ask for the head alone"},
	{"location", 'L', OPTION_FLAG, 0, 0, NULL, offsetof(struct fetch_options, follow),
	 .help = "follow redirects, up to 10"},
	{"insecure", 'k', OPTION_FLAG, 0, 0, NULL, offsetof(struct fetch_options, insecure),
	 .help = "fetch whatever is wrong with the certificate"},
	{"ladder", 0, OPTION_FLAG, 0, 0, NULL, offsetof(struct fetch_options, ladder),
	 .help = "show the segments of each connection, too, as synwarden ladder does"},
	{"json", 'j', OPTION_FLAG, 0, 0, NULL, offsetof(struct fetch_options, json), .help = "one JSON object a page"},
};

static const struct option_table table = {
	.command = "fetch",
	.arguments = "URL",
	.summary = "Fetches a page, and says what each step of it did and how long it took: the name, the connection, "
		   "TLS, the request, the first byte, the document, the close. Where it fails, says at which step and "
		   "why. No proxy is used.",
	.examples = "  synwarden fetch https://example.org/\n"
		    "  synwarden fetch --to 192.0.2.10 https://example.org/\n",
	.rows = rows,
	.count = sizeof(rows) / sizeof(*rows),
	.min_arguments = 1,
	.max_arguments = 1,
};

static int family_of(const struct fetch_options *options)
{
	return options->ipv4 ? AF_INET : options->ipv6 ? AF_INET6 : AF_UNSPEC;
}

static int find_name(struct page *page)
{
	struct lookup_question question = {
		.host = page->options->to ?: page->place.host,
		.port = page->place.port,
		.family = family_of(page->options),
		.timeout_ns = page->options->connect_ns,
	};
	char words[SAY_LEN];

	page->lookup = lookup__find(&question);
	if (!page->lookup)
		return -1;
	if (!page->lookup->is_literal)
		page->took_ns[STEP_NAME] = page->lookup->took_ns;
	if (!page->lookup->count)
		page__fail(page, STEP_NAME, "%s", say__not_found(words, page));
	return 0;
}

static void show(const struct page *page, enum step first, enum step last)
{
	if (!page->options->json)
		show__steps(page, first, last);
}

static void show_missing(const struct page *page)
{
	if (*page->missing && !page->options->json)
		printf("%s# without %s: what this host drops is not seen, and states are inferred (~)%s\n", print_dim(),
		       page->missing, print_plain());
}

/* -1 after a message: the page cannot be shown. */
static int visit(struct page *page)
{
	if (!page->options->json)
		printf("%s# %s%s\n", print_dim(), page->place.url, print_plain());
	if (find_name(page))
		return -1;
	show(page, STEP_NAME, STEP_NAME);
	if (page__is_fetched(page)) {
		page->observer = observer__open(page);
		show_missing(page);
		connect__any(page);
		show(page, STEP_CONNECT, STEP_CONNECT);
	}
	if (page->fd >= 0) {
		transfer__run(page);
		show(page, STEP_TLS, STEP_DOCUMENT);
		finish__close(page);
		observer__states(page->observer, page->attempts[page->attempt_count - 1].cookie, page->states);
		show(page, STEP_CLOSE, STEP_CLOSE);
	}
	if (page->options->json)
		show__json(page);
	else
		show__end(page);
	if (page->options->ladder)
		observer__ladder(page->observer, page);
	return 0;
}

/* Takes the place over. The exit code; *next is set where a redirect is to be followed. */
static int fetch_page(const struct fetch_options *options, struct place *place, char **next)
{
	struct page page = {.options = options, .place = *place, .fd = -1, .length = -1, .failed = STEP_MAX};
	int ret = 1;

	*next = NULL;
	for (enum step step = 0; step < STEP_MAX; step++)
		page.took_ns[step] = DURATION_UNKNOWN;
	page.acked_ns = DURATION_UNKNOWN;
	if (!visit(&page)) {
		ret = page__is_fetched(&page) ? 0 : 1;
		if (options->follow && page.location)
			*next = strdup(page.location);
	}
	observer__close(page.observer);
	page__free(&page);
	return ret;
}

static int follow(const struct fetch_options *options, struct place *place)
{
	const char *why;
	char *next;
	int ret;

	for (unsigned redirects = 0;; redirects++) {
		ret = fetch_page(options, place, &next);
		if (ret || !next)
			break;
		if (redirects == REDIRECTS_MAX) {
			log_error("fetch: not followed: more than %u redirects, the next one to %s", REDIRECTS_MAX,
				  next);
			ret = 1;
			break;
		}
		if (place__parse(next, place, &why)) {
			log_error("fetch: not followed: redirect to \"%s\": %s", next, why);
			ret = 1;
			break;
		}
		free(next);
	}
	free(next);
	return ret;
}

static int check(const struct fetch_options *options)
{
	unsigned char addr[sizeof(struct in6_addr)];

	if (options->ipv4 && options->ipv6)
		return options__refuse(&table, "-4 and -6 exclude each other");
	if (options->to && inet_pton(AF_INET, options->to, addr) != 1 && inet_pton(AF_INET6, options->to, addr) != 1)
		return options__refuse(&table, "--to: \"%s\" is not an IPv4 or IPv6 address", options->to);
	return 0;
}

int fetch(int argc, char **argv)
{
	struct fetch_options options = {};
	int count = options__parse(&table, argc, argv, &options), ret;
	struct place place;
	const char *why;

	if (count < 0)
		return -count;
	if (check(&options))
		return EXIT_USAGE;
	if (place__parse(argv[1], &place, &why))
		return -options__refuse(&table, "\"%s\" is no URL that can be fetched: %s", argv[1], why);
	signal(SIGPIPE, SIG_IGN);
	print_colour_init(stdout);
	if (curl_global_init(CURL_GLOBAL_DEFAULT)) {
		log_error("fetch: libcurl does not start");
		return 1;
	}
	ret = follow(&options, &place);
	curl_global_cleanup();
	return ret;
}
