/* SPDX-License-Identifier: MIT */
/*
 * The space map: the unallocated space bitmap (ECMA-167 4/10.1, 4/14.12) in memory, next to what was
 * allocated as of the last commit, with counts that keep allocation from searching through bits.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "udf/recognise.h"
#include "udf/space_part.h"
#include "udf/store_part.h"

#define GROUP_BLOCKS   32u
#define RESERVE_MIN    64u
#define RESERVE_MAX    2048u
#define BITS_PER_BLOCK (UDF_BLOCK_BYTES * 8u)
/* Blocks of the bitmap that may become dirty while transactions go on, beyond those that are. */
#define DIRTY_AHEAD 64u

static bool range_valid(const struct udf_space *space, uint32_t first, uint32_t count)
{
    return first < space->blocks && count <= space->blocks - first;
}

/* The block of raw with this block's bit. */
static uint32_t raw_block_of(uint32_t block)
{
    return (UDF_SBD_BYTES + block / 8) / UDF_BLOCK_BYTES;
}

static uint32_t group_size(const struct udf_space *space, uint32_t group)
{
    uint32_t first = space_group_first(space, group);
    uint32_t end = (group + 1) * space->group_blocks - space->group_offset;
    return (end < space->blocks ? end : space->blocks) - first;
}

static bool group_full(const struct udf_space *space, uint32_t group)
{
    return space->busy[group] == space->group_blocks;
}

static void group_count(struct udf_space *space, uint32_t group, int by)
{
    if (!space->busy[group]) {
        space->fresh_groups += (uint32_t)by;
        space->super_fresh[group / SPACE_SUPER] = (uint16_t)(space->super_fresh[group / SPACE_SUPER] + by);
    }
    if (group_full(space, group))
        space->super_full[group / SPACE_SUPER] = (uint16_t)(space->super_full[group / SPACE_SUPER] + by);
}

static void busy_add(struct udf_space *space, uint32_t group, int by)
{
    group_count(space, group, -1);
    space->busy[group] = (uint8_t)(space->busy[group] + by);
    group_count(space, group, 1);
}

/* Blocks of a group outside the partition count as busy, so that an edge is never taken for fresh. */
static uint8_t group_busy(const struct udf_space *space, uint32_t group)
{
    uint32_t first = space_group_first(space, group), size = group_size(space, group);
    uint32_t busy = space->group_blocks - size;
    for (uint32_t i = first; i < first + size; i++)
        busy += !space_allocatable(space, i);
    return (uint8_t)busy;
}

static int bitmap_read(struct udf_space *space)
{
    struct udf_volume *vol = space->vol;
    const struct udf_pd *pd = &vol->partitions[vol->part].pd;
    uint32_t blocks =
        pd->space_bitmap.bytes / UDF_BLOCK_BYTES + (pd->space_bitmap.bytes % UDF_BLOCK_BYTES != 0);
    space->bitmap_at = pd->space_bitmap.first;
    space->bitmap_blocks = blocks;
    if (blocks > pd->blocks || space->bitmap_at.n > pd->blocks - blocks)
        return -EUCLEAN;
    space->raw = malloc((size_t)blocks * UDF_BLOCK_BYTES);
    if (!space->raw)
        return -ENOMEM;
    for (uint32_t done = 0, run; done < blocks; done += run) {
        struct udf_address at = {space->bitmap_at.n + done, vol->part};
        mmc_lba_t lba;
        int err = udf_volume_map(vol, at, blocks - done, &lba, &run);
        if (!err)
            err = udf_store_read(vol, lba, run, space->raw + (size_t)done * UDF_BLOCK_BYTES);
        if (err)
            return err;
    }
    return 0;
}

