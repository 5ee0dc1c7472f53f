// SPDX-License-Identifier: GPL-2.0-only
/*
 * synwarden block, unblock, allow, unallow: the lists of the running filter. Commands write maps alone; `run`
 * keeps what they wrote.
 */
#include <stdio.h>
#include <stdlib.h>

#include "cmd/cmd.h"
#include "config/list_file.h"
#include "config/options.h"
#include "config/cidr.h"
#include "kernel/fleet_lists.h"
#include "kernel/lists.h"
#include "kernel/pins.h"
#include "output/fleet_origin.h"
#include "system/clock.h"
#include "system/connected.h"
#include "text/address.h"
#include "text/log.h"
#include "text/print.h"

struct list_options {
	uint64_t lifetime_ns;
	const char *file;
};

#define FILE_ROW                                                                                                       \
	{                                                                                                              \
		"file", 0, OPTION_TEXT, 0, 0, "FILE", offsetof(struct list_options, file),                             \
			.help = "also those of a list file; -: of standard input"                                      \
	}

static const struct option_row add_rows[] = {
	FILE_ROW,
	{"for", 0, OPTION_DURATION, 1, 31536000, "10m", offsetof(struct list_options, lifetime_ns),
	 .help = "remove the entry after this time (s, m, h, d, w; 1h30m)"},
};

static const struct option_row remove_rows[] = {FILE_ROW};

struct effect;

/* One change of a list. */
struct change {
	const char *command;
	bool add;
	enum list list;
	struct list_options options;
	struct prefixes named;	   /* on the command line */
	struct prefixes listed;	   /* in the file */
	struct fleet_lists *fleet; /* NULL: there are none */
	bool failed;		   /* some of it */
	struct effect *effects;
	size_t effect_count;
};

/* What was done, which a line tells. */
struct effect {
	struct prefixes prefixes; /* one of the command line, or those of the file */
	size_t changed;		  /* of them */
	size_t connections;	  /* established ones from there */
};

/* A prefix of the allow list wins over the block list: what it holds goes on. */
struct counting {
	struct change *change;
	struct prefixes allowed;
	bool failed;
};

/* Every argument is checked before the first is applied. 0, or the exit code after a message. */
static int parse_arguments(struct change *change, char **arguments, int count)
{
	struct prefix prefix;
	const char *why;

	for (int i = 0; i < count; i++) {
		if (parse_cidr(arguments[i], &prefix, &why)) {
			log_error("%s: \"%s\" is not %s", change->command, arguments[i], why);
			return EXIT_USAGE;
		}
		if (prefixes__add(&change->named, &prefix)) {
			log_error("%s: out of memory", change->command);
			return 1;
		}
	}
	return 0;
}

/* A file that is not taken, and one with bad lines, make the command fail; the rest is done. */
static void read_file(struct change *change)
{
	const char *file = change->options.file, *why;
	unsigned bad;

	if (list_file__read(file, &change->listed, &bad, &why))
		log_error("%s: nothing of \"%s\" is taken: %s", change->command, file, why);
	else if (!bad)
		goto taken;
	change->failed = true;
taken:
	prefixes__reduce(&change->listed, SIZE_MAX);
}

/* Whether a fleet's list has it, and none of this host's own: what undoes it here, and everywhere. */
static bool is_of_fleet(const struct change *change, const struct list_set *set, const struct prefix *prefix)
{
	char text[PRINT_PREFIX_LEN], from[FLEET_ORIGIN_LEN];
	struct fleet_origin origin = {};
	struct fleet_entry entry;
	struct list_entry own;

	if (!change->fleet || list_set__find(set, change->list, prefix, &own) ||
	    !fleet_lists__find(change->fleet, change->list, prefix, &entry) ||
	    (entry.until_ns && entry.until_ns <= clock__now()))
		return false;
	print_prefix(text, prefix);
	fleet_lists__origin(change->fleet, entry.origin, &origin);
	log_error("%s: %s comes from the fleet (%s); here alone: synwarden %s %s; everywhere: at its source, as "
		  "cscli decisions delete --%s %s",
		  change->command, text, fleet_origin__text(from, &origin),
		  change->list == LIST_BLOCK ? "allow" : "block", text, prefix->prefixlen == 128 ? "ip" : "range",
		  text);
	return true;
}

