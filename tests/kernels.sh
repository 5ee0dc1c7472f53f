#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The tests on other kernels: Debian's, each started by qemu with an initramfs that is made of this machine's own tools,
# the kernel's modules, and what `make all tests` has built. The processor is emulated (TCG), so that no /dev/kvm is
# needed; that is 10 to 30 times slower than a real one, and tests that bound rates are left out. Ends with
# "N passed, N failed"; what each kernel said is in build/kernels/KERNEL.log, the table in build/kernels/README.md.
#
#	tests/kernels.sh [KERNEL...]	as named in KERNELS; all of them without arguments
#	tests/kernels.sh table		puts the table of what was run last into README.md
#	KERNELS_QUICK=1			the cloud kernels, and a few tests
#	KERNELS_TESTS="NAME..."		these tests instead
set -u
cd "$(dirname "$0")/.." || exit 1

OUT=build/kernels
ROOT=$OUT/root
MINUTES=120
PATIENCE=10
PROCESSORS=2
PASSED=0
FAILED=0

# KERNEL, and the packages of which the newest is taken
KERNELS='6.1-cloud ^linux-image-6\.1\.[0-9.-]*-cloud-amd64$
6.12-cloud ^linux-image-6\.12\.[0-9.]*\+deb[0-9]*-cloud-amd64$
6.12-rt ^linux-image-6\.12\.[0-9.]*\+deb[0-9]*-rt-amd64$'
MODULES=(kernel/net kernel/lib kernel/crypto kernel/arch/x86/crypto kernel/drivers/net/{veth,dummy,tun}.ko*)

QUICK="verifier packets e2e_clock e2e_states"
FULL="$(grep -l cmocka_run_group_tests tests/*.c | xargs -n1 basename -s .c | grep -vE '^(port_budget|source_limit)$' | xargs)
	e2e_states e2e_clock e2e_filter e2e_lists e2e_usage e2e_config e2e_lifecycle e2e_metrics e2e_conns e2e_stream
	e2e_tallies e2e_doctor e2e_privileges"
