// SPDX-License-Identifier: GPL-2.0-only
/*
 * The command table.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "config/options.h"
#include "endpoint/endpoint.h"
#include "output/reference.h"
#include "output/sync_keys.h"
#include "text/log.h"
#include "text/suggest.h"
#include "top/reference.h"

static int cmd_version(int argc, char **argv);
static int cmd_help(int argc, char **argv);

/* A row without a name is the heading of those below it. */
static const struct {
	const char *name;
	const char *summary;
	int (*function)(int argc, char **argv);
} commands[] = {
	{NULL, "Watch", NULL},
	{"top", "show a running filter full-screen", cmd_top},
	{"status", "print what a running filter has counted", cmd_status},
	{"events", "print what has happened: attacks with their figures, reloads, losses", cmd_events},
	{"report", "print a report of an attack, for a provider or the police", cmd_report},
	{"why", "explain what happens to a SYN from an address, and by which rule", cmd_why},
	{"states", "print the state transitions of every TCP socket, live", cmd_states},
	{"conns", "print TCP connections as they close, or list open ones", cmd_conns},
	{"ladder", "show connections segment by segment, live or from a capture file", cmd_ladder},
	{"http", "show HTTP requests and their answers, live", cmd_http},
#ifndef WITHOUT_FETCH
	{"fetch", "fetch a page, and say what each step did, and where and why it failed", cmd_fetch},
#endif
	{NULL, "Act", NULL},
	{"block", "drop everything from a prefix", cmd_block},
	{"unblock", "remove a prefix from the block list", cmd_unblock},
	{"allow", "pass every well-formed packet from a prefix, before all other rules", cmd_allow},
	{"unallow", "remove a prefix from the allow list", cmd_unallow},
	{"list", "print both lists", cmd_list},
	{NULL, "Set up", NULL},
	{"run", "filter and track until stopped; then print the summary", cmd_run},
#ifndef WITHOUT_FETCH
	{"sync", "keep the fleet's lists in step with CrowdSec and with lists on web servers", cmd_sync},
#endif
	{"doctor", "check this host for what weakens the protection, with fixes", cmd_doctor},
	{"check-config", "check a configuration file, and name each error with its line", cmd_check_config},
	{"detach", "remove what a crashed run, or one with --keep, has left", cmd_detach},
	{NULL, "Explain", NULL},
	{"help", "explain a command, or print a table", cmd_help},
	{"version", "print the version", cmd_version},
};

#define COMMANDS (sizeof(commands) / sizeof(*commands))

/* Topics whose tables are made where they are used; the others are in `references`. */
static const struct {
	const char *name, *summary;
	int (*print)(FILE *out);
} topics[] = {
	{"metrics", "the metrics of the HTTP endpoint", metrics__reference},
	{"sync-keys", "the keys of [sync], [crowdsec] and [list NAME]", sync_keys__print},
	{"top-keys", "the keys of synwarden top", top_reference__keys},
	{"top-columns", "the columns of its ports", top_reference__columns},
};

#define TOPICS (sizeof(topics) / sizeof(*topics))

/* The command's number; COMMANDS: there is none of this name. */
static size_t find(const char *name)
{
	size_t i;

	for (i = 0; i < COMMANDS; i++)
		if (commands[i].name && !strcmp(commands[i].name, name))
			break;
	return i;
}

static int refuse(const char *name, bool or_topic)
{
	struct suggestion suggestion = {.typed = name, .len = strlen(name)};
	char meant[SUGGEST_LEN];

	for (size_t i = 0; i < COMMANDS; i++)
		if (commands[i].name)
			suggest__consider(&suggestion, commands[i].name);
	for (size_t i = 0; or_topic && i < reference_count; i++)
		suggest__consider(&suggestion, references[i].name);
	for (size_t i = 0; or_topic && i < TOPICS; i++)
		suggest__consider(&suggestion, topics[i].name);
	suggest__text(meant, &suggestion, "");
	log_error("\"%s\" is not a command%s%s%s: synwarden help", name, or_topic ? " or a topic" : "", meant,
		  *meant ? " See" : "; see");
	return EXIT_USAGE;
}

static int cmd_version(int argc, char **argv)
{
	if (argc > 1) {
		log_error("version: unexpected argument \"%s\": it takes none", argv[1]);
		return EXIT_USAGE;
	}
	puts("synwarden " VERSION);
	return 0;
}

static void usage(FILE *out)
{
	fputs("usage: synwarden COMMAND [OPTIONS]\n\nUnder attack? synwarden top\n", out);
	for (size_t i = 0; i < COMMANDS; i++)
		if (commands[i].name)
			fprintf(out, "  %-12s %s\n", commands[i].name, commands[i].summary);
		else
			fprintf(out, "\n%s\n", commands[i].summary);
	fputs("\nsynwarden help COMMAND explains a command; synwarden help TOPIC prints a table:\n\n", out);
	for (size_t i = 0; i < reference_count; i++)
		fprintf(out, "  %-13s %s\n", references[i].name, references[i].summary);
	for (size_t i = 0; i < TOPICS; i++)
		fprintf(out, "  %-13s %s\n", topics[i].name, topics[i].summary);
	fputs("\nExit codes: 0 done, 1 failed, 2 usage; doctor: 3 weak, 4 broken.\n", out);
}

static int print_topic(const char *topic)
{
	const struct reference *reference = reference__find(topic);

	for (size_t i = 0; i < TOPICS; i++)
		if (!strcmp(topic, topics[i].name))
			return topics[i].print(stdout) ? EXIT_FAILURE : EXIT_SUCCESS;
	if (!reference)
		return refuse(topic, true);
	reference__print(stdout, reference);
	return EXIT_SUCCESS;
}

static int cmd_help(int argc, char **argv)
{
	char help[] = "--help", *ask[] = {NULL, help, NULL};
	size_t command;

	if (argc < 2) {
		usage(stdout);
		return 0;
	}
	command = find(argv[1]);
	if (command == COMMANDS)
		return print_topic(argv[1]);
	if (commands[command].function == cmd_version || commands[command].function == cmd_help) {
		printf("synwarden %s: %s\n", commands[command].name, commands[command].summary);
		return 0;
	}
	ask[0] = argv[1];
	return commands[command].function(2, ask);
}

/* A file opened later must not take the number of a standard stream that was closed, and get its output. */
static void open_standard_streams(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

int main(int argc, char **argv)
{
	char help[] = "help", version[] = "version";
	size_t command;

	open_standard_streams();
	if (argc < 2) {
		usage(stderr);
		return EXIT_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))
		argv[1] = help;
	else if (!strcmp(argv[1], "--version"))
		argv[1] = version;
	command = find(argv[1]);
	if (command == COMMANDS)
		return refuse(argv[1], false);
	log_libbpf();
	return commands[command].function(argc - 1, argv + 1);
}
