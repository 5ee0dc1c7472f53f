// SPDX-License-Identifier: GPL-2.0-only
/*
 * Of `fetch`: nsswitch.conf, DNS messages, URLs, sentences that a network does not easily bring about, the bar.
 *
 * test: fetch no-kernels
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "fetch/dns_watch.h"
#include "fetch/nsswitch.h"
#include "fetch/place.h"
#include "fetch/show.h"
#include "fetch/say.h"
#include "fetch/traffic.h"
#include "text/address.h"

#define COUNT_OF(array) (sizeof(array) / sizeof(*(array)))

/* "files dns[SN]": in brackets, after which results no other service is asked. */
static void describe(const struct nsswitch *services, char text[256])
{
	size_t used = 0;

	*text = '\0';
	for (unsigned i = 0; i < services->count; i++) {
		used += snprintf(text + used, 256 - used, "%s%s[", i ? " " : "", services->services[i].name);
		for (unsigned status = 0; status < NSSWITCH_STATUSES; status++)
			if (services->services[i].ends[status])
				text[used++] = "SNUT"[status];
		used += snprintf(text + used, 256 - used, "]");
	}
}

static void nsswitch(void **state)
{
	static const struct {
		const char *file, *services;
	} files[] = {
		{"passwd: files\nhosts: files dns\n", "files[S] dns[S]"},
		{"hosts:files\n", "files[S]"},
		{"  hosts:\tfiles # dns\n", "files[S]"},
		{"hosts: files mdns4_minimal [NOTFOUND=return] dns", "files[S] mdns4_minimal[SN] dns[S]"},
		{"hosts: resolve [!UNAVAIL=return] files", "resolve[SNT] files[S]"},
		{"hosts: files[success=continue notfound=return]dns", "files[N] dns[S]"},
		{"hosts: a [TRYAGAIN=continue UNAVAIL=return]", "a[SU]"},
		{"# hosts: files\n", "dns[SNT] files[S]"},
		{"", "dns[SNT] files[S]"},
		{"hosts:\n", ""},
		{"hosts: [NOTFOUND=return] files [", "files[S]"},
		{"hosts: a b c d e f g h i j", "a[S] b[S] c[S] d[S] e[S] f[S] g[S] h[S]"},
		{"hosts: a-name-that-is-longer-than-any-module-has files", "files[S]"},
	};
	struct nsswitch services;
	char text[256];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(files); i++) {
		nsswitch__parse(files[i].file, &services);
		describe(&services, text);
		assert_string_equal(text, files[i].services);
	}
}

#define QUESTION    "\4site\4test\0\0\1\0\1"
#define ANSWER	    "\xc0\x0c\0\1\0\1\0\0\1\x2c\0\4\x0a\x63\0\1"
#define ALIAS	    "\xc0\x0c\0\5\0\1\0\0\0\x3c\0\2\xc0\x0c"
#define FLAGS	    "\x12\x34\x81\x80"
#define BYTES(text) (const uint8_t *)(text), sizeof(text) - 1

static void dns(void **state)
{
	static const struct {
		const uint8_t *message;
		size_t len;
		const char *host;
		bool is_answer;
		int ttl; /* -1: none */
		unsigned code;
	} messages[] = {
		{BYTES(FLAGS "\0\1\0\1\0\0\0\0" QUESTION ANSWER), "site.test", true, 300, 0},
		{BYTES(FLAGS "\0\1\0\1\0\0\0\0" QUESTION ANSWER), "SITE.test.", true, 300, 0},
		{BYTES(FLAGS "\0\1\0\1\0\0\0\0" QUESTION ANSWER), "site", true, 300, 0},
		{BYTES(FLAGS "\0\1\0\1\0\0\0\0" QUESTION ANSWER), "sit", false, -1, 0},
		{BYTES(FLAGS "\0\1\0\1\0\0\0\0" QUESTION ANSWER), "site.tes", false, -1, 0},
		{BYTES(FLAGS "\0\1\0\2\0\0\0\0" QUESTION ALIAS ANSWER), "site.test", true, 300, 0},
		{BYTES("\x12\x34\x81\x83\0\1\0\0\0\0\0\0" QUESTION), "site.test", true, -1, 3},
		{BYTES("\x12\x34\x01\0\0\1\0\0\0\0\0\0" QUESTION), "site.test", false, -1, 0},
		{BYTES(FLAGS "\0\2\0\1\0\0\0\0" QUESTION ANSWER), "site.test", false, -1, 0},
		{BYTES(FLAGS "\0\1\0\1\0\0\0\0\xc0\x0c\0\1\0\1" ANSWER), "site.test", false, -1, 0},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(messages); i++) {
		struct dns_answer answer = {};

		assert_int_equal(dns_watch__parse(messages[i].message, messages[i].len, messages[i].host, &answer),
				 messages[i].is_answer);
		assert_int_equal(answer.has_ttl ? (int)answer.ttl : -1, messages[i].ttl);
		assert_int_equal(answer.code, messages[i].code);
	}
}

