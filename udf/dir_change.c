/* SPDX-License-Identifier: MIT */
/*
 * Changes of a directory: FIDs (ECMA-167 4/14.4, UDF 2.3.4) added, deleted and redirected, in the index and,
 * with whole blocks, in the store. A FID's tag names the block that it begins in, or the ICB's while the
 * directory lies in it; all are written anew when it moves out.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "udf/content.h"
#include "udf/dir_index.h"

/* Compression ids of names that are deleted, for 8 and 16 (UDF 2.1.1). */
#define CS0_DELETED_8  254u
#define CS0_DELETED_16 255u

static uint32_t fid_location(const struct udf_inode *dir, uint32_t offset)
{
    if (udf_content_kind(dir) == UDF_AD_EMBEDDED)
        return dir->icb.block;
    uint32_t block = offset / UDF_BLOCK_BYTES;
    const struct udf_extent *extent = &dir->extents[udf_extents_index(dir, block)];
    return extent->at.block + (block - extent->first);
}

/* Encodes a FID into its slot's place. Name and implementation use may lie there already. */
static void fid_place(struct udf_inode *dir, uint32_t offset, const struct udf_fid *fid)
{
    uint8_t name[UDF_NAME_CS0_MAX], impl_use[UDF_BLOCK_BYTES];
    struct udf_fid own = *fid;
    if (fid->name_len)
        memcpy(name, fid->name, fid->name_len);
    if (fid->impl_use_len)
        memcpy(impl_use, fid->impl_use, fid->impl_use_len);
    own.name = name;
    own.impl_use = impl_use;
    own.tag = udf_volume_tag(dir->vol, fid_location(dir, offset));
    udf_fid_encode(dir->index->bytes + offset, &own);
}

/* A deleted FID of a given size, for the rest of a slot or slots that were joined. Its name says where it is,
 * so that no two are the same. */
static void fid_place_filler(struct udf_inode *dir, uint32_t offset, uint32_t size)
{
    char name[UDF_SLOT_BYTES_MAX];
    uint32_t digits = size - UDF_FID_BYTES - 1;
    snprintf(name, sizeof name, "%c%0*X", CS0_DELETED_8, (int)digits,
             digits < 8 ? offset / 4 & ((1u << digits * 4) - 1) : offset);
    struct udf_fid fid = {.file_version = 1,
                          .characteristics = UDF_FID_DELETED,
                          .name = (const uint8_t *)name,
                          .name_len = (uint8_t)(size - UDF_FID_BYTES)};
    fid_place(dir, offset, &fid);
}

static struct udf_long_ad fid_icb(const struct udf_dir_target *target)
{
    return (struct udf_long_ad){
        .bytes = UDF_BLOCK_BYTES, .at = target->icb, .unique_id = (uint32_t)target->unique_id};
}

/* Brings bytes [from, to) of the index to the store, and the size to the file entry. */
static int dir_store(struct udf_inode *dir, uint32_t from, uint32_t to)
{
    struct udf_dir_index *index = dir->index;
    int err;
    if (udf_content_kind(dir) == UDF_AD_EMBEDDED) {
        err = udf_content_embed(dir, index->bytes, index->len);
    } else {
        uint32_t first = from / UDF_BLOCK_BYTES, count = udf_blocks_of(to) - first;
        err = udf_content_put(dir, first, count, index->bytes + (size_t)first * UDF_BLOCK_BYTES,
                              UDF_WRITE_META);
        if (!err)
            udf_content_size_set(dir, index->len);
    }
    /* The index knows more than the store now, and nothing further may be built on that. */
    if (err)
        index->damaged = true;
    return err;
}

/* The directory leaves the ICB: every FID begins in another block from now on. */
static int dir_unembed(struct udf_inode *dir, uint32_t len)
{
    struct udf_dir_index *index = dir->index;
    int err = udf_content_unembed(dir, UDF_ALLOC_META, UDF_WRITE_META, udf_blocks_of(len));
    if (err)
        return err;
    for (uint32_t slot = index->block_first[0]; slot != UDF_SLOT_NONE; slot = index->slots[slot].next) {
        struct udf_fid fid;
        udf_dir_index_fid(index, slot, &fid);
        fid_place(dir, index->slots[slot].offset, &fid);
    }
    return dir_store(dir, 0, index->len);
}

