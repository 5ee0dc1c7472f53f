// SPDX-License-Identifier: GPL-2.0-only
/*
 * A full answer may queue behind those of other hosts for minutes: the time that it may take has no limit as long as
 * bytes come.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "config/cidr.h"
#include "sync/pull.h"
#include "system/clock.h"
#include "text/clean.h"

#define CONNECT_S   5L
#define STALL_S	    120L
#define STALL_BYTES 100L /* a second; less is a stall */
#define REDIRECTS   5L
#define WAIT_MAX_S  86400
#define RETRY_MAX_S 600 /* of a LAPI */
#define HTTP_OK	    200
#define KEEP_IDLE_S 300L /* a proxy may have closed a connection that waits longer */

static size_t on_body(char *bytes, size_t size, size_t count, void *context)
{
	struct pull *pull = context;
	size_t len = size * count;
	long status = 0;

	curl_easy_getinfo(pull->easy, CURLINFO_RESPONSE_CODE, &status);
	if (status != HTTP_OK)
		return len; /* a page that says what is wrong */
	return pull->request.take(pull->request.context, bytes, len) ? 0 : len;
}

/* The value of the header, without blanks around it; false: `line` is another one. */
static bool is_header(const char *line, size_t len, const char *name, char *value, size_t size)
{
	size_t name_len = strlen(name);

	if (len <= name_len || strncasecmp(line, name, name_len) != 0 || line[name_len] != ':')
		return false;
	line += name_len + 1;
	len -= name_len + 1;
	for (; len && strchr(" \t", *line); len--)
		line++;
	while (len && strchr(" \t\r\n", line[len - 1]))
		len--;
	if (len >= size)
		len = 0; /* cut, it would be another one */
	memcpy(value, line, len);
	value[len] = '\0';
	print_clean(value);
	return true;
}

/* Of a redirect, nothing counts. */
static void forget_headers(struct pull *pull)
{
	*pull->etag = *pull->modified = '\0';
	pull->wait_ns = 0;
}

static uint64_t seconds(unsigned long wanted, unsigned long most)
{
	return (wanted < most ? wanted : most) * NS_PER_S;
}

static size_t on_header(char *line, size_t size, size_t count, void *context)
{
	struct pull *pull = context;
	size_t len = size * count;
	char value[PULL_TAG_LEN];
	const char *age;

	if (len > 5 && !memcmp(line, "HTTP/", 5))
		forget_headers(pull);
	else if (is_header(line, len, "etag", value, sizeof(value)))
		strcpy(pull->etag, value);
	else if (is_header(line, len, "last-modified", value, sizeof(value)))
		strcpy(pull->modified, value);
	else if (is_header(line, len, "cache-control", value, sizeof(value)) && (age = strstr(value, "max-age=")))
		pull->wait_ns = seconds(strtoul(age + strlen("max-age="), NULL, 10), WAIT_MAX_S);
	return len;
}

/* From here on, the server may count the answer as read. */
static int on_ready(void *context, char *server, char *local, int server_port, int local_port)
{
	struct pull *pull = context;

	(void)server, (void)local, (void)server_port, (void)local_port;
	pull->sent++;
	pull->asked_ns = clock__now();
	return CURL_PREREQFUNC_OK;
}

static int add_header(struct pull *pull, const char *name, const char *value)
{
	struct curl_slist *grown;
	char *line;

	if (!value || !*value)
		return 0;
	if (asprintf(&line, "%s: %s", name, value) < 0)
		return -1;
	grown = curl_slist_append(pull->headers, line);
	explicit_bzero(line, strlen(line));
	free(line);
	if (grown)
		pull->headers = grown;
	return grown ? 0 : -1;
}

static void set_callbacks(struct pull *pull)
{
	CURL *easy = pull->easy;

	curl_easy_setopt(easy, CURLOPT_PRIVATE, pull);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, pull->error);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, pull);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, pull);
	curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_ready);
	curl_easy_setopt(easy, CURLOPT_PREREQDATA, pull);
}

