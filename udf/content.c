/* SPDX-License-Identifier: MIT */
/*
 * The contents of an inode: bytes in the ICB, or blocks by way of the list of extents. A block becomes
 * recorded only once all of it was written, with zeros where there was nothing, so that no old contents of
 * the medium ever show.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "udf/content.h"
#include "udf/store_part.h"

int udf_blocks_read(struct udf_volume *vol, struct udf_address at, uint32_t count, void *buf)
{
    uint8_t *to = buf;
    while (count) {
        mmc_lba_t lba;
        uint32_t run;
        int err = udf_volume_map(vol, at, count, &lba, &run);
        if (!err)
            err = udf_store_read(vol, lba, run, to);
        if (err)
            return err;
        to += (size_t)run * UDF_BLOCK_BYTES;
        at.block += run;
        count -= run;
    }
    return 0;
}

int udf_blocks_write(struct udf_volume *vol, struct udf_address at, uint32_t count, const void *buf,
                     enum udf_write_kind kind)
{
    const uint8_t *from = buf;
    while (count) {
        mmc_lba_t lba;
        uint32_t run;
        int err = udf_volume_map(vol, at, count, &lba, &run);
        if (!err)
            err = udf_store_write(vol, lba, run, from, kind);
        if (err)
            return err;
        from += (size_t)run * UDF_BLOCK_BYTES;
        at.block += run;
        count -= run;
    }
    return 0;
}

bool udf_block_direct(struct udf_volume *vol, mmc_lba_t lba, uint32_t *left)
{
    const struct udf_store *store = vol->store;
    if (left)
        *left = store->packet_blocks - (uint32_t)lba.n % store->packet_blocks;
    return store_packet_direct(store, (uint32_t)lba.n / store->packet_blocks);
}

static struct udf_address extent_at(const struct udf_extent *extent, uint32_t block)
{
    return (struct udf_address){.block = extent->at.block + (block - extent->first), .part = extent->at.part};
}

/* Reads within one extent; returns the bytes read. */
static ssize_t extent_read(struct udf_inode *inode, const struct udf_extent *extent, uint64_t offset,
                           uint8_t *buf, size_t len)
{
    uint64_t end = ((uint64_t)extent->first + extent->count) * UDF_BLOCK_BYTES;
    if (len > end - offset)
        len = (size_t)(end - offset);
    if (extent->type != UDF_EXTENT_RECORDED) {
        memset(buf, 0, len);
        return (ssize_t)len;
    }
    uint32_t block = (uint32_t)(offset / UDF_BLOCK_BYTES), inside = (uint32_t)(offset % UDF_BLOCK_BYTES);
    if (!inside && len >= UDF_BLOCK_BYTES) {
        uint32_t count = (uint32_t)(len / UDF_BLOCK_BYTES);
        int err = udf_blocks_read(inode->vol, extent_at(extent, block), count, buf);
        return err ? err : (ssize_t)count * UDF_BLOCK_BYTES;
    }
    uint8_t whole[UDF_BLOCK_BYTES];
    int err = udf_blocks_read(inode->vol, extent_at(extent, block), 1, whole);
    if (err)
        return err;
    if (len > UDF_BLOCK_BYTES - inside)
        len = UDF_BLOCK_BYTES - inside;
    memcpy(buf, whole + inside, len);
    return (ssize_t)len;
}

int udf_content_read(struct udf_inode *inode, uint64_t offset, void *buf, size_t len)
{
    uint8_t *to = buf;
    if (udf_content_kind(inode) == UDF_AD_EMBEDDED) {
        if (len)
            memcpy(to, inode->embedded + offset, len);
        return 0;
    }
    size_t index = udf_extents_index(inode, (uint32_t)(offset / UDF_BLOCK_BYTES));
    while (len) {
        if (index >= inode->extent_count)
            return -EUCLEAN;
        const struct udf_extent *extent = &inode->extents[index];
        ssize_t took = extent_read(inode, extent, offset, to, len);
        if (took < 0)
            return (int)took;
        offset += (size_t)took;
        to += took;
        len -= (size_t)took;
        if (offset / UDF_BLOCK_BYTES - extent->first >= extent->count)
            index++;
    }
    return 0;
}

/* Beyond this many blocks between them, two parts of a file are not kept in line. */
#define GOAL_GAP_MAX 32768u

