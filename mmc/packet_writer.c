/* SPDX-License-Identifier: MIT */
/*
 * The packet device's writer: a thread that brings dirty packets to the drive, whole, in ascending order from
 * where it wrote last, as the laser likes it.
 *
 * What is written when:
 *   - packets that a sync waits for, at once;
 *   - packets with every block dirty, once enough of them have gathered to keep the drive streaming,
 *     until none is left;
 *   - with more than half of the memory dirty, or no room left, whole packets first, then any;
 *   - a packet that has been dirty for two seconds, once nobody writes any more, or for half a minute.
 *
 * A packet that the drive refuses, or refuses late, becomes a suspect: it is written with nothing else in the
 * drive's buffer and synced at once, so that the next refusal is about no other. After a few of those it has
 * failed.
 */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "mmc/command.h"
#include "mmc/packet.h"

/* Packets completed together before they are written, to turn from reading once. */
#define BATCH 16u
/* Whole packets that start the drive writing; a quarter of a small memory does, too. */
#define BURST_PACKETS 128u
#define AGE_MS        2000u  /* after this long a dirty packet waits no longer for its other blocks ... */
#define AGE_MOST_MS   30000u /* ... and after this long not even while others are being written */
#define GAP_MS        100u   /* how long a packet that is missing in the sequence is waited for */
#define TRIES_MOST    3u
/* Packets failed with no good sync in between: it is the drive, not the packets. */
#define FAILURES_IN_ROW 32u

static bool writer_pressed(const struct packet_device *dev)
{
    return dev->room_waiters > 0 || dev->counts.dirty > dev->packets_most / 2;
}

static uint32_t burst_packets(const struct packet_device *dev)
{
    return dev->packets_most / 4 < BURST_PACKETS ? dev->packets_most / 4 : BURST_PACKETS;
}

/* There is nothing left to gain room with but packets that lack blocks: a sync would free none. */
static bool writer_cornered(const struct packet_device *dev)
{
    return (dev->counts.held >= dev->packets_most && dev->counts.unsynced == 0) ||
           dev->counts.dirty > dev->packets_most / 2;
}

bool packet_writer_urgent(const struct packet_device *dev)
{
    return dev->sync_asked > dev->sync_done || writer_pressed(dev);
}

/* Nobody writes just now: the drive might as well have what is left over. */
static bool writer_idle(const struct packet_device *dev)
{
    return !dev->burst && dev->room_waiters == 0 && packet_now_ms() - dev->dirtied_at >= AGE_MS / 2;
}

/* Whether the packet is one to write now. */
static bool writer_wants(const struct packet_device *dev, const struct packet *p, uint64_t now)
{
    bool whole = p->dirty == packet_all(dev, p->number);

    if (!p->dirty || p->error || p->reading)
        return false;
    if (p->due || p->suspect || now - p->dirty_at >= (writer_idle(dev) ? AGE_MS : AGE_MOST_MS))
        return true;
    if (dev->sync_asked > dev->sync_done)
        return false;
    if (writer_cornered(dev) && dev->counts.whole == 0)
        return true;
    return whole && dev->burst;
}

/* The next packets in ascending order from the writer's position, over the end of the
 * disc and on from its beginning. */
static uint32_t writer_pick(struct packet_device *dev, struct packet *batch[BATCH])
{
    uint64_t now = packet_now_ms();
    uint32_t n = 0;

    if (dev->counts.dirty == 0)
        return 0;
    dev->burst = dev->counts.whole > 0 &&
                 (dev->burst || dev->counts.whole >= burst_packets(dev) || writer_pressed(dev));
    for (struct packet *p = dev->newest; p; p = p->older) {
        uint32_t at = n, ahead = p->number - dev->position;

        if (!writer_wants(dev, p, now))
            continue;
        while (at > 0 && batch[at - 1]->number - dev->position > ahead)
            at--;
        if (at >= BATCH)
            continue;
        if (n < BATCH)
            n++;
        memmove(batch + at + 1, batch + at, (n - at - 1) * sizeof *batch);
        batch[at] = p;
    }
    return n;
}

static void writer_fail(struct packet_device *dev, struct packet *p, int error)
{
    packet_change_begin(dev, p);
    p->error = error;
    p->due = false;
    packet_change_end(dev, p);
    dev->lost_rounds = 0;
    if (++dev->failures_in_row >= FAILURES_IN_ROW)
        dev->dead = -EIO;
    pthread_cond_broadcast(&dev->change);
}

