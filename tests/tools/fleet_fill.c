// SPDX-License-Identifier: GPL-2.0-only
/*
 * Writes the fleet's lists in place of `synwarden sync`: fleet_fill put|remove|replace allow|block [SECONDS [SOURCE
 * [ORIGIN [SCENARIO]]]], with a prefix a line on stdin. SECONDS: how long the entries hold; 0: for good. Gives all
 * rights up before it writes. Prints how many entries the list then has.
 */
#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/cidr.h"
#include "kernel/fleet_lists.h"
#include "system/clock.h"

#define NOBODY 65534

struct input {
	struct fleet_entry *entries;
	struct prefix *prefixes;
	size_t count, room;
};

static int fail(const char *what)
{
	fprintf(stderr, "fleet_fill: %s: %s\n", what, strerror(errno));
	return 1;
}

static int read_input(struct input *in, uint64_t until_ns, uint32_t origin)
{
	char line[64];
	const char *why;

	while (fgets(line, sizeof(line), stdin)) {
		struct prefix prefix;

		line[strcspn(line, "\n")] = '\0';
		if (parse_cidr(line, &prefix, &why))
			return -1;
		if (in->count == in->room) {
			in->room = in->room * 2 ?: 1024;
			in->entries = reallocarray(in->entries, in->room, sizeof(*in->entries));
			in->prefixes = reallocarray(in->prefixes, in->room, sizeof(*in->prefixes));
			if (!in->entries || !in->prefixes)
				return -1;
		}
		in->prefixes[in->count] = prefix;
		in->entries[in->count++] = (struct fleet_entry){prefix, until_ns, origin};
	}
	return 0;
}

static int drop_rights(void)
{
	return setgroups(0, NULL) || setresgid(NOBODY, NOBODY, NOBODY) || setresuid(NOBODY, NOBODY, NOBODY) ? -1 : 0;
}

static int change(struct fleet_lists *lists, const char *verb, enum list list, struct input *in)
{
	if (!strcmp(verb, "put"))
		return fleet_lists__put(lists, list, in->entries, in->count, NULL);
	if (!strcmp(verb, "remove"))
		return fleet_lists__remove(lists, list, in->prefixes, in->count);
	return fleet_lists__replace(lists, list, in->entries, in->count);
}

int main(int argc, char **argv)
{
	enum list list = argc > 2 && !strcmp(argv[2], "allow") ? LIST_ALLOW : LIST_BLOCK;
	unsigned long seconds = argc > 3 ? strtoul(argv[3], NULL, 10) : 0;
	struct fleet_origin origin = {};
	struct fleet_lists *lists;
	struct input in = {};

	if (argc < 3 || fleet_lists__open(&lists, true))
		return fail("no fleet's lists");
	if (drop_rights())
		return fail("cannot drop the rights");
	snprintf(origin.source, sizeof(origin.source), "%s", argc > 4 ? argv[4] : "");
	snprintf(origin.origin, sizeof(origin.origin), "%s", argc > 5 ? argv[5] : "");
	snprintf(origin.scenario, sizeof(origin.scenario), "%s", argc > 6 ? argv[6] : "");
	if (read_input(&in, seconds ? clock__now() + seconds * NS_PER_S : 0,
		       *origin.source ? fleet_lists__row(lists, &origin) : 0))
		return fail("stdin");
	if (change(lists, argv[1], list, &in))
		return fail(argv[1]);
	printf("%zu\n", fleet_lists__size(lists, list).entries);
	fleet_lists__close(lists);
	free(in.entries);
	free(in.prefixes);
	return 0;
}
