// SPDX-License-Identifier: GPL-2.0-only
/*
 * It holds for some seconds: where this process stops, nothing is dropped by rules that may have changed.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>

#include "run/forwards.h"
#include "run/rules.h"
#include "system/clock.h"
#include "text/log.h"

#define HOLDS_NS (3 * NS_PER_S)

struct forwarding {
	const struct maps *maps;
	struct rules rules;
	bool failed;
};

struct forwarding *forwards__open(const struct maps *maps)
{
	struct forwarding *forwarding = calloc(1, sizeof(*forwarding));

	if (!forwarding)
		log_error("run: out of memory");
	else
		forwarding->maps = maps;
	return forwarding;
}

static int tell(struct forwarding *forwarding, const struct meta *meta)
{
	const struct redirects *redirects = &forwarding->rules.redirects;
	struct forwards forwards = {};
	__u32 key = 0;

	forwards.any = *rules__look(&forwarding->rules, meta) != '\0';
	forwards.answers = redirects->masquerades || forwarding->rules.tc;
	memcpy(forwards.ports, redirects->translated, sizeof(forwards.ports));
	forwards.until_ns = clock__now() + HOLDS_NS;
	return bpf_map_update_elem(forwarding->maps->forwards, &key, &forwards, BPF_ANY);
}

void forwards__follow(struct forwarding *forwarding, const struct meta *meta)
{
	bool failed = tell(forwarding, meta) != 0;

	if (failed && !forwarding->failed)
		log_error("cannot tell the filter what is forwarded: %s", strerror(errno));
	forwarding->failed = failed;
}

void forwards__close(struct forwarding *forwarding)
{
	free(forwarding);
}
