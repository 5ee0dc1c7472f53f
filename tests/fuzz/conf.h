/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The configuration file. Input: its text; a line "%%" ends it, and behind that is the list that it may name, as
 * file = /proc/self/fd/99. A file is refused with a line for each error and leaves nothing behind; one that is taken
 * holds only what is within bounds, and is the same when it is written out and read again.
 */
#ifndef SYNWARDEN_TESTS_FUZZ_CONF_H
#define SYNWARDEN_TESTS_FUZZ_CONF_H

#include <sys/mman.h>
#include <sys/stat.h>

#include "config/config_file.h"
#include "fuzz.h"
#include "text/address.h"

#define CONF_FD	  98
#define LIST_FD	  99
#define CONF_PATH "/proc/self/fd/98"
#define LIST_END  "\n%%\n"

/* A file in memory, at a descriptor of its own. */
static void put_file(int fd, const void *bytes, size_t size)
{
	int memory = memfd_create("fuzz", MFD_CLOEXEC);

	if (memory < 0 || fchmod(memory, 0600) || dup2(memory, fd) != fd || write(fd, bytes, size) != (ssize_t)size)
		abort();
	close(memory);
}

static void check_bounds(const struct settings *conf)
{
	const struct option_table *table = &run_options__options;

	for (size_t i = 0; i < table->count; i++) {
		const struct option_row *row = &table->rows[i];
		const uint32_t *value = (const void *)((const char *)&conf->options + row->offset);

		if (row->kind == OPTION_NUMBER && *value) /* 0: not given */
			PROPERTY(*value >= row->min && *value <= row->max, "%s: %u", row->name, *value);
	}
	PROPERTY(!conf->options.config, "a file that names another one");
	PROPERTY(conf->interface_count <= META_INTERFACES, "%zu interfaces", conf->interface_count);
	for (size_t i = 0; i < conf->interface_count; i++)
		PROPERTY(*conf->interfaces[i] && strnlen(conf->interfaces[i], 16) < 16, "an interface's name");
	for (unsigned list = 0; list < LIST_MAX; list++)
		PROPERTY(conf->lists[list].count <= conf->options.max_entries, "%zu entries", conf->lists[list].count);
}

static void check_ports(const struct settings *conf)
{
	static uint8_t seen[65536];

	memset(seen, 0, sizeof(seen));
	for (size_t i = 0; i < conf->options.port_count; i++) {
		const struct port_options *port = &conf->options.ports[i];

		PROPERTY(port->port && !seen[port->port]++, "[port %u] twice", port->port);
		PROPERTY(port->budget <= PORT_BUDGET_MAX && port->challenge <= CHALLENGE_AUTO, "[port %u]: %u, %u",
			 port->port, port->budget, port->challenge);
	}
}

static void write_option(FILE *out, const struct option_row *row, const struct run_options *options)
{
	const void *field = (const char *)options + row->offset;
	char endpoint[PRINT_ENDPOINT_LEN];
	const struct listen_at *at = field;
	const char *choice = row->value, *text;

	if (row->kind == OPTION_FLAG) {
		fprintf(out, "%s = %s\n", row->name, *(const bool *)field ? "yes" : "no");
	} else if (row->kind == OPTION_NUMBER) {
		if (*(const uint32_t *)field >= row->min)
			fprintf(out, "%s = %u\n", row->name, *(const uint32_t *)field);
	} else if (row->kind == OPTION_CHOICE) {
		for (uint32_t i = 0; i < *(const uint32_t *)field; i++)
			choice = strchr(choice, '|') + 1;
		fprintf(out, "%s = %.*s\n", row->name, (int)strcspn(choice, "|"), choice);
	} else if (row->kind == OPTION_LISTEN) {
		fprintf(out, "%s = %s\n", row->name, at->off ? "off" : print_endpoint(endpoint, &at->addr, at->port));
	} else if (row->kind == OPTION_SERVED && *(char *const *)field) {
		/* Its lines were added up, and one line has an end. */
		text = *(char *const *)field;
		for (size_t len; *text; text += len + (text[len] == ',')) {
			len = strcspn(text, ",");
			fprintf(out, "%s = %.*s\n", row->name, (int)len, text);
		}
	}
}