/* The descriptor: bits may differ from the partition's blocks; what has no bit is taken for used. */
static int bitmap_decode(struct udf_space *space)
{
    const struct udf_pd *pd = &space->vol->partitions[space->vol->part].pd;
    int err = udf_sbd_decode(space->raw, space->bitmap_at.n, &space->bitmap_bits, &space->bitmap_bytes);
    if (err)
        return err;
    uint64_t room = (uint64_t)space->bitmap_blocks * UDF_BLOCK_BYTES - UDF_SBD_BYTES;
    if (space->bitmap_bytes > room || (uint64_t)space->bitmap_bits > (uint64_t)space->bitmap_bytes * 8)
        return -EUCLEAN;
    space->blocks = space->bitmap_bits < pd->blocks ? space->bitmap_bits : pd->blocks;
    /* Whatever it says of itself, nothing may be put where it lies. */
    for (uint32_t i = space->bitmap_at.n; i < space->bitmap_at.n + space->bitmap_blocks && i < space->blocks;
         i++)
        space->raw[UDF_SBD_BYTES + i / 8] &= (uint8_t) ~(1u << i % 8);
    return space->blocks ? 0 : -EUCLEAN;
}

static int tables_allocate(struct udf_space *space)
{
    const struct udf_volume *vol = space->vol;
    uint32_t packet_blocks = vol->store->packet_blocks;
    space->group_blocks =
        packet_blocks >= GROUP_BLOCKS / 2 ? packet_blocks : GROUP_BLOCKS / packet_blocks * packet_blocks;
    space->group_offset = (uint32_t)vol->partitions[vol->part].pd.start.n % space->group_blocks;
    space->groups = space_group_of(space, space->blocks - 1) + 1;
    space->live = calloc(1, space->blocks / 8 + 1);
    space->dirty = calloc(1, space->bitmap_blocks);
    space->touched = calloc(1, space->bitmap_blocks);
    space->busy = calloc(1, space->groups);
    space->super_fresh = calloc(space->groups / SPACE_SUPER + 1, sizeof *space->super_fresh);
    space->super_full = calloc(space->groups / SPACE_SUPER + 1, sizeof *space->super_full);
    return space->live && space->dirty && space->touched && space->busy && space->super_fresh &&
                   space->super_full
               ? 0
               : -ENOMEM;
}

static void tables_fill(struct udf_space *space)
{
    for (uint32_t block = 0; block < space->blocks; block++) {
        if (space_used(space, block))
            space->live[block / 8] |= (uint8_t)(1u << block % 8);
        else
            space->free++;
    }
    for (uint32_t group = 0; group < space->groups; group++) {
        space->busy[group] = group_busy(space, group);
        group_count(space, group, 1);
    }
    uint32_t reserve = space->blocks / 100;
    space->reserve = reserve < RESERVE_MIN ? RESERVE_MIN : reserve > RESERVE_MAX ? RESERVE_MAX : reserve;
    for (unsigned i = 0; i < SPACE_PENS; i++)
        space->pens[i].group = SPACE_NO_GROUP;
}

static void space_free(struct udf_space *space)
{
    if (!space)
        return;
    free(space->raw);
    free(space->live);
    free(space->dirty);
    free(space->touched);
    free(space->busy);
    free(space->super_fresh);
    free(space->super_full);
    pthread_mutex_destroy(&space->lock);
    free(space);
}

static int unusable(struct udf_volume *vol, const char *why)
{
    udf_recognise_read_only(vol, "%s", why);
    return -EOPNOTSUPP;
}

int udf_space_open(struct udf_volume *vol)
{
    const struct udf_pd *pd = &vol->partitions[vol->part].pd;
    if (!pd->space_bitmap.bytes)
        return unusable(vol, pd->space_table.bytes ? "its free space is in a table, which is not supported"
                                                   : "it has no list of its free space");
    struct udf_space *space = calloc(1, sizeof *space);
    if (!space)
        return -ENOMEM;
    pthread_mutex_init(&space->lock, NULL);
    space->vol = vol;
    int err = bitmap_read(space);
    if (!err)
        err = bitmap_decode(space);
    if (!err)
        err = tables_allocate(space);
    if (err) {
        space_free(space);
        if (err == -EIO || err == -EUCLEAN)
            return unusable(
                vol, "its space bitmap cannot be read: copy off what you need, then make a new volume");
        return err;
    }
    tables_fill(space);
    vol->space = space;
    return 0;
}

void udf_space_close(struct udf_volume *vol)
{
    space_free(vol->space);
    vol->space = NULL;
}

static void raw_touch(struct udf_space *space, uint32_t block)
{
    uint32_t at = raw_block_of(block);
    space->dirty_count += !space->dirty[at];
    space->dirty[at] = space->touched[at] = 1;
}

