#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Installs the Debian packages named that are not there yet; says nothing and asks no registry where all are. Services
# that come with them are not started, neither now nor at the next boot: the tests run their own, in their own namespaces.
set -eu

missing=
for package in "$@"; do
	dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q '^install ok installed$' || missing="$missing $package"
done
[ -n "$missing" ] || exit 0
[ "$(id -u)" = 0 ] || { echo "install as root:$missing" >&2; exit 1; }

# Those that start at boot, but for the system's own.
services() {
	find /etc/systemd/system -path '*.wants/*.service' ! -name 'systemd-*' ! -name '*@*' -printf '%f\n' 2>/dev/null | sort -u
}

# systemctl where there is one, whether or not systemd runs; it takes care of init scripts, too.
disable() {
	{ systemctl disable "$1" || update-rc.d "${1%.service}" disable; } >/dev/null 2>&1 || return 0
	echo "  OFF    $1; to have it run: systemctl enable --now $1"
}

export DEBIAN_FRONTEND=noninteractive
echo "  APT  $missing"
log=$(mktemp)
before=$(services)
policy=/usr/sbin/policy-rc.d
[ -e $policy ] || { printf '#!/bin/sh\nexit 101\n' >$policy && chmod +x $policy && trap 'rm -f $policy "$log"' EXIT; }
failed=
# shellcheck disable=SC2086
{ apt-get -o DPkg::Lock::Timeout=120 update -qq && apt-get -o DPkg::Lock::Timeout=120 install -y -qq --no-install-recommends $missing; } >"$log" 2>&1 || failed=1
services | grep -vxF -e "$before" | while read -r service; do
	disable "$service"
done
[ -z "$failed" ] || { cat "$log" >&2; exit 1; }
