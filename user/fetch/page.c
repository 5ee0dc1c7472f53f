// SPDX-License-Identifier: GPL-2.0-only
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "fetch/page.h"
#include "fetch/place.h"

const char *page__step_name(enum step step)
{
	static const char *const names[] = {
#define STEP_NAME_(name, letter, text) [STEP_##name] = text,
		STEPS(STEP_NAME_)};

	return names[step];
}

char page__step_letter(enum step step)
{
	static const char letters[] = {
#define STEP_LETTER(name, letter, text) [STEP_##name] = letter,
		STEPS(STEP_LETTER)};

	return letters[step];
}

int page__fail(struct page *page, enum step step, const char *format, ...)
{
	va_list args;

	if (!page__is_fetched(page))
		return -1;
	page->failed = step;
	va_start(args, format);
	vsnprintf(page->because, sizeof(page->because), format, args);
	va_end(args);
	return -1;
}

void page__free(struct page *page)
{
	if (page->fd >= 0)
		close(page->fd);
	lookup__free(page->lookup);
	free(page->attempts);
	free(page->location);
	place__free(&page->place);
}
