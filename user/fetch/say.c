// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "fetch/say.h"
#include "text/address.h"
#include "text/print.h"

static bool is_known(const struct addr *addr)
{
	static const struct addr none;

	return memcmp(addr, &none, sizeof(none)) != 0;
}

static void say_connected(char words[SAY_LEN], const struct attempt *attempt)
{
	char rtt[PRINT_NUMBER_LEN], again[64] = "none sent again";

	if (attempt->again)
		snprintf(again, sizeof(again), "the SYN was sent again %u time%s", attempt->again,
			 attempt->again == 1 ? "" : "s");
	snprintf(words, SAY_LEN, "%u -> %u; SYN to SYN-ACK %s, %s", attempt->lport, attempt->rport,
		 attempt->rtt_ns == DURATION_UNKNOWN ? "unknown" : print_duration(rtt, attempt->rtt_ns), again);
}

static void say_refused(char words[SAY_LEN], const struct attempt *attempt)
{
	char by[PRINT_ADDR_LEN];

	if (is_known(&attempt->offender))
		snprintf(words, SAY_LEN, "refused: %s says so by ICMP, as a firewall does that rejects",
			 print_addr(by, &attempt->offender));
	else
		snprintf(words, SAY_LEN, "refused: a RST came back, nothing listens on port %u there", attempt->rport);
}

static void say_unreachable(char words[SAY_LEN], const struct attempt *attempt)
{
	char by[PRINT_ADDR_LEN], to[PRINT_ADDR_LEN];

	print_addr(to, &attempt->raddr);
	if (!is_known(&attempt->offender))
		snprintf(words, SAY_LEN, "unreachable: this host has no route there; see: ip route get %s", to);
	else if (!memcmp(&attempt->offender, &attempt->laddr, sizeof(attempt->laddr)))
		snprintf(words, SAY_LEN,
			 "unreachable: no host on this link has the address (no answer to %s); see: ip neigh show %s",
			 print_is_v4(&attempt->raddr) ? "ARP" : "neighbour discovery", to);
	else
		snprintf(words, SAY_LEN, "unreachable: %s says so by ICMP", print_addr(by, &attempt->offender));
}

static void say_no_answer(char words[SAY_LEN], const struct attempt *attempt)
{
	char took[PRINT_NUMBER_LEN], to[32] = "a SYN", dropped[SAY_LEN];
	const struct attempt_seen *seen = &attempt->seen;

	print_duration(took, attempt->took_ns);
	if (attempt->again)
		snprintf(to, sizeof(to), "%u SYNs", attempt->again + 1);
	say__dropped(dropped, attempt, seen);
	if (*dropped && !seen->filtered && !seen->dropped_in)
		snprintf(words, SAY_LEN, "no SYN left this host in %s: %.320s", took, dropped);
	else if (*dropped)
		snprintf(words, SAY_LEN, "no answer that TCP got to see, to %s in %s: %.320s", to, took, dropped);
	else
		snprintf(words, SAY_LEN, "no answer to %s in %s%s", to, took,
			 seen->is_known ? ": none came in, and none was dropped here" : "");
}

const char *say__attempt(char words[SAY_LEN], const struct attempt *attempt)
{
	char to[PRINT_ADDR_LEN];

	switch (attempt->error) {
	case 0:
		say_connected(words, attempt);
		break;
	case ECONNREFUSED:
		say_refused(words, attempt);
		break;
	case EHOSTUNREACH:
	case ENETUNREACH:
		say_unreachable(words, attempt);
		break;
	case ETIMEDOUT:
		say_no_answer(words, attempt);
		break;
	case EPERM:
	case EACCES:
		snprintf(words, SAY_LEN,
			 "forbidden on this host, by a rule of its firewall, a route or a cgroup; see: nft list "
			 "ruleset; ip route get %s",
			 print_addr(to, &attempt->raddr));
		break;
	case EINVAL:
		snprintf(words, SAY_LEN, "a blackhole route of this host leads there; see: ip route get %s",
			 print_addr(to, &attempt->raddr));
		break;
	default:
		snprintf(words, SAY_LEN, "cannot connect: %s", strerror(attempt->error));
	}
	return words;
}

/* "answered by 192.0.2.53, TTL 300"; without the rights to see it, which ones it may have been. */
static void say_name_server(char words[SAY_LEN], const struct lookup *lookup)
{
	char by[PRINT_ADDR_LEN], ttl[24] = "";

	if (lookup->answer.has_ttl)
		snprintf(ttl, sizeof(ttl), ", TTL %" PRIu32, lookup->answer.ttl);
	if (lookup->answer.is_seen)
		snprintf(words, SAY_LEN, "answered by %s%s", print_addr(by, &lookup->answer.server), ttl);
	else if (*lookup->name_servers)
		snprintf(words, SAY_LEN, "answered by one of %s", lookup->name_servers);
	else
		*words = '\0';
}

static void say_no_name(char words[SAY_LEN], const struct lookup *lookup)
{
	char by[PRINT_ADDR_LEN];

	if (lookup->answer.is_seen && lookup->answer.code)
		snprintf(words, SAY_LEN, "%s answered %s", print_addr(by, &lookup->answer.server),
			 dns_watch__code(lookup->answer.code));
	else
		snprintf(words, SAY_LEN, "no answer from %s",
			 *lookup->name_servers ? lookup->name_servers : "a name server");
}

static bool is_dns(const struct lookup *lookup, unsigned service)
{
	return !strcmp(lookup->services.services[service].name, "dns");
}

