// SPDX-License-Identifier: GPL-2.0-only
/*
 * The assembler includes the compressed files in the program's constants.
 */
#include "endpoint/dashboard.h"

#define X(name, path, file, type)                                                                                      \
	__asm__(".pushsection .rodata\n"                                                                               \
		"web_" #name ": .incbin \"" WEB_DIR "/" file ".gz\"\n"                                                 \
		"web_" #name "_end:\n"                                                                                 \
		".popsection\n");                                                                                      \
	extern const unsigned char web_##name[], web_##name##_end[];
WEB_FILES(X)
#undef X

const struct server_file dashboard__files[WEB_MAX] = {
#define X(name, path, file, type) [WEB_##name] = {web_##name, web_##name##_end},
	WEB_FILES(X)
#undef X
};
