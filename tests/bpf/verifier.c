// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the verifier makes of each BPF program, loaded in all the ways in which the commands load it: what is frozen in
 * decides which code is there. Needs 5.16, which tells how many instructions were verified. What it prints behind "#",
 * the most of each program, is read by tests/kernels/run.sh.
 *
 * test: asan-slow kernels-quick
 */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "kernel/load_config.h"
#include "kernel/programs.h"

#define LIMIT	     1000000 /* the kernel's BPF_COMPLEXITY_LIMIT_INSNS */
#define PROGRAMS_MAX 32
#define ALL	     (PROGRAMS_TRACKER | PROGRAMS_CENSUS | PROGRAMS_OWNERS | PROGRAMS_READERS)

static struct program {
	char name[BPF_OBJ_NAME_LEN];
	uint32_t instructions; /* the most that any way took */
	const char *way;
} programs[PROGRAMS_MAX];

static struct program *find(const char *name)
{
	struct program *program = programs;

	while (*program->name && strcmp(program->name, name) != 0)
		program++;
	assert_true(program < programs + PROGRAMS_MAX - 1);
	memcpy(program->name, name, sizeof(program->name));
	return program;
}

static void note(int fd, const char *way)
{
	struct bpf_prog_info info = {};
	__u32 len = sizeof(info);
	struct program *program;

	assert_int_equal(bpf_obj_get_info_by_fd(fd, &info, &len), 0);
	assert_int_not_equal(info.verified_insns, 0);
	program = find(info.name);
	if (info.verified_insns <= program->instructions)
		return;
	program->instructions = info.verified_insns;
	program->way = way;
}

/* Those that this process holds; returns how many. */
static int note_programs(const char *way)
{
	DIR *fds = opendir("/proc/self/fd");
	const struct dirent *entry;
	int count = 0;

	assert_non_null(fds);
	while ((entry = readdir(fds))) {
		char target[64] = "";

		if (readlinkat(dirfd(fds), entry->d_name, target, sizeof(target) - 1) < 0 ||
		    strcmp(target, "anon_inode:bpf-prog") != 0)
			continue;
		note(atoi(entry->d_name), way);
		count++;
	}
	closedir(fds);
	return count;
}

static void load(const char *way, const struct config *config, unsigned parts, int expected)
{
	struct programs *programs = NULL;

	assert_int_equal(programs__load(&programs, config, parts, NULL), 0);
	assert_int_equal(note_programs(way), expected);
	programs__free(programs);
}

static void run(const char *way, const struct run_options *options)
{
	unsigned parts = PROGRAMS_FILTER | ALL | (options->http ? PROGRAMS_HTTP : 0);
	int count = options->http ? 22 : 20;
	struct config config;

	assert_int_equal(load_config__make(&config, options), 0);
	load_config__lists(&config, LIST_ENTRIES_OWN, options->fleet_entries);
	load(way, &config, parts, count);
	config.preempts = !config.preempts;
	load(way, &config, parts, count);
}

static void of_run(void **state)
{
	static struct port_options port = {.port = 80,
					   .has_budget = true,
					   .has_challenge = true,
					   .has_stray_budget = true,
					   .budget = 10,
					   .challenge = CHALLENGE_OFF,
					   .stray_budget = 10};
	struct run_options all = {
		.source_limit = 100,
		.port_budget = 1000,
		.challenge = CHALLENGE_AUTO,
		.stray_budget = 1000,
		.http = 1,
		.fleet_entries = LIST_ENTRIES_FLEET,
		.ports = &port,
		.port_count = 1,
	};

	(void)state;
	run("run without options", &(struct run_options){});
	run("run --port-budget", &(struct run_options){.port_budget = 1000, .challenge = CHALLENGE_AUTO});
	run("run --challenge off", &(struct run_options){.port_budget = 1000, .challenge = CHALLENGE_OFF});
	run("run --stray-budget", &(struct run_options){.stray_budget = 1000});
	run("run --source-limit", &(struct run_options){.source_limit = 100});
	run("run with all options", &all);
	all.dry_run = true;
	run("run --dry-run", &all);
}

static void stream(const char *way, enum stream_kind kind, const struct event_filter *filter, unsigned more, int count)
{
	struct config config = {.stream = kind,
				.cpus = libbpf_num_possible_cpus(),
				.rings = 1,
				.ring_slots = 1024,
				.http_lives = kind == STREAM_LIVES, /* more code than without a `run --http on` */
				.filter = *filter};

	load(way, &config, ALL | more, count);
}

static void of_streams(void **state)
{
	const struct event_filter all = {.mask.bytes = {[0] = 0xff, [15] = 0xff},
					 .pid = 1,
					 .netns = 1,
					 .port = 80,
					 .family = 6,
					 .state = 1,
					 .by_addr = 1};

	(void)state;
	stream("states", STREAM_EVENTS, &(struct event_filter){}, 0, 19);
	stream("states with all filters", STREAM_EVENTS, &all, 0, 19);
	stream("conns", STREAM_LIVES, &(struct event_filter){}, 0, 19);
	stream("conns with all filters", STREAM_LIVES, &all, 0, 19);
	stream("ladder", STREAM_LADDER, &(struct event_filter){}, PROGRAMS_SEGMENTS, 22);
	stream("ladder with all filters", STREAM_LADDER, &all, PROGRAMS_SEGMENTS, 22);
	stream("http", STREAM_HTTP, &(struct event_filter){}, PROGRAMS_HTTP, 21);
	stream("http with all filters", STREAM_HTTP, &all, PROGRAMS_HTTP, 21);
}

static int by_instructions(const void *a, const void *b)
{
	const struct program *first = a, *second = b;

	return (first->instructions < second->instructions) - (first->instructions > second->instructions);
}

static void within_half_the_limit(void **state)
{
	(void)state;
	qsort(programs, PROGRAMS_MAX, sizeof(*programs), by_instructions);
	for (const struct program *program = programs; *program->name; program++)
		printf("# %7u %s (%s)\n", program->instructions, program->name, program->way);
	assert_in_range(programs->instructions, 1, LIMIT / 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(of_run),
		cmocka_unit_test(of_streams),
		cmocka_unit_test(within_half_the_limit),
	};

	return cmocka_run_group_tests_name("verifier", tests, NULL, NULL);
}
