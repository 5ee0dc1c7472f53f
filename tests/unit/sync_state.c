// SPDX-License-Identifier: GPL-2.0-only
/*
 * The file of what `sync` knows: what is written is read again, with what is left of each end; a file that was cut
 * anywhere, or is of another version, is set aside, and nothing of it is believed.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "config/cidr.h"
#include "config/config_file.h"
#include "lib/capture.h"
#include "lib/text.h"
#include "sync/sync.h"
#include "system/clock.h"
#include "text/address.h"

#define CONF                                                                                                           \
	"[crowdsec]\nurl = http://192.0.2.1:8080\nkey-file = /key\norigins = cscli CAPI\n"                             \
	"[list ops]\nfile = /list\n[list drop]\nurl = https://example.org/drop.txt\n"

static char dir[] = "/tmp/unit_sync.XXXXXX", path[64], damaged[80], conf[64];
static const struct sync_flags flags;

static void write_text(const char *at, const void *text, size_t len)
{
	FILE *file = fopen(at, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

static char *read_text(size_t *len)
{
	static char text[4096];
	FILE *file = fopen(path, "r");

	assert_non_null(file);
	*len = fread(text, 1, sizeof(text) - 1, file);
	text[*len] = '\0';
	fclose(file);
	return text;
}

/* As `sync` begins. */
static struct sync *opened(const char *configuration)
{
	struct sync *sync = calloc(1, sizeof(*sync));

	assert_non_null(sync);
	write_text(conf, configuration, strlen(configuration));
	sync->flags = &flags;
	sync->settings = calloc(1, sizeof(*sync->settings));
	assert_non_null(sync->settings);
	settings__init(sync->settings);
	assert_int_equal(config_file__read(sync->settings, conf), 0);
	sync->context.sync = &sync->settings->sync.options;
	sync->context.notes = &sync->notes;
	sync->context.most = 1000;
	sync->folder = (struct state_folder){.stem = "host", .fd = open(dir, O_RDONLY | O_DIRECTORY)};
	strcpy(sync->folder.path, dir);
	notes__clear(&sync->notes);
	sync->sources = calloc(sync->settings->sync.source_count, sizeof(*sync->sources));
	assert_non_null(sync->sources);
	for (; sync->source_count < sync->settings->sync.source_count; sync->source_count++)
		source__open(&sync->sources[sync->source_count], &sync->settings->sync.sources[sync->source_count],
			     sync->source_count);
	return sync;
}

static void closed(struct sync *sync)
{
	for (size_t i = 0; i < sync->source_count; i++)
		source__close(&sync->sources[i], &sync->context);
	free(sync->sources);
	state_folder__close(&sync->folder);
	settings__free(sync->settings);
	free(sync);
}

static void add(struct sync *sync, size_t source, uint64_t id, const char *cidr, uint64_t seconds, const char *origin,
		const char *scenario)
{
	struct record record = {.id = id, .ends_ns = seconds ? clock__now() + seconds * NS_PER_S : 0};
	const char *why;

	assert_int_equal(parse_cidr(cidr, &record.prefix, &why), 0);
	record.note = notes__number(&sync->notes, sync->sources[source].config->name, origin, scenario, 0);
	assert_int_equal(said__add(&sync->sources[source].said, &record), 0);
}

static struct sync *filled(void)
{
	struct sync *sync = opened(CONF);
	struct prefix server;
	const char *why;

	add(sync, 0, 7, "192.0.2.7", 3600, "CAPI", "crowdsecurity/ssh-bf");
	add(sync, 0, 8, "198.51.100.0/24", 100, "cscli", "manual 'ban' from 'proto'");
	add(sync, 0, 9, "2001:db8::/48", 7200, "cscli", "");
	add(sync, 1, 1, "203.0.113.0/25", 0, "", "");
	assert_int_equal(parse_cidr("192.0.2.1", &server, &why), 0);
	assert_int_equal(prefixes__add(&sync->sources[0].servers, &server), 0);
	sync->sources[0].has_ids = true;
	sync->sources[0].succeeded_s = 1700000000;
	strcpy(sync->sources[2].etag, "W/\"6b0c54c4\"");
	strcpy(sync->sources[2].modified, "Sun, 29 Nov 2026 16:17:01 GMT");
	sync->sources[1].ends_ns = clock__now() + 1000 * NS_PER_S;
	sync->is_unsaved = true;
	sync__save(sync, true);
	assert_false(sync->is_unsaved);
	return sync;
}

