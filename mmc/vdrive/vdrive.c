/* SPDX-License-Identifier: MIT */
/* The virtual drive from outside: power on, one command at a time, the clock, power off. */
#include "mmc/vdrive/vdrive.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "mmc/vdrive/drive.h"

static uint64_t clock_real(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

void vdrive_clock_advance_to(struct vdrive *d, uint64_t when)
{
    if (when <= d->now)
        return;
    vdrive_laser_run(d, when);
    vdrive_operation_run(d, when);
    d->now = when;
}

void vdrive_clock_advance(struct vdrive *d, uint64_t microseconds)
{
    /* Nothing takes for ever: a clock that would run over stays where it can still count. */
    if (microseconds > UINT64_MAX / 4 - d->now)
        microseconds = d->now < UINT64_MAX / 4 ? UINT64_MAX / 4 - d->now : 0;
    vdrive_clock_advance_to(d, d->now + microseconds);
}

void vdrive_disc_refresh(struct vdrive *d)
{
    struct vdrive_disc disc;
    int err = vdrive_disc_read(&d->media, &disc);

    if (!err)
        d->disc = disc;
    else if (!d->media.error)
        d->media.error = err;
}

void vdrive_deferred_add(struct vdrive *d, vdrive_sense_code_t code, mmc_lba_t lba)
{
    if (d->deferred_count < VDRIVE_DEFERRED_MAX)
        d->deferred[d->deferred_count++] = (struct vdrive_deferred){code, lba};
}

/* In real time, the host's own thinking counts for the drive as well. */
static void clock_catch_up(struct vdrive *d)
{
    if (d->realtime)
        vdrive_clock_advance_to(d, clock_real() - d->origin);
}

/* Sleeps until the real clock is where the virtual one is. */
static void clock_sleep(bool realtime, uint64_t until)
{
    struct timespec at = {.tv_sec = (time_t)(until / 1000000), .tv_nsec = (long)(until % 1000000) * 1000};

    if (!realtime)
        return;
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) == EINTR)
        ;
}

static void drive_power_on(struct vdrive *d)
{
    d->origin = clock_real();
    d->read_only = !d->media.writable;
    d->write_speed = d->media.spec.speed;
    d->read_speed = VDRIVE_READ_SPEED_MAX;
    d->attention = VDRIVE_RESET;
    d->ready_at = VDRIVE_US_SPIN_UP;
    d->media_event = 2;
    vdrive_modes_reset(d);
    for (uint32_t i = 0; i < d->media.packet_count; i++) {
        if (d->media.packets[i].rewrites > d->stats.most_rewrites) {
            d->stats.most_rewrites = d->media.packets[i].rewrites;
            d->stats.most_rewritten_packet = i;
        }
    }
}

static void drive_free(struct vdrive *d)
{
    if (d->log)
        fclose(d->log);
    vdrive_faults_free(&d->faults);
    free(d->laser.buffer);
    pthread_mutex_destroy(&d->mutex);
    free(d);
}

static int drive_log_open(struct vdrive *d, const char *path)
{
    if (!path)
        return 0;
    d->log = fopen(path, "ae");
    if (!d->log)
        return -errno;
    setvbuf(d->log, NULL, _IOLBF, 0);
    return 0;
}

int vdrive_open(const char *folder, const struct vdrive_options *options, int *holder, struct vdrive **drive)
{
    static const struct vdrive_options none = {0};
    struct vdrive *d = calloc(1, sizeof(*d));
    int err;

    if (!d)
        return -ENOMEM;
    if (!options)
        options = &none;
    pthread_mutex_init(&d->mutex, NULL);
    d->realtime = options->realtime;
    d->laser.buffer = malloc(VDRIVE_BUFFER_BLOCKS * sizeof(*d->laser.buffer));
    err = d->laser.buffer ? vdrive_media_open(&d->media, folder, options->read_only, holder) : -ENOMEM;
    if (err) {
        drive_free(d);
        return err;
    }
    err = vdrive_disc_read(&d->media, &d->disc);
    if (!err)
        err = vdrive_faults_load(&d->faults, d->media.dir);
    if (!err)
        err = drive_log_open(d, options->log);
    if (err) {
        vdrive_media_close(&d->media);
        drive_free(d);
        return err;
    }
    drive_power_on(d);
    *drive = d;
    return 0;
}

int vdrive_close(struct vdrive *d)
{
    int err;

    if (!d)
        return 0;
    /* What was begun is ended, as the drive would while nobody asks; a drive that hangs never does. */
    vdrive_laser_drain(d);
    if (d->op.kind != VDRIVE_OP_NONE)
        vdrive_clock_advance_to(d, d->op.end);
    err = d->media.error;
    vdrive_media_close(&d->media);
    drive_free(d);
    return err;
}

static void drive_command(struct vdrive *d, struct vdrive_command *c, size_t cdb_len)
{
    const char *name;

    vdrive_media_claim(&d->media);
    clock_catch_up(d);
    d->stats.commands++;
    vdrive_clock_advance(d, VDRIVE_US_COMMAND);
    name = vdrive_dispatch(d, c, cdb_len);
    vdrive_log_command(d, c, cdb_len, name);
}

void vdrive_execute(struct vdrive *d, const uint8_t *cdb, size_t cdb_len, const void *out, size_t out_len,
                    void *in, size_t in_room, struct vdrive_reply *reply)
{
    struct vdrive_command c = {.out = out, .out_len = out_len, .in = in, .in_room = in_room, .reply = reply};
    uint64_t until;

    memset(reply, 0, sizeof(*reply));
    memcpy(c.cdb, cdb, cdb_len < VDRIVE_CDB_BYTES ? cdb_len : VDRIVE_CDB_BYTES);
    pthread_mutex_lock(&d->mutex);
    drive_command(d, &c, cdb_len);
    until = d->origin + d->now;
    pthread_mutex_unlock(&d->mutex);
    clock_sleep(d->realtime, until);
}

void vdrive_wait(struct vdrive *d, uint64_t microseconds)
{
    uint64_t until;

    pthread_mutex_lock(&d->mutex);
    clock_catch_up(d);
    vdrive_clock_advance(d, microseconds);
    until = d->origin + d->now;
    pthread_mutex_unlock(&d->mutex);
    clock_sleep(d->realtime, until);
}

uint64_t vdrive_now(struct vdrive *d)
{
    uint64_t now;

    pthread_mutex_lock(&d->mutex);
    now = d->now;
    pthread_mutex_unlock(&d->mutex);
    return now;
}

bool vdrive_read_only(struct vdrive *d)
{
    bool read_only;

    pthread_mutex_lock(&d->mutex);
    read_only = d->read_only;
    pthread_mutex_unlock(&d->mutex);
    return read_only;
}

void vdrive_stats_get(struct vdrive *d, struct vdrive_stats *stats)
{
    pthread_mutex_lock(&d->mutex);
    *stats = d->stats;
    stats->microseconds = d->now;
    pthread_mutex_unlock(&d->mutex);
}
