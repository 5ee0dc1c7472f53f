// SPDX-License-Identifier: GPL-2.0-only
/*
 * The command line: options__parse() with its messages word for word, the usage text.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "config/options.h"
#include "lib/capture.h"
#include "lib/text.h"
#include "text/address.h"
#include "types.h"

#define NS_PER_S 1000000000ULL

struct probe_options {
	bool dry_run;
	bool quiet;
	uint32_t budget;
	uint32_t mode;
	const char *config;
	struct prefix addr;
	uint64_t lifetime_ns;
	uint32_t state;
	struct listen_at listen;
};

static const struct option_row rows[] = {
	{"dry-run", 'n', OPTION_FLAG, 0, 0, NULL, offsetof(struct probe_options, dry_run), .help = "pass everything"},
	{"quiet", 'q', OPTION_FLAG, 0, 0, NULL, offsetof(struct probe_options, quiet), .help = "no live lines"},
	{"port-budget", 'b', OPTION_NUMBER, 0, 1000000, "N", offsetof(struct probe_options, budget),
	 .help = "SYN/s a port", .fallback = "1000"},
	{"mode", 0, OPTION_CHOICE, 0, 0, "auto|native|generic", offsetof(struct probe_options, mode),
	 .help = "how to attach"},
	{"config", 'c', OPTION_TEXT, 0, 0, "FILE", offsetof(struct probe_options, config), .help = "INI file"},
	{"addr", 0, OPTION_CIDR, 0, 0, "CIDR", offsetof(struct probe_options, addr), .help = "within CIDR"},
	{"for", 0, OPTION_DURATION, 1, 86400, "10m", offsetof(struct probe_options, lifetime_ns),
	 .help = "until it expires"},
	{"state", 's', OPTION_STATE, 0, 0, "STATE", offsetof(struct probe_options, state),
	 .help = "into or out of STATE"},
	{"listen", 0, OPTION_LISTEN, 0, 0, "ADDR:PORT|off", offsetof(struct probe_options, listen), .help = "endpoint",
	 .restart = true},
};

static const struct option_table probe = {
	.command = "probe",
	.arguments = "IFACE...",
	.summary = "Looks at interfaces.",
	.rows = rows,
	.count = COUNT_OF(rows),
	.min_arguments = 1,
	.max_arguments = 2,
};

static const char usage[] = "usage: synwarden probe [OPTIONS] IFACE...\n"
			    "Looks at interfaces.\n"
			    "\n"
			    "  -n, --dry-run                   pass everything\n"
			    "  -q, --quiet                     no live lines\n"
			    "  -b, --port-budget N             SYN/s a port; default 1000\n"
			    "      --mode auto|native|generic  how to attach\n"
			    "  -c, --config FILE               INI file\n"
			    "      --addr CIDR                 within CIDR\n"
			    "      --for 10m                   until it expires\n"
			    "  -s, --state STATE               into or out of STATE\n"
			    "      --listen ADDR:PORT|off      endpoint; a reload does not change it\n"
			    "  -h, --help                      print this and exit\n";

/* Parses `args` (NULL ends them) after the command's name, and returns what was said on stderr. */
static const char *parse(struct capture *said, const struct option_table *table, const char *const *args,
			 struct probe_options *options, char *argv[ARGUMENTS_MAX], int *result)
{
	int argc = 0;

	argv[argc++] = (char *)table->command;
	while (*args && argc < ARGUMENTS_MAX - 1)
		argv[argc++] = (char *)*args++;
	argv[argc] = NULL;
	capture_begin(said, STDERR_FILENO);
	*result = options__parse(table, argc, argv, options);
	return capture_end(said);
}

static void test_every_kind(void **state)
{
	static const char *const args[] = {
		"-nb5",	    "--mode",	"generic",  "eth0", "--config=a=b", "--addr=10.0.0.0/8", "--for=2h",
		"-sLISTEN", "--listen", "[::1]:80", NULL};
	struct probe_options options = {.budget = 1000};
	char *argv[ARGUMENTS_MAX];
	struct capture said;
	int result;

	(void)state;
	assert_string_equal(parse(&said, &probe, args, &options, argv, &result), "");
	assert_int_equal(result, 1);
	assert_string_equal(argv[1], "eth0");
	assert_true(options.dry_run);
	assert_false(options.quiet);
	assert_int_equal(options.budget, 5);
	assert_int_equal(options.mode, 2);
	assert_string_equal(options.config, "a=b");
	assert_int_equal(options.addr.prefixlen, 104);
	assert_int_equal(ntohl(options.addr.words[3]), 0x0a000000);
	assert_int_equal(options.lifetime_ns, 7200 * NS_PER_S);
	assert_int_equal(options.state, STATE_LISTEN);
	assert_int_equal(options.listen.port, 80);
	assert_false(options.listen.off);
}

