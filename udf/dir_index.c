/* SPDX-License-Identifier: MIT */
/* The index of a directory in memory: slots in order, names by hash, deleted slots by size. Does no I/O. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "udf/dir_index.h"

#define BUCKETS_MIN 16u
#define SLOTS_MIN   16u

static void links_clear(uint32_t *links, uint32_t count)
{
    memset(links, 0xFF, count * sizeof *links); /* UDF_SLOT_NONE each */
}

struct udf_dir_index *udf_dir_index_new(void)
{
    struct udf_dir_index *index = calloc(1, sizeof *index);
    if (!index)
        return NULL;
    index->unused = index->last = UDF_SLOT_NONE;
    links_clear(index->free_first, sizeof index->free_first / sizeof *index->free_first);
    return index;
}

void udf_dir_index_free(struct udf_dir_index *index)
{
    if (!index)
        return;
    free(index->bytes);
    free(index->slots);
    free(index->block_first);
    free(index->buckets);
    free(index);
}

static int reserve_bytes(struct udf_dir_index *index, uint32_t len)
{
    if (len <= index->room)
        return 0;
    uint32_t room = index->room * 2 > len ? index->room * 2 : len;
    room = (room + UDF_BLOCK_BYTES - 1) / UDF_BLOCK_BYTES * UDF_BLOCK_BYTES;
    uint32_t blocks = room / UDF_BLOCK_BYTES, old = index->room / UDF_BLOCK_BYTES;
    uint32_t *block_first = realloc(index->block_first, blocks * sizeof *block_first);
    if (!block_first)
        return -ENOMEM;
    index->block_first = block_first;
    uint8_t *bytes = realloc(index->bytes, room);
    if (!bytes)
        return -ENOMEM;
    index->bytes = bytes;
    links_clear(block_first + old, blocks - old);
    memset(bytes + index->room, 0, room - index->room);
    index->room = room;
    return 0;
}

static int reserve_slots(struct udf_dir_index *index)
{
    if (index->slot_count + 2 <= index->slot_room)
        return 0;
    uint32_t room = index->slot_room ? index->slot_room * 2 : SLOTS_MIN;
    struct udf_dir_slot *slots = realloc(index->slots, room * sizeof *slots);
    if (!slots)
        return -ENOMEM;
    index->slots = slots;
    index->slot_room = room;
    return 0;
}

static void chain_push(struct udf_dir_index *index, uint32_t *head, uint32_t slot)
{
    index->slots[slot].chain_prev = UDF_SLOT_NONE;
    index->slots[slot].chain_next = *head;
    if (*head != UDF_SLOT_NONE)
        index->slots[*head].chain_prev = slot;
    *head = slot;
}

static void chain_pull(struct udf_dir_index *index, uint32_t *head, uint32_t slot)
{
    const struct udf_dir_slot *at = &index->slots[slot];
    if (at->chain_next != UDF_SLOT_NONE)
        index->slots[at->chain_next].chain_prev = at->chain_prev;
    if (at->chain_prev != UDF_SLOT_NONE)
        index->slots[at->chain_prev].chain_next = at->chain_next;
    else
        *head = at->chain_next;
}

static uint32_t *name_bucket(const struct udf_dir_index *index, uint32_t hash)
{
    return &index->buckets[hash & (index->bucket_count - 1)];
}

static bool slot_is_name(const struct udf_dir_slot *slot)
{
    return slot->kind == UDF_SLOT_NAME || slot->kind == UDF_SLOT_HIDDEN;
}

static int reserve_buckets(struct udf_dir_index *index)
{
    if (index->names < index->bucket_count)
        return 0;
    uint32_t count = index->bucket_count ? index->bucket_count * 2 : BUCKETS_MIN;
    uint32_t *buckets = malloc(count * sizeof *buckets);
    if (!buckets)
        return -ENOMEM;
    links_clear(buckets, count);
    free(index->buckets);
    index->buckets = buckets;
    index->bucket_count = count;
    for (uint32_t i = 0; i < index->slot_count; i++)
        if (slot_is_name(&index->slots[i]))
            chain_push(index, name_bucket(index, index->slots[i].hash), i);
    return 0;
}

int udf_dir_index_reserve(struct udf_dir_index *index, uint32_t len)
{
    int err = reserve_bytes(index, len);
    if (!err)
        err = reserve_slots(index);
    return err ? err : reserve_buckets(index);
}

uint32_t udf_dir_index_insert(struct udf_dir_index *index, uint32_t prev, uint32_t offset, uint32_t size)
{
    uint32_t slot = index->unused;
    if (slot != UDF_SLOT_NONE)
        chain_pull(index, &index->unused, slot);
    else
        slot = index->slot_count++;
    uint32_t *first = &index->block_first[offset / UDF_BLOCK_BYTES];
    uint32_t next = prev == UDF_SLOT_NONE ? UDF_SLOT_NONE : index->slots[prev].next;
    index->slots[slot] = (struct udf_dir_slot){.offset = offset, .size = size, .prev = prev, .next = next};
    if (prev != UDF_SLOT_NONE)
        index->slots[prev].next = slot;
    if (next != UDF_SLOT_NONE)
        index->slots[next].prev = slot;
    else
        index->last = slot;
    if (*first == UDF_SLOT_NONE || index->slots[*first].offset > offset)
        *first = slot;
    return slot;
}

