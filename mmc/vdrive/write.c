/* SPDX-License-Identifier: MIT */
/* WRITE (10) and (12): packets over a formatted disc, and the next blocks of a track written at once. */
#include "mmc/bytes.h"
#include "mmc/vdrive/drive.h"

#define CHUNK_BLOCKS 32u

struct write_range {
    mmc_lba_t first;
    uint32_t count;
};

static struct write_range write_range_of(const struct vdrive_command *c)
{
    bool twelve = c->cdb[0] == 0xaa;

    return (struct write_range){mmc_lba((int32_t)mmc_be32_get(c->cdb + 2)),
                                twelve ? mmc_be32_get(c->cdb + 6) : mmc_be16_get(c->cdb + 7)};
}

/* Hands fixed packets to the laser, each as soon as the cable has brought it. */
static void packets_queue(struct vdrive *d, struct write_range range, const uint8_t *data, bool test)
{
    struct vdrive_job job = {.count = MMC_PACKET_BLOCKS};

    for (uint32_t done = 0; done < range.count && !d->power_lost; done += job.count) {
        job.first = mmc_lba_add(range.first, done);
        vdrive_clock_advance(d, vdrive_time_transfer((uint64_t)job.count * MMC_BLOCK_BYTES));
        if (!test)
            vdrive_laser_queue(d, &job, data + (size_t)done * MMC_BLOCK_BYTES);
    }
}

/* The same with blocks of a track, which become sectors on the way. */
static void blocks_queue(struct vdrive *d, struct vdrive_job job, const struct vdrive_write_mode *mode,
                         const struct vdrive_place *place, struct write_range range, const uint8_t *data)
{
    struct vdrive_slot slots[CHUNK_BLOCKS];
    size_t bytes = vdrive_block_type_of(mode->block_type).bytes;

    for (uint32_t done = 0; done < range.count && !d->power_lost; done += job.count) {
        uint32_t left = range.count - done;

        job.first = mmc_lba_add(range.first, done);
        job.count = left < CHUNK_BLOCKS ? left : CHUNK_BLOCKS;
        for (uint32_t i = 0; i < job.count; i++) {
            mmc_lba_t lba = mmc_lba_add(job.first, i);

            vdrive_slot_block(&slots[i], mode->block_type, lba, mode->subheader, data + (done + i) * bytes);
            vdrive_slot_place(&slots[i], place, lba);
        }
        vdrive_clock_advance(d, vdrive_time_transfer((uint64_t)job.count * bytes));
        vdrive_laser_queue(d, &job, slots);
        job.opens_track = job.opens_packet = false;
    }
}

/* A place on the disc that the laser fails at while the command waits: that packet is gone. */
static bool write_struck(struct vdrive *d, struct vdrive_command *c, struct write_range range)
{
    struct vdrive_track *track = vdrive_disc_open_track(&d->disc);
    mmc_lba_t at;

    if (!vdrive_fault_blocks(&d->faults, VDRIVE_FAULT_WRITE, range.first, range.count, &at))
        return false;
    vdrive_laser_drain(d);
    vdrive_laser_occupy(d, VDRIVE_US_READ_RETRY, at);
    if (d->disc.formatted) {
        uint32_t n = mmc_packet_of(at, MMC_PACKET_BLOCKS).n;

        d->media.packets[n].flags |= VDRIVE_PACKET_TORN;
        d->media.packets[n].rewrites++;
        vdrive_media_packets_store(&d->media, n, 1);
    } else if (track) {
        track->damaged = true;
    }
    vdrive_command_fail_at(c, VDRIVE_WRITE_ERROR, at);
    return true;
}

static vdrive_sense_code_t packet_refusal(const struct vdrive *d, struct write_range range)
{
    struct vdrive_write_mode mode = vdrive_write_mode_get(d);
    const struct vdrive_track *track = &d->disc.tracks[0];

    if (range.first.n < 0 || (int64_t)range.first.n + range.count > track->end.n)
        return VDRIVE_LBA_RANGE;
    if (mode.type != VDRIVE_WRITE_PACKET || !mode.fixed ||
        vdrive_block_type_of(mode.block_type).mode != track->data_mode)
        return VDRIVE_WRONG_MODE;
    if (range.count % track->packet_blocks)
        return VDRIVE_BAD_PACKET;
    return (uint32_t)range.first.n % track->packet_blocks ? VDRIVE_BAD_ADDRESS : 0;
}

/* Without protection from underruns a packet ends where the buffer ran empty, and the next one is further on.
 */
static void packet_ran_dry(struct vdrive *d, const struct vdrive_write_mode *mode)
{
    const struct vdrive_track *open = vdrive_disc_open_track(&d->disc);

    vdrive_laser_run(d, d->now);
    if (open && open->in_packet && !mode->underrun_free && d->laser.job_count == 0 &&
        vdrive_packet_end(d) != 0)
        vdrive_deferred_add(d, VDRIVE_WRITE_ERROR, open->end);
}

/* Whether the page says what the track was begun with. */
static bool track_takes(const struct vdrive_track *track, const struct vdrive_write_mode *mode)
{
    bool packets = mode->type == VDRIVE_WRITE_PACKET && !mode->fixed;

    return (track->method == VDRIVE_METHOD_VARIABLE) == packets &&
           vdrive_block_type_of(mode->block_type).mode == track->data_mode && track->test == mode->test;
}

static vdrive_sense_code_t track_refusal(struct vdrive *d, const struct vdrive_write_mode *mode,
                                         struct write_range range)
{
    const struct vdrive_track *open = vdrive_disc_open_track(&d->disc);
    mmc_lba_t next = open ? open->next : d->disc.next;

