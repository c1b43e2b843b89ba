/* SPDX-License-Identifier: MIT */
/* READ CAPACITY, READ FORMAT CAPACITIES and READ BUFFER CAPACITY. */
#include "mmc/bytes.h"
#include "mmc/vdrive/drive.h"

enum {
    CAPACITY_UNFORMATTED = 1,
    CAPACITY_FORMATTED = 2,
    CAPACITY_NO_MEDIUM = 3
};

#define TYPE_FULL   0x00
#define TYPE_PACKET 0x40 /* type 10h in the upper six bits */

/* Blocks of the closed sessions, run-out included, or of the packet track. */
static uint32_t capacity_now(const struct vdrive *d)
{
    const struct vdrive_disc *disc = &d->disc;
    uint32_t blocks = 0;

    if (disc->formatted)
        return (uint32_t)disc->tracks[0].end.n;
    for (unsigned s = 0; s < disc->session_count; s++) {
        if (disc->sessions[s].closed)
            blocks = (uint32_t)disc->sessions[s].leadout.n;
    }
    return blocks;
}

/* READ CAPACITY (MMC-5 6.23): the last block, 0 when there is none. */
void vdrive_read_capacity(struct vdrive *d, struct vdrive_command *c)
{
    uint8_t data[8] = {0};
    uint32_t blocks = capacity_now(d);

    mmc_be32_put(data, blocks ? blocks - 1 : 0);
    mmc_be32_put(data + 4, MMC_BLOCK_BYTES);
    vdrive_command_answer(c, data, sizeof(data), sizeof(data));
}

static void capacity_put(uint8_t *to, uint32_t blocks, uint8_t kind, uint32_t parameter)
{
    mmc_be32_put(to, blocks);
    to[4] = kind;
    mmc_be24_put(to + 5, parameter);
}

/* READ FORMAT CAPACITIES (MMC-5 6.25). Only a CD-RW can be formatted, to one packet track over all of it. */
void vdrive_read_format_capacities(struct vdrive *d, struct vdrive_command *c)
{
    uint32_t most = d->media.packet_count * MMC_PACKET_BLOCKS, now = capacity_now(d);
    bool rw = d->media.spec.medium == VDRIVE_CD_RW;
    uint8_t data[4 + 3 * 8] = {0};
    size_t len = 12;

    if (!vdrive_has_medium(d)) {
        capacity_put(data + 4, most, CAPACITY_NO_MEDIUM, MMC_BLOCK_BYTES);
        rw = false;
    } else if (now) {
        capacity_put(data + 4, now, CAPACITY_FORMATTED, MMC_BLOCK_BYTES);
    } else {
        capacity_put(data + 4, rw ? most : (uint32_t)d->media.atip_leadout.n, CAPACITY_UNFORMATTED,
                     MMC_BLOCK_BYTES);
    }
    if (rw) {
        capacity_put(data + 12, most, TYPE_FULL, MMC_BLOCK_BYTES);
        capacity_put(data + 20, most, TYPE_PACKET, MMC_PACKET_BLOCKS);
        len = sizeof(data);
    }
    data[3] = (uint8_t)(len - 4);
    vdrive_command_answer(c, data, len, mmc_be16_get(c->cdb + 7));
}

/* READ BUFFER CAPACITY (MMC-5 6.20), in bytes. */
void vdrive_read_buffer_capacity(struct vdrive *d, struct vdrive_command *c)
{
    uint8_t data[12] = {0, 10};

    if (c->cdb[1] & 1) {
        vdrive_command_fail(c, VDRIVE_BAD_CDB); /* in blocks */
        return;
    }
    mmc_be32_put(data + 4, VDRIVE_BUFFER_BLOCKS * MMC_BLOCK_BYTES);
    mmc_be32_put(data + 8, (VDRIVE_BUFFER_BLOCKS - d->laser.slots_used) * MMC_BLOCK_BYTES);
    vdrive_command_answer(c, data, sizeof(data), mmc_be16_get(c->cdb + 7));
}
