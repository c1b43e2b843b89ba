/* SPDX-License-Identifier: MIT */
/*
 * The block device: the one seam between the UDF library and everything that stores bytes. Behind it stand
 * the packet device over a drive (packet.c), a plain file or kernel block device (block_file.c) and the
 * tests' fault device.
 *
 * Blocks are MMC_BLOCK_BYTES each and are addressed absolutely. All calls may be made from many threads at
 * once; two calls that touch the same block at the same time must be kept apart by the caller if at least one
 * of them writes.
 */
#ifndef MMC_BLOCK_H
#define MMC_BLOCK_H

#include <stddef.h>

#include "mmc/units.h"

struct block_device;

/*
 * What is known of the storage, constant while the device is open.
 *   blocks         blocks that can be addressed, from LBA 0
 *   packet_blocks  blocks of the smallest unit that the medium writes (1, 16 or 32); a power cut while such a
 * unit is written can destroy all of it, old contents included, and nothing beyond it read_only      writes
 * fail with -EROFS
 */
struct block_geometry {
    uint32_t blocks;
    uint32_t packet_blocks;
    bool read_only;
};

enum block_write_flags {
    /* No other block of this packet holds anything that matters: blocks of it not written since
     * may read as zeros, and the device need not read the packet to complete it. Meant for the
     * first write to an unused packet. */
    BLOCK_WRITE_FRESH = 1,
};

/* A packet that the device could not write (see block_failure_next). */
struct block_failure {
    mmc_packet_t packet;
    int error; /* -errno of the write, or of the read that should have completed the packet */
};

struct block_ops {
    int (*read)(struct block_device *, mmc_lba_t first, uint32_t count, void *buf);
    int (*write)(struct block_device *, mmc_lba_t first, uint32_t count, const void *buf, unsigned flags);
    int (*sync)(struct block_device *);
    void (*readahead)(struct block_device *, mmc_lba_t first, uint32_t count);
    int (*failure_next)(struct block_device *, struct block_failure *);
    int (*failure_move)(struct block_device *, mmc_packet_t from, mmc_packet_t to);
    int (*close)(struct block_device *);
};

/* Implementations have this as their first member. */
struct block_device {
    const struct block_ops *ops;
    struct block_geometry geometry;
};

/*
 * Reads count blocks from first on into buf. Sees every earlier write. Returns 0, -EINVAL beyond the end,
 * -EIO (unreadable; buf is then undefined), -ENOMEDIUM, -ENODEV.
 */
int block_read(struct block_device *dev, mmc_lba_t first, uint32_t count, void *buf);

/*
 * Writes count blocks from first on; flags as enum block_write_flags. Returns once the device holds a copy:
 * durable only after block_sync. Waits while the device's memory is full. Writes not divided by a block_sync
 * reach the medium in any order. Returns 0, -EINVAL, -EROFS, -EIO (the device has failed for good).
 */
int block_write(struct block_device *dev, mmc_lba_t first, uint32_t count, const void *buf, unsigned flags);

/*
 * Makes everything written before durable. Returns 0, or -EIO when some packet could not be written:
 * its contents stay in memory, and block_failure_next names it. Other writes are durable all the same.
 */
int block_sync(struct block_device *dev);

/* A hint that these blocks will be read soon. Never fails, never blocks for the medium. */
void block_readahead(struct block_device *dev, mmc_lba_t first, uint32_t count);

/*
 * Names a packet that could not be written and whose contents the device still holds. Returns 1 and fills *f,
 * or 0 when there is none. The same packet is named again until it is moved.
 */
int block_failure_next(struct block_device *dev, struct block_failure *f);

/*
 * Gives the contents kept for the failed packet from to packet to instead, as if they had been written there
 * whole, and forgets the failure. Returns 0, -ENOENT when from has not failed, -EIO when from lacks blocks
 * that cannot be read (block_write of those makes it whole, and it is then tried again where it is),
 * -ENOTSUP.
 */
int block_failure_move(struct block_device *dev, mmc_packet_t from, mmc_packet_t to);

/* Syncs and frees the device. Returns what block_sync returned; the device is
 * gone in any case. NULL is fine. */
int block_close(struct block_device *dev);

/*
 * Opens a regular file or a kernel block device. writable asks for writing: without the right to it, -EACCES
 * or -EROFS; geometry.packet_blocks is 1 unless packet_blocks says otherwise. A second writable opener gets
 * -EBUSY. Returns 0 and *dev, to be closed with block_close, or -errno.
 */
int block_file_open(const char *path, bool writable, uint32_t packet_blocks, struct block_device **dev);

#endif
