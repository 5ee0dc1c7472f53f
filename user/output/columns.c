// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fields and columns.
 */
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "output/columns.h"
#include "system/cgroups.h"
#include "system/device_names.h"
#include "text/address.h"
#include "text/clean.h"
#include "text/colour.h"
#include "text/names.h"
#include "text/print.h"

static const char *device_of(const struct event *event)
{
	return device_names__of(event->flow.netns, event->device, event->owner.pid);
}

void columns__json_socket(struct json *json, const struct event *event)
{
	const struct flow *flow = &event->flow;
	char addr[PRINT_ADDR_LEN];

	json_number(json, "cookie", event->cookie);
	json_number(json, "family", print_is_v4(&flow->laddr) ? 4 : 6);
	json_label(json, "laddr", print_addr(addr, &flow->laddr));
	json_number(json, "lport", flow->lport);
	json_label(json, "raddr", print_addr(addr, &flow->raddr));
	json_number(json, "rport", flow->rport);
	if (event->device)
		json_string(json, "device", device_of(event));
}

void columns__json_owner(struct json *json, const struct event *event)
{
	const struct owner *owner = &event->owner;

	if (owner->pid) {
		json_number(json, "pid", owner->pid);
		json_string(json, "comm", owner->comm);
		json_label(json, "owner", print_owner_kind(owner->kind));
		json_number(json, "uid", owner->uid);
		json_string(json, "cgroup", cgroups__path(owner->cgroup));
	} else {
		json_null(json, "pid");
		json_null(json, "comm");
		json_label(json, "owner", print_owner_kind(OWNER_UNKNOWN));
		json_null(json, "uid");
		json_null(json, "cgroup");
	}
	json_number(json, "netns", event->flow.netns);
}

void columns__json_duration(struct json *json, const struct event *event)
{
	json_micros(json, "duration_us", event->at_least ? DURATION_UNKNOWN : event->duration_ns);
	if (event->at_least)
		json_micros(json, "duration_at_least_us", event->duration_ns);
}

char *columns__duration(char buf[PRINT_NUMBER_LEN], const struct event *event)
{
	*buf = '>';
	print_duration(buf + event->at_least, event->duration_ns);
	return buf;
}

unsigned columns__width(void)
{
	struct winsize size;

	return !ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && size.ws_col ? size.ws_col : UINT_MAX;
}

/* Width in characters, not bytes. */
static int length_of(const char *text)
{
	int length = 0;

	for (; *text; text++)
		length += (*text & 0xc0) != 0x80;
	return length;
}

static void put_spaces(int count)
{
	static const char spaces[] = "                                ";
	int some;

	for (; count > 0; count -= some) {
		some = count < (int)sizeof(spaces) - 1 ? count : (int)sizeof(spaces) - 1;
		fwrite_unlocked(spaces, 1, some, stdout);
	}
}

/* Without printf(), which would take most of the time of a list of many sockets. */
static void put(struct line *line, int width, enum line_align align, const char *colour, const char *text)
{
	int length = length_of(text), begin = line->due + (align == LINE_RIGHT ? width - length : 0);

	if (!width)
		return;
	line->due += width + 1;
	if (!*text)
		return;
	if (line->at && begin <= line->at)
		begin = line->at + 1;
	put_spaces(begin - line->at);
	fputs_unlocked(colour, stdout);
	fputs_unlocked(text, stdout);
	if (*colour)
		fputs_unlocked(print_plain(), stdout);
	line->at = begin + length;
}

void columns__column(struct line *line, int width, enum line_align align, const char *text)
{
	put(line, width, align, "", text);
}

void columns__coloured(struct line *line, int width, const char *colour, const char *text)
{
	put(line, width, LINE_LEFT, colour, text);
}

/* As ss prints it: [fe80::1]%eth0:80; by its number where the name is not known. */
static void print_bound(char *text, size_t size, const struct event *event)
{
	char endpoint[PRINT_ENDPOINT_LEN];
	const char *name = device_of(event);
	int before;

	print_endpoint(endpoint, &event->flow.laddr, event->flow.lport);
	before = strrchr(endpoint, ':') - endpoint;
	if (name)
		snprintf(text, size, "%.*s%%%s%s", before, endpoint, name, endpoint + before);
	else
		snprintf(text, size, "%.*s%%%u%s", before, endpoint, event->device, endpoint + before);
}

void columns__local(struct line *line, int width, const struct event *event)
{
	char text[PRINT_ENDPOINT_LEN + 1 + DEVICE_NAMES_LEN];

	if (event->device)
		print_bound(text, sizeof(text), event);
	else
		print_endpoint(text, &event->flow.laddr, event->flow.lport);
	columns__column(line, width, LINE_LEFT, width == LINES_PORT_ONLY ? strrchr(text, ':') + 1 : text);
}

void columns__local_header(struct line *line, int width)
{
	columns__column(line, width, LINE_LEFT, width == LINES_PORT_ONLY ? "LPORT" : "LOCAL");
}

void columns__remote(struct line *line, int width, const struct flow *flow)
{
	char text[PRINT_ENDPOINT_LEN];

	columns__column(line, width, LINE_LEFT, print_endpoint(text, &flow->raddr, flow->rport));
}

void columns__owner(struct line *line, int pid_width, int comm_width, const struct owner *owner)
{
	char pid[16] = "-", comm[COMM_LEN] = "-";

	if (owner->pid) {
		snprintf(pid, sizeof(pid), "%u", owner->pid);
		memcpy(comm, owner->comm, sizeof(comm));
		print_clean(comm);
	}
	columns__column(line, pid_width, LINE_LEFT, pid);
	columns__column(line, comm_width, LINE_LEFT, comm);
}