void space_mark(struct udf_space *space, uint32_t first, uint32_t count, bool used)
{
    for (uint32_t block = first; block < first + count; block++) {
        uint8_t bit = (uint8_t)(1u << block % 8), *byte = &space->raw[UDF_SBD_BYTES + block / 8];
        *byte = used ? (uint8_t)(*byte & ~bit) : (uint8_t)(*byte | bit);
        space->free += used ? UINT32_MAX : 1;
        if (space_live(space, block))
            space->waiting += used ? UINT32_MAX : 1;
        else
            busy_add(space, space_group_of(space, block), used ? 1 : -1);
        raw_touch(space, block);
    }
}

/* Whether all of these are used, and none is the bitmap's own. */
static bool freeable(const struct udf_space *space, uint32_t first, uint32_t count)
{
    if (!range_valid(space, first, count))
        return false;
    if (first < space->bitmap_at.n + space->bitmap_blocks && space->bitmap_at.n < first + count)
        return false;
    for (uint32_t block = first; block < first + count; block++)
        if (!space_used(space, block))
            return false;
    return true;
}

int udf_space_free(struct udf_volume *vol, udf_block_t first, uint32_t count)
{
    struct udf_space *space = vol->space;
    pthread_mutex_lock(&space->lock);
    bool ok = freeable(space, first.n, count);
    for (uint32_t done = 0, run; ok && done < count; done += run) {
        struct udf_address at = {first.n + done, vol->part};
        mmc_lba_t lba;
        if (udf_volume_map(vol, at, count - done, &lba, &run))
            break;
        udf_store_forget(vol, lba, run);
    }
    if (ok)
        space_mark(space, first.n, count, false);
    pthread_mutex_unlock(&space->lock);
    return ok ? 0 : -EUCLEAN;
}

uint32_t udf_space_count(struct udf_volume *vol)
{
    struct udf_space *space = vol->space;
    if (!space)
        return 0;
    pthread_mutex_lock(&space->lock);
    uint32_t count = space->free;
    pthread_mutex_unlock(&space->lock);
    return count;
}

uint32_t udf_space_available(struct udf_volume *vol)
{
    uint32_t count = udf_space_count(vol);
    return vol->space && count > vol->space->reserve ? count - vol->space->reserve : 0;
}

/* Live changes only while a commit has the volume to itself, so the store needs no lock to look at it. */
bool udf_space_block_live(struct udf_volume *vol, mmc_lba_t lba)
{
    const struct udf_space *space = vol->space;
    udf_block_t block;
    if (!space || !udf_volume_unmap(vol, lba, &block) || block.n >= space->blocks)
        return true;
    return space_live(space, block.n);
}

bool udf_space_packet_live(struct udf_volume *vol, mmc_packet_t packet)
{
    const struct udf_space *space = vol->space;
    uint32_t length = vol->store->packet_blocks;
    mmc_lba_t first = mmc_packet_first(packet, length);
    udf_block_t start, end;
    if (!space || !udf_volume_unmap(vol, first, &start) ||
        !udf_volume_unmap(vol, mmc_lba_add(first, length - 1), &end))
        return true;
    if (end.n != start.n + length - 1 || end.n >= space->blocks)
        return true;
    for (uint32_t block = start.n; block <= end.n; block++)
        if (space_live(space, block))
            return true;
    return false;
}

bool space_holds_bitmap(const struct udf_volume *vol, mmc_lba_t lba)
{
    udf_block_t block;
    return vol->space && udf_volume_unmap(vol, lba, &block) && block.n >= vol->space->bitmap_at.n &&
           block.n - vol->space->bitmap_at.n < vol->space->bitmap_blocks;
}

bool space_dirty(struct udf_volume *vol)
{
    struct udf_space *space = vol->space;
    pthread_mutex_lock(&space->lock);
    bool dirty = space->dirty_count > 0;
    pthread_mutex_unlock(&space->lock);
    return dirty;
}

