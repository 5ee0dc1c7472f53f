/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Module fetch takes a page from its name to its end, step by step, and says what each step did. It is linked into
 * synwarden-net alone. It may include what cmd may.
 *
 * A page as it was fetched: what each step found, how long it took, and where it failed. Times are CLOCK_MONOTONIC.
 */
#ifndef SYNWARDEN_FETCH_PAGE_H
#define SYNWARDEN_FETCH_PAGE_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fetch/lookup.h"
#include "types.h"

/* X(ENUM, letter, name): in the order in which they are done */
#define STEPS(X)                                                                                                       \
	X(NAME, 'A', "name")                                                                                           \
	X(CONNECT, 'B', "connect")                                                                                     \
	X(TLS, ' ', "tls")                                                                                             \
	X(REQUEST, 'C', "request")                                                                                     \
	X(FIRST_BYTE, 'D', "first byte")                                                                               \
	X(DOCUMENT, 'E', "document")                                                                                   \
	X(CLOSE, 'F', "close")

enum step {
#define STEP_ENUM(name, ...) STEP_##name,
	STEPS(STEP_ENUM) STEP_MAX
};

struct fetch_options {
	uint64_t connect_ns; /* for the name, and for each address */
	uint64_t stall_ns;   /* how long no byte may come */
	const char *to;
	bool ipv4, ipv6;
	bool head;
	bool insecure;
	bool ladder;
	bool follow;
	bool json;
};

/* Where a URL leads. */
struct place {
	char *url;
	char *host; /* without the brackets of an IPv6 address */
	uint16_t port;
	bool is_tls;
};

#define ATTEMPT_SYNS 16

/* What the kernel's programs saw of an attempt, see observer.h. */
struct attempt_seen {
	bool is_known; /* false: they did not run */
	unsigned syns; /* that left this host, and when, from began_ns on */
	uint64_t syn_ns[ATTEMPT_SYNS];
	unsigned dropped_out, dropped_in; /* segments that the kernel dropped here; the reason of the last one */
	uint32_t drop_reason;
	unsigned filtered; /* dropped by the filter of a `run` here; the reason (enum reason) of the last one */
	uint16_t filter_reason;
};

/* A connection that was tried. */
struct attempt {
	struct sockaddr_storage to;
	struct addr laddr, raddr;
	uint16_t lport, rport;
	uint64_t cookie;
	uint64_t began_ns, took_ns;
	uint64_t rtt_ns; /* of SYN and SYN-ACK, as the kernel has it; DURATION_UNKNOWN where a SYN was sent again */
	int error;	 /* errno; 0: connected */
	struct addr offender;		 /* what sent the ICMP error; all zero: none came */
	unsigned again;			 /* SYNs that were sent again */
	uint64_t again_ns[ATTEMPT_SYNS]; /* when, from began_ns on: at most so late */
	struct attempt_seen seen;
};

#define CERTIFICATE_TEXT 256

struct tls_seen {
	char version[32], cipher[64], alpn[16];
	char subject[CERTIFICATE_TEXT], issuer[CERTIFICATE_TEXT];
	char names[CERTIFICATE_TEXT]; /* those that the certificate is valid for */
	int64_t not_after;	      /* seconds since the epoch; 0: no certificate was seen */
	char wrong[CERTIFICATE_TEXT]; /* "" where nothing is */
};

/* Who sent the first FIN. */
enum ended {
	ENDED_UNKNOWN,
	ENDED_BY_US,
	ENDED_BY_SERVER,
	ENDED_BY_RESET,
};

struct page {
	const struct fetch_options *options;
	struct place place;
	struct lookup *lookup;
	struct attempt *attempts;
	size_t attempt_count;
	struct observer *observer;  /* NULL: none runs */
	char missing[128];	    /* the capabilities that one would need; "" for none */
	int fd;			    /* of the connection; -1: none */
	uint64_t took_ns[STEP_MAX]; /* DURATION_UNKNOWN: the step was not done */
	struct tls_seen tls;
	uint64_t acked_ns;	  /* from the request's last segment to its acknowledgement; DURATION_UNKNOWN */
	uint64_t segments;	  /* of the answer; 0: unknown */
	struct attempt_seen seen; /* since the connection was established, where the transfer failed */
	uint64_t request_bytes, head_bytes, body_bytes;
	int64_t length; /* as the head has it; -1: unknown */
	long status;	/* 0: no answer */
	char head[128]; /* the status line, or the first bytes of what is none */
	char *location; /* where a redirect leads, absolute; NULL: none */
	enum ended ended;
	char states[128];  /* of the close, as the kernel has them; "" unless they were seen */
	bool has_peer_fin; /* the server's FIN came while it was waited for */
	enum step failed;  /* STEP_MAX: fetched */
	char because[512]; /* and why not */
};

static inline bool page__is_fetched(const struct page *page)
{
	return page->failed == STEP_MAX;
}

const char *page__step_name(enum step step);
char page__step_letter(enum step step);

/* Notes where and why the page was not fetched; the first reason stays. Returns -1. */
int page__fail(struct page *page, enum step step, const char *format, ...) __attribute__((format(printf, 3, 4)));

void page__free(struct page *page);

#endif
