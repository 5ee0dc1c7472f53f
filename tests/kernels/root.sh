# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What the machines of tests/kernels/run.sh find in their initramfs, as $OUT/root-ARCH.cpio: for amd64 this machine's own
# tools with their libraries, for another processor Debian's packages, unpacked and never installed; and the tree with
# what was built for it. To be sourced; $OUT is where things are put.

# Tools that the tests ask for; of those packages everything but what only people read.
TOOLS="dash bash bsdutils coreutils util-linux util-linux-extra mount procps iproute2 grep sed mawk findutils diffutils
	hostname libc-bin libc6 login passwd base-files netbase ncurses-base ncurses-bin kmod busybox-static jq curl nginx
	ethtool nftables bpftool tmux openssl tcpdump"
READ_BY_PEOPLE='^/usr/share/(doc|man|locale|info|lintian|zoneinfo|bash-completion)/|/__pycache__/'

existing_files() {
	local file
	while read -r file; do
		[ ! -f "$file" ] || echo "$file"
	done
}

# The one name of a file that has two: /bin is /usr/bin.
merge_usr() {
	sed -E 's#^/(s?bin|lib|lib64)/#/usr/\1/#' | sort -u
}

# Files of this machine.
list_tools() {
	# shellcheck disable=SC2046,SC2086
	dpkg -L $TOOLS $(dpkg-query -W -f '${Package}\n' 'python3*-minimal' 'libpython3*-minimal' 'libpython3*-stdlib') \
		2>/dev/null | grep -vE "$READ_BY_PEOPLE"
	printf '%s\n' /usr/bin/awk /etc/passwd /etc/group /etc/hosts /etc/nsswitch.conf
}

# libraries_of <FILES
libraries_of() {
	grep -E '^/usr/s?bin/|\.so|^build/' | xargs -r ldd 2>/dev/null | grep -oE '/[^ :)]+\.so[^ :)]*'
}

# begin_root DIRECTORY
begin_root() {
	rm -rf "$1"
	mkdir -p "$1"/usr/{bin,sbin,lib,lib64} "$1"/{proc,sys,dev,run,tmp,etc}
	ln -s usr/bin usr/sbin usr/lib usr/lib64 "$1"
}

# add_tree DIRECTORY BUILD STRIP: what the tests are made of, with what stands in BUILD as build/
add_tree() {
	local to=$1/synwarden
	mkdir -p "$to/build/tests"
	cp -r Makefile tests contrib include "$to"
	cp "$2/synwarden" "$2/synwarden-net" "$to/build/"
	(cd "$2" && find tests -type f \( -executable -o -name '*.bpf.o' \) -exec cp --parents -t "$to/build" {} +)
	find "$to/build" -type f -executable -exec "$3" --strip-debug {} +
	install -m 755 tests/kernels/init.sh "$1/init"
}

# pack DIRECTORY FILE
pack() {
	(cd "$1" && find . | cpio -o -H newc --quiet) >"$2"
}

make_root_amd64() {
	local root=$OUT/root-amd64
	begin_root "$root"
	list_tools | merge_usr | existing_files >"$OUT/tools"
	{
		cat "$OUT/tools"
		find build/synwarden build/synwarden-net build/tests -type f -executable
	} | libraries_of | merge_usr | sort -u - "$OUT/tools" | sed 's#^/##' |
		tar -C / -ch -T - | tar -C "$root" -x || return 1
	add_tree "$root" build strip
	pack "$root" "$OUT/root-amd64.cpio"
}

# apt_arm64 TOOL [ARGUMENT...]: apt-get or apt-cache, which then know nothing of this machine but its mirrors
apt_arm64() {
	local dir=$OUT/apt-arm64 tool=$1
	shift
	mkdir -p "$dir"/{state/lists/partial,cache/archives/partial}
	: >"$dir/status"
	"$tool" -q -o APT::Architecture=arm64 -o APT::Architectures=arm64 -o Dir::State="$dir/state" \
		-o Dir::State::status="$dir/status" -o Dir::Cache="$dir/cache" -o APT::Sandbox::User=root \
		-o Debug::NoLocking=1 "$@"
}

# Packages that building and testing need of the other processor: the Makefile's headers, and the tools.
packages_arm64() {
	# shellcheck disable=SC2016 # for make
	make -s --eval 'names:; @echo $(filter %-dev,$(DEPS) $(DEPS_TEST)) libc6-dev' names
	echo "${TOOLS/ nginx/ nginx-light} python3-minimal libpython3-stdlib"
}

# unpack_arm64 DIRECTORY: packages that were never installed, unpacked there
unpack_arm64() {
	local package
	begin_root "$1"
	# shellcheck disable=SC2046
	apt_arm64 apt-get update >"$OUT/apt.txt" 2>&1 &&
		apt_arm64 apt-get install --download-only --no-install-recommends -y $(packages_arm64) >>"$OUT/apt.txt" 2>&1 ||
		return 1
	for package in "$OUT"/apt-arm64/cache/archives/*.deb; do
		dpkg-deb --fsys-tarfile "$package" | tar -C "$1" --keep-directory-symlink -x || return 1
	done
}

# What the tests are made of, below build/
list_programs() {
	printf '%s\n' synwarden synwarden-net tests/tools/flood tests/tools/clients tests/tools/flood.bpf.o
	grep -l cmocka_run_group_tests tests/*/*.c | sed 's/\.c$//'
}

# The root that is compiled against is also the one that is started, without headers and other things of size.
make_root_arm64() {
	local sysroot=$OUT/sysroot-arm64 root=$OUT/root-arm64
	unpack_arm64 "$sysroot" || return 1
	list_programs | sed 's#^#build/arm64/#' | xargs make --no-print-directory CC=aarch64-linux-gnu-gcc \
		SYSROOT="$sysroot" BUILD=build/arm64 >"$OUT/build-arm64.txt" 2>&1 || return 1
	rm -rf "$root"
	cp -a "$sysroot" "$root"
	(cd "$root" && rm -rf usr/share/{doc,man,locale,info,zoneinfo,X11,i18n,perl*} usr/include boot var/lib \
		usr/lib/*/*.a usr/lib/*/perl* usr/lib/*/gconv usr/lib/valgrind)
	cp /etc/{passwd,group,hosts,nsswitch.conf} "$root/etc/"
	ln -sf mawk "$root/usr/bin/awk"
	add_tree "$root" build/arm64 aarch64-linux-gnu-strip
	pack "$root" "$OUT/root-arm64.cpio"
}