/* Where a run that begins with this block of the file should lie so that the file is in one piece in the end:
 * in line with what is allocated in front of it, or else behind it, with room for what may still come in
 * between. The kernel hands over the pages of a file in about their order, but not quite. */
static udf_block_t allocate_goal(const struct udf_inode *inode, uint32_t block)
{
    size_t index = udf_extents_index(inode, block);
    for (size_t i = index; i-- > 0;) {
        const struct udf_extent *extent = &inode->extents[i];
        if (block - extent->first > GOAL_GAP_MAX + extent->count)
            break;
        if (extent->type != UDF_EXTENT_HOLE)
            return (udf_block_t){extent_at(extent, block).block};
    }
    for (size_t i = index; i < inode->extent_count; i++) {
        const struct udf_extent *extent = &inode->extents[i];
        uint32_t gap = extent->first - block;
        if (extent->first < block)
            continue;
        if (gap > GOAL_GAP_MAX || gap > extent->at.block)
            break;
        if (extent->type != UDF_EXTENT_HOLE)
            return (udf_block_t){extent->at.block - gap};
    }
    return UDF_NO_GOAL;
}

int udf_content_allocate(struct udf_inode *inode, enum udf_alloc_class class, uint32_t first, uint32_t count)
{
    for (uint32_t block = first, last = first + count; block < last;) {
        size_t index = udf_extents_index(inode, block);
        uint32_t want = last - block;
        if (index < inode->extent_count) {
            const struct udf_extent *extent = &inode->extents[index];
            uint32_t left = extent->first + extent->count - block;
            if (extent->type != UDF_EXTENT_HOLE) {
                block += left < want ? left : want;
                continue;
            }
            want = left < want ? left : want;
        }
        udf_block_t at;
        uint32_t got, end = udf_extents_end(inode);
        int err = udf_extents_room(inode, 4 + (block > end ? (block - end) / UDF_EXTENT_BLOCKS_MAX : 0));
        if (!err)
            err = udf_space_alloc(inode->vol, class, allocate_goal(inode, block), want, &at, &got);
        if (err)
            return err;
        struct udf_address address = {.block = at.n, .part = inode->vol->part};
        err = udf_extents_set(inode, block, got, UDF_EXTENT_ALLOCATED, address);
        if (err) {
            udf_space_free(inode->vol, at, got);
            return err;
        }
        block += got;
    }
    return 0;
}

int udf_content_put(struct udf_inode *inode, uint32_t first, uint32_t count, const void *buf,
                    enum udf_write_kind kind)
{
    const uint8_t *from = buf;
    while (count) {
        size_t index = udf_extents_index(inode, first);
        if (index == inode->extent_count || inode->extents[index].type == UDF_EXTENT_HOLE)
            return -EUCLEAN;
        const struct udf_extent *extent = &inode->extents[index];
        uint32_t run = extent->first + extent->count - first;
        if (run > count)
            run = count;
        struct udf_address at = extent_at(extent, first);
        int err = extent->type == UDF_EXTENT_RECORDED ? 0 : udf_extents_room(inode, 4);
        if (!err)
            err = udf_blocks_write(inode->vol, at, run, from, kind);
        if (!err && inode->extents[index].type != UDF_EXTENT_RECORDED)
            err = udf_extents_set(inode, first, run, UDF_EXTENT_RECORDED, at);
        if (err)
            return err;
        from += (size_t)run * UDF_BLOCK_BYTES;
        first += run;
        count -= run;
    }
    return 0;
}

static void content_kind_set(struct udf_inode *inode, enum udf_ad_kind kind)
{
    inode->fe.icb_flags = (uint16_t)((inode->fe.icb_flags & ~UDF_ICB_AD_MASK) | kind);
}

int udf_content_unembed(struct udf_inode *inode, enum udf_alloc_class class, enum udf_write_kind kind,
                        uint32_t want)
{
    uint8_t block[UDF_BLOCK_BYTES] = {0};
    uint32_t size = (uint32_t)inode->fe.info_length;
    if (size) {
        memcpy(block, inode->embedded, size);
        int err = udf_content_allocate(inode, class, 0, want ? want : 1);
        if (!err)
            err = udf_content_put(inode, 0, 1, block, kind);
        if (err) {
            udf_extents_cut(inode, 0);
            return err;
        }
    }
    content_kind_set(inode, UDF_AD_SHORT);
    free(inode->embedded);
    inode->embedded = NULL;
    inode->extents_clean = 0;
    return 0;
}

