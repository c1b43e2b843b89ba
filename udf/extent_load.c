/* SPDX-License-Identifier: MIT */
/*
 * From the allocation descriptors on the disc to the list of extents (ECMA-167 4/12 and 4/14.14). Nothing
 * that they say is believed: extents must lie in their partition, interior ones must be whole blocks, a file
 * cannot have more blocks than there are, a chain cannot be longer than its limit, and together they must
 * reach the information length.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "udf/content.h"

struct load {
    struct udf_inode *inode;
    enum udf_ad_kind kind;
    uint64_t bytes; /* of the file so far */
    uint64_t held;  /* blocks of extents that are not holes */
    bool chained;   /* the last descriptor led to another extent of descriptors ... */
    struct udf_address next;
};

static bool load_inside(const struct udf_volume *vol, struct udf_address at, uint32_t blocks)
{
    mmc_lba_t lba;
    return udf_volume_map(vol, at, blocks, &lba, NULL) == 0;
}

/* One descriptor of file contents. */
static int load_extent(struct load *load, const struct udf_long_ad *ad)
{
    struct udf_inode *inode = load->inode;
    struct udf_volume *vol = inode->vol;
    uint64_t size = inode->fe.info_length;
    uint32_t blocks = udf_blocks_of(ad->bytes), first = udf_extents_end(inode);
    bool tail = load->bytes >= size;
    /* Only what ends the body may end inside a block. */
    if (load->bytes % UDF_BLOCK_BYTES && !tail)
        return -EUCLEAN;
    load->bytes += ad->bytes;
    if (ad->type == UDF_EXTENT_HOLE) {
        if (tail)
            return 0;
        uint32_t room = udf_blocks_of(size) - first;
        return udf_extents_set(inode, first, blocks < room ? blocks : room, UDF_EXTENT_HOLE,
                               (struct udf_address){0});
    }
    load->held += blocks;
    if (!load_inside(vol, ad->at, blocks) || load->held > vol->partitions[ad->at.part].pd.blocks ||
        blocks > UINT32_MAX - 1 - first)
        return -EUCLEAN;
    if (ad->at.part != vol->part)
        inode->foreign = true;
    return udf_extents_set(inode, first, blocks, tail ? UDF_EXTENT_ALLOCATED : ad->type, ad->at);
}

static int load_descriptors(struct load *load, const uint8_t *ads, uint32_t len)
{
    load->chained = false;
    for (uint32_t used = 0; used < len;) {
        struct udf_long_ad ad;
        int took = udf_ad_decode(load->kind, load->inode->icb.part, ads + used, len - used, &ad);
        if (took < 0)
            return len - used < UDF_SHORT_AD_BYTES ? 0 : took;
        used += (uint32_t)took;
        if (!ad.bytes)
            return 0;
        if (ad.type == UDF_EXTENT_CONTINUE) {
            load->chained = true;
            load->next = ad.at;
            return 0;
        }
        int err = load_extent(load, &ad);
        if (err)
            return err;
    }
    return 0;
}

static int load_chain(struct load *load)
{
    struct udf_inode *inode = load->inode;
    uint8_t block[UDF_BLOCK_BYTES];
    const uint8_t *ads;
    uint32_t len;
    while (load->chained) {
        if (inode->aed_count == UDF_AEDS_READ_MAX || !load_inside(inode->vol, load->next, 1))
            return -EUCLEAN;
        struct udf_address *aeds = realloc(inode->aeds, (inode->aed_count + 1) * sizeof *aeds);
        if (!aeds)
            return -ENOMEM;
        inode->aeds = aeds;
        inode->aeds[inode->aed_count++] = load->next;
        if (load->next.part != inode->vol->part)
            inode->foreign = true;
        int err = udf_blocks_read(inode->vol, load->next, 1, block);
        if (!err)
            err = udf_aed_decode(block, load->next.block, &ads, &len);
        if (!err)
            err = load_descriptors(load, ads, len);
        if (err)
            return err;
    }
    return 0;
}

/* Of what lies past the end of the file, only the blocks matter, not what is in them. */
static int load_tail(struct udf_inode *inode)
{
    uint32_t end = udf_blocks_of(inode->fe.info_length);
    for (size_t i = udf_extents_index(inode, end); i < inode->extent_count; i++) {
        struct udf_extent extent = inode->extents[i];
        uint32_t first = extent.first > end ? extent.first : end, count = extent.first + extent.count - first;
        if (extent.type == UDF_EXTENT_ALLOCATED)
            continue;
        extent.at.block += first - extent.first;
        int err = udf_extents_set(inode, first, count, UDF_EXTENT_ALLOCATED, extent.at);
        if (err)
            return err;
        i = udf_extents_index(inode, first);
    }
    return 0;
}

int udf_extents_load(struct udf_inode *inode, const struct udf_file_entry *fe)
{
    struct load load = {.inode = inode, .kind = udf_content_kind(inode)};
    if ((load.kind != UDF_AD_SHORT && load.kind != UDF_AD_LONG) ||
        fe->info_length > (uint64_t)(UINT32_MAX - 1) * UDF_BLOCK_BYTES)
        return -EUCLEAN;
    int err = load_descriptors(&load, fe->ads, fe->ads_len);
    if (!err)
        err = load_chain(&load);
    if (err)
        return err;
    if (load.bytes < fe->info_length)
        return -EUCLEAN;
    err = load_tail(inode);
    if (!err && inode->aed_count) {
        inode->ads = malloc(fe->ads_len);
        if (!inode->ads)
            return -ENOMEM;
        memcpy(inode->ads, fe->ads, fe->ads_len);
        inode->ads_len = fe->ads_len;
    }
    inode->extents_clean = SIZE_MAX;
    return err;
}
