// SPDX-License-Identifier: GPL-2.0-only
/*
 * The sample of an attack: as a capture file, sound and damaged; and what is said of it.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/frames.h"
#include "segments/syn_facts.h"
#include "text/address.h"

static struct syn_pcap pcap, other;
static struct syn_facts facts;
static struct frame frame;

static void add(const struct frame_spec *spec, uint32_t source)
{
	struct sampled_syn *syn = &pcap.syns[pcap.count++];

	frame_build(&frame, spec);
	if (!spec->ip6)
		frame_from(&frame, &(uint32_t){htonl(source)});
	*syn = (struct sampled_syn){.time_ns = 1767323045000000006 + pcap.count, .len = frame.len};
	syn->copied = frame.len < SYN_SAMPLE_BYTES ? frame.len : SYN_SAMPLE_BYTES;
	memcpy(syn->bytes, frame.bytes, syn->copied);
}

/* `count` of them, `step` apart. */
static void add_from(uint32_t first, uint32_t step, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		add(&(struct frame_spec){}, first + i * step);
}

static int begin(void **state)
{
	(void)state;
	pcap.count = 0;
	return 0;
}

static void test_networks(void **state)
{
	static const struct {
		uint32_t first, step;
		unsigned count;
		bool spread;
		size_t prefixes;
		const char *most;
	} rows[] = {
		{0x0a000001, 0, 100, false, 1, "10.0.0.0/24"},	       /* one source */
		{0x0a000001, 1, 100, false, 1, "10.0.0.0/24"},	       /* of one network */
		{0x0a000001, 0x100, 100, false, 1, "10.0.0.0/16"},     /* each in a /24 of its own */
		{0x0a000001, 0x10000, 100, false, 1, "10.0.0.0/8"},    /* each in a /16 of its own */
		{0x0a000001, 0x1000000, 100, true, 100, "10.0.0.0/8"}, /* each in a /8 of its own */
	};
	char text[PRINT_PREFIX_LEN];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		pcap.count = 0;
		add_from(rows[i].first, rows[i].step, rows[i].count);
		syn_facts__gather(&facts, &pcap);
		assert_int_equal(facts.syns, rows[i].count);
		assert_int_equal(facts.sources, rows[i].step ? rows[i].count : 1);
		assert_int_equal(facts.spread, rows[i].spread);
		assert_false(facts.several_targets);
		assert_int_equal(facts.prefix_count, rows[i].prefixes);
		if (!rows[i].spread)
			assert_string_equal(print_prefix(text, &facts.prefixes[0].prefix), rows[i].most);
	}
}

static void test_looks(void **state)
{
	(void)state;
	add_from(0x0a000001, 1, 3);
	add(&(struct frame_spec){.ip6 = true}, 0);
	add(&(struct frame_spec){.ip6 = true, .tags = {0x8100}}, 0);
	add(&(struct frame_spec){.cut = 30}, 0x0a000001); /* cannot be read */
	syn_facts__gather(&facts, &pcap);
	assert_int_equal(facts.syns, 5);
	assert_true(facts.several_targets); /* of IPv4 and of IPv6 */
	assert_int_equal(facts.looks_count, 3);
	assert_int_equal(facts.looks[0].count, 3);
	assert_non_null(strstr(facts.looks[0].text, "TTL 64, window "));
	assert_non_null(strstr(facts.looks[0].text, ", no options, 54 bytes"));
	assert_non_null(strstr(facts.looks[1].text, "hop limit 64, window "));
	assert_non_null(strstr(facts.looks[2].text, "hop limit 64, window "));
}

static void test_none_readable(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) { /* and of a sample without any */
		syn_facts__gather(&facts, &pcap);
		assert_int_equal(facts.syns + facts.sources + facts.prefix_count + facts.looks_count, 0);
		assert_false(facts.spread);
		add(&(struct frame_spec){.cut = 30}, 0x0a000001);
	}
}

static void test_file(void **state)
{
	char path[] = "/tmp/unit_pcap.XXXXXX", bytes[32768];
	size_t len;
	FILE *file;

	(void)state;
	close(mkstemp(path));
	add_from(0x0a000001, 1, SYN_SAMPLE_SIZE - 1);
	add(&(struct frame_spec){.payload = 500}, 1);
	file = fopen(path, "w+");
	assert_int_equal(syn_pcap__write(file, &pcap), 0);
	rewind(file);
	len = fread(bytes, 1, sizeof(bytes), file);
	fclose(file);
	assert_int_equal(syn_pcap__read(&other, path), 0);
	assert_int_equal(other.count, pcap.count);
	for (size_t i = 0; i < pcap.count; i++)
		assert_memory_equal(other.syns[i].bytes, pcap.syns[i].bytes, pcap.syns[i].copied);
	assert_int_equal(other.syns[SYN_SAMPLE_SIZE - 1].len, frame.len);
	assert_int_equal(other.syns[1].time_ns, pcap.syns[1].time_ns);
	/* Cut anywhere but between two packets, and longer than it may be. */
	for (size_t cut = 0; cut < 300; cut++) {
		assert_int_equal(truncate(path, cut), 0);
		file = fopen(path, "r+");
		fwrite(bytes, 1, cut, file);
		fclose(file);
		errno = 0;
		if (cut < 24 || (cut - 24) % 70) {
			assert_int_equal(syn_pcap__read(&other, path), -1);
			assert_int_equal(errno, EBADMSG);
		} else {
			assert_int_equal(syn_pcap__read(&other, path), 0);
			assert_int_equal(other.count, (cut - 24) / 70);
		}
	}
	file = fopen(path, "w");
	fwrite(bytes, 1, len, file);
	fwrite(bytes + 24, 1, 70, file);
	fclose(file);
	assert_int_equal(syn_pcap__read(&other, path), -1);
	bytes[24 + 8] = (char)255; /* more captured than there may be */
	file = fopen(path, "w");
	fwrite(bytes, 1, len, file);
	fclose(file);
	assert_int_equal(syn_pcap__read(&other, path), -1);
	unlink(path);
	assert_int_equal(syn_pcap__read(&other, path), -1);
	assert_int_equal(errno, ENOENT);
	file = fopen("/dev/full", "w");
	assert_int_equal(syn_pcap__write(file, &pcap), -1);
	fclose(file);
}

#define TEST(name) cmocka_unit_test_setup(name, begin)

int main(void)
{
	const struct CMUnitTest tests[] = {TEST(test_networks), TEST(test_looks), TEST(test_none_readable),
					   TEST(test_file)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
