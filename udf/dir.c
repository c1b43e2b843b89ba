/* SPDX-License-Identifier: MIT */
/* Directories as programs read them: names looked up, listed, and the way up. */
#include <errno.h>

#include "udf/dir_index.h"

static int lookup_locked(struct udf_inode *dir, const char *name, size_t len, struct udf_inode **inode)
{
    struct udf_fid fid;
    uint8_t cs0[UDF_NAME_CS0_MAX];
    uint32_t slot = udf_dir_index_find(dir->index, name, len);
    if (slot == UDF_SLOT_NONE || dir->index->slots[slot].kind == UDF_SLOT_HIDDEN) {
        int valid = udf_cs0_encode(name, len, cs0, sizeof cs0);
        return valid < 0 ? valid : -ENOENT;
    }
    udf_dir_index_fid(dir->index, slot, &fid);
    int err = udf_inode_get(dir->vol, udf_ino_of(fid.icb.at), inode);
    if (err == -ESTALE || err == -ENOENT)
        return -EUCLEAN; /* a name that leads to no inode */
    if (!err && udf_inode_is_dir(*inode))
        err = udf_inode_reached(*inode, dir->ino);
    return err;
}

int udf_dir_lookup(struct udf_inode *dir, const char *name, size_t name_len, struct udf_inode **inode)
{
    int err = udf_dir_lock_read(dir);
    if (err)
        return err;
    *inode = NULL;
    err = lookup_locked(dir, name, name_len, inode);
    pthread_rwlock_unlock(&dir->lock);
    if (err) {
        udf_inode_put(*inode);
        *inode = NULL;
    }
    return err;
}

int udf_dir_read(struct udf_inode *dir, uint64_t position, int (*fn)(void *ctx, const struct udf_entry *),
                 void *ctx)
{
    int err = udf_dir_lock_read(dir);
    if (err)
        return err;
    const struct udf_dir_index *index = dir->index;
    /* A position is the offset of the entry before, and one. */
    for (uint32_t slot = udf_dir_index_at(index, position); slot != UDF_SLOT_NONE;
         slot = index->slots[slot].next) {
        char name[UDF_DIR_NAME_MAX + 1];
        struct udf_fid fid;
        if (index->slots[slot].kind != UDF_SLOT_NAME)
            continue;
        udf_dir_index_fid(index, slot, &fid);
        int len = udf_dir_name(&fid, name);
        if (len < 0)
            continue;
        name[len] = 0;
        struct udf_entry entry = {.name = name,
                                  .name_len = (size_t)len,
                                  .ino = udf_ino_of(fid.icb.at),
                                  .directory = fid.characteristics & UDF_FID_DIRECTORY,
                                  .next = (uint64_t)index->slots[slot].offset + 1};
        if (fn(ctx, &entry))
            break;
    }
    pthread_rwlock_unlock(&dir->lock);
    return 0;
}

udf_ino_t udf_dir_parent(struct udf_inode *dir)
{
    if (udf_dir_lock_read(dir))
        return udf_volume_root(dir->vol);
    udf_ino_t ino = udf_ino_of(dir->index->parent);
    pthread_rwlock_unlock(&dir->lock);
    return ino;
}
