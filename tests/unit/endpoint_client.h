/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The HTTP endpoint over real maps with made-up counts, and a client that asks it. For use after cmocka.h.
 */
#ifndef SYNWARDEN_TESTS_ENDPOINT_H
#define SYNWARDEN_TESTS_ENDPOINT_H

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "endpoint/endpoint.h"
#include "kernel/load_config.h"
#include "kernel/pins.h"
#include "lib/text.h"

#define REPLY_MAX (1 << 20)

static struct metrics *metrics;
static struct programs *programs;
static struct listen_at at;
static char reply[REPLY_MAX];

static inline struct programs *load(void)
{
	struct config config = {.cpus = libbpf_num_possible_cpus(), .netns = pins__netns()};
	struct programs *new;

	load_config__lists(&config, LIST_ENTRIES_MIN, 0);
	if (programs__load(&new, &config, PROGRAMS_TRACKER | PROGRAMS_CENSUS | PROGRAMS_LISTS, NULL))
		fail_msg("cannot load the BPF programs (are you root?)");
	return new;
}

/* Every CPU counts 10 SYNs to port 8080, and 3 of another port. */
static inline void fill_maps(const struct maps *maps)
{
	struct meta meta = {.layout = LAYOUT_VERSION, .version = VERSION};
	struct listener listener = {.slot = 1, .listening = 1};
	struct port_count counts[MAX_CPUS] = {};
	__u32 port = 8080, slot = 1, zero = 0;
	int i;

	assert_int_equal(bpf_map_update_elem(maps->meta, &zero, &meta, BPF_ANY), 0);
	assert_int_equal(bpf_map_update_elem(maps->listeners, &port, &listener, BPF_ANY), 0);
	for (i = 0; i < MAX_CPUS; i++)
		counts[i].syns[VERDICT_PASS] = 10;
	assert_int_equal(bpf_map_update_elem(maps->ports, &slot, counts, BPF_ANY), 0);
	for (i = 0; i < MAX_CPUS; i++)
		counts[i].syns[VERDICT_PASS] = 3;
	assert_int_equal(bpf_map_update_elem(maps->ports, &zero, counts, BPF_ANY), 0);
}

static inline struct sockaddr_in here(uint16_t port)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static inline struct listen_at free_place(void)
{
	struct listen_at place = {.addr.bytes = {[10] = 0xff, 0xff, 127, 0, 0, 1}};
	struct sockaddr_in addr = here(0);
	socklen_t size = sizeof(addr);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(bind(fd, (void *)&addr, size), 0);
	assert_int_equal(getsockname(fd, (void *)&addr, &size), 0);
	place.port = ntohs(addr.sin_port);
	close(fd);
	return place;
}

/* Without TLS and passwords. */
static inline int serve(struct metrics **served, struct listen_at place, struct programs *counting)
{
	const struct server_options options = {.at = place};
	static struct event_log *log;

	log = log ?: event_log__make();
	return endpoint__open(served, &options) || endpoint__serve(*served, counting, log) ? -1 : 0;
}

static inline int start(void **state)
{
	(void)state;
	programs = load();
	fill_maps(programs__maps(programs));
	at = free_place();
	return serve(&metrics, at, programs);
}

static inline int stop(void **state)
{
	(void)state;
	endpoint__stop(metrics);
	programs__free(programs);
	return 0;
}

static inline int dial(const struct listen_at *place)
{
	struct sockaddr_in addr = here(place->port);
	struct timeval patience = {.tv_sec = 5};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
	assert_int_equal(connect(fd, (void *)&addr, sizeof(addr)), 0);
	return fd;
}

/* Sends `bytes` as they are and reads until the server closes; returns the status, 0 if there was none. */
static inline int ask_raw(const struct listen_at *place, const char *bytes, size_t size)
{
	int fd = dial(place), status = 0;
	size_t len = 0;
	ssize_t got;

	send(fd, bytes, size, MSG_NOSIGNAL);
	while (len < sizeof(reply) - 1 && (got = recv(fd, reply + len, sizeof(reply) - 1 - len, 0)) > 0)
		len += got;
	reply[len] = '\0';
	close(fd);
	sscanf(reply, "HTTP/1.%*1[01] %d", &status);
	return status;
}

static inline int ask(const struct listen_at *place, const char *method, const char *path)
{
	char request[512];
	int len = snprintf(request, sizeof(request), "%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
			   method, path);

	return ask_raw(place, request, len);
}

static inline const char *body(void)
{
	const char *end = strstr(reply, "\r\n\r\n");

	assert_non_null(end);
	return end + 4;
}

/* What is asked for with `headers`, each with its end of line. */
static inline int ask_with(const char *path, const char *headers)
{
	char request[2048];
	int len = snprintf(request, sizeof(request),
			   "GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n%s\r\n", path, headers);

	return ask_raw(&at, request, len);
}

#endif
