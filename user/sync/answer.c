// SPDX-License-Identifier: GPL-2.0-only
/*
 * libyajl reads the JSON, and calls back for each token. It keeps the bytes of a token until its end, and a byte for
 * each level of nesting: both are bounded here.
 */
#include <stdlib.h>
#include <string.h>

#include <yajl/yajl_parse.h>

#include "sync/answer.h"

#define TOKEN_MAX	(64 << 10) /* bytes from one token to the next */
#define DEPTH_MAX	8
#define ANSWER_MAX	(512ULL << 20)
#define DECISIONS_DEPTH 2 /* { "new": [ */
#define DECISION_DEPTH	3 /* { */

enum part {
	PART_OTHER,
	PART_NEW,
	PART_DELETED,
};

struct answer {
	struct decision_rules rules;
	uint64_t asked_ns;
	size_t most;
	bool is_full;
	yajl_handle parser;
	unsigned depth;
	enum part part;		     /* of the outermost object */
	enum decision_member member; /* of the decision */
	struct decision decision;
	bool seen[PART_DELETED + 1];
	bool in_token;
	uint64_t bytes, token_bytes;
	size_t gone_room;
	struct answer_result result;
};

static const char *const member_names[] = {
#define X(name) [DECISION_##name] = #name,
	DECISION_MEMBERS(X)
#undef X
};

/* The callbacks return whether to read on. */
static int stop(struct answer *answer, const char *wrong)
{
	answer->result.wrong = answer->result.wrong ?: wrong;
	return 0;
}

static bool is_decision(const struct answer *answer)
{
	return answer->depth == DECISION_DEPTH && answer->part != PART_OTHER;
}

/* At the place of a value: of "new" and "deleted", only null and arrays are valid. */
static int check_value(struct answer *answer)
{
	answer->token_bytes = 0;
	if (!answer->depth || (answer->depth < DECISION_DEPTH && answer->part != PART_OTHER))
		return stop(answer, "it is JSON of another form");
	return 1;
}

static int on_null(void *context)
{
	struct answer *answer = context;

	answer->token_bytes = 0;
	if (!answer->depth || (answer->depth == DECISIONS_DEPTH && answer->part != PART_OTHER))
		return stop(answer, "it is JSON of another form");
	return 1;
}

static int take_text(struct answer *answer, const char *text, size_t len)
{
	char *member = answer->decision.texts[answer->member];

	if (!check_value(answer))
		return 0;
	if (!is_decision(answer) || answer->member == DECISION_MEMBER_MAX)
		return 1;
	if (len >= DECISION_TEXT_LEN && (answer->member == DECISION_origin || answer->member == DECISION_scenario))
		len = DECISION_TEXT_LEN - 1;
	if (len < DECISION_TEXT_LEN && !memchr(text, '\0', len)) {
		memcpy(member, text, len);
		member[len] = '\0';
	}
	return 1;
}

static int on_boolean(void *context, int value)
{
	return take_text(context, value ? "true" : "false", value ? 4 : 5);
}

static int on_number(void *context, const char *text, size_t len)
{
	return take_text(context, text, len);
}

static int on_string(void *context, const unsigned char *text, size_t len)
{
	return take_text(context, (const char *)text, len);
}

static int go_down(struct answer *answer)
{
	answer->token_bytes = 0;
	return ++answer->depth <= DEPTH_MAX ? 1 : stop(answer, "it is nested too deep");
}

static int on_object(void *context)
{
	struct answer *answer = context;

	if (answer->depth == 1 && answer->part != PART_OTHER)
		return stop(answer, "it is JSON of another form");
	if (answer->depth == DECISIONS_DEPTH) {
		answer->decision = (struct decision){};
		answer->member = DECISION_MEMBER_MAX;
	}
	return go_down(answer);
}

static bool is_key(const unsigned char *key, size_t len, const char *name)
{
	return len == strlen(name) && !memcmp(key, name, len);
}

static int on_key(void *context, const unsigned char *key, size_t len)
{
	struct answer *answer = context;

	answer->token_bytes = 0;
	if (answer->depth == 1) {
		answer->part = is_key(key, len, "new")	     ? PART_NEW
			       : is_key(key, len, "deleted") ? PART_DELETED
							     : PART_OTHER;
		if (answer->part != PART_OTHER && answer->seen[answer->part])
			return stop(answer, "it has a list twice");
		answer->seen[answer->part] = true;
	} else if (is_decision(answer)) {
		for (answer->member = 0; answer->member < DECISION_MEMBER_MAX; answer->member++)
			if (is_key(key, len, member_names[answer->member]))
				break;
	}
	return 1;
}

