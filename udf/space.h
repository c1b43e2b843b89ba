/* SPDX-License-Identifier: MIT */
/*
 * Inside the UDF library: free blocks of the partition that is written to. Knows two states: now, and as of
 * the last commit. A block freed since the last commit is free in neither until the commit is durable.
 */
#ifndef UDF_SPACE_H
#define UDF_SPACE_H

#include "udf/volume.h"

/* Loads the unallocated space bitmap through the store. -EOPNOTSUPP (the reason in vol->read_only_reason)
 * when the volume has none: it can then only be read. */
int udf_space_open(struct udf_volume *vol);
void udf_space_close(struct udf_volume *vol);

enum udf_alloc_class {
    UDF_ALLOC_ICB,  /* one block; new ICBs gather in shared packets */
    UDF_ALLOC_META, /* directory contents and allocation extents; gather likewise */
    UDF_ALLOC_DATA, /* file contents: long runs, packet-aligned when big; leaves the reserve alone */
};
#define UDF_NO_GOAL ((udf_block_t){UINT32_MAX})

/*
 * Allocates 1 to want contiguous blocks (at goal if that is free: the block behind a file's last extent).
 * *got says how many. Packets with nothing live in them come first, since those need no journal. -ENOSPC when
 * nothing is left to this class even after a commit would have freed what waits; -EAGAIN when a commit would
 * free something: end the transaction, udf_tx_commit, and try again.
 */
int udf_space_alloc(struct udf_volume *vol, enum udf_alloc_class class, udf_block_t goal, uint32_t want,
                    udf_block_t *first, uint32_t *got);
/* Frees blocks; tells the store to forget them. Blocks that are not allocated are
 * damage: -EUCLEAN, nothing freed. */
int udf_space_free(struct udf_volume *vol, udf_block_t first, uint32_t count);

uint32_t udf_space_count(struct udf_volume *vol);     /* free blocks, those waiting for a commit included */
uint32_t udf_space_available(struct udf_volume *vol); /* of them, to file data */

/* For the store: does the packet (block) at this place hold anything live as of the last commit? Blocks
 * outside the partition's free space always do. */
bool udf_space_packet_live(struct udf_volume *vol, mmc_packet_t packet);
bool udf_space_block_live(struct udf_volume *vol, mmc_lba_t lba);

/* For tx.c: writes the changed blocks of the bitmap to the store; then, when
 * durable, what was freed becomes free. */
int udf_space_flush(struct udf_volume *vol);
void udf_space_committed(struct udf_volume *vol);

#endif