static void test_arguments(void **state)
{
	static const struct {
		const char *args[7];
		int count;
		const char *arguments[2];
		uint32_t budget;
		bool quiet;
	} rows[] = {
		{{"eth0"}, 1, {"eth0"}, 1000, false},
		{{"eth0", "-q", "eth1", "-b", "7"}, 2, {"eth0", "eth1"}, 7, true},
		{{"-q", "eth0", "--port-budget", "7", "eth1"}, 2, {"eth0", "eth1"}, 7, true},
		{{"eth0", "--port-budget=7", "-q"}, 1, {"eth0"}, 7, true},
		{{"-b7", "-b", "8", "eth0"}, 1, {"eth0"}, 8, false},
		{{"-q", "--", "--quiet", "-b"}, 2, {"--quiet", "-b"}, 1000, true},
		{{"eth0", "--", "eth1"}, 2, {"eth0", "eth1"}, 1000, false},
		{{"eth0", "--"}, 1, {"eth0"}, 1000, false},
		{{"-", "", "--port-budget", "1000000"}, 2, {"-", ""}, 1000000, false},
	};
	char *argv[ARGUMENTS_MAX];
	struct capture said;
	int result, i;
	size_t row;

	(void)state;
	for (row = 0; row < COUNT_OF(rows); row++) {
		struct probe_options options = {.budget = 1000};

		assert_string_equal(parse(&said, &probe, rows[row].args, &options, argv, &result), "");
		assert_int_equal(result, rows[row].count);
		for (i = 0; i < result; i++)
			assert_string_equal(argv[1 + i], rows[row].arguments[i]);
		assert_int_equal(options.budget, rows[row].budget);
		assert_int_equal(options.quiet, rows[row].quiet);
	}
}

/* Mixing must not depend on the environment. */
static void test_arguments_posixly(void **state)
{
	setenv("POSIXLY_CORRECT", "1", 1);
	test_arguments(state);
	unsetenv("POSIXLY_CORRECT");
}

static void test_choices(void **state)
{
	static const char *const names[] = {"auto", "native", "generic"};
	struct probe_options options = {.mode = 9};
	char *argv[ARGUMENTS_MAX];
	struct capture said;
	int result;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT_OF(names); i++) {
		const char *args[] = {"eth0", "--mode", names[i], NULL};

		parse(&said, &probe, args, &options, argv, &result);
		assert_int_equal(result, 1);
		assert_int_equal(options.mode, i);
	}
}

static void test_bounds_belong(void **state)
{
	static const struct {
		const char *text;
		uint64_t ns;
	} rows[] = {{"1", NS_PER_S}, {"1d", 86400 * NS_PER_S}, {"86400", 86400 * NS_PER_S}};
	struct probe_options options;
	char *argv[ARGUMENTS_MAX];
	struct capture said;
	int result;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT_OF(rows); i++) {
		const char *args[] = {"eth0", "--for", rows[i].text, NULL};

		assert_string_equal(parse(&said, &probe, args, &options, argv, &result), "");
		assert_int_equal(options.lifetime_ns, rows[i].ns);
	}
}

