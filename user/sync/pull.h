/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One request by HTTP, beside others, as libcurl makes it. The answer's body is handed over as it comes; a request is
 * never a HEAD, which LAPI 1.4 counts as read.
 */
#ifndef SYNWARDEN_SYNC_PULL_H
#define SYNWARDEN_SYNC_PULL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <curl/curl.h>

#include "config/sync_options.h"
#include "types.h"

#define PULL_WHY_LEN 256
#define PULL_TAG_LEN 160

enum pull_end {
	PULL_WHOLE,  /* the answer came whole; `status` says what it is */
	PULL_UNSENT, /* the request was not sent: the server knows nothing of it */
	PULL_BROKEN, /* it was, and its answer broke off, or was refused half-read */
};

struct pull_request {
	const struct sync_source *source;
	const char *url;
	const char *key;      /* the LAPI's; NULL: none */
	const char *etag;     /* of the copy that is there; "": none */
	const char *modified; /* its time, the same */
	long most_s;	      /* that it may take; 0: as long as bytes come */
	/* Takes bytes of a body with status 200; other than 0: no more of it is wanted. */
	int (*take)(void *context, const void *bytes, size_t len);
	void *context;
};

struct pull {
	struct pull_request request;
	CURL *easy;
	struct curl_slist *headers;
	char error[CURL_ERROR_SIZE];
	uint64_t asked_ns; /* when the request was sent, or begun */
	unsigned sent;	   /* how often: libcurl asks again where a connection that it kept has gone */
	/* Once it has ended: */
	enum pull_end end;
	long status; /* of HTTP; 0: there was no answer */
	uint64_t took_ns;
	uint64_t wait_ns;   /* for which the answer holds: Cache-Control */
	uint64_t retry_ns;  /* after which a server that refused may be asked again: Retry-After */
	bool is_direct;	    /* without a redirect */
	struct addr server; /* all zero: unknown */
	char etag[PULL_TAG_LEN], modified[PULL_TAG_LEN];
	char why[PULL_WHY_LEN]; /* what failed; "": nothing */
};

/* 0: it runs in `multi`, which hands out `pull` as its handle's CURLINFO_PRIVATE. -1 without memory. */
int pull__begin(struct pull *pull, CURLM *multi, const struct pull_request *request);
void pull__end(struct pull *pull, CURLM *multi, CURLcode code);
/* Ends one that runs, without a result. */
void pull__cancel(struct pull *pull, CURLM *multi);

#endif
