/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The service manager, by sd_notify(3). Nothing happens where systemd did not start the program.
 */
#ifndef SYNWARDEN_RUN_SERVICE_H
#define SYNWARDEN_RUN_SERVICE_H

/* The filter is in force: after the start, and again after service__reloading(). */
void service__ready(void);
/* `systemctl reload` waits from here to service__ready(). */
void service__reloading(void);
void service__stopping(void);
/* Resets the watchdog, and sets the line that `systemctl status` shows. */
void service__alive(const char *status);

#endif
