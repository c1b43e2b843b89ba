/* SPDX-License-Identifier: MIT */
/*
 * The front of every block device: checks the range and the right to write, so that implementations see only
 * calls that make sense, and supplies what an implementation leaves out.
 */
#include "mmc/block.h"

#include <errno.h>

static bool block_range_ok(const struct block_device *dev, mmc_lba_t first, uint32_t count)
{
    if (first.n < 0)
        return false;
    return (uint32_t)first.n <= dev->geometry.blocks && count <= dev->geometry.blocks - (uint32_t)first.n;
}

int block_read(struct block_device *dev, mmc_lba_t first, uint32_t count, void *buf)
{
    if (!block_range_ok(dev, first, count))
        return -EINVAL;
    return count ? dev->ops->read(dev, first, count, buf) : 0;
}

int block_write(struct block_device *dev, mmc_lba_t first, uint32_t count, const void *buf, unsigned flags)
{
    if (!block_range_ok(dev, first, count) || (flags & ~(unsigned)BLOCK_WRITE_FRESH))
        return -EINVAL;
    if (dev->geometry.read_only)
        return -EROFS;
    return count ? dev->ops->write(dev, first, count, buf, flags) : 0;
}

int block_sync(struct block_device *dev)
{
    return dev->geometry.read_only ? 0 : dev->ops->sync(dev);
}

void block_readahead(struct block_device *dev, mmc_lba_t first, uint32_t count)
{
    uint32_t blocks = dev->geometry.blocks;

    if (!dev->ops->readahead || first.n < 0 || (uint32_t)first.n >= blocks)
        return;
    if (count > blocks - (uint32_t)first.n)
        count = blocks - (uint32_t)first.n;
    if (count)
        dev->ops->readahead(dev, first, count);
}

int block_failure_next(struct block_device *dev, struct block_failure *f)
{
    return dev->ops->failure_next ? dev->ops->failure_next(dev, f) : 0;
}

int block_failure_move(struct block_device *dev, mmc_packet_t from, mmc_packet_t to)
{
    uint32_t packets = dev->geometry.blocks / dev->geometry.packet_blocks;

    if (!dev->ops->failure_move)
        return -ENOTSUP;
    if (dev->geometry.read_only)
        return -EROFS;
    if (to.n >= packets)
        return -EINVAL;
    return dev->ops->failure_move(dev, from, to);
}

int block_close(struct block_device *dev)
{
    int err, close_err;

    if (!dev)
        return 0;
    err = block_sync(dev);
    close_err = dev->ops->close(dev);
    return err ? err : close_err;
}
