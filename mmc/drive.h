/* SPDX-License-Identifier: MIT */
/*
 * The inside of a drive handle, for the files of this room only: how a command is carried out with all the
 * patience that real drives ask for, and what is remembered of what they said. Commands themselves are built
 * in command*.c.
 */
#ifndef MMC_DRIVE_H
#define MMC_DRIVE_H

#include <pthread.h>

#include "mmc/mmc.h"

/*
 * What drives report late: the failure of writes that they had accepted before (deferred sense, 71h), or a
 * reset that emptied their buffer. count is 0 when there was none; error tells of the last one.
 */
struct mmc_deferred {
    unsigned count;
    struct mmc_error error;
};

#define MMC_WRITE_PARAMS_LEN 52 /* mode page 05h with its header of two bytes (MMC-5 7.5.4) */

struct mmc_drive {
    struct mmc_transport *transport;
    struct vdrive *vdrive; /* behind the transport, which owns it; NULL with a real drive */
    bool read_only;

    pthread_mutex_t lock; /* guards all below; never held while a command runs */
    struct mmc_error last;
    struct mmc_deferred deferred;
    uint64_t writes;        /* WRITE commands sent ... */
    uint64_t writes_synced; /* ... and how many of them a SYNCHRONIZE CACHE has covered */
    bool pinned, stale;     /* see mmc_medium_pin */
    unsigned medium_changes;
    bool params_valid; /* params is what MODE SELECT set last ... */
    bool params_lost;  /* ... and a reset or a new medium may have undone it */
    uint8_t params[MMC_WRITE_PARAMS_LEN];
};

enum mmc_call_flags {
    /* A busy answer goes to the caller at once, and no failure is remembered as the last error. */
    MMC_CALL_POLL = 1,
    /* Failures are expected: they are not remembered as the last error. */
    MMC_CALL_TRY = 2,
    /* It is about what lies on the medium: fails with -ESTALE when the pinned medium is gone. */
    MMC_CALL_MEDIUM = 4,
    /* It changes the medium or how it is written: -EROFS on a drive opened to look
     * only; not repeated after an abort. */
    MMC_CALL_WRITES = 8,
    /* It needs mode page 05h, which is set again before the command when a reset has undone it. */
    MMC_CALL_PARAMS = 16,
};

/* One command on its way through mmc_execute: the caller fills request (down to timeout_s), flags and lba. */
struct mmc_call {
    struct mmc_request request;
    unsigned flags;
    bool lba_set;
    mmc_lba_t lba;
    struct mmc_sense sense; /* of the last answer; all 0 when it was GOOD or none came */
};

/*
 * Carries a command out. Unit attentions are counted and the command repeated; a drive that is busy (2/04/00,
 * 01, 04, 07, 08 or status BUSY) is waited for, up to a deadline; deferred errors are put aside for
 * mmc_deferred_take and the command, which such an answer leaves undone (SPC-4 4.5.5), is repeated; recovered
 * errors count as success. Whatever remains is remembered as the drive's last error. Returns 0 or -errno: of
 * the transport, of mmc_sense_errno, -ESTALE (see mmc_medium_pin), -EROFS.
 */
int mmc_execute(struct mmc_drive *drive, struct mmc_call *call);

/* Whether the sense says that the drive is at work and will be ready later. */
bool mmc_sense_busy(const struct mmc_sense *sense);

/* Time on the transport's clock in microseconds, and letting it pass. */
uint64_t mmc_drive_now(struct mmc_drive *drive);
void mmc_drive_pause(struct mmc_drive *drive, uint64_t microseconds);

/*
 * Waits until the drive has done what it was told: until TEST UNIT READY and READ DISC INFORMATION both no
 * longer say that it is busy, since some drives tell it by one of them only. estimate_s is the time model,
 * for the progress of drives that report none and for the poll interval; limit_s is the deadline. progress
 * may be NULL. Returns 0, -ETIMEDOUT, -EINTR (progress said so), or the error that the operation ended with,
 * deferred ones included.
 */
struct mmc_wait {
    const char *phase;
    double estimate_s;
    unsigned limit_s;
    mmc_progress_fn *progress;
    void *ctx;
};
int mmc_drive_wait(struct mmc_drive *drive, const struct mmc_wait *wait);

/* Moves what was put aside into *deferred and forgets it. Returns true when there
 * was any. deferred may be NULL. */
bool mmc_deferred_take(struct mmc_drive *drive, struct mmc_deferred *deferred);

/*
 * Binds the drive to the medium that is in it: from now on, once the drive reports that the medium may have
 * changed (6/28), every command marked MMC_CALL_MEDIUM fails with -ESTALE, so that nothing goes to another
 * disc by mistake.
 */
void mmc_medium_pin(struct mmc_drive *drive);
void mmc_medium_unpin(struct mmc_drive *drive);

/* How often the drive has reported a changed medium since it was opened. */
unsigned mmc_medium_changes(struct mmc_drive *drive);

/* Fills *e with what a command ended with and its sentence: sense and lba may be NULL. */
void mmc_error_make(struct mmc_error *e, int error, uint8_t opcode, const mmc_lba_t *lba,
                    const struct mmc_sense *sense);

/*
 * Remembers as last error what a command ended with: sense may be NULL, and so may lba when the command is
 * about no block. Returns error.
 */
int mmc_error_keep(struct mmc_drive *drive, int error, uint8_t opcode, const mmc_lba_t *lba,
                   const struct mmc_sense *sense);

/* Remembers as last error one that no command had: error is -errno, the sentence as
 * printf makes it. Returns error. */
int mmc_error_note(struct mmc_drive *drive, int error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
