/* SPDX-License-Identifier: MIT */
/*
 * The list of a file's extents in memory: search, replacement of a range with splitting and merging, and the
 * freeing of blocks. Extents know the block of the file where they begin, so that a search is binary.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "udf/content.h"

uint32_t udf_extents_end(const struct udf_inode *inode)
{
    if (!inode->extent_count)
        return 0;
    const struct udf_extent *last = &inode->extents[inode->extent_count - 1];
    return last->first + last->count;
}

size_t udf_extents_index(const struct udf_inode *inode, uint32_t block)
{
    size_t low = 0, high = inode->extent_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct udf_extent *extent = &inode->extents[middle];
        if (block < extent->first)
            high = middle;
        else if (block - extent->first >= extent->count)
            low = middle + 1;
        else
            return middle;
    }
    return inode->extent_count;
}

static int extents_grow(struct udf_inode *inode, size_t more)
{
    if (inode->extent_count + more <= inode->extent_room)
        return 0;
    size_t room = inode->extent_room * 2 + more;
    struct udf_extent *extents = realloc(inode->extents, room * sizeof *extents);
    if (!extents)
        return -ENOMEM;
    inode->extents = extents;
    inode->extent_room = room;
    return 0;
}

static void extents_changed_from(struct udf_inode *inode, size_t index)
{
    if (inode->ads)
        index = 0;
    if (index < inode->extents_clean)
        inode->extents_clean = index;
}

/* A few extents around a change, put together anew. */
struct window {
    struct udf_extent extents[6];
    unsigned count;
};

static bool extents_join(const struct udf_extent *a, const struct udf_extent *b)
{
    if (a->type != b->type || a->count > UINT32_MAX - b->count)
        return false;
    return a->type == UDF_EXTENT_HOLE ||
           (a->at.part == b->at.part && (uint64_t)a->at.block + a->count == b->at.block);
}

static void window_append(struct window *window, struct udf_extent extent)
{
    if (!extent.count)
        return;
    struct udf_extent *last = window->count ? &window->extents[window->count - 1] : NULL;
    if (last && extents_join(last, &extent))
        last->count += extent.count;
    else
        window->extents[window->count++] = extent;
}

/* Appends the part of the extent that lies in blocks [from, to) of the file. */
static void window_append_part(struct window *window, const struct udf_extent *extent, uint32_t from,
                               uint32_t to)
{
    uint32_t end = extent->first + extent->count;
    uint32_t first = extent->first > from ? extent->first : from;
    uint32_t last = end < to ? end : to;
    if (first >= last)
        return;
    struct udf_extent part = {.first = first, .count = last - first, .type = extent->type, .at = extent->at};
    if (part.type != UDF_EXTENT_HOLE)
        part.at.block += first - extent->first;
    window_append(window, part);
}

static void extents_account(struct udf_inode *inode, const struct udf_extent *extents, size_t count, int sign)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t blocks = sign > 0 ? extents[i].count : -extents[i].count;
        if (extents[i].type == UDF_EXTENT_RECORDED)
            inode->blocks_recorded += blocks;
        else if (extents[i].type == UDF_EXTENT_ALLOCATED)
            inode->blocks_allocated += blocks;
    }
}

