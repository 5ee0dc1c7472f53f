// SPDX-License-Identifier: GPL-2.0-only
/*
 * Clients of a web server, each from an address of its own that the server has never seen: they come at an even pace,
 * connect, ask, and count as served once the first byte of the answer is there. A connection alone would prove nothing:
 * a client that got a SYN cookie thinks itself connected before the server knows of it.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CLIENTS_MAX 1000
#define NS_PER_SEC  1000000000ULL
#define NS_PER_MS   1000000ULL
#define EVENTS	    64

static const char usage[] =
	"usage: clients [-n COUNT] [-r RATE] [-t TIMEOUT_MS] FIRST_SRC_ADDR DST_ADDR DST_PORT\n"
	"  COUNT clients (300; up to 1000), RATE/s (200), each has TIMEOUT_MS (3000) to be served;\n"
	"  their addresses begin at FIRST_SRC_ADDR and need a local route\n";

static const char request[] = "GET / HTTP/1.0\r\n\r\n";

struct client {
	int fd; /* -1: not there */
	bool served;
	uint64_t begun_ns, connected_ns;
};

struct settings {
	size_t count;
	uint64_t rate, timeout_ns;
	union address {
		struct sockaddr sa;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	} source, server;
};

static struct client clients[CLIENTS_MAX];

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * NS_PER_SEC + t.tv_nsec;
}

static int fail(const char *what, const char *why)
{
	fprintf(stderr, "clients: %s: %s\n", what, why);
	return -1;
}

static int number(const char *text, uint64_t min, uint64_t max, uint64_t *to)
{
	char *end;

	*to = strtoull(text, &end, 10);
	if (*text && !*end && *to >= min && *to <= max)
		return 0;
	fprintf(stderr, "clients: \"%s\": must be a number from %ju to %ju\n", text, (uintmax_t)min, (uintmax_t)max);
	return -1;
}

static int parse_address(const char *text, uint16_t port, union address *to)
{
	if (inet_pton(AF_INET, text, &to->in.sin_addr) == 1) {
		to->in.sin_family = AF_INET;
		to->in.sin_port = htons(port);
		return 0;
	}
	if (inet_pton(AF_INET6, text, &to->in6.sin6_addr) == 1) {
		to->in6.sin6_family = AF_INET6;
		to->in6.sin6_port = htons(port);
		return 0;
	}
	return fail(text, "not an IP address");
}

static int parse(struct settings *set, int argc, char **argv)
{
	uint64_t count = 300, timeout_ms = 3000, port;
	int option, err = 0;

	set->rate = 200;
	while (!err && (option = getopt(argc, argv, "n:r:t:")) != -1) {
		if (option == 'n')
			err = number(optarg, 1, CLIENTS_MAX, &count);
		else if (option == 'r')
			err = number(optarg, 1, 100000, &set->rate);
		else if (option == 't')
			err = number(optarg, 1, 60000, &timeout_ms);
		else
			err = -1;
	}
	if (err || argc - optind != 3) {
		fputs(usage, stderr);
		return -1;
	}
	argv += optind;
	set->count = count;
	set->timeout_ns = timeout_ms * NS_PER_MS;
	if (number(argv[2], 1, UINT16_MAX, &port) || parse_address(argv[0], 0, &set->source) ||
	    parse_address(argv[1], port, &set->server))
		return -1;
	return set->source.sa.sa_family == set->server.sa.sa_family
		       ? 0
		       : fail(argv[0], "must be of the same family as the server's address");
}

/* The source address of client `i`; of an IPv6 address the last 32 bits count. */
static union address source_of(const struct settings *set, size_t i)
{
	union address source = set->source;
	uint32_t *last =
		source.sa.sa_family == AF_INET ? &source.in.sin_addr.s_addr : &source.in6.sin6_addr.s6_addr32[3];

	*last = htonl(ntohl(*last) + i);
	return source;
}

