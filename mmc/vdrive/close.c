/* SPDX-License-Identifier: MIT */
/* SYNCHRONIZE CACHE and CLOSE TRACK/SESSION: the ends of a track and of a session. */
#include "mmc/vdrive/drive.h"

#include "mmc/bytes.h"

#define TRACK_LEAST     300 /* blocks: four seconds */
#define LEADIN_SECTORS  4500
#define LEADOUT_FIRST   6750
#define LEADOUT_LATER   2250
#define TRACK_INVISIBLE 0xff

enum {
    CLOSE_TRACK = 1,
    CLOSE_SESSION = 2
};
static struct vdrive_place track_place(const struct vdrive_track *track)
{
    return (struct vdrive_place){
        .control = track->control, .track = (uint8_t)track->number, .index = 1, .origin = track->start};
}

/* Zeros, so that the track has its least length. */
static int track_pad(struct vdrive *d, struct vdrive_track *track, uint32_t count)
{
    struct vdrive_place place = track_place(track);
    struct vdrive_sector first;
    int err = vdrive_media_sectors_read(&d->media, track->start, 1, &first);

    /* A track may end before its first block: the laser failed there. */
    if (first.form == VDRIVE_SECTOR_UNWRITTEN)
        first.form = track->data_mode == 0   ? VDRIVE_SECTOR_AUDIO
                     : track->data_mode == 1 ? VDRIVE_SECTOR_MODE1
                                             : VDRIVE_SECTOR_FORM1;

    for (uint32_t i = 0; i < count && !err; i++) {
        struct vdrive_slot slot;

        vdrive_slot_fill(&slot, first.form, track->end, first.subheader, NULL);
        vdrive_slot_place(&slot, &place, track->end);
        err = vdrive_media_sectors_write(&d->media, track->end, 1, &slot);
        track->end = mmc_lba_add(track->end, 1);
    }
    return err;
}

static int track_runout(struct vdrive *d, struct vdrive_track *track)
{
    struct vdrive_place place = track_place(track);
    int err = vdrive_mark_sectors(d, track->end, VDRIVE_RUNOUT, VDRIVE_SECTOR_RUNOUT, &place);

    track->end = mmc_lba_add(track->end, VDRIVE_RUNOUT);
    return err;
}

/* Zeros up to four seconds, so that the track is one that a player finds, then the run-out. A track of
 * packets has its run-out already. */
static int track_end(struct vdrive *d, struct vdrive_track *track, uint32_t *sectors)
{
    uint32_t length = (uint32_t)(track->end.n - track->start.n),
             pad = length < TRACK_LEAST ? TRACK_LEAST - length : 0;
    int err = 0;

    *sectors = 0;
    if (track->method == VDRIVE_METHOD_VARIABLE && !track->in_packet && !track->damaged)
        return 0;
    if ((int64_t)track->end.n + pad + VDRIVE_RUNOUT > d->media.atip_leadout.n ||
        track->method == VDRIVE_METHOD_VARIABLE)
        pad = 0;
    if (pad)
        err = track_pad(d, track, pad);
    /* A track that the power ended may have its run-out, or reach to where one would be. */
    if (!err && track->end.n + VDRIVE_RUNOUT <= d->media.atip_leadout.n)
        err = track_runout(d, track);
    *sectors = pad + VDRIVE_RUNOUT;
    return err;
}

int vdrive_packet_end(struct vdrive *d)
{
    struct vdrive_track *track = vdrive_disc_open_track(&d->disc);
    int err = 0;

    if (!track || !track->in_packet || track->damaged)
        return 0;
    if (track->test)
        track->end = mmc_lba_add(track->end, VDRIVE_RUNOUT);
    else
        err = track_runout(d, track);
    track->next = mmc_lba_add(track->end, VDRIVE_RUNIN);
    track->in_packet = false;
    d->laser.position += VDRIVE_RUNOUT;
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
    if (track->test) {
        vdrive_disc_refresh(d);
        return 0;
    }
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

/* SYNCHRONIZE CACHE (MMC-5 6.43): returns when all is on the disc. A track written at once, or a packet, ends
 * here. */
void vdrive_synchronize_cache(struct vdrive *d, struct vdrive_command *c)
{
    const struct vdrive_track *track;
    int err = 0;

    vdrive_laser_drain(d);
    if (d->power_lost)
        return;
    if (d->laser.unsynced)
        vdrive_clock_advance(d, VDRIVE_US_SYNC);
    d->laser.unsynced = false;
    if (d->plan.begun) {
        vdrive_session_end(d, c);
        return;
    }
    track = vdrive_disc_open_track(&d->disc);
    if (track && track->method == VDRIVE_METHOD_VARIABLE)
        err = vdrive_packet_end(d);
    else if (track && !track->damaged)
        err = vdrive_track_close(d);
    if (err)
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
                                                     .multi_session = mode.multi_session},
                           VDRIVE_US_SETTLE + vdrive_time_sectors(sectors, d->write_speed), c->cdb[1] & 1);
}

static void close_track(struct vdrive *d, struct vdrive_command *c)
{
    const struct vdrive_track *open = vdrive_disc_open_track(&d->disc);
    unsigned number = mmc_be16_get(c->cdb + 4);

    if (d->disc.formatted)
        vdrive_command_fail(c, VDRIVE_WRONG_MODE);
    else if (vdrive_quirk(&d->faults, VDRIVE_QUIRK_CLOSE_TRACK_FAILS))
        vdrive_command_fail(c, VDRIVE_BAD_CDB);
    else if (open && open->method == VDRIVE_METHOD_SESSION)
        vdrive_command_fail(c, VDRIVE_TRACK_INCOMPLETE); /* its lead-in promised more, and stays */
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
    if (d->plan.begun)
        vdrive_session_end(d, c);
    else if (function == CLOSE_TRACK)
        close_track(d, c);
    else if (function == CLOSE_SESSION)
        close_session(d, c);
    else
        vdrive_command_fail(c, VDRIVE_BAD_CDB);
}
