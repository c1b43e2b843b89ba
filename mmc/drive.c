/* SPDX-License-Identifier: MIT */
/*
 * How a command is carried out: unit attentions, busy answers, late errors and aborted commands are dealt
 * with here, so that the commands see only success or a failure that means something.
 */
#include "mmc/drive.h"

#include <errno.h>
#include <string.h>

#include "mmc/command.h"

#define ATTENTIONS_MAX 16 /* unit attentions in a row that one command outlives */
#define DEFERRED_MAX   64 /* likewise late errors: a drive reports each failed write by itself */
#define ABORTS_MAX     3

#define PAUSE_BUFFER_US 20000  /* until a full buffer has room again: less than a packet takes at 10x */
#define PAUSE_BUSY_US   200000 /* until a busy drive is asked again */

/* What becomes of a command after an answer. */
enum verdict {
    VERDICT_DONE,
    VERDICT_AGAIN, /* at once */
    VERDICT_LATER, /* after pause_us, while the deadline allows */
    VERDICT_FAILED,
};

/* One command's way through its answers. */
struct attempt {
    struct mmc_drive *drive;
    struct mmc_call *call;
    uint64_t deadline, pause_us;
    unsigned attentions, deferred, aborts;
    int error;
};

uint64_t mmc_drive_now(struct mmc_drive *drive)
{
    return drive->transport->ops->now(drive->transport);
}

void mmc_drive_pause(struct mmc_drive *drive, uint64_t microseconds)
{
    drive->transport->ops->wait(drive->transport, microseconds);
}

bool mmc_sense_busy(const struct mmc_sense *sense)
{
    if (sense->key != MMC_KEY_NOT_READY || sense->asc != 0x04)
        return false;
    switch (sense->ascq) {
    case 0x00:
    case 0x01:
    case 0x04:
    case 0x07:
    case 0x08:
        return true;
    default:
        return false;
    }
}

void mmc_medium_pin(struct mmc_drive *drive)
{
    pthread_mutex_lock(&drive->lock);
    drive->pinned = true;
    drive->stale = false;
    pthread_mutex_unlock(&drive->lock);
}

void mmc_medium_unpin(struct mmc_drive *drive)
{
    pthread_mutex_lock(&drive->lock);
    drive->pinned = false;
    drive->stale = false;
    pthread_mutex_unlock(&drive->lock);
}

unsigned mmc_medium_changes(struct mmc_drive *drive)
{
    unsigned n;

    pthread_mutex_lock(&drive->lock);
    n = drive->medium_changes;
    pthread_mutex_unlock(&drive->lock);
    return n;
}

bool mmc_deferred_take(struct mmc_drive *drive, struct mmc_deferred *deferred)
{
    bool any;

    pthread_mutex_lock(&drive->lock);
    any = drive->deferred.count > 0;
    if (deferred)
        *deferred = drive->deferred;
    drive->deferred = (struct mmc_deferred){0};
    pthread_mutex_unlock(&drive->lock);
    return any;
}

/* Called with the lock held. */
static void deferred_put(struct mmc_drive *drive, const struct mmc_call *call)
{
    const mmc_lba_t lba = mmc_lba(call->sense.lba);
    int error = call->sense.deferred ? mmc_sense_errno(&call->sense) : -EIO;

    drive->deferred.count++;
    mmc_error_make(&drive->deferred.error, error, call->request.cdb[0], call->sense.lba_set ? &lba : NULL,
                   &call->sense);
}

static enum verdict deferred_judge(struct attempt *a)
{
    if (a->call->sense.key != MMC_KEY_RECOVERED) {
        pthread_mutex_lock(&a->drive->lock);
        deferred_put(a->drive, a->call);
        pthread_mutex_unlock(&a->drive->lock);
    }
    a->error = -EIO;
    return ++a->deferred <= DEFERRED_MAX ? VERDICT_AGAIN : VERDICT_FAILED;
}

/* A reset empties the drive's buffer, so what was written and not synced may be lost,
 * as if a write had failed late. */
static void attention_note(struct mmc_drive *drive, const struct mmc_call *call)
{
    pthread_mutex_lock(&drive->lock);
    switch (call->sense.asc) {
    case 0x28:
        drive->medium_changes++;
        drive->stale = drive->pinned;
        drive->params_lost = true;
        break;
    case 0x29:
        if (drive->writes != drive->writes_synced)
            deferred_put(drive, call);
        drive->params_lost = true;
        break;
    case 0x2A:
        drive->params_lost = true;
        break;
    default:
        break;
    }
    pthread_mutex_unlock(&drive->lock);
}

static enum verdict attention_judge(struct attempt *a)
{
    attention_note(a->drive, a->call);
    a->error = mmc_sense_errno(&a->call->sense);
    if (a->call->sense.asc == 0x2E)
        return VERDICT_FAILED;
    return ++a->attentions <= ATTENTIONS_MAX ? VERDICT_AGAIN : VERDICT_FAILED;
}

