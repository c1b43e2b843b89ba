/* SPDX-License-Identifier: MIT */
/*
 * The store's memory of blocks between the code that changes them and the medium: reads see the newest
 * contents, writes go straight to their place where a torn packet can do no harm, and are held for the commit
 * elsewhere.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "udf/store_part.h"

/* Small writes of file data are held back too, up to so many blocks, so that a small file and its metadata
 * can reach the medium together in one packet of the log. */
#define SMALL_DATA_MAX 16u

static uint32_t packet_of(const struct udf_store *store, mmc_lba_t lba)
{
    return mmc_packet_of(lba, store->packet_blocks).n;
}

static mmc_lba_t block_place(const struct udf_store *store, const struct store_packet *packet, uint32_t i)
{
    return mmc_lba((int64_t)packet->number * store->packet_blocks + i);
}

static bool range_valid(const struct udf_store *store, mmc_lba_t first, uint32_t count)
{
    uint32_t blocks = store->vol->dev->geometry.blocks;
    return first.n >= 0 && (uint32_t)first.n <= blocks && count <= blocks - (uint32_t)first.n;
}

/* The table of packets is looked at and changed with the lock held. */
static struct store_packet **packet_row(struct udf_store *store, uint32_t number)
{
    return &store->table[number * 2654435761u >> 20 & (STORE_TABLE_SIZE - 1)];
}

struct store_packet *store_packet_find(struct udf_store *store, uint32_t number)
{
    struct store_packet *packet = *packet_row(store, number);
    while (packet && packet->number != number)
        packet = packet->next;
    return packet;
}

static struct store_packet *packet_get(struct udf_store *store, uint32_t number)
{
    struct store_packet *packet = store_packet_find(store, number);
    if (packet)
        return packet;
    packet = calloc(1, sizeof *packet + store->packet_blocks * sizeof packet->blocks[0]);
    if (!packet)
        return NULL;
    struct store_packet **row = packet_row(store, number);
    packet->number = number;
    packet->next = *row;
    *row = packet;
    return packet;
}

static void packet_drop_empty(struct udf_store *store, struct store_packet *packet)
{
    if (packet->held_count || packet->logged_count)
        return;
    struct store_packet **at = packet_row(store, packet->number);
    while (*at != packet)
        at = &(*at)->next;
    *at = packet->next;
    free(packet);
}

static void held_count_add(struct udf_store *store, struct store_packet *packet, int32_t by)
{
    packet->held_count += (uint32_t)by;
    if (packet->direct)
        store->held_direct += (uint32_t)by;
    else
        store->held_journal += (uint32_t)by;
}

static int block_hold(struct udf_store *store, mmc_lba_t lba, const uint8_t *bytes)
{
    struct store_packet *packet = packet_get(store, packet_of(store, lba));
    if (!packet)
        return -ENOMEM;
    struct store_block *block = &packet->blocks[(uint32_t)lba.n % store->packet_blocks];
    if (!block->held) {
        block->held = malloc(UDF_BLOCK_BYTES);
        if (!block->held) {
            packet_drop_empty(store, packet);
            return -ENOMEM;
        }
        if (!packet->held_count)
            packet->direct = store_packet_direct(store, packet->number);
        held_count_add(store, packet, 1);
    }
    memcpy(block->held, bytes, UDF_BLOCK_BYTES);
    return 0;
}

static void block_unhold(struct udf_store *store, struct store_packet *packet, uint32_t i)
{
    free(packet->blocks[i].held);
    packet->blocks[i].held = NULL;
    held_count_add(store, packet, -1);
}

