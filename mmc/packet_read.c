/* SPDX-License-Identifier: MIT */
/*
 * The packet device's reads. What is in memory is copied; the rest is read in whole packets, and further
 * ahead the longer a reader goes on in order. Packets on their way are in the cache already, marked as being
 * read: others who want them wait, and blocks written meanwhile are newer than what the drive delivers.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mmc/command.h"
#include "mmc/packet.h"

static size_t packet_bytes(const struct packet_device *dev)
{
    return (size_t)dev->length * MMC_BLOCK_BYTES;
}

static uint32_t packet_end(const struct packet_device *dev)
{
    return (dev->dev.geometry.blocks + dev->length - 1) / dev->length;
}

/* One READ. Of all that can go wrong, the caller of the block device learns only
 * what it can do something about. */
static int drive_read(struct packet_device *dev, mmc_lba_t first, uint32_t count, void *buf, bool reader)
{
    int error = 0;

    packet_drive_enter(dev, reader);
    if (!dev->dead) {
        pthread_mutex_unlock(&dev->lock);
        error = mmc_read10(dev->drive, first, count, buf);
        pthread_mutex_lock(&dev->lock);
        (void)packet_drive_answered(dev, error);
    }
    packet_drive_leave(dev);
    if (dev->dead)
        return dev->dead;
    return error ? -EIO : 0;
}

/* First run of ones in the mask. */
static void mask_run(uint32_t mask, uint32_t *first, uint32_t *count)
{
    *first = (uint32_t)__builtin_ctz(mask);
    *count = 0;
    while (*first + *count < 32 && mask >> (*first + *count) & 1)
        ++*count;
}

static int missing_read(struct packet_device *dev, struct packet *p, uint32_t first, uint32_t count,
                        uint8_t *buffer, bool reader)
{
    mmc_lba_t lba = mmc_lba_add(mmc_packet_first((mmc_packet_t){p->number}, dev->length), first);
    int error = drive_read(dev, lba, count, buffer + (size_t)first * MMC_BLOCK_BYTES, reader);

    if (!error)
        packet_fill(p, packet_mask(first, count) & ~p->valid, buffer);
    return error;
}

int packet_read_missing(struct packet_device *dev, struct packet *p, uint32_t wanted, uint8_t *buffer,
                        bool reader)
{
    uint32_t mask = wanted & ~p->valid, first, count;
    int error;

    if (!mask)
        return 0;
    first = (uint32_t)__builtin_ctz(mask);
    count = 32 - (uint32_t)__builtin_clz(mask) - first;
    dev->stats.packets_read++;
    error = missing_read(dev, p, first, count, buffer, reader);
    if (!error || dev->dead || mask == packet_mask(first, count))
        return error;
    /* What cannot be read may lie between the wanted blocks only. */
    error = 0;
    while ((mask = wanted & ~p->valid) != 0 && !error) {
        mask_run(mask, &first, &count);
        error = missing_read(dev, p, first, count, buffer, reader);
    }
    return error;
}

/* Marks packets from first on as being read, up to end or the first that
 * needs no reading or finds no room. */
static uint32_t range_claim(struct packet_device *dev, uint32_t first, uint32_t end)
{
    uint32_t n = 0;

    while (first + n < end && n < dev->read_most) {
        struct packet *p = packet_find(dev, first + n);

        if (p && (p->reading || p->valid == packet_all(dev, first + n)))
            break;
        p = packet_get(dev, first + n);
        if (!p)
            break;
        p->reading = true;
        n++;
    }
    return n;
}

static void claim_end(struct packet_device *dev, struct packet *p)
{
    p->reading = false;
    if (!p->valid)
        packet_forget(dev, p);
}

/* Reads the packets claimed, and ends the claim. */
static int range_read(struct packet_device *dev, uint32_t first, uint32_t n, bool reader)
{
    uint32_t count = n * dev->length, start = first * dev->length;
    uint8_t *buffer = malloc(n * packet_bytes(dev));
    int error = -ENOMEM;

    if (count > dev->dev.geometry.blocks - start)
        count = dev->dev.geometry.blocks - start;
    if (buffer)
        error = drive_read(dev, mmc_lba(start), count, buffer, reader);
    if (!error)
        dev->stats.packets_read += n;
    for (uint32_t i = 0; i < n; i++) {
        struct packet *p = packet_find(dev, first + i);

        if (!error)
            packet_fill(p, packet_all(dev, first + i) & ~p->valid, buffer + i * packet_bytes(dev));
        claim_end(dev, p);
    }
    pthread_cond_broadcast(&dev->change);
    pthread_cond_signal(&dev->work);
    free(buffer);
    return error;
}

/* The reader who was to come here, or a little before if what lies between was in memory; else a new one, in
 * the place of the one not seen for longest. */
static struct packet_stream *stream_find(struct packet_device *dev, uint32_t number)
{
    struct packet_stream *oldest = &dev->streams[0];

    for (uint32_t i = 0; i < PACKET_STREAMS; i++) {
        struct packet_stream *s = &dev->streams[i];

        if (s->used && number >= s->next && number - s->next <= s->window)
            return s;
        if (s->used < oldest->used)
            oldest = s;
    }
    oldest->window = 0;
    return oldest;
}

