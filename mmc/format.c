/* SPDX-License-Identifier: MIT */
/*
 * Formatting a CD-RW into fixed packets: FORMAT UNIT type 10h over what READ FORMAT CAPACITIES offers. Drives
 * differ in which write parameters, list and disc they want to see, so the forms are tried until one is
 * taken.
 */
#include "mmc/format.h"

#include <errno.h>

#include "mmc/writeparams.h"

#define FORMAT_OVERHEAD_S 60
#define SETTLE_LIMIT_US   UINT64_C(30000000)
#define SETTLE_PAUSE_US   1000000

/* Forms of the command, the likeliest first. */
static const struct format_form {
    bool immed, options_valid, legacy;
} format_forms[] = {
    {.immed = true, .options_valid = true},
    {.immed = true, .options_valid = false},
    {.immed = false, .options_valid = true},
    {.immed = true, .legacy = true},
};
#define FORMAT_FORMS (sizeof(format_forms) / sizeof(format_forms[0]))

/*
 * The blocks to format: what the drive offers or, where it offers nothing, what fits before the last possible
 * start of the lead-out: packets with 7 blocks of links each, behind 152 blocks that lie before the first
 * one.
 */
static uint32_t target_blocks(struct mmc_job *job, bool guess)
{
    struct mmc_format_capacities capacities;
    uint32_t blocks = 0;

    if (mmc_format_capacities_read(job->drive, &capacities) == 0)
        blocks = mmc_format_capacity_packets(&capacities);
    if (blocks == 0 && guess && job->info.atip_valid)
        blocks = ((uint32_t)job->info.atip_leadout.n + 150 - 152 + 7) / 39 * MMC_PACKET_BLOCKS;
    return blocks;
}

/* Some drives claim to be ready early, and some have forgotten what they did:
 * the disc must show the packets. */
static int format_confirm(struct mmc_job *job, uint32_t blocks)
{
    uint64_t deadline = 0;
    int error;

    for (;;) {
        error = mmc_job_wait(job, "formatting", blocks / MMC_PACKET_BLOCKS * 39, FORMAT_OVERHEAD_S);
        if (error)
            return error;
        if (deadline == 0)
            deadline = mmc_drive_now(job->drive) + SETTLE_LIMIT_US;
        error = mmc_disc_info_get(job->drive, &job->info);
        if (!error && job->info.formatted)
            return 0;
        if (mmc_drive_now(job->drive) >= deadline)
            break;
        mmc_drive_pause(job->drive, SETTLE_PAUSE_US);
    }
    return error ? error
                 : mmc_error_note(
                       job->drive, -EIO,
                       "The drive says that it has formatted the disc, but the disc is not in packet form. "
                       "Try again, or use another disc.");
}

/* Sends the command in its forms until one is accepted, under the write parameters that are set. */
static int forms_send(struct mmc_job *job, uint32_t blocks)
{
    int error = -EINVAL;

    for (unsigned i = 0; i < FORMAT_FORMS && mmc_refused(error); i++) {
        const struct mmc_format_request request = {.type = MMC_FORMAT_PACKETS,
                                                   .blocks = blocks,
                                                   .parameter = MMC_PACKET_BLOCKS,
                                                   .immed = format_forms[i].immed,
                                                   .options_valid = format_forms[i].options_valid,
                                                   .legacy = format_forms[i].legacy};

        error = mmc_format_send(job->drive, &request);
    }
    return error;
}

/* Formats the disc as it now is. guess: the capacity may be computed. Returns an error that mmc_refused knows
 * when the drive will have none of it. */
static int format_now(struct mmc_job *job, bool guess)
{
    uint32_t blocks = target_blocks(job, guess);
    struct mmc_write_params params;
    int error = -EINVAL;

    if (blocks == 0)
        return mmc_error_note(job->drive, -EMEDIUMTYPE,
                              "The drive offers no packet format for this disc. Another drive may.");
    for (unsigned n = 0; mmc_refused(error) && mmc_write_params_packet_form(n, false, &params); n++) {
        error = mmc_write_params_set(job->drive, &params);
        if (!error)
            error = forms_send(job, blocks);
    }
    return error ? error : format_confirm(job, blocks);
}

/* What is neither blank nor in packet form already is blanked first; a drive may want
 * that of a formatted disc, too. */
static int format_with_blank(struct mmc_job *job)
{
    bool blank = job->info.disc_status == MMC_DISC_BLANK;
    int error = -EINVAL;

    if (blank || job->info.formatted)
        error = format_now(job, false);
    if (blank || !mmc_refused(error))
        return error;
    error = mmc_job_blank(job, false);
    return error ? error : format_now(job, false);
}

int mmc_format_packets(struct mmc_drive *drive, mmc_progress_fn *progress, void *ctx)
{
    struct mmc_job job;
    int error = mmc_job_begin(&job, drive, "formatted", progress, ctx);

    if (error)
        return error;
    error = format_with_blank(&job);
    if (!mmc_refused(error))
        return error;
    error = mmc_job_session(&job);
    return error ? error : format_now(&job, true);
}
