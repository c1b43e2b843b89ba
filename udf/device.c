/* SPDX-License-Identifier: MIT */
/* The device as the rest of the store sees it: with packets that failed and were moved read and written where
 * they are now, and with a count of what is durable. */
#include "udf/store_part.h"

static uint32_t packet_now(const struct udf_store *store, uint32_t packet)
{
    for (unsigned i = 0; i < store->move_count; i++)
        if (store->moves[i].from == packet)
            return store->moves[i].to;
    return packet;
}

/* The place of the first block, and how many of count blocks follow it there. */
static uint32_t run_now(const struct udf_store *store, mmc_lba_t first, uint32_t count, mmc_lba_t *now)
{
    *now = first;
    if (!store->move_count)
        return count;
    uint32_t packet = mmc_packet_of(first, store->packet_blocks).n;
    uint32_t into = (uint32_t)first.n % store->packet_blocks, left = store->packet_blocks - into;
    *now = mmc_lba_add(store_packet_place(store, packet_now(store, packet)), into);
    return left < count ? left : count;
}

int store_device_read(struct udf_store *store, mmc_lba_t first, uint32_t count, void *buf)
{
    uint8_t *to = buf;
    int err = 0;
    pthread_rwlock_rdlock(&store->move_lock);
    for (uint32_t done = 0, run; done < count && !err; done += run) {
        mmc_lba_t now;
        run = run_now(store, mmc_lba_add(first, done), count - done, &now);
        err = block_read(store->vol->dev, now, run, to + (size_t)done * UDF_BLOCK_BYTES);
    }
    pthread_rwlock_unlock(&store->move_lock);
    return err;
}

/* The count goes up after the write: a sync that began before it may not have had it. */
int store_device_write(struct udf_store *store, mmc_lba_t first, uint32_t count, const void *buf,
                       unsigned flags)
{
    const uint8_t *from = buf;
    int err = 0;
    pthread_rwlock_rdlock(&store->move_lock);
    for (uint32_t done = 0, run; done < count && !err; done += run) {
        mmc_lba_t now;
        run = run_now(store, mmc_lba_add(first, done), count - done, &now);
        err = block_write(store->vol->dev, now, run, from + (size_t)done * UDF_BLOCK_BYTES, flags);
    }
    pthread_rwlock_unlock(&store->move_lock);
    atomic_fetch_add(&store->written, 1);
    return err;
}

/* Another sync may have ended meanwhile, with more in it. */
static void synced_raise(struct udf_store *store, uint_fast64_t to)
{
    uint_fast64_t synced = atomic_load(&store->synced);
    while (synced < to && !atomic_compare_exchange_weak(&store->synced, &synced, to))
        continue;
}

int store_device_sync(struct udf_store *store)
{
    uint_fast64_t written = atomic_load(&store->written);
    int err = block_sync(store->vol->dev);
    if (!err)
        synced_raise(store, written);
    return err;
}

void store_drain(struct udf_store *store)
{
    if (store_unsynced(store))
        (void)store_device_sync(store);
}