    if (range.first.n < 0 || range.first.n >= d->media.atip_leadout.n)
        return VDRIVE_LBA_RANGE;
    if (!open && !vdrive_disc_appendable(&d->disc))
        return d->media.spec.medium == VDRIVE_CD_RW ? VDRIVE_WRONG_MODE : VDRIVE_CANNOT_WRITE;
    if (!d->page5_set)
        return VDRIVE_BAD_SEQUENCE; /* the host has not said how to write */
    if (mode->type != VDRIVE_WRITE_TAO && (mode->type != VDRIVE_WRITE_PACKET || mode->fixed))
        return VDRIVE_WRONG_MODE;
    if (open && open->damaged)
        return VDRIVE_TRACK_INCOMPLETE;
    if (open && !track_takes(open, mode))
        return VDRIVE_WRONG_MODE;
    if (range.first.n != next.n)
        return VDRIVE_BAD_ADDRESS;
    return (int64_t)range.first.n + range.count + VDRIVE_RUNOUT > d->media.atip_leadout.n ? VDRIVE_END_OF_AREA
                                                                                          : 0;
}

/* The track descriptor goes into the pregap; the track exists from its first block on. */
static struct vdrive_track *track_open(struct vdrive *d, const struct vdrive_write_mode *mode)
{
    struct vdrive_track *track = &d->disc.tracks[d->disc.track_count];
    struct vdrive_tdb tdb = {.method = mode->type == VDRIVE_WRITE_PACKET ? VDRIVE_METHOD_VARIABLE
                                                                         : VDRIVE_METHOD_TAO,
                             .data_mode = vdrive_block_type_of(mode->block_type).mode};

    *track = (struct vdrive_track){.number = d->disc.track_count + 1,
                                   .session = d->disc.session_count,
                                   .control = mode->control,
                                   .data_mode = tdb.data_mode,
                                   .method = tdb.method,
                                   .start = d->disc.next,
                                   .end = d->disc.next,
                                   .next = d->disc.next,
                                   .open = true,
                                   .test = mode->test};
    if (!mode->test && vdrive_media_tdb_write(&d->media, track->number, &tdb) != 0)
        return NULL;
    d->disc.track_count++;
    d->disc.sessions[d->disc.session_count - 1].last = track->number;
    d->disc.state = VDRIVE_DISC_APPENDABLE;
    d->disc.last_session = VDRIVE_SESSION_INCOMPLETE;
    return track;
}

static void write_track(struct vdrive *d, struct vdrive_command *c, const struct vdrive_write_mode *mode,
                        struct write_range range)
{
    struct vdrive_track *track = vdrive_disc_open_track(&d->disc);
    struct vdrive_job job = {.sectors = true,
                             .opens_track = !track,
                             .opens_packet =
                                 track && track->method == VDRIVE_METHOD_VARIABLE && !track->in_packet,
                             .underrun_free = mode->underrun_free,
                             .test = mode->test};
    struct vdrive_place place = {
        .index = 1, .mcn = mode->mcn[0] ? mode->mcn : NULL, .isrc = mode->isrc[0] ? mode->isrc : NULL};

    if (!track)
        track = track_open(d, mode);
    if (!track) {
        vdrive_command_fail_at(c, VDRIVE_WRITE_ERROR, range.first);
        return;
    }
    if (write_struck(d, c, range))
        return;
    place.control = track->control;
    place.track = (uint8_t)track->number;
    place.origin = track->start;
    track->end = track->next = mmc_lba_add(track->next, range.count);
    track->in_packet = track->method == VDRIVE_METHOD_VARIABLE;
    blocks_queue(d, job, mode, &place, range, c->out);
}

static void write_count(struct vdrive *d, struct write_range range, size_t bytes)
{
    d->stats.bytes_out += (uint64_t)range.count * bytes;
    if (d->disc.formatted)
        d->stats.writes_whole_packet++;
}

/* Whether the WRITE is one of a session that is written at once, or raw. */
static bool session_takes(struct vdrive *d, const struct vdrive_write_mode *mode)
{
    return !d->disc.formatted && d->page5_set && vdrive_disc_appendable(&d->disc) &&
           !vdrive_disc_session_begun(&d->disc) &&
           (mode->type == VDRIVE_WRITE_SAO || mode->type == VDRIVE_WRITE_RAW);
}

void vdrive_write(struct vdrive *d, struct vdrive_command *c)
{
    struct vdrive_write_mode mode = vdrive_write_mode_get(d);
    struct write_range range = write_range_of(c);
    size_t bytes = d->disc.formatted ? MMC_BLOCK_BYTES : vdrive_block_type_of(mode.block_type).bytes;
    vdrive_sense_code_t code;

    d->stats.writes++;
    if (session_takes(d, &mode)) {
        if (mode.type == VDRIVE_WRITE_SAO)
            vdrive_write_session(d, c, range.first, range.count);
        else
            vdrive_write_raw(d, c, range.first, range.count);
        return;
    }
    packet_ran_dry(d, &mode);
    code = d->disc.formatted ? packet_refusal(d, range) : track_refusal(d, &mode, range);
    if (!code && (!bytes || c->out_len / bytes < range.count))
        code = VDRIVE_LIST_LENGTH;
    if (!code && !vdrive_laser_has_room(d, range.count) &&
        vdrive_quirk(&d->faults, VDRIVE_QUIRK_BUFFER_FULL_BUSY) && d->laser.job_count > 0)
        code = VDRIVE_LONG_WRITE;
    if (code) {
        vdrive_command_fail(c, code);
        return;
    }
    if (range.count == 0)
        return;
    write_count(d, range, bytes);
    if (!d->disc.formatted)
        write_track(d, c, &mode, range);
    else if (!write_struck(d, c, range))
        packets_queue(d, range, c->out, mode.test);
}
