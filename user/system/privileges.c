// SPDX-License-Identifier: GPL-2.0-only
/*
 * Capabilities by libcap-ng, system calls by libseccomp.
 */
#include <errno.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

#include <cap-ng.h>
#include <linux/capability.h>
#include <seccomp.h>

#include "system/privileges.h"
#include "text/log.h"

static const struct {
	unsigned number;
	const char *name;
} needed[] = {
	{CAP_BPF, "CAP_BPF"},		  /* programs and maps */
	{CAP_NET_ADMIN, "CAP_NET_ADMIN"}, /* XDP programs, sysctls of the network */
	{CAP_PERFMON, "CAP_PERFMON"},	  /* programs that read the kernel's structures */
};

#define MANY_LEN 64
#define NEEDED	 (sizeof(needed) / sizeof(*needed))

/* All that a running `run` calls, and what newer versions of its libraries may call instead. */
static const char *const calls[] = {
	/* memory */
	"brk",
	"madvise",
	"mmap",
	"mprotect",
	"mremap",
	"munmap",
	"membarrier",
	"memfd_create",
	/* threads, signals, time */
	"clock_getres",
	"clock_gettime",
	"clock_nanosleep",
	"exit",
	"exit_group",
	"futex",
	"futex_waitv",
	"getcpu",
	"getpid",
	"getppid",
	"getrandom",
	"gettid",
	"gettimeofday",
	"nanosleep",
	"restart_syscall",
	"rseq",
	"rt_sigaction",
	"rt_sigpending",
	"rt_sigprocmask",
	"rt_sigreturn",
	"rt_sigtimedwait",
	"sched_getaffinity",
	"sched_yield",
	"set_robust_list",
	"sigaltstack",
	"signalfd4",
	"tgkill",
	"time",
	/* identity */
	"arch_prctl",
	"capget",
	"getegid",
	"geteuid",
	"getgid",
	"getrlimit",
	"getrusage",
	"getuid",
	"prctl",
	"prlimit64",
	"sysinfo",
	"times",
	"uname",
	/* files and descriptors */
	"access",
	"close",
	"close_range",
	"dup",
	"dup2",
	"dup3",
	"faccessat",
	"faccessat2",
	"fadvise64",
	"fcntl",
	"flock",
	"fstat",
	"fstatfs",
	"fsync",
	"getcwd",
	"getdents64",
	"ioctl",
	"lseek",
	"lstat",
	"mkdir",
	"mkdirat",
	"newfstatat",
	"open",
	"openat",
	"pipe2",
	"pread64",
	"pwrite64",
	"read",
	"readlink",
	"readlinkat",
	"readv",
	"rename",
	"renameat",
	"renameat2",
	"rmdir",
	"stat",
	"statfs",
	"statx",
	"umask",
	"unlink",
	"unlinkat",
	"write",
	"writev",
	"name_to_handle_at",
	/* waiting */
	"epoll_create1",
	"epoll_ctl",
	"epoll_pwait",
	"epoll_pwait2",
	"epoll_wait",
	"eventfd2",
	"poll",
	"ppoll",
	"pselect6",
	"select",
	"timerfd_create",
	"timerfd_settime",
	/* sockets */
	"accept",
	"accept4",
	"bind",
	"connect",
	"getpeername",
	"getsockname",
	"getsockopt",
	"listen",
	"recvfrom",
	"recvmsg",
	"sendfile",
	"sendmmsg",
	"sendmsg",
	"sendto",
	"setsockopt",
	"shutdown",
	"socket",
	/* BPF */
	"bpf",
};

bool privileges__is_admin(void)
{
	return capng_get_caps_process() == 0 && capng_have_capability(CAPNG_EFFECTIVE, CAP_SYS_ADMIN);
}

const char *privileges__missing(char text[PRIVILEGES_LEN])
{
	size_t len = 0;

	*text = '\0';
	if (capng_get_caps_process())
		return text;
	for (size_t i = 0; i < NEEDED; i++)
		if (!capng_have_capability(CAPNG_EFFECTIVE, needed[i].number))
			len += snprintf(text + len, PRIVILEGES_LEN - len, "%s%s", len ? ", " : "", needed[i].name);
	return text;
}