static void write_conf(FILE *out, const struct settings *conf)
{
	char prefix[PRINT_PREFIX_LEN];

	for (size_t i = 0; i < conf->interface_count; i++)
		fprintf(out, "interface = %s\n", conf->interfaces[i]);
	for (size_t i = 0; i < run_options__options.count; i++)
		write_option(out, &run_options__options.rows[i], &conf->options);
	for (size_t i = 0; i < conf->options.port_count; i++) {
		fprintf(out, "[port %u]\n", conf->options.ports[i].port);
		if (conf->options.ports[i].has_budget)
			fprintf(out, "budget = %u\n", conf->options.ports[i].budget);
		if (conf->options.ports[i].has_challenge)
			fprintf(out, "challenge = %s\n",
				conf->options.ports[i].challenge == CHALLENGE_OFF ? "off" : "auto");
	}
	for (unsigned list = 0; list < LIST_MAX; list++) {
		fprintf(out, "[%s]\n", list == LIST_ALLOW ? "allow" : "block");
		for (size_t i = 0; i < conf->lists[list].count; i++)
			fprintf(out, "cidr = %s\n", print_prefix(prefix, &conf->lists[list].all[i]));
	}
}

static char *written(const struct settings *conf)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		abort();
	write_conf(out, conf);
	fclose(out);
	return text;
}

/* What was refused leaves the defaults, and nothing to free. */
static void check_empty(const struct settings *conf)
{
	struct settings empty;
	char *left = written(conf), *right;

	settings__init(&empty);
	right = written(&empty);
	PROPERTY(!strcmp(left, right), "what was refused left something behind:\n%s", left);
	PROPERTY(!conf->options.ports && !conf->texts[0] && !conf->lists[0].all && !conf->lists[1].all &&
			 !conf->cidrs[0].all && !conf->cidrs[1].all && !conf->sources,
		 "memory left behind");
	free(left);
	free(right);
}

static void check_again(const struct settings *conf)
{
	char *text = written(conf), *again_text;
	struct settings again;

	put_file(CONF_FD, text, strlen(text));
	settings__init(&again);
	PROPERTY(!config_file__read(&again, CONF_PATH), "written out, it is refused:\n%s", text);
	again_text = written(&again);
	PROPERTY(!strcmp(text, again_text), "written out:\n%s\nit is read as:\n%s", text, again_text);
	settings__clear(&again);
	free(again_text);
	free(text);
}

/* Only the list may be named: to open other files of the machine may have effects (/dev/watchdog). */
static bool names_files(const uint8_t *text, size_t size)
{
	for (const uint8_t *at = text; (at = memmem(at, text + size - at, "file", 4)); at += 4)
		if (!memmem(at, text + size - at, "/proc/self/fd/99", 16) || memmem(at, text + size - at, "/dev", 4))
			return true;
	return false;
}

static void fuzz_conf(const uint8_t *data, size_t size)
{
	const uint8_t *end = memmem(data, size, LIST_END, strlen(LIST_END));
	size_t len = end ? (size_t)(end + 1 - data) : size, behind = end ? len + strlen(LIST_END) - 1 : size;
	struct fuzz_said said;
	struct settings conf;
	size_t errors;
	int ret;

	if (names_files(data, len))
		return;
	put_file(CONF_FD, data, len);
	put_file(LIST_FD, data + behind, size - behind);
	fuzz_listen(&said);
	settings__init(&conf);
	ret = config_file__read(&conf, CONF_PATH);
	errors = fuzz_heard(&said);
	/* A list file never makes the whole invalid. */
	PROPERTY(ret ? errors : !errors || conf.source_count, "returned %d after: %s", ret, said.text);
	PROPERTY(!fuzz_has_controls(said.text), "control characters in: %s", said.text);
	free(said.text);
	if (ret) {
		check_empty(&conf);
		return;
	}
	check_bounds(&conf);
	check_ports(&conf);
	check_again(&conf);
	settings__clear(&conf);
}

#endif