int udf_content_embed(struct udf_inode *inode, const void *bytes, uint32_t len)
{
    if (len) {
        uint8_t *copy = malloc(len);
        if (!copy)
            return -ENOMEM;
        memcpy(copy, bytes, len);
        free(inode->embedded);
        inode->embedded = copy;
    }
    inode->fe.info_length = len;
    return 0;
}

/* How many of count blocks from there on may be written now: all that go straight to
 * the medium, and *logged others. */
static int content_affordable(struct udf_inode *inode, struct udf_address at, uint32_t count,
                              uint32_t *logged, uint32_t *may)
{
    struct udf_volume *vol = inode->vol;
    for (*may = 0; *may < count;) {
        mmc_lba_t lba;
        uint32_t run, in_packet;
        int err = udf_volume_map(vol, at, count - *may, &lba, &run);
        if (err)
            return err;
        bool direct = udf_block_direct(vol, lba, &in_packet);
        if (run > in_packet)
            run = in_packet;
        if (!direct) {
            if (run > *logged)
                run = *logged;
            *logged -= run;
            if (!run)
                break;
        }
        *may += run;
        at.block += run;
    }
    return 0;
}

/* Changes bytes inside one block that is allocated; buf NULL: zeros. Nothing happens
 * when there is no budget left. */
static int content_patch(struct udf_inode *inode, uint64_t offset, const uint8_t *buf, uint32_t len,
                         uint32_t *logged, bool *patched)
{
    uint8_t whole[UDF_BLOCK_BYTES] = {0};
    uint32_t block = (uint32_t)(offset / UDF_BLOCK_BYTES), inside = (uint32_t)(offset % UDF_BLOCK_BYTES), may;
    uint64_t start = (uint64_t)block * UDF_BLOCK_BYTES, size = inode->fe.info_length;
    const struct udf_extent *extent = &inode->extents[udf_extents_index(inode, block)];
    int err = content_affordable(inode, extent_at(extent, block), 1, logged, &may);
    *patched = !err && may;
    if (err || !may)
        return err;
    if (extent->type == UDF_EXTENT_RECORDED && start < size) {
        err = udf_blocks_read(inode->vol, extent_at(extent, block), 1, whole);
        if (err)
            return err;
        /* What another writer left behind the end of the file must not come into it. */
        if (size - start < UDF_BLOCK_BYTES)
            memset(whole + (size - start), 0, UDF_BLOCK_BYTES - (size - start));
    }
    if (buf)
        memcpy(whole + inside, buf, len);
    else
        memset(whole + inside, 0, len);
    return udf_content_put(inode, block, 1, whole, UDF_WRITE_DATA);
}

int udf_content_zero(struct udf_inode *inode, uint64_t offset, uint32_t len)
{
    if (udf_content_kind(inode) == UDF_AD_EMBEDDED) {
        memset(inode->embedded + offset, 0, len);
        return 0;
    }
    size_t index = udf_extents_index(inode, (uint32_t)(offset / UDF_BLOCK_BYTES));
    if (index == inode->extent_count || inode->extents[index].type != UDF_EXTENT_RECORDED)
        return 0;
    uint32_t logged = 1;
    bool patched;
    return content_patch(inode, offset, NULL, len, &logged, &patched);
}

/* Before the file grows past it: the rest of its last block becomes zeros. */
static int content_seal(struct udf_inode *inode)
{
    uint64_t size = inode->fe.info_length;
    uint32_t inside = (uint32_t)(size % UDF_BLOCK_BYTES);
    return inside ? udf_content_zero(inode, size, UDF_BLOCK_BYTES - inside) : 0;
}

void udf_content_size_set(struct udf_inode *inode, uint64_t size)
{
    uint64_t old = inode->fe.info_length;
    if (size == old)
        return;
    inode->fe.info_length = size;
    udf_extents_touch(inode, (uint32_t)((old < size ? old : size) / UDF_BLOCK_BYTES));
    udf_extents_touch(inode, old && size ? udf_blocks_of(old < size ? old : size) - 1 : 0);
}

/* Grows embedded contents in place. */
static int content_embedded_grow(struct udf_inode *inode, uint32_t size)
{
    if (size <= inode->fe.info_length)
        return 0;
    uint8_t *bytes = realloc(inode->embedded, size);
    if (!bytes)
        return -ENOMEM;
    memset(bytes + inode->fe.info_length, 0, size - inode->fe.info_length);
    inode->embedded = bytes;
    inode->fe.info_length = size;
    return 0;
}

