/* SPDX-License-Identifier: MIT */
/*
 * The pickup and its buffer: jobs go in as fast as the cable, and onto the disc as the clock moves. A packet
 * is marked torn before its data changes and unmarked after, so that the folder is at every moment what a
 * power cut would leave.
 */
#include <string.h>

#include "mmc/vdrive/drive.h"
#include "mmc/vdrive/slot.h"

#define AHEAD_BLOCKS    512 /* of the buffer, for what the host has not asked for yet */
#define TRACK_OPEN_WAIT 150 /* sectors of a pregap */

/* Where a block lies under the laser: the link blocks of packets count. */
static uint32_t laser_place(const struct vdrive *d, mmc_lba_t lba)
{
    if (lba.n < 0)
        return 0;
    if (d->disc.formatted)
        return (uint32_t)lba.n / MMC_PACKET_BLOCKS * (MMC_PACKET_BLOCKS + VDRIVE_LINK_BLOCKS) +
               (uint32_t)lba.n % MMC_PACKET_BLOCKS;
    return (uint32_t)lba.n;
}

/* From what the laser did last to the start of what it does next. since: how long it has had nothing to do.
 */
static uint64_t laser_approach(const struct vdrive *d, uint32_t to, enum vdrive_activity next, unsigned speed,
                               uint64_t since)
{
    const struct vdrive_laser *laser = &d->laser;
    uint64_t us;

    if (laser->activity == next && laser->position == to) {
        /* A stream that never stopped goes on; one that did has to find its end again. */
        if (since == 0)
            return 0;
        us = VDRIVE_US_JUMP;
    } else {
        us = vdrive_time_seek(laser->position, to);
        if (laser->activity != next && laser->activity != VDRIVE_IDLE)
            us += VDRIVE_US_TURN;
    }
    return us + vdrive_time_half_turn(to, speed);
}

static struct vdrive_slot *laser_slot(const struct vdrive_laser *laser, uint32_t n)
{
    return laser->buffer + (laser->slot_first + n) % VDRIVE_BUFFER_BLOCKS;
}

/* The laser goes over the packet: from now on its old contents are gone. */
static void laser_begin_packet(struct vdrive *d, const struct vdrive_job *job)
{
    uint32_t n = mmc_packet_of(job->first, MMC_PACKET_BLOCKS).n;
    struct vdrive_packet *packet = &d->media.packets[n];

    packet->flags |= VDRIVE_PACKET_TORN;
    packet->rewrites += packet->rewrites < UINT32_MAX;
    if (packet->rewrites > d->stats.most_rewrites) {
        d->stats.most_rewrites = packet->rewrites;
        d->stats.most_rewritten_packet = n;
    }
    /* A folder that takes no more is told of when the packet ends. */
    vdrive_media_packets_store(&d->media, n, 1);
}

static void laser_end_packet(struct vdrive *d, const struct vdrive_job *job, const void *data)
{
    uint32_t n = mmc_packet_of(job->first, MMC_PACKET_BLOCKS).n;
    struct vdrive_packet *packet = &d->media.packets[n];
    mmc_lba_t at = job->first;
    bool bad = vdrive_fault_blocks(&d->faults, VDRIVE_FAULT_WRITE_DEFERRED, job->first, job->count, &at);

    d->stats.packets_written++;
    if (d->faults.wear && packet->rewrites > d->faults.wear)
        bad = true;
    if (!bad && vdrive_media_write(&d->media, job->first, job->count, data) == 0) {
        packet->flags = VDRIVE_PACKET_FORMATTED;
        if (vdrive_media_packets_store(&d->media, n, 1) == 0)
            return;
    }
    packet->flags |= VDRIVE_PACKET_TORN;
    vdrive_deferred_add(d, VDRIVE_WRITE_ERROR, at);
}

static void laser_damage_track(struct vdrive *d, vdrive_sense_code_t code, mmc_lba_t at)
{
    struct vdrive_track *track = vdrive_disc_open_track(&d->disc);

    if (track)
        track->damaged = true;
    vdrive_deferred_add(d, code, at);
}

int vdrive_mark_sectors(struct vdrive *d, mmc_lba_t first, uint32_t count, uint8_t form,
                        const struct vdrive_place *place)
{
    struct vdrive_slot slot = {0};
    int err = 0;

    for (uint32_t i = 0; i < count && !err; i++) {
        mmc_lba_t lba = mmc_lba_add(first, i);

        slot.sector.form = form;
        vdrive_slot_place(&slot, place, lba);
        err = vdrive_media_sectors_write(&d->media, lba, 1, &slot);
    }
    return err;
}

