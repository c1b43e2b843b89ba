/* SPDX-License-Identifier: MIT */
/*
 * Renaming. The namespace lock makes directories stand still, so that the way up from the target can be
 * looked at without holding locks of inodes; files may still come and go until both directories are locked.
 */
#include <errno.h>
#include <stdio.h>

#include "udf/namespace.h"

#ifndef RENAME_NOREPLACE
#define RENAME_NOREPLACE 1
#define RENAME_EXCHANGE  2
#endif

#define RENAME_DEPTH_MAX 65536u
#define RENAME_TRIES     8

/* One of the two names. */
struct side {
    struct udf_inode *dir;
    const char *name;
    size_t len;
    uint32_t slot;
    struct udf_inode *inode;   /* what it leads to; NULL: it is not there */
    struct udf_inode *checked; /* a directory that was found not to lie above the other side */
};

struct rename {
    struct side from, to;
    unsigned flags;
    struct udf_name_refs refs;
};

static int side_find(struct rename *rename, struct side *side)
{
    side->inode = NULL;
    int err = udf_name_find(side->dir, side->name, side->len, &side->slot, &side->inode, &rename->refs);
    if (err)
        side->inode = NULL;
    return err;
}

/* -EINVAL when directory top is dir or lies above it. */
static int rename_above(struct rename *rename, struct udf_inode *top, struct udf_inode *dir)
{
    udf_ino_t ino = dir->ino, root = udf_volume_root(dir->vol);
    for (uint32_t depth = 0; depth < RENAME_DEPTH_MAX; depth++) {
        struct udf_inode *at;
        if (ino == top->ino)
            return -EINVAL;
        if (ino == root)
            return 0;
        int err = udf_inode_get(dir->vol, ino, &at);
        if (err)
            return err == -ESTALE ? -EUCLEAN : err;
        bool directory = udf_inode_is_dir(at);
        ino = udf_dir_parent(at);
        /* Only a false ".." leads to a deleted directory; its last reference
         * must not go inside a transaction. */
        if (at->deleted && rename->refs.count < UDF_NAME_REFS_MAX)
            udf_name_refs_add(&rename->refs, at);
        else
            udf_inode_put(at);
        if (!directory)
            return -EUCLEAN;
    }
    return -EUCLEAN;
}

/* Before anything is locked: a directory may not come to lie inside itself. */
static int side_check(struct rename *rename, struct side *side, const struct side *other)
{
    side->checked = NULL;
    int err = udf_dir_lock_read(side->dir);
    if (err)
        return err;
    err = side_find(rename, side);
    pthread_rwlock_unlock(&side->dir->lock);
    if (err || !udf_inode_is_dir(side->inode))
        return err == -ENOENT ? 0 : err;
    side->checked = side->inode;
    return rename_above(rename, side->inode, other->dir);
}

/* Children that are directories first, then files by ino. */
static int sides_lock(struct rename *rename)
{
    struct udf_inode *first = rename->from.inode, *second = rename->to.inode;
    if (second && (udf_inode_is_dir(first) == udf_inode_is_dir(second) ? second->ino < first->ino
                                                                       : udf_inode_is_dir(second))) {
        first = second;
        second = rename->from.inode;
    }
    struct udf_inode *order[] = {first, second};
    for (unsigned i = 0; i < 2 && order[i]; i++) {
        int err = 0;
        if (udf_inode_is_dir(order[i]))
            err = udf_dir_lock_write(order[i]);
        else
            pthread_rwlock_wrlock(&order[i]->lock);
        if (err && i)
            pthread_rwlock_unlock(&first->lock);
        if (err)
            return err;
    }
    return 0;
}

static void sides_unlock(struct rename *rename)
{
    pthread_rwlock_unlock(&rename->from.inode->lock);
    if (rename->to.inode)
        pthread_rwlock_unlock(&rename->to.inode->lock);
}

/* An inode changes its directory. The parent in the ICB is optional (UDF 2.3.5.4),
 * and better not said than wrong. */
static int rename_reparent(struct udf_inode *inode, struct udf_inode *from, struct udf_inode *to)
{
    inode->fe.parent_icb = (struct udf_address){0};
    if (!udf_inode_is_dir(inode))
        return 0;
    udf_inode_moved(inode, to->ino);
    if (from->fe.links > 1)
        from->fe.links--;
    to->fe.links++;
    return udf_dir_point_parent(inode, to);
}

static int rename_exchange(struct rename *rename)
{
    struct side *from = &rename->from, *to = &rename->to;
    struct udf_dir_target source = udf_name_target(from->dir, from->slot, from->inode);
    struct udf_dir_target target = udf_name_target(to->dir, to->slot, to->inode);
    int err = udf_dir_point(to->dir, to->slot, &source);
    if (!err)
        err = udf_dir_point(from->dir, from->slot, &target);
    if (!err && from->dir != to->dir)
        err = rename_reparent(from->inode, from->dir, to->dir);
    if (!err && from->dir != to->dir)
        err = rename_reparent(to->inode, to->dir, from->dir);
    return err;
}

static int rename_move(struct rename *rename)
{
    struct side *from = &rename->from, *to = &rename->to;
    struct udf_dir_target source = udf_name_target(from->dir, from->slot, from->inode);
    int err = to->inode ? udf_dir_point(to->dir, to->slot, &source)
                        : udf_dir_add(to->dir, to->name, to->len, &source);
    if (!err)
        err = udf_dir_drop(from->dir, from->slot);
    if (!err && to->inode) {
        udf_name_unlinked(to->inode);
        if (udf_inode_is_dir(to->inode) && to->dir->fe.links > 1)
            to->dir->fe.links--;
    }
    if (!err && from->dir != to->dir)
        err = rename_reparent(from->inode, from->dir, to->dir);
    return err;
}

