// SPDX-License-Identifier: GPL-2.0-only
/*
 * struct run -> struct meta.
 */
#include <errno.h>
#include <string.h>

#include <bpf/bpf.h>

#include "run/list_files.h"
#include "run/meta.h"
#include "text/log.h"

int meta__write(struct run *run)
{
	const struct run_options *options = &run->settings->options;
	__u32 key = 0;

	run->meta.dry_run = options->dry_run;
	run->meta.source_limit = options->source_limit;
	run->meta.port_budget = options->port_budget;
	run->meta.endpoint = options->listen.addr;
	run->meta.endpoint_port = options->listen.off ? 0 : options->listen.port;
	run->meta.challenge = options->challenge;
	run->meta.stray_budget = options->stray_budget;
	for (unsigned list = 0; list < LIST_MAX; list++)
		run->meta.waiting[list] = list_files__waiting(run, list);
	if (bpf_map_update_elem(programs__maps(run->programs)->meta, &key, &run->meta, BPF_ANY) == 0)
		return 0;
	log_error("cannot write the pinned state: %s", strerror(errno));
	return -1;
}
