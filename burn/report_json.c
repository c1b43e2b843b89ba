/* SPDX-License-Identifier: MIT */
/* "packetdisc info --json": the same for programs. packetdisc(1) describes the members. */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>

#include "burn/report.h"

static json_t *text_json(const char *text)
{
    char clean[512];

    return json_string(report_text_clean(text, clean, sizeof clean));
}

static json_t *drive_json(const struct report *report)
{
    const struct mmc_inquiry *inquiry = &report->disc.inquiry;

    return json_pack("{s:o, s:o, s:o, s:b}", "vendor", text_json(inquiry->vendor), "product",
                     text_json(inquiry->product), "revision", text_json(inquiry->revision), "virtual",
                     report->virtual_disc);
}

static json_t *track_json(const struct mmc_track *track)
{
    return json_pack("{s:I, s:I, s:s, s:I, s:I, s:I, s:b, s:b, s:b}", "number", (json_int_t)track->number,
                     "session", (json_int_t)track->session, "kind", report_track_kind(track), "start",
                     (json_int_t)track->start.n, "blocks", (json_int_t)track->size, "free_blocks",
                     (json_int_t)track->free_blocks, "packet", track->packet, "fixed_packet",
                     track->fixed_packet, "damaged", track->damaged);
}

static json_t *tracks_json(const struct mmc_disc_info *disc)
{
    json_t *tracks = json_array();

    for (unsigned i = 0; i < disc->track_count; i++)
        json_array_append_new(tracks, track_json(&disc->tracks[i]));
    return tracks;
}

static json_t *speeds_json(const struct mmc_disc_info *disc)
{
    json_t *speeds = json_array();

    for (unsigned i = 0; i < disc->write_speed_count; i++)
        json_array_append_new(speeds, json_integer(disc->write_speeds_kbs[i]));
    return speeds;
}

static json_t *disc_json(const struct mmc_disc_info *disc)
{
    const char *class = report_medium_class(disc);

    return json_pack("{s:s, s:s, s:I, s:b, s:b, s:I, s:I, s:I, s:I, s:s?, s:o, s:o}", "status",
                     report_disc_status(disc->disc_status), "last_session",
                     report_session_status(disc->session_status), "sessions", (json_int_t)disc->sessions,
                     "erasable", disc->erasable, "formatted", disc->formatted, "packet_blocks",
                     (json_int_t)disc->packet_blocks, "capacity_blocks", (json_int_t)disc->capacity,
                     "format_capacity_blocks", (json_int_t)disc->format_capacity, "leadout_block",
                     disc->atip_valid ? (json_int_t)disc->atip_leadout.n : (json_int_t)0, "class", class,
                     "write_speeds_kbs", speeds_json(disc), "tracks", tracks_json(disc));
}

static json_t *volume_json(const struct udf_volume_stat *volume)
{
    char revision[16];

    snprintf(revision, sizeof revision, "%x.%02x", volume->revision >> 8, volume->revision & 0xffu);
    return json_pack("{s:o, s:s, s:b, s:b, s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "label",
                     text_json(volume->label), "revision", revision, "closed", volume->closed, "sparable",
                     volume->sparable, "journaled", volume->journaled, "bytes",
                     (json_int_t)(volume->blocks * MMC_BLOCK_BYTES), "bytes_free",
                     (json_int_t)(volume->blocks_free * MMC_BLOCK_BYTES), "bytes_available",
                     (json_int_t)(volume->blocks_available * MMC_BLOCK_BYTES), "files",
                     (json_int_t)volume->files, "directories", (json_int_t)volume->directories, "spares",
                     (json_int_t)volume->spares, "spares_used", (json_int_t)volume->spares_used);
}

static json_t *wear_json(const struct vdrive_stats *stats)
{
    return json_pack("{s:I, s:I}", "most_rewritten_packet", (json_int_t)stats->most_rewritten_packet,
                     "most_rewrites", (json_int_t)stats->most_rewrites);
}

static json_t *steps_json(const struct report *report)
{
    json_t *steps = json_array();

    for (unsigned i = 0; i < report->step_count; i++)
        json_array_append_new(steps, text_json(report->steps[i]));
    return steps;
}

static json_t *report_object(const struct report *report)
{
    bool there = report->drive && report->disc.medium != MMC_MEDIUM_NONE;

    return json_pack(
        "{s:o, s:s, s:b, s:o, s:o, s:o, s:I, s:o, s:o, s:o, s:o, s:o}", "path", text_json(report->path),
        "medium", report_medium(report), "tray_open", report->drive && report->disc.tray_open, "mounted_at",
        report->mounted_at[0] ? text_json(report->mounted_at) : json_null(), "drive",
        report->drive ? drive_json(report) : json_null(), "disc",
        there ? disc_json(&report->disc) : json_null(), "bytes",
        (json_int_t)((uint64_t)report->blocks * MMC_BLOCK_BYTES), "contents",
        report->content_known ? json_string(report_content(report->content)) : json_null(), "volume",
        report->volume_open ? volume_json(&report->volume) : json_null(), "problem",
        report->volume_problem[0] ? text_json(report->volume_problem) : json_null(), "wear",
        report->stats_known ? wear_json(&report->stats) : json_null(), "next", steps_json(report));
}

int report_json(const struct report *report)
{
    json_t *object = report_object(report);
    int err = object && json_dumpf(object, stdout, JSON_INDENT(2)) == 0 ? 0 : -EIO;

    json_decref(object);
    if (!err)
        putchar('\n');
    return err;
}