static int add_gone(struct answer *answer, uint64_t id)
{
	struct answer_result *result = &answer->result;

	if (result->gone_count == answer->gone_room) {
		size_t room = answer->gone_room ? 2 * answer->gone_room : 64;
		uint64_t *grown = reallocarray(result->gone, room, sizeof(*grown));

		if (!grown)
			return stop(answer, "there is no memory for it");
		result->gone = grown;
		answer->gone_room = room;
	}
	result->gone[result->gone_count++] = id;
	return 1;
}

static int add_fresh(struct answer *answer)
{
	struct record record = {};
	unsigned reject;

	if (answer->result.fresh.count == answer->most)
		reject = FLEET_FULL;
	else
		reject = decision__record(&answer->decision, &answer->rules, answer->asked_ns, &record);
	if (reject == DECISION_TAKEN && said__add(&answer->result.fresh, &record))
		return stop(answer, "there is no memory for it");
	if (reject < FLEET_REJECTED_MAX)
		answer->result.rejected[reject]++;
	return 1;
}

static int on_object_end(void *context)
{
	struct answer *answer = context;
	uint64_t id;

	answer->token_bytes = 0;
	if (!is_decision(answer)) {
		answer->depth--;
		return 1;
	}
	answer->depth--;
	if (answer->part == PART_NEW)
		return add_fresh(answer);
	id = decision__id(&answer->decision);
	answer->result.lacks_gone |= answer->result.gone_count == answer->most;
	return answer->is_full || !id || answer->result.lacks_gone ? 1 : add_gone(answer, id);
}

static int on_array(void *context)
{
	struct answer *answer = context;

	if (!answer->depth || (answer->depth == DECISIONS_DEPTH && answer->part != PART_OTHER))
		return stop(answer, "it is JSON of another form");
	return go_down(answer);
}

static int on_array_end(void *context)
{
	struct answer *answer = context;

	answer->token_bytes = 0;
	answer->depth--;
	return 1;
}

static const yajl_callbacks callbacks = {
	.yajl_null = on_null,
	.yajl_boolean = on_boolean,
	.yajl_number = on_number,
	.yajl_string = on_string,
	.yajl_start_map = on_object,
	.yajl_map_key = on_key,
	.yajl_end_map = on_object_end,
	.yajl_start_array = on_array,
	.yajl_end_array = on_array_end,
};

struct answer *answer__begin(const struct decision_rules *rules, uint64_t asked_ns, size_t most, bool is_full)
{
	struct answer *answer = calloc(1, sizeof(*answer));

	if (!answer)
		return NULL;
	answer->rules = *rules;
	answer->asked_ns = asked_ns;
	answer->most = most;
	answer->is_full = is_full;
	answer->member = DECISION_MEMBER_MAX;
	answer->parser = yajl_alloc(&callbacks, NULL, answer);
	if (answer->parser)
		return answer;
	free(answer);
	return NULL;
}

int answer__take(struct answer *answer, const void *bytes, size_t len)
{
	yajl_status status;

	if (answer->result.wrong)
		return -1;
	answer->bytes += len;
	answer->token_bytes += len;
	status = yajl_parse(answer->parser, bytes, len);
	if (status == yajl_status_error)
		stop(answer, "it is not JSON");
	else if (answer->token_bytes > TOKEN_MAX + len)
		stop(answer, "it has a value that is too long");
	else if (answer->bytes > ANSWER_MAX)
		stop(answer, "it is too long");
	return answer->result.wrong ? -1 : 0;
}

static int by_number(const void *left, const void *right)
{
	const uint64_t *a = left, *b = right;

	return *a < *b ? -1 : *a > *b;
}

struct answer_result answer__end(struct answer *answer, bool is_whole)
{
	struct answer_result result;

	if (!is_whole)
		stop(answer, "it broke off");
	else if (yajl_complete_parse(answer->parser) != yajl_status_ok)
		stop(answer, answer->bytes ? "it broke off" : "it is empty");
	else if (!answer->seen[PART_NEW] || !answer->seen[PART_DELETED])
		stop(answer, "it lacks a list");
	result = answer->result;
	said__sort(&result.fresh);
	if (result.gone_count)
		qsort(result.gone, result.gone_count, sizeof(*result.gone), by_number);
	yajl_free(answer->parser);
	free(answer);
	return result;
}

void answer__free_result(struct answer_result *result)
{
	said__free(&result->fresh);
	free(result->gone);
	*result = (struct answer_result){};
}