/* Writes blocks as far as the budget goes; the range is allocated. */
static int content_write_blocks(struct udf_inode *inode, uint64_t offset, const uint8_t *buf, size_t len,
                                uint32_t *logged, size_t *done)
{
    while (*done < len) {
        uint64_t at = offset + *done;
        size_t left = len - *done;
        uint32_t block = (uint32_t)(at / UDF_BLOCK_BYTES), inside = (uint32_t)(at % UDF_BLOCK_BYTES), may;
        if (inside || left < UDF_BLOCK_BYTES) {
            uint32_t part = UDF_BLOCK_BYTES - inside;
            if (part > left)
                part = (uint32_t)left;
            bool patched;
            int err = content_patch(inode, at, buf + *done, part, logged, &patched);
            if (err || !patched)
                return err;
            *done += part;
        } else {
            const struct udf_extent *extent = &inode->extents[udf_extents_index(inode, block)];
            uint32_t count = extent->first + extent->count - block;
            if (count > left / UDF_BLOCK_BYTES)
                count = (uint32_t)(left / UDF_BLOCK_BYTES);
            int err = content_affordable(inode, extent_at(extent, block), count, logged, &may);
            if (!err && may)
                err = udf_content_put(inode, block, may, buf + *done, UDF_WRITE_DATA);
            if (err || !may)
                return err;
            *done += (size_t)may * UDF_BLOCK_BYTES;
        }
        if (offset + *done > inode->fe.info_length)
            udf_content_size_set(inode, offset + *done);
    }
    return 0;
}

int udf_content_write(struct udf_inode *inode, uint64_t offset, const uint8_t *buf, size_t len,
                      uint32_t *logged, size_t *done)
{
    uint64_t end = offset + len;
    uint32_t first = (uint32_t)(offset / UDF_BLOCK_BYTES), last = udf_blocks_of(end);
    *done = 0;
    if (udf_content_kind(inode) == UDF_AD_EMBEDDED) {
        if (end <= udf_content_area(inode)) {
            int err = content_embedded_grow(inode, (uint32_t)end);
            if (err)
                return err;
            memcpy(inode->embedded + offset, buf, len);
            *done = len;
            return 0;
        }
        int err = udf_content_unembed(inode, UDF_ALLOC_DATA, UDF_WRITE_DATA, first <= 1 ? last : 1);
        if (err)
            return err;
    }
    /* Only an end of the file that then lies inside it needs the care; the block
     * that is written gets it anyway. */
    int err = offset / UDF_BLOCK_BYTES > inode->fe.info_length / UDF_BLOCK_BYTES ? content_seal(inode) : 0;
    if (!err)
        err = udf_content_allocate(inode, UDF_ALLOC_DATA, first, last - first);
    return err ? err : content_write_blocks(inode, offset, buf, len, logged, done);
}

int udf_content_resize(struct udf_inode *inode, uint64_t size)
{
    uint64_t old = inode->fe.info_length;
    if (udf_content_kind(inode) == UDF_AD_EMBEDDED) {
        if (size <= udf_content_area(inode)) {
            if (size > old)
                return content_embedded_grow(inode, (uint32_t)size);
            inode->fe.info_length = size;
            return 0;
        }
        int err = udf_content_unembed(inode, UDF_ALLOC_DATA, UDF_WRITE_DATA, 1);
        if (err)
            return err;
    }
    if (size <= old) {
        /* The descriptors that stay may need another place than a foreign writer gave them. */
        int err = udf_extents_room(inode, 0);
        if (err && size)
            return err;
        udf_extents_cut(inode, udf_blocks_of(size));
        udf_content_size_set(inode, size);
        if (!size && !inode->extent_count) {
            content_kind_set(inode, UDF_AD_EMBEDDED);
            inode->extents_clean = 0;
        }
        return 0;
    }
    /* A hole costs a descriptor for each GiB. */
    uint32_t end = udf_extents_end(inode), blocks = udf_blocks_of(size);
    int err = udf_extents_room(inode, 4 + (blocks > end ? (blocks - end) / UDF_EXTENT_BLOCKS_MAX : 0));
    if (!err)
        err = content_seal(inode);
    if (!err && blocks > end)
        err = udf_extents_set(inode, end, blocks - end, UDF_EXTENT_HOLE, (struct udf_address){0});
    if (!err)
        udf_content_size_set(inode, size);
    return err;
}
