/* SPDX-License-Identifier: MIT */
/*
 * READ SUB-CHANNEL (MMC-5 6.30): the position of the pickup, and the numbers that Q tells now and then,
 * looked for in the Q frames of the sectors.
 */
#include <string.h>

#include "mmc/bytes.h"
#include "mmc/vdrive/drive.h"

#define AUDIO_NO_STATUS 0x15
#define VALID           0x80
#define LOOK_SECTORS    200 /* two frames in a row of a hundred, and more */
#define LOOK_CHUNK      50

enum {
    FORMAT_POSITION = 1,
    FORMAT_MCN = 2,
    FORMAT_ISRC = 3
};

/* The first frame with this ADR in a stretch of sectors that begins at a place. */
static bool frame_find(const struct vdrive *d, mmc_lba_t from, enum mmc_q_adr adr, uint8_t q[VDRIVE_Q_BYTES])
{
    struct vdrive_sector sectors[LOOK_CHUNK];

    for (unsigned i = 0; i < LOOK_SECTORS; i += LOOK_CHUNK) {
        if (vdrive_media_sectors_read(&d->media, mmc_lba_add(from, i), LOOK_CHUNK, sectors) != 0)
            return false;
        for (unsigned j = 0; j < LOOK_CHUNK; j++) {
            if (sectors[j].form != VDRIVE_SECTOR_UNWRITTEN && (sectors[j].q[0] & 15) == adr &&
                mmc_q_sound(sectors[j].q)) {
                memcpy(q, sectors[j].q, VDRIVE_Q_BYTES);
                return true;
            }
        }
    }
    return false;
}

/* What Q says where the pickup is, or a little before. */
static bool position_find(const struct vdrive *d, struct vdrive_q *q)
{
    mmc_lba_t at = d->laser.ahead_taken;

    for (int back = 1; back < 4; back++) {
        mmc_lba_t lba = mmc_lba_add(at, -back);
        struct vdrive_sector sector;

        if (lba.n < -VDRIVE_PREGAP || vdrive_media_sectors_read(&d->media, lba, 1, &sector) != 0)
            return false;
        if (sector.form && vdrive_q_decode(sector.q, q) && q->adr == MMC_Q_POSITION)
            return true;
    }
    return false;
}

static void put_address(uint8_t *to, const uint8_t msf[3], int64_t frames, bool as_msf)
{
    if (as_msf)
        memcpy(to + 1, msf, 3);
    else
        mmc_be32_put(to, (uint32_t)frames);
}

static size_t position_put(const struct vdrive *d, bool msf, uint8_t *to)
{
    struct vdrive_q q = {0};
    int64_t relative;

    to[0] = FORMAT_POSITION;
    if (!position_find(d, &q))
        return 12;
    relative = ((int64_t)q.msf[0] * 60 + q.msf[1]) * 75 + q.msf[2];
    to[1] = (uint8_t)(q.adr << 4 | q.control);
    to[2] = q.track;
    to[3] = q.point;
    put_address(to + 4, q.pmsf, vdrive_msf_lba(q.pmsf).n, msf);
    put_address(to + 8, q.msf, q.point ? relative : -1 - relative, msf);
    return 12;
}

static size_t mcn_put(const struct vdrive *d, uint8_t *to)
{
    uint8_t q[VDRIVE_Q_BYTES];
    char text[MMC_MCN_CHARS + 1];

    to[0] = FORMAT_MCN;
    for (unsigned t = 0; t < d->disc.track_count; t++) {
        if (frame_find(d, d->disc.tracks[t].start, MMC_Q_MCN, q)) {
            mmc_q_mcn_get(q, text);
            to[4] = VALID;
            memcpy(to + 5, text, MMC_MCN_CHARS);
            to[5 + MMC_MCN_CHARS + 1] = q[9];
            break;
        }
    }
    return 20;
}

static size_t isrc_put(const struct vdrive *d, const struct vdrive_track *track, uint8_t *to)
{
    uint8_t q[VDRIVE_Q_BYTES];
    char text[MMC_ISRC_CHARS + 1];

    to[0] = FORMAT_ISRC;
    to[1] = (uint8_t)(MMC_Q_ISRC << 4 | track->control);
    to[2] = (uint8_t)track->number;
    if (frame_find(d, track->start, MMC_Q_ISRC, q)) {
        mmc_q_isrc_get(q, text);
        to[4] = VALID;
        memcpy(to + 5, text, MMC_ISRC_CHARS);
        to[5 + MMC_ISRC_CHARS + 1] = q[9];
    }
    return 20;
}

void vdrive_read_sub_channel(struct vdrive *d, struct vdrive_command *c)
{
    unsigned format = c->cdb[3], track = c->cdb[6];
    uint8_t data[24] = {0, AUDIO_NO_STATUS};
    size_t len = 0;

    vdrive_laser_drain(d);
    if (c->cdb[2] & 0x40) {
        if (format == FORMAT_POSITION)
            len = position_put(d, c->cdb[1] & 2, data + 4);
        else if (format == FORMAT_MCN)
            len = mcn_put(d, data + 4);
        else if (format == FORMAT_ISRC && track >= 1 && track <= d->disc.track_count)
            len = isrc_put(d, &d->disc.tracks[track - 1], data + 4);
        if (!len) {
            vdrive_command_fail(c, VDRIVE_BAD_CDB);
            return;
        }
    }
    mmc_be16_put(data + 2, (uint32_t)len);
    vdrive_command_answer(c, data, 4 + len, mmc_be16_get(c->cdb + 7));
}
