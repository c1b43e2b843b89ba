/* SPDX-License-Identifier: MIT */
/* Files read and written. A long write is cut into pieces of one transaction each, so
 * that none outgrows the journal. */
#include <errno.h>

#include "udf/content.h"

/* Blocks of one transaction: in all, and of them such as must go through the journal. */
#define WRITE_BLOCKS_MAX 512u
#define WRITE_LOGGED_MAX 64u

static int file_check(const struct udf_inode *inode)
{
    if (udf_inode_is_dir(inode))
        return -EISDIR;
    return udf_inode_is_file(inode) ? 0 : -EINVAL;
}

/* A read moves the access time in memory alone; see inode.h. */
static void file_accessed(struct udf_inode *inode)
{
    struct timespec now;
    if (inode->vol->options.noatime || inode->vol->read_only)
        return;
    clock_gettime(CLOCK_REALTIME, &now);
    atomic_store(&inode->atime_us, (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000);
}

ssize_t udf_file_read(struct udf_inode *inode, uint64_t offset, void *buf, size_t len)
{
    int err = file_check(inode);
    if (err)
        return err;
    pthread_rwlock_rdlock(&inode->lock);
    uint64_t size = inode->fe.info_length;
    if (offset >= size)
        len = 0;
    else if (len > size - offset)
        len = (size_t)(size - offset);
    err = len ? udf_content_read(inode, offset, buf, len) : 0;
    pthread_rwlock_unlock(&inode->lock);
    if (err)
        return err;
    file_accessed(inode);
    return (ssize_t)len;
}

struct write {
    struct udf_inode *inode;
    uint64_t offset; /* of the piece */
    const uint8_t *buf;
    size_t len, done;
    uint32_t logged;      /* blocks that the transaction has room for in the journal */
    uint64_t size_before; /* of the file, before the whole write */
    bool begun;
    bool keep_times; /* they are told apart from the data */
};

static int write_locked(struct write *write)
{
    struct udf_inode *inode = write->inode;
    uint32_t logged = write->logged, end = udf_extents_end(inode);
    if (inode->foreign)
        return -EROFS;
    if (!write->begun)
        write->size_before = inode->fe.info_length;
    write->begun = true;
    int err = udf_content_write(inode, write->offset, write->buf, write->len, &logged, &write->done);
    if (err) {
        /* What was allocated behind the end for bytes that did not come goes back. */
        uint32_t blocks = udf_blocks_of(inode->fe.info_length);
        udf_extents_cut(inode, blocks > end ? blocks : end);
    }
    if (!write->keep_times)
        udf_inode_touch(inode, true);
    udf_inode_dirty(inode);
    return err;
}

static int write_change(void *ctx)
{
    struct write *write = ctx;
    pthread_rwlock_wrlock(&write->inode->lock);
    int err = write_locked(write);
    pthread_rwlock_unlock(&write->inode->lock);
    return err;
}

/* Takes back what a write that failed had added to the file, if nobody else has gone on from there. */
static int write_undo(void *ctx)
{
    struct write *write = ctx;
    struct udf_inode *inode = write->inode;
    pthread_rwlock_wrlock(&inode->lock);
    uint64_t size = inode->fe.info_length;
    int err = 0;
    if (size > write->size_before && size <= write->offset + write->done) {
        err = udf_content_resize(inode, write->size_before);
        udf_inode_dirty(inode);
    }
    pthread_rwlock_unlock(&inode->lock);
    return err;
}

static ssize_t file_write(struct udf_inode *inode, uint64_t offset, const void *buf, size_t len,
                          bool keep_times)
{
    int err = file_check(inode);
    if (err)
        return err;
    if (offset > UDF_FILE_BYTES_MAX || len > UDF_FILE_BYTES_MAX - offset)
        return -EFBIG;
    struct write write = {.inode = inode, .offset = offset, .buf = buf, .keep_times = keep_times};
    for (size_t written = 0; written < len; written += write.done) {
        write.offset = offset + written;
        write.buf = (const uint8_t *)buf + written;
        size_t most = WRITE_BLOCKS_MAX * UDF_BLOCK_BYTES - write.offset % UDF_BLOCK_BYTES;
        write.len = len - written < most ? len - written : most;
        uint32_t blocks = udf_blocks_of(write.len) + 2; /* the ends of the piece, and of the file before it */
        write.logged = blocks < WRITE_LOGGED_MAX ? blocks : WRITE_LOGGED_MAX;
        blocks = udf_inode_change_blocks(inode) + write.logged;
        write.done = 0;
        err = udf_change(inode->vol, blocks < UDF_TX_BLOCKS_MAX ? blocks : UDF_TX_BLOCKS_MAX, write_change,
                         &write);
        if (!err && !write.done)
            err = -EIO;
        if (err) {
            if (write.begun)
                udf_change(inode->vol, udf_inode_change_blocks(inode), write_undo, &write);
            return err;
        }
    }
    return (ssize_t)len;
}

ssize_t udf_file_write(struct udf_inode *inode, uint64_t offset, const void *buf, size_t len)
{
    return file_write(inode, offset, buf, len, false);
}

ssize_t udf_file_write_back(struct udf_inode *inode, uint64_t offset, const void *buf, size_t len)
{
    return file_write(inode, offset, buf, len, true);
}
