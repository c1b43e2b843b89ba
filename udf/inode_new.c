/* SPDX-License-Identifier: MIT */
/* Birth and death of inodes: the ICB block, the first file entry, and everything given back at the end. */
#include <errno.h>

#include "udf/content.h"
#include "udf/inode_table.h"

#define UDF_ICB_ARCHIVE 0x0020u

static void new_fill(struct udf_inode *inode, uint8_t file_type)
{
    struct udf_volume *vol = inode->vol;
    struct udf_time now = udf_time_now();
    inode->fe = (struct udf_file_entry){
        .extended = vol->lvd.domain_revision >= 0x0200,
        .strategy = 4,
        .file_type = file_type,
        .icb_flags = UDF_AD_EMBEDDED | (file_type == UDF_FILE_REGULAR ? UDF_ICB_ARCHIVE : 0),
        .links = 1,
        .atime = now,
        .mtime = now,
        .ctime = now,
        .checkpoint = 1,
        .unique_id = udf_count_unique(vol),
    };
    if (inode->fe.extended)
        inode->fe.btime = now;
}

/* A block whose inode is in memory already is in use, whatever the bitmap says:
 * it is left alone from now on. */
#define NEW_TRIES 16

int udf_inode_new(struct udf_volume *vol, uint8_t file_type, struct udf_inode **inode)
{
    for (int i = 0; i < NEW_TRIES; i++) {
        udf_block_t block;
        uint32_t got;
        int err = udf_space_alloc(vol, UDF_ALLOC_ICB, UDF_NO_GOAL, 1, &block, &got);
        if (err)
            return err;
        *inode = udf_inode_object(vol, (struct udf_address){.block = block.n, .part = vol->part});
        if (!*inode) {
            udf_space_free(vol, block, 1);
            return -ENOMEM;
        }
        new_fill(*inode, file_type);
        if (!udf_inode_insert(*inode))
            return 0;
        udf_inode_object_free(*inode);
    }
    return -EUCLEAN;
}

static void inode_free_blocks(struct udf_inode *inode)
{
    udf_extents_cut(inode, 0);
    for (size_t i = 0; i < inode->aed_count; i++)
        if (inode->aeds[i].part == inode->vol->part)
            udf_space_free(inode->vol, (udf_block_t){inode->aeds[i].block}, 1);
    udf_space_free(inode->vol, (udf_block_t){inode->icb.block}, 1);
}

void udf_inode_discard(struct udf_inode *inode)
{
    inode_free_blocks(inode);
    udf_inode_remove(inode);
    udf_inode_object_free(inode);
}

void udf_inode_destroy(struct udf_inode *inode)
{
    struct udf_volume *vol = inode->vol;
    /* Without a transaction (the volume has failed) the blocks stay in use: a check finds them. */
    int err = udf_tx_begin(vol, UDF_CHANGE_BLOCKS);
    if (!err && !inode->foreign)
        inode_free_blocks(inode);
    udf_inode_remove(inode);
    if (!err)
        udf_tx_end(vol);
    udf_inode_object_free(inode);
}
