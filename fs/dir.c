/* SPDX-License-Identifier: MIT */
/* Changes of directories: making, linking, renaming and removing names. Listing is in readdir.c. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "fs/fs.h"

/* Makes an inode in parent, owned by who asks; in a set-group-id directory it takes the directory's group.
 * The kernel has applied the umask already. */
static int make(fuse_req_t req, fuse_ino_t parent, const char *name, struct udf_new *new_inode,
                struct udf_inode **inode)
{
    const struct fuse_ctx *caller = fuse_req_ctx(req);
    struct udf_inode *dir = fs_inode_of(req, parent);
    struct udf_stat above;

    udf_inode_stat(dir, &above);
    new_inode->uid = caller->uid;
    new_inode->gid = caller->gid;
    if (above.mode & S_ISGID) {
        if (above.gid != (gid_t)-1)
            new_inode->gid = above.gid;
        if (S_ISDIR(new_inode->mode))
            new_inode->mode |= S_ISGID;
    }
    return fs_change_end(fs_of(req), udf_dir_create(dir, name, strlen(name), new_inode, inode));
}

static void make_and_reply(fuse_req_t req, fuse_ino_t parent, const char *name, struct udf_new new_inode)
{
    struct udf_inode *inode = NULL;
    int err = make(req, parent, name, &new_inode, &inode);

    if (err) {
        udf_inode_put(inode);
        inode = NULL;
    }
    fs_entry_reply(req, err, inode);
}

/*
 * Valid replies:
 *   fuse_reply_entry
 *   fuse_reply_err
 */
void fs_mknod(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, dev_t rdev)
{
    make_and_reply(req, parent, name, (struct udf_new){.mode = mode, .rdev = rdev});
}

/*
 * Valid replies:
 *   fuse_reply_entry
 *   fuse_reply_err
 */
void fs_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode)
{
    make_and_reply(req, parent, name, (struct udf_new){.mode = S_IFDIR | (mode & 07777)});
}

/*
 * Valid replies:
 *   fuse_reply_entry
 *   fuse_reply_err
 */
void fs_symlink(fuse_req_t req, const char *target, fuse_ino_t parent, const char *name)
{
    make_and_reply(req, parent, name, (struct udf_new){.mode = S_IFLNK | 0777, .target = target});
}

/*
 * Valid replies:
 *   fuse_reply_create
 *   fuse_reply_err
 */
void fs_create(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, struct fuse_file_info *fi)
{
    struct fs *fs = fs_of(req);
    struct udf_new new_inode = {.mode = S_IFREG | (mode & 07777)};
    struct udf_inode *inode = NULL;
    struct fuse_entry_param entry;
    int err = make(req, parent, name, &new_inode, &inode);

    if (!err)
        err = fs_entry_fill(fs, inode, &entry);
    else
        udf_inode_put(inode);
    if (err) {
        fuse_reply_err(req, -err);
        return;
    }
    fi->keep_cache = 1;
    if (fuse_reply_create(req, &entry, fi) == -ENOENT)
        fs_nodes_forget(fs, entry.ino, 1);
}

/*
 * Valid replies:
 *   fuse_reply_entry
 *   fuse_reply_err
 */
void fs_link(fuse_req_t req, fuse_ino_t node, fuse_ino_t parent, const char *name)
{
    struct udf_inode *inode = fs_inode_of(req, node);
    int err = fs_change_end(fs_of(req), udf_dir_link(fs_inode_of(req, parent), name, strlen(name), inode));

    fs_entry_reply(req, err, err ? NULL : udf_inode_hold(inode));
}

/*
 * Valid replies:
 *   fuse_reply_err
 */
void fs_unlink(fuse_req_t req, fuse_ino_t parent, const char *name)
{
    int err = udf_dir_unlink(fs_inode_of(req, parent), name, strlen(name));

    fuse_reply_err(req, -fs_change_end(fs_of(req), err));
}

/*
 * Valid replies:
 *   fuse_reply_err
 */
void fs_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name)
{
    int err = udf_dir_rmdir(fs_inode_of(req, parent), name, strlen(name));

    fuse_reply_err(req, -fs_change_end(fs_of(req), err));
}

/*
 * Valid replies:
 *   fuse_reply_err
 */
void fs_rename(fuse_req_t req, fuse_ino_t from, const char *from_name, fuse_ino_t to, const char *to_name,
               unsigned flags)
{
    int err = -EINVAL;

    if (!(flags & ~(unsigned)(RENAME_NOREPLACE | RENAME_EXCHANGE)))
        err = udf_dir_rename(fs_inode_of(req, from), from_name, strlen(from_name), fs_inode_of(req, to),
                             to_name, strlen(to_name), flags);
    fuse_reply_err(req, -fs_change_end(fs_of(req), err));
}

/*
 * Valid replies:
 *   fuse_reply_err
 */
void fs_fsyncdir(fuse_req_t req, fuse_ino_t node, int datasync, struct fuse_file_info *fi)
{
    (void)datasync;
    (void)fi;
    fuse_reply_err(req, -fs_sync_end(fs_of(req), udf_inode_sync(fs_inode_of(req, node))));
}