/* Reads what the packet lacks. Returns false when it is not to be written now. */
static bool writer_complete(struct packet_device *dev, struct packet *p)
{
    uint32_t all = packet_all(dev, p->number);
    int error;

    if (p->reading)
        return false;
    if (p->valid == all)
        return true;
    p->reading = true;
    error = packet_read_missing(dev, p, all, dev->buffer, false);
    p->reading = false;
    pthread_cond_broadcast(&dev->change);
    if (!error)
        dev->stats.packets_completed++;
    else if (!dev->dead && p->valid != all)
        writer_fail(dev, p, error);
    return p->valid == all;
}

static void writer_speed(struct packet_device *dev)
{
    if (!dev->speed_lost)
        return;
    dev->speed_lost = false;
    pthread_mutex_unlock(&dev->lock);
    /* A drive that does not like it writes at its own speed. */
    (void)mmc_speed_set(dev->drive, MMC_SPEED_MAX, MMC_SPEED_MAX);
    pthread_mutex_lock(&dev->lock);
}

/* Gives the packet to the drive. Returns 0, or -errno when it was refused; whether it was
 * lost later, its unsynced says. */
static int writer_send(struct packet_device *dev, struct packet *p)
{
    mmc_lba_t first = mmc_packet_first((mmc_packet_t){p->number}, dev->length);
    int error;

    packet_drive_enter(dev, false);
    writer_speed(dev);
    memcpy(dev->buffer, p->data, (size_t)dev->length * MMC_BLOCK_BYTES);
    packet_change_begin(dev, p);
    p->dirty = 0;
    p->due = false;
    p->unsynced = true;
    packet_change_end(dev, p);
    pthread_mutex_unlock(&dev->lock);
    error = mmc_write10(dev->drive, first, dev->length, dev->buffer);
    pthread_mutex_lock(&dev->lock);
    (void)packet_drive_answered(dev, error);
    if (error)
        packet_writes_doubt(dev);
    else
        dev->stats.packets_written++;
    packet_drive_leave(dev);
    dev->position = p->number + 1;
    return error;
}

/* Makes the drive burn all that it has. Returns 0 when everything unsynced is durable,
 * else some of it is dirty again. */
static int writer_flush(struct packet_device *dev)
{
    int error;
    bool lost;

    packet_drive_enter(dev, false);
    pthread_mutex_unlock(&dev->lock);
    error = mmc_synchronize_cache(dev->drive);
    pthread_mutex_lock(&dev->lock);
    lost = packet_drive_answered(dev, error);
    if (error)
        packet_writes_doubt(dev);
    if (!error && !lost) {
        for (struct packet *p = dev->newest; p; p = p->older) {
            packet_change_begin(dev, p);
            p->tries = p->unsynced ? 0 : p->tries;
            p->unsynced = false;
            packet_change_end(dev, p);
        }
        dev->lost_rounds = 0;
        dev->failures_in_row = 0;
    }
    packet_drive_leave(dev);
    return error ? error : lost ? -EIO : 0;
}

/* Writes a suspect so that the drive's answer can be about nothing else. */
static void writer_send_alone(struct packet_device *dev, struct packet *p)
{
    int error;

    if (dev->counts.unsynced > 0 && writer_flush(dev) != 0)
        return;
    error = writer_send(dev, p);
    if (!error)
        error = p->unsynced ? writer_flush(dev) : -EIO;
    if (dev->dead)
        return;
    if (!error)
        p->suspect = false;
    else if (++p->tries >= TRIES_MOST)
        writer_fail(dev, p, error);
}

static void writer_send_batch(struct packet_device *dev, struct packet **batch, uint32_t n)
{
    uint32_t whole = 0;

    for (uint32_t i = 0; i < n && !dev->dead; i++)
        if (writer_complete(dev, batch[i]))
            batch[whole++] = batch[i];
    for (uint32_t i = 0; i < whole && !dev->dead; i++) {
        struct packet *p = batch[i];

        if (p->suspect) {
            writer_send_alone(dev, p);
        } else if (writer_send(dev, p) != 0) {
            p->suspect = true;
            return; /* the lost ones go first again, in order */
        }
    }
}

