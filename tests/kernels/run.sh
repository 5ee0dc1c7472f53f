#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The tests on other kernels: Debian's, each started by qemu with an initramfs (tests/kernels/root.sh) and the kernel's
# own modules; no disk. The processor is emulated (TCG), so that no /dev/kvm is needed; that is 10 to 30 times slower
# than a real one, and tests whose head says no-kernels are left out. Ends with "N passed, N failed"; each kernel's output
# is in build/kernels/KERNEL.log, the table in build/kernels/README.md.
#
#	tests/kernels/run.sh [KERNEL...]	as named in KERNELS, "running" for this machine's own; all of them otherwise
#	tests/kernels/run.sh table		puts the table of the last run into docs/measurements.md
#	KERNELS_QUICK=1			the two cloud kernels, and the tests whose head says kernels-quick
#	KERNELS_TESTS="NAME..."		these tests instead
set -u
cd "$(dirname "$0")/../.." || exit 1

OUT=$PWD/build/kernels
MINUTES=180
PATIENCE=10
PASSED=0
FAILED=0
# shellcheck source=tests/kernels/root.sh
. tests/kernels/root.sh
# shellcheck source=tests/kernels/table.sh
. tests/kernels/table.sh
# shellcheck source=tests/lib/heads.sh
. tests/lib/heads.sh
# shellcheck source=tests/lib/measurements.sh
. tests/lib/measurements.sh

# KERNEL, its processor, and the packages of which the newest is taken
KERNELS='6.1-cloud amd64 ^linux-image-6\.1\.[0-9.-]*-cloud-amd64$
6.12-cloud amd64 ^linux-image-6\.12\.[0-9.]*\+deb[0-9]*-cloud-amd64$
6.12-rt amd64 ^linux-image-6\.12\.[0-9.]*\+deb[0-9]*-rt-amd64$
6.1-arm64 arm64 ^linux-image-6\.1\.[0-9.-]*-cloud-arm64$'
MODULES="kernel/net kernel/lib kernel/crypto kernel/arch/*/crypto kernel/drivers/net/veth.ko*
	kernel/drivers/net/dummy.ko* kernel/drivers/net/macvlan.ko* kernel/drivers/net/tun.ko* kernel/drivers/net/vrf.ko*
	kernel/drivers/net/bonding kernel/drivers/net/vmxnet3 kernel/drivers/net/virtio_net.ko* kernel/drivers/net/net_failover.ko*
	kernel/drivers/virtio modules.builtin* modules.order"

die() {
	echo "$0: $*" >&2
	exit 1
}

# apt_for PROCESSOR TOOL [ARGUMENT...]
apt_for() {
	local processor=$1
	shift
	case $processor in
	arm64) apt_arm64 "$@" ;;
	*) "$1" -q -o APT::Sandbox::User=root "${@:2}" ;;
	esac
}