/* A message that is cut anywhere, or changed anywhere, is read no further than it goes: for the sanitizers. */
static void dns_damaged(void **state)
{
	static const char whole[] = FLAGS "\0\1\0\2\0\0\0\0" QUESTION ALIAS ANSWER;
	struct dns_answer answer;
	uint8_t message[sizeof(whole)];

	(void)state;
	for (size_t len = 0; len < sizeof(whole); len++) {
		uint8_t part[len + 1];

		memcpy(part, whole, len);
		answer = (struct dns_answer){};
		dns_watch__parse(part, len, "site.test", &answer);
		assert_true(len == sizeof(whole) - 1 || !answer.has_ttl);
	}
	for (size_t at = 0; at < sizeof(whole); at++)
		for (unsigned byte = 0; byte < 256; byte++) {
			memcpy(message, whole, sizeof(whole));
			message[at] = byte;
			dns_watch__parse(message, sizeof(whole) - 1, "site.test", &answer);
		}
}

static void places(void **state)
{
	static const struct {
		const char *url, *normal, *host;
		unsigned port;
		bool is_tls;
	} urls[] = {
		{"example.org", "http://example.org/", "example.org", 80, false},
		{"http://Example.org:8080/a?b", "http://Example.org:8080/a?b", "Example.org", 8080, false},
		{"https://example.org/", "https://example.org/", "example.org", 443, true},
		{"http://[2001:db8::1]/", "http://[2001:db8::1]/", "2001:db8::1", 80, false},
		{"ftp://example.org/", NULL, NULL, 0, false},
		{"http://", NULL, NULL, 0, false},
		{"http://example.org:99999/", NULL, NULL, 0, false},
		{"", NULL, NULL, 0, false},
	};
	struct place place;
	const char *why;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(urls); i++) {
		why = NULL;
		assert_int_equal(place__parse(urls[i].url, &place, &why), urls[i].host ? 0 : -1);
		assert_true(urls[i].host || (why && *why));
		if (!urls[i].host)
			continue;
		assert_string_equal(place.url, urls[i].normal);
		assert_string_equal(place.host, urls[i].host);
		assert_int_equal(place.port, urls[i].port);
		assert_int_equal(place.is_tls, urls[i].is_tls);
		place__free(&place);
	}
}

static void attempts(void **state)
{
	static const struct {
		struct attempt attempt;
		const char *words;
	} ends[] = {
		{{.lport = 40000, .rport = 80, .rtt_ns = 32000}, "40000 -> 80; SYN to SYN-ACK 32 us, none sent again"},
		{{.lport = 40000, .rport = 80, .rtt_ns = DURATION_UNKNOWN, .again = 1},
		 "40000 -> 80; SYN to SYN-ACK unknown, the SYN was sent again 1 time"},
		{{.error = ETIMEDOUT, .took_ns = 900000000}, "no answer to a SYN in 900 ms"},
		{{.error = ETIMEDOUT, .took_ns = 4000000000, .again = 3}, "no answer to 4 SYNs in 4.00 s"},
		{{.error = ETIMEDOUT, .took_ns = 4000000000, .again = 1, .seen = {.is_known = true, .syns = 2}},
		 "no answer to 2 SYNs in 4.00 s: none came in, and none was dropped here"},
		{{.error = ETIMEDOUT,
		  .took_ns = 4000000000,
		  .again = 1,
		  .raddr.bytes = {[10] = 0xff, 0xff, 192, 0, 2, 1},
		  .seen = {.is_known = true, .filtered = 1, .filter_reason = REASON_SOURCE_LIMIT}},
		 "no answer that TCP got to see, to 2 SYNs in 4.00 s: 1 came in and was dropped by this host's own "
		 "filter (source_limit); see: synwarden why 192.0.2.1"},
		{{.error = EADDRNOTAVAIL}, "cannot connect: Cannot assign requested address"},
	};
	char words[SAY_LEN];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(ends); i++)
		assert_string_equal(say__attempt(words, &ends[i].attempt), ends[i].words);
}

