// SPDX-License-Identifier: GPL-2.0-only
/*
 * The options of `run` as rows, and their defaults.
 */
#include <string.h>

#include "config/run_options.h"

static const struct option_row rows[] = {
	{"config", 'c', OPTION_FILE, 0, 0, "FILE", offsetof(struct run_options, config),
	 .help = "read options, ports and lists from it; default " CONFIG_FILE " where it exists"},
	{"dry-run", 'n', OPTION_FLAG, 0, 0, NULL, offsetof(struct run_options, dry_run),
	 .help = "judge and count as if enforcing, but pass everything"},
	{"source-limit", 0, OPTION_NUMBER, 0, SOURCE_LIMIT_MAX, "N", offsetof(struct run_options, source_limit),
	 .help = "SYN/s from one source (IPv4 address, IPv6 /64) before it is dropped; 0: off", .fallback = "0"},
	{"port-budget", 0, OPTION_NUMBER, 0, PORT_BUDGET_MAX, "N", offsetof(struct run_options, port_budget),
	 .help = "SYN/s admitted to one listening port before the rest are challenged; 0: off", .fallback = "1000"},
	{"challenge", 0, OPTION_CHOICE, 0, 0, "off|auto", offsetof(struct run_options, challenge),
	 .help = "answer SYNs over budget with a SYN cookie, or drop them (off)", .fallback = "auto"},
	{"stray-budget", 0, OPTION_NUMBER, 0, PORT_BUDGET_MAX, "N", offsetof(struct run_options, stray_budget),
	 .help = "segments/s without a connection to a listening port, or to all closed ones, before the rest are "
		 "dropped; 0: off",
	 .fallback = "1000"},
	{"protect", 0, OPTION_SERVED, 0, 0, "auto|[ADDR:]PORT[,...]", offsetof(struct run_options, protect),
	 .help = "served from the start, without waiting for a first handshake; auto: ports that nothing translates"},
	{"harden", 0, OPTION_FLAG, 0, 0, NULL, offsetof(struct run_options, harden),
	 .help = "while a port is armed, also shorten the SYN backlog's time-outs and let cookies keep options"},
	{"max-entries", 0, OPTION_NUMBER, LIST_ENTRIES_MIN, LIST_ENTRIES_MAX, "N",
	 offsetof(struct run_options, max_entries), .help = "entries that the allow list, and the block list, may have",
	 .fallback = "65536", .restart = true},
	{"http", 0, OPTION_CHOICE, 0, 0, "off|on", offsetof(struct run_options, http),
	 .help = "count HTTP requests on TCP connections, by listening port, for the metrics", .fallback = "off",
	 .restart = true},
	{"xdp-mode", 0, OPTION_CHOICE, 0, 0, "auto|native|generic", offsetof(struct run_options, xdp_mode),
	 .help = "where the program runs; auto: native, else generic; on a veth generic", .fallback = "auto",
	 .restart = true},
	{"listen", 0, OPTION_LISTEN, 0, 0, "ADDR:PORT|off", offsetof(struct run_options, listen),
	 .help = "HTTP endpoint", .fallback = "127.0.0.1:9798", .restart = true},
	{"tls-cert", 0, OPTION_FILE, 0, 0, "FILE", offsetof(struct run_options, tls_cert),
	 .help = "serve HTTPS with this certificate (PEM, with its chain)", .restart = true},
	{"tls-key", 0, OPTION_FILE, 0, 0, "FILE", offsetof(struct run_options, tls_key),
	 .help = "the certificate's key (PEM)", .restart = true},
	{"auth-file", 0, OPTION_FILE, 0, 0, "FILE", offsetof(struct run_options, auth_file),
	 .help = "users of the endpoint: lines USER:HASH, by crypt(3) as yescrypt or SHA-512", .restart = true},
	{"host", 0, OPTION_HOSTS, 0, 0, "NAME[,...]", offsetof(struct run_options, hosts),
	 .help = "answer requests to these names too, besides addresses, localhost and this host's own name",
	 .restart = true},
	{"duration", 0, OPTION_NUMBER, 1, 31536000, "SECONDS", offsetof(struct run_options, seconds),
	 .help = "stop by itself"},
	{"keep", 0, OPTION_FLAG, 0, 0, NULL, offsetof(struct run_options, keep),
	 .help = "leave the filter attached on exit"},
	{"quiet", 'q', OPTION_FLAG, 0, 0, NULL, offsetof(struct run_options, quiet), .help = "no live lines"},
};

const struct option_table run_options__options = {
	.command = "run",
	.arguments = "[IFACE...]",
	.summary = "Filters SYNs on the interfaces and tracks TCP connections until SIGINT or SIGTERM.",
	.examples = "  synwarden run --dry-run eth0\n"
		    "  synwarden run --port-budget 3000 --protect 80,443 eth0\n"
		    "  synwarden run --source-limit 200 --duration 600 eth0 eth1\n",
	.rows = rows,
	.count = sizeof(rows) / sizeof(*rows),
	.max_arguments = META_INTERFACES,
};

void run_options__defaults(struct run_options *options)
{
	memset(options, 0, sizeof(*options));
	options__defaults(&run_options__options, options);
}
