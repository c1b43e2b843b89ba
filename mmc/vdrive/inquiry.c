/* SPDX-License-Identifier: MIT */
/* The commands that concern the drive more than the disc: who it is, is it ready, tray, door lock, speed. */
#include <string.h>

#include "mmc/bytes.h"
#include "mmc/vdrive/drive.h"

void vdrive_test_unit_ready(struct vdrive *d, struct vdrive_command *c)
{
    (void)d;
    (void)c;
}

/* SPC-3 6.4. MMC-5's version descriptors are left out. */
void vdrive_inquiry(struct vdrive *d, struct vdrive_command *c)
{
    uint8_t data[96] = {0x05, 0x80, 0x05, 0x02, sizeof(data) - 5};

    (void)d;
    if (c->cdb[1] & 3 || c->cdb[2] != 0) {
        vdrive_command_fail(c, VDRIVE_BAD_CDB); /* no vital product data */
        return;
    }
    memset(data + 8, ' ', 28);
    memcpy(data + 8, "PACKETFS", 8);
    memcpy(data + 16, "CD-RW RECORDER", 14);
    memcpy(data + 32, "1.00", 4);
    vdrive_command_answer(c, data, sizeof(data), mmc_be16_get(c->cdb + 3));
}

/* What a CHECK CONDITION would have said now; errors are not kept beyond the command that reported them. */
void vdrive_request_sense(struct vdrive *d, struct vdrive_command *c)
{
    uint8_t sense[VDRIVE_SENSE_BYTES];
    vdrive_sense_code_t busy = vdrive_operation_busy(d, 0x03);

    if (d->deferred_count > 0) {
        vdrive_sense_fill(sense, d->deferred[0].code, true);
        vdrive_sense_lba(sense, d->deferred[0].lba);
        d->deferred_count--;
        memmove(d->deferred, d->deferred + 1, d->deferred_count * sizeof(d->deferred[0]));
    } else if (d->attention) {
        vdrive_sense_fill(sense, d->attention, false);
        d->attention = 0;
    } else {
        vdrive_sense_fill(sense, busy, false);
        if (busy && !vdrive_quirk(&d->faults, VDRIVE_QUIRK_NO_PROGRESS))
            vdrive_sense_progress(sense, vdrive_operation_progress(d));
    }
    vdrive_command_answer(c, sense, sizeof(sense), c->cdb[4]);
}

/* A track that is open is ended before the disc leaves. */
static void tray_open(struct vdrive *d, struct vdrive_command *c)
{
    if (d->locked) {
        vdrive_command_fail(c, VDRIVE_LOCKED);
        return;
    }
    if (d->tray_open)
        return;
    vdrive_synchronize_cache(d, c);
    if (vdrive_command_failed(c))
        return;
    vdrive_clock_advance(d, VDRIVE_US_TRAY);
    d->tray_open = true;
    d->media_event = 3;
}

static void tray_close(struct vdrive *d)
{
    d->tray_open = false;
    d->stopped = false;
    d->attention = VDRIVE_CHANGED;
    d->ready_at = d->now + VDRIVE_US_LOAD;
    d->media_event = 2;
    d->laser.activity = VDRIVE_IDLE;
    vdrive_modes_reset(d);
}

void vdrive_spin_up(struct vdrive *d)
{
    if (!d->stopped)
        return;
    d->stopped = false;
    vdrive_clock_advance(d, VDRIVE_US_SPIN_UP);
}

/* Start, without the tray. */
static void disc_start(struct vdrive *d, bool immed)
{
    if (immed && d->stopped) {
        d->stopped = false;
        d->ready_at = d->now + VDRIVE_US_SPIN_UP;
    } else {
        vdrive_spin_up(d);
    }
}

/* START STOP UNIT (MMC-5 6.42). */
void vdrive_start_stop(struct vdrive *d, struct vdrive_command *c)
{
    bool start = c->cdb[4] & 1, tray = c->cdb[4] & 2, immed = c->cdb[1] & 1;

    if (c->cdb[4] & 0xf0)
        return; /* a power condition: the drive has but one */
    vdrive_laser_drain(d);
    if (tray && !start) {
        tray_open(d, c);
    } else if (tray && d->tray_open) {
        tray_close(d);
    } else if (!start) {
        d->stopped = true;
        d->laser.activity = VDRIVE_IDLE;
    } else {
        disc_start(d, immed);
    }
}

/* MECHANISM STATUS (MMC-5 6.11): a tray for one disc, no changer. */
void vdrive_mechanism_status(struct vdrive *d, struct vdrive_command *c)
{
    uint8_t data[8] = {0, d->tray_open ? 0x10 : 0x00};

    vdrive_command_answer(c, data, sizeof(data), mmc_be16_get(c->cdb + 8));
}

void vdrive_prevent_allow(struct vdrive *d, struct vdrive_command *c)
{
    d->locked = c->cdb[4] & 1;
}

/* The fastest speed that is not above what is asked for, or the slowest there is. Clients round differently.
 */
static unsigned speed_nearest(unsigned kbs, unsigned most)
{
    static const unsigned speeds[] = {24, 10, 4};

    for (unsigned i = 0; i < sizeof(speeds) / sizeof(speeds[0]); i++) {
        if (speeds[i] <= most && speeds[i] * 176 <= kbs)
            return speeds[i];
    }
    return 4;
}

/* SET CD SPEED (MMC-3 6.37). */
void vdrive_set_cd_speed(struct vdrive *d, struct vdrive_command *c)
{
    unsigned read = mmc_be16_get(c->cdb + 2) / 176;

    vdrive_laser_drain(d);
    d->read_speed = read < 4 ? 4 : read > VDRIVE_READ_SPEED_MAX ? VDRIVE_READ_SPEED_MAX : read;
    d->write_speed = speed_nearest(mmc_be16_get(c->cdb + 4), d->media.spec.speed);
}
