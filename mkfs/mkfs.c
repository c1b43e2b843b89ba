/* SPDX-License-Identifier: MIT */
/*
 * mkfs.packetfs: an empty UDF volume on a CD-RW, a virtual one, an image or a block device. The volume is
 * made as an image first, so that everything that can fail without the disc has failed before the disc is
 * touched.
 */
#include <errno.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "mkfs/mkfs.h"

enum {
    STATUS_OK = 0,
    STATUS_FAILED = 1,
    STATUS_USAGE = 2
};

struct job {
    struct mkfs_options options;
    struct cli_disc disc;
    struct cli_progress progress;
    struct mkfs_state state;
    struct mkfs_plan plan;
    int image; /* -1: none */
    struct timespec started;
};

static int image_make(struct job *job, uint32_t blocks)
{
    char size[32];
    int err = mkfs_plan_make(blocks, &job->plan);

    if (err) {
        cli_error("too small: a volume needs %s at least",
                  cli_size_text((uint64_t)MKFS_PACKETS_MIN * MKFS_PACKET_BYTES, size, sizeof size));
        return err;
    }
    err = mkfs_image_create(job->plan.packets, &job->image);
    if (err) {
        cli_error("no temporary file for the volume could be made (in TMPDIR, or /tmp): %s",
                  cli_errno_text(err));
        return err;
    }
    err = mkfs_mkudffs_run(job->image, &job->options, &job->plan);
    if (err)
        return err;
    err = mkfs_layout_apply(job->image, &job->plan);
    if (err == -EUCLEAN)
        cli_error("this version of mkudffs lays volumes out in a way that is not known; udftools 2.3 does it "
                  "right");
    else if (err)
        cli_error("the temporary file of the volume: %s", cli_errno_text(err));
    return err;
}

static int disc_format(struct job *job)
{
    struct mmc_error error;
    int err = mmc_format_packets(job->disc.drive, cli_progress, &job->progress);

    cli_progress_end(&job->progress);
    if (!err)
        return 0;
    mmc_error_last(job->disc.drive, &error);
    if (err == -EINTR) {
        cli_error("interrupted while the drive formats; it goes on by itself, and the disc cannot be used "
                  "before it is done");
        cli_error("then run \"mkfs.packetfs --full --force %s\" to begin anew", job->options.disc);
    } else {
        cli_error("the disc could not be formatted: %s",
                  error.error == err ? error.text : cli_errno_text(err));
        cli_error("nothing on it can be relied on; run \"mkfs.packetfs --full --force %s\" to try again",
                  job->options.disc);
    }
    return err;
}

static double seconds_since(const struct timespec *started)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - started->tv_sec) + (double)(now.tv_nsec - started->tv_nsec) / 1e9;
}

static void job_report(const struct job *job)
{
    struct vdrive_stats stats;
    char free_text[32], size_text[32], drive_text[64] = "";

    if (job->disc.drive && mmc_drive_stats(job->disc.drive, &stats) == 0)
        snprintf(drive_text, sizeof drive_text, " (%.0f s on the drive's clock)",
                 (double)stats.microseconds / 1e6);
    cli_info("UDF %x.%02x volume \"%s\": %s of %s are free; done in %.1f s%s", job->options.revision >> 8,
             job->options.revision & 0xff, job->options.label,
             cli_size_text((uint64_t)job->plan.free_blocks * MMC_BLOCK_BYTES, free_text, sizeof free_text),
             cli_size_text((uint64_t)job->plan.packets * MKFS_PACKET_BYTES, size_text, sizeof size_text),
             seconds_since(&job->started), drive_text);
}

static void image_drop(struct job *job)
{
    if (job->image >= 0)
        close(job->image);
    job->image = -1;
}

/* Between the check and the volume: afterwards the disc is in packet form and the image fits it. A drive that
 * does not say beforehand how big the disc will be gets its image afterwards. */
static int disc_prepare(struct job *job)
{
    int err = job->state.blocks ? image_make(job, job->state.blocks) : 0;

    if (!err && cli_interrupted())
        err = -EINTR;
    if (err == -EINTR)
        cli_error("interrupted; nothing was changed");
    if (!err && job->state.format)
        err = disc_format(job);
    if (!err)
        err = cli_disc_blocks(&job->disc, 0, false);
    if (!err && (job->image < 0 || job->disc.dev->geometry.blocks / MMC_PACKET_BLOCKS != job->plan.packets)) {
        image_drop(job);
        err = image_make(job, job->disc.dev->geometry.blocks);
    }
    return err;
}

static int job_run(struct job *job)
{
    char where[1024];
    int err, close_err;

    if (cli_disc_mounted(job->options.disc, where, sizeof where)) {
        cli_disc_set(job->options.disc);
        cli_error("it is mounted at %s: unmount it first (umount %s)", where, where);
        return -EBUSY;
    }
    err = cli_disc_open(job->options.disc, NULL, &job->disc);
    if (err)
        return err;
    err = mkfs_check(&job->disc, &job->options, &job->state);
    if (!err)
        err = disc_prepare(job);
    if (!err)
        err = mkfs_write(&job->disc, job->image, &job->plan, job->options.full, &job->progress);
    if (!err)
        job_report(job);
    close_err = cli_disc_close(&job->disc);
    image_drop(job);
    return err ? err : close_err;
}

int main(int argc, char **argv)
{
    struct job job = {.image = -1};

    cli_streams_open();
    cli_program_set("mkfs.packetfs");
    clock_gettime(CLOCK_MONOTONIC, &job.started);
    switch (mkfs_options_parse(argc, argv, &job.options)) {
    case MKFS_PARSE_DONE:
        return STATUS_OK;
    case MKFS_PARSE_USAGE:
        return STATUS_USAGE;
    case MKFS_PARSE_RUN:
        break;
    }
    cli_quiet_set(job.options.quiet);
    cli_interrupt_catch();
    return job_run(&job) == 0 ? STATUS_OK : STATUS_FAILED;
}
