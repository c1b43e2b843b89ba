/* SPDX-License-Identifier: MIT */
/* What blanking and formatting share inside this room. */
#ifndef MMC_FORMAT_H
#define MMC_FORMAT_H

#include "mmc/command.h"

/* One blanking or formatting under way: the disc as it was at the start, and who wants to hear of it. */
struct mmc_job {
    struct mmc_drive *drive;
    struct mmc_disc_info info;
    mmc_progress_fn *progress;
    void *ctx;
};

/*
 * Looks at the disc, refuses with a sentence what is no CD-RW (verb: what it cannot be, as "blanked"), and
 * sets the highest speed. Returns 0, -ENOMEDIUM, -EMEDIUMTYPE, or what mmc_disc_info_get returns.
 */
int mmc_job_begin(struct mmc_job *job, struct mmc_drive *drive, const char *verb, mmc_progress_fn *progress,
                  void *ctx);

/* Waits for what the drive was told to do with blocks of the medium, besides
 * overhead_s. Returns as mmc_drive_wait. */
int mmc_job_wait(struct mmc_job *job, const char *phase, uint32_t blocks, unsigned overhead_s);

/* Blanks, waits, and makes sure. Returns 0 or -errno. */
int mmc_job_blank(struct mmc_job *job, bool full);

/* Writes a small track and closes its session for good, for drives that format no
 * blank disc. Returns 0 or -errno. */
int mmc_job_session(struct mmc_job *job);

/* Whether the drive has refused a command as it was put, so that another form of it may do. */
bool mmc_refused(int error);

#endif
