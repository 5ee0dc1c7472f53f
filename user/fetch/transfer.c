// SPDX-License-Identifier: GPL-2.0-only
/*
 * libcurl is given the socket, and takes back nothing: it neither looks a name up, nor connects, nor closes. Times are
 * taken where it calls back.
 */
#include <curl/curl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fetch/certificate.h"
#include "fetch/observer.h"
#include "fetch/transfer.h"
#include "fetch/say.h"
#include "system/clock.h"
#include "text/address.h"
#include "text/clean.h"

#define LOOK_MS 100 /* how often it is looked whether the time is over */

struct transfer {
	struct page *page;
	CURL *easy;
	struct curl_slist *connect_to;
	char error[CURL_ERROR_SIZE];
	uint64_t began_ns, ready_ns, asked_ns, sent_ns, first_ns, ended_ns; /* 0: not yet */
	uint64_t progress_ns;						    /* the last byte, in either direction */
	bool is_refused; /* here, for what is wrong with the certificate */
};

static curl_socket_t on_open(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct transfer *transfer = context;

	(void)purpose;
	(void)address;
	transfer->began_ns = clock__now();
	return transfer->page->fd;
}

static int on_socket(void *context, curl_socket_t fd, curlsocktype purpose)
{
	(void)context;
	(void)fd;
	(void)purpose;
	return CURL_SOCKOPT_ALREADY_CONNECTED;
}

static int on_close(void *context, curl_socket_t fd)
{
	(void)context;
	(void)fd;
	return 0;
}

/* Before the request is sent: after the TLS handshake, where there is one. */
static int on_ready(void *context, char *server, char *local, int server_port, int local_port)
{
	struct transfer *transfer = context;
	struct page *page = transfer->page;

	(void)server;
	(void)local;
	(void)server_port;
	(void)local_port;
	transfer->ready_ns = clock__now();
	if (page->place.is_tls)
		certificate__read(transfer->easy, page->place.host, &page->tls);
	transfer->is_refused = *page->tls.wrong && !page->options->insecure;
	if (transfer->is_refused)
		return CURL_PREREQFUNC_ABORT;
	observer__ask(page->observer, &page->attempts[page->attempt_count - 1], clock__now());
	transfer->asked_ns = clock__now(); /* reading the rings is no part of the request's time */
	return CURL_PREREQFUNC_OK;
}

static int on_data(CURL *easy, curl_infotype type, char *data, size_t len, void *context)
{
	struct transfer *transfer = context;
	struct page *page = transfer->page;

	(void)easy;
	(void)data;
	if (type == CURLINFO_TEXT)
		return 0;
	transfer->progress_ns = clock__now();
	if (type == CURLINFO_HEADER_OUT) {
		transfer->sent_ns = transfer->progress_ns;
		page->request_bytes += len;
	}
	if ((type == CURLINFO_HEADER_IN || type == CURLINFO_DATA_IN) && !transfer->first_ns)
		transfer->first_ns = transfer->progress_ns;
	if (type == CURLINFO_HEADER_IN)
		page->head_bytes += len;
	return 0;
}

/* The last status line: an interim answer (1xx) comes before the one that counts. */
static size_t on_head(char *data, size_t size, size_t count, void *context)
{
	struct transfer *transfer = context;
	struct page *page = transfer->page;

	if (size * count < 5 || memcmp(data, "HTTP/", 5) != 0)
		return size * count;
	snprintf(page->head, sizeof(page->head), "%.*s", (int)(size * count), data);
	page->head[strcspn(page->head, "\r\n")] = '\0';
	print_clean(page->head);
	return size * count;
}

static size_t on_body(char *data, size_t size, size_t count, void *context)
{
	struct transfer *transfer = context;

	(void)data;
	transfer->page->body_bytes += size * count;
	return size * count;
}

/* "::192.0.2.1:80": whatever the URL names, no name is looked up for it. */
static struct curl_slist *address_of(const struct page *page)
{
	const struct attempt *attempt = &page->attempts[page->attempt_count - 1];
	char endpoint[PRINT_ENDPOINT_LEN], text[PRINT_ENDPOINT_LEN + 2];

	snprintf(text, sizeof(text), "::%s", print_endpoint(endpoint, &attempt->raddr, attempt->rport));
	return curl_slist_append(NULL, text);
}

static void set_callbacks(struct transfer *transfer)
{
	CURL *easy = transfer->easy;

	curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, transfer);
	curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, on_socket);
	curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, on_close);
	curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_ready);
	curl_easy_setopt(easy, CURLOPT_PREREQDATA, transfer);
	curl_easy_setopt(easy, CURLOPT_VERBOSE, 1L);
	curl_easy_setopt(easy, CURLOPT_DEBUGFUNCTION, on_data);
	curl_easy_setopt(easy, CURLOPT_DEBUGDATA, transfer);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_head);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
}

/* libcurl does not judge the certificate: certificate.c does, before the request, and finds all that is wrong. */
static int set_up(struct transfer *transfer)
{
	const struct page *page = transfer->page;
	CURL *easy = curl_easy_init();

	transfer->easy = easy;
	transfer->connect_to = address_of(page);
	if (!easy || !transfer->connect_to)
		return -1;
	set_callbacks(transfer);
	curl_easy_setopt(easy, CURLOPT_URL, page->place.url);
	curl_easy_setopt(easy, CURLOPT_CONNECT_TO, transfer->connect_to);
	curl_easy_setopt(easy, CURLOPT_PROXY, "");
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_USERAGENT, "synwarden/" VERSION);
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(easy, CURLOPT_NOBODY, (long)page->options->head);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->error);
	return 0;
}

