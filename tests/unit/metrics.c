// SPDX-License-Identifier: GPL-2.0-only
/*
 * The metrics' text: exact lines for made-up snapshots, in both formats.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "endpoint/endpoint.h"
#include "lib/text.h"

static struct snapshot snapshot;

static char *render_as(enum metrics_format format)
{
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	metrics__render(out, &snapshot, format);
	assert_int_equal(fclose(out), 0);
	return text;
}

static char *render(void)
{
	return render_as(METRICS_TEXT);
}

static void empty_snapshot(void)
{
	memset(&snapshot, 0, sizeof(snapshot));
	snapshot.port_count = 1;
}

static void test_known_series_start_at_zero(void **state)
{
	static const char *const lines[] = {
		"# TYPE synwarden_packets_total counter",
		"synwarden_packets_total{verdict=\"pass\",reason=\"syn\"} 0",
		"synwarden_packets_total{verdict=\"drop\",reason=\"source_limit\"} 0",
		"synwarden_bytes_total{verdict=\"drop\",reason=\"tcp_xmas\"} 0",
		"synwarden_syns_total{port=\"other\"} 0",
		"synwarden_handshakes_total{port=\"other\",outcome=\"completed\"} 0",
		"synwarden_half_open_connections{port=\"other\"} 0",
		"# TYPE synwarden_half_open_connections gauge",
		"# TYPE synwarden_tcp_connections gauge",
		"synwarden_tcp_connections{state=\"NEW_SYN_RECV\"} 0",
		"synwarden_tcp_state_transitions_total{from=\"CLOSE\",to=\"SYN_SENT\"} 0",
		"synwarden_tcp_state_transitions_total{from=\"FIN_WAIT2\",to=\"TIME_WAIT\"} 0",
		"synwarden_tcp_state_transitions_total{from=\"LAST_ACK\",to=\"CLOSE\"} 0",
		"# TYPE synwarden_tcp_state_duration_seconds histogram",
		"synwarden_tcp_state_duration_seconds_bucket{state=\"LISTEN\",le=\"+Inf\"} 0",
		"synwarden_tcp_state_duration_seconds_sum{state=\"LISTEN\"} 0.000000000",
		"synwarden_tcp_state_duration_seconds_count{state=\"LISTEN\"} 0",
		"synwarden_events_lost_total{stage=\"ring\"} 0",
		"synwarden_events_lost_total{stage=\"reentry\"} 0",
		"synwarden_bookkeeping_failures_total{table=\"sources\"} 0",
		"synwarden_bookkeeping_failures_total{table=\"ports\"} 0",
		"synwarden_dry_run 0",
		"synwarden_protection_severity 0",
		"synwarden_protection_state{port=\"other\",state=\"attacked_not_filtered\"} 0",
		"synwarden_start_time_seconds 0.000000000",
		"synwarden_port_budget{port=\"other\"} 0",
		"synwarden_served{port=\"other\"} 0",
		"# TYPE synwarden_attacks_total counter",
		"synwarden_attacks_total{port=\"other\"} 0",
	};
	char *text;
	size_t i;

	(void)state;
	empty_snapshot();
	text = render();
	for (i = 0; i < COUNT_OF(lines); i++)
		assert_line(text, lines[i]);
	assert_int_equal(count_of(text, "synwarden_packets_total{"), REASON_MAX);
	assert_int_equal(count_of(text, "synwarden_bytes_total{"), REASON_MAX);
	assert_int_equal(count_of(text, "synwarden_tcp_connections{"), 12);
	assert_int_equal(count_of(text, "synwarden_tcp_state_transitions_total{"), 24);
	assert_int_equal(count_of(text, "_seconds_bucket{state=\"ESTABLISHED\""), 20);
	assert_int_equal(count_of(text, "synwarden_events_lost_total{") +
				 count_of(text, "synwarden_bookkeeping_failures_total{"),
			 LOSS_MAX);
	/* What no transition leaves has no duration, and what never happens is not counted. */
	assert_null(strstr(text, "seconds_count{state=\"TIME_WAIT\""));
	assert_null(strstr(text, "from=\"LISTEN\",to=\"ESTABLISHED\""));
	free(text);
}

