/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What only the driver of an interface knows.
 */
#ifndef SYNWARDEN_SYSTEM_DEVICES_DRIVER_H
#define SYNWARDEN_SYSTEM_DEVICES_DRIVER_H

#include "system/devices.h"

/* Fills in driver, queues and offloads by ethtool, and rps by /sys; what cannot be read stays unknown. */
void devices_driver__ask(struct device *device);

#endif
