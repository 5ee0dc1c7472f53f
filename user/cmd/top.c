// SPDX-License-Identifier: GPL-2.0-only
/*
 * synwarden top: a full-screen view of a running filter, read from its pins.
 */
#include <stdlib.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "config/options.h"
#include "kernel/pins.h"
#include "system/clock.h"
#include "text/colour.h"
#include "text/log.h"
#include "top/keys.h"
#include "top/terminal.h"
#include "top/view.h"

struct top_options {
	uint32_t interval;
};

static const struct option_row rows[] = {
	{"interval", 'd', OPTION_NUMBER, 1, 60, "SECONDS", offsetof(struct top_options, interval),
	 .help = "between two looks", .fallback = "1"},
};

static const struct option_table table = {
	.command = "top",
	.arguments = "",
	.summary = "Shows the filter in this network namespace on the whole terminal, live; h shows the keys.",
	.examples = "  synwarden top\n",
	.rows = rows,
	.count = 1,
};

struct top {
	struct top_options options;
	struct pins pins;
	struct maps maps;
	struct snapshot *before, *now;
	struct view view;
	struct facts facts;
	struct course *course;
	struct canvas canvas;
	uint64_t next_ns; /* when to look again, by CLOCK_MONOTONIC */
};

/* Whether the `run` that is shown is alive; if not, whether another one has started, which is then shown instead. */
static enum view_run find_run(struct top *top)
{
	struct pins pins;
	struct maps maps;
	struct meta meta;
	bool missing;

	if (pins__is_locked(&top->pins))
		return VIEW_ALIVE;
	if (pins__open(&pins, false, &missing)) {
		pins__close(&pins);
		return missing ? VIEW_GONE : VIEW_LEFT;
	}
	/* A run that is starting or stopping cannot be read. */
	if (!pins__is_locked(&pins) || pins__meta(&pins, &meta) || meta.layout != LAYOUT_VERSION ||
	    pins__maps(&pins, &maps)) {
		pins__close(&pins);
		return VIEW_LEFT;
	}
	pins__close_maps(&top->maps);
	pins__close(&top->pins);
	top->pins = pins;
	top->maps = maps;
	top->view.rates.before = top->view.rates.now = NULL;
	course__clear(top->course);
	return VIEW_ALIVE;
}

static void read_facts(struct top *top)
{
	facts__read(&top->facts, top->now, &top->maps, top->view.page == VIEW_PORT ? top->view.open : 0);
}

static int look(struct top *top)
{
	struct snapshot *swap = top->before;

	top->view.run = find_run(top);
	if (snapshot__read(top->before, &top->maps))
		return -1;
	top->before = top->now;
	top->now = swap;
	top->view.rates.before = top->view.rates.now ? top->before : NULL;
	top->view.rates.now = top->now;
	top->view.realtime_ns = clock__ns(CLOCK_REALTIME);
	if (top->view.run != VIEW_GONE)
		course__add(top->course, &top->view.rates);
	read_facts(top);
	return 0;
}

static int show(struct top *top)
{
	int rows, columns;

	terminal__size(&rows, &columns);
	if (canvas__clear(&top->canvas, rows, columns) || view__draw(&top->view, &top->canvas))
		return -1;
	terminal__show(&top->canvas);
	return 0;
}

/* A page that has just been opened does not wait for the next look. */
static void on_key(struct top *top, int key)
{
	struct view *view = &top->view;
	enum view_page page = view->page;
	int row, column;

	if (key == TERMINAL_CLICK) {
		terminal__pointer(&row, &column);
		keys__click(view, row, column);
	} else {
		keys__press(view, key);
	}
	if (view->page == VIEW_PORT && page != VIEW_PORT)
		read_facts(top);
}

/* Until the next look is due; none is while it is paused. */
static int wait_ms(const struct top *top)
{
	uint64_t now = clock__now();

	if (top->view.paused)
		return -1;
	return top->next_ns > now ? (top->next_ns - now + NS_PER_MS - 1) / NS_PER_MS : 0;
}

static int loop(struct top *top)
{
	int key;

	do {
		if (wait_ms(top) == 0) {
			if (look(top))
				return -1;
			top->next_ns = clock__now() + top->options.interval * NS_PER_S;
		}
		if (show(top))
			return -1;
		key = terminal__key(wait_ms(top));
		on_key(top, key);
	} while (!top->view.quit);
	return 0;
}

static int open_terminal(void)
{
	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) {
		log_error("top: %s is not a terminal; for a script there is: synwarden status --json",
			  isatty(STDOUT_FILENO) ? "standard input" : "standard output");
		return -1;
	}
	print_colour_init(stdout);
	return terminal__open(*print_red()); /* "" without colour */
}

static int run(struct top *top)
{
	int ret;

	view__init(&top->view);
	top->before = calloc(1, sizeof(*top->before));
	top->now = calloc(1, sizeof(*top->now));
	top->course = calloc(1, sizeof(*top->course));
	if (!top->before || !top->now || !top->course) {
		log_error("top: out of memory");
		return -1;
	}
	top->view.facts = &top->facts;
	top->view.course = top->course;
	if (open_terminal())
		return -1;
	ret = loop(top);
	terminal__close();
	return ret;
}

int cmd_top(int argc, char **argv)
{
	struct top top = {.pins = {.fd = -1, .parent_fd = -1}};
	int ret = options__parse(&table, argc, argv, &top.options);

	if (ret < 0)
		return -ret;
	ret = pins__attach(&top.pins, &top.maps) || run(&top);
	facts__free(&top.facts);
	pins__close_maps(&top.maps);
	pins__close(&top.pins);
	canvas__free(&top.canvas);
	free(top.before);
	free(top.now);
	free(top.course);
	return ret;
}
