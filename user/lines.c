// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fields and columns.
 */
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cgroups.h"
#include "lines.h"

void lines__json_socket(struct json *json, const struct event *event)
{
	const struct flow *flow = &event->flow;
	char addr[PRINT_ADDR_LEN];

	json_number(json, "cookie", event->cookie);
	json_number(json, "family", print_is_v4(&flow->laddr) ? 4 : 6);
	json_label(json, "laddr", print_addr(addr, &flow->laddr));
	json_number(json, "lport", flow->lport);
	json_label(json, "raddr", print_addr(addr, &flow->raddr));
	json_number(json, "rport", flow->rport);
}

void lines__json_owner(struct json *json, const struct event *event)
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

void lines__json_duration(struct json *json, const struct event *event)
{
	json_micros(json, "duration_us", event->at_least ? DURATION_UNKNOWN : event->duration_ns);
	if (event->at_least)
		json_micros(json, "duration_at_least_us", event->duration_ns);
}

char *lines__duration(char buf[PRINT_NUMBER_LEN], const struct event *event)
{
	*buf = '>';
	print_duration(buf + event->at_least, event->duration_ns);
	return buf;
}

unsigned lines__width(void)
{
	struct winsize size;

	return !ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && size.ws_col ? size.ws_col : UINT_MAX;
}

/* Characters rather than bytes. */
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

/* Without printf(), which would take most of the time that a list of many sockets takes. */
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

void lines__column(struct line *line, int width, enum line_align align, const char *text)
{
	put(line, width, align, "", text);
}

void lines__coloured(struct line *line, int width, const char *colour, const char *text)
{
	put(line, width, LINE_LEFT, colour, text);
}

void lines__local(struct line *line, int width, const struct flow *flow)
{
	char text[PRINT_ENDPOINT_LEN];

	print_endpoint(text, &flow->laddr, flow->lport);
	lines__column(line, width, LINE_LEFT, width == LINES_PORT_ONLY ? strrchr(text, ':') + 1 : text);
}

void lines__local_header(struct line *line, int width)
{
	lines__column(line, width, LINE_LEFT, width == LINES_PORT_ONLY ? "LPORT" : "LOCAL");
}

void lines__remote(struct line *line, int width, const struct flow *flow)
{
	char text[PRINT_ENDPOINT_LEN];

	lines__column(line, width, LINE_LEFT, print_endpoint(text, &flow->raddr, flow->rport));
}

void lines__owner(struct line *line, int pid_width, int comm_width, const struct owner *owner)
{
	char pid[16] = "-", comm[COMM_LEN] = "-";

	if (owner->pid) {
		snprintf(pid, sizeof(pid), "%u", owner->pid);
		memcpy(comm, owner->comm, sizeof(comm));
		print_clean(comm);
	}
	lines__column(line, pid_width, LINE_LEFT, pid);
	lines__column(line, comm_width, LINE_LEFT, comm);
}