/* What the drive itself writes before the blocks of a job. */
static int laser_open(struct vdrive *d, const struct vdrive_job *job, const struct vdrive_slot *slot)
{
    struct vdrive_place place = {.control = slot->sector.q[0] >> 4, .origin = job->first};
    struct vdrive_track *track = vdrive_disc_open_track(&d->disc);
    int err = 0;

    if (track)
        place.track = (uint8_t)track->number;
    if (job->opens_track)
        err = vdrive_mark_sectors(d, mmc_lba_add(job->first, -VDRIVE_PREGAP), VDRIVE_PREGAP,
                                  VDRIVE_SECTOR_PREGAP, &place);
    if (!err && job->opens_packet) {
        place.index = 1;
        if (track)
            place.origin = track->start;
        err = vdrive_mark_sectors(d, mmc_lba_add(job->first, -VDRIVE_RUNIN), VDRIVE_RUNIN, VDRIVE_SECTOR_LINK,
                                  &place);
    }
    return err;
}

static void laser_end_sectors(struct vdrive *d, const struct vdrive_job *job, const struct vdrive_slot *slots)
{
    mmc_lba_t at = job->first;
    uint32_t good = job->count;
    int err = 0;

    if (job->test)
        return;
    if (vdrive_fault_blocks(&d->faults, VDRIVE_FAULT_WRITE_DEFERRED, job->first, job->count, &at))
        good = (uint32_t)(at.n - job->first.n);
    err = laser_open(d, job, slots);
    if (!err)
        err = vdrive_media_sectors_write(&d->media, job->first, good, slots);
    if (err || good < job->count)
        laser_damage_track(d, VDRIVE_WRITE_ERROR, at);
}

/* The buffer ran empty in the middle of a track, and the laser may not stop there. */
static bool laser_underrun(const struct vdrive_laser *laser, const struct vdrive_job *job, uint64_t idle)
{
    return laser->activity != VDRIVE_IDLE && job->sectors && !job->opens_track && !job->opens_packet &&
           !job->underrun_free && idle > 0;
}

static void laser_begin(struct vdrive *d, uint64_t start)
{
    struct vdrive_laser *laser = &d->laser;
    const struct vdrive_job *job = &laser->jobs[laser->job_first];
    uint32_t at = laser_place(d, job->first), sectors = job->count;
    unsigned speed = vdrive_speed_write(at, d->write_speed);
    uint64_t us = laser_approach(d, at, VDRIVE_WRITING, speed, start - laser->free_at);

    if (laser_underrun(laser, job, start - laser->free_at))
        laser_damage_track(d, VDRIVE_UNDERRUN, job->first);
    if (!job->sectors) {
        sectors += VDRIVE_LINK_BLOCKS;
        laser_begin_packet(d, job);
    } else if (job->opens_track) {
        us += vdrive_time_sectors(TRACK_OPEN_WAIT, speed);
    } else if (job->opens_packet) {
        us += vdrive_time_sectors(VDRIVE_RUNIN, speed);
    }
    laser->in_flight = true;
    laser->flight_end = start + us + vdrive_time_sectors(sectors, speed);
    laser->activity = VDRIVE_WRITING;
    laser->position = at + sectors;
    laser->unsynced = true;
}

static void laser_end(struct vdrive *d)
{
    struct vdrive_laser *laser = &d->laser;
    const struct vdrive_job *job = &laser->jobs[laser->job_first];

    if (job->sectors)
        laser_end_sectors(d, job, laser_slot(laser, 0));
    else
        laser_end_packet(d, job, laser_slot(laser, 0));
    laser->slot_first = (laser->slot_first + job->count) % VDRIVE_BUFFER_BLOCKS;
    laser->slots_used -= job->count;
    laser->job_first = (laser->job_first + 1) % VDRIVE_BUFFER_BLOCKS;
    laser->job_count--;
    laser->in_flight = false;
    laser->free_at = laser->flight_end;
    if (laser->job_count == 0)
        laser->slot_first = 0;
}

void vdrive_laser_run(struct vdrive *d, uint64_t until)
{
    struct vdrive_laser *laser = &d->laser;

    while (laser->job_count > 0 && !d->power_lost) {
        if (!laser->in_flight) {
            uint64_t arrived = laser->jobs[laser->job_first].arrived;
            uint64_t start = arrived > laser->free_at ? arrived : laser->free_at;

            if (start > until)
                return;
            laser_begin(d, start);
        }
        if (laser->flight_end > until)
            return;
        laser_end(d);
    }
}

bool vdrive_laser_has_room(const struct vdrive *d, uint32_t blocks)
{
    return d->laser.slots_used + blocks <= VDRIVE_BUFFER_BLOCKS;
}

/* Lets the clock run until the job under the laser has ended. */
static void laser_wait_job(struct vdrive *d)
{
    vdrive_laser_run(d, d->now);
    if (d->laser.in_flight)
        vdrive_clock_advance_to(d, d->laser.flight_end);
}

void vdrive_laser_drain(struct vdrive *d)
{
    while (d->laser.job_count > 0 && !d->power_lost)
        laser_wait_job(d);
}

