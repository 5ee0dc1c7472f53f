// SPDX-License-Identifier: GPL-2.0-only
/*
 * The state of protection: a row for each of PROTECTION_ROWS, next to one that just is not it; the worst of several;
 * the sentences and commands, to the letter.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/text.h"
#include "output/protection.h"
#include "output/verdict.h"

#define LISTENS	    .port = 80, .listening = true, .reachable = 1, .budget = 1000, .challenge = true
#define SERVED	    LISTENS, .served = true
#define ATTACKED    .armed = 1, .attack = {.under_attack = 1}
#define RECENT(...) .recent = {.seconds = 10, __VA_ARGS__}

static const struct {
	const char *what;
	struct port_view port;
	bool dead, dry_run, read_only, one_gone, all_gone, served_full;
	size_t unslotted;
	enum protection_row host, of_port;
} rows[] = {
	{"nothing listens", {.port = 80}, .host = PROTECTION_ROW_NOTHING, .of_port = PROTECTION_ROW_MAX},
	{"only on loopback",
	 {.port = 80, .listening = true},
	 .host = PROTECTION_ROW_NOTHING,
	 .of_port = PROTECTION_ROW_MAX},
	{"no client", {SERVED}, .host = PROTECTION_ROW_ALL_QUIET, .of_port = PROTECTION_ROW_QUIET},
	{"clients", {SERVED, RECENT(.completed = 1)}, .host = PROTECTION_ROW_ALL_WORK, .of_port = PROTECTION_ROW_WORKS},
	{"armed",
	 {SERVED, .armed = 1, RECENT(.completed = 1)},
	 .host = PROTECTION_ROW_ALL_WORK,
	 .of_port = PROTECTION_ROW_BUSY},
	{"no budget",
	 {.port = 80, .listening = true, .reachable = 1},
	 .host = PROTECTION_ROW_ALL_PASS,
	 .of_port = PROTECTION_ROW_NO_BUDGET},
	{"not served", {LISTENS}, .host = PROTECTION_ROW_NOT_SERVED, .of_port = PROTECTION_ROW_NOT_SERVED},
	{"no run", {SERVED, ATTACKED}, .dead = true, .host = PROTECTION_ROW_NO_RUN, .of_port = PROTECTION_ROW_NO_RUN},
	{"a dry run", {SERVED}, .dry_run = true, .host = PROTECTION_ROW_DRY_RUN, .of_port = PROTECTION_ROW_DRY_RUN},
	{"an attack in a dry run",
	 {SERVED, ATTACKED},
	 .dry_run = true,
	 .host = PROTECTION_ROW_ATTACK_DRY_RUN,
	 .of_port = PROTECTION_ROW_ATTACK_DRY_RUN},
	{"/proc/sys is read-only",
	 {SERVED},
	 .read_only = true,
	 .host = PROTECTION_ROW_NO_COOKIE,
	 .of_port = PROTECTION_ROW_QUIET},
	{"and an attack",
	 {SERVED, ATTACKED, RECENT(.syns = 50000, .challenged = 24999)},
	 .read_only = true,
	 .host = PROTECTION_ROW_ATTACK_NO_COOKIE,
	 .of_port = PROTECTION_ROW_ATTACK_NO_COOKIE},
	{"which is challenged all the same",
	 {SERVED, ATTACKED, RECENT(.syns = 50000, .challenged = 25000)},
	 .read_only = true,
	 .host = PROTECTION_ROW_HELD_OFF,
	 .of_port = PROTECTION_ROW_HELD_OFF},
	{"one interface of two is gone",
	 {SERVED},
	 .one_gone = true,
	 .host = PROTECTION_ROW_INTERFACE_GONE,
	 .of_port = PROTECTION_ROW_QUIET},
	{"all are gone",
	 {SERVED},
	 .all_gone = true,
	 .host = PROTECTION_ROW_ALL_GONE,
	 .of_port = PROTECTION_ROW_ALL_GONE},
	{"a full table of ports",
	 {SERVED},
	 .unslotted = 3,
	 .host = PROTECTION_ROW_PORTS_FULL,
	 .of_port = PROTECTION_ROW_QUIET},
	{"of served addresses",
	 {SERVED},
	 .served_full = true,
	 .host = PROTECTION_ROW_SERVED_FULL,
	 .of_port = PROTECTION_ROW_QUIET},
	{"an attack, challenged",
	 {SERVED, ATTACKED, RECENT(.syns = 50000, .challenged = 40000, .passed = 10000)},
	 .host = PROTECTION_ROW_HELD_OFF,
	 .of_port = PROTECTION_ROW_HELD_OFF},
	{"an attack of which more than a tenth is not served",
	 {SERVED, ATTACKED, RECENT(.syns = 50000, .challenged = 44999, .passed = 5001, .not_served = 5001)},
	 .host = PROTECTION_ROW_ATTACK_NOT_SERVED,
	 .of_port = PROTECTION_ROW_ATTACK_NOT_SERVED},
	{"a tenth",
	 {SERVED, ATTACKED, RECENT(.syns = 50000, .challenged = 45000, .passed = 5000, .not_served = 5000)},
	 .host = PROTECTION_ROW_HELD_OFF,
	 .of_port = PROTECTION_ROW_HELD_OFF},
	{"an attack that passes for another reason",
	 {SERVED, ATTACKED, RECENT(.syns = 40001, .passed = 20001)},
	 .host = PROTECTION_ROW_ATTACK_PASSES,
	 .of_port = PROTECTION_ROW_ATTACK_PASSES},
	{"an attack little over the budget",
	 {SERVED, ATTACKED, RECENT(.syns = 15000, .passed = 10000)},
	 .host = PROTECTION_ROW_HELD_OFF,
	 .of_port = PROTECTION_ROW_HELD_OFF},
	{"a full accept queue",
	 {SERVED, .accept_full = 1, RECENT(.syns = 1)},
	 .host = PROTECTION_ROW_QUEUE_FULL,
	 .of_port = PROTECTION_ROW_QUEUE_FULL},
	{"which a challenged client has met",
	 {SERVED, .accept_full = 1, RECENT(.answered = 1)},
	 .host = PROTECTION_ROW_QUEUE_FULL,
	 .of_port = PROTECTION_ROW_QUEUE_FULL},
	{"which drops",
	 {SERVED, .accept_full = 1, RECENT(.listen_drops = 1)},
	 .host = PROTECTION_ROW_QUEUE_FULL,
	 .of_port = PROTECTION_ROW_QUEUE_FULL},
	{"where nobody asks",
	 {SERVED, .accept_full = 1, RECENT(0)},
	 .host = PROTECTION_ROW_ALL_QUIET,
	 .of_port = PROTECTION_ROW_QUIET},
	{"a twentieth is dropped by the listener",
	 {SERVED, RECENT(.answered = 80, .completed = 76, .listen_drops = 4)},
	 .host = PROTECTION_ROW_LISTENER_DROPS,
	 .of_port = PROTECTION_ROW_LISTENER_DROPS},
	{"less",
	 {SERVED, RECENT(.answered = 81, .completed = 77, .listen_drops = 4)},
	 .host = PROTECTION_ROW_ALL_WORK,
	 .of_port = PROTECTION_ROW_WORKS},
	{"too few to tell",
	 {SERVED, RECENT(.listen_drops = 3)},
	 .host = PROTECTION_ROW_ALL_QUIET,
	 .of_port = PROTECTION_ROW_QUIET},
	{"30 % of the answers are lost",
	 {SERVED, RECENT(.answered = 100, .completed = 60, .listen_drops = 10)},
	 .host = PROTECTION_ROW_MANY_COOKIES_LOST,
	 .of_port = PROTECTION_ROW_MANY_COOKIES_LOST},
	{"a twentieth",
	 {SERVED, RECENT(.answered = 100, .completed = 95)},
	 .host = PROTECTION_ROW_COOKIES_LOST,
	 .of_port = PROTECTION_ROW_COOKIES_LOST},
	{"less",
	 {SERVED, RECENT(.answered = 100, .completed = 96)},
	 .host = PROTECTION_ROW_ALL_WORK,
	 .of_port = PROTECTION_ROW_WORKS},
	{"too few to tell",
	 {SERVED, RECENT(.answered = 3)},
	 .host = PROTECTION_ROW_ALL_QUIET,
	 .of_port = PROTECTION_ROW_QUIET},
	{"30 % over the source limit",
	 {SERVED, RECENT(.syns = 100, .limited = 30, .passed = 70, .completed = 35)},
	 .host = PROTECTION_ROW_MANY_LIMITED,
	 .of_port = PROTECTION_ROW_MANY_LIMITED},
	{"some",
	 {SERVED, RECENT(.syns = 100, .limited = 4, .passed = 96, .completed = 96)},
	 .host = PROTECTION_ROW_LIMITED,
	 .of_port = PROTECTION_ROW_LIMITED},
	{"in a dry run, where all pass",
	 {SERVED, RECENT(.syns = 100, .limited = 30, .passed = 100, .completed = 100)},
	 .dry_run = true,
	 .host = PROTECTION_ROW_DRY_RUN,
	 .of_port = PROTECTION_ROW_DRY_RUN},
	{"a flood over it, whose handshakes do not complete",
	 {SERVED, RECENT(.syns = 5000, .limited = 4900, .passed = 100, .completed = 49)},
	 .host = PROTECTION_ROW_ALL_WORK,
	 .of_port = PROTECTION_ROW_WORKS},
	{"30 % over a budget without challenge",
	 {SERVED, .armed = 1, RECENT(.syns = 100, .over_budget = 30)},
	 .host = PROTECTION_ROW_MANY_OVER_BUDGET,
	 .of_port = PROTECTION_ROW_MANY_OVER_BUDGET},
	{"some",
	 {SERVED, .armed = 1, RECENT(.syns = 100, .over_budget = 29)},
	 .host = PROTECTION_ROW_OVER_BUDGET,
	 .of_port = PROTECTION_ROW_OVER_BUDGET},
	{"in a dry run, where all pass",
	 {SERVED, .armed = 1, RECENT(.syns = 100, .over_budget = 30)},
	 .dry_run = true,
	 .host = PROTECTION_ROW_DRY_RUN,
	 .of_port = PROTECTION_ROW_DRY_RUN},
	{"an attack, and under a third of the usual clients",
	 {SERVED, ATTACKED, RECENT(.syns = 50000, .completed = 6, .usual_millis = 2000)},
	 .host = PROTECTION_ROW_FEWER_CLIENTS,
	 .of_port = PROTECTION_ROW_FEWER_CLIENTS},
	{"a third",
	 {SERVED, ATTACKED, RECENT(.syns = 50000, .completed = 7, .usual_millis = 2000)},
	 .host = PROTECTION_ROW_HELD_OFF,
	 .of_port = PROTECTION_ROW_HELD_OFF},
	{"too few as a rule to tell",
	 {SERVED, ATTACKED, RECENT(.syns = 50000, .usual_millis = 1999)},
	 .host = PROTECTION_ROW_HELD_OFF,
	 .of_port = PROTECTION_ROW_HELD_OFF},
};

static struct snapshot snapshot;
static struct protection protection;

static void begin(uint32_t interfaces)
{
	memset(&snapshot, 0, sizeof(snapshot));
	snapshot.port_count = 1;
	snapshot.meta.port_budget = 1000;
	snapshot.meta.challenge = CHALLENGE_AUTO;
	snapshot.meta.interfaces = interfaces;
	for (uint32_t i = 0; i < interfaces; i++)
		snapshot.meta.interface[i].ifindex = i + 1;
	memcpy(snapshot.meta.interface[0].name, "eth0", 5);
	memcpy(snapshot.meta.interface[1].name, "eth1", 5);
}

static void test_rows(void **state)
{
	bool seen[PROTECTION_ROW_MAX + 1] = {};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		begin(2);
		snapshot.port_count = 2;
		snapshot.ports[1] = rows[i].port;
		snapshot.meta.dry_run = rows[i].dry_run;
		snapshot.meta.flags = rows[i].read_only ? META_SYSCTLS_FIXED : 0;
		if (rows[i].one_gone || rows[i].all_gone)
			snapshot.meta.interface[0].ifindex = 0;
		if (rows[i].all_gone)
			snapshot.meta.interface[1].ifindex = 0;
		snapshot.served_full = rows[i].served_full;
		snapshot.unslotted = rows[i].unslotted;
		protection__judge(&protection, &snapshot, !rows[i].dead);
		if (protection.host != rows[i].host || protection.ports[1] != rows[i].of_port)
			fail_msg("%s: host %d, port %d", rows[i].what, protection.host, protection.ports[1]);
		seen[protection.host] = seen[protection.ports[1]] = true;
	}
	for (size_t row = 0; row < PROTECTION_ROW_MAX; row++)
		if (!seen[row])
			fail_msg("no snapshot has row %zu", row);
}

/* A less severe row never comes first. */
static void test_order(void **state)
{
	static const unsigned ranks[] = {
		[SEVERITY_CRITICAL] = 0, [SEVERITY_WARNING] = 1, [SEVERITY_UNKNOWN] = 2, [SEVERITY_FINE] = 3};

	(void)state;
	for (unsigned row = 1; row < PROTECTION_ROW_MAX; row++)
		assert_true(ranks[protection__severity(row - 1)] <= ranks[protection__severity(row)]);
}

