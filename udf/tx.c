/* SPDX-License-Identifier: MIT */
/*
 * Transactions: changes share the transaction lock, a commit has it alone. Each change says beforehand how
 * many blocks it may add to the record that the next commit writes, so that the record always fits the log.
 */
#include <errno.h>
#include <stdlib.h>

#include "udf/inode.h"
#include "udf/journal.h"
#include "udf/space_part.h"

/* Blocks of the log kept back for what estimates do not see: the integrity descriptor, and allocation extents
 * that move when a commit lays them out. */
#define ROOM_SLACK 32u
/* Blocks held in memory on the way to their places before a commit is due. */
#define HELD_MAX 4096u

/* Whether a transaction of so many blocks fits besides what there is. With reserve, counts it in. */
static bool room_take(struct udf_store *store, uint32_t blocks, bool reserve)
{
    struct udf_volume *vol = store->vol;
    uint64_t other = (uint64_t)udf_inodes_dirty_count(vol) + space_dirty_most(vol) + ROOM_SLACK;
    pthread_mutex_lock(&store->lock);
    uint64_t held = (uint64_t)store->held_journal + store->held_direct;
    bool fits = held + store->reserved + blocks <= HELD_MAX;
    if (store->journal)
        fits &= other + store->held_journal + store->reserved + blocks <= journal_room(store->journal);
    if (fits && reserve)
        store->reserved += blocks;
    pthread_mutex_unlock(&store->lock);
    return fits;
}

static void room_give_back(struct udf_store *store, uint32_t blocks)
{
    pthread_mutex_lock(&store->lock);
    store->reserved -= blocks;
    pthread_mutex_unlock(&store->lock);
}

/* The integrity descriptor says open, in its place, before anything else changes there. */
static int integrity_open(struct udf_store *store)
{
    struct udf_volume *vol = store->vol;
    if (store->integrity_open)
        return 0;
    int err = store_journal_prepare(store);
    if (err)
        return err;
    pthread_mutex_lock(&store->count_lock);
    vol->lvid.integrity = 0;
    store->counters_changed = true;
    pthread_mutex_unlock(&store->count_lock);
    err = store_commit(store);
    if (!err)
        err = store_checkpoint(store);
    if (err)
        return err;
    store->integrity_open = true;
    store_tables_mend(store);
    return 0;
}

bool store_room_enough(struct udf_store *store)
{
    if (!store->journal)
        return true;
    return journal_room_most(store->journal) >= UDF_TX_BLOCKS_MAX + ROOM_SLACK + space_dirty_most(store->vol);
}

/* With the lock held exclusively: commits, and brings the log home, as far as the transaction needs it. */
static int room_make(struct udf_store *store, uint32_t blocks)
{
    int err = integrity_open(store);
    if (err || room_take(store, blocks, false))
        return err;
    err = store_commit(store);
    if (err || room_take(store, blocks, false))
        return err;
    err = store_checkpoint(store);
    if (err || room_take(store, blocks, false))
        return err;
    return store_fail(store, -ENOSPC, "the journal is too small for a transaction");
}

int udf_tx_begin(struct udf_volume *vol, uint32_t blocks)
{
    struct udf_store *store = vol->store;
    if (vol->read_only)
        return -EROFS;
    if (blocks > UDF_TX_BLOCKS_MAX)
        return -EINVAL;
    for (;;) {
        pthread_rwlock_rdlock(&vol->tx_lock);
        if (vol->failed) {
            pthread_rwlock_unlock(&vol->tx_lock);
            return -EROFS;
        }
        if (store->integrity_open && room_take(store, blocks, true))
            break;
        bool opened = store->integrity_open;
        pthread_rwlock_unlock(&vol->tx_lock);
        if (opened)
            store_drain(store);
        pthread_rwlock_wrlock(&vol->tx_lock);
        int err = vol->failed ? -EROFS : room_make(store, blocks);
        pthread_rwlock_unlock(&vol->tx_lock);
        if (err)
            return err == -EROFS ? err : -EIO;
    }
    pthread_setspecific(store->reserved_key, (void *)(uintptr_t)blocks);
    return 0;
}

void udf_tx_end(struct udf_volume *vol)
{
    struct udf_store *store = vol->store;
    room_give_back(store, (uint32_t)(uintptr_t)pthread_getspecific(store->reserved_key));
    pthread_setspecific(store->reserved_key, NULL);
    pthread_rwlock_unlock(&vol->tx_lock);
}

/* Takes the lock even when nothing seems to have changed: another thread may be in the middle of the commit
 * that this caller's changes are part of. */
static int commit(struct udf_volume *vol, bool home)
{
    struct udf_store *store = vol->store;
    if (vol->read_only)
        return 0;
    store_drain(store);
    pthread_rwlock_wrlock(&vol->tx_lock);
    int err = store_commit(store);
    if (!err && home)
        err = store_checkpoint(store);
    pthread_rwlock_unlock(&vol->tx_lock);
    return err;
}

int udf_tx_commit(struct udf_volume *vol)
{
    return commit(vol, false);
}

int udf_tx_checkpoint(struct udf_volume *vol)
{
    return commit(vol, true);
}

int store_integrity_close(struct udf_store *store)
{
    struct udf_volume *vol = store->vol;
    int err = udf_tx_checkpoint(vol);
    if (err || !(store->integrity_open || store->recovered) || vol->lvid.integrity == 1)
        return err;
    pthread_mutex_lock(&store->count_lock);
    vol->lvid.integrity = 1;
    store->counters_changed = true;
    pthread_mutex_unlock(&store->count_lock);
    return udf_tx_checkpoint(vol);
}

bool udf_tx_dirty(struct udf_volume *vol)
{
    struct udf_store *store = vol->store;
    pthread_mutex_lock(&store->count_lock);
    bool counters = store->counters_changed;
    pthread_mutex_unlock(&store->count_lock);
    pthread_mutex_lock(&store->lock);
    bool held = store->held_direct + store->held_journal > 0;
    pthread_mutex_unlock(&store->lock);
    return counters || held || space_dirty(vol) || udf_inodes_dirty_count(vol) > 0;
}

bool udf_tx_logged(struct udf_volume *vol)
{
    struct udf_store *store = vol->store;
    pthread_mutex_lock(&store->lock);
    bool logged = store->in_log_count > 0;
    pthread_mutex_unlock(&store->lock);
    return logged;
}

void udf_count_files(struct udf_volume *vol, int files, int directories)
{
    struct udf_store *store = vol->store;
    pthread_mutex_lock(&store->count_lock);
    vol->lvid.files += (uint32_t)files;
    vol->lvid.directories += (uint32_t)directories;
    store->counters_changed = true;
    pthread_mutex_unlock(&store->count_lock);
}

void store_counts(struct udf_store *store, uint32_t *files, uint32_t *directories)
{
    pthread_mutex_lock(&store->count_lock);
    *files = store->vol->lvid.files;
    *directories = store->vol->lvid.directories;
    pthread_mutex_unlock(&store->count_lock);
}

/* UDF 3.2.1.1: the low 32 bits go round to 16, since those below are kept for other systems. */
uint64_t udf_count_unique(struct udf_volume *vol)
{
    struct udf_store *store = vol->store;
    pthread_mutex_lock(&store->count_lock);
    uint64_t id = vol->lvid.next_unique_id;
    if ((uint32_t)id < 16)
        id = (id & ~UINT64_C(0xFFFFFFFF)) + 16;
    vol->lvid.next_unique_id = id + 1;
    store->counters_changed = true;
    pthread_mutex_unlock(&store->count_lock);
    return id;
}
