// SPDX-License-Identifier: GPL-2.0-only
/*
 * By system calls, as the C library has no wrappers; what is newer than Linux 5.13 is spelt out, as the headers that
 * this must build with are older.
 */
#include <fcntl.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/landlock.h>

#include "system/confine.h"

#define SYSCTLS "/proc/sys/net/ipv4"

#define RULE_NET_PORT 2		   /* version 4 */
#define FS_REFER      (1ULL << 13) /* version 2 */
#define FS_TRUNCATE   (1ULL << 14) /* version 3 */
#define NET_BIND      (1ULL << 0)  /* version 4 */
#define NET_CONNECT   (1ULL << 1)

#define FILES                                                                                                          \
	(LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |              \
	 LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_DIR)
#define ALL                                                                                                            \
	(FILES | LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_BLOCK |           \
	 LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_SYM)

struct ruleset {
	uint64_t files, net; /* that are refused unless a rule allows them */
};

struct port_rule_attr {
	uint64_t allowed, port;
};

int confine__version(void)
{
	long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

	return version > 0 ? version : 0;
}

static int make(int version)
{
	struct ruleset ruleset = {.files = ALL};

	if (version >= 2)
		ruleset.files |= FS_REFER;
	if (version >= 3)
		ruleset.files |= FS_TRUNCATE;
	if (version >= 4)
		ruleset.net = NET_BIND | NET_CONNECT;
	return syscall(SYS_landlock_create_ruleset, &ruleset,
		       version >= 4 ? sizeof(ruleset) : offsetof(struct ruleset, net), 0);
}

/* False where the kernel refuses; a folder that is not there needs no rule. */
static bool allow_below(int ruleset, int folder, uint64_t access)
{
	struct landlock_path_beneath_attr rule = {.allowed_access = access, .parent_fd = folder};

	return folder < 0 || syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) == 0;
}

/* A setting's folder stays open: the rule is about an inode, which /proc makes anew once nothing holds it. */
static bool allow_files(int ruleset, int pins, int state, int version)
{
	static int sysctls = -1;
	uint64_t files = FILES | (version >= 3 ? FS_TRUNCATE : 0);
	int above = pins < 0 ? -1 : openat(pins, "..", O_PATH | O_CLOEXEC);
	bool ret;

	if (sysctls < 0)
		sysctls = open(SYSCTLS, O_PATH | O_CLOEXEC);
	ret = allow_below(ruleset, sysctls, LANDLOCK_ACCESS_FS_WRITE_FILE) && allow_below(ruleset, pins, FILES) &&
	      allow_below(ruleset, above, LANDLOCK_ACCESS_FS_REMOVE_DIR) && allow_below(ruleset, state, files);
	if (above >= 0)
		close(above);
	return ret;
}

static bool allow_port(int ruleset, uint16_t port, int version)
{
	struct port_rule_attr rule = {.allowed = NET_BIND, .port = port};

	return !port || version < 4 || syscall(SYS_landlock_add_rule, ruleset, RULE_NET_PORT, &rule, 0) == 0;
}

bool confine__apply(const struct confinement *allowed)
{
	int version = confine__version(), ruleset = version ? make(version) : -1;
	bool ret;

	if (ruleset < 0)
		return false;
	ret = allow_files(ruleset, allowed->pins, allowed->state, version) &&
	      allow_port(ruleset, allowed->port, version) && syscall(SYS_landlock_restrict_self, ruleset, 0) == 0;
	close(ruleset);
	return ret;
}
