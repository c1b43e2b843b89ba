/* SPDX-License-Identifier: MIT */
/*
 * All that a drive says of itself and its disc, put together from a dozen commands. Drives contradict
 * themselves and leave commands out, so every part but the disc's state may be missing, and nothing is
 * believed that cannot be.
 */
#include <errno.h>

#include "mmc/command_bytes.h"

#define CD_BLOCKS_MOST 449850u /* addresses end at 99:59:74 */
#define TRACK_LAST     99u

#define PAGE_CAPABILITIES 0x2A

static enum mmc_medium medium_of_profile(uint16_t profile)
{
    switch (profile) {
    case 0x08:
        return MMC_MEDIUM_CD_ROM;
    case 0x09:
        return MMC_MEDIUM_CD_R;
    case 0x0A:
        return MMC_MEDIUM_CD_RW;
    default:
        return MMC_MEDIUM_OTHER;
    }
}

/* Looks whether there is a medium at all. Returns 0 also when the drive does not know. */
static int medium_look(struct mmc_drive *drive, struct mmc_disc_info *info, bool *present)
{
    struct mmc_media_event event;
    struct mmc_sense sense;
    int error = mmc_test_unit_ready(drive, true, &sense);

    *present = true;
    if (error == -EBUSY)
        error = mmc_test_unit_ready(drive, false, &sense);
    if (error == -ENODEV || error == -ETIMEDOUT || error == -EBUSY || error == -EPERM)
        return mmc_error_keep(drive, error, 0x00, NULL, &sense);
    if (error != -ENOMEDIUM)
        return 0;
    *present = false;
    info->medium = MMC_MEDIUM_NONE;
    info->tray_open = sense.ascq == 0x02;
    if (sense.ascq == 0x00 && mmc_media_event_get(drive, &event) == 0)
        info->tray_open = event.tray_open;
    return 0;
}

static void atip_take(struct mmc_drive *drive, struct mmc_disc_info *info)
{
    struct mmc_atip atip;

    /* On pressed discs some drives answer with noise. */
    if (info->medium == MMC_MEDIUM_CD_ROM || mmc_atip_read(drive, &atip) != 0)
        return;
    info->atip_valid = true;
    info->atip_leadin = atip.leadin;
    info->atip_leadout = atip.leadout;
    info->atip_subtype = atip.subtype;
    if (info->profile == 0)
        info->medium = atip.rewritable ? MMC_MEDIUM_CD_RW : MMC_MEDIUM_CD_R;
}

static void disc_take(const struct mmc_disc_information *d, struct mmc_disc_info *info)
{
    info->disc_status = d->disc_status;
    info->session_status = d->session_status;
    info->erasable = d->erasable;
    info->disc_type = d->disc_type;
    info->sessions = d->sessions;
    info->first_track = d->first_track;
    info->last_track = d->last_track_last_session < TRACK_LAST ? d->last_track_last_session : TRACK_LAST;
    if (info->profile == 0 && !info->atip_valid)
        info->medium = d->erasable ? MMC_MEDIUM_CD_RW : MMC_MEDIUM_CD_ROM;
}

static void track_add(struct mmc_disc_info *info, const struct mmc_track *track)
{
    if (info->track_count < MMC_TRACKS_MAX)
        info->tracks[info->track_count++] = *track;
}

static bool track_invisible(const struct mmc_track *track)
{
    return track->blank && !track->reserved;
}

/* The invisible track counts among the numbers of the last session on some discs,
 * and is asked for by itself else. */
static void tracks_take(struct mmc_drive *drive, struct mmc_disc_info *info)
{
    struct mmc_track track, next;
    bool next_known = false;

    for (unsigned n = info->first_track ? info->first_track : 1; n <= info->last_track; n++) {
        if (mmc_track_information_read(drive, n, &track) != 0)
            continue;
        track.number = n;
        if (track_invisible(&track)) {
            next = track;
            next_known = true;
        } else {
            track_add(info, &track);
        }
    }
    if (!next_known && info->disc_status != MMC_DISC_COMPLETE &&
        mmc_track_information_read(drive, MMC_TRACK_NEXT, &next) == 0)
        next_known = track_invisible(&next);
    if (next_known)
        track_add(info, &next);
}

/* A drive for reading only may know none of the commands of writers; then the table of contents must do. */
static int tracks_take_toc(struct mmc_drive *drive, struct mmc_disc_info *info)
{
    struct mmc_toc toc;
    int error = mmc_toc_read(drive, &toc);

    if (error)
        return error;
    info->disc_status = MMC_DISC_COMPLETE;
    info->session_status = MMC_SESSION_COMPLETE;
    info->sessions = 1;
    info->first_track = toc.first;
    info->last_track = toc.last;
    for (unsigned i = 0; i < toc.count; i++) {
        int64_t end = i + 1 < toc.count ? toc.tracks[i + 1].start.n : toc.leadout_set ? toc.leadout.n : 0;
        struct mmc_track track = {.number = toc.tracks[i].number,
                                  .session = 1,
                                  .track_mode = toc.tracks[i].control,
                                  .data_mode = 15,
                                  .start = toc.tracks[i].start};

        if (end > track.start.n)
            track.size = (uint32_t)(end - track.start.n);
        track_add(info, &track);
    }
    return 0;
}

