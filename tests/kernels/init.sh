#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Process 1 of the machine that tests/kernels/run.sh starts: mounts what a booted system has, runs the tests that the
# kernel's command line names as tests=A,B,C, tells what doctor and the kernel itself say, and switches the machine
# off. All of it goes to the serial console, where lines that begin with "==" part it.
export PATH=/usr/sbin:/usr/bin HOME=/root TERM=xterm-256color LC_ALL=C

mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mkdir -p /dev/pts /dev/shm /run /tmp /root /var/tmp
mount -t devpts devpts /dev/pts
mount -t tmpfs shm /dev/shm
mount -t tmpfs run /run
mount -t tmpfs tmp /tmp
mount -t cgroup2 cgroup /sys/fs/cgroup
mount -t bpf -o mode=700 bpf /sys/fs/bpf
mount -t tracefs tracefs /sys/kernel/tracing
ln -sf /proc/self/fd /dev/fd
ip link set lo up
cd /synwarden || busybox poweroff -f

# setting NAME: of the kernel's command line
setting() {
	sed -n "s/.*\b$1=\([^ ]*\).*/\1/p" /proc/cmdline
}

echo "== kernel $(uname -r)"
modprobe -a veth dummy tun nf_tables tcp_diag inet_diag
echo "== doctor"
build/synwarden doctor --json
echo "== tests"
tests=$(setting tests)
export OWN_MACHINE=1 PATIENCE
PATIENCE=$(setting patience)
# shellcheck disable=SC2086
tests/run.sh ${tests//,/ }
echo "== instructions"
sed -nE 's,^# +([0-9]+ ),\1,p' build/tests/bpf/verifier.log
echo "== complaints"
dmesg --level=emerg,alert,crit,err,warn | grep -E 'WARNING:|BUG:|Oops|RCU|rcu:|lockdep|hung task|soft lockup|Call Trace'
echo "== end"
busybox poweroff -f
