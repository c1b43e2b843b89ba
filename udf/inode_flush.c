/* SPDX-License-Identifier: MIT */
/*
 * From the inode in memory to the disc, at the commit: extents become allocation descriptors (ECMA-167 4/12,
 * UDF 2.3.10), which fill the ICB and then a chain of allocation extent descriptors. The layout follows from
 * the number of the descriptor alone, so that what lies before the first change need not be written again.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "udf/content.h"

#define UDF_ICB_CONTIGUOUS 0x0200u

static uint32_t ad_bytes(const struct udf_inode *inode)
{
    return udf_content_kind(inode) == UDF_AD_LONG ? UDF_LONG_AD_BYTES : UDF_SHORT_AD_BYTES;
}

/* Descriptors that the ICB holds, and before the link to the next extent when
 * there is one; the same in an AED. */
static uint32_t layout_icb_room(const struct udf_inode *inode)
{
    return udf_content_area(inode) / ad_bytes(inode);
}

static uint32_t layout_aed_step(const struct udf_inode *inode)
{
    return (UDF_BLOCK_BYTES - UDF_AED_BYTES) / ad_bytes(inode) - 1;
}

/* Allocation extent descriptors that this many descriptors need. */
static size_t layout_aeds(const struct udf_inode *inode, uint64_t descriptors)
{
    uint32_t room = layout_icb_room(inode), step = layout_aed_step(inode);
    if (descriptors <= room)
        return 0;
    return (size_t)((descriptors - (room ? room - 1 : 0) + step - 1) / step);
}

size_t udf_extents_aed_dirty(const struct udf_inode *inode)
{
    if (inode->extents_clean == SIZE_MAX)
        return inode->aed_count;
    /* An extent needs one descriptor or more, so its index is a lower bound; the
     * link in front may change as well. */
    uint32_t room = layout_icb_room(inode), step = layout_aed_step(inode);
    size_t index = inode->extents_clean;
    return index <= room ? 0 : (index - room) / step;
}

int udf_extents_room(struct udf_inode *inode, uint32_t more)
{
    struct udf_volume *vol = inode->vol;
    uint64_t descriptors =
        (uint64_t)inode->extent_count + more + udf_extents_end(inode) / UDF_EXTENT_BLOCKS_MAX + 2;
    size_t want = layout_aeds(inode, descriptors);
    if (want <= inode->aed_count)
        return 0;
    if (want > UDF_AEDS_WRITE_MAX || !layout_icb_room(inode))
        return -EFBIG;
    struct udf_address *aeds = realloc(inode->aeds, want * sizeof *aeds);
    if (!aeds)
        return -ENOMEM;
    inode->aeds = aeds;
    while (inode->aed_count < want) {
        udf_block_t block;
        uint32_t got;
        int err = udf_space_alloc(vol, UDF_ALLOC_META, UDF_NO_GOAL, 1, &block, &got);
        if (err)
            return err;
        aeds[inode->aed_count++] = (struct udf_address){.block = block.n, .part = vol->part};
    }
    return 0;
}

/* Where descriptors go one after another. */
struct layout {
    struct udf_inode *inode;
    enum udf_ad_kind kind;
    uint32_t size, room, step; /* of a descriptor; of the ICB and of an AED in descriptors */
    uint64_t total, count;     /* descriptors in all, and so far */
    size_t aeds, dirty;        /* AEDs in use, and the first that is written */
    uint8_t icb[UDF_BLOCK_BYTES], aed[UDF_BLOCK_BYTES];
    uint32_t icb_len, aed_len;
    size_t filling; /* AEDs begun */
};

static void layout_put(struct layout *layout, const struct udf_long_ad *ad)
{
    if (!layout->filling) {
        udf_ad_encode(layout->kind, layout->icb + layout->icb_len, ad);
        layout->icb_len += layout->size;
    } else {
        udf_ad_encode(layout->kind, layout->aed + UDF_AED_BYTES + layout->aed_len, ad);
        layout->aed_len += layout->size;
    }
}

static int layout_aed_write(struct layout *layout)
{
    struct udf_volume *vol = layout->inode->vol;
    if (!layout->filling || layout->filling - 1 < layout->dirty)
        return 0;
    struct udf_address at = layout->inode->aeds[layout->filling - 1];
    struct udf_tag tag = udf_volume_tag(vol, at.block);
    udf_aed_encode(layout->aed, &tag, layout->aed_len);
    return udf_blocks_write(vol, at, 1, layout->aed, UDF_WRITE_META);
}

/* One descriptor more; begins the next AED when the place is full. */
static int layout_append(struct layout *layout, const struct udf_long_ad *ad)
{
    uint64_t full = (layout->room ? layout->room - 1 : 0) + (uint64_t)layout->step * layout->filling;
    if (layout->aeds && layout->count == full) {
        struct udf_long_ad link = {.bytes = UDF_BLOCK_BYTES,
                                   .type = UDF_EXTENT_CONTINUE,
                                   .at = layout->inode->aeds[layout->filling]};
        layout_put(layout, &link);
        int err = layout_aed_write(layout);
        if (err)
            return err;
        layout->filling++;
        layout->aed_len = 0;
        memset(layout->aed, 0, sizeof layout->aed);
    }
    layout_put(layout, ad);
    layout->count++;
    return 0;
}

