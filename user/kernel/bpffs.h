/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The file system for pins: found where it is mounted, or mounted.
 */
#ifndef SYNWARDEN_KERNEL_BPFFS_H
#define SYNWARDEN_KERNEL_BPFFS_H

#include <stdbool.h>

#define BPFFS	  "/sys/fs/bpf"
#define BPFFS_LEN 64

/*
 * Whether bpffs is mounted, and where this process reaches it: at BPFFS, or, where a tool such as `ip netns exec` has
 * mounted a fresh /sys over it, through the root of an ancestor process, which still sees it. `base` is BPFFS where
 * there is none.
 */
bool bpffs__find(char base[BPFFS_LEN]);
/* Mounts it at BPFFS. 0, or -1 after a message. */
int bpffs__mount(void);

#endif