static int apply(struct change *change, const struct list_set *set, const struct prefix *prefix, bool quiet)
{
	int ret;

	if (!change->add && !quiet && is_of_fleet(change, set, prefix)) {
		change->failed = true;
		return 1;
	}
	ret = change->add ? lists__add(set, change->list, prefix, change->options.lifetime_ns)
			  : lists__remove(set, change->list, prefix, quiet);

	change->failed |= ret < 0;
	return ret;
}

/* All that can be done is done. */
static void apply_named(struct change *change, const struct list_set *set)
{
	for (size_t i = 0; i < change->named.count; i++)
		if (apply(change, set, &change->named.all[i], false) == 0)
			change->effects[change->effect_count++] =
				(struct effect){.prefixes = {&change->named.all[i], 1}, .changed = 1};
}

static void apply_listed(struct change *change, const struct list_set *set)
{
	const struct prefixes *listed = &change->listed;
	size_t missing = 0, changed = 0;
	int ret = 0;

	for (size_t i = 0; i < listed->count && ret >= 0;
	     i++) { /* after a failure, the next thousands would fail like it */
		ret = apply(change, set, &listed->all[i], true);
		missing += ret > 0;
		changed += ret == 0;
	}
	if (missing && !change->add)
		log_notice("%zu of %zu prefixes were not on the %s list", missing, listed->count,
			   lists__name(change->list));
	if (changed)
		change->effects[change->effect_count++] = (struct effect){.prefixes = *listed, .changed = changed};
}

static void take_allowed(void *context, const struct prefix *prefix, uint64_t left_ns, unsigned origins)
{
	struct counting *counting = context;

	(void)left_ns, (void)origins;
	counting->failed |= prefixes__add(&counting->allowed, prefix) != 0;
}

/* Those that go on are left out: of the allow list, and over lo. */
static void count_connection(void *context, const struct addr *peer)
{
	struct counting *counting = context;
	struct change *change = counting->change;

	if (print_is_loopback(peer) || prefixes__hold(&counting->allowed, peer))
		return;
	for (size_t i = 0; i < change->effect_count; i++)
		change->effects[i].connections += prefixes__hold(&change->effects[i].prefixes, peer);
}

/* Of what has just been blocked. */
static void print_connections(const struct effect *effect)
{
	char count[PRINT_NUMBER_LEN];
	bool one = effect->connections == 1;

	if (effect->connections)
		printf("; %s established connection%s from there stop%s", print_count(count, effect->connections),
		       one ? "" : "s", one ? "s" : "");
	else
		printf("; no established connection from there stops");
}

static void print_effect(const struct change *change, const struct effect *effect)
{
	char prefix[PRINT_PREFIX_LEN], number[PRINT_NUMBER_LEN];
	const char *word = change->list == LIST_BLOCK ? "blocked" : "allowed";
	bool named = effect->prefixes.all != change->listed.all;

	if (named)
		printf("%s is ", print_prefix(prefix, effect->prefixes.all));
	else
		printf("%s prefix%s of \"%s\" %s ", print_count(number, effect->changed),
		       effect->changed == 1 ? "" : "es", change->options.file, effect->changed == 1 ? "is" : "are");
	if (!change->add)
		printf("off the %s list", lists__name(change->list));
	else if (change->options.lifetime_ns)
		printf("%s for %s", word, print_duration(number, change->options.lifetime_ns));
	else
		printf("%s until removed", word);
}