static void test_values(void **state)
{
	char *text;

	(void)state;
	empty_snapshot();
	snapshot.verdicts[REASON_SEGMENT] = (struct verdict_count){.packets = 7, .bytes = UINT64_MAX};
	snapshot.verdicts[REASON_BLOCKED] = (struct verdict_count){.packets = 3, .bytes = 180};
	snapshot.ports[0] = (struct port_view){.syns = 5};
	snapshot.ports[1] = (struct port_view){.port = 80,
					       .syns = 11,
					       .passed = 10,
					       .completed = 9,
					       .aborted = 4,
					       .listen_drops = 6,
					       .half_open = 2,
					       .accept_queue = 7,
					       .accept_limit = 8,
					       .accept_full = 1,
					       .budget = 1000,
					       .served = true,
					       .attacks = 3,
					       .recent = {.seconds = 10, .syns = 1}};
	snapshot.ports[2] = (struct port_view){.port = 65535, .syns = 1};
	snapshot.ports[1].listening = true;
	snapshot.ports[1].reachable = 1;
	snapshot.port_count = 3;
	snapshot.transitions[STATE_ESTABLISHED][STATE_CLOSE_WAIT] = 4;
	snapshot.transitions[STATE_TIME_WAIT][STATE_LISTEN] = 1;
	snapshot.census.states[STATE_TIME_WAIT] = 42;
	snapshot.losses[LOSS_RING] = 13;
	snapshot.losses[LOSS_PORTS] = 14;
	snapshot.meta.dry_run = 1;
	snapshot.meta.since_ns = 1795996800000000001;

	text = render();
	assert_line(text, "synwarden_packets_total{verdict=\"pass\",reason=\"segment\"} 7");
	assert_line(text, "synwarden_bytes_total{verdict=\"pass\",reason=\"segment\"} 18446744073709551615");
	assert_line(text, "synwarden_packets_total{verdict=\"drop\",reason=\"blocked\"} 3");
	assert_line(text, "synwarden_bytes_total{verdict=\"drop\",reason=\"blocked\"} 180");
	assert_line(text, "synwarden_syns_total{port=\"other\"} 5");
	assert_line(text, "synwarden_syns_total{port=\"80\"} 11");
	assert_line(text, "synwarden_syns_total{port=\"65535\"} 1");
	assert_line(text, "synwarden_protection_severity 2");
	assert_line(text, "synwarden_protection_state{port=\"80\",state=\"clients_turned_away\"} 1");
	assert_line(text, "synwarden_protection_state{port=\"80\",state=\"protected\"} 0");
	assert_line(text, "synwarden_protection_state{port=\"65535\",state=\"protected\"} 0");
	assert_line(text, "synwarden_handshakes_total{port=\"80\",outcome=\"completed\"} 9");
	assert_line(text, "synwarden_half_open_connections{port=\"80\"} 2");
	assert_line(text, "synwarden_syns_passed_total{port=\"80\"} 10");
	assert_line(text, "synwarden_handshakes_total{port=\"80\",outcome=\"aborted\"} 4");
	assert_line(text, "synwarden_handshakes_total{port=\"80\",outcome=\"listen_drop\"} 6");
	assert_line(text, "synwarden_accept_queue_connections{port=\"80\"} 7");
	assert_line(text, "synwarden_accept_queue_limit{port=\"80\"} 8");
	assert_line(text, "synwarden_accept_queues_full{port=\"80\"} 1");
	assert_line(text, "synwarden_port_budget{port=\"80\"} 1000");
	assert_line(text, "synwarden_port_budget{port=\"65535\"} 0");
	assert_line(text, "synwarden_served{port=\"80\"} 1");
	assert_line(text, "synwarden_served{port=\"65535\"} 0");
	assert_line(text, "synwarden_attacks_total{port=\"80\"} 3");
	assert_line(text, "synwarden_start_time_seconds 1795996800.000000001");
	assert_line(text, "synwarden_tcp_state_transitions_total{from=\"ESTABLISHED\",to=\"CLOSE_WAIT\"} 4");
	assert_line(text, "synwarden_tcp_state_transitions_total{from=\"TIME_WAIT\",to=\"LISTEN\"} 1");
	assert_line(text, "synwarden_tcp_connections{state=\"TIME_WAIT\"} 42");
	assert_line(text, "synwarden_events_lost_total{stage=\"ring\"} 13");
	assert_line(text, "synwarden_bookkeeping_failures_total{table=\"ports\"} 14");
	assert_line(text, "synwarden_dry_run 1");
	free(text);
}

