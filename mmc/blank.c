/* SPDX-License-Identifier: MIT */
/* Blanking a CD-RW, and the small session that some drives want on a disc before they format it. */
#include <errno.h>
#include <stdlib.h>

#include "mmc/format.h"
#include "mmc/writeparams.h"

#define LEADIN_BLOCKS   4500u
#define LEADOUT_BLOCKS  6750u
#define PROGRAM_BLOCKS  359849u /* of an 80-minute disc, where the disc does not tell */
#define SPEED_1X_KBS    176.4
#define SPEED_GUESS_KBS 706u /* 4x: every CD-RW since the first can do it */

#define BLANK_OVERHEAD_S 40 /* calibrating, program memory area, settling */
#define SETTLE_LIMIT_US  UINT64_C(30000000)
#define SETTLE_PAUSE_US  1000000
#define WAIT_LEAST_S     300u
#define TRACK_LEAST      320u /* blocks: a track has at least 300, here in whole packets */

bool mmc_refused(int error)
{
    return error == -EINVAL || error == -EMEDIUMTYPE || error == -EOPNOTSUPP;
}

static unsigned speed_highest(const struct mmc_disc_info *info)
{
    unsigned highest = 0;

    for (unsigned i = 0; i < info->write_speed_count; i++)
        if (info->write_speeds_kbs[i] > highest)
            highest = info->write_speeds_kbs[i];
    return highest ? highest : SPEED_GUESS_KBS;
}

static double blocks_seconds(uint32_t blocks, unsigned kbs)
{
    return blocks / 75.0 / (kbs / SPEED_1X_KBS);
}

static int medium_refuse(struct mmc_drive *drive, const struct mmc_disc_info *info, const char *verb)
{
    switch (info->medium) {
    case MMC_MEDIUM_NONE:
        return mmc_error_note(drive, -ENOMEDIUM, "There is no disc in the drive%s. Put a CD-RW in.",
                              info->tray_open ? ", and the tray is open" : "");
    case MMC_MEDIUM_CD_R:
        return mmc_error_note(drive, -EMEDIUMTYPE, "This disc is a CD-R, which cannot be %s. Use a CD-RW.",
                              verb);
    case MMC_MEDIUM_CD_ROM:
        return mmc_error_note(
            drive, -EMEDIUMTYPE,
            "This disc is pressed or a CD-R that is closed, which cannot be %s. Use a CD-RW.", verb);
    default:
        return mmc_error_note(drive, -EMEDIUMTYPE,
                              "This disc is no CD (profile %04Xh) and cannot be %s as one. Use a CD-RW.",
                              (unsigned)info->profile, verb);
    }
}

int mmc_job_begin(struct mmc_job *job, struct mmc_drive *drive, const char *verb, mmc_progress_fn *progress,
                  void *ctx)
{
    int error;

    *job = (struct mmc_job){.drive = drive, .progress = progress, .ctx = ctx};
    error = mmc_disc_info_get(drive, &job->info);
    if (error)
        return error;
    if (job->info.medium != MMC_MEDIUM_CD_RW)
        return medium_refuse(drive, &job->info, verb);
    if (drive->read_only)
        return mmc_error_note(drive, -EROFS, "The drive was opened only to look, so the disc cannot be %s.",
                              verb);
    mmc_speed_set(drive, MMC_SPEED_MAX, MMC_SPEED_MAX);
    mmc_deferred_take(drive, NULL);
    return 0;
}

int mmc_job_wait(struct mmc_job *job, const char *phase, uint32_t blocks, unsigned overhead_s)
{
    unsigned highest = speed_highest(&job->info);
    unsigned slow = highest < SPEED_GUESS_KBS ? highest : SPEED_GUESS_KBS;
    struct mmc_wait wait = {.phase = phase, .progress = job->progress, .ctx = job->ctx};

    /* The drive may go slower than it claims, so the deadline, at three times the
     * model, counts with a slow one. */
    wait.estimate_s = blocks_seconds(blocks, highest) + overhead_s;
    wait.limit_s = (unsigned)(3 * (blocks_seconds(blocks, slow < 1 ? 1 : slow) + overhead_s));
    if (wait.limit_s < WAIT_LEAST_S)
        wait.limit_s = WAIT_LEAST_S;
    return mmc_drive_wait(job->drive, &wait);
}

