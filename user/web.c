// SPDX-License-Identifier: GPL-2.0-only
/*
 * The assembler copies the packed files in between the program's constants.
 */
#include "web.h"

#define X(name, path, file, type)                                                                                      \
	__asm__(".pushsection .rodata\n"                                                                               \
		"web_" #name ": .incbin \"" WEB_DIR "/" file ".gz\"\n"                                                 \
		"web_" #name "_end:\n"                                                                                 \
		".popsection\n");                                                                                      \
	extern const unsigned char web_##name[], web_##name##_end[];
WEB_FILES(X)
#undef X

const struct http_file web__files[WEB_MAX] = {
#define X(name, path, file, type) [WEB_##name] = {web_##name, web_##name##_end},
	WEB_FILES(X)
#undef X
};
