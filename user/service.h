/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A service and its manager: sd_notify(3). All of it does nothing where systemd did not start the program.
 */
#ifndef SYNWARDEN_SERVICE_H
#define SYNWARDEN_SERVICE_H

/* It does what it is for: at the start, and again after service__reloading(). */
void service__ready(void);
/* `systemctl reload` waits from here to service__ready(). */
void service__reloading(void);
void service__stopping(void);
/* A sign of life for the watchdog, and the line that `systemctl status` shows. */
void service__alive(const char *status);

#endif