/* Makes room for len bytes, in memory and on the disc. */
static int dir_reserve(struct udf_inode *dir, uint32_t len)
{
    if (len > UDF_DIR_BYTES_MAX)
        return -ENOSPC;
    int err = udf_dir_index_reserve(dir->index, len);
    if (err)
        return err;
    if (udf_content_kind(dir) == UDF_AD_EMBEDDED)
        return len <= udf_content_area(dir) ? 0 : dir_unembed(dir, len);
    uint32_t have = udf_blocks_of(dir->index->len), want = udf_blocks_of(len);
    return want > have ? udf_content_allocate(dir, UDF_ALLOC_META, have, want - have) : 0;
}

int udf_dir_init(struct udf_inode *dir, const struct udf_inode *parent)
{
    dir->index = udf_dir_index_new();
    if (!dir->index)
        return -ENOMEM;
    int err = udf_dir_index_reserve(dir->index, UDF_SLOT_BYTES_MIN);
    if (err)
        return err;
    struct udf_dir_target target = {.icb = parent->icb, .unique_id = parent->fe.unique_id};
    struct udf_fid fid = {
        .file_version = 1, .characteristics = UDF_FID_DIRECTORY | UDF_FID_PARENT, .icb = fid_icb(&target)};
    uint32_t size = udf_fid_size(0, 0);
    uint32_t slot = udf_dir_index_insert(dir->index, UDF_SLOT_NONE, 0, size);
    dir->index->slots[slot].kind = UDF_SLOT_PARENT;
    dir->index->parent = parent->icb;
    dir->index->len = size;
    fid_place(dir, 0, &fid);
    return dir_store(dir, 0, size);
}

/* A slot of this size: a deleted one, part of one, or a new one at the end. */
static int dir_slot_make(struct udf_inode *dir, uint32_t size, uint32_t *slot, uint32_t *to)
{
    struct udf_dir_index *index = dir->index;
    int err = dir_reserve(dir, index->len);
    if (err)
        return err;
    *slot = udf_dir_index_free_find(index, size);
    if (*slot == UDF_SLOT_NONE) {
        uint32_t offset = index->len;
        err = dir_reserve(dir, offset + size);
        if (err)
            return err;
        *slot = udf_dir_index_insert(index, index->last, offset, size);
        index->len = *to = offset + size;
        return 0;
    }
    struct udf_dir_slot *at = &index->slots[*slot];
    uint32_t offset = at->offset, rest = at->size - size;
    udf_dir_index_free_drop(index, *slot);
    at->size = size;
    *to = offset + size + rest;
    if (rest) {
        uint32_t filler = udf_dir_index_insert(index, *slot, offset + size, rest);
        fid_place_filler(dir, offset + size, rest);
        udf_dir_index_free_add(index, filler);
    }
    return 0;
}

static bool name_sensible(const char *name, size_t len)
{
    bool dots = (len == 1 && name[0] == '.') || (len == 2 && name[0] == '.' && name[1] == '.');
    return len && !dots && !memchr(name, '/', len) && !memchr(name, 0, len);
}

int udf_dir_add(struct udf_inode *dir, const char *name, size_t len, const struct udf_dir_target *target)
{
    uint8_t cs0[UDF_NAME_CS0_MAX];
    if (!name_sensible(name, len))
        return -EINVAL;
    int cs0_len = udf_cs0_encode(name, len, cs0, sizeof cs0);
    if (cs0_len < 0)
        return cs0_len;
    if (udf_dir_index_find(dir->index, name, len) != UDF_SLOT_NONE)
        return -EEXIST;
    uint32_t slot, to;
    int err = dir_slot_make(dir, udf_fid_size((uint32_t)cs0_len, 0), &slot, &to);
    if (err)
        return err;
    struct udf_fid fid = {.file_version = 1,
                          .characteristics = target->directory ? UDF_FID_DIRECTORY : 0,
                          .icb = fid_icb(target),
                          .name = cs0,
                          .name_len = (uint8_t)cs0_len};
    uint32_t offset = dir->index->slots[slot].offset;
    fid_place(dir, offset, &fid);
    udf_dir_index_name_add(dir->index, slot, UDF_SLOT_NAME, name, len);
    return dir_store(dir, offset, to);
}

