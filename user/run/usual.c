// SPDX-License-Identifier: GPL-2.0-only
/*
 * The usual rate of handshakes is the lower one of two: the mean of the last four quarter-hours in which the port was
 * not armed, and the quarter-hour of a day ago. An attack fills neither, however long it lasts: what is known
 * stays until the same quarter-hour of a day is known anew.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "run/usual.h"
#include "text/log.h"

#define SAMPLES		(RECENT_SECONDS + 1) /* one a second */
#define QUARTER_SECONDS 900
#define QUARTERS	96 /* a day */
#define HOUR		4  /* of them */
#define LEAST_SECONDS	60 /* of a quarter-hour that counts */
#define MAP_BYTES	(MAX_PORTS * sizeof(struct port_recent))

/* What is kept of each second: the counters, modulo 2^32. */
#define SAMPLED(X)                                                                                                     \
	X(syns, port->syns)                                                                                            \
	X(passed, port->passed)                                                                                        \
	X(challenged, port->challenged)                                                                                \
	X(dropped, port->dropped)                                                                                      \
	X(limited, port->limited)                                                                                      \
	X(over_budget, port->over_budget)                                                                              \
	X(not_served, port->not_served)                                                                                \
	X(answered, port->sound_answers)                                                                               \
	X(completed, port->completed - port->own)                                                                      \
	X(listen_drops, port->listen_drops)

struct sample {
#define X(name, value) uint32_t name;
	SAMPLED(X)
#undef X
};

struct port_usual {
	uint32_t port;
	uint32_t next;			/* the second in which its next sample is due; else its counters began anew */
	struct sample samples[SAMPLES]; /* by second, modulo SAMPLES */
	uint32_t count;			/* of the samples, at most SAMPLES */
	uint32_t seconds, completed;	/* of the quarter-hour under way, while the port was not armed */
	uint32_t millis;		/* the usual rate, as in struct port_recent */
	uint32_t quarters[QUARTERS];	/* one more than the rate in 1/1000 a second; 0: unknown */
};

struct usual {
	struct port_recent *recents;	    /* the map */
	unsigned second;		    /* since the start */
	struct port_usual ports[MAX_PORTS]; /* by slot */
};

/* NULL after a message. */
static struct port_recent *map_recents(const struct maps *maps)
{
	struct port_recent *recents = mmap(NULL, MAP_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, maps->recents, 0);

	if (recents != MAP_FAILED)
		return recents;
	log_error("cannot map the ports' last seconds: %s", strerror(errno));
	return NULL;
}

int usual__forget(const struct maps *maps)
{
	struct port_recent *recents = map_recents(maps);

	if (!recents)
		return -1;
	memset(recents, 0, MAP_BYTES);
	munmap(recents, MAP_BYTES);
	return 0;
}

int usual__open(struct usual **usual, const struct maps *maps)
{
	struct usual *u = calloc(1, sizeof(*u));

	*usual = u;
	if (!u) {
		log_error("run: out of memory");
		return -1;
	}
	u->recents = map_recents(maps);
	return u->recents ? 0 : -1;
}

static unsigned quarter_of(const struct usual *u)
{
	return u->second / QUARTER_SECONDS % QUARTERS;
}

/* One more than the rate of the quarter-hour under way; 0: it is too short to tell. */
static uint32_t rate_now(const struct port_usual *port)
{
	return port->seconds < LEAST_SECONDS ? 0 : (uint64_t)port->completed * 1000 / port->seconds + 1;
}

/* In 1/1000 a second; 0: unknown. */
static uint32_t usual_rate(const struct port_usual *port, unsigned quarter)
{
	uint32_t day_ago = port->quarters[quarter], rate = rate_now(port);
	uint64_t sum = rate ? rate - 1 : 0;
	unsigned count = !!rate;

	for (unsigned back = 1; back < QUARTERS && count < HOUR; back++) {
		uint32_t one = port->quarters[(quarter + QUARTERS - back) % QUARTERS];

		sum += one ? one - 1 : 0;
		count += !!one;
	}
	if (!count)
		return 0;
	return day_ago && day_ago - 1 < sum / count ? day_ago - 1 : sum / count;
}

static void note_usual(const struct usual *u, struct port_usual *port, bool armed, uint32_t completed)
{
	unsigned quarter = quarter_of(u);

	if (!armed) {
		port->seconds++;
		port->completed += completed;
	}
	if (u->second % LEAST_SECONDS == 0)
		port->millis = usual_rate(port, quarter);
	if ((u->second + 1) % QUARTER_SECONDS)
		return;
	if (rate_now(port))
		port->quarters[quarter] = rate_now(port);
	port->seconds = port->completed = 0;
}

/*
 * Of samples that may be read between a handshake's being counted and its being found to be of this host with itself:
 * less than before is none.
 */
static uint32_t completed_since(const struct sample *then, const struct sample *now)
{
	uint32_t growth = now->completed - then->completed;

	return (int32_t)growth < 0 ? 0 : growth;
}

static struct port_recent growth(const struct port_usual *port, unsigned second)
{
	uint32_t seconds = port->count - 1;
	const struct sample *now = &port->samples[second % SAMPLES],
			    *then = &port->samples[(second + SAMPLES - seconds) % SAMPLES];
	struct port_recent recent = {
		.seconds = seconds,
#define X(name, value) .name = (uint32_t)(now->name - then->name),
		SAMPLED(X)
#undef X
			.usual_millis = port->millis,
	};

	recent.completed = completed_since(then, now);
	return recent;
}

/* Forgets what another port left in the slot, and the samples of a port that had none for a while. */
static struct port_usual *of_port(struct usual *u, const struct port_view *port)
{
	struct port_usual *own = &u->ports[port->slot];

	if (own->port != port->port)
		*own = (struct port_usual){.port = port->port};
	else if (own->next != u->second)
		own->count = 0;
	own->next = u->second + 1;
	return own;
}

static void note_port(struct usual *u, struct port_view *port)
{
	struct port_usual *own = of_port(u, port);
	const struct sample *last = &own->samples[(u->second + SAMPLES - 1) % SAMPLES];
	struct sample *sample = &own->samples[u->second % SAMPLES];

	*sample = (struct sample){
#define X(name, value) .name = value,
		SAMPLED(X)
#undef X
	};
	if (own->count)
		note_usual(u, own, port->armed, completed_since(last, sample));
	own->count += own->count < SAMPLES;
	port->recent = growth(own, u->second);
	u->recents[port->slot] = port->recent;
}

void usual__note(struct usual *u, struct snapshot *s)
{
	for (size_t i = 1; i < s->port_count; i++)
		note_port(u, &s->ports[i]);
	u->second++;
}

void usual__close(struct usual *u)
{
	if (u && u->recents)
		munmap(u->recents, MAP_BYTES);
	free(u);
}