static uint32_t program_blocks(const struct mmc_disc_info *info)
{
    return info->atip_valid ? (uint32_t)info->atip_leadout.n : PROGRAM_BLOCKS;
}

/* Some drives claim to be ready a little early: the disc must also look blank, within some seconds. */
static int blank_confirm(struct mmc_job *job, uint32_t blocks)
{
    uint64_t deadline = 0;
    struct mmc_disc_information d;
    int error;

    for (;;) {
        error = mmc_job_wait(job, "blanking", blocks, BLANK_OVERHEAD_S);
        if (error)
            return error;
        if (deadline == 0)
            deadline = mmc_drive_now(job->drive) + SETTLE_LIMIT_US;
        error = mmc_disc_information_read(job->drive, false, &d, NULL);
        if (!error && d.disc_status == MMC_DISC_BLANK)
            return 0;
        if (mmc_drive_now(job->drive) >= deadline)
            break;
        mmc_drive_pause(job->drive, SETTLE_PAUSE_US);
    }
    return error ? error
                 : mmc_error_note(job->drive, -EIO,
                                  "The drive says that it has blanked the disc, but the disc is not "
                                  "blank. Try a full blank, or another disc.");
}

int mmc_job_blank(struct mmc_job *job, bool full)
{
    enum mmc_blank_type type = full ? MMC_BLANK_FULL : MMC_BLANK_MINIMAL;
    uint32_t blocks = full ? program_blocks(&job->info) + LEADIN_BLOCKS + LEADOUT_BLOCKS : LEADIN_BLOCKS;
    int error = mmc_blank_send(job->drive, type, 0, true);

    if (mmc_refused(error))
        error = mmc_blank_send(job->drive, type, 0, false);
    return error ? error : blank_confirm(job, blocks);
}

int mmc_blank(struct mmc_drive *drive, bool full, mmc_progress_fn *progress, void *ctx)
{
    struct mmc_job job;
    int error = mmc_job_begin(&job, drive, "blanked", progress, ctx);

    return error ? error : mmc_job_blank(&job, full);
}

static int deferred_check(struct mmc_drive *drive)
{
    struct mmc_deferred d;

    if (!mmc_deferred_take(drive, &d))
        return 0;
    return mmc_error_keep(drive, d.error.error, d.error.opcode, d.error.lba_set ? &d.error.lba : NULL,
                          &d.error.sense);
}

static int zeros_write(struct mmc_drive *drive, mmc_lba_t first)
{
    void *zeros = calloc(MMC_PACKET_BLOCKS, MMC_BLOCK_BYTES);
    int error = zeros ? 0 : -ENOMEM;

    for (uint32_t done = 0; !error && done < TRACK_LEAST; done += MMC_PACKET_BLOCKS)
        error = mmc_write10(drive, mmc_lba_add(first, done), MMC_PACKET_BLOCKS, zeros);
    free(zeros);
    if (!error)
        error = mmc_synchronize_cache(drive);
    return error ? error : deferred_check(drive);
}

static int close_and_wait(struct mmc_job *job, enum mmc_close what, unsigned track)
{
    int error = mmc_close_send(job->drive, what, track, true);

    if (mmc_refused(error))
        error = mmc_close_send(job->drive, what, track, false);
    if (error && error != -EBUSY) /* busy: accepted, and at work on it */
        return error;
    return mmc_job_wait(job, "closing the session", LEADIN_BLOCKS + LEADOUT_BLOCKS, BLANK_OVERHEAD_S);
}

int mmc_job_session(struct mmc_job *job)
{
    struct mmc_drive *drive = job->drive;
    struct mmc_track track;
    int error = mmc_write_params_set_tao(drive, MMC_MULTI_NONE);

    if (!error)
        error = mmc_opc_send(drive);
    if (error)
        return error;
    if (mmc_track_information_read(drive, MMC_TRACK_NEXT, &track) != 0 || !track.nwa_valid)
        track = (struct mmc_track){.number = 1, .nwa = mmc_lba(0)}; /* as it is on every blank disc */
    error = zeros_write(drive, track.nwa);
    if (error)
        return error;
    /* SYNCHRONIZE CACHE has closed the track in most drives, and some refuse to close it again. */
    error = close_and_wait(job, MMC_CLOSE_TRACK, track.number);
    if (error && !mmc_refused(error))
        return error;
    return close_and_wait(job, MMC_CLOSE_SESSION, 0);
}