/* Only where HTTP is counted. */
static void test_http(void **state)
{
	char *text;

	(void)state;
	empty_snapshot();
	text = render();
	assert_null(strstr(text, "synwarden_http_"));
	free(text);
	snapshot.http = true;
	snapshot.http_client.requests[HTTP_UNANSWERED] = 1;
	snapshot.ports[1] = (struct port_view){
		.port = 80,
		.http = {.requests = {[2] = 7, [5] = 1},
			 .connections = {[HTTP_CARRIES_1] = 3, [HTTP_CARRIES_TLS] = 2},
			 .per_connection = {[0] = 1, [2] = 1, [HTTP_REQUEST_SLOTS - 1] = 1},
			 .ended_requests = 1006,
			 .first_byte = {[0] = 5, [1] = 2, [HTTP_FIRST_BYTE_SLOTS - 1] = 1},
			 .first_byte_ns = 70000001000,
			 .pipelined = 4,
			 .closed = {[HTTP_BY_SERVER] = 2, [HTTP_BY_RESET] = 1}},
	};
	snapshot.port_count = 2;
	text = render();
#define SERIES(rest) assert_line(text, "synwarden_http_" rest)
	SERIES("requests_total{port=\"client\",status_class=\"unanswered\"} 1");
	SERIES("requests_total{port=\"other\",status_class=\"1xx\"} 0");
	SERIES("requests_total{port=\"80\",status_class=\"2xx\"} 7");
	SERIES("requests_total{port=\"80\",status_class=\"5xx\"} 1");
	SERIES("connections_total{port=\"80\",kind=\"http1\"} 3");
	SERIES("connections_total{port=\"80\",kind=\"h2c\"} 0");
	SERIES("connections_total{port=\"80\",kind=\"tls\"} 2");
	SERIES("requests_per_connection_bucket{port=\"80\",le=\"1.0\"} 1");
	SERIES("requests_per_connection_bucket{port=\"80\",le=\"5.0\"} 2");
	SERIES("requests_per_connection_bucket{port=\"80\",le=\"1000.0\"} 2");
	SERIES("requests_per_connection_bucket{port=\"80\",le=\"+Inf\"} 3");
	SERIES("requests_per_connection_sum{port=\"80\"} 1006");
	SERIES("requests_per_connection_count{port=\"80\"} 3");
	SERIES("first_byte_seconds_bucket{port=\"80\",le=\"0.000064\"} 5");
	SERIES("first_byte_seconds_bucket{port=\"80\",le=\"67.108864\"} 7");
	SERIES("first_byte_seconds_bucket{port=\"80\",le=\"+Inf\"} 8");
	SERIES("first_byte_seconds_sum{port=\"80\"} 70.000001000");
	SERIES("first_byte_seconds_count{port=\"80\"} 8");
	SERIES("pipelined_total{port=\"80\"} 4");
	SERIES("closed_total{port=\"80\",by=\"client\"} 0");
	SERIES("closed_total{port=\"80\",by=\"server\"} 2");
	SERIES("closed_total{port=\"80\",by=\"reset\"} 1");
#undef SERIES
	free(text);
}

/* Slots 0 and 1 end at 4 us together; the last slot is in no bucket but +Inf. */
static void test_histogram(void **state)
{
	struct histogram *established = &snapshot.durations[STATE_ESTABLISHED];
	char *text;

	(void)state;
	empty_snapshot();
	established->slots[0] = 1;
	established->slots[1] = 2;
	established->slots[2] = 4;
	established->slots[19] = 8;
	established->slots[38] = 16;
	established->slots[HIST_SLOTS - 1] = 32;
	established->sum_ns = 12345678901;

	text = render();
#define SERIES(rest) assert_line(text, "synwarden_tcp_state_duration_seconds" rest)
	SERIES("_bucket{state=\"ESTABLISHED\",le=\"0.000004\"} 3");
	SERIES("_bucket{state=\"ESTABLISHED\",le=\"0.000016\"} 7");
	SERIES("_bucket{state=\"ESTABLISHED\",le=\"0.262144\"} 7");
	SERIES("_bucket{state=\"ESTABLISHED\",le=\"1.048576\"} 15");
	SERIES("_bucket{state=\"ESTABLISHED\",le=\"274877.906944\"} 15");
	SERIES("_bucket{state=\"ESTABLISHED\",le=\"+Inf\"} 63");
	SERIES("_sum{state=\"ESTABLISHED\"} 12.345678901");
	SERIES("_count{state=\"ESTABLISHED\"} 63");
#undef SERIES
	free(text);
}

