/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An answer of CrowdSec's decision stream. Input: a byte for the size of the pieces it comes in, then its text. What is
 * taken does not depend on the pieces; what is taken is a ban of a prefix with nothing behind its length, and ends
 * within the longest time that is granted; memory is bounded.
 */
#ifndef SYNWARDEN_TESTS_FUZZ_STREAM_H
#define SYNWARDEN_TESTS_FUZZ_STREAM_H

#include "fuzz.h"
#include "sync/answer.h"
#include "system/clock.h"

#define STREAM_MOST  16
#define STREAM_ASKED (1000 * NS_PER_S)

static struct answer_result read_pieces(const struct decision_rules *rules, const uint8_t *data, size_t size,
					size_t piece)
{
	struct answer *answer = answer__begin(rules, STREAM_ASKED, STREAM_MOST, false);

	if (!answer)
		abort();
	for (size_t at = 0; at < size; at += piece) {
		size_t len = size - at < piece ? size - at : piece;
		uint8_t *copy = malloc(len);

		if (!copy)
			abort();
		memcpy(copy, data + at, len);
		if (answer__take(answer, copy, len))
			at = size;
		free(copy);
	}
	return answer__end(answer, true);
}

static void check_records(const struct answer_result *result, const struct sync_source_options *options)
{
	PROPERTY(result->fresh.count <= STREAM_MOST && result->gone_count <= STREAM_MOST, "%zu decisions, %zu deleted",
		 result->fresh.count, result->gone_count);
	for (size_t i = 0; i < result->fresh.count; i++) {
		const struct record *record = &result->fresh.all[i];
		const uint8_t *bytes = (const uint8_t *)record->prefix.words;

		PROPERTY(record->id && record->id < RECORD_NO_ID, "id %llu", (unsigned long long)record->id);
		PROPERTY(record->ends_ns <= STREAM_ASKED + options->longest_ns, "it ends too late");
		PROPERTY(record->prefix.prefixlen <= 128, "a length of %u", record->prefix.prefixlen);
		for (unsigned bit = record->prefix.prefixlen; bit < 128; bit++)
			PROPERTY(!(bytes[bit / 8] & 0x80 >> bit % 8), "bits behind the length");
		PROPERTY(!i || record[-1].id < record->id, "not sorted");
	}
}

static void fuzz_stream(const uint8_t *data, size_t size)
{
	static struct notes notes;
	struct sync_settings settings;
	const struct sync_source *source;
	struct decision_rules rules;
	struct answer_result one, other;

	if (!size)
		return;
	sync_options__defaults(&settings);
	source = sync_options__add(&settings, SYNC_CROWDSEC, true);
	if (!source)
		abort();
	rules = (struct decision_rules){&settings.options, source, 0, &notes};
	notes__clear(&notes);
	one = read_pieces(&rules, data + 1, size - 1, data[0] + 1);
	other = read_pieces(&rules, data + 1, size - 1, size);
	check_records(&one, &source->options);
	PROPERTY(!one.wrong == !other.wrong, "in pieces: %s; whole: %s", one.wrong ?: "right", other.wrong ?: "right");
	PROPERTY(one.wrong || (one.fresh.count == other.fresh.count && one.gone_count == other.gone_count),
		 "in pieces, other decisions");
	for (size_t i = 0; !one.wrong && i < one.fresh.count; i++)
		PROPERTY(!memcmp(&one.fresh.all[i], &other.fresh.all[i], sizeof(struct record)),
			 "in pieces, another one");
	answer__free_result(&one);
	answer__free_result(&other);
	sync_options__free(&settings);
}

#endif
