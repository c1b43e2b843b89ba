/* SPDX-License-Identifier: MIT */
/*
 * A regular file or a kernel block device as a block device. The kernel's page cache is the memory; nothing
 * is kept here. One writer at a time: a file is locked with flock(2), a block device is claimed with O_EXCL
 * as mount(2) does.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mmc/block.h"

struct block_file {
    struct block_device dev;
    int fd;
    /* Linux reports a lost write once and then forgets it. What was lost stays
     * lost, so the error stays here. */
    _Atomic int sync_error;
};

static off_t file_offset(mmc_lba_t lba)
{
    return (off_t)lba.n * MMC_BLOCK_BYTES;
}

static int file_read(struct block_device *dev, mmc_lba_t first, uint32_t count, void *buf)
{
    struct block_file *file = (struct block_file *)dev;
    off_t offset = file_offset(first);
    size_t left = (size_t)count * MMC_BLOCK_BYTES;
    char *to = buf;

    while (left > 0) {
        ssize_t n = pread(file->fd, to, left, offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        if (n == 0)
            return -EIO; /* the file was cut short while it is open */
        to += n;
        offset += n;
        left -= (size_t)n;
    }
    return 0;
}

static int file_write(struct block_device *dev, mmc_lba_t first, uint32_t count, const void *buf,
                      unsigned flags)
{
    struct block_file *file = (struct block_file *)dev;
    off_t offset = file_offset(first);
    size_t left = (size_t)count * MMC_BLOCK_BYTES;
    const char *from = buf;

    (void)flags;
    while (left > 0) {
        ssize_t n = pwrite(file->fd, from, left, offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        if (n == 0)
            return -EIO;
        from += n;
        offset += n;
        left -= (size_t)n;
    }
    return 0;
}

static int file_sync(struct block_device *dev)
{
    struct block_file *file = (struct block_file *)dev;

    if (fdatasync(file->fd) < 0)
        atomic_store(&file->sync_error, -errno);
    return atomic_load(&file->sync_error);
}

static void file_readahead(struct block_device *dev, mmc_lba_t first, uint32_t count)
{
    struct block_file *file = (struct block_file *)dev;

    (void)posix_fadvise(file->fd, file_offset(first), (off_t)count * MMC_BLOCK_BYTES, POSIX_FADV_WILLNEED);
}

static int file_close(struct block_device *dev)
{
    struct block_file *file = (struct block_file *)dev;
    int err = close(file->fd) < 0 ? -errno : 0;

    free(file);
    return err;
}

static const struct block_ops file_ops = {
    .read = file_read,
    .write = file_write,
    .sync = file_sync,
    .readahead = file_readahead,
    .close = file_close,
};

static int file_bytes(int fd, const struct stat *st, uint64_t *bytes)
{
    if (S_ISREG(st->st_mode)) {
        *bytes = (uint64_t)st->st_size;
        return 0;
    }
    return ioctl(fd, BLKGETSIZE64, bytes) < 0 ? -errno : 0;
}

/* O_EXCL on a block device claims it; on a file it would mean something else,
 * hence the look before the open. */
static int file_open_fd(const char *path, bool writable, struct stat *st)
{
    int flags = O_CLOEXEC | O_NONBLOCK | (writable ? O_RDWR : O_RDONLY);
    int fd, err, read_only = 0;

    if (stat(path, st) < 0)
        return -errno;
    if (S_ISBLK(st->st_mode) && writable)
        flags |= O_EXCL;
    else if (S_ISDIR(st->st_mode))
        return -EISDIR;
    else if (!S_ISREG(st->st_mode) && !S_ISBLK(st->st_mode))
        return -ENOTBLK;
    fd = open(path, flags);
    if (fd < 0)
        return -errno;
    if (fstat(fd, st) < 0)
        goto fail;
    if (S_ISREG(st->st_mode) && writable && flock(fd, LOCK_EX | LOCK_NB) < 0) {
        if (errno == EWOULDBLOCK)
            errno = EBUSY;
        goto fail;
    }
    if (S_ISBLK(st->st_mode) && writable && ioctl(fd, BLKROGET, &read_only) == 0 && read_only) {
        errno = EROFS;
        goto fail;
    }
    return fd;
fail:
    err = -errno;
    close(fd);
    return err;
}

int block_file_open(const char *path, bool writable, uint32_t packet_blocks, struct block_device **dev)
{
    struct block_file *file;
    struct stat st;
    uint64_t bytes, blocks;
    int err, fd = file_open_fd(path, writable, &st);

    if (fd < 0)
        return fd;
    err = file_bytes(fd, &st, &bytes);
    file = err ? NULL : calloc(1, sizeof *file);
    if (!file) {
        close(fd);
        return err ? err : -ENOMEM;
    }
    blocks = bytes / MMC_BLOCK_BYTES;
    file->fd = fd;
    file->dev.ops = &file_ops;
    file->dev.geometry.blocks = blocks > INT32_MAX ? INT32_MAX : (uint32_t)blocks;
    file->dev.geometry.packet_blocks = packet_blocks ? packet_blocks : 1;
    file->dev.geometry.read_only = !writable;
    *dev = &file->dev;
    return 0;
}
