/* SPDX-License-Identifier: MIT */
/* The virtual drive's counters as JSON, to the file that PACKETFS_DRIVE_STATS names. */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>

#include "cli/private.h"

static json_t *stats_json(const struct vdrive_stats *stats)
{
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:f}", "commands", (json_int_t)stats->commands,
                     "bytes_read", (json_int_t)stats->bytes_in, "bytes_written", (json_int_t)stats->bytes_out,
                     "writes", (json_int_t)stats->writes, "writes_whole_packet",
                     (json_int_t)stats->writes_whole_packet, "packets_written",
                     (json_int_t)stats->packets_written, "most_rewritten_packet",
                     (json_int_t)stats->most_rewritten_packet, "most_rewrites",
                     (json_int_t)stats->most_rewrites, "drive_seconds", (double)stats->microseconds / 1e6);
}

static int json_write(const json_t *json, const char *path)
{
    FILE *f = fopen(path, "we");
    bool ok = f && json_dumpf(json, f, JSON_INDENT(2)) == 0 && fputc('\n', f) != EOF;

    /* A full disk may show only here. */
    if (f && fclose(f) != 0)
        ok = false;
    if (!ok)
        cli_error("the drive's counters could not be written to %s", path);
    return ok ? 0 : -EIO;
}

int cli_stats_write(struct mmc_drive *drive, const char *path)
{
    struct vdrive_stats stats;
    json_t *json;
    int err;

    err = drive ? mmc_drive_stats(drive, &stats) : -ENOTSUP;
    if (err == -ENOTSUP) {
        cli_warning("PACKETFS_DRIVE_STATS is set, but only a virtual drive keeps counters");
        return 0;
    }
    if (err)
        return err;
    json = stats_json(&stats);
    err = json ? json_write(json, path) : -ENOMEM;
    json_decref(json);
    return err;
}
