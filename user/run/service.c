// SPDX-License-Identifier: GPL-2.0-only
/*
 * Messages to systemd, by the socket that NOTIFY_SOCKET names; where there is none, they are dropped.
 */
#include <stdint.h>

#include <systemd/sd-daemon.h>

#include "run/service.h"
#include "system/clock.h"

void service__ready(void)
{
	sd_notify(0, "READY=1");
}

/* Type=notify-reload matches a reload to its request by the time. */
void service__reloading(void)
{
	sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%llu", (unsigned long long)clock__now() / 1000);
}

void service__stopping(void)
{
	sd_notify(0, "STOPPING=1\nSTATUS=ending");
}

void service__alive(const char *status)
{
	sd_notifyf(0, "WATCHDOG=1\nSTATUS=%s", status);
}