/* With all four locked. */
static int rename_allowed(const struct rename *rename)
{
    const struct side *from = &rename->from, *to = &rename->to;
    bool source_dir = udf_inode_is_dir(from->inode), exchange = rename->flags & RENAME_EXCHANGE;
    bool target_dir = to->inode && udf_inode_is_dir(to->inode);
    int err = from->inode->foreign || (to->inode && to->inode->foreign) ? -EROFS : 0;
    if (!err && source_dir)
        err = udf_dir_changeable(from->inode);
    if (!err && exchange && target_dir)
        err = udf_dir_changeable(to->inode);
    if (!err && !exchange && to->inode && source_dir != target_dir)
        err = source_dir ? -ENOTDIR : -EISDIR;
    if (!err && !exchange && target_dir)
        err = udf_name_removable(to->inode);
    if (!err && from->dir != to->dir &&
        ((source_dir && !target_dir && to->dir->fe.links >= UDF_LINKS_MAX) ||
         (exchange && target_dir && !source_dir && from->dir->fe.links >= UDF_LINKS_MAX)))
        err = -EMLINK;
    return err;
}

static int rename_children(struct rename *rename)
{
    struct side *from = &rename->from, *to = &rename->to;
    int err = sides_lock(rename);
    if (err)
        return err;
    bool exchange = rename->flags & RENAME_EXCHANGE;
    err = rename_allowed(rename);
    if (!err)
        err = exchange ? rename_exchange(rename) : rename_move(rename);
    if (!err) {
        udf_inode_touch(from->dir, true);
        udf_inode_touch(to->dir, true);
        udf_inode_touch(from->inode, false);
        udf_inode_dirty(from->dir);
        udf_inode_dirty(to->dir);
        udf_inode_dirty(from->inode);
    }
    if (!err && exchange) {
        udf_inode_touch(to->inode, false);
        udf_inode_dirty(to->inode);
    }
    sides_unlock(rename);
    return err;
}

/* With both directories locked. 1: the names lead elsewhere than when they were checked. */
static int rename_locked(struct rename *rename)
{
    struct side *from = &rename->from, *to = &rename->to;
    int err = udf_dir_changeable(from->dir);
    if (!err)
        err = udf_dir_changeable(to->dir);
    if (!err)
        err = side_find(rename, from);
    if (err)
        return err;
    err = side_find(rename, to);
    if (err == -ENOENT)
        err = rename->flags & RENAME_EXCHANGE ? -ENOENT : 0;
    if (err)
        return err;
    if (to->inode && rename->flags & RENAME_NOREPLACE)
        return -EEXIST;
    if (to->inode == from->inode)
        return 0;
    if (from->inode == from->dir || from->inode == to->dir)
        return -EINVAL;
    if (to->inode && (to->inode == from->dir || to->inode == to->dir))
        return -ENOTEMPTY;
    if (from->dir != to->dir && udf_inode_is_dir(from->inode) && from->inode != from->checked)
        return 1;
    if (from->dir != to->dir && to->inode && udf_inode_is_dir(to->inode) && to->inode != to->checked)
        return 1;
    return rename_children(rename);
}

static int rename_try(struct rename *rename)
{
    struct side *from = &rename->from, *to = &rename->to;
    int err = 0;
    if (from->dir != to->dir)
        err = side_check(rename, from, to);
    if (!err && from->dir != to->dir) {
        err = side_check(rename, to, from);
        /* Above the source: not empty, so that only an exchange would put it inside itself. */
        if (err == -EINVAL && !(rename->flags & RENAME_EXCHANGE))
            err = rename->flags & RENAME_NOREPLACE ? -EEXIST : -ENOTEMPTY;
    }
    if (!err)
        err = udf_dir_lock_write(from->dir);
    if (err)
        return err;
    err = from->dir == to->dir ? 0 : udf_dir_lock_write(to->dir);
    if (!err) {
        err = rename_locked(rename);
        if (from->dir != to->dir)
            pthread_rwlock_unlock(&to->dir->lock);
    }
    pthread_rwlock_unlock(&from->dir->lock);
    return err;
}

static int rename_change(void *ctx)
{
    struct rename *rename = ctx;
    int err = 1;
    udf_namespace_lock(rename->from.dir->vol);
    for (int i = 0; i < RENAME_TRIES && err == 1; i++)
        err = rename_try(rename);
    udf_namespace_unlock(rename->from.dir->vol);
    return err == 1 ? -EBUSY : err;
}

int udf_dir_rename(struct udf_inode *from, const char *from_name, size_t from_len, struct udf_inode *to,
                   const char *to_name, size_t to_len, unsigned flags)
{
    if (flags & ~(unsigned)(RENAME_NOREPLACE | RENAME_EXCHANGE) ||
        (flags & RENAME_NOREPLACE && flags & RENAME_EXCHANGE))
        return -EINVAL;
    struct rename rename = {.from = {.dir = from, .name = from_name, .len = from_len},
                            .to = {.dir = to, .name = to_name, .len = to_len},
                            .flags = flags};
    uint32_t blocks = udf_inode_change_blocks(from) + udf_inode_change_blocks(to);
    int err = udf_change(from->vol, blocks < UDF_TX_BLOCKS_MAX ? blocks : UDF_TX_BLOCKS_MAX, rename_change,
                         &rename);
    udf_name_refs_put(&rename.refs);
    return err;
}