uint32_t space_dirty_most(struct udf_volume *vol)
{
    struct udf_space *space = vol->space;
    pthread_mutex_lock(&space->lock);
    uint32_t most = space->dirty_count + DIRTY_AHEAD;
    pthread_mutex_unlock(&space->lock);
    return most < space->bitmap_blocks ? most : space->bitmap_blocks;
}

/* The bits of a block of raw, first to end; block 0 has fewer, since the descriptor is in it. */
static void raw_bits(const struct udf_space *space, uint32_t at, uint32_t *first, uint32_t *end)
{
    uint64_t from = at ? (uint64_t)at * BITS_PER_BLOCK - UDF_SBD_BYTES * 8u : 0;
    uint64_t to = (uint64_t)(at + 1) * BITS_PER_BLOCK - UDF_SBD_BYTES * 8u;
    *first = from < space->blocks ? (uint32_t)from : space->blocks;
    *end = to < space->blocks ? (uint32_t)to : space->blocks;
}

/* Takes away the bits of blocks that were freed since the last commit. Returns whether there are any. */
static bool freed_mask(const struct udf_space *space, uint32_t at, uint8_t *bytes)
{
    uint32_t first, end;
    bool any = false;
    raw_bits(space, at, &first, &end);
    for (uint32_t block = first; block < end; block++) {
        if (!space_live(space, block) || space_used(space, block))
            continue;
        uint32_t byte = UDF_SBD_BYTES + block / 8 - at * UDF_BLOCK_BYTES;
        bytes[byte] &= (uint8_t) ~(1u << block % 8);
        any = true;
    }
    return any;
}

static int raw_block_flush(struct udf_space *space, uint32_t at, bool keep_freed)
{
    struct udf_volume *vol = space->vol;
    uint8_t bytes[UDF_BLOCK_BYTES];
    mmc_lba_t lba;
    bool more = false;
    memcpy(bytes, space->raw + (size_t)at * UDF_BLOCK_BYTES, sizeof bytes);
    if (keep_freed)
        more = freed_mask(space, at, bytes);
    if (at == 0) {
        struct udf_tag tag = udf_volume_tag(vol, space->bitmap_at.n);
        udf_sbd_encode(bytes, &tag, space->bitmap_bits, space->bitmap_bytes);
    }
    int err = udf_volume_map(vol, (struct udf_address){space->bitmap_at.n + at, vol->part}, 1, &lba, NULL);
    if (!err)
        err = udf_store_write(vol, lba, 1, bytes, UDF_WRITE_META);
    if (!err && !more) {
        space->dirty[at] = 0;
        space->dirty_count--;
    }
    return err;
}

static int flush(struct udf_space *space, bool keep_freed)
{
    int err = 0;
    pthread_mutex_lock(&space->lock);
    for (uint32_t at = 0; at < space->bitmap_blocks && space->dirty_count && !err; at++)
        if (space->dirty[at])
            err = raw_block_flush(space, at, keep_freed);
    pthread_mutex_unlock(&space->lock);
    return err;
}

int udf_space_flush(struct udf_volume *vol)
{
    return flush(vol->space, false);
}

int space_flush_allocated(struct udf_volume *vol)
{
    return flush(vol->space, true);
}

/* A byte of bits in which something changed: live becomes used. */
static void byte_commit(struct udf_space *space, uint32_t byte)
{
    uint32_t end = byte * 8 + 8 < space->blocks ? byte * 8 + 8 : space->blocks;
    for (uint32_t block = byte * 8; block < end; block++) {
        bool used = space_used(space, block);
        if (used == space_live(space, block))
            continue;
        if (!used) {
            space->waiting--;
            busy_add(space, space_group_of(space, block), -1);
        }
        space->live[byte] ^= (uint8_t)(1u << block % 8);
    }
}

void udf_space_committed(struct udf_volume *vol)
{
    struct udf_space *space = vol->space;
    pthread_mutex_lock(&space->lock);
    for (uint32_t at = 0; at < space->bitmap_blocks; at++) {
        uint32_t first, end;
        if (!space->touched[at])
            continue;
        space->touched[at] = 0;
        raw_bits(space, at, &first, &end);
        for (uint32_t byte = first / 8; byte < (end + 7) / 8; byte++)
            byte_commit(space, byte);
    }
    pthread_mutex_unlock(&space->lock);
}
