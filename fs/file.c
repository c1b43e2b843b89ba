/* SPDX-License-Identifier: MIT */
/*
 * Contents of files. There is no state of ours in an open file: a node that the kernel holds, holds its
 * inode, so that a file without names lives until its last handle is closed and the kernel forgets it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "fs/fs.h"

/* With the kernel's writeback cache the times are the kernel's to tell, here as with writes. */
static int file_empty(struct fs *fs, struct udf_inode *inode)
{
    struct udf_stat st;

    udf_inode_stat(inode, &st);
    st.size = 0;
    return udf_inode_set(inode, &st,
                         UDF_SET_SIZE | (fs->writeback_cache ? UDF_SET_MTIME | UDF_SET_CTIME : 0));
}

/*
 * The kernel keeps its cache of the file: nobody else changes the disc. O_TRUNC is ours to do
 * (atomic_o_trunc).
 *
 * Valid replies:
 *   fuse_reply_open
 *   fuse_reply_err
 */
void fs_open(fuse_req_t req, fuse_ino_t node, struct fuse_file_info *fi)
{
    int err = 0;

    if (fi->flags & O_TRUNC)
        err = fs_change_end(fs_of(req), file_empty(fs_of(req), fs_inode_of(req, node)));
    if (err) {
        fuse_reply_err(req, -err);
        return;
    }
    fi->keep_cache = 1;
    fuse_reply_open(req, fi);
}

/*
 * Valid replies:
 *   fuse_reply_buf
 *   fuse_reply_err
 */
void fs_read(fuse_req_t req, fuse_ino_t node, size_t size, off_t offset, struct fuse_file_info *fi)
{
    char *buf = malloc(size ? size : 1);
    ssize_t n = -ENOMEM;

    (void)fi;
    if (buf)
        n = udf_file_read(fs_inode_of(req, node), (uint64_t)offset, buf, size);
    if (n < 0)
        fuse_reply_err(req, (int)-n);
    else
        fuse_reply_buf(req, buf, (size_t)n);
    free(buf);
}

/*
 * What the kernel writes back from its cache was written by a program a while ago; the time of that it sets
 * by itself.
 *
 * Valid replies:
 *   fuse_reply_write
 *   fuse_reply_err
 */
void fs_write(fuse_req_t req, fuse_ino_t node, const char *buf, size_t size, off_t offset,
              struct fuse_file_info *fi)
{
    struct udf_inode *inode = fs_inode_of(req, node);
    ssize_t n = fi->writepage ? udf_file_write_back(inode, (uint64_t)offset, buf, size)
                              : udf_file_write(inode, (uint64_t)offset, buf, size);
    int err = fs_change_end(fs_of(req), n < 0 ? (int)n : 0);

    if (err)
        fuse_reply_err(req, -err);
    else
        fuse_reply_write(req, (size_t)n);
}

/*
 * How many blocks the file takes is settled now; the kernel is told to ask again.
 *
 * Valid replies:
 *   fuse_reply_err
 */
void fs_fsync(fuse_req_t req, fuse_ino_t node, int datasync, struct fuse_file_info *fi)
{
    int err = fs_sync_end(fs_of(req), udf_inode_sync(fs_inode_of(req, node)));

    (void)datasync;
    (void)fi;
    fuse_lowlevel_notify_inval_inode(fs_of(req)->session, node, -1, 0);
    fuse_reply_err(req, -err);
}

/*
 * Valid replies:
 *   fuse_reply_err
 */
void fs_fallocate(fuse_req_t req, fuse_ino_t node, int mode, off_t offset, off_t length,
                  struct fuse_file_info *fi)
{
    int err = udf_file_allocate(fs_inode_of(req, node), mode, (uint64_t)offset, (uint64_t)length);

    (void)fi;
    fuse_reply_err(req, -fs_change_end(fs_of(req), err));
}

/*
 * The kernel asks for SEEK_DATA and SEEK_HOLE alone, and does so without writing back what it holds of the
 * file: what a program has just written would look like a hole, and a copy that follows holes would lose it.
 * So that is asked for first.
 *
 * Valid replies:
 *   fuse_reply_lseek
 *   fuse_reply_err
 */
void fs_lseek(fuse_req_t req, fuse_ino_t node, off_t offset, int whence, struct fuse_file_info *fi)
{
    struct fs *fs = fs_of(req);
    off_t found;

    (void)fi;
    if (fs->writeback_cache)
        fuse_lowlevel_notify_inval_inode(fs->session, node, 0, 0);
    found = udf_file_seek(fs_inode_of(req, node), offset, whence);
    if (found < 0)
        fuse_reply_err(req, (int)-found);
    else
        fuse_reply_lseek(req, found);
}
