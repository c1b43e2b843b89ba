/* SPDX-License-Identifier: MIT */
/*
 * What the two files of the space map share (space.c keeps it, space_alloc.c allocates), and what the store
 * asks of it.
 *
 * A block is used (allocated now), or live (allocated as of the last commit), or both, or neither. Only what
 * is neither can be allocated: what was freed since the last commit may be needed again after a power cut.
 *
 * For the search, blocks are taken in groups: the packets of the device, or 32 blocks where those are
 * smaller.
 */
#ifndef UDF_SPACE_PART_H
#define UDF_SPACE_PART_H

#include "udf/space.h"

#define SPACE_WINDOWS 8u
#define SPACE_PENS    3u
/* Groups that are counted together, so that a search can pass over full stretches. */
#define SPACE_SUPER    256u
#define SPACE_NO_GROUP UINT32_MAX

/* A stretch of fresh groups that one stream of writes is working its way through;
 * others keep out while they can. */
struct space_window {
    uint32_t first, end; /* groups; empty when equal */
    uint64_t used;       /* when it was used last, in allocations */
};

/* Where small things of a class are put one behind the other. */
struct space_pen {
    uint32_t group; /* SPACE_NO_GROUP: none yet */
    uint32_t next;  /* the block to try first */
};

struct udf_space {
    pthread_mutex_t lock;
    struct udf_volume *vol;
    uint32_t blocks; /* of the partition, as far as the bitmap goes */

    udf_block_t bitmap_at;
    uint32_t bitmap_blocks, bitmap_bytes; /* extent; bytes of bits behind the descriptor */
    uint32_t bitmap_bits;                 /* as the descriptor has it */
    uint8_t *raw;                         /* the descriptor and its bits as on the disc: 1 is free */
    uint8_t *live;                        /* as of the last commit: 1 is live */
    uint8_t *dirty;                       /* blocks of raw to be flushed, a byte each */
    uint8_t *touched;                     /* blocks of raw that differ from live, a byte each */
    uint32_t dirty_count;

    uint32_t free, waiting; /* blocks not used; of them, those that are live until the commit */
    uint32_t reserve;       /* blocks not given to file data */

    uint32_t group_blocks, group_offset, groups; /* group g begins at block g * group_blocks - group_offset */
    uint8_t *busy;                               /* blocks of a group that cannot be allocated */
    uint16_t *super_fresh, *super_full; /* groups of a super group with none, and with only, such blocks */
    uint32_t fresh_groups;

    struct space_window windows[SPACE_WINDOWS];
    struct space_pen pens[SPACE_PENS]; /* by enum udf_alloc_class */
    uint32_t cursor;                   /* group where the next search begins */
    uint64_t clock;
};

static inline bool space_used(const struct udf_space *space, uint32_t block)
{
    return !(space->raw[UDF_SBD_BYTES + block / 8] >> block % 8 & 1);
}

static inline bool space_live(const struct udf_space *space, uint32_t block)
{
    return space->live[block / 8] >> block % 8 & 1;
}

static inline bool space_allocatable(const struct udf_space *space, uint32_t block)
{
    return block < space->blocks && !space_used(space, block) && !space_live(space, block);
}

static inline uint32_t space_group_of(const struct udf_space *space, uint32_t block)
{
    return (block + space->group_offset) / space->group_blocks;
}

/* The first block of a group; group 0 may begin before the partition, and then this is block 0. */
static inline uint32_t space_group_first(const struct udf_space *space, uint32_t group)
{
    return group ? group * space->group_blocks - space->group_offset : 0;
}

/* Marks blocks used or not, keeping all counts; the blocks are known to be the opposite. Lock held. */
void space_mark(struct udf_space *space, uint32_t first, uint32_t count, bool used);

/* ---- for the store ---- */

/* Whether the block holds a part of the bitmap. */
bool space_holds_bitmap(const struct udf_volume *vol, mmc_lba_t lba);
/* Writes the changed blocks of the bitmap to the store as they are with nothing freed yet; those in which
 * something was freed stay to be flushed. */
int space_flush_allocated(struct udf_volume *vol);
bool space_dirty(struct udf_volume *vol);
/* Blocks that a flush may have to write, allowing for what running transactions still allocate and free. */
uint32_t space_dirty_most(struct udf_volume *vol);

#endif
