// SPDX-License-Identifier: GPL-2.0-only
/*
 * The command table.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "log.h"
#include "options.h"

static int cmd_version(int argc, char **argv);
static int cmd_help(int argc, char **argv);

static const struct {
	const char *name;
	const char *summary;
	int (*function)(int argc, char **argv);
} commands[] = {
	{"run", "filter and track until stopped; then print the summary", cmd_run},
	{"states", "print the state transitions of every TCP socket, live", cmd_states},
	{"conns", "print a line for each TCP connection that ends, or list the living", cmd_conns},
	{"status", "one snapshot of a running filter", cmd_status},
	{"top", "full-screen view of a running filter", cmd_top},
	{"why", "what would happen to a SYN from an address, and which rule says so", cmd_why},
	{"block", "drop everything from a prefix", cmd_block},
	{"unblock", "take a prefix off the block list", cmd_unblock},
	{"allow", "pass every sound packet from a prefix, whatever other rules say", cmd_allow},
	{"unallow", "take a prefix off the allow list", cmd_unallow},
	{"list", "show both lists", cmd_list},
	{"check-config", "say whether a configuration file is valid, and what is wrong with it", cmd_check_config},
	{"detach", "remove everything that a crashed or --keep run left", cmd_detach},
	{"doctor", "what on this machine would weaken the protection, and the command that mends it", cmd_doctor},
	{"version", "print the version", cmd_version},
	{"help", "explain a command", cmd_help},
};

#define COMMANDS (sizeof(commands) / sizeof(*commands))

static int find(const char *name)
{
	for (size_t i = 0; i < COMMANDS; i++)
		if (!strcmp(commands[i].name, name))
			return i;
	log_error("\"%s\" is not a command; see: synwarden help", name);
	return -1;
}

static int cmd_version(int argc, char **argv)
{
	if (argc > 1) {
		log_error("version: \"%s\" is too much; it takes no arguments", argv[1]);
		return EXIT_USAGE;
	}
	puts("synwarden " VERSION);
	return 0;
}

static void usage(FILE *out)
{
	fputs("usage: synwarden COMMAND [OPTIONS]\n\n", out);
	for (size_t i = 0; i < COMMANDS; i++)
		fprintf(out, "  %-12s %s\n", commands[i].name, commands[i].summary);
	fputs("\nsynwarden help COMMAND explains one. Exit codes: 0 done, 1 failed, 2 usage; doctor: 3 weak, 4 "
	      "broken.\n",
	      out);
}

static int cmd_help(int argc, char **argv)
{
	char help[] = "--help", *ask[] = {NULL, help, NULL};
	int command;

	if (argc < 2) {
		usage(stdout);
		return 0;
	}
	command = find(argv[1]);
	if (command < 0)
		return EXIT_USAGE;
	if (commands[command].function == cmd_version || commands[command].function == cmd_help) {
		printf("synwarden %s: %s\n", commands[command].name, commands[command].summary);
		return 0;
	}
	ask[0] = argv[1];
	return commands[command].function(2, ask);
}

/* Whatever is opened first would else take the number of a standard stream that was closed, and get its lines. */
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
	int command;

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
	if (command < 0)
		return EXIT_USAGE;
	log_libbpf();
	return commands[command].function(argc - 1, argv + 1);
}
