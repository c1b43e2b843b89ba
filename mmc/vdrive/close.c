/* SPDX-License-Identifier: MIT */
/* SYNCHRONIZE CACHE and CLOSE TRACK/SESSION: the ends of a track and of a session. */
#include "mmc/vdrive/drive.h"

#include "mmc/vdrive/bytes.h"

#define TRACK_LEAST     300 /* blocks: four seconds */
#define RUNOUT          2
#define LEADIN_SECTORS  4500
#define LEADOUT_FIRST   6750
#define LEADOUT_LATER   2250
#define TRACK_INVISIBLE 0xff

enum {
    CLOSE_TRACK = 1,
    CLOSE_SESSION = 2
};
enum {
    MULTI_SESSION_NEXT = 3
};

/* Zeros up to four seconds, so that the track is one that a player finds, then the run-out. */
static int track_end(struct vdrive *d, struct vdrive_track *track, uint32_t *sectors)
{
    uint32_t length = (uint32_t)(track->end.n - track->start.n),
             pad = length < TRACK_LEAST ? TRACK_LEAST - length : 0;
    uint8_t form = track->data_mode == 1 ? VDRIVE_SECTOR_MODE1 : VDRIVE_SECTOR_FORM1,
            zero[MMC_BLOCK_BYTES] = {0};
    struct vdrive_sector data = {form, track->control, (uint8_t)track->number, 1}, runout = data;
    int err = 0;

    runout.form = VDRIVE_SECTOR_RUNOUT;
    if ((int64_t)track->end.n + pad + RUNOUT > d->media.atip_leadout.n)
        pad = 0;
    for (uint32_t i = 0; i < pad && !err; i++)
        err = vdrive_media_write(&d->media, mmc_lba_add(track->end, i), 1, zero);
    if (!err && pad)
        err = vdrive_media_sectors_fill(&d->media, track->end, pad, data);
    if (!err)
        track->end = mmc_lba_add(track->end, pad);
    /* A track that the power ended may have its run-out, or reach to where one would be. */
    if (!err && track->end.n + RUNOUT <= d->media.atip_leadout.n) {
        err = vdrive_media_sectors_fill(&d->media, track->end, RUNOUT, runout);
        track->end = mmc_lba_add(track->end, RUNOUT);
    }
    *sectors = pad + RUNOUT;
    return err;
}

int vdrive_track_close(struct vdrive *d)
{
    struct vdrive_track *track = vdrive_disc_open_track(&d->disc);
    struct vdrive_q q = {.adr = 1};
    uint32_t sectors;
    int err;

    if (!track)
        return 0;
    err = track_end(d, track, &sectors);
    q.control = track->control;
    q.point = (uint8_t)track->number;
    vdrive_msf_of(track->start, q.pmsf);
    vdrive_msf_of(track->end, q.msf);
    if (!err)
        err = vdrive_media_pma_append(&d->media, &q);
    vdrive_laser_occupy(d, VDRIVE_US_PMA + vdrive_time_sectors(sectors, d->write_speed), track->end);
    if (!err)
        vdrive_disc_refresh(d);
    return err;
}

/* SYNCHRONIZE CACHE (MMC-5 6.43): returns when all is on the disc. A track written at once ends here. */
void vdrive_synchronize_cache(struct vdrive *d, struct vdrive_command *c)
{
    const struct vdrive_track *track;

    vdrive_laser_drain(d);
    if (d->power_lost)
        return;
    if (d->laser.unsynced)
        vdrive_clock_advance(d, VDRIVE_US_SYNC);
    d->laser.unsynced = false;
    track = vdrive_disc_open_track(&d->disc);
    if (track && !track->damaged && vdrive_track_close(d) != 0)
        vdrive_command_fail(c, VDRIVE_WRITE_ERROR);
}

static void close_session(struct vdrive *d, struct vdrive_command *c)
{
    const struct vdrive_session *session = &d->disc.sessions[d->disc.session_count - 1];
    struct vdrive_write_mode mode = vdrive_write_mode_get(d);
    uint32_t sectors = LEADIN_SECTORS + (d->disc.session_count == 1 ? LEADOUT_FIRST : LEADOUT_LATER);

    if (vdrive_disc_open_track(&d->disc)) {
        vdrive_command_fail(c, VDRIVE_TRACK_INCOMPLETE);
        return;
    }
    if (session->closed || session->last < session->first)
        return;
    vdrive_operation_start(d, c,
                           (struct vdrive_operation){.kind = VDRIVE_OP_CLOSE,
                                                     .disc_type = mode.session_format,
                                                     .next = mode.multi_session == MULTI_SESSION_NEXT},
                           VDRIVE_US_SETTLE + vdrive_time_sectors(sectors, d->write_speed), c->cdb[1] & 1);
}

static void close_track(struct vdrive *d, struct vdrive_command *c)
{
    const struct vdrive_track *open = vdrive_disc_open_track(&d->disc);
    unsigned number = vdrive_be16(c->cdb + 4);

    if (d->disc.formatted)
        vdrive_command_fail(c, VDRIVE_WRONG_MODE);
    else if (open && (number == open->number || number == TRACK_INVISIBLE)) {
        if (vdrive_track_close(d) != 0)
            vdrive_command_fail(c, VDRIVE_WRITE_ERROR);
    } else if (number != TRACK_INVISIBLE && (number == 0 || number > d->disc.track_count + 1)) {
        vdrive_command_fail(c, VDRIVE_BAD_CDB);
    }
}

/* CLOSE TRACK/SESSION (MMC-5 6.3). What is complete already, or not begun, is closed without a word. */
void vdrive_close_track_session(struct vdrive *d, struct vdrive_command *c)
{
    unsigned function = c->cdb[2] & 7;

    vdrive_laser_drain(d);
    if (function == CLOSE_TRACK)
        close_track(d, c);
    else if (function == CLOSE_SESSION)
        close_session(d, c);
    else
        vdrive_command_fail(c, VDRIVE_BAD_CDB);
}