/* A key is sent to no other server: only a list may be elsewhere than its URL says. */
static void set_options(struct pull *pull)
{
	const struct sync_source_options *options = &pull->request.source->options;
	CURL *easy = pull->easy;

	curl_easy_setopt(easy, CURLOPT_URL, pull->request.url);
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, pull->headers);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L); /* does not wait for a name server */
	curl_easy_setopt(easy, CURLOPT_USERAGENT, "synwarden/" VERSION);
	curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "gzip");
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, "https");
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, (long)!pull->request.source->is_crowdsec);
	curl_easy_setopt(easy, CURLOPT_MAXREDIRS, REDIRECTS);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, CONNECT_S);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT, pull->request.most_s);
	curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, STALL_BYTES);
	curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, STALL_S);
	curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, KEEP_IDLE_S);
	if (options->tls_ca)
		curl_easy_setopt(easy, CURLOPT_CAINFO, options->tls_ca);
	if (options->tls_cert) {
		curl_easy_setopt(easy, CURLOPT_SSLCERT, options->tls_cert);
		curl_easy_setopt(easy, CURLOPT_SSLKEY, options->tls_key);
	}
}

static void clean_up(struct pull *pull)
{
	curl_easy_cleanup(pull->easy);
	curl_slist_free_all(pull->headers);
	pull->easy = NULL;
	pull->headers = NULL;
}

int pull__begin(struct pull *pull, CURLM *multi, const struct pull_request *request)
{
	*pull = (struct pull){.request = *request, .asked_ns = clock__now()};
	pull->easy = curl_easy_init();
	if (pull->easy && !add_header(pull, "X-Api-Key", request->key) &&
	    !add_header(pull, "If-None-Match", request->etag) &&
	    !add_header(pull, "If-Modified-Since", request->modified)) {
		set_callbacks(pull);
		set_options(pull);
		if (curl_multi_add_handle(multi, pull->easy) == CURLM_OK)
			return 0;
	}
	clean_up(pull);
	return -1;
}

static void read_result(struct pull *pull)
{
	char *address = NULL;
	curl_off_t wait = 0;
	long redirects = 0;

	curl_easy_getinfo(pull->easy, CURLINFO_RESPONSE_CODE, &pull->status);
	curl_easy_getinfo(pull->easy, CURLINFO_PRIMARY_IP, &address);
	curl_easy_getinfo(pull->easy, CURLINFO_REDIRECT_COUNT, &redirects);
	curl_easy_getinfo(pull->easy, CURLINFO_RETRY_AFTER, &wait);
	pull->is_direct = !redirects;
	if (pull->status >= 400 && wait > 0)
		pull->retry_ns = seconds(wait, pull->request.source->is_crowdsec ? RETRY_MAX_S : WAIT_MAX_S);
	if (!address || !cidr__address(address, strlen(address), &pull->server))
		pull->server = (struct addr){};
}

void pull__end(struct pull *pull, CURLM *multi, CURLcode code)
{
	pull->took_ns = clock__now() - pull->asked_ns;
	pull->end = code == CURLE_OK ? PULL_WHOLE : pull->sent ? PULL_BROKEN : PULL_UNSENT;
	read_result(pull);
	if (code != CURLE_OK)
		snprintf(pull->why, sizeof(pull->why), "%s", *pull->error ? pull->error : curl_easy_strerror(code));
	else if (pull->status >= 400)
		snprintf(pull->why, sizeof(pull->why), "HTTP %ld", pull->status);
	print_clean(pull->why);
	pull__cancel(pull, multi);
}

void pull__cancel(struct pull *pull, CURLM *multi)
{
	if (!pull->easy)
		return;
	curl_multi_remove_handle(multi, pull->easy);
	clean_up(pull);
}
