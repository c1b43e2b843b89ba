/* SPDX-License-Identifier: MIT */
/* Finds out what "packetdisc info" shows: asks the drive, then looks at the blocks, then
 * opens the UDF volume on them. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "burn/report.h"

/* Keeps the worst thing that the UDF library had to say. */
static void volume_message(void *ctx, enum udf_level level, const char *text)
{
    struct report *report = ctx;

    if (level == UDF_LEVEL_ERROR || (level == UDF_LEVEL_WARNING && !report->volume_problem[0]))
        snprintf(report->volume_problem, sizeof report->volume_problem, "%s", text);
}

static void volume_look(struct block_device *dev, struct report *report)
{
    struct udf_open_options options = {
        .read_only = true, .noatime = true, .message = volume_message, .message_ctx = report};
    struct udf_volume *volume;
    int err = udf_volume_open(dev, &options, &volume);

    if (err == 0) {
        udf_volume_stat(volume, &report->volume);
        udf_volume_close(volume);
        report->volume_open = true;
    } else if (!report->volume_problem[0]) {
        snprintf(report->volume_problem, sizeof report->volume_problem, "%s", cli_errno_text(err));
    }
}

static void blocks_look(struct block_device *dev, struct report *report)
{
    report->blocks = dev->geometry.blocks;
    report->content_known = cli_content_find(dev, false, &report->content) == 0;
    if (report->content_known &&
        (report->content == CLI_CONTENT_UDF || report->content == CLI_CONTENT_UDF_ISO))
        volume_look(dev, report);
}

static bool data_track_there(const struct mmc_disc_info *disc)
{
    for (unsigned i = 0; i < disc->track_count; i++)
        if (!disc->tracks[i].blank && (disc->tracks[i].track_mode & 4))
            return true;
    return false;
}

static int drive_look(struct cli_disc *disc, struct report *report)
{
    struct mmc_error error;
    int err = mmc_disc_info_get(disc->drive, &report->disc);

    if (err) {
        mmc_error_last(disc->drive, &error);
        cli_error("%s", error.text[0] ? error.text : cli_errno_text(err));
        return err;
    }
    /* A disc that cannot be read as blocks is still described. */
    if (report->disc.medium != MMC_MEDIUM_NONE &&
        (report->disc.formatted || data_track_there(&report->disc)) &&
        mmc_packet_open(disc->drive, 0, true, &disc->dev) == 0)
        blocks_look(disc->dev, report);
    report->stats_known = mmc_drive_stats(disc->drive, &report->stats) == 0;
    return 0;
}

static int file_look(struct cli_disc *disc, struct report *report)
{
    int err = cli_disc_blocks(disc, 0, true);

    if (!err)
        blocks_look(disc->dev, report);
    return err;
}

int report_make(struct cli_disc *disc, struct report *report)
{
    int err;

    *report =
        (struct report){.path = disc->path, .drive = disc->drive != NULL, .virtual_disc = disc->virtual_disc};
    cli_disc_mounted(disc->path, report->mounted_at, sizeof report->mounted_at);
    err = report->drive ? drive_look(disc, report) : file_look(disc, report);
    if (err)
        return err;
    err = report_steps_make(report);
    if (err)
        cli_error("%s", cli_errno_text(err));
    return err;
}

void report_free(struct report *report)
{
    while (report->step_count > 0)
        free(report->steps[--report->step_count]);
}