static int begin(const struct settings *set, int epoll, size_t i)
{
	bool is_v4 = set->server.sa.sa_family == AF_INET;
	socklen_t len = is_v4 ? sizeof(set->server.in) : sizeof(set->server.in6);
	struct epoll_event event = {.events = EPOLLOUT, .data.u64 = i};
	union address source = source_of(set, i);
	struct client *client = &clients[i];
	int one = 1;

	client->fd = socket(set->server.sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (client->fd < 0)
		return fail("socket", strerror(errno));
	/* An address that a local route covers, but that no interface has. */
	if (setsockopt(client->fd, is_v4 ? IPPROTO_IP : IPPROTO_IPV6, is_v4 ? IP_FREEBIND : IPV6_FREEBIND, &one,
		       sizeof(one)) ||
	    bind(client->fd, &source.sa, len))
		return fail("bind", strerror(errno));
	client->begun_ns = now();
	if (connect(client->fd, &set->server.sa, len) && errno != EINPROGRESS)
		return fail("connect", strerror(errno));
	if (epoll_ctl(epoll, EPOLL_CTL_ADD, client->fd, &event))
		return fail("epoll_ctl", strerror(errno));
	return 0;
}

static void end(struct client *client)
{
	close(client->fd);
	client->fd = -1;
}

static void go_on(int epoll, size_t i)
{
	struct epoll_event event = {.events = EPOLLIN, .data.u64 = i};
	struct client *client = &clients[i];
	char byte;

	if (client->connected_ns) {
		client->served = recv(client->fd, &byte, sizeof(byte), 0) == sizeof(byte);
		end(client);
		return;
	}
	client->connected_ns = now();
	/* What connect() came to; where it failed, send() says so. */
	if (send(client->fd, request, sizeof(request) - 1, MSG_NOSIGNAL) != sizeof(request) - 1 ||
	    epoll_ctl(epoll, EPOLL_CTL_MOD, client->fd, &event))
		end(client);
}

/* Those who came first time out first; returns the first that has not. */
static size_t give_up(const struct settings *set, size_t first, size_t begun)
{
	for (; first < begun; first++) {
		if (clients[first].fd < 0)
			continue;
		if (now() - clients[first].begun_ns < set->timeout_ns)
			break;
		end(&clients[first]);
	}
	return first;
}

static int run(const struct settings *set, int epoll)
{
	struct epoll_event events[EVENTS];
	uint64_t start = now();
	size_t first = 0, begun = 0;
	int i, count;

	while (first < set->count) {
		while (begun < set->count && now() - start >= begun * NS_PER_SEC / set->rate) {
			if (begin(set, epoll, begun))
				return -1;
			begun++;
		}
		count = epoll_wait(epoll, events, EVENTS, 1);
		for (i = 0; i < count; i++)
			go_on(epoll, events[i].data.u64);
		first = give_up(set, first, begun);
	}
	return 0;
}

static int ascending(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* In ms; of `count` times in ascending order, that which `percent` of them do not exceed. */
static double percentile(const uint64_t *times, size_t count, size_t percent)
{
	size_t i = count * percent / 100;

	return (double)times[i < count ? i : count - 1] / NS_PER_MS;
}

static void tell(const struct settings *set)
{
	static uint64_t times[CLIENTS_MAX];
	size_t served = 0, i;

	for (i = 0; i < set->count; i++) {
		if (clients[i].served)
			times[served++] = clients[i].connected_ns - clients[i].begun_ns;
	}
	printf("{\"clients\": %zu, \"served\": %zu", set->count, served);
	if (served) {
		qsort(times, served, sizeof(*times), ascending);
		printf(", \"p50_ms\": %.3f, \"p99_ms\": %.3f, \"max_ms\": %.3f", percentile(times, served, 50),
		       percentile(times, served, 99), percentile(times, served, 100));
	}
	printf("}\n");
}

int main(int argc, char **argv)
{
	struct settings set = {0};
	int epoll, ret;

	if (parse(&set, argc, argv))
		return 2;
	epoll = epoll_create1(0);
	if (epoll < 0) {
		fail("epoll_create1", strerror(errno));
		return 1;
	}
	ret = run(&set, epoll) ? 1 : 0;
	if (!ret)
		tell(&set);
	close(epoll);
	return ret;
}
