#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The tests on other kernels: Debian's, each started by qemu from an initramfs that is made of this machine's own tools,
# the kernel's modules, and what `make all tests` has built. Nothing is emulated but the processor (TCG), so that no
# rights and no /dev/kvm are asked for; it is 10 to 30 times slower than this machine, and what bounds rates or speed is
# left out. Ends with "N passed, N failed"; the table is build/kernels/README.md.
#
#	tests/kernels.sh [KERNEL...]	as named in the table below; all of them otherwise
#	KERNELS_QUICK=1			the cloud kernels and a few tests: two minutes each
#	TESTS="NAME..."			these tests instead
set -u
cd "$(dirname "$0")/.." || exit 1

OUT=build/kernels
ROOT=$OUT/root
SECONDS_EACH=1800

# KERNEL, and the packages of which the newest is taken, as a pattern of names
KERNELS="
6.1-cloud  ^linux-image-6\.1\.[0-9.-]*-cloud-amd64$
6.12-cloud ^linux-image-6\.12\.[0-9.]*\+deb1[0-9]-cloud-amd64$
6.12-rt    ^linux-image-6\.12\.[0-9.]*\+deb1[0-9]-rt-amd64$
"
TESTS=${TESTS:-e2e_states e2e_filter}

# What of this machine the tests need: packages whole, but for what is only read by people.
PACKAGES="bash coreutils util-linux util-linux-extra bsdutils busybox-static mount procps iproute2 grep sed mawk findutils diffutils hostname
	jq curl nginx ethtool nftables kmod bpftool tmux openssl ncurses-base ncurses-bin libc-bin libc6 login passwd
	base-files netbase python3-minimal python3.11-minimal libpython3.11-minimal libpython3.11-stdlib wrk"
MODULES="kernel/net kernel/lib kernel/crypto kernel/drivers/net/veth.ko* kernel/drivers/net/dummy.ko*
	kernel/drivers/net/tun.ko* kernel/arch/x86/crypto"

say() {
	echo "  $*"
}

die() {
	echo "$0: $*" >&2
	exit 1
}

# The root of the guest, as build/kernels/root.cpio.
make_root() {
	local list=$OUT/files
	rm -rf "$ROOT"
	mkdir -p "$ROOT"/{usr/bin,usr/sbin,usr/lib,usr/lib64,proc,sys,dev,run,tmp,etc,synwarden}
	ln -s usr/bin usr/sbin usr/lib usr/lib64 "$ROOT"
	{
		for package in $PACKAGES; do
			dpkg -L "$package" 2>/dev/null
		done | grep -vE '^/usr/share/(doc|man|locale|info|lintian|zoneinfo|bash-completion)|/__pycache__/|/test/'
		echo build/synwarden; echo Makefile; echo README.md
		find build/tests tests contrib bpf include -type f ! -name '*.[od]' ! -name '*.log'
		echo build/tests/flood.bpf.o
		printf '%s\n' /usr/bin/awk /usr/bin/nsenter /etc/passwd /etc/group /etc/hosts /etc/nsswitch.conf
	} | while read -r file; do [ ! -f "$file" ] || echo "$file"; done | sed -E 's#^/(s?bin|lib|lib64)/#/usr/\1/#' | sort -u >"$list"
	grep -E '/s?bin/|\.so|^build/' "$list" | xargs -r ldd 2>/dev/null | grep -oE '/[^ :)]+' | grep '\.so' |
		sed -E 's#^/(lib|lib64)/#/usr/\1/#' | sort -u >>"$list"
	grep '^/' "$list" | tar -c -h -P -T - | tar -x -P --transform "s#^/#$PWD/$ROOT/#" 2>/dev/null
	grep -v "^/" "$list" | tar -c -T - | tar -x -C "$ROOT/synwarden"
	cp tests/kernels/e2e_*.sh "$ROOT/synwarden/tests/" 2>/dev/null
	install tests/kernels/init.sh "$ROOT/init"
	(cd "$ROOT" && find . | cpio -o -H newc --quiet) >"$OUT/root.cpio"
}
[ "${1:-}" ] || make_root
