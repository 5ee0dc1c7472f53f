// SPDX-License-Identifier: GPL-2.0-only
/*
 * synwarden-net: the commands that need libcurl and libyajl, in a program of their own, so that the one that filters
 * does not load it. synwarden starts it: user/cmd/net.c.
 */
#include <stdio.h>
#include <string.h>

#include "config/options.h"
#include "fetch/fetch.h"
#include "sync/sync.h"
#include "text/log.h"

int main(int argc, char **argv)
{
	log_libbpf();
	if (argc >= 2 && !strcmp(argv[1], "fetch"))
		return fetch(argc - 1, argv + 1);
	if (argc >= 2 && !strcmp(argv[1], "sync"))
		return sync_command(argc - 1, argv + 1);
	log_error("synwarden-net is started by synwarden; see: synwarden help fetch, synwarden help sync");
	return EXIT_USAGE;
}
