/* SPDX-License-Identifier: MIT */
/* Makes and frees the store. */
#include <errno.h>
#include <stdlib.h>

#include "udf/journal.h"

/* Blocks of a packet for the store, or 0 when they do not fit together. A journal keeps to the packets of the
 * volume, whatever device the volume was copied to; without one, single blocks are taken in lots. */
static uint32_t packet_blocks_choose(const struct udf_volume *vol)
{
    const struct udf_map *map = &vol->partitions[vol->part].map;
    uint32_t device = vol->dev->geometry.packet_blocks;
    uint32_t blocks =
        map->kind == UDF_MAP_SPARABLE && map->packet_blocks > device ? map->packet_blocks : device;
    if (blocks == 1)
        blocks = STORE_PACKET_BLOCKS_MAX;
    return blocks && blocks <= STORE_PACKET_BLOCKS_MAX && device && blocks % device == 0 ? blocks : 0;
}

static int store_init(struct udf_store *store)
{
    store->packets = store->vol->dev->geometry.blocks / store->packet_blocks + 1;
    store->in_log = calloc(1, store->packets / 8 + 1);
    store->started = calloc(1, store->packets / 8 + 1);
    if (!store->in_log || !store->started)
        return -ENOMEM;
    return pthread_key_create(&store->reserved_key, NULL) ? -EAGAIN : 0;
}

static void store_free(struct udf_store *store, bool key)
{
    if (key)
        pthread_key_delete(store->reserved_key);
    pthread_mutex_destroy(&store->lock);
    pthread_mutex_destroy(&store->fresh_lock);
    pthread_mutex_destroy(&store->count_lock);
    pthread_rwlock_destroy(&store->move_lock);
    free(store->in_log);
    free(store->started);
    free(store->moves);
    free(store);
}

int udf_store_open(struct udf_volume *vol, bool *recovered)
{
    uint32_t packet_blocks = packet_blocks_choose(vol);
    *recovered = false;
    if (!packet_blocks) {
        udf_message(vol, UDF_LEVEL_ERROR, "packets of the medium and of the volume do not fit together");
        return -EOPNOTSUPP;
    }
    struct udf_store *store = calloc(1, sizeof *store);
    if (!store)
        return -ENOMEM;
    store->vol = vol;
    store->packet_blocks = packet_blocks;
    pthread_mutex_init(&store->lock, NULL);
    pthread_mutex_init(&store->fresh_lock, NULL);
    pthread_mutex_init(&store->count_lock, NULL);
    pthread_rwlock_init(&store->move_lock, NULL);
    int err = store_init(store);
    if (err) {
        store_free(store, false);
        return err;
    }
    vol->store = store;
    if (vol->journal.log_packets)
        err = journal_open(store, &store->journal);
    if (!err)
        err = store_recover(store, recovered);
    store->recovered = *recovered;
    if (err)
        udf_store_close(vol);
    return err;
}

static void held_drop_all(struct udf_store *store)
{
    struct store_item *items;
    uint32_t count;
    if (store_held_list(store, STORE_HELD_ALL, &items, &count))
        return;
    store_held_drop(store, items, count);
    free(items);
}

void udf_store_close(struct udf_volume *vol)
{
    struct udf_store *store = vol->store;
    if (!store)
        return;
    held_drop_all(store);
    store_logged_drop(store);
    journal_close(store->journal);
    store_free(store, true);
    vol->store = NULL;
}
