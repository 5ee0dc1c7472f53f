/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Decimal digits, two at a time. A stream writes a dozen numbers for each event: snprintf() would take most of its
 * time. Each function returns where it stopped writing, and terminates nothing.
 */
#ifndef SYNWARDEN_TEXT_DIGITS_H
#define SYNWARDEN_TEXT_DIGITS_H

#include <stdint.h>
#include <string.h>

#define DIGITS_MAX 20 /* of a uint64_t */

static inline unsigned digits_width(uint64_t n)
{
	unsigned width = 1;

	for (; n >= 10000; n /= 10000)
		width += 4;
	return width + (n >= 10) + (n >= 100) + (n >= 1000);
}

/* The last `width` digits of n, with leading zeros. */
static inline char *digits_padded(char *at, uint64_t n, unsigned width)
{
	static const char pairs[] = "0001020304050607080910111213141516171819"
				    "2021222324252627282930313233343536373839"
				    "4041424344454647484950515253545556575859"
				    "6061626364656667686970717273747576777879"
				    "8081828384858687888990919293949596979899";
	char *end = at + width;

	for (at = end; width >= 2; width -= 2, n /= 100)
		memcpy(at -= 2, pairs + n % 100 * 2, 2);
	if (width)
		at[-1] = '0' + n % 10;
	return end;
}

static inline char *digits_put(char *at, uint64_t n)
{
	return digits_padded(at, n, digits_width(n));
}

#endif
