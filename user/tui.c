// SPDX-License-Identifier: GPL-2.0-only
/*
 * The terminal as a screen, with ncurses.
 */
#include <errno.h>
#include <ncurses.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "log.h"
#include "tui.h"

static SCREEN *screen;
static volatile sig_atomic_t stopped;
static sigset_t unblocked;	      /* what it was before, and is while a key is waited for */
static int messages = -1, stderr_was; /* stderr goes to a file in memory, lest it writes across the screen */
static attr_t attributes[PAGE_STYLES] = {
	[PAGE_PLAIN] = A_NORMAL, [PAGE_BOLD] = A_BOLD, [PAGE_HEADING] = A_REVERSE,
	[PAGE_GOOD] = A_NORMAL,	 [PAGE_WARN] = A_BOLD, [PAGE_BAD] = A_BOLD,
};

static void on_signal(int signal)
{
	(void)signal;
	stopped = 1;
}

/* They are let through only while a key is waited for: none comes between a check and the wait. */
static void hold_signals(void)
{
	static const int ending[] = {SIGINT, SIGTERM, SIGHUP};
	struct sigaction action = {.sa_handler = on_signal};
	sigset_t held;
	size_t i;

	sigemptyset(&held);
	sigaddset(&held, SIGWINCH); /* handled by ncurses */
	for (i = 0; i < sizeof(ending) / sizeof(*ending); i++) {
		sigaction(ending[i], &action, NULL);
		sigaddset(&held, ending[i]);
	}
	sigprocmask(SIG_BLOCK, &held, &unblocked);
}

static void hold_messages(void)
{
	stderr_was = dup(STDERR_FILENO);
	messages = stderr_was < 0 ? -1 : memfd_create("messages", MFD_CLOEXEC);
	if (messages >= 0)
		dup2(messages, STDERR_FILENO);
}

static void release_messages(void)
{
	char text[512];
	ssize_t len;

	if (messages < 0)
		return;
	dup2(stderr_was, STDERR_FILENO);
	close(stderr_was);
	lseek(messages, 0, SEEK_SET);
	while ((len = read(messages, text, sizeof(text))) > 0)
		if (write(STDERR_FILENO, text, len) != len)
			break;
	close(messages);
	messages = -1;
}

static void use_colours(void)
{
	static const struct {
		enum page_style style;
		short colour;
	} pairs[] = {{PAGE_GOOD, COLOR_GREEN}, {PAGE_WARN, COLOR_YELLOW}, {PAGE_BAD, COLOR_RED}};
	size_t i;

	start_color();
	use_default_colors();
	for (i = 0; i < sizeof(pairs) / sizeof(*pairs); i++) {
		init_pair(i + 1, pairs[i].colour, -1);
		attributes[pairs[i].style] |= COLOR_PAIR(i + 1);
	}
}

int tui__open(bool colour)
{
	const char *term = getenv("TERM");

	screen = newterm(NULL, stdout, stdin);
	if (!screen) {
		log_error("the terminal \"%s\" is not known here; name one that is, for example: TERM=xterm",
			  term ? term : "");
		return -1;
	}
	hold_signals();
	hold_messages();
	cbreak();
	noecho();
	curs_set(0);
	nodelay(stdscr, TRUE);
	keypad(stdscr, TRUE);
	set_escdelay(25);
	if (colour && has_colors())
		use_colours();
	return 0;
}

void tui__size(int *rows, int *columns)
{
	getmaxyx(stdscr, *rows, *columns);
}

/* The stretch of one style that begins at a column. */
static int stretch(const unsigned char *style, int column, int columns)
{
	int end = column + 1;

	while (end < columns && style[end] == style[column])
		end++;
	return end - column;
}

void tui__show(const struct page *page)
{
	int row, column, len;

	erase();
	for (row = 0; row < page->rows; row++) {
		const char *text = page__row(page, row);
		const unsigned char *style = page->style + (text - page->text);

		for (column = 0; column < page->columns; column += len) {
			len = stretch(style, column, page->columns);
			attrset(attributes[style[column]]);
			mvaddnstr(row, column, text + column, len);
		}
	}
	refresh();
}

static int key_of(int key)
{
	static const struct {
		int from, to;
	} keys[] = {
		{KEY_RESIZE, TUI_RESIZE},   {KEY_UP, TUI_UP},	  {KEY_DOWN, TUI_DOWN}, {KEY_PPAGE, TUI_PAGE_UP},
		{KEY_NPAGE, TUI_PAGE_DOWN}, {KEY_HOME, TUI_HOME}, {KEY_END, TUI_END},
	};
	size_t i;

	for (i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		if (keys[i].from == key)
			return keys[i].to;
	return key >= 0 && key < TUI_STOP ? key : TUI_NOTHING;
}

int tui__key(int wait_ms)
{
	struct timespec wait = {wait_ms / 1000, wait_ms % 1000 * 1000000L};
	struct pollfd keyboard = {.fd = STDIN_FILENO, .events = POLLIN};
	int key = getch(), ready;

	if (key != ERR)
		return key_of(key);
	ready = ppoll(&keyboard, 1, wait_ms < 0 ? NULL : &wait, &unblocked);
	if (stopped)
		return TUI_STOP;
	key = getch(); /* also after a signal: it may have been SIGWINCH */
	if (key == ERR && ready > 0 && keyboard.revents & (POLLHUP | POLLERR | POLLNVAL))
		return TUI_STOP;
	return key == ERR ? TUI_NOTHING : key_of(key);
}

void tui__close(void)
{
	if (!screen)
		return;
	endwin();
	delscreen(screen);
	screen = NULL;
	sigprocmask(SIG_SETMASK, &unblocked, NULL);
	release_messages();
}
