/* SPDX-License-Identifier: MIT */
/*
 * The packet device: the disc in a drive as a block device that takes blocks in any order and size and writes
 * whole aligned packets. This is its face: opening, writing into memory, syncing, and what became of packets
 * that failed.
 */
#include "mmc/packet.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mmc/command.h"
#include "mmc/writeparams.h"

#define CACHE_BYTES   (64u << 20)
#define PACKETS_LEAST 16u
#define PACKETS_MOST  (1u << 20)

/* Waits until there is room for the packet. */
static int write_room(struct packet_device *dev, uint32_t number, struct packet **p)
{
    while (!dev->dead && !(*p = packet_get(dev, number))) {
        if (!packet_room_possible(dev))
            return -EIO;
        dev->room_waiters++;
        pthread_cond_signal(&dev->work);
        pthread_cond_broadcast(&dev->change);
        pthread_cond_wait(&dev->change, &dev->lock);
        dev->room_waiters--;
    }
    return dev->dead;
}

static void write_wake(struct packet_device *dev, uint32_t dirty_before)
{
    /* The writer has to start its clock at the first dirty packet, and to look again when more are ready. */
    if (dirty_before == 0 || dev->counts.whole > 0 || dev->counts.dirty > dev->packets_most / 2)
        pthread_cond_signal(&dev->work);
}

static int packet_write(struct block_device *block, mmc_lba_t first, uint32_t count, const void *buf,
                        unsigned flags)
{
    struct packet_device *dev = (struct packet_device *)block;
    uint32_t at = (uint32_t)first.n, end = at + count;
    const uint8_t *from = buf;
    int error = 0;

    pthread_mutex_lock(&dev->lock);
    while (at < end) {
        uint32_t in = at % dev->length, n = dev->length - in < end - at ? dev->length - in : end - at;
        uint32_t dirty_before = dev->counts.dirty;
        struct packet *p;

        error = write_room(dev, at / dev->length, &p);
        if (error)
            break;
        packet_copy_in(dev, p, in, n, from, flags);
        write_wake(dev, dirty_before);
        at += n;
        from += (size_t)n * MMC_BLOCK_BYTES;
    }
    pthread_mutex_unlock(&dev->lock);
    return error;
}

static int packet_sync(struct block_device *block)
{
    struct packet_device *dev = (struct packet_device *)block;
    uint64_t asked;
    int error;

    pthread_mutex_lock(&dev->lock);
    for (struct packet *p = dev->newest; p && dev->counts.dirty > 0; p = p->older) {
        packet_change_begin(dev, p);
        p->due = p->dirty && !p->error;
        packet_change_end(dev, p);
    }
    if (dev->counts.dirty > 0 || dev->counts.unsynced > 0) {
        asked = ++dev->sync_asked;
        pthread_cond_signal(&dev->work);
        pthread_cond_broadcast(&dev->change);
        while (!dev->dead && dev->sync_done < asked)
            pthread_cond_wait(&dev->change, &dev->lock);
    }
    error = dev->counts.failed > 0 ? -EIO : 0;
    if (dev->dead)
        error = dev->dead;
    pthread_mutex_unlock(&dev->lock);
    return error;
}

static int packet_failure_next(struct block_device *block, struct block_failure *f)
{
    struct packet_device *dev = (struct packet_device *)block;
    const struct packet *found = NULL;

    pthread_mutex_lock(&dev->lock);
    for (const struct packet *p = dev->newest; p && dev->counts.failed > 0; p = p->older)
        if (p->error && (!found || p->number < found->number))
            found = p;
    if (found) {
        f->packet = (mmc_packet_t){found->number};
        f->error = found->error;
    }
    pthread_mutex_unlock(&dev->lock);
    return found != NULL;
}

/* Makes the packet dirty all over, as if it had just been written for the first time. */
static void packet_renew(struct packet_device *dev, struct packet *p)
{
    packet_change_begin(dev, p);
    p->valid = p->dirty = packet_all(dev, p->number);
    p->dirty_at = packet_now_ms();
    p->suspect = false;
    p->tries = 0;
    p->error = 0;
    packet_change_end(dev, p);
    pthread_cond_signal(&dev->work);
}

/* The failed packet and the one that takes over, once nobody reads into either. */
static struct packet *failure_find(struct packet_device *dev, uint32_t from, uint32_t to,
                                   struct packet **target)
{
    for (;;) {
        struct packet *p = packet_find(dev, from);

        *target = packet_find(dev, to);
        if (!p || !p->error)
            return NULL;
        if (!p->reading && !(*target && (*target)->reading))
            return p;
        pthread_cond_wait(&dev->change, &dev->lock);
    }
}

static int packet_failure_move(struct block_device *block, mmc_packet_t from, mmc_packet_t to)
{
    struct packet_device *dev = (struct packet_device *)block;
    struct packet *p, *target;
    int error = 0;

    pthread_mutex_lock(&dev->lock);
    p = failure_find(dev, from.n, to.n, &target);
    if (!p) {
        error = -ENOENT;
    } else if (p->valid != packet_all(dev, from.n)) {
        error = -EIO;
    } else if (target && target != p) {
        memcpy(target->data, p->data, (size_t)dev->length * MMC_BLOCK_BYTES);
        packet_forget(dev, p);
        packet_renew(dev, target);
    } else {
        packet_renumber(dev, p, to.n);
        packet_renew(dev, p);
    }
    pthread_mutex_unlock(&dev->lock);
    return error;
}

static void device_free(struct packet_device *dev)
{
    packet_cache_free(dev);
    free(dev->buffer);
    pthread_cond_destroy(&dev->work);
    pthread_cond_destroy(&dev->change);
    pthread_mutex_destroy(&dev->lock);
    free(dev);
}

