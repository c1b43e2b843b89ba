/* SPDX-License-Identifier: MIT */
/*
 * The packets that the packet device holds in memory: found by number, forgotten oldest first when clean,
 * counted by the reason why they are there.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "mmc/packet.h"

uint64_t packet_now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

int packet_cache_init(struct packet_device *dev)
{
    uint32_t size = 64;

    while (size < dev->packets_most && size < UINT32_C(1) << 24)
        size *= 2;
    dev->hash_mask = size - 1;
    dev->hash = calloc(size, sizeof(struct packet *));
    return dev->hash ? 0 : -ENOMEM;
}

void packet_cache_free(struct packet_device *dev)
{
    struct packet *p = dev->newest;

    while (p) {
        struct packet *older = p->older;
        free(p);
        p = older;
    }
    free(dev->hash);
}

static size_t packet_bytes(const struct packet_device *dev)
{
    return (size_t)dev->length * MMC_BLOCK_BYTES;
}

static struct packet **hash_slot(struct packet_device *dev, uint32_t number)
{
    /* Runs of neighbours are the rule; the low bits spread them perfectly. */
    return &dev->hash[number & dev->hash_mask];
}

static void use_unlink(struct packet_device *dev, struct packet *p)
{
    *(p->newer ? &p->newer->older : &dev->newest) = p->older;
    *(p->older ? &p->older->newer : &dev->oldest) = p->newer;
}

static void use_link(struct packet_device *dev, struct packet *p)
{
    p->newer = NULL;
    p->older = dev->newest;
    *(dev->newest ? &dev->newest->newer : &dev->oldest) = p;
    dev->newest = p;
}

static void hash_unlink(struct packet_device *dev, struct packet *p)
{
    struct packet **at = hash_slot(dev, p->number);

    while (*at != p)
        at = &(*at)->hash_next;
    *at = p->hash_next;
}

static void hash_link(struct packet_device *dev, struct packet *p)
{
    struct packet **at = hash_slot(dev, p->number);

    p->hash_next = *at;
    *at = p;
}

static bool packet_is_held(const struct packet *p)
{
    return p->dirty || p->unsynced || p->error;
}

static void count_packet(struct packet_device *dev, const struct packet *p, uint32_t one)
{
    struct packet_counts *c = &dev->counts;
    bool to_write = p->dirty && !p->error;

    c->held += packet_is_held(p) ? one : 0;
    c->dirty += to_write ? one : 0;
    c->whole += to_write && p->dirty == packet_all(dev, p->number) ? one : 0;
    c->unsynced += p->unsynced ? one : 0;
    c->failed += p->error ? one : 0;
    c->due += to_write && p->due ? one : 0;
}

void packet_change_begin(struct packet_device *dev, const struct packet *p)
{
    count_packet(dev, p, UINT32_MAX); /* minus one */
}

void packet_change_end(struct packet_device *dev, const struct packet *p)
{
    count_packet(dev, p, 1);
}

struct packet *packet_find(struct packet_device *dev, uint32_t number)
{
    struct packet *p = *hash_slot(dev, number);

    while (p && p->number != number)
        p = p->hash_next;
    return p;
}

void packet_forget(struct packet_device *dev, struct packet *p)
{
    packet_change_begin(dev, p);
    hash_unlink(dev, p);
    use_unlink(dev, p);
    dev->counts.total--;
    dev->stats.bytes_held -= packet_bytes(dev);
    free(p);
}

void packet_renumber(struct packet_device *dev, struct packet *p, uint32_t number)
{
    packet_change_begin(dev, p);
    hash_unlink(dev, p);
    p->number = number;
    hash_link(dev, p);
    packet_change_end(dev, p);
}

/* Forgets the clean packet that was not used for longest. */
static bool cache_evict(struct packet_device *dev)
{
    struct packet *p = dev->oldest;

    while (p && (packet_is_held(p) || p->reading))
        p = p->newer;
    if (p)
        packet_forget(dev, p);
    return p != NULL;
}

bool packet_room_possible(const struct packet_device *dev)
{
    return dev->counts.failed < dev->packets_most;
}

struct packet *packet_get(struct packet_device *dev, uint32_t number)
{
    struct packet *p = packet_find(dev, number);

    if (p) {
        use_unlink(dev, p);
        use_link(dev, p);
        return p;
    }
    if (dev->counts.total >= dev->packets_most && !cache_evict(dev))
        return NULL;
    while (!(p = malloc(sizeof *p + packet_bytes(dev))))
        if (!cache_evict(dev))
            return NULL;
    memset(p, 0, sizeof *p);
    p->number = number;
    hash_link(dev, p);
    use_link(dev, p);
    dev->counts.total++;
    dev->stats.bytes_held += packet_bytes(dev);
    if (dev->stats.bytes_held > dev->stats.bytes_held_most)
        dev->stats.bytes_held_most = dev->stats.bytes_held;
    return p;
}

uint32_t packet_mask(uint32_t first, uint32_t count)
{
    return (count >= 32 ? UINT32_MAX : (UINT32_C(1) << count) - 1) << first;
}

uint32_t packet_all(const struct packet_device *dev, uint32_t number)
{
    uint32_t left = dev->dev.geometry.blocks - number * dev->length;

    return packet_mask(0, left < dev->length ? left : dev->length);
}

void packet_fill(struct packet *p, uint32_t mask, const uint8_t *whole)
{
    for (uint32_t b = 0; b < PACKET_BLOCKS_MAX; b++)
        if (mask >> b & 1)
            memcpy(p->data + (size_t)b * MMC_BLOCK_BYTES, whole + (size_t)b * MMC_BLOCK_BYTES,
                   MMC_BLOCK_BYTES);
    p->valid |= mask;
}

void packet_copy_in(struct packet_device *dev, struct packet *p, uint32_t first, uint32_t count,
                    const uint8_t *buf, unsigned flags)
{
    uint32_t all = packet_all(dev, p->number);

    packet_change_begin(dev, p);
    dev->dirtied_at = packet_now_ms();
    if (!p->dirty)
        p->dirty_at = dev->dirtied_at;
    if (flags & BLOCK_WRITE_FRESH) {
        for (uint32_t b = 0; b < dev->length; b++)
            if (!(p->valid >> b & 1))
                memset(p->data + (size_t)b * MMC_BLOCK_BYTES, 0, MMC_BLOCK_BYTES);
        p->valid = all;
    }
    memcpy(p->data + (size_t)first * MMC_BLOCK_BYTES, buf, (size_t)count * MMC_BLOCK_BYTES);
    p->valid |= packet_mask(first, count);
    p->dirty |= packet_mask(first, count);
    if (p->error) {
        /* The caller has seen to it, so it is tried again, but what was kept
         * of it still has to go out too. */
        p->error = 0;
        p->tries = 0;
    }
    packet_change_end(dev, p);
}