static void assert_build(const char *version, const char *xdp_mode)
{
	char line[512], *text = render();
	struct utsname kernel;

	assert_int_equal(uname(&kernel), 0);
	snprintf(line, sizeof(line), "synwarden_build_info{version=\"%s\",kernel=\"%s\",xdp_mode=\"%s\"} 1", version,
		 kernel.release, xdp_mode);
	assert_line(text, line);
	free(text);
}

static void test_build_info(void **state)
{
	(void)state;
	empty_snapshot();
	assert_build("", "none");
	strcpy(snapshot.meta.version, "a\\b\"c\nd");
	snapshot.meta.interfaces = 2;
	assert_build("a\\\\b\\\"c\\nd", "none");
	snapshot.meta.interface[0].ifindex = 3;
	snapshot.meta.interface[1].ifindex = 4;
	assert_build("a\\\\b\\\"c\\nd", "generic");
	snapshot.meta.interface[1].native = 1;
	assert_build("a\\\\b\\\"c\\nd", "mixed");
	snapshot.meta.interface[0].native = 1;
	memset(snapshot.meta.version, 'x', sizeof(snapshot.meta.version));
	assert_build("xxxxxxxxxxxxxxxx", "native");
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Nothing twice: no series, and no HELP or TYPE of a family; and a HELP, then a TYPE, before each family's samples. */
static void test_format(void **state)
{
	char *text, *line, *save, *lines[65536] = {}, family[128] = "";
	size_t count = 0, i;

	(void)state;
	empty_snapshot();
	for (snapshot.port_count = 1; snapshot.port_count < MAX_PORTS; snapshot.port_count++)
		snapshot.ports[snapshot.port_count].port = snapshot.port_count;
	text = render();
	assert_null(strchr(text, '\r'));
	assert_null(strstr(text, "\n\n"));
	assert_int_equal(text[strlen(text) - 1], '\n');
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		if (sscanf(line, "# HELP %127s", family) == 1) {
			line[strlen("# HELP ") + strlen(family)] = '\0';
		} else if (!strncmp(line, "# TYPE ", 7)) {
			assert_memory_equal(line + 7, family, strlen(family));
			*strrchr(line, ' ') = '\0';
		} else {
			assert_memory_equal(line, family, strlen(family));
			*strrchr(line, ' ') = '\0';
		}
		assert_true(count < COUNT_OF(lines));
		lines[count++] = line;
	}
	qsort(lines, count, sizeof(lines[0]), compare);
	for (i = 1; i < count; i++)
		assert_string_not_equal(lines[i - 1], lines[i]);
	free(text);
}

/* The same series with the same values: only a counter's family is named otherwise, and the end is marked. */
static void test_openmetrics(void **state)
{
	char *text, *open, *line, *open_line, *save, *open_save, *total;
	size_t counters = 0, families;

	(void)state;
	empty_snapshot();
	snapshot.verdicts[REASON_SEGMENT].packets = 7;
	text = render();
	families = count_of(text, "_total counter\n");
	open = render_as(METRICS_OPENMETRICS);
	open_line = strtok_r(open, "\n", &open_save);
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		total = *line == '#' ? strstr(line, "_total ") : NULL;
		if (total) {
			memmove(total, total + strlen("_total"), strlen(total + strlen("_total")) + 1);
			counters++;
		}
		assert_string_equal(open_line, line);
		open_line = strtok_r(NULL, "\n", &open_save);
	}
	assert_true(families >= 14);
	assert_int_equal(counters, 2 * families);
	assert_string_equal(open_line, "# EOF");
	assert_null(strtok_r(NULL, "\n", &open_save));
	free(open);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known_series_start_at_zero),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_histogram),
		cmocka_unit_test(test_http),
		cmocka_unit_test(test_build_info),
		cmocka_unit_test(test_format),
		cmocka_unit_test(test_openmetrics),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
