/* SPDX-License-Identifier: MIT */
/* Attributes: what the kernel sees of an inode, and changes in it; and how every changing operation ends. */
#include <errno.h>
#include <string.h>

#include "fs/fs.h"

#define IO_BYTES 4096 /* st_blksize: the page size, at which the kernel's cache works best */

/* The size of a symbolic link is the length of its target as a path, not of the
 * components that the disc holds. */
static off_t link_size(struct udf_inode *inode, uint64_t stored)
{
    char target[PATH_MAX];
    int len = udf_link_read(inode, target, sizeof(target));

    return len < 0 ? (off_t)stored : len;
}

void fs_attr_get(struct fs *fs, struct udf_inode *inode, struct stat *st)
{
    const struct fs_options *options = &fs->options;
    struct udf_stat from;

    udf_inode_stat(inode, &from);
    *st = (struct stat){
        .st_ino = from.ino,
        .st_mode = from.mode & ~(options->umask & 0777),
        .st_nlink = from.links,
        .st_uid = options->uid_set        ? options->uid
                  : from.uid == (uid_t)-1 ? fs->uid
                                          : from.uid,
        .st_gid = options->gid_set        ? options->gid
                  : from.gid == (gid_t)-1 ? fs->gid
                                          : from.gid,
        .st_rdev = from.rdev,
        .st_size = S_ISLNK(from.mode) ? link_size(inode, from.size) : (off_t)from.size,
        .st_blocks = (blkcnt_t)from.blocks,
        .st_blksize = IO_BYTES,
        .st_atim = from.atime,
        .st_mtim = from.mtime,
        .st_ctim = from.ctime,
    };
}

/* A failed volume refuses every change from then on: worth one message, not one a change. */
int fs_sync_end(struct fs *fs, int err)
{
    if (err != -EIO && (err != -EROFS || fs->read_only))
        return err;
    if (!atomic_exchange(&fs->failed, true))
        cli_error("%s: %s",
                  err == -EROFS ? "the volume takes no more changes" : "a change could not be written",
                  cli_errno_text(err));
    return err;
}

int fs_change_end(struct fs *fs, int err)
{
    if (!err) {
        fs_writeback_changed(fs);
        if (fs->options.sync)
            err = udf_volume_sync(fs->vol);
    }
    return fs_sync_end(fs, err);
}

/*
 * Valid replies:
 *   fuse_reply_attr
 *   fuse_reply_err
 */
void fs_getattr(fuse_req_t req, fuse_ino_t node, struct fuse_file_info *fi)
{
    struct stat st;

    (void)fi;
    fs_attr_get(fs_of(req), fs_inode_of(req, node), &st);
    fuse_reply_attr(req, &st, FS_TIMEOUT_FOREVER);
}

static struct timespec time_to_set(int to_set, int now_flag, const struct timespec *given)
{
    struct timespec now;

    if (!(to_set & now_flag))
        return *given;
    clock_gettime(CLOCK_REALTIME, &now);
    return now;
}

/*
 * Who may do this the kernel has checked (default_permissions), and it sends the mode along where a change of
 * owner, a truncation or a write takes set-user-id bits away.
 *
 * Valid replies:
 *   fuse_reply_attr
 *   fuse_reply_err
 */
void fs_setattr(fuse_req_t req, fuse_ino_t node, struct stat *attr, int to_set, struct fuse_file_info *fi)
{
    static const struct {
        int fuse;
        unsigned udf;
    } masks[] = {
        {FUSE_SET_ATTR_MODE, UDF_SET_MODE},   {FUSE_SET_ATTR_UID, UDF_SET_UID},
        {FUSE_SET_ATTR_GID, UDF_SET_GID},     {FUSE_SET_ATTR_SIZE, UDF_SET_SIZE},
        {FUSE_SET_ATTR_ATIME, UDF_SET_ATIME}, {FUSE_SET_ATTR_MTIME, UDF_SET_MTIME},
        {FUSE_SET_ATTR_CTIME, UDF_SET_CTIME},
    };
    struct fs *fs = fs_of(req);
    struct udf_inode *inode = fs_inode_of(req, node);
    struct udf_stat set = {
        .mode = attr->st_mode,
        .uid = attr->st_uid,
        .gid = attr->st_gid,
        .size = (uint64_t)attr->st_size,
        .atime = time_to_set(to_set, FUSE_SET_ATTR_ATIME_NOW, &attr->st_atim),
        .mtime = time_to_set(to_set, FUSE_SET_ATTR_MTIME_NOW, &attr->st_mtim),
        .ctime = attr->st_ctim,
    };
    unsigned mask = 0;
    struct stat st;
    int err = 0;

    (void)fi;
    for (size_t i = 0; i < sizeof(masks) / sizeof(masks[0]); i++)
        mask |= to_set & masks[i].fuse ? masks[i].udf : 0;
    if (mask)
        err = fs_change_end(fs, udf_inode_set(inode, &set, mask));
    if (err) {
        fuse_reply_err(req, -err);
        return;
    }
    fs_attr_get(fs, inode, &st);
    fuse_reply_attr(req, &st, FS_TIMEOUT_FOREVER);
}
