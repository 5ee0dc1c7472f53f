// SPDX-License-Identifier: GPL-2.0-only
/*
 * Keys and clicks -> what is shown next. Nothing here draws, or reads the terminal.
 */
#include <string.h>

#include "top/keys.h"
#include "top/terminal.h"

#define ESCAPE	  27
#define BACKSPACE 127

static void quit(struct view *view, int key)
{
	(void)key;
	view->quit = true;
}

static void pause_looks(struct view *view, int key)
{
	(void)key;
	view->paused = !view->paused;
}

static size_t place_of(const struct view *view, int port)
{
	size_t i;

	for (i = 0; i < view->count; i++)
		if (view->order[i] == port)
			break;
	return i;
}

/* By this many lines, as far as they go. */
static size_t step(size_t from, long by, size_t most)
{
	if (by < 0 && from < (size_t)-by)
		return 0;
	return from + by < most ? from + by : most;
}

static long steps_of(const struct view *view, int key)
{
	long page = view->shown ? view->shown : 1;

	switch (key) {
	case TERMINAL_UP:
		return -1;
	case TERMINAL_DOWN:
		return 1;
	case TERMINAL_PAGE_UP:
		return -page;
	case TERMINAL_PAGE_DOWN:
		return page;
	case TERMINAL_HOME:
		return -MAX_PORTS;
	default:
		return MAX_PORTS;
	}
}

/* The first key chooses the first port that is shown, or the last of all. */
static void move_selection(struct view *view, int key)
{
	size_t at = place_of(view, view->selected), last = view->count ? view->count - 1 : 0;

	if (!view->count)
		return;
	if (at < view->count)
		at = step(at, steps_of(view, key), last);
	else
		at = key == TERMINAL_END ? last : key == TERMINAL_HOME ? 0 : step(view->first, 0, last);
	view->selected = view->order[at];
	view->follow = true;
}

static void move(struct view *view, int key)
{
	if (view->page == VIEW_TABLE)
		move_selection(view, key);
	else
		view->line = step(view->line, steps_of(view, key), SIZE_MAX / 2);
}

static void wheel(struct view *view, int key)
{
	long by = key == TERMINAL_WHEEL_UP ? -3 : 3;

	if (view->page == VIEW_TABLE)
		view->first = step(view->first, by, view->count);
	else
		view->line = step(view->line, by, SIZE_MAX / 2);
}

static void open_port(struct view *view, int key)
{
	(void)key;
	if (view->page != VIEW_TABLE || !view->count)
		return;
	if (place_of(view, view->selected) == view->count)
		view->selected = view->order[0];
	view->open = view->selected;
	view->page = VIEW_PORT;
	view->line = 0;
}

static void show_all(struct view *view)
{
	view->choice.find[0] = '\0';
	view->choice.active = false;
	view->selected = VIEW_NO_PORT;
}

static void back(struct view *view, int key)
{
	(void)key;
	if (view->page == VIEW_TABLE)
		show_all(view);
	else if (view->page == VIEW_PORT)
		view->page = VIEW_TABLE;
	else
		view->page = view->behind;
	view->line = 0;
}

/* Opens a page that goes back to the one it came from, or goes back. */
static void toggle(struct view *view, enum view_page page)
{
	if (view->page == page) {
		back(view, 0);
		return;
	}
	if (view->page != VIEW_EVENTS && view->page != VIEW_HELP)
		view->behind = view->page;
	view->page = page;
	view->line = 0;
}

static void show_events(struct view *view, int key)
{
	(void)key;
	toggle(view, VIEW_EVENTS);
}

static void show_help(struct view *view, int key)
{
	(void)key;
	toggle(view, VIEW_HELP);
}

static void find(struct view *view, int key)
{
	(void)key;
	view->page = VIEW_TABLE;
	view->finding = true;
	view->choice.find[0] = '\0';
}

static void show_active(struct view *view, int key)
{
	(void)key;
	if (view->page == VIEW_TABLE)
		view->choice.active = !view->choice.active;
}

static void sort(struct view *view, int key)
{
	unsigned count = column__count(view->rates.now->http);
	bool next = key == 's' || key == TERMINAL_RIGHT;

	if (view->page != VIEW_TABLE)
		return;
	view->choice.sort = (view->choice.sort + (next ? 1 : count - 1)) % count;
	view->choice.reverse = false;
}