static void test_worst_port(void **state)
{
	char text[VERDICT_LEN];

	(void)state;
	begin(1);
	snapshot.port_count = 4;
	snapshot.ports[1] = (struct port_view){SERVED};
	snapshot.ports[2] = (struct port_view){
		SERVED, ATTACKED, RECENT(.syns = 200990, .challenged = 190000, .answered = 250, .completed = 251)};
	snapshot.ports[2].port = 443;
	snapshot.ports[3] =
		(struct port_view){SERVED, .accept_full = 1, .accept_queue = 3, .accept_limit = 2, RECENT(.syns = 1)};
	snapshot.ports[3].port = 3010;
	protection__judge(&protection, &snapshot, true);
	assert_int_equal(protection.host, PROTECTION_ROW_QUEUE_FULL);
	assert_int_equal(protection.port, 3);
	assert_int_equal(protection.ports[1], PROTECTION_ROW_QUIET);
	assert_string_equal(verdict__headline(text, &protection),
			    "CRITICAL: an accept queue of port 3010 is full (3 of 2, over all its listeners); 1 more "
			    "port is not fine");
	assert_string_equal(protection__fix(text, &protection, protection.host, protection.port),
			    "ss -ltnp 'sport = :3010'");
	assert_string_equal(
		protection__sentence(text, &protection, protection.ports[2], 2),
		"port 443 is under SYN attack, held off: 20,099 SYN/s; 250 challenged clients answered in 10 "
		"s, 251 clients connected");
}