int store_logged_put(struct udf_store *store, mmc_lba_t lba, const uint8_t *bytes, bool replace)
{
    int err = 0;
    pthread_mutex_lock(&store->lock);
    struct store_packet *packet = packet_get(store, packet_of(store, lba));
    struct store_block *block = packet ? &packet->blocks[(uint32_t)lba.n % store->packet_blocks] : NULL;
    if (block && !block->logged) {
        block->logged = malloc(UDF_BLOCK_BYTES);
        packet->logged_count += block->logged ? 1 : 0;
        replace = true;
    }
    if (block && block->logged) {
        if (replace)
            memcpy(block->logged, bytes, UDF_BLOCK_BYTES);
        if (!store_bit(store->in_log, packet->number))
            store->in_log_count++;
        store_bit_set(store->in_log, packet->number);
    } else {
        err = -ENOMEM;
        if (packet)
            packet_drop_empty(store, packet);
    }
    pthread_mutex_unlock(&store->lock);
    return err;
}

bool store_packet_direct(const struct udf_store *store, uint32_t number)
{
    return !store_bit(store->in_log, number) && !udf_space_packet_live(store->vol, (mmc_packet_t){number});
}

bool store_packet_whole(struct udf_store *store, uint32_t number)
{
    if (!store_bit(store->in_log, number))
        return false;
    pthread_mutex_lock(&store->lock);
    const struct store_packet *packet = store_packet_find(store, number);
    bool whole = packet != NULL;
    for (uint32_t i = 0; whole && i < store->packet_blocks; i++)
        whole = packet->blocks[i].logged || !udf_space_block_live(store->vol, block_place(store, packet, i));
    pthread_mutex_unlock(&store->lock);
    return whole;
}

/* Copies what is in memory of the run that begins at first, and says how many
 * blocks of one kind the run has. */
static uint32_t read_from_memory(struct udf_store *store, mmc_lba_t first, uint32_t count, uint8_t *buf,
                                 bool *found)
{
    uint32_t run = 0;
    pthread_mutex_lock(&store->lock);
    while (run < count) {
        mmc_lba_t lba = mmc_lba_add(first, run);
        uint32_t i = (uint32_t)lba.n % store->packet_blocks;
        const struct store_packet *packet = store_packet_find(store, packet_of(store, lba));
        const uint8_t *bytes = NULL;
        if (packet)
            bytes = packet->blocks[i].held ? packet->blocks[i].held : packet->blocks[i].logged;
        if (run && (bytes != NULL) != *found)
            break;
        *found = bytes != NULL;
        uint32_t step = packet ? 1 : store->packet_blocks - i;
        if (bytes)
            memcpy(buf + (size_t)run * UDF_BLOCK_BYTES, bytes, UDF_BLOCK_BYTES);
        run = step < count - run ? run + step : count;
    }
    pthread_mutex_unlock(&store->lock);
    return run;
}

int udf_store_read(struct udf_volume *vol, mmc_lba_t first, uint32_t count, void *buf)
{
    struct udf_store *store = vol->store;
    uint8_t *to = buf;
    if (!range_valid(store, first, count))
        return -EUCLEAN;
    while (count) {
        bool found = false;
        uint32_t run = read_from_memory(store, first, count, to, &found);
        int err = found ? 0 : store_device_read(store, first, run, to);
        if (err)
            return err;
        first = mmc_lba_add(first, run);
        to += (size_t)run * UDF_BLOCK_BYTES;
        count -= run;
    }
    return 0;
}

static int hold(struct udf_store *store, mmc_lba_t first, uint32_t count, const uint8_t *from)
{
    int err = 0;
    pthread_mutex_lock(&store->lock);
    for (uint32_t i = 0; i < count && !err; i++)
        err = block_hold(store, mmc_lba_add(first, i), from + (size_t)i * UDF_BLOCK_BYTES);
    pthread_mutex_unlock(&store->lock);
    return err;
}

/*
 * Writes blocks of one packet in place. The first write to a direct packet says that it is fresh, so that the
 * device need not read it, and a packet that a power cut tore can be used again; no other write to it may
 * pass that one.
 */
static int write_in_place(struct udf_store *store, mmc_lba_t first, uint32_t count, const uint8_t *from)
{
    uint32_t number = packet_of(store, first);
    bool direct = store_packet_direct(store, number);
    int err = 0;
    if (direct) {
        pthread_mutex_lock(&store->fresh_lock);
        bool started = store_bit(store->started, number);
        if (!started) {
            err = store_device_write(store, first, count, from, BLOCK_WRITE_FRESH);
            if (!err)
                store_bit_set(store->started, number);
        }
        pthread_mutex_unlock(&store->fresh_lock);
        if (!started)
            return err;
    }
    return store_device_write(store, first, count, from, 0);
}

