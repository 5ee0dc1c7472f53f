// SPDX-License-Identifier: GPL-2.0-only
/*
 * The terminal as a screen, with ncurses.
 */
#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <ncurses.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "text/log.h"
#include "top/terminal.h"

static SCREEN *screen;
static bool blocks; /* the terminal takes UTF-8 */
static MEVENT pointer;
static volatile sig_atomic_t stopped;
static sigset_t unblocked;	      /* the former mask, in force only while a key is awaited */
static int messages = -1, stderr_was; /* stderr goes to a file in memory while the screen is shown */
static attr_t attributes[CANVAS_STYLES] = {
	[CANVAS_PLAIN] = A_NORMAL, [CANVAS_BOLD] = A_BOLD, [CANVAS_HEADING] = A_REVERSE, [CANVAS_CHOSEN] = A_REVERSE,
	[CANVAS_GOOD] = A_NORMAL,  [CANVAS_WARN] = A_BOLD, [CANVAS_BAD] = A_BOLD,
};

static void on_signal(int signal)
{
	(void)signal;
	stopped = 1;
}

/* Signals are unblocked only while a key is awaited, so that none arrives between a check and the wait. */
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
		enum canvas_style style;
		short colour;
	} pairs[] = {{CANVAS_GOOD, COLOR_GREEN}, {CANVAS_WARN, COLOR_YELLOW}, {CANVAS_BAD, COLOR_RED}};
	size_t i;

	start_color();
	use_default_colors();
	for (i = 0; i < sizeof(pairs) / sizeof(*pairs); i++) {
		init_pair(i + 1, pairs[i].colour, -1);
		attributes[pairs[i].style] |= COLOR_PAIR(i + 1);
	}
}

/* A press is reported at once: no time is waited for a second one. */
static void use_mouse(void)
{
	mousemask(BUTTON1_PRESSED | BUTTON4_PRESSED | BUTTON5_PRESSED, NULL);
	mouseinterval(0);
}

int terminal__open(bool colour)
{
	const char *term = getenv("TERM");

	setlocale(LC_CTYPE, "");
	blocks = !strcmp(nl_langinfo(CODESET), "UTF-8");
	screen = newterm(NULL, stdout, stdin);
	if (!screen) {
		log_error("the terminal \"%s\" is unknown here; use a known one: TERM=xterm", term ? term : "");
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
	use_mouse();
	if (colour && has_colors())
		use_colours();
	return 0;
}

void terminal__size(int *rows, int *columns)
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

/* Characters and bars; a bar of level n fills n eighths of its cell. */
static void put(const char *text, int len)
{
	static const char ascii[] = " .,-=+*%#";
	char block[] = "\xe2\x96\x80"; /* U+2580, a block of level 0 */

	for (int i = 0; i < len; i++) {
		unsigned char c = text[i];

		block[2] = (char)(0x80 + c);

		if (c > CANVAS_LEVELS)
			addch(c);
		else if (blocks)
			addstr(block);
		else
			addch((unsigned char)ascii[c]);
	}
}

void terminal__show(const struct canvas *canvas)
{
	int row, column, len;

	erase();
	for (row = 0; row < canvas->rows; row++) {
		const char *text = canvas__row(canvas, row);
		const unsigned char *style = canvas->style + (text - canvas->text);

		for (column = 0; column < canvas->columns; column += len) {
			len = stretch(style, column, canvas->columns);
			attrset(attributes[style[column]]);
			move(row, column);
			put(text + column, len);
		}
	}
	refresh();
}

static int mouse_key(void)
{
	if (getmouse(&pointer) != OK)
		return TERMINAL_NOTHING;
	if (pointer.bstate & BUTTON4_PRESSED)
		return TERMINAL_WHEEL_UP;
	if (pointer.bstate & BUTTON5_PRESSED)
		return TERMINAL_WHEEL_DOWN;
	return pointer.bstate & BUTTON1_PRESSED ? TERMINAL_CLICK : TERMINAL_NOTHING;
}

void terminal__pointer(int *row, int *column)
{
	*row = pointer.y;
	*column = pointer.x;
}

static int key_of(int key)
{
	static const struct {
		int from, to;
	} keys[] = {
		{KEY_RESIZE, TERMINAL_RESIZE},
		{KEY_UP, TERMINAL_UP},
		{KEY_DOWN, TERMINAL_DOWN},
		{KEY_PPAGE, TERMINAL_PAGE_UP},
		{KEY_NPAGE, TERMINAL_PAGE_DOWN},
		{KEY_HOME, TERMINAL_HOME},
		{KEY_END, TERMINAL_END},
		{KEY_LEFT, TERMINAL_LEFT},
		{KEY_RIGHT, TERMINAL_RIGHT},
		{KEY_ENTER, TERMINAL_ENTER},
		{KEY_BACKSPACE, TERMINAL_BACKSPACE},
	};
	size_t i;

	if (key == KEY_MOUSE)
		return mouse_key();
	for (i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		if (keys[i].from == key)
			return keys[i].to;
	return key >= 0 && key < TERMINAL_STOP ? key : TERMINAL_NOTHING;
}

int terminal__key(int wait_ms)
{
	struct timespec wait = {wait_ms / 1000, wait_ms % 1000 * 1000000L};
	struct pollfd keyboard = {.fd = STDIN_FILENO, .events = POLLIN};
	int key = getch(), ready;

	if (key != ERR)
		return key_of(key);
	ready = ppoll(&keyboard, 1, wait_ms < 0 ? NULL : &wait, &unblocked);
	if (stopped)
		return TERMINAL_STOP;
	key = getch(); /* also after a signal: it may have been SIGWINCH */
	if (key == ERR && ready > 0 && keyboard.revents & (POLLHUP | POLLERR | POLLNVAL))
		return TERMINAL_STOP;
	return key == ERR ? TERMINAL_NOTHING : key_of(key);
}

void terminal__close(void)
{
	if (!screen)
		return;
	endwin();
	delscreen(screen);
	screen = NULL;
	sigprocmask(SIG_SETMASK, &unblocked, NULL);
	release_messages();
}