/* A run of bytes as descriptors of at most the allowed length; layout NULL: only counts them. */
static int layout_run(struct layout *layout, uint64_t bytes, uint8_t type, struct udf_address at,
                      uint64_t *count)
{
    const uint64_t most = (uint64_t)UDF_EXTENT_BLOCKS_MAX * UDF_BLOCK_BYTES;
    while (bytes) {
        uint64_t piece = bytes < most ? bytes : most;
        struct udf_long_ad ad = {.bytes = (uint32_t)piece, .type = type, .at = at};
        int err = layout ? layout_append(layout, &ad) : 0;
        if (err)
            return err;
        ++*count;
        bytes -= piece;
        if (type != UDF_EXTENT_HOLE)
            at.block += UDF_EXTENT_BLOCKS_MAX;
    }
    return 0;
}

static int layout_extents(struct udf_inode *inode, struct layout *layout, uint64_t *count)
{
    uint64_t size = inode->fe.info_length;
    for (size_t i = 0; i < inode->extent_count; i++) {
        const struct udf_extent *extent = &inode->extents[i];
        uint64_t start = (uint64_t)extent->first * UDF_BLOCK_BYTES, body = 0;
        uint64_t bytes = (uint64_t)extent->count * UDF_BLOCK_BYTES;
        if (size > start)
            body = size - start < bytes ? size - start : bytes;
        int err = layout_run(layout, body, extent->type, extent->at, count);
        /* What is past the end of the file begins with a whole block. */
        uint32_t blocks = udf_blocks_of(body);
        if (!err && extent->type == UDF_EXTENT_ALLOCATED && blocks < extent->count) {
            struct udf_address at = {.block = extent->at.block + blocks, .part = extent->at.part};
            err = layout_run(layout, (uint64_t)(extent->count - blocks) * UDF_BLOCK_BYTES,
                             UDF_EXTENT_ALLOCATED, at, count);
        }
        if (err)
            return err;
    }
    return 0;
}

/* AEDs that the descriptors do not need any more go back. */
static void layout_trim(struct udf_inode *inode, size_t keep)
{
    while (inode->aed_count > keep) {
        struct udf_address at = inode->aeds[--inode->aed_count];
        if (at.part == inode->vol->part)
            udf_space_free(inode->vol, (udf_block_t){at.block}, 1);
    }
}

/* Lays out all extents; the ICB's part ends up in layout->icb. */
static int layout_all(struct udf_inode *inode, struct layout *layout)
{
    uint64_t total = 0, count = 0;
    layout_extents(inode, NULL, &total);
    *layout = (struct layout){.inode = inode,
                              .kind = udf_content_kind(inode),
                              .size = ad_bytes(inode),
                              .room = layout_icb_room(inode),
                              .step = layout_aed_step(inode),
                              .total = total,
                              .aeds = layout_aeds(inode, total),
                              .dirty = udf_extents_aed_dirty(inode)};
    if (layout->aeds > inode->aed_count)
        return -EUCLEAN; /* every change made room first */
    int err = layout_extents(inode, layout, &count);
    if (!err)
        err = layout_aed_write(layout);
    if (!err)
        layout_trim(inode, layout->aeds);
    return err;
}

int udf_inode_flush(struct udf_inode *inode)
{
    struct udf_volume *vol = inode->vol;
    struct udf_file_entry *fe = &inode->fe;
    struct layout layout;
    uint8_t block[UDF_BLOCK_BYTES];
    int64_t atime = atomic_exchange(&inode->atime_us, INT64_MIN);
    if (atime != INT64_MIN)
        fe->atime =
            udf_time_from((struct timespec){.tv_sec = atime / 1000000, .tv_nsec = atime % 1000000 * 1000});
    struct udf_file_entry out = *fe;
    out.tag = udf_volume_tag(vol, inode->icb.block);
    out.ea = inode->ea;
    out.object_size = fe->info_length + inode->stream_bytes;
    out.blocks_recorded = inode->blocks_recorded;
    if (!out.checkpoint)
        out.checkpoint = 1;
    if (udf_content_kind(inode) == UDF_AD_EMBEDDED) {
        layout_trim(inode, 0);
        out.ads = inode->embedded;
        out.ads_len = (uint32_t)fe->info_length;
    } else if (inode->ads && inode->extents_clean == SIZE_MAX) {
        out.ads = inode->ads;
        out.ads_len = inode->ads_len;
    } else {
        int err = layout_all(inode, &layout);
        if (err)
            return err;
        out.ads = layout.icb;
        out.ads_len = layout.icb_len;
        free(inode->ads);
        inode->ads = NULL;
        if (inode->extent_count > 1)
            out.icb_flags &= (uint16_t)~UDF_ICB_CONTIGUOUS;
    }
    int err = udf_file_entry_encode(block, &out);
    if (!err)
        err = udf_blocks_write(vol, inode->icb, 1, block, UDF_WRITE_META);
    if (!err)
        inode->extents_clean = SIZE_MAX;
    return err;
}
