/* SPDX-License-Identifier: MIT */
/* From names to nodes and back: lookup, forget, symbolic links; and statfs, which
 * is about the volume as a whole. */
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/statvfs.h>

#include "fs/fs.h"

int fs_entry_fill(struct fs *fs, struct udf_inode *inode, struct fuse_entry_param *entry)
{
    memset(entry, 0, sizeof(*entry));
    fs_attr_get(fs, inode, &entry->attr);
    entry->attr_timeout = entry->entry_timeout = FS_TIMEOUT_FOREVER;
    entry->ino = fs_nodes_enter(fs, inode);
    return entry->ino ? 0 : -ENOMEM;
}

void fs_entry_reply(fuse_req_t req, int err, struct udf_inode *inode)
{
    struct fs *fs = fs_of(req);
    struct fuse_entry_param entry;

    if (!err)
        err = fs_entry_fill(fs, inode, &entry);
    if (err)
        fuse_reply_err(req, -err);
    else if (fuse_reply_entry(req, &entry) == -ENOENT)
        fs_nodes_forget(fs, entry.ino, 1); /* interrupted: the kernel never got the node */
}

/*
 * A name that is not there is an answer too, which the kernel may keep: an entry with node id 0.
 *
 * Valid replies:
 *   fuse_reply_entry
 *   fuse_reply_err
 */
void fs_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
    struct fuse_entry_param none = {.entry_timeout = FS_TIMEOUT_FOREVER};
    struct udf_inode *inode = NULL;
    int err = udf_dir_lookup(fs_inode_of(req, parent), name, strlen(name), &inode);

    if (err == -ENOENT)
        fuse_reply_entry(req, &none);
    else
        fs_entry_reply(req, err, inode);
}

/*
 * Valid replies:
 *   fuse_reply_none
 */
void fs_forget(fuse_req_t req, fuse_ino_t node, uint64_t lookups)
{
    fs_nodes_forget(fs_of(req), node, lookups);
    fuse_reply_none(req);
}

/*
 * Valid replies:
 *   fuse_reply_none
 */
void fs_forget_multi(fuse_req_t req, size_t count, struct fuse_forget_data *forgets)
{
    for (size_t i = 0; i < count; i++)
        fs_nodes_forget(fs_of(req), forgets[i].ino, forgets[i].nlookup);
    fuse_reply_none(req);
}

/*
 * Valid replies:
 *   fuse_reply_readlink
 *   fuse_reply_err
 */
void fs_readlink(fuse_req_t req, fuse_ino_t node)
{
    char target[PATH_MAX];
    int len = udf_link_read(fs_inode_of(req, node), target, sizeof(target));

    if (len < 0)
        fuse_reply_err(req, -len);
    else
        fuse_reply_readlink(req, target);
}

/*
 * A file needs one block for its ICB at least, so the free blocks bound the files that can still be made.
 *
 * Valid replies:
 *   fuse_reply_statfs
 *   fuse_reply_err
 */
void fs_statfs(fuse_req_t req, fuse_ino_t node)
{
    struct udf_volume_stat st;
    struct statvfs to;

    (void)node;
    udf_volume_stat(fs_of(req)->vol, &st);
    to = (struct statvfs){
        .f_bsize = UDF_BLOCK_BYTES,
        .f_frsize = UDF_BLOCK_BYTES,
        .f_blocks = st.blocks,
        .f_bfree = st.blocks_free,
        .f_bavail = st.blocks_available,
        .f_files = (fsfilcnt_t)st.files + st.directories + st.blocks_available,
        .f_ffree = st.blocks_available,
        .f_favail = st.blocks_available,
        .f_namemax = st.name_max,
    };
    fuse_reply_statfs(req, &to);
}