static void test_refused(void **state)
{
	static const struct {
		const char *args[5];
		const char *error;
	} rows[] = {
		{{"--port-budget", "abc"}, "--port-budget: \"abc\" is not a number from 0 to 1000000"},
		{{"--port-budget=1000001"}, "--port-budget: \"1000001\" is not a number from 0 to 1000000"},
		{{"eth0", "-b", "-1"}, "--port-budget: \"-1\" is not a number from 0 to 1000000"},
		{{"--port-budget="}, "--port-budget: \"\" is not a number from 0 to 1000000"},
		{{"-b", "--quiet"}, "--port-budget: \"--quiet\" is not a number from 0 to 1000000"},
		{{"-b", "1\n\033[31m2"}, "--port-budget: \"1??[31m2\" is not a number from 0 to 1000000"},
		{{"--mode", "Auto"}, "--mode: \"Auto\" is not one of auto|native|generic"},
		{{"--mode", "nat"}, "--mode: \"nat\" is not one of auto|native|generic"},
		{{"--mode", "auto|native"}, "--mode: \"auto|native\" is not one of auto|native|generic"},
		{{"--mode="}, "--mode: \"\" is not one of auto|native|generic"},
		{{"--addr", "10.0.0.1/8"},
		 "--addr: \"10.0.0.1/8\" is not a prefix: bits are set behind its length; did you mean 10.0.0.0/8?"},
		{{"--addr", "x"}, "--addr: \"x\" is not an IPv4 or IPv6 address, optionally with /LENGTH"},
		{{"--for", "soon"}, "--for: \"soon\" is not a duration such as 90, 90s, 10m, 1h30m, 2.5h, 1d or 1w"},
		{{"--for", "0"}, "--for: \"0\" is not a duration from 1s to 1d"},
		{{"--for", "86401"}, "--for: \"86401\" is not a duration from 1s to 1d"},
		{{"-s", "OPEN"},
		 "--state: \"OPEN\" is not one of ESTABLISHED SYN_SENT SYN_RECV FIN_WAIT1 FIN_WAIT2 TIME_WAIT CLOSE "
		 "CLOSE_WAIT LAST_ACK LISTEN CLOSING NEW_SYN_RECV"},
		{{"--listen", "9798"},
		 "--listen: \"9798\" is not ADDR:PORT, [ADDR]:PORT for IPv6 (port 1 to 65535), or off"},
		{{"eth0", "--port-budget"}, "--port-budget needs a value: N"},
		{{"eth0", "-b"}, "--port-budget needs a value: N"},
		{{"eth0", "-qb"}, "--port-budget needs a value: N"},
		{{"eth0", "--mode"}, "--mode needs a value: auto|native|generic"},
		{{"eth0", "--quiet=yes"}, "\"--quiet=yes\": --quiet takes no value"},
		{{"eth0", "--help=me"}, "\"--help=me\": --help takes no value"},
		{{"eth0", "--port"}, "unknown option \"--port\": did you mean --port-budget?"},
		{{"eth0", "--port-budgets"}, "unknown option \"--port-budgets\": did you mean --port-budget?"},
		{{"eth0", "--quie"}, "unknown option \"--quie\": did you mean --quiet?"},
		{{"eth0", "--=1"}, "unknown option \"--=1\""},
		{{"--\033", "eth0"}, "unknown option \"--?\""},
		{{"eth0", "-x"}, "unknown option \"-x\""},
		{{"eth0", "-qx"}, "unknown option \"-x\""},
		{{"eth0", "-\303\251"}, "unknown option \"-?\""},
		{{"eth0", "-quiet"}, "unknown option \"-u\""},
		{{NULL}, "missing argument: IFACE..."},
		{{"-q", "--"}, "missing argument: IFACE..."},
		{{"eth0", "eth1", "eth2"}, "unexpected argument \"eth2\": it takes IFACE..."},
	};
	char *argv[ARGUMENTS_MAX], expected[512];
	struct probe_options options;
	struct capture said;
	const char *error;
	int result;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT_OF(rows); i++) {
		error = parse(&said, &probe, rows[i].args, &options, argv, &result);
		snprintf(expected, sizeof(expected), "synwarden probe: %s (synwarden help probe)\n", rows[i].error);
		assert_string_equal(error, expected);
		assert_int_equal(result, -EXIT_USAGE);
	}
}

static void test_refused_leaves_defaults(void **state)
{
	static const char *const args[] = {"eth0", "--listen", "nowhere", NULL};
	struct probe_options options = {.budget = 1000, .listen = {.port = 9798}};
	char *argv[ARGUMENTS_MAX];
	struct capture said;
	int result;

	(void)state;
	parse(&said, &probe, args, &options, argv, &result);
	assert_int_equal(result, -EXIT_USAGE);
	assert_int_equal(options.budget, 1000);
	assert_int_equal(options.listen.port, 9798);
}

static void test_no_arguments_taken(void **state)
{
	static const struct option_table bare = {.command = "bare", .arguments = "", .summary = "Nothing."};
	static const char *const args[] = {"eth0", NULL};
	char *argv[ARGUMENTS_MAX];
	struct capture said;
	int result;

	(void)state;
	assert_string_equal(parse(&said, &bare, args, NULL, argv, &result),
			    "synwarden bare: unexpected argument \"eth0\": it takes none (synwarden help bare)\n");
	assert_int_equal(result, -EXIT_USAGE);
	assert_string_equal(parse(&said, &bare, args + 1, NULL, argv, &result), "");
	assert_int_equal(result, 0);
	capture_begin(&said, STDOUT_FILENO);
	options__usage(&bare);
	assert_string_equal(capture_end(&said), "usage: synwarden bare [OPTIONS]\nNothing.\n\n"
						"  -h, --help  print this and exit\n");
}

static void test_help_exits(void **state)
{
	static const char *const ways[] = {"-h", "--help", "-qh"};
	struct probe_options options;
	struct capture said;
	int status;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT_OF(ways); i++) {
		char *argv[] = {"probe", (char *)ways[i], "--nonsense", NULL};
		pid_t child;

		capture_begin(&said, STDOUT_FILENO);
		child = fork();
		if (!child) {
			options__parse(&probe, 3, argv, &options);
			_exit(99);
		}
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_string_equal(capture_end(&said), usage);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), 0);
	}
}

int main(void)
{
	static const struct CMUnitTest options[] = {
		cmocka_unit_test(test_every_kind),
		cmocka_unit_test(test_arguments),
		cmocka_unit_test(test_arguments_posixly),
		cmocka_unit_test(test_choices),
		cmocka_unit_test(test_bounds_belong),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_refused_leaves_defaults),
		cmocka_unit_test(test_no_arguments_taken),
		cmocka_unit_test(test_help_exits),
	};

	return cmocka_run_group_tests(options, NULL, NULL);
}
