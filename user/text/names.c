// SPDX-License-Identifier: GPL-2.0-only
/*
 * Arrays of names, made from the tables in include/.
 */
#include <stddef.h>

#include "text/names.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static const char *const states[] = {
#define X(number, name, ...) [number] = #name,
	STATES(X)
#undef X
};

static const char *const endings[] = {
#define X(name, kind, label, help) [ENDING_##name] = label,
	ENDINGS(X)
#undef X
};

static const char *const owner_kinds[] = {
	[OWNER_UNKNOWN] = "unknown", [OWNER_CONNECT] = "connect",   [OWNER_LISTEN] = "listen",
	[OWNER_ACCEPT] = "accept",   [OWNER_SNAPSHOT] = "snapshot",
};

static const struct {
	enum verdict verdict;
	const char *label;
} reasons[] = {
#define X(name, action, label, help) [REASON_##name] = {VERDICT_##action, label},
	REASONS(X)
#undef X
};

static const char *const losses[] = {
#define X(name, kind, label, help) [LOSS_##name] = label,
	LOSSES(X)
#undef X
};

static const char *name_of(const char *const names[], size_t count, unsigned number)
{
	return number < count && names[number] ? names[number] : "?";
}

const char *print_state(unsigned state)
{
	return name_of(states, COUNT_OF(states), state);
}

const char *print_ending(unsigned ending)
{
	return ending == ENDING_NONE ? NULL : name_of(endings, COUNT_OF(endings), ending);
}

const char *print_owner_kind(unsigned kind)
{
	return name_of(owner_kinds, COUNT_OF(owner_kinds), kind);
}

const char *print_reason(unsigned reason)
{
	return reason < REASON_MAX ? reasons[reason].label : "?";
}

enum verdict print_reason_verdict(unsigned reason)
{
	return reason < REASON_MAX ? reasons[reason].verdict : VERDICT_PASS;
}

const char *print_verdict(enum verdict verdict)
{
	static const char *const names[] = {
		[VERDICT_PASS] = VERDICT_NAME_PASS, [VERDICT_DROP] = VERDICT_NAME_DROP, [VERDICT_TX] = VERDICT_NAME_TX};

	return name_of(names, COUNT_OF(names), verdict);
}

const char *print_loss(unsigned loss)
{
	return name_of(losses, COUNT_OF(losses), loss);
}
