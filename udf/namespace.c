/* SPDX-License-Identifier: MIT */
/* Names of what exists: further links, and removal. Each runs whole in one transaction. */
#include <errno.h>

#include "udf/namespace.h"

void udf_name_refs_add(struct udf_name_refs *refs, struct udf_inode *inode)
{
    for (unsigned i = 0; i < refs->count; i++) {
        if (refs->inodes[i] == inode) {
            udf_inode_put(inode); /* not the last reference */
            return;
        }
    }
    refs->inodes[refs->count++] = inode;
}

void udf_name_refs_put(struct udf_name_refs *refs)
{
    while (refs->count)
        udf_inode_put(refs->inodes[--refs->count]);
}

int udf_name_find(struct udf_inode *dir, const char *name, size_t len, uint32_t *slot,
                  struct udf_inode **inode, struct udf_name_refs *refs)
{
    struct udf_fid fid;
    *slot = udf_dir_index_find(dir->index, name, len);
    if (*slot == UDF_SLOT_NONE || dir->index->slots[*slot].kind == UDF_SLOT_HIDDEN)
        return -ENOENT;
    udf_dir_index_fid(dir->index, *slot, &fid);
    if (refs->count == UDF_NAME_REFS_MAX)
        return -EBUSY;
    int err = udf_inode_get(dir->vol, udf_ino_of(fid.icb.at), inode);
    if (err == -ESTALE || err == -ENOENT)
        return -EUCLEAN;
    if (err)
        return err;
    udf_name_refs_add(refs, *inode);
    return udf_inode_is_dir(*inode) ? udf_inode_reached(*inode, dir->ino) : 0;
}

struct udf_dir_target udf_name_target(const struct udf_inode *dir, uint32_t slot,
                                      const struct udf_inode *inode)
{
    struct udf_fid fid;
    udf_dir_index_fid(dir->index, slot, &fid);
    return (struct udf_dir_target){
        .icb = inode->icb, .unique_id = fid.icb.unique_id, .directory = udf_inode_is_dir(inode)};
}

void udf_name_unlinked(struct udf_inode *inode)
{
    bool dir = udf_inode_is_dir(inode);
    udf_count_files(inode->vol, dir ? 0 : -1, dir ? -1 : 0);
    inode->fe.links = dir || inode->fe.links <= 1 ? 0 : inode->fe.links - 1;
    inode->deleted = !inode->fe.links;
    udf_inode_touch(inode, false);
    udf_inode_dirty(inode);
}

int udf_name_removable(struct udf_inode *dir)
{
    int err = udf_dir_changeable(dir);
    return err ? err : dir->index->names ? -ENOTEMPTY : 0;
}

struct name_change {
    struct udf_inode *dir, *inode;
    const char *name;
    size_t len;
    struct udf_name_refs refs;
};

static int link_locked(struct name_change *link)
{
    struct udf_inode *dir = link->dir, *inode = link->inode;
    int err = udf_dir_changeable(dir);
    if (!err && inode->foreign)
        err = -EROFS;
    if (!err && inode->deleted)
        err = -ENOENT;
    if (!err && inode->fe.links >= UDF_LINKS_MAX)
        err = -EMLINK;
    struct udf_dir_target target = {.icb = inode->icb, .unique_id = err ? 0 : udf_count_unique(dir->vol)};
    if (!err)
        err = udf_dir_add(dir, link->name, link->len, &target);
    if (err)
        return err;
    inode->fe.links++;
    inode->fe.parent_icb = (struct udf_address){0}; /* optional, and there are several now */
    udf_count_files(dir->vol, 1, 0);
    udf_inode_touch(dir, true);
    udf_inode_touch(inode, false);
    udf_inode_dirty(dir);
    udf_inode_dirty(inode);
    return 0;
}

static int link_change(void *ctx)
{
    struct name_change *link = ctx;
    int err = udf_dir_lock_write(link->dir);
    if (err)
        return err;
    pthread_rwlock_wrlock(&link->inode->lock);
    err = link_locked(link);
    pthread_rwlock_unlock(&link->inode->lock);
    pthread_rwlock_unlock(&link->dir->lock);
    return err;
}

int udf_dir_link(struct udf_inode *dir, const char *name, size_t name_len, struct udf_inode *inode)
{
    struct name_change link = {.dir = dir, .inode = inode, .name = name, .len = name_len};
    if (udf_inode_is_dir(inode))
        return -EPERM;
    return udf_change(dir->vol, udf_inode_change_blocks(dir), link_change, &link);
}

static int unlink_locked(struct name_change *change)
{
    struct udf_inode *dir = change->dir;
    uint32_t slot;
    int err = udf_dir_changeable(dir);
    if (!err)
        err = udf_name_find(dir, change->name, change->len, &slot, &change->inode, &change->refs);
    if (!err && udf_inode_is_dir(change->inode))
        err = -EISDIR;
    if (!err && change->inode->foreign)
        err = -EROFS;
    if (!err)
        err = udf_dir_drop(dir, slot);
    if (err)
        return err;
    pthread_rwlock_wrlock(&change->inode->lock);
    udf_name_unlinked(change->inode);
    pthread_rwlock_unlock(&change->inode->lock);
    udf_inode_touch(dir, true);
    udf_inode_dirty(dir);
    return 0;
}

static int unlink_change(void *ctx)
{
    struct name_change *change = ctx;
    int err = udf_dir_lock_write(change->dir);
    if (err)
        return err;
    err = unlink_locked(change);
    pthread_rwlock_unlock(&change->dir->lock);
    return err;
}

int udf_dir_unlink(struct udf_inode *dir, const char *name, size_t name_len)
{
    struct name_change change = {.dir = dir, .name = name, .len = name_len};
    int err = udf_change(dir->vol, udf_inode_change_blocks(dir), unlink_change, &change);
    udf_name_refs_put(&change.refs);
    return err;
}

/* With the child locked too. */
static int rmdir_child(struct name_change *change, uint32_t slot)
{
    struct udf_inode *dir = change->dir, *child = change->inode;
    int err = udf_name_removable(child);
    if (!err)
        err = udf_dir_drop(dir, slot);
    if (err)
        return err;
    udf_name_unlinked(child);
    if (dir->fe.links > 1)
        dir->fe.links--;
    udf_inode_touch(dir, true);
    udf_inode_dirty(dir);
    return 0;
}

static int rmdir_locked(struct name_change *change)
{
    uint32_t slot;
    int err = udf_dir_changeable(change->dir);
    if (!err)
        err = udf_name_find(change->dir, change->name, change->len, &slot, &change->inode, &change->refs);
    if (!err)
        err = udf_dir_lock_write(change->inode);
    if (err)
        return err;
    err = rmdir_child(change, slot);
    pthread_rwlock_unlock(&change->inode->lock);
    return err;
}

static int rmdir_change(void *ctx)
{
    struct name_change *change = ctx;
    udf_namespace_lock(change->dir->vol);
    int err = udf_dir_lock_write(change->dir);
    if (!err) {
        err = rmdir_locked(change);
        pthread_rwlock_unlock(&change->dir->lock);
    }
    udf_namespace_unlock(change->dir->vol);
    return err;
}

int udf_dir_rmdir(struct udf_inode *dir, const char *name, size_t name_len)
{
    struct name_change change = {.dir = dir, .name = name, .len = name_len};
    int err = udf_change(dir->vol, udf_inode_change_blocks(dir), rmdir_change, &change);
    udf_name_refs_put(&change.refs);
    return err;
}