# fetch KERNEL PROCESSOR PATTERN: unpacked in $OUT/KERNEL; one that is there is used where the mirror has none
fetch() {
	local dir=$OUT/$1 package
	package=$(apt_for "$2" apt-cache search --names-only "$3" | cut -d' ' -f1 | sort -V | tail -n1)
	if [ -z "$package" ]; then
		[ -e "$dir/version" ] || echo "$1: this machine's mirrors have no package $3" >&2
		[ -e "$dir/version" ]
		return
	fi
	[ "${package#linux-image-}" != "$(cat "$dir/version" 2>/dev/null)" ] || return 0
	echo "  GET   $package"
	rm -rf "$dir"
	mkdir -p "$dir"
	(cd "$dir" && apt_for "$2" apt-get download "$package" >apt.txt 2>&1 && dpkg-deb -x ./*.deb . && rm ./*.deb) ||
		return 1
	echo "${package#linux-image-}" >"$dir/version"
}

# copy_modules FROM TO
copy_modules() {
	local file
	(
		cd "$1" && shopt -s nullglob || exit 1
		for file in $MODULES; do # those that are not built in
			[ ! -e "$file" ] || cp -r --parents "$file" "$2" || exit 1
		done
	)
}

# make_initrd KERNEL PROCESSOR: the root, and behind it the kernel's modules
make_initrd() {
	local dir=$OUT/$1 version modules
	version=$(cat "$dir/version")
	modules=$dir/root/usr/lib/modules/$version
	rm -rf "$dir/root"
	mkdir -p "$modules"
	copy_modules "$dir/lib/modules/$version" "$modules" && depmod -b "$dir/root/usr" "$version" || return 1
	(cd "$dir/root" && find usr -mindepth 2 | cpio -o -H newc --quiet) | cat "$OUT/root-$2.cpio" - >"$dir/initrd"
}

# boot KERNEL PROCESSOR TESTS: until it switches itself off
boot() {
	local dir=$OUT/$1 qemu=(qemu-system-x86_64) console=ttyS0
	case " $3 " in
	*" kernels/devices "*) qemu=(unshare --net tests/kernels/nics.sh "${qemu[@]}") ;;
	esac
	[ "$2" != arm64 ] || { qemu=(qemu-system-aarch64 -M virt -cpu cortex-a72) && console=ttyAMA0; }
	timeout $((MINUTES * 60)) "${qemu[@]}" -accel tcg,thread=multi -smp 2 -m 2048 -no-reboot -display none \
		-monitor none -serial stdio -kernel "$dir/boot/vmlinuz-$(cat "$dir/version")" -initrd "$dir/initrd" \
		-append "console=$console quiet panic=1 mitigations=off patience=$PATIENCE tests=${3// /,}" \
		</dev/null 2>&1 | sed -u 's/\r//' >"$OUT/$1.log"
}

# The same tests on this machine's own kernel, but for those that need a machine; reported in the same form.
test_running() {
	{
		echo "== kernel $(uname -r)"
		echo "== doctor"
		unshare --net build/synwarden doctor --json
		echo "== tests"
		# shellcheck disable=SC2086
		tests/run.sh $1
		echo "== instructions"
		sed -nE 's/^# +([0-9]+ )/\1/p' build/tests/bpf/verifier.log
		echo "== end"
	} >"$OUT/running.log" 2>&1
}

# summarise KERNEL: its results
summarise() {
	local log=$OUT/$1.log passed=0 failed=1
	if [ -e "$log" ]; then
		read -r passed failed < <(results "$log")
		printf '%-12s %4d passed %3d failed   doctor finds %s\n' "$1" "$passed" "$failed" "$(doctor_findings "$log")"
	else
		printf '%-12s %4d passed %3d failed   it was not started\n' "$1" $passed $failed
	fi
	PASSED=$((PASSED + passed))
	FAILED=$((FAILED + failed))
	[ "$failed" != 0 ] && [ -e "$log" ] || return 0
	{ part "$log" tests && part "$log" complaints; } | grep -vE ' 0 failed ' | sed 's/^/  /'
	grep -q '^== end' "$log" || { echo "  it did not come to its end; see $log" && tail -n5 "$log" | sed 's/^/  /'; }
}

[ "${1:-}" != table ] || {
	put_into_measurements kernels "$OUT/README.md" test-kernels
	exit
}
mkdir -p "$OUT"
rm -f "$OUT"/*.log
kernels=$*
tests=$(tests_without no-kernels)
if [ "${KERNELS_QUICK:-}" = 1 ]; then
	tests=$(tests_with kernels-quick)
	kernels=${kernels:-6.1-cloud 6.12-cloud}
fi
kernels=${kernels:-$(cut -d' ' -f1 <<<"$KERNELS" | xargs) running}
tests=$(xargs <<<"${KERNELS_TESTS:-$tests}")
roots=" "
while read -r kernel processor pattern; do
	case " $kernels " in *" $kernel "*) ;; *) continue ;; esac
	case "$roots" in
	*" $processor "*) ;;
	*) "make_root_$processor" </dev/null || die "cannot make the root for $processor; see $OUT/*.txt" ;;
	esac
	roots="$roots$processor "
	# The tests of one machine wait more than they compute: as many machines at once as there are processors.
	while [ "$(jobs -pr | wc -l)" -ge "$(nproc)" ]; do wait -n; done
	{ fetch "$kernel" "$processor" "$pattern" && make_initrd "$kernel" "$processor" &&
		boot "$kernel" "$processor" "$tests"; } &
done <<<"$KERNELS"
wait
case " $kernels " in *" running "*) test_running "$tests" ;; esac
for kernel in $kernels; do
	summarise "$kernel"
done
logs=()
for kernel in $kernels; do
	[ ! -e "$OUT/$kernel.log" ] || logs+=("$OUT/$kernel.log")
done
table "${logs[@]}" >"$OUT/README.md"
echo "$PASSED passed, $FAILED failed"
[ "$FAILED" = 0 ] && [ "$PASSED" != 0 ]
