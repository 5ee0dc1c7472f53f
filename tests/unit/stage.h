/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For the tests of the checks: a host made by hand in which nothing is wrong, to change one thing in. For use after
 * cmocka.h.
 */
#ifndef SYNWARDEN_TESTS_CHECKS_STAGE_H
#define SYNWARDEN_TESTS_CHECKS_STAGE_H

#include <arpa/inet.h>
#include <string.h>

#include "doctor/checks.h"

#define MAX_FINDINGS 64

struct stage {
	struct host host;
	struct device devices[3];
	struct backlog backlogs[2];
};

struct findings {
	struct finding all[MAX_FINDINGS];
	size_t count;
	enum check_status worst;
};

/* Nothing is wrong with it: eth0 with a VLAN, a veth peer that is not looked at, nginx and a local listener. */
static inline void set_sound(struct stage *stage)
{
	memset(stage, 0, sizeof(*stage));
	stage->host = (struct host){
		.release = "6.1.0",
		.machine = "x86_64",
		.root = true,
		.cpus = 4,
		.capabilities = ~0ULL,
		.landlock = 7,
		.open_files = 1024,
		.locked_memory = 8 << 20,
		.loads = ANSWER_YES,
		.btf = ANSWER_YES,
		.jit = ANSWER_YES,
		.bpffs = ANSWER_YES,
		.tracefs = ANSWER_NO,
		.cgroups = ANSWER_YES,
		.cgroups_are_whole = true,
		.jit_setting = true,
		.settings_writable = ANSWER_YES,
		.settings = {[SETTING_SYNCOOKIES] = 1,
			     [SETTING_TIMESTAMPS] = 1,
			     [SETTING_SYN_BACKLOG] = 1024,
			     [SETTING_SOMAXCONN] = 4096,
			     [SETTING_SYNACK_RETRIES] = 5,
			     [SETTING_RP_FILTER] = 2,
			     [SETTING_CONNTRACK_LOOSE] = 1},
		.devices = {stage->devices, 3},
		.backlogs = {stage->backlogs, 2},
		.backlogs_seen = ANSWER_YES,
		.redirects_seen = true,
		.run = {.state = RUN_NONE},
	};
	for (size_t i = 0; i < FEATURE_MAX; i++)
		stage->host.features[i].present = ANSWER_YES;
	stage->devices[0] = (struct device){
		.ifindex = 2,
		.name = "eth0",
		.driver = "ixgbe",
		.up = true,
		.mtu = 1500,
		.native = ANSWER_YES,
		.queues = 4,
		.most_queues = 8,
		.combined_queues = true,
		.rps = ANSWER_NO,
		.wanted = true,
	};
	for (size_t i = 0; i < OFFLOAD_MAX; i++)
		stage->devices[0].offloads[i].on = i == OFFLOAD_RX_CHECKSUM ? ANSWER_YES : ANSWER_NO;
	stage->devices[1] = (struct device){.ifindex = 3, .name = "eth0.10", .kind = "vlan", .lower = 2, .up = true};
	stage->devices[2] = (struct device){.ifindex = 4, .name = "v0", .kind = "veth", .up = true};
	stage->devices[2].offloads[OFFLOAD_TX_VLAN].on = ANSWER_NO;
	stage->backlogs[0] = (struct backlog){.port = 80, .limit = 511, .pid = 7, .comm = "nginx"};
	stage->backlogs[0].addr.words[2] = htonl(0xffff);
	stage->backlogs[1] = (struct backlog){.port = 25, .limit = 1, .loopback = true};
}

static inline void keep(void *context, const struct finding *finding)
{
	struct findings *findings = context;

	assert_true(findings->count < MAX_FINDINGS);
	findings->all[findings->count++] = *finding;
}

static inline void look(struct findings *findings, const struct stage *stage)
{
	findings->count = 0;
	findings->worst = checks__all(&stage->host, keep, findings);
}

static inline const struct finding *named(const struct findings *findings, const char *name)
{
	for (size_t i = 0; i < findings->count; i++)
		if (!strcmp(findings->all[i].name, name))
			return &findings->all[i];
	fail_msg("nothing is reported of %s", name);
	return NULL;
}

/* One thing is reported so, and nothing else has changed for the worse. */
static inline void expect(const struct stage *stage, const char *name, enum check_status status, const char *detail,
			  const char *command)
{
	struct findings findings;
	const struct finding *finding;

	look(&findings, stage);
	finding = named(&findings, name);
	assert_string_equal(finding->detail, detail);
	assert_string_equal(finding->command, command);
	assert_string_equal(checks__word(finding->status), checks__word(status));
	for (size_t i = 0; i < findings.count; i++)
		if (&findings.all[i] != finding && findings.all[i].status >= CHECK_WEAK)
			fail_msg("%s: %s", findings.all[i].name, findings.all[i].detail);
	assert_int_equal(findings.worst, status < CHECK_OK ? CHECK_OK : status);
}

#endif