int udf_extents_set(struct udf_inode *inode, uint32_t first, uint32_t count, uint8_t type,
                    struct udf_address at)
{
    if (!count)
        return 0;
    int err = extents_grow(inode, 4);
    if (err)
        return err;
    uint32_t last = first + count, end = udf_extents_end(inode);
    size_t low = udf_extents_index(inode, first), high = udf_extents_index(inode, last);
    if (low)
        low--; /* the neighbour in front may join */
    if (high < inode->extent_count)
        high++;
    struct window window = {.count = 0};
    /* Between low and high only the first two and the last two extents can
     * have parts outside of the range. */
    for (size_t i = low; i < high && inode->extents[i].first < first; i++)
        window_append_part(&window, &inode->extents[i], 0, first);
    if (end < first)
        window_append(&window,
                      (struct udf_extent){.first = end, .count = first - end, .type = UDF_EXTENT_HOLE});
    window_append(&window, (struct udf_extent){.first = first, .count = count, .type = type, .at = at});
    if (high > low)
        window_append_part(&window, &inode->extents[high - 1], last, UINT32_MAX);
    extents_account(inode, inode->extents + low, high - low, -1);
    extents_account(inode, window.extents, window.count, 1);
    memmove(inode->extents + low + window.count, inode->extents + high,
            (inode->extent_count - high) * sizeof *inode->extents);
    memcpy(inode->extents + low, window.extents, window.count * sizeof *inode->extents);
    inode->extent_count += window.count - (high - low);
    extents_changed_from(inode, low);
    return 0;
}

/* Gives the blocks of part of an extent back. Damage (two files that share a
 * block) is reported and survived. */
static void extent_free(struct udf_inode *inode, const struct udf_extent *extent, uint32_t from, uint32_t to)
{
    uint32_t end = extent->first + extent->count;
    uint32_t first = extent->first > from ? extent->first : from;
    uint32_t last = end < to ? end : to;
    if (first >= last || extent->type == UDF_EXTENT_HOLE)
        return;
    udf_block_t block = {extent->at.block + (first - extent->first)};
    if (udf_space_free(inode->vol, block, last - first))
        udf_message(inode->vol, UDF_LEVEL_WARNING, "blocks %u to %u were freed twice: check the volume",
                    block.n, block.n + (last - first) - 1);
}

int udf_extents_punch(struct udf_inode *inode, uint32_t first, uint32_t count)
{
    uint32_t last = first + count, end = udf_extents_end(inode), body = udf_blocks_of(inode->fe.info_length);
    if (last > end || last > body)
        last = end;
    if (first >= last)
        return 0;
    /* The list is changed before anything is freed: it may lack the memory, and then nothing has happened. */
    size_t low = udf_extents_index(inode, first), high = udf_extents_index(inode, last - 1) + 1;
    struct udf_extent *old = malloc((high - low) * sizeof *old);
    if (!old)
        return -ENOMEM;
    memcpy(old, inode->extents + low, (high - low) * sizeof *old);
    int err = udf_extents_set(inode, first, last - first, UDF_EXTENT_HOLE, (struct udf_address){0});
    for (size_t i = 0; !err && i < high - low; i++)
        extent_free(inode, &old[i], first, last);
    free(old);
    if (!err && last > body)
        udf_extents_cut(inode, body);
    return err;
}

void udf_extents_cut(struct udf_inode *inode, uint32_t first)
{
    while (inode->extent_count) {
        struct udf_extent *last = &inode->extents[inode->extent_count - 1];
        if (last->first + last->count <= first)
            break;
        extent_free(inode, last, first, UINT32_MAX);
        extents_account(inode, last, 1, -1);
        extents_changed_from(inode, inode->extent_count - 1);
        if (last->first >= first) {
            inode->extent_count--;
        } else {
            last->count = first - last->first;
            extents_account(inode, last, 1, 1);
        }
    }
}

void udf_extents_touch(struct udf_inode *inode, uint32_t block)
{
    size_t index = udf_extents_index(inode, block);
    if (index == inode->extent_count && index)
        index--;
    extents_changed_from(inode, index);
}

enum udf_ad_kind udf_content_kind(const struct udf_inode *inode)
{
    return (enum udf_ad_kind)(inode->fe.icb_flags & UDF_ICB_AD_MASK);
}

uint32_t udf_content_area(const struct udf_inode *inode)
{
    return UDF_BLOCK_BYTES - (inode->fe.extended ? UDF_EFE_BYTES : UDF_FE_BYTES) - inode->fe.ea_len;
}