static void interruptions(void **state)
{
	const struct fetch_options options = {.stall_ns = 5000000000};
	struct attempt attempt = {.raddr = {.bytes = {[10] = 0xff, 0xff, 192, 0, 2, 1}}};
	struct page page = {
		.options = &options, .length = -1, .body_bytes = 7, .attempts = &attempt, .attempt_count = 1};
	char words[SAY_LEN];

	(void)state;
	assert_string_equal(say__interrupted(words, &page, STEP_FIRST_BYTE, INTERRUPTED_BY_SILENCE, 1),
			    "time-out: the server has not acknowledged the request for 5.00 s");
	page.seen.filtered = 2;
	page.seen.filter_reason = REASON_SOURCE_LIMIT;
	assert_string_equal(
		say__interrupted(words, &page, STEP_FIRST_BYTE, INTERRUPTED_BY_SILENCE, 0),
		"time-out: no answer for 5.00 s to a request that the server acknowledged; of its segments 2 "
		"came in and were dropped by this host's own filter (source_limit); see: synwarden why "
		"192.0.2.1");
	assert_string_equal(say__interrupted(words, &page, STEP_DOCUMENT, INTERRUPTED_BY_CLOSE, 0),
			    "closed by the server after 7 bytes");
	assert_string_equal(say__interrupted(words, &page, STEP_REQUEST, INTERRUPTED_BY_RESET, 0),
			    "reset by the server before the request was sent");
}

/* Between 192.0.2.9:40000 and 192.0.2.1:80, at the microsecond `at`. */
struct passing {
	uint64_t at;
	int to; /* as traffic__direction() has it; 0: of another connection */
	uint32_t seq, ack, len, segs, ifindex;
};

#define PASSING(direction, time, seq_, ack_, len_, ...)                                                                \
	{                                                                                                              \
		.at = (time), .to = (direction), .seq = (seq_), .ack = (ack_), .len = (len_), __VA_ARGS__              \
	}
#define OUT(...)   PASSING(1, __VA_ARGS__)
#define IN(...)	   PASSING(-1, __VA_ARGS__)
#define OTHER(...) PASSING(0, __VA_ARGS__)

static struct segment segment_of(const struct passing *passing)
{
	static const struct addr here = {.bytes = {[10] = 0xff, 0xff, 192, 0, 2, 9}},
				 there = {.bytes = {[10] = 0xff, 0xff, 192, 0, 2, 1}};
	bool out = passing->to > 0;

	return (struct segment){
		.time_ns = passing->at * 1000,
		.src = out ? here : there,
		.dst = out ? there : here,
		.sport = out ? 40000 : 80 + !passing->to,
		.dport = out ? 80 : 40000,
		.ifindex = passing->ifindex ?: 2,
		.seq = passing->seq,
		.ack = passing->ack,
		.len = passing->len,
		.segs = passing->segs ?: 1,
		.flags = SEGMENT_ACK | (passing->len ? SEGMENT_PSH : 0),
		.kind = out ? SEGMENT_SENT : SEGMENT_ARRIVED,
	};
}

