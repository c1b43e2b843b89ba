/* SPDX-License-Identifier: MIT */
/* What may be done with a disc next, in plain sentences. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "burn/report.h"

static int step_add(struct report *report, const char *format, ...) __attribute__((format(printf, 2, 3)));

static int step_add(struct report *report, const char *format, ...)
{
    va_list args;
    int n;

    if (report->step_count == REPORT_STEPS_MAX)
        return 0;
    va_start(args, format);
    n = vasprintf(&report->steps[report->step_count], format, args);
    va_end(args);
    if (n < 0)
        return -ENOMEM;
    report->step_count++;
    return 0;
}

static bool udf_there(const struct report *report)
{
    return report->content_known &&
           (report->content == CLI_CONTENT_UDF || report->content == CLI_CONTENT_UDF_ISO);
}

static int volume_steps(struct report *report)
{
    if (!report->volume_open)
        return step_add(report,
                        "The volume cannot be mounted as it is. Do not write to the disc if it matters.");
    return step_add(report, "\"packetfs %s FOLDER\" mounts it, \"packetfs -u FOLDER\" unmounts it.",
                    report->path);
}

static int read_only_steps(struct report *report, const char *why)
{
    int err = step_add(report, "%s", why);

    if (!err && udf_there(report) && report->volume_open)
        err = step_add(report, "\"packetfs -o ro %s FOLDER\" mounts it for reading.", report->path);
    else if (!err && report->content_known && report->content == CLI_CONTENT_ISO && !report->virtual_disc)
        err = step_add(report, "\"mount -o ro %s FOLDER\" mounts it for reading.", report->path);
    return err;
}

/* Of a CD-RW that is in packet form, or of an image. */
static int formatted_steps(struct report *report)
{
    int err;

    if (report->content_known && report->content == CLI_CONTENT_BLANK)
        return step_add(report, "\"mkfs.packetfs %s\" puts an empty volume on it.", report->path);
    err = udf_there(report) ? volume_steps(report) : 0;
    if (!err)
        err = step_add(report, "\"mkfs.packetfs --force %s\" empties it: all that is on it is lost.",
                       report->path);
    return err;
}

static int rewritable_steps(struct report *report)
{
    const struct mmc_disc_info *disc = &report->disc;
    char bytes[32], size[40] = "";

    if (disc->formatted)
        return formatted_steps(report);
    if (disc->format_capacity)
        snprintf(size, sizeof size, " (%s)",
                 cli_size_text((uint64_t)disc->format_capacity * MMC_BLOCK_BYTES, bytes, sizeof bytes));
    if (disc->disc_status == MMC_DISC_BLANK)
        return step_add(
            report, "\"mkfs.packetfs %s\" formats it for packet writing%s and puts an empty volume on it.",
            report->path, size);
    return step_add(
        report, "\"mkfs.packetfs --force %s\" formats it for packet writing%s: all that is on it is lost.",
        report->path, size);
}

static int drive_steps(struct report *report)
{
    switch (report->disc.medium) {
    case MMC_MEDIUM_NONE:
        return step_add(report,
                        report->disc.tray_open ? "Put a disc in and close the tray." : "Put a disc in.");
    case MMC_MEDIUM_CD_ROM:
        return read_only_steps(report, "This is a pressed disc: it can only be read.");
    case MMC_MEDIUM_CD_R:
        return read_only_steps(
            report, "This is a CD-R: it can be burned but not rewritten, and packetfs needs a CD-RW.");
    case MMC_MEDIUM_CD_RW:
        return rewritable_steps(report);
    case MMC_MEDIUM_OTHER:
        break;
    }
    return read_only_steps(report, "This is not a CD, and packetfs writes to CD-RW only.");
}

int report_steps_make(struct report *report)
{
    if (report->mounted_at[0])
        return step_add(report, "It is mounted at %s; \"umount %s\" unmounts it.", report->mounted_at,
                        report->mounted_at);
    return report->drive ? drive_steps(report) : formatted_steps(report);
}
