/* SPDX-License-Identifier: MIT */
/* Split virtqueues (virtio 1.1, 2.6): requests off the available ring, answers onto the used ring. */
#include <errno.h>
#include <string.h>

#include "mmc/vhost/vhost_internal.h"

#define DESC_BYTES    16u
#define DESC_NEXT     1u
#define DESC_WRITE    2u
#define DESC_INDIRECT 4u

struct descriptor {
    uint64_t guest;
    uint32_t bytes;
    uint16_t flags, next;
};

/* One descriptor, copied at once, since the guest may change it while we look. */
static struct descriptor descriptor_get(const uint8_t *table, unsigned index)
{
    uint8_t copy[DESC_BYTES];

    memcpy(copy, table + (size_t)index * DESC_BYTES, sizeof(copy));
    return (struct descriptor){mmc_le64_get(copy), mmc_le32_get(copy + 8), mmc_le16_get(copy + 12),
                               mmc_le16_get(copy + 14)};
}

static int chain_add(const struct vhost_memory *memory, struct vhost_chain *chain, const struct descriptor *d)
{
    struct vhost_buffer buffer = {vhost_memory_guest(memory, d->guest, d->bytes), d->bytes};
    unsigned *count = d->flags & DESC_WRITE ? &chain->in_count : &chain->out_count;

    if (!buffer.at || *count == VHOST_QUEUE_MAX)
        return -EINVAL;
    (d->flags & DESC_WRITE ? chain->in : chain->out)[(*count)++] = buffer;
    return 0;
}

/* Follows a chain through a table of size descriptors. A chain longer than its table must be a loop. */
static int chain_follow(const struct vhost_memory *memory, struct vhost_chain *chain, const uint8_t *table,
                        unsigned size, unsigned index, bool indirect)
{
    for (unsigned steps = 0; steps < size; steps++) {
        struct descriptor d;
        int r;

        if (index >= size)
            return -EINVAL;
        d = descriptor_get(table, index);
        if (d.flags & DESC_INDIRECT) {
            unsigned entries = d.bytes / DESC_BYTES;
            const uint8_t *inner = vhost_memory_guest(memory, d.guest, d.bytes);

            if (indirect || d.flags & DESC_NEXT || !inner || !entries || entries > VHOST_QUEUE_MAX)
                return -EINVAL;
            return chain_follow(memory, chain, inner, entries, 0, true);
        }
        r = chain_add(memory, chain, &d);
        if (r)
            return r;
        if (!(d.flags & DESC_NEXT))
            return 0;
        index = d.next;
    }
    return -EINVAL;
}

/* The 16-bit fields of a ring that the other side changes or watches. Rings are
 * 2-byte aligned (checked when used). */
static uint16_t ring_load(const uint8_t *at)
{
    return atomic_load_explicit((const _Atomic uint16_t *)(const void *)at, memory_order_acquire);
}

static void ring_store(uint8_t *at, uint16_t value)
{
    atomic_store_explicit((_Atomic uint16_t *)(void *)at, value, memory_order_release);
}

int vhost_queue_take(const struct vhost_memory *memory, struct vhost_queue *queue, struct vhost_chain *chain)
{
    uint8_t *avail, *desc;
    uint16_t pending;

    if (!queue->size)
        return 0;
    avail = vhost_memory_user(memory, queue->avail_user, 4 + 2ull * queue->size);
    desc = vhost_memory_user(memory, queue->desc_user, (uint64_t)DESC_BYTES * queue->size);
    if (!avail || !desc || (uintptr_t)avail & 1)
        return -EINVAL;
    pending = (uint16_t)(ring_load(avail + 2) - queue->last_avail);
    if (!pending)
        return 0;
    if (pending > queue->size)
        return -EINVAL;
    chain->head = ring_load(avail + 4 + 2 * (size_t)(queue->last_avail % queue->size));
    chain->in_count = chain->out_count = 0;
    queue->last_avail++;
    int r = chain_follow(memory, chain, desc, queue->size, chain->head, false);
    return r ? r : 1;
}

int vhost_queue_give(const struct vhost_memory *memory, struct vhost_queue *queue, uint16_t head,
                     uint32_t bytes)
{
    uint8_t *used, *entry;
    uint16_t index;

    used = vhost_memory_user(memory, queue->used_user, 4 + 8ull * queue->size);
    if (!used || (uintptr_t)used & 3)
        return -EINVAL;
    index = ring_load(used + 2);
    entry = used + 4 + 8 * (size_t)(index % queue->size);
    mmc_le32_put(entry, head);
    mmc_le32_put(entry + 4, bytes);
    ring_store(used + 2, (uint16_t)(index + 1));
    return 0;
}

static size_t buffers_bytes(const struct vhost_buffer *buffers, unsigned count)
{
    size_t bytes = 0;

    for (unsigned i = 0; i < count; i++)
        bytes += buffers[i].bytes;
    return bytes;
}

size_t vhost_chain_out_bytes(const struct vhost_chain *chain)
{
    return buffers_bytes(chain->out, chain->out_count);
}

size_t vhost_chain_in_bytes(const struct vhost_chain *chain)
{
    return buffers_bytes(chain->in, chain->in_count);
}

size_t vhost_chain_read(const struct vhost_chain *chain, size_t offset, void *to, size_t bytes)
{
    size_t done = 0;

    for (unsigned i = 0; i < chain->out_count && done < bytes; i++) {
        const struct vhost_buffer *b = &chain->out[i];

        if (offset >= b->bytes) {
            offset -= b->bytes;
            continue;
        }
        size_t n = b->bytes - offset < bytes - done ? b->bytes - offset : bytes - done;
        memcpy((uint8_t *)to + done, b->at + offset, n);
        done += n;
        offset = 0;
    }
    return done;
}

size_t vhost_chain_write(const struct vhost_chain *chain, size_t offset, const void *from, size_t bytes)
{
    size_t done = 0;

    for (unsigned i = 0; i < chain->in_count && done < bytes; i++) {
        const struct vhost_buffer *b = &chain->in[i];

        if (offset >= b->bytes) {
            offset -= b->bytes;
            continue;
        }
        size_t n = b->bytes - offset < bytes - done ? b->bytes - offset : bytes - done;
        memcpy(b->at + offset, (const uint8_t *)from + done, n);
        done += n;
        offset = 0;
    }
    return done;
}
