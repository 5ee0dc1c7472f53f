// SPDX-License-Identifier: GPL-2.0-only
/*
 * What systemd is told. It goes to the socket that NOTIFY_SOCKET names; where there is none, or it is gone, nobody
 * listens, and nothing is lost.
 */
#include <stdint.h>

#include <systemd/sd-daemon.h>

#include "clock.h"
#include "service.h"

void service__ready(void)
{
	sd_notify(0, "READY=1");
}

/* The time tells one reload from the next: Type=notify-reload asks for it. */
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