/* Whether to hold back a write that could go in place: small ones, while there are few. */
static bool small_data_take(struct udf_store *store, uint32_t count)
{
    pthread_mutex_lock(&store->lock);
    bool take = store->journal && count < store->packet_blocks && store->small_data + count <= SMALL_DATA_MAX;
    if (take)
        store->small_data += count;
    pthread_mutex_unlock(&store->lock);
    return take;
}

/* Data of one packet. Without a journal there is nothing to be had from waiting. */
static int write_data(struct udf_store *store, mmc_lba_t first, uint32_t count, const uint8_t *from)
{
    bool in_place = !store->journal || store_packet_direct(store, packet_of(store, first));
    if (!in_place || small_data_take(store, count))
        return hold(store, first, count, from);
    udf_store_forget(store->vol, first, count);
    return write_in_place(store, first, count, from);
}

int udf_store_write(struct udf_volume *vol, mmc_lba_t first, uint32_t count, const void *buf,
                    enum udf_write_kind kind)
{
    struct udf_store *store = vol->store;
    const uint8_t *from = buf;
    if (vol->failed)
        return -EROFS;
    if (!range_valid(store, first, count))
        return -EUCLEAN;
    while (count) {
        uint32_t left = store->packet_blocks - (uint32_t)first.n % store->packet_blocks;
        uint32_t piece = left < count ? left : count;
        int err =
            kind == UDF_WRITE_DATA ? write_data(store, first, piece, from) : hold(store, first, piece, from);
        if (err)
            return err;
        first = mmc_lba_add(first, piece);
        from += (size_t)piece * UDF_BLOCK_BYTES;
        count -= piece;
    }
    return 0;
}

/* What the log holds of the blocks stays in memory until its epoch ends: the checkpoint may still need it. */
void udf_store_forget(struct udf_volume *vol, mmc_lba_t first, uint32_t count)
{
    struct udf_store *store = vol->store;
    pthread_mutex_lock(&store->lock);
    while (count && store->held_direct + store->held_journal) {
        uint32_t i = (uint32_t)first.n % store->packet_blocks, left = store->packet_blocks - i;
        uint32_t piece = left < count ? left : count;
        struct store_packet *packet = store_packet_find(store, packet_of(store, first));
        for (uint32_t j = i; packet && j < i + piece; j++)
            if (packet->blocks[j].held)
                block_unhold(store, packet, j);
        if (packet)
            packet_drop_empty(store, packet);
        first = mmc_lba_add(first, piece);
        count -= piece;
    }
    pthread_mutex_unlock(&store->lock);
}

static int item_compare(const void *a, const void *b)
{
    const struct store_item *left = a, *right = b;
    return left->lba.n < right->lba.n ? -1 : left->lba.n > right->lba.n;
}

static uint32_t packet_items(const struct udf_store *store, const struct store_packet *packet,
                             struct store_item *items)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < store->packet_blocks; i++)
        if (packet->blocks[i].held)
            items[count++] = (struct store_item){block_place(store, packet, i), packet->blocks[i].held};
    return count;
}

int store_held_list(struct udf_store *store, enum store_held kind, struct store_item **items, uint32_t *count)
{
    pthread_mutex_lock(&store->lock);
    uint32_t room = (kind & STORE_HELD_DIRECT ? store->held_direct : 0) +
                    (kind & STORE_HELD_JOURNAL ? store->held_journal : 0);
    *items = calloc(room + 1, sizeof **items);
    *count = 0;
    for (uint32_t row = 0; *items && row < STORE_TABLE_SIZE; row++)
        for (const struct store_packet *packet = store->table[row]; packet; packet = packet->next)
            if (packet->held_count && kind & (packet->direct ? STORE_HELD_DIRECT : STORE_HELD_JOURNAL))
                *count += packet_items(store, packet, *items + *count);
    pthread_mutex_unlock(&store->lock);
    if (!*items)
        return -ENOMEM;
    qsort(*items, *count, sizeof **items, item_compare);
    return 0;
}