static enum verdict busy_judge(struct attempt *a)
{
    bool buffer_full = a->call->sense.asc == 0x04 && a->call->sense.ascq == 0x08;

    a->error = -EBUSY;
    if ((a->call->flags & MMC_CALL_POLL) || mmc_drive_now(a->drive) >= a->deadline)
        return VERDICT_FAILED;
    a->pause_us = buffer_full ? PAUSE_BUFFER_US : PAUSE_BUSY_US;
    return VERDICT_LATER;
}

static enum verdict sense_judge(struct attempt *a)
{
    struct mmc_call *call = a->call;

    mmc_sense_decode(call->request.sense, call->request.sense_len, &call->sense);
    if (call->sense.deferred)
        return deferred_judge(a);
    if (call->sense.key == MMC_KEY_UNIT_ATTENTION)
        return attention_judge(a);
    if (mmc_sense_busy(&call->sense))
        return busy_judge(a);
    if (call->sense.key == MMC_KEY_RECOVERED)
        return VERDICT_DONE;
    a->error = mmc_sense_errno(&call->sense);
    if (call->sense.key == MMC_KEY_ABORTED && !(call->flags & MMC_CALL_WRITES) && ++a->aborts <= ABORTS_MAX)
        return VERDICT_AGAIN;
    return VERDICT_FAILED;
}

static enum verdict status_judge(struct attempt *a)
{
    struct mmc_request *r = &a->call->request;

    switch (r->status) {
    case MMC_STATUS_GOOD:
        return VERDICT_DONE;
    case MMC_STATUS_CHECK_CONDITION:
        if (r->sense_len > sizeof(r->sense))
            r->sense_len = sizeof(r->sense);
        return sense_judge(a);
    case MMC_STATUS_BUSY:
    case 0x28: /* TASK SET FULL: as BUSY */
        return busy_judge(a);
    default:
        a->error = r->status == 0x18 ? -EBUSY : -EIO; /* RESERVATION CONFLICT */
        return VERDICT_FAILED;
    }
}

static enum verdict attempt_once(struct attempt *a)
{
    struct mmc_request *r = &a->call->request;

    a->call->sense = (struct mmc_sense){0};
    r->status = MMC_STATUS_GOOD;
    r->transferred = 0;
    r->sense_len = 0;
    a->error = a->drive->transport->ops->execute(a->drive->transport, r);
    if (a->error)
        return VERDICT_FAILED;
    if (r->transferred > r->data_len)
        r->transferred = r->data_len;
    return status_judge(a);
}

static int params_restore(struct mmc_drive *drive, const uint8_t *page)
{
    int error = mmc_mode_select(drive, page, MMC_WRITE_PARAMS_LEN, 0);

    if (error) {
        pthread_mutex_lock(&drive->lock);
        drive->params_lost = true;
        pthread_mutex_unlock(&drive->lock);
    }
    return error;
}

/* What must be true before the command is sent, each time: the right medium, and write
 * parameters that are in force. */
static int attempt_prepare(struct attempt *a)
{
    struct mmc_drive *drive = a->drive;
    uint8_t page[MMC_WRITE_PARAMS_LEN];
    bool stale, restore;

    if ((a->call->flags & MMC_CALL_WRITES) && drive->read_only)
        return -EROFS;
    pthread_mutex_lock(&drive->lock);
    stale = drive->stale && (a->call->flags & MMC_CALL_MEDIUM);
    restore = drive->params_valid && drive->params_lost && (a->call->flags & MMC_CALL_PARAMS);
    if (restore) {
        memcpy(page, drive->params, sizeof(page));
        drive->params_lost = false;
    }
    pthread_mutex_unlock(&drive->lock);
    if (stale)
        return -ESTALE;
    return restore ? params_restore(drive, page) : 0;
}

static int attempt_finish(struct attempt *a, int error)
{
    struct mmc_call *call = a->call;

    if (call->flags & (MMC_CALL_POLL | MMC_CALL_TRY))
        return error;
    return mmc_error_keep(a->drive, error, call->request.cdb[0], call->lba_set ? &call->lba : NULL,
                          &call->sense);
}

int mmc_execute(struct mmc_drive *drive, struct mmc_call *call)
{
    struct attempt a = {.drive = drive, .call = call};

    a.deadline = mmc_drive_now(drive) + call->request.timeout_s * UINT64_C(1000000);
    for (;;) {
        call->sense = (struct mmc_sense){0};
        int error = attempt_prepare(&a);

        if (error)
            return attempt_finish(&a, error);
        switch (attempt_once(&a)) {
        case VERDICT_DONE:
            return 0;
        case VERDICT_AGAIN:
            break;
        case VERDICT_LATER:
            mmc_drive_pause(drive, a.pause_us);
            break;
        case VERDICT_FAILED:
            return attempt_finish(&a, a.error);
        }
    }
}