/* Joins a free slot with the one behind it when that is free too and both make one FID. */
static bool slots_join(struct udf_inode *dir, uint32_t slot)
{
    struct udf_dir_index *index = dir->index;
    uint32_t next = index->slots[slot].next;
    if (next == UDF_SLOT_NONE || index->slots[slot].kind != UDF_SLOT_FREE ||
        index->slots[next].kind != UDF_SLOT_FREE)
        return false;
    uint32_t size = index->slots[slot].size + index->slots[next].size;
    if (size > UDF_SLOT_BYTES_MAX)
        return false;
    udf_dir_index_free_drop(index, slot);
    udf_dir_index_free_drop(index, next);
    udf_dir_index_remove(index, next);
    index->slots[slot].size = size;
    udf_dir_index_free_add(index, slot);
    fid_place_filler(dir, index->slots[slot].offset, size);
    return true;
}

/* Cuts free slots off the end. */
static void dir_trim(struct udf_inode *dir)
{
    struct udf_dir_index *index = dir->index;
    uint32_t len = index->len;
    for (uint32_t last = index->last; index->slots[last].kind == UDF_SLOT_FREE;
         last = index->slots[last].prev)
        len = index->slots[last].offset;
    if (len == index->len || udf_content_resize(dir, len))
        return; /* deleted slots at the end are no harm */
    while (index->slots[index->last].kind == UDF_SLOT_FREE) {
        udf_dir_index_free_drop(index, index->last);
        udf_dir_index_remove(index, index->last);
    }
    memset(index->bytes + len, 0, index->len - len);
    index->len = len;
}

int udf_dir_drop(struct udf_inode *dir, uint32_t slot)
{
    struct udf_dir_index *index = dir->index;
    uint32_t prev = index->slots[slot].prev;
    struct udf_fid fid;
    uint8_t name[UDF_NAME_CS0_MAX];
    udf_dir_index_fid(index, slot, &fid);
    fid.characteristics |= UDF_FID_DELETED;
    fid.icb = (struct udf_long_ad){0};
    memcpy(name, fid.name, fid.name_len);
    name[0] = name[0] == 16 || name[0] == CS0_DELETED_16 ? CS0_DELETED_16 : CS0_DELETED_8;
    fid.name = name;
    fid_place(dir, index->slots[slot].offset, &fid);
    udf_dir_index_name_drop(index, slot);
    udf_dir_index_free_add(index, slot);
    slots_join(dir, slot);
    if (slots_join(dir, prev))
        slot = prev;
    uint32_t from = index->slots[slot].offset, to = from + index->slots[slot].size;
    dir_trim(dir);
    if (to > index->len)
        to = index->len;
    return from < to || udf_content_kind(dir) == UDF_AD_EMBEDDED ? dir_store(dir, from, to) : 0;
}

static int dir_redirect(struct udf_inode *dir, uint32_t slot, const struct udf_dir_target *target)
{
    struct udf_fid fid;
    uint32_t offset = dir->index->slots[slot].offset;
    udf_dir_index_fid(dir->index, slot, &fid);
    fid.icb = fid_icb(target);
    fid.characteristics &= (uint8_t)~UDF_FID_DIRECTORY;
    fid.characteristics |= target->directory ? UDF_FID_DIRECTORY : 0;
    fid_place(dir, offset, &fid);
    return dir_store(dir, offset, offset + dir->index->slots[slot].size);
}

int udf_dir_point(struct udf_inode *dir, uint32_t slot, const struct udf_dir_target *target)
{
    return dir_redirect(dir, slot, target);
}

int udf_dir_point_parent(struct udf_inode *dir, const struct udf_inode *parent)
{
    struct udf_dir_target target = {.icb = parent->icb, .unique_id = parent->fe.unique_id, .directory = true};
    dir->index->parent = parent->icb;
    return dir_redirect(dir, dir->index->block_first[0], &target);
}
