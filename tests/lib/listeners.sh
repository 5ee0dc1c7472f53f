# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# A thousand listening ports of one process, for tests of what `run` costs. To be sourced after network.sh and counters.sh.

start_listeners() {
	start_in_server python3 -c '
import resource, socket, time
resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))
all = [socket.create_server(("10.99.0.1", 20000 + i)) for i in range(1000)]
print("ready", flush=True)
time.sleep(1000)' >"$TMP/listeners"
	wait_for grep -q ready "$TMP/listeners"
}

# ports_are N: so many of them have counters; the rest count as "other"
ports_are() {
	[ "$(sw status --json | jq '[.ports[] | select(.listening)] | length')" -ge "$1" ]
}