/* Claims packets for one who wants those from number to last, and more the longer he has gone on. */
static uint32_t stream_claim(struct packet_device *dev, uint32_t number, uint32_t last)
{
    struct packet_stream *s = stream_find(dev, number);
    uint32_t run = last - number + 1, end = packet_end(dev), n;

    s->window *= 2;
    if (s->window < run)
        s->window = run;
    if (s->window > dev->read_most)
        s->window = dev->read_most;
    n = range_claim(dev, number, s->window < end - number ? number + s->window : end);
    s->next = number + n;
    s->used = ++dev->stream_clock;
    return n;
}

/* Reads wanted blocks of one packet that could not be read whole, so as not to fail for the others' sake. */
static int read_single(struct packet_device *dev, uint32_t number, uint32_t wanted)
{
    struct packet *p = packet_get(dev, number);
    uint8_t *buffer;
    int error = -ENOMEM;

    /* The lock was held since the packet's claim ended, so it has room and nobody else is reading it. */
    if (!p)
        return -EIO;
    p->reading = true;
    buffer = malloc(packet_bytes(dev));
    if (buffer)
        error = packet_read_missing(dev, p, wanted, buffer, true);
    free(buffer);
    claim_end(dev, p);
    pthread_cond_broadcast(&dev->change);
    pthread_cond_signal(&dev->work);
    return error;
}

/* Brings the wanted blocks of packet number into memory, and what follows up to packet last, or some of it.
 * Returns 0, 1 when there is no memory for it, or -errno. */
static int read_miss(struct packet_device *dev, uint32_t number, uint32_t last, uint32_t wanted)
{
    uint32_t n = stream_claim(dev, number, last);
    int error;

    if (n == 0)
        return 1;
    error = range_read(dev, number, n, true);
    if (!error || dev->dead)
        return error;
    if (n == 1 && wanted == packet_all(dev, number))
        return error;
    return read_single(dev, number, wanted);
}

int packet_read(struct block_device *block, mmc_lba_t first, uint32_t count, void *buf)
{
    struct packet_device *dev = (struct packet_device *)block;
    uint32_t at = (uint32_t)first.n, end = at + count;
    uint8_t *to = buf;
    int error = 0;

    pthread_mutex_lock(&dev->lock);
    while (at < end && !error) {
        uint32_t number = at / dev->length, in = at % dev->length;
        uint32_t n = dev->length - in < end - at ? dev->length - in : end - at, wanted = packet_mask(in, n);
        struct packet *p = packet_find(dev, number);

        if (dev->dead) {
            error = dev->dead;
            break;
        }
        if (p && (p->valid & wanted) != wanted) {
            if (p->reading)
                pthread_cond_wait(&dev->change, &dev->lock);
            else
                error = read_miss(dev, number, (end - 1) / dev->length, wanted);
            continue;
        }
        if (!p) {
            error = read_miss(dev, number, (end - 1) / dev->length, wanted);
            if (error <= 0)
                continue;
            error = drive_read(dev, mmc_lba(at), n, to, true);
        } else {
            (void)packet_get(dev, number);
            memcpy(to, p->data + (size_t)in * MMC_BLOCK_BYTES, (size_t)n * MMC_BLOCK_BYTES);
        }
        at += n;
        to += (size_t)n * MMC_BLOCK_BYTES;
    }
    pthread_mutex_unlock(&dev->lock);
    return error;
}

void packet_readahead(struct block_device *block, mmc_lba_t first, uint32_t count)
{
    struct packet_device *dev = (struct packet_device *)block;
    uint32_t from = (uint32_t)first.n / dev->length, to = ((uint32_t)first.n + count - 1) / dev->length + 1;

    if (to - from > dev->packets_most / 4)
        to = from + dev->packets_most / 4;
    pthread_mutex_lock(&dev->lock);
    if (dev->ahead_count < PACKET_AHEADS) {
        unsigned at = (dev->ahead_first + dev->ahead_count++) % PACKET_AHEADS;

        dev->aheads[at] = (struct packet_range){from, to};
        pthread_cond_signal(&dev->work);
    }
    pthread_mutex_unlock(&dev->lock);
}

bool packet_ahead_step(struct packet_device *dev)
{
    struct packet_range *range = &dev->aheads[dev->ahead_first];
    uint32_t first, n;

    if (dev->ahead_count == 0)
        return false;
    while (range->first < range->end) {
        struct packet *p = packet_find(dev, range->first);

        if (!p || (!p->reading && p->valid != packet_all(dev, range->first)))
            break;
        range->first++;
    }
    first = range->first;
    n = range_claim(dev, first, range->end);
    range->first += n;
    if (n == 0 || range->first >= range->end) {
        dev->ahead_first = (dev->ahead_first + 1) % PACKET_AHEADS;
        dev->ahead_count--;
    }
    /* A hint that comes to nothing is nobody's error: whoever reads for real will see it. */
    if (n > 0)
        (void)range_read(dev, first, n, false);
    return true;
}