void udf_dir_index_remove(struct udf_dir_index *index, uint32_t slot)
{
    struct udf_dir_slot *at = &index->slots[slot];
    uint32_t block = at->offset / UDF_BLOCK_BYTES;
    if (index->block_first[block] == slot) {
        bool same = at->next != UDF_SLOT_NONE && index->slots[at->next].offset / UDF_BLOCK_BYTES == block;
        index->block_first[block] = same ? at->next : UDF_SLOT_NONE;
    }
    if (at->prev != UDF_SLOT_NONE)
        index->slots[at->prev].next = at->next;
    if (at->next != UDF_SLOT_NONE)
        index->slots[at->next].prev = at->prev;
    else
        index->last = at->prev;
    at->kind = UDF_SLOT_UNUSED;
    chain_push(index, &index->unused, slot);
}

/* FNV-1a */
static uint32_t name_hash(const char *name, size_t len)
{
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ (uint8_t)name[i]) * 16777619u;
    return hash ^ hash >> 15;
}

void udf_dir_index_name_add(struct udf_dir_index *index, uint32_t slot, enum udf_slot_kind kind,
                            const char *name, size_t len)
{
    index->slots[slot].kind = (uint8_t)kind;
    index->slots[slot].hash = name_hash(name, len);
    chain_push(index, name_bucket(index, index->slots[slot].hash), slot);
    index->names++;
}

void udf_dir_index_name_drop(struct udf_dir_index *index, uint32_t slot)
{
    chain_pull(index, name_bucket(index, index->slots[slot].hash), slot);
    index->names--;
}

void udf_dir_index_free_add(struct udf_dir_index *index, uint32_t slot)
{
    index->slots[slot].kind = UDF_SLOT_FREE;
    chain_push(index, &index->free_first[index->slots[slot].size / 4], slot);
}

void udf_dir_index_free_drop(struct udf_dir_index *index, uint32_t slot)
{
    chain_pull(index, &index->free_first[index->slots[slot].size / 4], slot);
}

uint32_t udf_dir_index_free_find(const struct udf_dir_index *index, uint32_t size)
{
    if (index->free_first[size / 4] != UDF_SLOT_NONE)
        return index->free_first[size / 4];
    for (uint32_t larger = size + UDF_SLOT_BYTES_MIN; larger <= UDF_BLOCK_BYTES; larger += 4) {
        /* The rest has to be a FID too, whose name has a limit. */
        if (larger - size <= UDF_SLOT_BYTES_MAX && index->free_first[larger / 4] != UDF_SLOT_NONE)
            return index->free_first[larger / 4];
    }
    return UDF_SLOT_NONE;
}

void udf_dir_index_fid(const struct udf_dir_index *index, uint32_t slot, struct udf_fid *fid)
{
    const struct udf_dir_slot *at = &index->slots[slot];
    if (udf_fid_decode(index->bytes + at->offset, at->size, fid) < 0)
        memset(fid, 0, sizeof *fid); /* cannot be: slots are FIDs that were decoded or encoded here */
}

int udf_dir_name(const struct udf_fid *fid, char name[UDF_DIR_NAME_MAX])
{
    static const char digits[] = "0123456789ABCDEF";
    int len = udf_cs0_decode(fid->name, fid->name_len, name, UDF_NAME_UTF8_MAX);
    if (len <= 0)
        return -EUCLEAN;
    bool dots = (len == 1 && name[0] == '.') || (len == 2 && name[0] == '.' && name[1] == '.');
    bool changed = false;
    for (int i = 0; i < len; i++) {
        if (name[i] == '/' || dots) {
            name[i] = '_';
            changed = true;
        }
    }
    if (!changed)
        return len;
    uint16_t crc = udf_crc(fid->name, fid->name_len);
    name[len++] = '#';
    for (int shift = 12; shift >= 0; shift -= 4)
        name[len++] = digits[crc >> shift & 15];
    return len;
}

uint32_t udf_dir_index_find(const struct udf_dir_index *index, const char *name, size_t len)
{
    char own[UDF_DIR_NAME_MAX];
    if (!index->bucket_count)
        return UDF_SLOT_NONE;
    uint32_t hash = name_hash(name, len);
    for (uint32_t slot = *name_bucket(index, hash); slot != UDF_SLOT_NONE;
         slot = index->slots[slot].chain_next) {
        if (index->slots[slot].hash != hash)
            continue;
        struct udf_fid fid;
        udf_dir_index_fid(index, slot, &fid);
        int own_len = udf_dir_name(&fid, own);
        if (own_len >= 0 && (size_t)own_len == len && !memcmp(own, name, len))
            return slot;
    }
    return UDF_SLOT_NONE;
}

uint32_t udf_dir_index_at(const struct udf_dir_index *index, uint64_t offset)
{
    for (uint64_t block = offset / UDF_BLOCK_BYTES; block * UDF_BLOCK_BYTES < index->len; block++) {
        for (uint32_t slot = index->block_first[block]; slot != UDF_SLOT_NONE; slot = index->slots[slot].next)
            if (index->slots[slot].offset >= offset)
                return slot;
    }
    return UDF_SLOT_NONE;
}
