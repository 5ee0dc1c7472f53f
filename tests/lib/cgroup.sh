# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A control group for `run`, in which the kernel's memory for it can be read. To be sourced after network.sh.

CGROUP= # its directory; empty where there is none

# The hierarchy that accounts memory, if there is one: version 2, or the controller of version 1.
make_cgroup() {
	local dir
	for dir in $(findmnt -nro TARGET -t cgroup2) $(findmnt -nro TARGET -t cgroup -O memory); do
		mkdir "$dir/sw$$" 2>/dev/null || continue
		CGROUP=$dir/sw$$
		trap cleanup_and_group EXIT
		[ -z "$(charged_kib)" ] || return
		rmdir "$CGROUP"
		CGROUP=
	done
	echo "# no control group accounts memory here: what the kernel charges is not looked at"
}

# Processes first: a control group goes when it is empty.
cleanup_and_group() {
	local status=$?
	[ -z "$SW" ] || stop_synwarden
	[ -z "$CGROUP" ] || rmdir "$CGROUP"
	(exit "$status")
	cleanup
}

# charged_kib: what the kernel holds on behalf of `run`, its records of sockets too
charged_kib() {
	if [ -e "$CGROUP/memory.stat" ] && grep -q '^kernel ' "$CGROUP/memory.stat"; then
		awk '/^kernel / { printf "%d", $2 / 1024 }' "$CGROUP/memory.stat"
	elif [ -e "$CGROUP/memory.kmem.usage_in_bytes" ]; then
		echo $(($(cat "$CGROUP/memory.kmem.usage_in_bytes") / 1024))
	fi
}

# start_in_cgroup COMMAND...: in the server; $! is its pid
start_in_cgroup() {
	# shellcheck disable=SC2016
	start_in_server bash -c '[ -z "$0" ] || echo $$ >"$0/cgroup.procs"; exec "$@"' "$CGROUP" "$@"
}
