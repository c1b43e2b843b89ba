/* SPDX-License-Identifier: MIT */
/*
 * The logical volume integrity sequence (ECMA-167 3/8.8.2): the last descriptor in it prevails. It is the one
 * structure without a second copy, so a sequence that cannot be read to its end is no reason to give the
 * volume up: the place is noted where a new descriptor mends it.
 */
#include <errno.h>
#include <string.h>

#include "udf/recognise.h"

#define EXTENTS_MAX       1024u /* chained extents; also what ends a loop */
#define EXTENT_BLOCKS_MAX 1024u

enum walk_end {
    WALK_END,
    WALK_NEXT,    /* the descriptor read last names another extent */
    WALK_DAMAGED, /* vol->lvid_at is the place to mend it */
};

static bool lvid_plausible(const struct udf_volume *vol, const struct udf_lvid *lvid, mmc_lba_t at)
{
    return lvid->tag.location == (uint32_t)at.n && lvid->partitions == vol->lvd.map_count;
}

static int extent_walk(struct udf_volume *vol, struct udf_volume_extent extent, enum walk_end *end)
{
    uint32_t blocks = extent.bytes / UDF_BLOCK_BYTES;
    bool any = false;
    for (uint32_t i = 0; i < blocks && i < EXTENT_BLOCKS_MAX; i++) {
        mmc_lba_t at = mmc_lba((int64_t)extent.first.n + i);
        uint8_t block[UDF_BLOCK_BYTES];
        struct udf_tag tag;
        struct udf_lvid lvid;
        int err = udf_recognise_block(vol, at, block);
        if (udf_recognise_hopeless(err))
            return err;
        bool valid = !err && !udf_lvid_decode(block, &lvid) && lvid_plausible(vol, &lvid, at);
        /* What follows the last descriptor is a terminator, or has never been written: zeros, or what an
         * older volume left. Only what looks like an integrity descriptor can be a damaged one. */
        bool lost = err || (!valid && (block[0] == UDF_TAG_LVID && block[1] == 0));
        bool ended =
            !valid && !lost && any && (udf_tag_decode(block, sizeof block, &tag) || tag.id == UDF_TAG_TD);
        if (ended)
            break;
        if (!valid) {
            if (err != -EUCLEAN)
                vol->lvid_at =
                    at; /* otherwise it is no place of the device, and the pointer to it is what is wrong */
            *end = WALK_DAMAGED;
            return 0;
        }
        any = true;
        vol->lvid = lvid;
        vol->lvid_at = at;
        if (lvid.next.bytes) {
            *end = WALK_NEXT;
            return 0;
        }
    }
    *end = any ? WALK_END : WALK_DAMAGED;
    return 0;
}

/* Stands for the descriptor that cannot be read: open, and what the volume's
 * other descriptors say of sizes. */
static void lvid_invent(struct udf_volume *vol)
{
    struct udf_lvid *lvid = &vol->lvid;
    bool older = lvid->partitions; /* an earlier one of the sequence was read, and its counters are a start */
    lvid->integrity = 0;
    lvid->next = (struct udf_volume_extent){0};
    lvid->partitions = vol->lvd.map_count;
    for (unsigned i = 0; i < lvid->partitions; i++) {
        lvid->size_blocks[i] = vol->partitions[i].pd.blocks;
        if (!older)
            lvid->free_blocks[i] = UINT32_MAX;
    }
    if (older)
        return;
    lvid->recorded = vol->pvd.recorded;
    lvid->next_unique_id = 16;
    udf_regid_own(&lvid->implementation);
    lvid->min_read = lvid->min_write = lvid->max_write = vol->lvd.domain_revision;
}

int udf_integrity_read(struct udf_volume *vol)
{
    struct udf_volume_extent extent = vol->lvd.integrity;
    enum walk_end end = WALK_NEXT;
    memset(&vol->lvid, 0, sizeof vol->lvid);
    vol->lvid_at = extent.first;
    int64_t last = (int64_t)extent.first.n + extent.bytes / UDF_BLOCK_BYTES;
    if (extent.bytes < UDF_BLOCK_BYTES || extent.first.n < 0 || last > vol->dev->geometry.blocks)
        udf_recognise_read_only(vol, "it has no place for an integrity descriptor");
    for (unsigned i = 0; i < EXTENTS_MAX && end == WALK_NEXT; i++) {
        int err = extent_walk(vol, extent, &end);
        if (err)
            return err;
        extent = vol->lvid.next;
    }
    vol->lvid_readable = end == WALK_END;
    if (!vol->lvid_readable) {
        udf_message(vol, UDF_LEVEL_WARNING, "block %d: the integrity descriptor cannot be read",
                    vol->lvid_at.n);
        lvid_invent(vol);
    }
    vol->lvid.tag = udf_volume_tag(vol, (uint32_t)vol->lvid_at.n);
    if (vol->lvid.min_read > UDF_REVISION_MAX) {
        udf_message(vol, UDF_LEVEL_ERROR, "the volume needs UDF revision %x.%02x to be read",
                    vol->lvid.min_read >> 8, vol->lvid.min_read & 0xFF);
        return -EOPNOTSUPP;
    }
    if (vol->lvid.min_write > UDF_REVISION_MAX)
        udf_recognise_read_only(vol, "it needs UDF revision %x.%02x to be written", vol->lvid.min_write >> 8,
                                vol->lvid.min_write & 0xFF);
    return 0;
}