static void test_words(void **state)
{
	char text[VERDICT_LEN];

	(void)state;
	begin(2);
	snapshot.port_count = 2;
	snapshot.ports[1] = (struct port_view){SERVED, RECENT(.completed = 3)};
	protection__judge(&protection, &snapshot, true);
	assert_string_equal(verdict__headline(text, &protection),
			    "PROTECTED: listening ports: 1; 0.3 clients/s connect");
	assert_null(protection__fix(text, &protection, protection.host, protection.port));
	snapshot.ports[1].recent =
		(struct port_recent){.seconds = 10, .syns = 830, .limited = 630, .passed = 200, .completed = 200};
	protection__judge(&protection, &snapshot, true);
	assert_string_equal(verdict__headline(text, &protection),
			    "CRITICAL: port 80: the source limit drops 63 of 83 SYN/s; unknown is the most limited "
			    "source of all ports");
	snapshot.source_count = 1;
	snapshot.sources[0].addr = (struct addr){.bytes = {[10] = 0xff, [11] = 0xff, 10, 77, 0, 1}};
	assert_string_equal(verdict__headline(text, &protection),
			    "CRITICAL: port 80: the source limit drops 63 of 83 SYN/s; 10.77.0.1 is the most limited "
			    "source of all ports");
	assert_string_equal(protection__fix(text, &protection, protection.host, protection.port), "synwarden status");
	snapshot.meta.interface[0].ifindex = snapshot.meta.interface[1].ifindex = 0;
	protection__judge(&protection, &snapshot, true);
	assert_string_equal(verdict__headline(text, &protection),
			    "CRITICAL: not filtered: eth0, eth1; nothing is filtered");
}

