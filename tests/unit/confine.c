// SPDX-License-Identifier: GPL-2.0-only
/*
 * What Landlock leaves to a process, tried in a child: uid 0 without capabilities still owns /etc.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/text.h"
#include "system/confine.h"

#define PORT 47998

static char dir[] = "/tmp/unit_confine.XXXXXX"; /* holds pins/synwarden, as bpffs does */
static int state_dir, pins;

static int make_dirs(void **state)
{
	(void)state;
	if (!mkdtemp(dir) || chdir(dir) || mkdir("pins", 0700) || mkdir("pins/synwarden", 0700) ||
	    mkdir("other", 0700) || mkdir("state", 0700))
		return -1;
	close(open("file", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	pins = open("pins/synwarden", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	state_dir = open("state", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return pins < 0 || state_dir < 0 ? -1 : 0;
}

static int remove_dirs(void **state)
{
	(void)state;
	close(pins);
	close(state_dir);
	unlink("file");
	unlink("state/lists");
	rmdir("state");
	rmdir("pins/synwarden");
	rmdir("pins");
	rmdir("other");
	return rmdir(dir);
}

static int try_open(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0600);

	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

static int try_port(uint16_t port, bool connects)
{
	struct sockaddr_in at = {
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), error;

	error = (connects ? connect : bind)(fd, (void *)&at, sizeof(at)) ? errno : 0;
	close(fd);
	return error;
}

/* In the child; the number of the line that is not so. */
static int try_all(void)
{
#define EXPECT(is, error)                                                                                              \
	do {                                                                                                           \
		if ((is) != (error))                                                                                   \
			return __LINE__;                                                                               \
	} while (0)
	const struct confinement allowed = {pins, state_dir, PORT};
	bool net = confine__version() >= 4;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || !confine__apply(&allowed))
		return __LINE__;
	EXPECT(try_open("/etc/passwd", O_RDONLY), 0);
	EXPECT(try_open("/etc/synwarden_probe", O_WRONLY | O_CREAT), EACCES);
	EXPECT(try_open("file", O_RDONLY), 0);
	EXPECT(try_open("file", O_WRONLY), EACCES);
	EXPECT(try_open("file", O_RDONLY | O_TRUNC), confine__version() >= 3 ? EACCES : 0);
	EXPECT(unlink("file") ? errno : 0, EACCES);
	EXPECT(rename("file", "pins/synwarden/file") ? errno : 0, confine__version() >= 2 ? EACCES : EXDEV);
	EXPECT(mkdir("new", 0700) ? errno : 0, EACCES);
	EXPECT(symlink("file", "pins/synwarden/link") ? errno : 0, EACCES);
	EXPECT(mkdir("pins/synwarden/1", 0700) ? errno : 0, 0);
	EXPECT(try_open("pins/synwarden/1/new", O_WRONLY | O_CREAT), 0);
	EXPECT(rename("pins/synwarden/1/new", "pins/synwarden/1/map") ? errno : 0, 0);
	EXPECT(unlink("pins/synwarden/1/map") ? errno : 0, 0);
	EXPECT(rmdir("pins/synwarden/1") ? errno : 0, 0);
	EXPECT(rmdir("pins/synwarden") ? errno : 0, 0);
	EXPECT(rmdir("other") ? errno : 0, EACCES);
	EXPECT(try_open("state/new", O_WRONLY | O_CREAT | O_TRUNC), 0);
	EXPECT(rename("state/new", "state/lists") ? errno : 0, 0);
	EXPECT(rename("state/lists", "other/lists") ? errno : 0, EACCES);
	EXPECT(try_open("/proc/sys/net/ipv4/tcp_syncookies", O_WRONLY), 0);
	EXPECT(try_open("/proc/sys/kernel/core_pattern", O_WRONLY), EACCES);
	EXPECT(try_port(PORT, false), 0);
	EXPECT(try_port(PORT + 1, false), net ? EACCES : 0);
	EXPECT(try_port(PORT, true), net ? EACCES : ECONNREFUSED);
	EXPECT(execl("/bin/true", "true", NULL) ? errno : 0, EACCES);
	return 0;
#undef EXPECT
}

static void test_confined(void **state)
{
	int status, line, ends[2];
	pid_t child;

	(void)state;
	if (!confine__version())
		skip();
	/* A network namespace in which no other process has the ports. */
	assert_int_equal(unshare(CLONE_NEWNET), 0);
	assert_int_equal(system("ip link set lo up"), 0);
	assert_int_equal(pipe(ends), 0);
	child = fork();
	if (!child) {
		line = try_all();
		_exit(write(ends[1], &line, sizeof(line)) != sizeof(line));
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(read(ends[0], &line, sizeof(line)), sizeof(line));
	if (line)
		fail_msg("line %d", line);
	close(ends[0]);
	close(ends[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_confined)};

	return cmocka_run_group_tests(tests, make_dirs, remove_dirs);
}
