// SPDX-License-Identifier: GPL-2.0-only
/*
 * Decodes UTF-8.
 */
#include <string.h>

#include "text/clean.h"

int32_t clean_decode(const char *from, size_t *len)
{
	const unsigned char *text = (const unsigned char *)from;
	static const int32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t bytes = text[0] < 0x80 ? 1 : text[0] >= 0xf0 ? 4 : text[0] >= 0xe0 ? 3 : 2;
	int32_t character = bytes == 1 ? text[0] : text[0] & (0x7f >> bytes);
	size_t i;

	*len = 1;
	if (text[0] >= 0xf8 || (text[0] & 0xc0) == 0x80)
		return -1;
	for (i = 1; i < bytes; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return -1;
		character = character << 6 | (text[i] & 0x3f);
	}
	if (character < least[bytes] || character > 0x10ffff || (character >= 0xd800 && character < 0xe000))
		return -1;
	*len = bytes;
	return character;
}

bool clean_is_control(int32_t character)
{
	return character >= 0 && (character < 0x20 || (character >= 0x7f && character < 0xa0));
}

void print_clean(char *text)
{
	char *out = text;
	int32_t character;
	size_t len;

	for (; *text; text += len) {
		character = clean_decode(text, &len);
		if (character < 0 || clean_is_control(character)) {
			*out++ = '?';
			continue;
		}
		memmove(out, text, len);
		out += len;
	}
	*out = '\0';
}
