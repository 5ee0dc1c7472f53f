// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel's BTF is read once, when the first reason is to be named.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/btf.h>

#include "segments/drop_reasons.h"

#define PREFIX "SKB_DROP_REASON_"

static struct btf *btf;
static const struct btf_type *reasons;

static const struct btf_type *find_enum(void)
{
	int id;

	if (!btf)
		btf = btf__load_vmlinux_btf();
	if (!btf)
		return NULL;
	id = btf__find_by_name_kind(btf, "skb_drop_reason", BTF_KIND_ENUM);
	return id < 0 ? NULL : btf__type_by_id(btf, id);
}

/* NULL: this kernel has no such number, or no names. */
static const char *find_name(uint32_t reason)
{
	const struct btf_enum *value;
	const char *name;

	if (!reasons)
		reasons = find_enum();
	if (!reasons)
		return NULL;
	value = btf_enum(reasons);
	for (unsigned i = 0; i < btf_vlen(reasons); i++, value++) {
		if ((uint32_t)value->val != reason)
			continue;
		name = btf__name_by_offset(btf, value->name_off);
		return strncmp(name, PREFIX, strlen(PREFIX)) ? name : name + strlen(PREFIX);
	}
	return NULL;
}

const char *drop_reasons__name(uint32_t reason)
{
	static char number[32];
	const char *name = find_name(reason);

	if (name)
		return name;
	snprintf(number, sizeof(number), "reason %u", reason);
	return number;
}

/* include/net/dropreason-core.h. What TCP has taken in full, or has already, is freed as well. */
bool drop_reasons__is_loss(uint32_t reason)
{
	static const char *const harmless[] = {
		"SKB_NOT_DROPPED_YET", "NOT_DROPPED_YET", "SKB_CONSUMED", "CONSUMED",	 "NOT_SPECIFIED", "QUEUE_PURGE",
		"TCP_OLD_DATA",	       "TCP_RESET",	  "TCP_OFOMERGE", "TCP_OLD_ACK", "SOCKET_CLOSE",
	};
	const char *name = find_name(reason);

	if (!name)
		return reason > 2; /* without names: not one of the first, which are no drops on any kernel */
	for (size_t i = 0; i < sizeof(harmless) / sizeof(*harmless); i++)
		if (!strcmp(harmless[i], name))
			return false;
	return true;
}
