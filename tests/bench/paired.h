/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Paired measurements: what a round trip takes while an observer looks at it, less what it takes just before and
 * behind, both ends of the connection in this thread. Of the batches of each time the fastest counts, as other work on
 * the machine only adds. Each of these programs is one file: the functions are here.
 */
#ifndef SYNWARDEN_BENCH_PAIRED_H
#define SYNWARDEN_BENCH_PAIRED_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PAIRED_BATCH   50 /* round trips between two looks at the clock */
#define PAIRED_BATCHES 32
#define PAIRED_ROUNDS  4096
#define PAIRED_MESSAGE 256 /* bytes of a message at most */

/* A connection over 127.0.0.1, and what passes on it: a round trip is `ask` from ends[0], and `answer` from ends[1]. */
struct pair {
	int ends[2];
	const char *ask, *answer;
	size_t ask_len, answer_len;
};

/* What differed, and what a round trip took without the observer; in nanoseconds. */
struct paired {
	unsigned rounds;
	double ns[PAIRED_ROUNDS], without[PAIRED_ROUNDS];
};

static inline uint64_t now(clockid_t clock)
{
	struct timespec time;

	clock_gettime(clock, &time);
	return time.tv_sec * 1000000000ULL + time.tv_nsec;
}

static inline void die(const char *what)
{
	perror(what);
	exit(1);
}

static inline void connect_pair(struct pair *pair, uint16_t port)
{
	struct sockaddr_in at = {
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int listener = socket(AF_INET, SOCK_STREAM, 0), on = 1;

	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(listener, (struct sockaddr *)&at, sizeof(at)) || listen(listener, 1))
		die("listen");
	pair->ends[0] = socket(AF_INET, SOCK_STREAM, 0);
	if (connect(pair->ends[0], (struct sockaddr *)&at, sizeof(at)))
		die("connect");
	pair->ends[1] = accept(listener, NULL, NULL);
	for (int i = 0; i < 2; i++)
		setsockopt(pair->ends[i], IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	close(listener);
}

static inline void pass(int from, int to, const char *message, size_t len)
{
	char received[PAIRED_MESSAGE];

	if (send(from, message, len, 0) != (ssize_t)len || recv(to, received, len, MSG_WAITALL) != (ssize_t)len)
		die("exchange");
}

static inline void round_trip(const struct pair *pair)
{
	pass(pair->ends[0], pair->ends[1], pair->ask, pair->ask_len);
	pass(pair->ends[1], pair->ends[0], pair->answer, pair->answer_len);
}

/* The CPU time of a round trip in the fastest of some batches, in nanoseconds. */
static inline double fastest(const struct pair *pair)
{
	double least = 0;

	for (int i = 0; i < PAIRED_BATCHES; i++) {
		uint64_t cpu = now(CLOCK_THREAD_CPUTIME_ID);
		double ns;

		for (int trip = 0; trip < PAIRED_BATCH; trip++)
			round_trip(pair);
		ns = (double)(now(CLOCK_THREAD_CPUTIME_ID) - cpu) / PAIRED_BATCH;
		if (!i || ns < least)
			least = ns;
	}
	return least;
}

/* One round more, unless there is no room. `attach` and `detach` are called with `observer`. */
static inline void paired__measure(struct paired *paired, const struct pair *pair, void (*attach)(void *observer),
				   void (*detach)(void *observer), void *observer)
{
	double before = fastest(pair), with, without;

	if (paired->rounds == PAIRED_ROUNDS)
		return;
	attach(observer);
	with = fastest(pair);
	detach(observer);
	without = (before + fastest(pair)) / 2;
	paired->without[paired->rounds] = without;
	paired->ns[paired->rounds++] = with - without;
}

static inline int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Sorts them. */
static inline double median(double *values, unsigned count)
{
	qsort(values, count, sizeof(*values), by_value);
	return values[count / 2];
}

static inline void pin_to(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

#endif
