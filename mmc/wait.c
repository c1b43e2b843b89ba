/* SPDX-License-Identifier: MIT */
/*
 * Waiting for a drive at work. Drives differ in which of TEST UNIT READY and READ DISC INFORMATION tells that
 * an operation still runs, and in whether they tell how far it is, so both are asked, and a time model fills
 * in.
 */
#include <errno.h>

#include "mmc/command.h"

#define POLL_FIRST_US 100000
#define POLL_MOST_US  1000000

/* One wait's course. */
struct course {
    struct mmc_drive *drive;
    const struct mmc_wait *wait;
    uint64_t start;
    double reached;        /* highest fraction shown, since some drives' progress jumps back */
    struct mmc_sense busy; /* the last busy answer */
};

/* Whether an answer means that the operation itself has failed, and not only
 * that the question was refused. */
static bool answer_fatal(int error, const struct mmc_sense *sense)
{
    switch (sense->key) {
    case MMC_KEY_MEDIUM_ERROR:
    case MMC_KEY_HARDWARE_ERROR:
        return true;
    case MMC_KEY_NO_SENSE: /* the transport failed */
        return error == -ENODEV || error == -ETIMEDOUT || error == -EPERM || error == -EIO;
    default:
        return error == -ENOMEDIUM;
    }
}

static bool answer_busy(int error, const struct mmc_sense *sense)
{
    return mmc_sense_busy(sense) || (error == -EBUSY && sense->key == MMC_KEY_NO_SENSE);
}

/* Returns 0 when the drive is idle, 1 when it is busy, else the error that the operation ended with. */
static int course_poll(struct course *c)
{
    struct mmc_disc_information information;
    struct mmc_deferred deferred;
    struct mmc_sense sense;
    uint8_t opcode = 0x00;
    int error;

    error = mmc_test_unit_ready(c->drive, true, &sense);
    if (!answer_busy(error, &sense) && !(error && answer_fatal(error, &sense))) {
        opcode = 0x51;
        error = mmc_disc_information_read(c->drive, true, &information, &sense);
    }
    if (mmc_deferred_take(c->drive, &deferred))
        return mmc_error_keep(c->drive, deferred.error.error, deferred.error.opcode,
                              deferred.error.lba_set ? &deferred.error.lba : NULL, &deferred.error.sense);
    if (answer_busy(error, &sense)) {
        c->busy = sense;
        return 1;
    }
    if (error && answer_fatal(error, &sense))
        return mmc_error_keep(c->drive, error, opcode, NULL, &sense);
    return 0;
}

/* Some drives tell the progress only when asked for sense. */
static bool course_asked(struct course *c, double *fraction)
{
    struct mmc_sense sense = c->busy;

    if (!sense.progress_set && mmc_request_sense(c->drive, &sense) != 0)
        return false;
    *fraction = sense.progress / 65536.0;
    return sense.progress_set;
}

/* Returns true when the caller wants to wait no longer. */
static bool course_show(struct course *c)
{
    double elapsed = (double)(mmc_drive_now(c->drive) - c->start) / 1e6, fraction = 0;
    bool told;

    if (!c->wait->progress)
        return false;
    told = course_asked(c, &fraction);
    if (!told && c->wait->estimate_s > 0)
        fraction = elapsed / c->wait->estimate_s;
    if (fraction > 0.99)
        fraction = 0.99;
    if (fraction > c->reached)
        c->reached = fraction;
    return c->wait->progress(c->wait->ctx, c->wait->phase, c->reached, !told) != 0;
}

int mmc_drive_wait(struct mmc_drive *drive, const struct mmc_wait *wait)
{
    struct course c = {.drive = drive, .wait = wait, .start = mmc_drive_now(drive)};
    uint64_t deadline = c.start + wait->limit_s * UINT64_C(1000000), pause = POLL_FIRST_US;

    for (;;) {
        int state = course_poll(&c);

        if (state <= 0)
            return state;
        if (mmc_drive_now(drive) >= deadline)
            return mmc_error_note(
                drive, -ETIMEDOUT,
                "The drive was still %s after %u s, which is too long. Take the disc out, or switch "
                "the drive off and on.",
                wait->phase, wait->limit_s);
        if (course_show(&c))
            return mmc_error_note(drive, -EINTR, "Interrupted while %s; the drive goes on by itself.",
                                  wait->phase);
        mmc_drive_pause(drive, pause);
        pause = pause * 2 < POLL_MOST_US ? pause * 2 : POLL_MOST_US;
    }
}