/* Unsynced packets fill memory that writers wait for. Syncing breaks the drive's stream, so it is put off
 * until a good part of the memory is gained by it. */
static bool writer_must_flush(const struct packet_device *dev)
{
    uint32_t usable = dev->packets_most - dev->counts.held;

    return dev->counts.unsynced >= dev->sync_each && usable < dev->packets_most / 8;
}

static bool writer_sync_step(struct packet_device *dev)
{
    uint64_t asked = dev->sync_asked;

    if (asked == dev->sync_done || dev->counts.due > 0)
        return false;
    if (dev->counts.unsynced == 0 || writer_flush(dev) == 0) {
        dev->sync_done = asked;
        pthread_cond_broadcast(&dev->change);
    }
    return true;
}

/* Whether to let the packet at the writer's position come before it jumps to another: what many threads write
 * to one file arrives almost, but not quite, in order, and a jump costs the drive more than this wait. The
 * drive's own buffer keeps the laser busy meanwhile. */
static bool writer_waits_for_gap(struct packet_device *dev, const struct packet *next)
{
    uint64_t now = packet_now_ms();

    if (next->number == dev->position || next->due || writer_cornered(dev) || now - dev->dirtied_at > GAP_MS)
        return false;
    if (dev->gap != dev->position) {
        dev->gap = dev->position;
        dev->gap_until = now + GAP_MS;
    }
    return now < dev->gap_until;
}

/* How many of the picked packets to write before looking again: those up to the
 * first gap, unless they have to go. */
static uint32_t writer_run(const struct packet_device *dev, struct packet *const *batch, uint32_t n)
{
    for (uint32_t i = 1; i < n; i++)
        if (batch[i]->number != batch[i - 1]->number + 1 &&
            batch[i]->dirty == packet_all(dev, batch[i]->number) && !batch[i]->due)
            return i;
    return n;
}

/* Does the most useful thing. Returns false when there is nothing to do. */
static bool writer_step(struct packet_device *dev)
{
    struct packet *batch[BATCH];
    uint32_t n;

    if (!packet_writer_urgent(dev) && packet_ahead_step(dev))
        return true;
    if (writer_must_flush(dev)) {
        (void)writer_flush(dev);
        return true;
    }
    n = writer_pick(dev, batch);
    if (n > 0 && writer_waits_for_gap(dev, batch[0]))
        return false;
    if (n > 0) {
        writer_send_batch(dev, batch, writer_run(dev, batch, n));
        return true;
    }
    if (writer_sync_step(dev))
        return true;
    if (dev->room_waiters > 0 && dev->counts.unsynced > 0 && dev->counts.held >= dev->packets_most) {
        (void)writer_flush(dev);
        return true;
    }
    return packet_ahead_step(dev);
}

/* Until somebody says that there is work, the oldest dirty packet has its age, or a
 * gap was waited for long enough. */
static void writer_sleep(struct packet_device *dev)
{
    uint64_t oldest = UINT64_MAX, now = packet_now_ms(), wake;
    struct timespec until;

    for (struct packet *p = dev->newest; p && dev->counts.dirty > 0; p = p->older)
        if (p->dirty && !p->error && !p->reading && p->dirty_at < oldest)
            oldest = p->dirty_at;
    if (oldest == UINT64_MAX || dev->dead) {
        pthread_cond_wait(&dev->work, &dev->lock);
        return;
    }
    wake = oldest + AGE_MS;
    if (wake < dev->dirtied_at + AGE_MS / 2)
        wake = dev->dirtied_at + AGE_MS / 2;
    if (dev->gap == dev->position && dev->gap_until > now && dev->gap_until < wake)
        wake = dev->gap_until;
    if (wake <= now)
        wake = now + GAP_MS;
    until.tv_sec = (time_t)(wake / 1000);
    until.tv_nsec = (long)(wake % 1000) * 1000000;
    pthread_cond_timedwait(&dev->work, &dev->lock, &until);
}

void *packet_writer_main(void *arg)
{
    struct packet_device *dev = arg;

    pthread_mutex_lock(&dev->lock);
    while (!dev->stop)
        if (dev->dead || !writer_step(dev))
            writer_sleep(dev);
    pthread_mutex_unlock(&dev->lock);
    return NULL;
}