/* The second port with the same trouble is named too; that of the whole host comes once. */
static void test_several_ports(void **state)
{
	char *text = NULL, line[VERDICT_LEN];
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	assert_non_null(out);
	begin(1);
	snapshot.port_count = 3;
	snapshot.ports[1] = snapshot.ports[2] = (struct port_view){LISTENS};
	snapshot.ports[2].port = 443;
	protection__judge(&protection, &snapshot, true);
	verdict__print(out, &protection);
	fclose(out);
	assert_non_null(strstr(text, "port 80 is not known"));
	assert_non_null(strstr(text, "; 1 more port is not fine"));
	assert_non_null(strstr(text, "\nport 443 is not known"));
	free(text);
	snapshot.meta.dry_run = true;
	protection__judge(&protection, &snapshot, true);
	assert_string_equal(verdict__headline(line, &protection), "WARNING: dry run: nothing is filtered");
}

static void test_no_budget(void **state)
{
	char text[VERDICT_LEN];

	(void)state;
	begin(1);
	snapshot.port_count = 3;
	snapshot.ports[1] = snapshot.ports[2] = (struct port_view){.port = 80, .listening = true, .reachable = 1};
	protection__judge(&protection, &snapshot, true);
	assert_string_equal(verdict__headline(text, &protection),
			    "NOT PROTECTED: listening ports: 2; none has a budget: all SYNs pass");
	snapshot.ports[2] = (struct port_view){SERVED, RECENT(0)};
	protection__judge(&protection, &snapshot, true);
	assert_string_equal(verdict__headline(text, &protection),
			    "PROTECTED: listening ports: 2; no client connected in the last 10 s");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),  cmocka_unit_test(test_order),	    cmocka_unit_test(test_worst_port),
		cmocka_unit_test(test_words), cmocka_unit_test(test_several_ports), cmocka_unit_test(test_no_budget),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
