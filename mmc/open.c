/* SPDX-License-Identifier: MIT */
/* Opening and closing a drive: which transport a path means, and waiting until
 * the drive has come to itself. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "mmc/command.h"
#include "mmc/holder.h"

#define READY_LIMIT_US UINT64_C(60000000) /* a tray that closes and a disc that spins up take up to 15 s */
#define READY_PAUSE_US 250000

#define CDROM_MAJOR 11 /* block devices of the kernel's sr driver */
#define DEVICE_CD   5  /* peripheral device type (SPC-4 6.6.2) */

static int error_set(struct mmc_error *error, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static int error_set(struct mmc_error *error, int code, const char *format, ...)
{
    va_list args;

    if (!error)
        return code;
    *error = (struct mmc_error){.error = code, .command = ""};
    va_start(args, format);
    vsnprintf(error->text, sizeof(error->text), format, args);
    va_end(args);
    return code;
}

static int drive_new(struct mmc_transport *transport, struct mmc_drive **drive)
{
    struct mmc_drive *d = calloc(1, sizeof(*d));

    if (!d)
        return -ENOMEM;
    if (pthread_mutex_init(&d->lock, NULL) != 0) {
        free(d);
        return -ENOMEM;
    }
    d->transport = transport;
    d->last.command = "";
    *drive = d;
    return 0;
}

static int busy_note(struct mmc_drive *drive, const struct mmc_sense *sense)
{
    char words[128], percent[32] = "";

    if (sense->progress_set)
        snprintf(percent, sizeof(percent), ", %u %% done", (unsigned)(sense->progress * 100u / 65536));
    return mmc_error_note(drive, -EBUSY, "The drive is busy: %s%s. Wait until it is done, then try again.",
                          mmc_sense_text(sense, words, sizeof(words)), percent);
}

/* Waits until the drive says something other than that it is busy; that there
 * is no medium is an answer, too. */
static int drive_settle(struct mmc_drive *drive)
{
    uint64_t deadline = mmc_drive_now(drive) + READY_LIMIT_US;
    bool started = false;

    for (;;) {
        struct mmc_sense sense;
        int error = mmc_test_unit_ready(drive, true, &sense);
        bool stopped = sense.key == MMC_KEY_NOT_READY && sense.asc == 0x04 && sense.ascq == 0x02;

        if (error && sense.key == MMC_KEY_NO_SENSE && error != -EBUSY)
            return mmc_error_keep(drive, error, 0x00, NULL, NULL);
        if (stopped && !started) {
            started = true;
            mmc_start_stop(drive, MMC_START_SPIN_UP);
        } else if (error != -EBUSY || stopped) {
            return 0;
        }
        if (mmc_drive_now(drive) >= deadline)
            return busy_note(drive, &sense);
        mmc_drive_pause(drive, READY_PAUSE_US);
    }
}

int mmc_open_transport(struct mmc_transport *transport, struct mmc_drive **drive, struct mmc_error *error)
{
    struct mmc_drive *d;
    int rc = drive_new(transport, &d);

    if (rc) {
        transport->ops->close(transport);
        return error_set(error, rc, "Out of memory.");
    }
    rc = drive_settle(d);
    if (rc) {
        if (error)
            mmc_error_last(d, error);
        mmc_close(d);
        return rc;
    }
    *drive = d;
    return 0;
}

/* Only CD drives are drives here; what else has a node (disks, scanners, terminals) is left to others. */
static int drive_check_type(struct mmc_drive *drive, const char *path, struct mmc_error *error)
{
    struct mmc_inquiry inquiry;
    unsigned type;
    int rc = mmc_inquiry_read(drive, &inquiry, &type);

    if (rc) {
        if (error)
            mmc_error_last(drive, error);
        return rc;
    }
    return type == DEVICE_CD ? 0 : error_set(error, -ENOTBLK, "%s is not a CD drive.", path);
}

static int sg_open_error(const char *path, int rc, const char *holder, struct mmc_error *error)
{
    switch (rc) {
    case -EBUSY:
        return error_set(error, rc, "%s is in use by %s. End it, or unmount the disc, first.", path,
                         holder[0] ? holder : "another program (run as root to see which)");
    case -EACCES:
    case -EPERM:
        return error_set(error, rc, "%s may not be opened by this user. Membership of group cdrom is needed.",
                         path);
    default:
        return error_set(error, rc, "%s cannot be opened: %s.", path, strerrordesc_np(-rc));
    }
}

static int sg_drive_open(const char *path, bool read_only, struct mmc_drive **drive, struct mmc_error *error)
{
    struct mmc_transport *transport;
    struct mmc_drive *d;
    char holder[128];
    int rc = mmc_sg_open(path, read_only, holder, sizeof(holder), &transport);

    if (rc)
        return sg_open_error(path, rc, holder, error);
    rc = mmc_open_transport(transport, &d, error);
    if (rc == -ENOTBLK)
        return error_set(error, rc, "%s is not a CD drive.", path);
    if (rc)
        return rc;
    rc = drive_check_type(d, path, error);
    if (rc) {
        mmc_close(d);
        return rc;
    }
    *drive = d;
    return 0;
}

static int vdrive_open_error(const char *path, int rc, int pid, struct mmc_error *error)
{
    char holder[128] = "another process";

    switch (rc) {
    case -EBUSY:
        if (pid > 0)
            mmc_holder_name(pid, holder, sizeof(holder));
        return error_set(error, rc, "%s is in use by %s. End it, or unmount the disc, first.", path, holder);
    case -EMEDIUMTYPE:
        return error_set(error, rc, "%s is a damaged virtual disc: its files do not make sense.", path);
    default:
        return error_set(error, rc, "%s cannot be opened: %s.", path, strerrordesc_np(-rc));
    }
}

static int vdrive_drive_open(const char *path, const struct vdrive_options *options, bool read_only,
                             struct mmc_drive **drive, struct mmc_error *error)
{
    struct vdrive_options o = *options;
    struct mmc_transport *transport;
    struct vdrive *v;
    int rc, pid = 0;

    o.read_only = o.read_only || read_only;
    rc = vdrive_open(path, &o, &pid, &v);
    if (rc)
        return vdrive_open_error(path, rc, pid, error);
    rc = mmc_vdrive_transport(v, &transport);
    if (rc) {
        vdrive_close(v);
        return error_set(error, rc, "Out of memory.");
    }
    rc = mmc_open_transport(transport, drive, error);
    if (rc == 0)
        (*drive)->vdrive = v;
    return rc;
}

int mmc_open(const char *path, const struct mmc_open_options *options, struct mmc_drive **drive,
             struct mmc_error *error)
{
    static const struct mmc_open_options plain;
    struct stat st;
    int rc;

    if (!options)
        options = &plain;
    if (stat(path, &st) != 0)
        return error_set(error, -errno, "%s cannot be opened: %s.", path, strerrordesc_np(errno));
    if ((S_ISBLK(st.st_mode) && major(st.st_rdev) == CDROM_MAJOR) || S_ISCHR(st.st_mode))
        rc = sg_drive_open(path, options->read_only, drive, error);
    else if (S_ISDIR(st.st_mode) && vdrive_disc_is(path))
        rc = vdrive_drive_open(path, &options->vdrive, options->read_only, drive, error);
    else
        rc = error_set(error, -ENOTBLK, "%s is neither a CD drive nor a virtual disc.", path);
    if (rc == 0)
        (*drive)->read_only = options->read_only || ((*drive)->vdrive && vdrive_read_only((*drive)->vdrive));
    return rc;
}

void mmc_close(struct mmc_drive *drive)
{
    if (!drive)
        return;
    drive->transport->ops->close(drive->transport);
    pthread_mutex_destroy(&drive->lock);
    free(drive);
}

bool mmc_drive_read_only(const struct mmc_drive *drive)
{
    return drive->read_only;
}

int mmc_drive_stats(struct mmc_drive *drive, struct vdrive_stats *stats)
{
    if (!drive->vdrive)
        return -ENOTSUP;
    vdrive_stats_get(drive->vdrive, stats);
    return 0;
}
