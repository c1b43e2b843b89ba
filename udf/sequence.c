/* SPDX-License-Identifier: MIT */
/* A volume descriptor sequence (ECMA-167 3/8.4.2): walked to its end, the prevailing descriptor of each kind
 * kept, which is the one with the highest volume descriptor sequence number (3/8.4.3). */
#include <errno.h>
#include <string.h>

#include "udf/codec_part.h"
#include "udf/recognise.h"

/* Real sequences have 16 to 32 blocks, and one extent. */
#define SEQUENCE_BLOCKS_MAX  256u
#define SEQUENCE_EXTENTS_MAX 8u

static int pvd_take(struct udf_sequence *sequence, const uint8_t *block)
{
    struct udf_pvd pvd;
    int err = udf_pvd_decode(block, &pvd);
    if (err)
        return err;
    if (!sequence->pvd_found || pvd.sequence >= sequence->pvd.sequence)
        sequence->pvd = pvd;
    sequence->pvd_found = true;
    return 0;
}

static int lvd_take(struct udf_sequence *sequence, const uint8_t *block, uint16_t tag_version)
{
    struct udf_lvd lvd;
    int err = udf_lvd_decode(block, UDF_BLOCK_BYTES, &lvd);
    if (err) {
        sequence->lvd_error = err;
        return err;
    }
    if (!sequence->lvd_found || lvd.sequence >= sequence->lvd.sequence) {
        sequence->lvd = lvd;
        sequence->tag_version = tag_version;
    }
    sequence->lvd_found = true;
    return 0;
}

static int pd_take(struct udf_sequence *sequence, const uint8_t *block)
{
    struct udf_pd pd;
    int err = udf_pd_decode(block, &pd);
    if (err)
        return err;
    for (unsigned i = 0; i < sequence->pd_count; i++) {
        struct udf_pd *known = &sequence->pds[i];
        if (known->number != pd.number)
            continue;
        if (pd.sequence >= known->sequence)
            *known = pd;
        return 0;
    }
    if (sequence->pd_count == UDF_MAPS_MAX)
        return -EUCLEAN;
    sequence->pds[sequence->pd_count++] = pd;
    return 0;
}

static int iuvd_take(struct udf_sequence *sequence, const uint8_t *block)
{
    struct udf_iuvd iuvd;
    int err = udf_iuvd_decode(block, &iuvd);
    if (err || strcmp(iuvd.implementation.id, UDF_JOURNAL_REGID) != 0)
        return err;
    if (!sequence->journal_found || iuvd.sequence >= sequence->journal.sequence)
        sequence->journal = iuvd;
    sequence->journal_found = true;
    return 0;
}

static int descriptor_take(struct udf_sequence *sequence, const uint8_t *block, const struct udf_tag *tag)
{
    switch (tag->id) {
    case UDF_TAG_PVD:
        return pvd_take(sequence, block);
    case UDF_TAG_LVD:
        return lvd_take(sequence, block, tag->version);
    case UDF_TAG_PD:
        return pd_take(sequence, block);
    case UDF_TAG_IUVD:
        return iuvd_take(sequence, block);
    default:
        return 0;
    }
}

/* Where a walk through one extent ended. */
enum walk_end {
    WALK_TERMINATED,
    WALK_BLANK,
    WALK_POINTER, /* at a descriptor that names the next extent */
    WALK_DAMAGED,
};

static int block_take(const struct udf_volume *vol, mmc_lba_t at, struct udf_sequence *sequence,
                      struct udf_volume_extent *next, enum walk_end *end, bool *ended)
{
    uint8_t block[UDF_BLOCK_BYTES];
    struct udf_tag tag;
    *ended = true;
    *end = WALK_DAMAGED;
    int err = udf_recognise_block(vol, at, block);
    if (err) {
        udf_message(vol, UDF_LEVEL_WARNING, "block %d: volume descriptor cannot be read: %s", at.n,
                    strerror(-err));
        return udf_recognise_hopeless(err) ? err : 0;
    }
    if (udf_recognise_blank(block)) {
        *end = WALK_BLANK;
        return 0;
    }
    if (udf_tag_decode(block, sizeof block, &tag) || tag.location != (uint32_t)at.n) {
        udf_message(vol, UDF_LEVEL_WARNING, "block %d: no valid volume descriptor", at.n);
        return 0;
    }
    if (tag.id == UDF_TAG_TD) {
        *end = WALK_TERMINATED;
    } else if (tag.id == UDF_TAG_VDP) {
        *end = WALK_POINTER;
        *next = udf_vdp_next(block);
    } else if (descriptor_take(sequence, block, &tag)) {
        udf_message(vol, UDF_LEVEL_WARNING, "block %d: volume descriptor %u makes no sense", at.n, tag.id);
    } else {
        *ended = false;
    }
    return 0;
}

static int extent_walk(const struct udf_volume *vol, struct udf_volume_extent extent,
                       struct udf_sequence *sequence, struct udf_volume_extent *next, enum walk_end *end)
{
    uint32_t blocks = extent.bytes / UDF_BLOCK_BYTES;
    *end = WALK_TERMINATED;
    if (!blocks)
        *end = WALK_DAMAGED;
    for (uint32_t i = 0; i < blocks && i < SEQUENCE_BLOCKS_MAX; i++) {
        bool ended;
        int err = block_take(vol, mmc_lba((int64_t)extent.first.n + i), sequence, next, end, &ended);
        if (err || ended)
            return err;
        *end = WALK_TERMINATED;
    }
    return 0;
}

/* Whether there is a partition descriptor for every partition map. */
static bool partitions_complete(const struct udf_sequence *sequence)
{
    for (unsigned i = 0; i < sequence->lvd.map_count; i++) {
        unsigned k = 0;
        while (k < sequence->pd_count && sequence->pds[k].number != sequence->lvd.maps[i].partition_number)
            k++;
        if (k == sequence->pd_count)
            return false;
    }
    return true;
}

int udf_sequence_read(const struct udf_volume *vol, struct udf_volume_extent extent,
                      struct udf_sequence *sequence)
{
    enum walk_end end = WALK_POINTER;
    memset(sequence, 0, sizeof *sequence);
    for (unsigned i = 0; i < SEQUENCE_EXTENTS_MAX && end == WALK_POINTER; i++) {
        struct udf_volume_extent next = {0};
        int err = extent_walk(vol, extent, sequence, &next, &end);
        if (err)
            return err;
        extent = next;
    }
    if (!sequence->lvd_found)
        return sequence->lvd_error ? sequence->lvd_error : -EUCLEAN;
    if (!partitions_complete(sequence))
        return -EUCLEAN;
    sequence->state = end == WALK_TERMINATED ? UDF_SEQUENCE_WHOLE
                      : end == WALK_BLANK    ? UDF_SEQUENCE_CUT
                                             : UDF_SEQUENCE_DAMAGED;
    if (!sequence->pvd_found)
        sequence->state = UDF_SEQUENCE_DAMAGED;
    return 0;
}