static void laser_put(struct vdrive *d, const struct vdrive_job *job, const void *data)
{
    struct vdrive_laser *laser = &d->laser;
    struct vdrive_job *to = &laser->jobs[(laser->job_first + laser->job_count) % VDRIVE_BUFFER_BLOCKS];

    memcpy(laser_slot(laser, laser->slots_used), data,
           job->count * (job->sectors ? sizeof(struct vdrive_slot) : MMC_BLOCK_BYTES));
    *to = *job;
    to->arrived = d->now;
    laser->slots_used += job->count;
    laser->job_count++;
}

void vdrive_laser_queue(struct vdrive *d, const struct vdrive_job *job, const void *data)
{
    struct vdrive_laser *laser = &d->laser;
    uint32_t tail, whole;

    while (!vdrive_laser_has_room(d, job->count) && !d->power_lost)
        laser_wait_job(d);
    if (d->power_lost)
        return;
    /* Slots of a job follow each other in memory: one that would wrap becomes two. Packets divide the ring.
     */
    tail = (laser->slot_first + laser->slots_used) % VDRIVE_BUFFER_BLOCKS;
    whole = VDRIVE_BUFFER_BLOCKS - tail;
    if (job->count > whole) {
        struct vdrive_job head = *job, rest = *job;

        head.count = whole;
        rest.first = mmc_lba_add(job->first, whole);
        rest.count = job->count - whole;
        rest.opens_track = rest.opens_packet = false;
        laser_put(d, &head, data);
        laser_put(d, &rest, (const struct vdrive_slot *)data + whole);
    } else {
        laser_put(d, job, data);
    }
    vdrive_laser_run(d, d->now);
}

void vdrive_laser_power_off(struct vdrive *d)
{
    d->laser.job_count = 0;
    d->laser.slots_used = 0;
    d->laser.in_flight = false;
}

void vdrive_laser_occupy(struct vdrive *d, uint64_t microseconds, mmc_lba_t behind)
{
    vdrive_clock_advance(d, microseconds);
    d->laser.activity = VDRIVE_WRITING;
    d->laser.position = laser_place(d, behind);
    d->laser.free_at = d->now;
}

/* Time for blocks to pass when read at this speed. */
static uint64_t read_time(const struct vdrive *d, uint64_t blocks, unsigned speed)
{
    uint64_t sectors =
        d->disc.formatted ? blocks * (MMC_PACKET_BLOCKS + VDRIVE_LINK_BLOCKS) / MMC_PACKET_BLOCKS : blocks;

    return vdrive_time_sectors(sectors, speed);
}

/* How far the drive has read on by itself since the last command. */
static void read_ahead(struct vdrive *d, unsigned speed)
{
    struct vdrive_laser *laser = &d->laser;
    uint64_t one = read_time(d, 1024, speed), blocks = (d->now - laser->ahead_since) * 1024 / one;
    mmc_lba_t limit = mmc_lba_add(laser->ahead_taken, AHEAD_BLOCKS);
    uint64_t room = limit.n > laser->ahead_next.n ? (uint64_t)(limit.n - laser->ahead_next.n) : 0;

    if (blocks >= room) {
        laser->ahead_next = mmc_lba_add(laser->ahead_next, (int64_t)room);
        laser->ahead_since = d->now;
    } else {
        laser->ahead_next = mmc_lba_add(laser->ahead_next, (int64_t)blocks);
        laser->ahead_since += blocks * one / 1024;
    }
    if (laser->ahead_next.n - laser->ahead_first.n > (int32_t)VDRIVE_BUFFER_BLOCKS)
        laser->ahead_first = mmc_lba_add(laser->ahead_next, -(int64_t)VDRIVE_BUFFER_BLOCKS);
}

void vdrive_laser_read(struct vdrive *d, mmc_lba_t first, uint32_t count)
{
    struct vdrive_laser *laser = &d->laser;
    mmc_lba_t end = mmc_lba_add(first, count);
    uint32_t at = laser_place(d, first);
    unsigned speed = vdrive_speed_read(at, d->read_speed);

    vdrive_laser_drain(d);
    if (laser->activity == VDRIVE_READING)
        read_ahead(d, speed);
    if (laser->activity != VDRIVE_READING || first.n < laser->ahead_first.n ||
        first.n > laser->ahead_next.n) {
        vdrive_clock_advance(d, laser_approach(d, at, VDRIVE_READING, speed, 1));
        laser->activity = VDRIVE_READING;
        laser->ahead_first = laser->ahead_next = first;
        laser->ahead_since = d->now;
    }
    if (end.n > laser->ahead_next.n) {
        uint64_t ready = laser->ahead_since + read_time(d, (uint64_t)(end.n - laser->ahead_next.n), speed);

        if (ready > d->now)
            vdrive_clock_advance_to(d, ready);
        laser->ahead_next = end;
        laser->ahead_since = ready;
    }
    laser->ahead_taken = end;
    laser->position = laser_place(d, laser->ahead_next);
}