LEFT_OUT="\`port_budget\`, \`source_limit\`, \`e2e_limit\`, \`e2e_arming\`, \`e2e_attack\`, \`e2e_challenge\`, \`e2e_crowd\`,
\`e2e_gauges\`, \`e2e_rps\`, \`e2e_overflow\`, \`e2e_http\`, \`e2e_reload\` and \`e2e_faults\` bound rates, times or memory, which
an emulated processor cannot hold; \`e2e_contrib\`, \`e2e_prometheus\`, \`e2e_page\`, \`e2e_install\` and \`e2e_top\` ask
programs of user space, for which the kernel makes no difference."

# What of this machine the tests need: whole packages, but for what only people read.
PACKAGES="dash bash bsdutils coreutils util-linux util-linux-extra mount procps iproute2 grep sed mawk findutils
	diffutils hostname libc-bin libc6 login passwd base-files netbase ncurses-base ncurses-bin kmod busybox-static
	jq curl nginx ethtool nftables bpftool tmux openssl
	$(dpkg-query -W -f '${Package}\n' 'python3*-minimal' 'libpython3*-minimal' 'libpython3*-stdlib' 2>/dev/null | xargs)"

die() {
	echo "$0: $*" >&2
	exit 1
}

# The one place of a file, wherever it was found: /bin is /usr/bin.
merge_usr() {
	sed -E 's#^/(s?bin|lib|lib64)/#/usr/\1/#' | sort -u
}

# Files of this machine that go into the root.
list_tools() {
	# shellcheck disable=SC2086
	dpkg -L $PACKAGES 2>/dev/null |
		grep -vE '^/usr/share/(doc|man|locale|info|lintian|zoneinfo|bash-completion)/|/__pycache__/'
	printf '%s\n' /usr/bin/awk /etc/passwd /etc/group /etc/hosts /etc/nsswitch.conf
}

# Files of the tree, beside the program.
list_tree() {
	echo build/synwarden
	echo Makefile
	find build/tests -maxdepth 1 -type f -executable
	echo build/tests/flood.bpf.o
	find tests contrib include -type f
}

existing_files() {
	while read -r file; do
		[ ! -f "$file" ] || echo "$file"
	done
}

# libraries_of <FILES
libraries_of() {
	grep -E '^/usr/s?bin/|\.so|^build/' | xargs -r ldd 2>/dev/null | grep -oE '/[^ :)]+\.so[^ :)]*'
}

make_root() {
	rm -rf "$ROOT"
	mkdir -p "$ROOT"/usr/{bin,sbin,lib,lib64} "$ROOT"/{proc,sys,dev,run,tmp,etc,synwarden}
	ln -s usr/bin usr/sbin usr/lib usr/lib64 "$ROOT"
	list_tools | merge_usr | existing_files >"$OUT/tools"
	list_tree >"$OUT/tree"
	cat "$OUT/tools" "$OUT/tree" | libraries_of | merge_usr >"$OUT/libraries"
	sort -u "$OUT/tools" "$OUT/libraries" | sed 's#^/##' | tar -C / -ch -T - | tar -C "$ROOT" -x || return 1
	tar -c -T "$OUT/tree" | tar -C "$ROOT/synwarden" -x || return 1
	find "$ROOT/synwarden/build" -type f -executable -exec strip --strip-debug {} +
	mv "$ROOT"/synwarden/tests/kernels/e2e_*.sh "$ROOT/synwarden/tests/"
	install -m 755 tests/kernels/init.sh "$ROOT/init"
	(cd "$ROOT" && find . | cpio -o -H newc --quiet) >"$OUT/root.cpio"
}

# fetch KERNEL PATTERN: unpacked in build/kernels/KERNEL; one that is there is used where the mirror has no other.
fetch() {
	local dir=$OUT/$1 package
	package=$(apt-cache search --names-only "$2" | cut -d' ' -f1 | sort -V | tail -n1)
	[ -n "$package" ] || { [ -e "$dir/version" ] && return; } || { echo "$1: no such package here"; return 1; }
	[ "${package#linux-image-}" != "$(cat "$dir/version" 2>/dev/null)" ] || return 0
	echo "  GET   $package"
	rm -rf "$dir"
	mkdir -p "$dir"
	(cd "$dir" && apt-get download -qq -o APT::Sandbox::User=root "$package" && dpkg-deb -x ./*.deb . && rm ./*.deb) ||
		return 1
	echo "${package#linux-image-}" >"$dir/version"
}

# make_initrd KERNEL: the root, and behind it the kernel's modules
make_initrd() {
	local dir=$OUT/$1 version modules
	version=$(cat "$dir/version")
	modules=$PWD/$dir/root/usr/lib/modules/$version
	rm -rf "$dir/root"
	mkdir -p "$modules"
	# A pattern may match nothing: what is built in, is no module.
	# shellcheck disable=SC2086,SC2206
	(cd "$dir/lib/modules/$version" && shopt -s nullglob && found=(modules.builtin* modules.order ${MODULES[*]}) &&
		for file in "${found[@]}"; do [ ! -e "$file" ] || cp -r --parents "$file" "$modules"; done)
	depmod -b "$dir/root/usr" "$version" || return 1
	(cd "$dir/root" && find usr -mindepth 2 | cpio -o -H newc --quiet) | cat "$OUT/root.cpio" - >"$dir/initrd"
}

# boot KERNEL TESTS: until it switches itself off
boot() {
	local dir=$OUT/$1 tests=$2
	timeout $((MINUTES * 60)) qemu-system-x86_64 -accel tcg,thread=multi -smp $PROCESSORS -m 2048 -no-reboot \
		-display none -monitor none -serial stdio -kernel "$dir/boot/vmlinuz-$(cat "$dir/version")" \
		-initrd "$dir/initrd" \
		-append "console=ttyS0 quiet panic=1 mitigations=off patience=$PATIENCE tests=${tests// /,}" \
		</dev/null 2>&1 | sed -u 's/\r//' >"$OUT/$1.log"
}

# part LOG NAME: its lines between "== NAME" and the next "=="
part() {
	sed -n "/^== $2/,/^== /{/^== /d;p}" "$1"
}

# test_kernel KERNEL PATTERN TESTS
test_kernel() {
	fetch "$1" "$2" && make_initrd "$1" && boot "$1" "$3"
}

# results LOG: "PASSED FAILED"; what the machine itself has to complain of, and that it did not come to its end, are
# failures more.
results() {
	part "$1" tests | awk -v complaints="$(part "$1" complaints | wc -l)" -v ended="$(grep -c '^== end' "$1")" \
		-v broken="$(part "$1" doctor | grep -c '"status":"broken"')" '
		/^[a-z0-9_]+ +[0-9]+ passed +[0-9]+ failed/ { passed += $2; failed += $4 }
		END { print passed + 0, failed + (complaints > 0) + !ended + broken }'
}

# What doctor did not find well, in one cell.
doctors_word() {
	local word
	word=$(part "$1" doctor | grep '^{' | jq -r 'select(.status != "ok") | "\(.status): \(.check), \(.detail)"' |
		paste -sd';' | sed 's/;/; /g')
	echo "${word:-nothing amiss}"
}

# row LOG WHERE
row() {
	local passed failed
	read -r passed failed < <(results "$1")
	echo "| $(sed -n 's/^== kernel //p' "$1") | $2 | $passed | $failed |" \
		"$(part "$1" instructions | sort -rn | awk 'NR == 1 { print $1, "(`" $2 "`)" }') | $(doctors_word "$1") |"
}

# The tests that ran, with their counts, where they are the same everywhere but for the kernel's name.
table() {
	local log
	echo "| kernel | on | passed | failed | most instructions verified | doctor |"
	echo "| --- | --- | ---: | ---: | ---: | --- |"
	for log in "$OUT"/*.log; do
		case $log in
		*/running.log) row "$log" "the machine itself" ;;
		*) row "$log" "qemu, TCG" ;;
		esac
	done
	echo
	echo "What ran: $(part "$(ls -S "$OUT"/*.log | head -n1)" tests | sed -n 's/^\([a-z0-9_]*\) .* passed .*/`\1`/p' |
		paste -sd' ' | sed 's/ /, /g')."
	echo
	echo "Left out: $LEFT_OUT"
}

# The same on this machine's own kernel, in the form in which the others tell it.
test_running() {
	local tests=${1//e2e_clock/}
	{
		echo "== kernel $(uname -r)"
		echo "== doctor"
		unshare --net build/synwarden doctor --json
		echo "== tests"
		# shellcheck disable=SC2086
		tests/run.sh $tests
		echo "== instructions"
		sed -nE 's/^# +([0-9]+ )/\1/p' build/tests/verifier.log
		echo "== end"
	} >"$OUT/running.log" 2>&1
}

# tell KERNEL: what came of it
tell() {
	local log=$OUT/$1.log passed failed
	read -r passed failed < <(results "$log")
	PASSED=$((PASSED + passed))
	FAILED=$((FAILED + failed))
	printf '%-12s %4d passed %3d failed   %s\n' "$1" "$passed" "$failed" "$(doctors_word "$log")"
	[ "$failed" = 0 ] || { part "$log" tests; part "$log" complaints; } | grep -vE ' 0 failed ' | sed 's/^/  /'
	grep -q '^== end' "$log" || { echo "  $1 did not come to its end; see $log"; tail -n5 "$log" | sed 's/^/  /'; }
}

put_into_readme() {
	[ -e "$OUT/README.md" ] || die "there is no $OUT/README.md: make test-kernels makes it"
	sed -i -e "/^<!-- kernels -->/,/^<!-- end of kernels -->/{/^<!-- kernels -->/{p;r $OUT/README.md" -e "};/^<!-- end of kernels -->/!d}" \
		README.md
}

if [ "${1:-}" = table ]; then
	put_into_readme
	exit
fi
mkdir -p "$OUT"
rm -f "$OUT"/*.log
tests=$FULL chosen=$*
if [ "${KERNELS_QUICK:-}" = 1 ]; then
	tests=$QUICK
	chosen=${chosen:-6.1-cloud 6.12-cloud}
fi
tests=$(xargs <<<"${KERNELS_TESTS:-$tests}")
make_root || die "cannot make the root"
ran=
while read -r kernel pattern; do
	case " ${chosen:-$kernel} " in *" $kernel "*) ;; *) continue ;; esac
	while [ "$(jobs -pr | wc -l)" -ge "$(nproc)" ]; do wait -n; done
	test_kernel "$kernel" "$pattern" "$tests" &
	ran="$ran $kernel"
done <<<"$KERNELS"
wait
[ -n "$chosen" ] || { test_running "$tests"; ran="$ran running"; }
for kernel in $ran; do
	[ ! -e "$OUT/$kernel.log" ] || tell "$kernel"
done
table >"$OUT/README.md"
echo "$PASSED passed, $FAILED failed"
[ "$FAILED" = 0 ] && [ "$PASSED" != 0 ]