static void reverse(struct view *view, int key)
{
	(void)key;
	if (view->page == VIEW_TABLE)
		view->choice.reverse = !view->choice.reverse;
}

const struct top_key top_keys[] = {
	{"q", "quit, as Ctrl-C does", quit, {'q', TERMINAL_STOP}},
	{"p, space", "pause, and resume", pause_looks, {'p', ' '}},
	{"up, down, page up, page down, home, end",
	 "choose a port; on the other pages, scroll",
	 move,
	 {TERMINAL_UP, TERMINAL_DOWN, TERMINAL_PAGE_UP, TERMINAL_PAGE_DOWN, TERMINAL_HOME, TERMINAL_END}},
	{"Enter", "the page of the chosen port, or of the first one", open_port, {'\n', '\r', TERMINAL_ENTER}},
	{"Esc", "back; among the ports: show all of them again", back, {ESCAPE}},
	{"/", "find ports by number or process, while you type; Enter keeps it, Esc ends it", find, {'/'}},
	{"a", "only active ports: with SYNs, armed, or with connections that wait; and all again", show_active, {'a'}},
	{"s, right", "sort by the next column; the last line names it", sort, {'s', TERMINAL_RIGHT}},
	{"S, left", "sort by the column before", sort, {'S', TERMINAL_LEFT}},
	{"r", "sort the other way round", reverse, {'r'}},
	{"e", "what has happened: attacks, interfaces, reloads, losses; and back", show_events, {'e'}},
	{"h, ?", "explain keys, columns and reasons; and back", show_help, {'h', '?'}},
	{"click",
	 "on a heading: sort by it, again: the other way round; on a port: choose it, again: its page; "
	 "Shift selects text in most terminals",
	 NULL,
	 {0}},
	{"wheel", "scroll", wheel, {TERMINAL_WHEEL_UP, TERMINAL_WHEEL_DOWN}},
};

const size_t top_key_count = sizeof(top_keys) / sizeof(*top_keys);

/* The text to find, while it is typed; characters that are not of ASCII are passed over. Other keys end it, and do what
 * they do otherwise: false. */
static bool type(struct view *view, int key)
{
	char *text = view->choice.find;
	size_t len = strlen(text);

	view->first = 0;
	if (key == '\n' || key == '\r' || key == TERMINAL_ENTER || key == ESCAPE) {
		view->finding = false;
		if (key == ESCAPE)
			*text = '\0';
	} else if (key == BACKSPACE || key == '\b' || key == TERMINAL_BACKSPACE) {
		if (len)
			text[len - 1] = '\0';
	} else if (key >= ' ' && key < BACKSPACE) {
		if (len < PORT_TABLE_FIND - 1)
			memcpy(text + len, (char[]){(char)key, '\0'}, 2);
	} else if (key < BACKSPACE || key >= TERMINAL_STOP) {
		view->finding = false;
		return false;
	}
	return true;
}

void keys__press(struct view *view, int key)
{
	if (key == TERMINAL_NOTHING || key == TERMINAL_RESIZE || (view->finding && type(view, key)))
		return;
	for (size_t i = 0; i < top_key_count; i++)
		for (size_t j = 0; j < KEY_CODES && top_keys[i].codes[j]; j++)
			if (top_keys[i].codes[j] == key)
				top_keys[i].press(view, key);
}

static void click_heading(struct view *view, int column)
{
	for (unsigned i = 0; i < view->layout.count; i++) {
		int from = view->layout.cells[i].from;
		unsigned clicked = view->layout.cells[i].column;

		if (column < from - 1 || column >= from + view->layout.cells[i].width)
			continue;
		view->choice.reverse = clicked == view->choice.sort && !view->choice.reverse;
		view->choice.sort = clicked;
		return;
	}
}

void keys__click(struct view *view, int row, int column)
{
	size_t at;

	if (view->page != VIEW_TABLE)
		return;
	view->finding = false;
	if (row < view->table_row)
		return;
	if (row == view->table_row) {
		click_heading(view, column);
		return;
	}
	at = view->first + row - view->table_row - 1;
	if ((size_t)(row - view->table_row) > view->shown || at >= view->count)
		return;
	if (view->order[at] == view->selected)
		open_port(view, 0);
	else
		view->selected = view->order[at];
}
