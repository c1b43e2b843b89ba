/* SPDX-License-Identifier: MIT */
/* "packetdisc info" in words, for people. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "burn/report.h"

static void line(const char *name, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void line(const char *name, const char *format, ...)
{
    va_list args;

    printf("%-13s", name);
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    putchar('\n');
}

/* "295264 blocks, 577 MiB" */
static const char *blocks_text(uint32_t blocks, char *buf, size_t size)
{
    char bytes[32];

    snprintf(buf, size, "%u blocks, %s", blocks,
             cli_size_text((uint64_t)blocks * MMC_BLOCK_BYTES, bytes, sizeof bytes));
    return buf;
}

static void drive_print(const struct report *report)
{
    const struct mmc_inquiry *inquiry = &report->disc.inquiry;
    char vendor[16], product[32], revision[16];

    line("Drive", "%s %s, revision %s%s", report_text_clean(inquiry->vendor, vendor, sizeof vendor),
         report_text_clean(inquiry->product, product, sizeof product),
         report_text_clean(inquiry->revision, revision, sizeof revision),
         report->virtual_disc ? " (a virtual drive)" : "");
}

static void medium_print(const struct report *report)
{
    const struct mmc_disc_info *disc = &report->disc;
    const char *class = report_medium_class(disc);
    static const char *const names[] = {
        [MMC_MEDIUM_NONE] = "no disc", [MMC_MEDIUM_CD_ROM] = "CD-ROM, pressed", [MMC_MEDIUM_CD_R] = "CD-R",
        [MMC_MEDIUM_CD_RW] = "CD-RW",  [MMC_MEDIUM_OTHER] = "not a CD",
    };
    long frames = (long)disc->atip_leadout.n + 150;

    if (disc->medium == MMC_MEDIUM_NONE) {
        line("Medium", "%s", disc->tray_open ? "no disc, the tray is open" : "no disc");
        return;
    }
    if (disc->atip_valid)
        line("Medium", "%s%s%s, %ld:%02ld.%02ld minutes", names[disc->medium], class ? ", " : "",
             class ? class : "", frames / 75 / 60, frames / 75 % 60, frames % 75);
    else
        line("Medium", "%s", names[disc->medium]);
}

static void state_print(const struct mmc_disc_info *disc)
{
    if (disc->formatted)
        line("State", "formatted for packet writing, %u blocks a packet; the session is %s",
             disc->packet_blocks, report_session_status(disc->session_status));
    else if (disc->disc_status == MMC_DISC_BLANK)
        line("State", "blank");
    else
        line("State", "%s; %u session%s, the last one %s", report_disc_status(disc->disc_status),
             disc->sessions, disc->sessions == 1 ? "" : "s", report_session_status(disc->session_status));
}

static void track_print(const struct mmc_track *track)
{
    const char *kind = report_track_kind(track);
    char form[48] = "", name[24];

    if (track->packet && track->fixed_packet)
        snprintf(form, sizeof form, ", packets of %u blocks", track->packet_blocks);
    else if (track->packet)
        snprintf(form, sizeof form, ", packets of any length");
    snprintf(name, sizeof name, "Track %u", track->number);
    if (strcmp(kind, "free") == 0)
        line("Free", "%u blocks from block %d on", track->free_blocks,
             track->nwa_valid ? track->nwa.n : track->start.n);
    else
        line(name, "%s%s; session %u, %u blocks from block %d on%s", kind, form, track->session, track->size,
             track->start.n, track->damaged ? "; damaged" : "");
}

static void capacity_print(const struct report *report)
{
    const struct mmc_disc_info *disc = &report->disc;
    char text[64];

    if (report->blocks)
        line("Capacity", "%s", blocks_text(report->blocks, text, sizeof text));
    else if (disc->capacity)
        line("Capacity", "%s", blocks_text(disc->capacity, text, sizeof text));
    if (disc->format_capacity && !disc->formatted)
        line("Formatted", "%s after a format for packet writing",
             blocks_text(disc->format_capacity, text, sizeof text));
    if (disc->atip_valid && disc->atip_leadout.n > 0 && !disc->formatted)
        line("Unformatted", "%s in one track",
             blocks_text((uint32_t)disc->atip_leadout.n, text, sizeof text));
}

static void speeds_print(const struct mmc_disc_info *disc)
{
    if (disc->write_speed_count == 0)
        return;
    printf("%-13s", "Write speeds");
    /* 1x is 75 blocks of 2352 bytes a second. */
    for (unsigned i = 0; i < disc->write_speed_count; i++)
        printf("%s%ux", i ? " " : "", (disc->write_speeds_kbs[i] * 10 + 882) / 1764);
    putchar('\n');
}

static void volume_print(const struct report *report)
{
    const struct udf_volume_stat *volume = &report->volume;
    char label[300], free_text[32], size_text[32];

    line("Volume", "UDF %x.%02x \"%s\"%s%s", volume->revision >> 8, volume->revision & 0xffu,
         report_text_clean(volume->label, label, sizeof label), volume->sparable ? ", sparable" : "",
         volume->journaled ? ", with a journal" : "");
    line("", "%s of %s are free; %u file%s, %u folder%s",
         cli_size_text(volume->blocks_free * MMC_BLOCK_BYTES, free_text, sizeof free_text),
         cli_size_text(volume->blocks * MMC_BLOCK_BYTES, size_text, sizeof size_text), volume->files,
         volume->files == 1 ? "" : "s", volume->directories, volume->directories == 1 ? "" : "s");
    if (volume->sparable)
        line("", "%u of %u spare packets in use", volume->spares_used, volume->spares);
    line("Integrity", "%s",
         volume->closed ? "closed" : "open: it was not unmounted; the next mount puts that right");
}

static void content_print(const struct report *report)
{
    char problem[300];

    if (report->volume_open)
        volume_print(report);
    else if (report->content_known)
        line("Contents", "%s",
             report->content == CLI_CONTENT_BLANK   ? "nothing"
             : report->content == CLI_CONTENT_ISO   ? "an ISO 9660 volume"
             : report->content == CLI_CONTENT_OTHER ? "data of no known kind"
                                                    : "a UDF volume that cannot be opened");
    if (report->volume_problem[0])
        line("Problem", "%s", report_text_clean(report->volume_problem, problem, sizeof problem));
}

void report_print(const struct report *report)
{
    const struct mmc_disc_info *disc = &report->disc;
    bool there = report->drive && disc->medium != MMC_MEDIUM_NONE;

    if (report->drive) {
        drive_print(report);
        medium_print(report);
    } else {
        line("Medium", "image file or block device");
    }
    if (there) {
        state_print(disc);
        for (unsigned i = 0; i < disc->track_count; i++)
            track_print(&disc->tracks[i]);
    }
    capacity_print(report);
    speeds_print(disc);
    content_print(report);
    if (report->stats_known && report->stats.most_rewrites > 0)
        line("Wear", "packet %llu was written most, %llu times",
             (unsigned long long)report->stats.most_rewritten_packet,
             (unsigned long long)report->stats.most_rewrites);
    for (unsigned i = 0; i < report->step_count; i++)
        line(i ? "" : "Next", "%s", report->steps[i]);
}