void store_held_drop(struct udf_store *store, const struct store_item *items, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        udf_store_forget(store->vol, items[i].lba, 1);
}

void store_held_logged(struct udf_store *store, const struct store_item *items, uint32_t count)
{
    pthread_mutex_lock(&store->lock);
    for (uint32_t i = 0; i < count; i++) {
        struct store_packet *packet = store_packet_find(store, packet_of(store, items[i].lba));
        struct store_block *block = &packet->blocks[(uint32_t)items[i].lba.n % store->packet_blocks];
        if (!block->logged)
            packet->logged_count++;
        free(block->logged);
        block->logged = block->held;
        block->held = NULL;
        held_count_add(store, packet, -1);
        if (!store_bit(store->in_log, packet->number))
            store->in_log_count++;
        store_bit_set(store->in_log, packet->number);
    }
    pthread_mutex_unlock(&store->lock);
}

void store_transaction_end(struct udf_store *store)
{
    pthread_mutex_lock(&store->lock);
    memset(store->started, 0, store->packets / 8 + 1);
    store->small_data = 0;
    pthread_mutex_unlock(&store->lock);
}

/* The items from the first on that lie in a row within one packet. */
static uint32_t items_run(const struct udf_store *store, const struct store_item *items, uint32_t count)
{
    uint32_t run = 1;
    while (run < count && items[run].lba.n == items[0].lba.n + (int32_t)run &&
           packet_of(store, items[run].lba) == packet_of(store, items[0].lba))
        run++;
    return run;
}

int store_items_write(struct udf_store *store, const struct store_item *items, uint32_t count)
{
    uint8_t *buf = malloc((size_t)store->packet_blocks * UDF_BLOCK_BYTES);
    int err = buf ? 0 : -ENOMEM;
    while (count && !err) {
        uint32_t run = items_run(store, items, count);
        for (uint32_t i = 0; i < run; i++)
            memcpy(buf + (size_t)i * UDF_BLOCK_BYTES, items[i].bytes, UDF_BLOCK_BYTES);
        err = write_in_place(store, items[0].lba, run, buf);
        items += run;
        count -= run;
    }
    free(buf);
    return err;
}

static int number_compare(const void *a, const void *b)
{
    const uint32_t *left = a, *right = b;
    return *left < *right ? -1 : *left > *right;
}

int store_logged_list(struct udf_store *store, uint32_t **packets, uint32_t *count)
{
    pthread_mutex_lock(&store->lock);
    *packets = calloc(store->in_log_count + 1, sizeof **packets);
    *count = 0;
    for (uint32_t row = 0; *packets && row < STORE_TABLE_SIZE; row++)
        for (const struct store_packet *packet = store->table[row]; packet; packet = packet->next)
            if (packet->logged_count)
                (*packets)[(*count)++] = packet->number;
    pthread_mutex_unlock(&store->lock);
    if (!*packets)
        return -ENOMEM;
    qsort(*packets, *count, sizeof **packets, number_compare);
    return 0;
}

void store_logged_drop(struct udf_store *store)
{
    pthread_mutex_lock(&store->lock);
    for (uint32_t row = 0; row < STORE_TABLE_SIZE; row++) {
        for (struct store_packet *packet = store->table[row], *next; packet; packet = next) {
            next = packet->next;
            for (uint32_t i = 0; i < store->packet_blocks && packet->logged_count; i++) {
                packet->logged_count -= packet->blocks[i].logged ? 1 : 0;
                free(packet->blocks[i].logged);
                packet->blocks[i].logged = NULL;
            }
            packet_drop_empty(store, packet);
        }
    }
    memset(store->in_log, 0, store->packets / 8 + 1);
    store->in_log_count = 0;
    pthread_mutex_unlock(&store->lock);
}
