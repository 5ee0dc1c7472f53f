// SPDX-License-Identifier: GPL-2.0-only
/*
 * HyperLogLog over a sliding window of ten seconds, with the improved raw estimator of O. Ertl, "New cardinality
 * estimation algorithms for HyperLogLog sketches" (2017), which needs no correction for small or large counts.
 */
#include <errno.h>
#include <math.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "run/distinct_sources.h"
#include "text/log.h"

#define RANK_MAX (64 - HLL_BITS + 1)
#define WINDOWS	 10 /* merged: the current one and the nine before it */
#define RECENT	 4  /* of them, for who looks once a second and may be late */
#define AHEAD	 2  /* cleared ahead */
#define BEHIND	 1  /* the kernel side's clock is up to a tick behind: it may still count in the window before */

_Static_assert(WINDOWS + AHEAD < HLL_WINDOWS, "a set is not cleared while it is read");
_Static_assert(sizeof(struct hll) % 8 == 0, "array elements stand side by side");

/* How far into a page `at` is. */
static size_t into_page(size_t at)
{
	return at % sysconf(_SC_PAGESIZE);
}

struct hll *distinct_sources__map(const struct maps *maps, size_t index)
{
	size_t at = index * sizeof(struct hll), into = into_page(at);
	char *page = mmap(NULL, into + sizeof(struct hll), PROT_READ | PROT_WRITE, MAP_SHARED, maps->distinct_srcs,
			  at - into);

	if (page != MAP_FAILED)
		return (struct hll *)(page + into);
	log_error("cannot map an estimator of distinct sources: %s", strerror(errno));
	return NULL;
}

void distinct_sources__unmap(struct hll *hll)
{
	size_t into = into_page((uintptr_t)hll);

	munmap((char *)hll - into, into + sizeof(*hll));
}

void distinct_sources__prepare(struct hll *hll, uint64_t now_ns)
{
	uint64_t window = now_ns >> SKETCH_WINDOW_SHIFT, i;

	for (i = window - BEHIND; i <= window + AHEAD; i++) {
		size_t set = i % HLL_WINDOWS;

		if (hll->window[set] == i)
			continue;
		hll->window[set] = 0;
		memset(hll->registers[set], 0, sizeof(hll->registers[set]));
		__atomic_store_n(&hll->window[set], i, __ATOMIC_RELEASE);
	}
}

void distinct_sources__clear(struct hll *hll)
{
	memset(hll->window, 0, sizeof(hll->window));
}

static double sigma(double x)
{
	double y = 1, z = x, before;

	if (x == 1)
		return INFINITY;
	do {
		x *= x;
		before = z;
		z += x * y;
		y += y;
	} while (z != before);
	return z;
}

static double tau(double x)
{
	double y = 1, z = 1 - x, before;

	if (x == 0 || x == 1)
		return 0;
	do {
		x = sqrt(x);
		before = z;
		y *= 0.5;
		z -= (1 - x) * (1 - x) * y;
	} while (z != before);
	return z / 3;
}

double distinct_sources__of_registers(const uint8_t registers[HLL_REGISTERS])
{
	double m = HLL_REGISTERS, z;
	unsigned counts[RANK_MAX + 1] = {}, i;

	for (i = 0; i < HLL_REGISTERS; i++)
		counts[registers[i] < RANK_MAX ? registers[i] : RANK_MAX]++;
	z = m * tau((m - counts[RANK_MAX]) / m);
	for (i = RANK_MAX - 1; i >= 1; i--)
		z = 0.5 * (z + counts[i]);
	z += m * sigma(counts[0] / m);
	return m * m / (2 * M_LN2 * z);
}

/* Adds the sets of the last windows up to `now_ns`. */
static void merge(uint8_t registers[HLL_REGISTERS], const struct hll *hll, uint64_t now_ns, unsigned windows)
{
	uint64_t window = now_ns >> SKETCH_WINDOW_SHIFT, i;

	for (i = window - windows + 1; i <= window; i++) {
		if (hll->window[i % HLL_WINDOWS] != i)
			continue;
		for (size_t r = 0; r < HLL_REGISTERS; r++)
			if (hll->registers[i % HLL_WINDOWS][r] > registers[r])
				registers[r] = hll->registers[i % HLL_WINDOWS][r];
	}
}

uint64_t distinct_sources__estimate(const struct hll *hll, uint64_t now_ns)
{
	uint8_t merged[HLL_REGISTERS] = {};

	merge(merged, hll, now_ns, WINDOWS);
	return distinct_sources__of_registers(merged) + 0.5;
}

void distinct_sources__merge(uint8_t registers[HLL_REGISTERS], const struct hll *hll, uint64_t now_ns)
{
	merge(registers, hll, now_ns, RECENT);
}
