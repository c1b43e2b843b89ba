/* SPDX-License-Identifier: MIT */
/* How much of a disc is set aside for spares and the journal: 32 packets each on a
 * CD-RW, fewer on small devices. */
#include <errno.h>

#include "mkfs/mkfs.h"

#define SHARE       64u /* one packet in so many for each area */
#define SPARES_MIN  4u
#define JOURNAL_MIN 16u
#define AREA_MAX    32u

static uint32_t share(uint32_t packets, uint32_t min)
{
    uint32_t n = packets / SHARE;

    return n < min ? min : n > AREA_MAX ? AREA_MAX : n;
}

int mkfs_plan_make(uint32_t blocks, struct mkfs_plan *plan)
{
    uint32_t packets = blocks / MMC_PACKET_BLOCKS;

    if (packets < MKFS_PACKETS_MIN)
        return -ENOSPC;
    *plan = (struct mkfs_plan){
        .packets = packets,
        .spares = share(packets, SPARES_MIN),
        .log = share(packets, JOURNAL_MIN),
        .images = share(packets, JOURNAL_MIN),
    };
    return 0;
}
