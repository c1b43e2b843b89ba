/* SPDX-License-Identifier: MIT */
/* READ (10) and (12), SEEK: what lies where, and what cannot be read. */
#include "mmc/bytes.h"
#include "mmc/vdrive/drive.h"

#define CHUNK_BLOCKS 128u

/* Why the first unreadable block of a range is so; 0 when all can be read. good: the blocks before it. */
static vdrive_sense_code_t packets_judge(const struct vdrive *d, mmc_lba_t first, uint32_t count,
                                         uint32_t *good)
{
    for (uint32_t i = 0; i < count;) {
        mmc_lba_t at = mmc_lba_add(first, i);

        if (d->media.packets[mmc_packet_of(at, MMC_PACKET_BLOCKS).n].flags != VDRIVE_PACKET_FORMATTED) {
            *good = i;
            return VDRIVE_READ_ERROR;
        }
        i += MMC_PACKET_BLOCKS - (uint32_t)at.n % MMC_PACKET_BLOCKS;
    }
    *good = count;
    return 0;
}

static vdrive_sense_code_t sectors_judge(const struct vdrive *d, mmc_lba_t first, uint32_t count,
                                         uint32_t *good)
{
    struct vdrive_sector sectors[CHUNK_BLOCKS];

    *good = 0;
    if (vdrive_media_sectors_read(&d->media, first, count, sectors) != 0)
        return VDRIVE_READ_ERROR;
    for (; *good < count; (*good)++) {
        switch (sectors[*good].form) {
        case VDRIVE_SECTOR_MODE1:
        case VDRIVE_SECTOR_FORM1:
            break;
        case VDRIVE_SECTOR_UNWRITTEN:
            return VDRIVE_BLANK_CHECK;
        case VDRIVE_SECTOR_BROKEN:
            return VDRIVE_READ_ERROR;
        default:
            return VDRIVE_WRONG_MODE; /* link blocks are no user data, and audio has no blocks */
        }
    }
    return 0;
}

/* Reads at most one chunk; *good blocks of it arrived. */
static vdrive_sense_code_t read_chunk(struct vdrive *d, mmc_lba_t first, uint32_t count, uint8_t *to,
                                      uint32_t *good)
{
    vdrive_sense_code_t code =
        d->disc.formatted ? packets_judge(d, first, count, good) : sectors_judge(d, first, count, good);
    mmc_lba_t struck;

    if (vdrive_fault_blocks(&d->faults, VDRIVE_FAULT_READ, first, *good, &struck)) {
        *good = (uint32_t)(struck.n - first.n);
        code = VDRIVE_READ_ERROR;
    }
    if (*good > 0) {
        vdrive_laser_read(d, first, *good);
        if (vdrive_media_read(&d->media, first, *good, to) != 0) {
            *good = 0;
            code = VDRIVE_READ_ERROR;
        }
    }
    if (code == VDRIVE_READ_ERROR)
        vdrive_clock_advance(d, VDRIVE_US_READ_RETRY);
    return code;
}

void vdrive_read(struct vdrive *d, struct vdrive_command *c)
{
    mmc_lba_t first = mmc_lba((int32_t)mmc_be32_get(c->cdb + 2));
    uint32_t count = c->cdb[0] == 0xa8 ? mmc_be32_get(c->cdb + 6) : mmc_be16_get(c->cdb + 7), done = 0;
    mmc_lba_t end = d->disc.formatted ? d->disc.tracks[0].end : d->media.atip_leadout;
    vdrive_sense_code_t code = 0;

    if (first.n < 0 || (int64_t)first.n + count > end.n) {
        vdrive_command_fail(c, VDRIVE_LBA_RANGE);
        return;
    }
    if (c->in_room / MMC_BLOCK_BYTES < count) {
        vdrive_command_fail(c, VDRIVE_BAD_CDB); /* the host's buffer is too small for what it asks */
        return;
    }
    vdrive_laser_drain(d);
    while (done < count && !code && !d->power_lost) {
        uint32_t part = count - done < CHUNK_BLOCKS ? count - done : CHUNK_BLOCKS, good;

        code = read_chunk(d, mmc_lba_add(first, done), part, c->in + (size_t)done * MMC_BLOCK_BYTES, &good);
        done += good;
    }
    c->reply->in_len = (size_t)done * MMC_BLOCK_BYTES;
    d->stats.bytes_in += c->reply->in_len;
    vdrive_clock_advance(d, vdrive_time_transfer(c->reply->in_len));
    if (code)
        vdrive_command_fail_at(c, code, mmc_lba_add(first, done));
}

void vdrive_seek(struct vdrive *d, struct vdrive_command *c)
{
    mmc_lba_t to = mmc_lba((int32_t)mmc_be32_get(c->cdb + 2));

    if (to.n < 0 || to.n >= d->media.atip_leadout.n)
        vdrive_command_fail(c, VDRIVE_LBA_RANGE);
}