const char *say__service(char words[SAY_LEN], const struct lookup *lookup, unsigned service)
{
	switch (lookup->results[service].result) {
	case LOOKUP_FOUND:
		*words = '\0';
		if (is_dns(lookup, service) || lookup->answer.is_seen)
			say_name_server(words, lookup);
		break;
	case LOOKUP_NOT_KNOWN:
		snprintf(words, SAY_LEN, "not known");
		break;
	case LOOKUP_NO_ANSWER:
	case LOOKUP_WAITING:
		if (is_dns(lookup, service))
			say_no_name(words, lookup);
		else
			snprintf(words, SAY_LEN, "no answer");
		break;
	case LOOKUP_FAILED:
		snprintf(words, SAY_LEN, "failed: %s", lookup->results[service].why);
		break;
	default:
		*words = '\0';
	}
	return words;
}

/* An address of the other family is as if there were none. */
static const char *family_text(const struct fetch_options *options)
{
	return options->ipv4 ? "IPv4 address of " : options->ipv6 ? "IPv6 address of " : "";
}

const char *say__not_found(char words[SAY_LEN], const struct page *page)
{
	const struct lookup *lookup = page->lookup;
	char by[PRINT_ADDR_LEN], because[SAY_LEN], took[PRINT_NUMBER_LEN];
	unsigned last = lookup__last(lookup);
	const char *family = family_text(page->options);

	if (lookup->results[last].result == LOOKUP_NOT_KNOWN && lookup->answer.is_seen)
		snprintf(words, SAY_LEN, "name unknown: no service knows an %s%s; %s answered %s",
			 *family ? family : "address of ", page->place.host, print_addr(by, &lookup->answer.server),
			 dns_watch__code(lookup->answer.code));
	else if (lookup->results[last].result == LOOKUP_NOT_KNOWN)
		snprintf(words, SAY_LEN, "name unknown: no service of nsswitch.conf knows an %s%s",
			 *family ? family : "address of ", page->place.host);
	else
		snprintf(words, SAY_LEN, "name not resolved: %s: %s in %s", lookup->services.services[last].name,
			 say__service(because, lookup, last), print_duration(took, page->took_ns[STEP_NAME]));
	return words;
}

static const char *by_text(enum interruption why)
{
	return why == INTERRUPTED_BY_RESET ? "reset by the server" : "closed by the server";
}

/* "3 of 100 bytes", "3 bytes" */
static void say_bytes(char text[64], const struct page *page)
{
	if (page->length >= 0)
		snprintf(text, 64, "%" PRIu64 " of %" PRId64 " bytes", page->body_bytes, page->length);
	else
		snprintf(text, 64, "%" PRIu64 " bytes", page->body_bytes);
}

static void say_silence(char words[SAY_LEN], const struct page *page, enum step step, unsigned unacked)
{
	char time[PRINT_NUMBER_LEN], bytes[64];

	print_duration(time, page->options->stall_ns);
	say_bytes(bytes, page);
	if (step == STEP_TLS)
		snprintf(words, SAY_LEN, "time-out: the TLS handshake has stopped for %s", time);
	else if (step == STEP_DOCUMENT)
		snprintf(words, SAY_LEN, "time-out: no byte for %s, after %s", time, bytes);
	else if (unacked)
		snprintf(words, SAY_LEN, "time-out: the server has not acknowledged the request for %s", time);
	else
		snprintf(words, SAY_LEN, "time-out: no answer for %s to a request that the server acknowledged", time);
}

/* What was dropped here, behind what is said of a silence. */
static void add_drops(char words[SAY_LEN], const struct page *page)
{
	size_t used = strlen(words);
	char dropped[SAY_LEN];

	if (!page->attempt_count)
		return;
	say__dropped(dropped, &page->attempts[page->attempt_count - 1], &page->seen);
	if (*dropped)
		snprintf(words + used, SAY_LEN - used, "; of its segments %.400s", dropped);
}

const char *say__interrupted(char words[SAY_LEN], const struct page *page, enum step step, enum interruption why,
			     unsigned unacked)
{
	char bytes[64];

	say_bytes(bytes, page);
	if (why == INTERRUPTED_BY_SILENCE) {
		say_silence(words, page, step, unacked);
		add_drops(words, page);
	} else if (step == STEP_TLS) {
		snprintf(words, SAY_LEN, "%s in the TLS handshake", by_text(why));
	} else if (step == STEP_REQUEST) {
		snprintf(words, SAY_LEN, "%s before the request was sent", by_text(why));
	} else if (step == STEP_DOCUMENT) {
		snprintf(words, SAY_LEN, "%s after %s", by_text(why), bytes);
	} else if (why == INTERRUPTED_BY_RESET) {
		snprintf(words, SAY_LEN, "reset by the server after the request, before any answer");
	} else {
		snprintf(words, SAY_LEN, "closed by the server without an answer");
	}
	return words;
}

const char *say__closed(char words[SAY_LEN], const struct page *page)
{
	const char *states = page->states;

	if (page->ended == ENDED_BY_RESET)
		snprintf(words, SAY_LEN, "reset by the server");
	else if (page->ended == ENDED_BY_SERVER)
		snprintf(words, SAY_LEN, "by the server: %s", *states ? states : "~CLOSE_WAIT > LAST_ACK > CLOSE");
	else if (page->has_peer_fin)
		snprintf(words, SAY_LEN, "by us: %s", *states ? states : "~FIN_WAIT1 > FIN_WAIT2 > TIME_WAIT");
	else
		snprintf(words, SAY_LEN, "by us: the server has not closed its end in a second");
	return words;
}