/* "ID PREFIX SECONDS ORIGIN SCENARIO RANK; ..." of a source; seconds are rounded, as time passes. */
static const char *shown(const struct sync *sync, size_t source)
{
	static char text[1024];
	char prefix[PRINT_PREFIX_LEN];

	*text = '\0';
	for (size_t i = 0; i < sync->sources[source].said.count; i++) {
		const struct record *record = &sync->sources[source].said.all[i];
		const struct note *note = &sync->notes.all[record->note];
		uint64_t left_ns = record->ends_ns ? record->ends_ns - clock__now() : 0;

		sprintf(text + strlen(text), "%" PRIu64 " %s %" PRIu64 " %s %s %u; ", record->id,
			print_prefix(prefix, &record->prefix), (uint64_t)((left_ns + 50 * NS_PER_S) / (100 * NS_PER_S)),
			note->text.origin, note->text.scenario, note->rank);
	}
	return text;
}

static void test_again(void **state)
{
	struct sync *former = filled(), *sync = opened(CONF);
	struct capture capture;

	(void)state;
	capture_begin(&capture, STDERR_FILENO);
	assert_true(sync__restore(sync));
	assert_non_null(strstr(capture_end(&capture), "4 entries are restored"));
	assert_string_equal(shown(sync, 0), "7 192.0.2.7 36 CAPI crowdsecurity/ssh-bf 1; "
					    "8 198.51.100.0/24 1 cscli manual 'ban' from 'proto' 0; "
					    "9 2001:db8::/48 72 cscli  0; ");
	assert_string_equal(shown(sync, 1), "1 203.0.113.0/25 0   64; ");
	assert_string_equal(shown(sync, 2), "");
	assert_true(sync->sources[0].has_ids);
	assert_int_equal(sync->sources[0].servers.count, 1);
	assert_int_equal(sync->sources[0].succeeded_s, 1700000000);
	assert_string_equal(sync->sources[2].etag, "W/\"6b0c54c4\"");
	assert_string_equal(sync->sources[2].modified, "Sun, 29 Nov 2026 16:17:01 GMT");
	assert_true(sync->sources[1].ends_ns > clock__now() + 990 * NS_PER_S);
	closed(former);
	closed(sync);
}

/* What the configuration no longer asks for is left out. */
static void test_other_configuration(void **state)
{
	struct sync *former = filled();
	struct sync *sync =
		opened("[list ops]\nfile = /list\n[crowdsec]\nurl = http://192.0.2.1:8080\nkey-file = /key\n"
		       "origins = CAPI\n");
	struct capture capture;

	(void)state;
	capture_begin(&capture, STDERR_FILENO);
	assert_true(sync__restore(sync));
	capture_end(&capture);
	assert_string_equal(shown(sync, 0), "1 203.0.113.0/25 0   0; ");
	assert_string_equal(shown(sync, 1), "7 192.0.2.7 36 CAPI crowdsecurity/ssh-bf 64; ");
	closed(former);
	closed(sync);
}

/* What was blocked must not be allowed because the list has another verb now; nor does a copy hold for another place.
 */