/* Once all is done: those are the ones that stop. Whether they are known. */
static bool count_connections(struct change *change, const struct list_set *set)
{
	struct counting counting = {.change = change};
	bool known = lists__each(set, LIST_ALLOW, take_allowed, &counting) == 0 && !counting.failed;

	prefixes__reduce(&counting.allowed, SIZE_MAX);
	known = known && connected__each(count_connection, &counting) == 0;
	prefixes__free(&counting.allowed);
	return known;
}

static void print_effects(struct change *change, const struct pins *pins, const struct list_set *set)
{
	bool blocks = change->add && change->list == LIST_BLOCK, known = false;
	struct meta meta = {};

	if (blocks && change->effect_count && pins__meta(pins, &meta) == 0 && !meta.dry_run)
		known = count_connections(change, set);
	for (size_t i = 0; i < change->effect_count; i++) {
		print_effect(change, &change->effects[i]);
		if (known)
			print_connections(&change->effects[i]);
		puts(blocks && meta.dry_run ? "; but this is a dry run: it passes" : "");
	}
}

static int do_change(struct change *change, const struct option_table *table, int argc, char **argv)
{
	struct pins pins = {.fd = -1, .parent_fd = -1};
	int count = options__parse(table, argc, argv, &change->options), ret;
	struct list_set set = {};
	struct maps maps;

	if (count < 0)
		return -count;
	if (!count && !change->options.file)
		return -options__refuse(table, "missing argument: CIDR..., or --file");
	ret = parse_arguments(change, argv + 1, count);
	if (ret)
		return ret;
	if (change->options.file)
		read_file(change);
	change->effects = calloc(change->named.count + 1, sizeof(*change->effects));
	if (!change->effects) {
		log_error("%s: out of memory", change->command);
		return 1;
	}
	ret = 1;
	if (pins__attach(&pins, &maps) == 0 && fleet_lists__view(&change->fleet, &maps) >= 0 &&
	    list_set__open(&set, &maps, LIST_SET_OWN) == 0) {
		apply_named(change, &set);
		apply_listed(change, &set);
		print_effects(change, &pins, &set);
		ret = change->failed;
	}
	list_set__close(&set);
	fleet_lists__close(change->fleet);
	pins__close_maps(&maps);
	pins__close(&pins);
	return ret;
}

static const char *const examples[2][LIST_MAX] = {
	[true] = {[LIST_ALLOW] = "  synwarden allow 192.0.2.10\n",
		  [LIST_BLOCK] = "  synwarden block 203.0.113.0/24 --for 10m\n"
				 "  synwarden block --file /var/lib/lists/drop.txt --for 1d\n"},
	[false] = {[LIST_ALLOW] = "  synwarden unallow 192.0.2.10\n",
		   [LIST_BLOCK] = "  synwarden unblock 203.0.113.0/24\n"},
};

static int change(int argc, char **argv, bool add, enum list list)
{
	const struct option_table table = {
		.command = argv[0],
		.arguments = "[CIDR...]",
		.summary = add ? "Puts prefixes (or whole addresses) on the list of the running filter."
			       : "Takes prefixes off the list of the running filter.",
		.examples = examples[add][list],
		.rows = add ? add_rows : remove_rows,
		.count = add ? 2 : 1,
		.max_arguments = 1024,
	};
	struct change change = {.command = argv[0], .add = add, .list = list};
	int ret = do_change(&change, &table, argc, argv);

	prefixes__free(&change.named);
	prefixes__free(&change.listed);
	free(change.effects);
	return ret;
}

int cmd_block(int argc, char **argv)
{
	return change(argc, argv, true, LIST_BLOCK);
}

int cmd_unblock(int argc, char **argv)
{
	return change(argc, argv, false, LIST_BLOCK);
}

int cmd_allow(int argc, char **argv)
{
	return change(argc, argv, true, LIST_ALLOW);
}

int cmd_unallow(int argc, char **argv)
{
	return change(argc, argv, false, LIST_ALLOW);
}
