/* SPDX-License-Identifier: MIT */
/*
 * From a partition block to the disc block that holds it and back, with spared packets where the sparing
 * table says (UDF 2.2.9 and 2.2.11); and the record of where a volume's journal lies.
 */
#include <errno.h>
#include <string.h>

#include "mmc/bytes.h"
#include "udf/volume.h"

/* How many of the spares have an original at or before the block: they are sorted. */
static unsigned spares_up_to(const struct udf_partition *partition, uint32_t block)
{
    unsigned low = 0, high = partition->spare_count;
    while (low < high) {
        unsigned middle = low + (high - low) / 2;
        if (partition->spares[middle].original <= block)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The spare that stands in for the packet with this block, or NULL. */
static const struct udf_spare *spare_of(const struct udf_partition *partition, uint32_t block)
{
    unsigned before = spares_up_to(partition, block);
    if (!before)
        return NULL;
    const struct udf_spare *spare = &partition->spares[before - 1];
    return block - spare->original < partition->map.packet_blocks ? spare : NULL;
}

int udf_volume_map(const struct udf_volume *vol, struct udf_address at, uint32_t count, mmc_lba_t *lba,
                   uint32_t *run)
{
    if (at.part >= vol->lvd.map_count)
        return -EUCLEAN;
    const struct udf_partition *partition = &vol->partitions[at.part];
    if (at.block >= partition->pd.blocks || count > partition->pd.blocks - at.block)
        return -EUCLEAN;
    const struct udf_spare *spare = spare_of(partition, at.block);
    uint32_t contiguous = count;
    if (spare) {
        uint32_t into = at.block - spare->original;
        *lba = mmc_lba_add(spare->mapped, into);
        contiguous = partition->map.packet_blocks - into;
    } else {
        unsigned next = spares_up_to(partition, at.block);
        *lba = mmc_lba_add(partition->pd.start, at.block);
        if (next < partition->spare_count)
            contiguous = partition->spares[next].original - at.block;
    }
    if (run)
        *run = contiguous < count ? contiguous : count;
    return 0;
}

bool udf_volume_unmap(const struct udf_volume *vol, mmc_lba_t lba, udf_block_t *block)
{
    const struct udf_partition *partition = &vol->partitions[vol->part];
    /* A spare may lie inside the partition, so spares come first. */
    for (unsigned i = 0; i < partition->spare_count; i++) {
        int64_t into = (int64_t)lba.n - partition->spares[i].mapped.n;
        if (into >= 0 && into < partition->map.packet_blocks) {
            block->n = partition->spares[i].original + (uint32_t)into;
            return block->n < partition->pd.blocks;
        }
    }
    int64_t offset = (int64_t)lba.n - partition->pd.start.n;
    if (offset < 0 || offset >= partition->pd.blocks || spare_of(partition, (uint32_t)offset))
        return false;
    block->n = (uint32_t)offset;
    return true;
}

#define JOURNAL_VERSION 1u

int udf_journal_place_decode(const struct udf_iuvd *iuvd, uint32_t packet_blocks,
                             struct udf_journal_place *place)
{
    const uint8_t *use = iuvd->use;
    if (strcmp(iuvd->implementation.id, UDF_JOURNAL_REGID) || mmc_le32_get(use) != JOURNAL_VERSION ||
        mmc_le32_get(use + 4) != packet_blocks || !packet_blocks)
        return -EUCLEAN;
    *place = (struct udf_journal_place){.log = mmc_lba(mmc_le32_get(use + 8)),
                                        .log_packets = mmc_le32_get(use + 12),
                                        .images = mmc_lba(mmc_le32_get(use + 16)),
                                        .images_packets = mmc_le32_get(use + 20)};
    return 0;
}

void udf_journal_place_encode(struct udf_iuvd *iuvd, uint32_t packet_blocks,
                              const struct udf_journal_place *place)
{
    memset(iuvd->use, 0, sizeof iuvd->use);
    udf_regid_own(&iuvd->implementation);
    memcpy(iuvd->implementation.id, UDF_JOURNAL_REGID, sizeof UDF_JOURNAL_REGID);
    mmc_le32_put(iuvd->use, JOURNAL_VERSION);
    mmc_le32_put(iuvd->use + 4, packet_blocks);
    mmc_le32_put(iuvd->use + 8, (uint32_t)place->log.n);
    mmc_le32_put(iuvd->use + 12, place->log_packets);
    mmc_le32_put(iuvd->use + 16, (uint32_t)place->images.n);
    mmc_le32_put(iuvd->use + 20, place->images_packets);
}
