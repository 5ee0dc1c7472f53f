// SPDX-License-Identifier: GPL-2.0-only
/*
 * One target for libFuzzer: fuzz.mk says which.
 */
#ifndef FUZZ_HEADER
#define FUZZ_HEADER "packet.h"
#define FUZZ_TARGET fuzz_packet
#endif

#include FUZZ_HEADER

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	FUZZ_TARGET(data, size);
	return 0;
}
