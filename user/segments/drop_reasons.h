/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Why the kernel frees a packet: names of enum skb_drop_reason, whose numbers differ by kernel, from its BTF.
 */
#ifndef SYNWARDEN_SEGMENTS_DROP_REASONS_H
#define SYNWARDEN_SEGMENTS_DROP_REASONS_H

#include <stdbool.h>
#include <stdint.h>

/* "NETFILTER_DROP"; "reason 77" of a number that the running kernel does not name. Valid until the next call. */
const char *drop_reasons__name(uint32_t reason);

/* Whether the segment really was dropped: an ordinary close frees segments too, and says so by other reasons. */
bool drop_reasons__is_loss(uint32_t reason);

#endif
