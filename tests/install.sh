#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Installs the Debian packages named that are not there yet; says nothing and asks no registry where all are.
set -eu

missing=
for package in "$@"; do
	dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q '^install ok installed$' || missing="$missing $package"
done
[ -n "$missing" ] || exit 0
[ "$(id -u)" = 0 ] || { echo "install as root:$missing" >&2; exit 1; }

export DEBIAN_FRONTEND=noninteractive
echo "  APT  $missing"
log=$(mktemp)
# Packaged servers must not start here: the tests run their own, in their own namespaces.
policy=/usr/sbin/policy-rc.d
[ -e $policy ] || { printf '#!/bin/sh\nexit 101\n' >$policy && chmod +x $policy && trap 'rm -f $policy "$log"' EXIT; }
# shellcheck disable=SC2086
if ! { apt-get -o DPkg::Lock::Timeout=120 update -qq && apt-get -o DPkg::Lock::Timeout=120 install -y -qq --no-install-recommends $missing; } >"$log" 2>&1; then
	cat "$log" >&2
	exit 1
fi