static void test_other_list(void **state)
{
	struct sync *former = filled();
	struct sync *sync =
		opened("[list ops]\nfile = /list\nverb = allow\n[list drop]\nurl = https://example.com/drop.txt\n");
	struct capture capture;

	(void)state;
	capture_begin(&capture, STDERR_FILENO);
	assert_true(sync__restore(sync));
	capture_end(&capture);
	assert_string_equal(shown(sync, 0), "");
	assert_string_equal(sync->sources[1].etag, "");
	closed(sync);
	sync = opened("[sync]\nshortest = 9\n" CONF);
	capture_begin(&capture, STDERR_FILENO);
	assert_true(sync__restore(sync));
	capture_end(&capture);
	assert_string_equal(shown(sync, 1), "1 203.0.113.0/25 0   64; ");
	assert_string_equal(sync->sources[2].etag, "");
	closed(former);
	closed(sync);
}

/* `text` is not believed, for this reason, and kept for a person to look at. */
static void check_refused(const char *text, size_t len, const char *why)
{
	struct sync *sync = opened(CONF);
	struct capture capture;

	write_text(path, text, len);
	capture_begin(&capture, STDERR_FILENO);
	assert_false(sync__restore(sync));
	if (!strstr(capture_end(&capture), why))
		fail_msg("%zu bytes: %s", len, capture.text);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(access(damaged, F_OK), 0);
	for (size_t i = 0; i < sync->source_count; i++) {
		assert_int_equal(sync->sources[i].said.count, 0);
		assert_int_equal(sync->sources[i].servers.count, 0);
	}
	closed(sync);
}

static void test_cut(void **state)
{
	struct sync *former = filled();
	size_t len;
	char *text = read_text(&len);

	(void)state;
	for (size_t cut = 0; cut < len - 2; cut++) /* the last byte is the end of the last line */
		check_refused(text, cut, "not restored");
	check_refused(text, strlen("synwarden-sync-1"), "it is of another format");
	text[strlen("synwarden-sync-")] = '2';
	check_refused(text, len, "it is of another format");
	text[strlen("synwarden-sync-")] = '1';
	strcpy(text + len, "entry 10 192.0.2.10 1000000000 1\n");
	check_refused(text, strlen(text), "it goes on behind its end");
	closed(former);
}

/* `change` of the first line's clocks: how long ago it was written, of another boot. */
static struct sync *written(int64_t seconds_ago)
{
	static char text[4096];
	size_t len;
	const char *rest = strchr(read_text(&len), '\n');

	snprintf(text, sizeof(text), "synwarden-sync-1 other-boot 5 %" PRIu64 "%s",
		 (uint64_t)(clock__ns(CLOCK_REALTIME) - seconds_ago * (int64_t)NS_PER_S), rest);
	write_text(path, text, strlen(text));
	return opened(CONF);
}

/* What has ended meanwhile is gone; where the clock stands before the writing, nothing lasts longer than granted. */
static void test_clocks(void **state)
{
	static const struct {
		int64_t ago;
		const char *expected;
	} rows[] = {
		{1000, "7 192.0.2.7 26 CAPI crowdsecurity/ssh-bf 1; 9 2001:db8::/48 62 cscli  0; "},
		{86400, ""},
		{-86400, "7 192.0.2.7 36 CAPI crowdsecurity/ssh-bf 1; "
			 "8 198.51.100.0/24 1 cscli manual 'ban' from 'proto' 0; 9 2001:db8::/48 72 cscli  0; "},
	};
	struct capture capture;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct sync *former = filled(), *sync = written(rows[i].ago);

		capture_begin(&capture, STDERR_FILENO);
		assert_true(sync__restore(sync));
		capture_end(&capture);
		assert_string_equal(shown(sync, 0), rows[i].expected);
		closed(former);
		closed(sync);
	}
}

static int begin(void **state)
{
	(void)state;
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/host.fleet", dir);
	snprintf(damaged, sizeof(damaged), "%s.damaged", path);
	snprintf(conf, sizeof(conf), "%s/conf", dir);
	return 0;
}

static int end(void **state)
{
	(void)state;
	unlink(path);
	unlink(damaged);
	unlink(conf);
	return rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_again),	   cmocka_unit_test(test_other_configuration),
		cmocka_unit_test(test_other_list), cmocka_unit_test(test_cut),
		cmocka_unit_test(test_clocks),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
