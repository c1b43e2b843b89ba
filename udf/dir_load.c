/* SPDX-License-Identifier: MIT */
/*
 * A directory from the disc into its index. What is damaged is passed over: bytes that are no FID up to the
 * next place that holds one, and names that cannot be decoded or lead nowhere. Such a directory can be read
 * and not changed.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "udf/content.h"
#include "udf/dir_index.h"

/* A file of the root that holds the bad blocks (UDF 1.50 2.3.13). */
#define NON_ALLOCATABLE "Non-Allocatable Space"

static bool load_hidden(const struct udf_inode *dir, const struct udf_fid *fid, const char *name, size_t len)
{
    if (fid->characteristics & UDF_FID_METADATA)
        return true;
    return fid->characteristics & UDF_FID_HIDDEN && dir->ino == udf_volume_root(dir->vol) &&
           len == sizeof NON_ALLOCATABLE - 1 && !memcmp(name, NON_ALLOCATABLE, len);
}

/* Makes what was inserted a parent, a name or free. False when it is none of these. */
static bool load_slot(const struct udf_inode *dir, struct udf_dir_index *index, uint32_t slot,
                      const struct udf_fid *fid)
{
    char name[UDF_DIR_NAME_MAX];
    if (fid->characteristics & UDF_FID_DELETED) {
        udf_dir_index_free_add(index, slot);
        return true;
    }
    if (!fid->icb.bytes)
        return false;
    if (fid->characteristics & UDF_FID_PARENT) {
        if (index->slots[slot].offset)
            return false;
        index->slots[slot].kind = UDF_SLOT_PARENT;
        index->parent = fid->icb.at;
        return true;
    }
    int len = udf_dir_name(fid, name);
    if (len < 0)
        return false;
    bool hidden = load_hidden(dir, fid, name, (size_t)len);
    udf_dir_index_name_add(index, slot, hidden ? UDF_SLOT_HIDDEN : UDF_SLOT_NAME, name, (size_t)len);
    return true;
}

static int load_slots(const struct udf_inode *dir, struct udf_dir_index *index)
{
    for (uint32_t offset = 0; offset < index->len;) {
        struct udf_fid fid;
        int size = udf_fid_decode(index->bytes + offset, index->len - offset, &fid);
        if (size < 0) {
            index->damaged = true;
            offset += 4;
            continue;
        }
        int err = udf_dir_index_reserve(index, index->len);
        if (err)
            return err;
        uint32_t slot = udf_dir_index_insert(index, index->last, offset, (uint32_t)size);
        if (!load_slot(dir, index, slot, &fid)) {
            udf_dir_index_remove(index, slot);
            index->damaged = true;
        }
        offset += (uint32_t)size;
    }
    return 0;
}

static int icb_compare(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
    return (left > right) - (left < right);
}

/* Directories have one name: two in here for the same one are damage. */
static int load_check_twins(struct udf_dir_index *index)
{
    uint64_t *icbs = malloc(index->names * sizeof *icbs);
    size_t count = 0;
    if (index->names && !icbs)
        return -ENOMEM;
    for (uint32_t i = 0; i < index->slot_count; i++) {
        struct udf_fid fid;
        if (index->slots[i].kind != UDF_SLOT_NAME)
            continue;
        udf_dir_index_fid(index, i, &fid);
        if (fid.characteristics & UDF_FID_DIRECTORY)
            icbs[count++] = udf_ino_of(fid.icb.at);
    }
    if (count)
        qsort(icbs, count, sizeof *icbs, icb_compare);
    for (size_t i = 1; i < count; i++)
        if (icbs[i] == icbs[i - 1])
            index->damaged = true;
    free(icbs);
    return 0;
}

/* Every block of a directory must have been recorded. */
static bool load_recorded(const struct udf_inode *dir)
{
    uint32_t blocks = udf_blocks_of(dir->fe.info_length);
    for (size_t i = 0; i < dir->extent_count && dir->extents[i].first < blocks; i++)
        if (dir->extents[i].type != UDF_EXTENT_RECORDED)
            return false;
    return true;
}

/* Reads the directory, with its lock for writing. -EUCLEAN, -EFBIG, -EIO. */
static int load(struct udf_inode *dir)
{
    if (dir->fe.info_length > UDF_DIR_BYTES_MAX)
        return -EFBIG;
    if (!load_recorded(dir))
        return -EUCLEAN;
    struct udf_dir_index *index = udf_dir_index_new();
    if (!index)
        return -ENOMEM;
    uint32_t len = (uint32_t)dir->fe.info_length;
    int err = udf_dir_index_reserve(index, len ? len : 1);
    if (!err)
        err = udf_content_read(dir, 0, index->bytes, len);
    index->len = len;
    index->parent = dir->icb;
    if (!err)
        err = load_slots(dir, index);
    if (!err)
        err = load_check_twins(index);
    if (err) {
        udf_dir_index_free(index);
        return err;
    }
    uint32_t first = index->block_first[0];
    if (first == UDF_SLOT_NONE || index->slots[first].kind != UDF_SLOT_PARENT)
        index->damaged = true;
    if (index->damaged)
        udf_message(
            dir->vol, UDF_LEVEL_WARNING,
            "the directory at block %u is damaged: some of its names may not show, and it cannot be changed",
            dir->icb.block);
    dir->index = index;
    return 0;
}

int udf_dir_lock_read(struct udf_inode *dir)
{
    if (!udf_inode_is_dir(dir))
        return -ENOTDIR;
    for (;;) {
        pthread_rwlock_rdlock(&dir->lock);
        if (dir->index)
            return 0;
        pthread_rwlock_unlock(&dir->lock);
        int err = udf_dir_lock_write(dir);
        if (err)
            return err;
        pthread_rwlock_unlock(&dir->lock);
    }
}

int udf_dir_lock_write(struct udf_inode *dir)
{
    if (!udf_inode_is_dir(dir))
        return -ENOTDIR;
    pthread_rwlock_wrlock(&dir->lock);
    int err = dir->index ? 0 : load(dir);
    if (err)
        pthread_rwlock_unlock(&dir->lock);
    return err;
}

int udf_dir_changeable(const struct udf_inode *dir)
{
    if (dir->foreign)
        return -EROFS;
    if (dir->deleted)
        return -ENOENT;
    return dir->index->damaged ? -EUCLEAN : 0;
}
