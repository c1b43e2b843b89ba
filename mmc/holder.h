/* SPDX-License-Identifier: MIT */
/* Who holds a device or file that cannot be had, for the message that says so. */
#ifndef MMC_HOLDER_H
#define MMC_HOLDER_H

#include <stddef.h>
#include <sys/types.h>

/* Puts "process 123 (name)" into buf, cut at size; the name is left out when it cannot be read. */
void mmc_holder_name(pid_t pid, char *buf, size_t size);

/*
 * Looks for a process other than this one that has the file, folder or device node open, then, for a block
 * device, for a mount of it. Puts words for what was found into buf: "process 123 (name)" or "the mount at
 * /mnt". Processes of other users are seen only by root. Returns 0, or -ENOENT (or what stat says) with an
 * empty buf.
 */
int mmc_holder_find(const char *path, char *buf, size_t size);

#endif