/* Formatted: one track of fixed packets, which has no next writable address
 * because each can be written again. */
static bool track_formatted(const struct mmc_disc_info *info)
{
    const struct mmc_track *track = &info->tracks[0];

    return info->medium == MMC_MEDIUM_CD_RW && info->track_count >= 1 && track->packet &&
           track->fixed_packet && !track->blank && track->packet_blocks > 0 &&
           track->size >= track->packet_blocks && (track->reserved || !track->nwa_valid) &&
           (info->track_count == 1 || (info->track_count == 2 && track_invisible(&info->tracks[1])));
}

static void capacity_take(struct mmc_drive *drive, struct mmc_disc_info *info)
{
    uint32_t blocks = 0;

    if (track_formatted(info)) {
        info->formatted = true;
        info->packet_blocks = info->tracks[0].packet_blocks;
        blocks = info->tracks[0].size;
    } else if (mmc_capacity_read(drive, &blocks) != 0) {
        blocks = 0;
    }
    if (info->medium != MMC_MEDIUM_OTHER && blocks > CD_BLOCKS_MOST)
        blocks = CD_BLOCKS_MOST;
    info->capacity = blocks;
}

static void format_capacity_take(struct mmc_drive *drive, struct mmc_disc_info *info)
{
    struct mmc_format_capacities capacities;

    if (info->medium != MMC_MEDIUM_CD_RW || mmc_format_capacities_read(drive, &capacities) != 0)
        return;
    info->format_capacity = mmc_format_capacity_packets(&capacities);
}

uint32_t mmc_format_capacity_packets(const struct mmc_format_capacities *capacities)
{
    for (unsigned i = 0; i < capacities->count; i++) {
        const struct mmc_format_capacity *f = &capacities->formats[i];

        if (f->type == MMC_FORMAT_PACKETS && f->blocks >= MMC_PACKET_BLOCKS && f->blocks <= CD_BLOCKS_MOST &&
            (f->parameter == MMC_PACKET_BLOCKS || f->parameter == 0))
            return f->blocks;
    }
    return 0;
}

static void speed_add(struct mmc_disc_info *info, unsigned kbs)
{
    const unsigned room = sizeof(info->write_speeds_kbs) / sizeof(info->write_speeds_kbs[0]);

    if (kbs == 0 || info->write_speed_count == room)
        return;
    for (unsigned i = 0; i < info->write_speed_count; i++)
        if (info->write_speeds_kbs[i] == kbs)
            return;
    info->write_speeds_kbs[info->write_speed_count++] = kbs;
}

/* The capabilities page lists write speeds from byte 32 on, and in older
 * drives has only the highest, at 18. */
static void speeds_take_page(struct mmc_drive *drive, struct mmc_disc_info *info)
{
    uint8_t page[258];
    size_t len;

    if (mmc_mode_sense(drive, PAGE_CAPABILITIES, page, sizeof(page), &len) != 0)
        return;
    if (len >= 32)
        for (size_t i = 0, at = 32; i < mmc_be16_get(page + 30) && at + 4 <= len; i++, at += 4)
            speed_add(info, mmc_be16_get(page + at + 2));
    if (info->write_speed_count == 0 && len >= 20)
        speed_add(info, mmc_be16_get(page + 18));
}

static void speeds_take(struct mmc_drive *drive, struct mmc_disc_info *info)
{
    unsigned speeds[32], count;

    if (mmc_write_speeds_get(drive, speeds, 32, &count) == 0)
        for (unsigned i = 0; i < count; i++)
            speed_add(info, speeds[i]);
    if (info->write_speed_count == 0)
        speeds_take_page(drive, info);
}

static int disc_and_tracks_take(struct mmc_drive *drive, struct mmc_disc_info *info)
{
    struct mmc_disc_information d;
    int error = mmc_disc_information_read(drive, false, &d, NULL);

    if (error == -EOPNOTSUPP || error == -EINVAL)
        return tracks_take_toc(drive, info) == 0 ? 0 : error;
    if (error)
        return error;
    disc_take(&d, info);
    tracks_take(drive, info);
    return 0;
}

int mmc_disc_info_get(struct mmc_drive *drive, struct mmc_disc_info *info)
{
    struct mmc_configuration configuration;
    unsigned type;
    bool present;
    int error;

    *info = (struct mmc_disc_info){0};
    error = mmc_inquiry_read(drive, &info->inquiry, &type);
    if (!error)
        error = medium_look(drive, info, &present);
    if (error || !present)
        return error;
    if (mmc_configuration_get(drive, &configuration) == 0)
        info->profile = configuration.profile;
    info->medium = medium_of_profile(info->profile);
    atip_take(drive, info);
    error = disc_and_tracks_take(drive, info);
    if (error)
        return error;
    capacity_take(drive, info);
    format_capacity_take(drive, info);
    speeds_take(drive, info);
    return 0;
}