/* Only those that the process has: CAP_SYS_ADMIN may stand for CAP_PERFMON. */
static int drop_capabilities(void)
{
	bool has[NEEDED];
	size_t i;

	if (capng_get_caps_process())
		return -1;
	for (i = 0; i < NEEDED; i++)
		has[i] = capng_have_capability(CAPNG_PERMITTED, needed[i].number);
	capng_clear(CAPNG_SELECT_BOTH);
	for (i = 0; i < NEEDED; i++)
		if (has[i])
			capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, needed[i].number);
	return capng_apply(CAPNG_SELECT_CAPS) ? -1 : 0;
}

/* clone() may only make threads. clone3() has its flags in memory, where seccomp cannot check them: it fails with
 * ENOSYS, and the C library uses clone(). */
static int allow_calls(scmp_filter_ctx filter)
{
	int ret = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);

	if (!ret)
		ret = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
				       SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD));
	for (size_t i = 0; !ret && i < sizeof(calls) / sizeof(*calls); i++) {
		int number = seccomp_syscall_resolve_name(calls[i]);

		/* Calls that this architecture or this libseccomp does not know are not made. */
		if (number != __NR_SCMP_ERROR)
			ret = seccomp_rule_add(filter, SCMP_ACT_ALLOW, number, 0);
	}
	return ret;
}

static int filter_calls(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int ret = filter ? allow_calls(filter) : -ENOMEM;

	if (!ret)
		ret = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2); /* a tree in place of a long list */
	if (!ret)
		ret = seccomp_load(filter);
	seccomp_release(filter);
	return ret;
}

int privileges__drop_all(void)
{
	capng_clear(CAPNG_SELECT_BOTH);
	if (!capng_apply(CAPNG_SELECT_CAPS) && !prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return 0;
	log_error("cannot give up capabilities: %s", strerror(errno));
	return -1;
}

int privileges__drop(const struct confinement *allowed, bool *confined)
{
	int err;

	if (drop_capabilities()) {
		log_error("cannot give up capabilities: %s", strerror(errno));
		return -1;
	}
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) {
		log_error("cannot set no_new_privs: %s", strerror(errno));
		return -1;
	}
	*confined = confine__apply(allowed);
	err = filter_calls();
	if (!err)
		return 0;
	/* A kernel without seccomp does not keep the filter from starting. */
	log_warn("system calls are not filtered: %s", strerror(-err));
	return 0;
}

static const char *print_capabilities(char text[PRIVILEGES_LEN], unsigned long long effective)
{
	size_t len = 0;

	for (unsigned i = 0; i < 64; i++) {
		const char *name = effective >> i & 1 ? capng_capability_to_name(i) : NULL;

		if (name && len < PRIVILEGES_LEN)
			len += snprintf(text + len, PRIVILEGES_LEN - len, "%scap_%s", len ? "," : "", name);
	}
	if (len >= MANY_LEN)
		snprintf(text, PRIVILEGES_LEN, "all, or nearly all, capabilities");
	return text;
}

const char *privileges__of(char text[PRIVILEGES_LEN], pid_t pid)
{
	unsigned long long effective = 0;
	unsigned no_new = 0, filtered = 0;
	char path[32], line[128], names[PRIVILEGES_LEN] = "no capabilities";
	bool known = false;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file)) {
		known |= sscanf(line, "CapEff: %llx", &effective) == 1;
		sscanf(line, "NoNewPrivs: %u", &no_new);
		sscanf(line, "Seccomp: %u", &filtered);
	}
	if (file)
		fclose(file);
	if (known)
		snprintf(text, PRIVILEGES_LEN, "%.*s%s%s", MANY_LEN, print_capabilities(names, effective),
			 no_new ? "; no new privileges" : "", filtered ? "; system calls filtered" : "");
	else
		snprintf(text, PRIVILEGES_LEN, "unknown");
	return text;
}