/* CURLE_OPERATION_TIMEDOUT where no byte has come for too long. */
static CURLcode perform(struct transfer *transfer)
{
	CURLM *multi = curl_multi_init();
	CURLcode code = CURLE_OPERATION_TIMEDOUT;
	struct CURLMsg *message;
	int running = 1, left;

	if (!multi || curl_multi_add_handle(multi, transfer->easy)) {
		curl_multi_cleanup(multi);
		return CURLE_OUT_OF_MEMORY;
	}
	while (!curl_multi_perform(multi, &running) && running &&
	       clock__now() - transfer->progress_ns < transfer->page->options->stall_ns) {
		observer__look(transfer->page->observer);
		curl_multi_poll(multi, NULL, 0, LOOK_MS, NULL);
	}
	transfer->ended_ns = clock__now();
	message = curl_multi_info_read(multi, &left);
	if (message)
		code = message->data.result;
	curl_multi_remove_handle(multi, transfer->easy);
	curl_multi_cleanup(multi);
	return code;
}

static enum step step_of(const struct transfer *transfer)
{
	if (!transfer->ready_ns && transfer->page->place.is_tls)
		return STEP_TLS;
	if (!transfer->sent_ns)
		return STEP_REQUEST;
	return transfer->first_ns ? STEP_DOCUMENT : STEP_FIRST_BYTE;
}

static void read_answer(struct transfer *transfer)
{
	struct page *page = transfer->page;
	curl_off_t length = -1;
	char *location = NULL;

	curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &page->status);
	curl_easy_getinfo(transfer->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
	curl_easy_getinfo(transfer->easy, CURLINFO_REDIRECT_URL, &location);
	page->length = length;
	page->location = location ? strdup(location) : NULL;
}

/* The step that did not end is counted up to the end of all. What libcurl and the judging of the certificate take in
 * between is a part of none. */
static void read_times(const struct transfer *transfer)
{
	uint64_t *took = transfer->page->took_ns, end_ns = transfer->ended_ns ?: clock__now();

	if (transfer->page->place.is_tls)
		took[STEP_TLS] = (transfer->ready_ns ?: end_ns) - transfer->began_ns;
	if (transfer->asked_ns)
		took[STEP_REQUEST] = (transfer->sent_ns ?: end_ns) - transfer->asked_ns;
	if (transfer->sent_ns)
		took[STEP_FIRST_BYTE] = (transfer->first_ns ?: end_ns) - transfer->sent_ns;
	if (transfer->first_ns)
		took[STEP_DOCUMENT] = end_ns - transfer->first_ns;
}

/* What this host has dropped since the connection was established. */
static void look_for_drops(struct page *page)
{
	const struct attempt *attempt = &page->attempts[page->attempt_count - 1];

	observer__look(page->observer);
	page->seen = observer__judge(page->observer, attempt, attempt->began_ns + attempt->took_ns);
}

static int fail_connection(struct page *page, enum step step, CURLcode code, const char *text)
{
	enum interruption why = INTERRUPTED_BY_CLOSE;
	struct tcp_info info = {};
	socklen_t len = sizeof(info);
	char words[SAY_LEN];

	getsockopt(page->fd, IPPROTO_TCP, TCP_INFO, &info, &len);
	look_for_drops(page);
	if (code == CURLE_OPERATION_TIMEDOUT)
		why = INTERRUPTED_BY_SILENCE;
	else if (info.tcpi_state == TCP_CLOSE && !certificate__is_closed(text))
		why = INTERRUPTED_BY_RESET;
	else if (info.tcpi_state == TCP_ESTABLISHED)
		return page__fail(page, step, "libcurl: %s", text);
	return page__fail(page, step, "%s", say__interrupted(words, page, step, why, info.tcpi_unacked));
}

static int fail(struct transfer *transfer, CURLcode code)
{
	const char *text = *transfer->error ? transfer->error : curl_easy_strerror(code), *tls = NULL;
	struct page *page = transfer->page;

	if (transfer->is_refused)
		return page__fail(page, STEP_TLS, "the certificate is not trusted: %s", page->tls.wrong);
	if (code == CURLE_UNSUPPORTED_PROTOCOL || code == CURLE_WEIRD_SERVER_REPLY)
		return page__fail(page, STEP_FIRST_BYTE, "the answer is not HTTP");
	if (code == CURLE_SSL_CONNECT_ERROR)
		tls = certificate__error(text);
	if (tls)
		return page__fail(page, STEP_TLS, "the TLS handshake failed: %s", tls);
	return fail_connection(page, step_of(transfer), code, text);
}

int transfer__run(struct page *page)
{
	struct transfer transfer = {.page = page};
	CURLcode code = CURLE_OUT_OF_MEMORY;
	int ret = 0;

	transfer.began_ns = clock__now();
	transfer.progress_ns = transfer.began_ns;
	if (!set_up(&transfer))
		code = perform(&transfer);
	read_times(&transfer);
	observer__answered(page->observer, page);
	if (transfer.easy)
		read_answer(&transfer);
	if (code)
		ret = fail(&transfer, code);
	curl_easy_cleanup(transfer.easy);
	curl_slist_free_all(transfer.connect_to);
	return ret;
}