/* A request is asked at 100. */
static void traffics(void **state)
{
	static const struct {
		struct passing passing[8];
		uint64_t acked_us, segments; /* 0: not seen */
	} cases[] = {
		{{OUT(110, 1, 1, 50), IN(140, 1, 51, 0), IN(200, 1, 51, 9), IN(210, 10, 51, 5)}, 30, 2},
		{{OUT(110, 1, 1, 50), IN(150, 1, 51, 2896, .segs = 2)}, 40, 2},
		/* in two segments, the first of which is acknowledged before the second is sent */
		{{OUT(110, 1, 1, 50), IN(140, 1, 51, 0), OUT(150, 51, 1, 20), IN(160, 1, 51, 0), IN(190, 1, 71, 7)},
		 40,
		 1},
		/* sent again, and seen on two devices */
		{{OUT(110, 1, 1, 50), OUT(111, 1, 1, 50, .ifindex = 3), OUT(310, 1, 1, 50),
		  IN(340, 1, 51, 9, .ifindex = 3), IN(341, 1, 51, 9)},
		 230,
		 1},
		/* sequence numbers wrap */
		{{OUT(110, 0xfffffff0, 1, 50), IN(120, 1, 0xfffffff5, 0), IN(130, 1, 0x22, 9)}, 20, 1},
		/* nothing that is no answer to it: before it was asked, before it was sent, of another connection */
		{{OUT(90, 1, 1, 50), IN(95, 1, 51, 9), IN(105, 10, 51, 9), OUT(110, 51, 19, 5), OTHER(120, 1, 56, 9),
		  IN(130, 19, 51, 9)},
		 0,
		 0},
		/* what is sent behind the answer is no part of the request */
		{{OUT(110, 1, 1, 50), IN(120, 1, 51, 9), OUT(130, 51, 10, 6), IN(140, 10, 57, 9)}, 10, 2},
	};
	struct attempt attempt = {.lport = 40000, .rport = 80, .raddr = {.bytes = {[10] = 0xff, 0xff, 192, 0, 2, 1}}};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct traffic traffic = {.attempt = &attempt, .asked_ns = 100000};

		for (size_t j = 0; j < COUNT_OF(cases[i].passing) && cases[i].passing[j].at; j++) {
			struct segment segment = segment_of(&cases[i].passing[j]);

			traffic__take(&traffic, &segment);
		}
		assert_int_equal(traffic.acked_ns ? traffic.acked_ns - traffic.request_ns : 0,
				 cases[i].acked_us * 1000);
		assert_int_equal(traffic.segments, cases[i].segments);
	}
}

static void first_reason_stays(void **state)
{
	struct page page = {.failed = STEP_MAX};

	(void)state;
	assert_true(page__is_fetched(&page));
	assert_int_equal(page__fail(&page, STEP_CONNECT, "%s", "first"), -1);
	page__fail(&page, STEP_CLOSE, "second");
	assert_int_equal(page.failed, STEP_CONNECT);
	assert_string_equal(page.because, "first");
}

/* Each step that took any time is in the bar, which is as wide as it should be. */
static void shares(void **state)
{
	static const uint64_t times[][STEP_MAX] = {
		{1, 1, DURATION_UNKNOWN, 1, 1, 1, 500},
		{1000000, 1, 1, 1, 1, 1, 1},
		{DURATION_UNKNOWN, 10, DURATION_UNKNOWN, 0, 20, 30, 1},
		{1, 2, 3, 4, 5, 1000000000000, DURATION_UNKNOWN},
	};
	unsigned columns[STEP_MAX], sum;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(times); i++) {
		struct page page = {};

		memcpy(page.took_ns, times[i], sizeof(page.took_ns));
		show__shares(&page, 60, columns);
		sum = 0;
		for (enum step step = STEP_NAME; step <= STEP_DOCUMENT; step++) {
			assert_int_equal(columns[step] > 0, times[i][step] != DURATION_UNKNOWN && times[i][step]);
			sum += columns[step];
		}
		assert_int_equal(sum, 60);
		assert_int_equal(columns[STEP_CLOSE], 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nsswitch),	      cmocka_unit_test(dns),
		cmocka_unit_test(dns_damaged),	      cmocka_unit_test(places),
		cmocka_unit_test(attempts),	      cmocka_unit_test(interruptions),
		cmocka_unit_test(first_reason_stays), cmocka_unit_test(shares),
		cmocka_unit_test(traffics),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
