/* SPDX-License-Identifier: MIT */
/* Another disc in the drive, put there by hand: the drive did not ask, and whoever was writing is not told
 * before. */
#include <string.h>

#include "mmc/vdrive/drive.h"

/* What is the disc's own, read before the old disc leaves, so that a folder that makes no sense changes
 * nothing. */
struct arrival {
    struct vdrive_media media;
    struct vdrive_disc disc;
    struct vdrive_faults faults;
};

static int arrival_read(struct arrival *a, const char *folder, bool read_only, int *holder)
{
    int err = vdrive_media_open(&a->media, folder, read_only, holder);

    if (err)
        return err;
    err = vdrive_disc_read(&a->media, &a->disc);
    if (!err)
        err = vdrive_faults_load(&a->faults, a->media.dir);
    if (err)
        vdrive_media_close(&a->media);
    return err;
}

static void drive_load(struct vdrive *d, const struct arrival *a)
{
    vdrive_media_close(&d->media);
    vdrive_faults_free(&d->faults);
    d->media = a->media;
    d->disc = a->disc;
    d->faults = a->faults;
    d->read_only = !d->media.writable;
    d->write_speed = d->media.spec.speed;
    d->read_speed = VDRIVE_READ_SPEED_MAX;
    d->locked = d->tray_open = d->stopped = false;
    d->attention = VDRIVE_CHANGED;
    d->ready_at = d->now + VDRIVE_US_LOAD;
    d->media_event = 2;
    vdrive_modes_reset(d);
}

int vdrive_disc_exchange(struct vdrive *d, const char *folder, int *holder)
{
    struct arrival a;
    int err;

    memset(&a, 0, sizeof(a));
    err = arrival_read(&a, folder, false, holder);
    if (err)
        return err;
    pthread_mutex_lock(&d->mutex);
    vdrive_laser_power_off(d);
    d->laser.activity = VDRIVE_IDLE;
    d->laser.unsynced = false;
    d->laser.free_at = d->now;
    d->op.kind = VDRIVE_OP_NONE;
    d->plan.kind = VDRIVE_PLAN_NONE;
    d->plan.begun = false;
    d->deferred_count = 0;
    drive_load(d, &a);
    pthread_mutex_unlock(&d->mutex);
    return 0;
}