static int packet_close(struct block_device *block)
{
    struct packet_device *dev = (struct packet_device *)block;
    int error;

    pthread_mutex_lock(&dev->lock);
    dev->stop = true;
    pthread_cond_signal(&dev->work);
    pthread_mutex_unlock(&dev->lock);
    pthread_join(dev->writer, NULL);
    error = dev->dead;
    if (!dev->dev.geometry.read_only)
        (void)mmc_prevent_removal(dev->drive, false);
    mmc_medium_unpin(dev->drive);
    device_free(dev);
    return error;
}

static const struct block_ops packet_ops = {
    .read = packet_read,
    .write = packet_write,
    .sync = packet_sync,
    .readahead = packet_readahead,
    .failure_next = packet_failure_next,
    .failure_move = packet_failure_move,
    .close = packet_close,
};

static const struct mmc_track *track_data(const struct mmc_disc_info *info)
{
    for (unsigned i = 0; i < info->track_count && i < MMC_TRACKS_MAX; i++)
        if (info->tracks[i].track_mode & 4)
            return &info->tracks[i];
    return NULL;
}

/* What the disc is for the block device. */
static int open_geometry(struct packet_device *dev, bool read_only)
{
    struct mmc_disc_info *info = calloc(1, sizeof *info);
    int error = info ? mmc_disc_info_get(dev->drive, info) : -ENOMEM;
    bool packets =
        !error && info->formatted && info->packet_blocks == MMC_PACKET_BLOCKS && info->tracks[0].start.n == 0;

    if (!error && info->medium == MMC_MEDIUM_NONE)
        error = -ENOMEDIUM;
    else if (!error && (read_only ? !track_data(info) || info->capacity == 0 : !packets))
        error = mmc_error_note(dev->drive, -EMEDIUMTYPE,
                               read_only ? "There is no data track on the disc."
                                         : "The disc is not in packet form.");
    if (!error) {
        dev->length = MMC_PACKET_BLOCKS;
        dev->dev.geometry.read_only = read_only;
        dev->dev.geometry.packet_blocks = packets ? MMC_PACKET_BLOCKS : 1;
        dev->dev.geometry.blocks = info->capacity > INT32_MAX ? INT32_MAX : info->capacity;
        if (packets)
            dev->dev.geometry.blocks -= info->capacity % MMC_PACKET_BLOCKS;
    }
    if (!error && !read_only)
        error = mmc_write_params_set_packet(dev->drive, track_data(info));
    free(info);
    return error;
}

/* Gets the drive ready for writing. */
static int open_writable(struct packet_device *dev)
{
    if (dev->drive->transport->max_transfer < (size_t)dev->length * MMC_BLOCK_BYTES)
        return mmc_error_note(dev->drive, -EMSGSIZE,
                              "The host adapter cannot carry a packet in one command.");
    /* Neither is vital: drives without a lock, or with one speed, say no. */
    (void)mmc_speed_set(dev->drive, MMC_SPEED_MAX, MMC_SPEED_MAX);
    (void)mmc_prevent_removal(dev->drive, true);
    return 0;
}

static int open_memory(struct packet_device *dev, size_t cache_bytes)
{
    size_t packet_bytes = (size_t)dev->length * MMC_BLOCK_BYTES;
    size_t packets = (cache_bytes ? cache_bytes : CACHE_BYTES) / packet_bytes;
    size_t read_bytes = dev->drive->transport->max_transfer;

    if (packets < PACKETS_LEAST)
        packets = PACKETS_LEAST;
    dev->packets_most = packets < PACKETS_MOST ? (uint32_t)packets : PACKETS_MOST;
    dev->sync_each = dev->packets_most / 2;
    if (read_bytes > PACKET_READ_BYTES)
        read_bytes = PACKET_READ_BYTES;
    dev->read_most = (uint32_t)(read_bytes / packet_bytes);
    if (dev->read_most > dev->packets_most / 8)
        dev->read_most = dev->packets_most / 8;
    if (dev->read_most == 0)
        dev->read_most = 1;
    dev->buffer = malloc(packet_bytes);
    return dev->buffer ? packet_cache_init(dev) : -ENOMEM;
}

static struct packet_device *device_new(struct mmc_drive *drive)
{
    struct packet_device *dev = calloc(1, sizeof *dev);
    pthread_condattr_t monotonic;

    if (!dev)
        return NULL;
    dev->dev.ops = &packet_ops;
    dev->drive = drive;
    pthread_mutex_init(&dev->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&dev->work, &monotonic);
    pthread_cond_init(&dev->change, &monotonic);
    pthread_condattr_destroy(&monotonic);
    return dev;
}

int mmc_packet_open(struct mmc_drive *drive, size_t cache_bytes, bool read_only, struct block_device **dev)
{
    struct packet_device *d = device_new(drive);
    int error;

    if (!d)
        return -ENOMEM;
    /* Pinned before the first look, so that no disc can slip in between it and the first write. */
    mmc_medium_pin(drive);
    (void)mmc_deferred_take(drive, NULL);
    error = open_geometry(d, read_only);
    if (!error)
        error = open_memory(d, cache_bytes);
    if (!error && !read_only)
        error = open_writable(d);
    if (!error)
        error = -pthread_create(&d->writer, NULL, packet_writer_main, d);
    if (error) {
        mmc_medium_unpin(drive);
        device_free(d);
        return error;
    }
    *dev = &d->dev;
    return 0;
}

void mmc_packet_stats_get(struct block_device *packet_device, struct mmc_packet_stats *stats)
{
    struct packet_device *dev = (struct packet_device *)packet_device;

    pthread_mutex_lock(&dev->lock);
    *stats = dev->stats;
    pthread_mutex_unlock(&dev->lock);
}
