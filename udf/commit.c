/* SPDX-License-Identifier: MIT */
/*
 * Makes a transaction durable through the journal. First everything that went, or now goes, straight to its
 * place is made durable; it is in packets with nothing live, which a power cut may have. Then one record of
 * the log holds all other blocks: when it is on the medium, so is the transaction.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "udf/inode.h"
#include "udf/journal.h"

int store_fail(struct udf_store *store, int err, const char *what)
{
    struct udf_volume *vol = store->vol;
    if (!vol->failed)
        udf_message(vol, UDF_LEVEL_ERROR,
                    "%s: %s; the volume takes no more changes, and those since the last sync are lost when "
                    "it is closed",
                    what, strerror(-err));
    vol->failed = true;
    return err;
}

static void lvid_now(struct udf_store *store, uint8_t block[UDF_BLOCK_BYTES])
{
    struct udf_volume *vol = store->vol;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    pthread_mutex_lock(&store->count_lock);
    struct udf_lvid *lvid = &vol->lvid;
    lvid->recorded = (struct udf_time){.sec = now.tv_sec, .nsec = (uint32_t)now.tv_nsec};
    lvid->tag = udf_volume_tag(vol, (uint32_t)vol->lvid_at.n);
    udf_regid_own(&lvid->implementation);
    if (vol->part < lvid->partitions)
        lvid->free_blocks[vol->part] = udf_space_count(vol);
    memset(block, 0, UDF_BLOCK_BYTES);
    udf_lvid_encode(block, lvid);
    store->counters_changed = false;
    pthread_mutex_unlock(&store->count_lock);
}

int store_lvid_put(struct udf_store *store)
{
    uint8_t block[UDF_BLOCK_BYTES];
    lvid_now(store, block);
    return udf_store_write(store->vol, store->vol->lvid_at, 1, block, UDF_WRITE_META);
}

/* Held blocks of direct packets go to their places, unless all that is held fits into one packet of the log:
 * then it is cheaper, and one sync less, to put them there too. */
static int direct_write(struct udf_store *store)
{
    struct store_item *items;
    uint32_t count;
    if (!store->held_direct || store->held_direct + store->held_journal < store->packet_blocks)
        return 0;
    int err = store_held_list(store, STORE_HELD_DIRECT, &items, &count);
    if (err)
        return err;
    err = store_items_write(store, items, count);
    if (!err)
        store_held_drop(store, items, count);
    free(items);
    return err;
}

static int record_append(struct udf_store *store)
{
    struct store_item *items;
    uint32_t count;
    int err = 0;
    if (store->held_direct + store->held_journal > journal_room(store->journal))
        err = store_checkpoint(store);
    if (!err)
        err = store_held_list(store, STORE_HELD_ALL, &items, &count);
    if (err)
        return err;
    err = journal_append(store, items, count);
    if (!err)
        store_held_logged(store, items, count);
    free(items);
    return err;
}

static int commit_journal(struct udf_store *store)
{
    struct udf_volume *vol = store->vol;
    int err = udf_space_flush(vol);
    if (!err)
        err = store_lvid_put(store);
    if (!err)
        err = direct_write(store);
    if (!err && store_unsynced(store))
        err = store_sync(store);
    if (!err)
        err = record_append(store);
    return err;
}

int store_commit(struct udf_store *store)
{
    struct udf_volume *vol = store->vol;
    if (vol->failed)
        return -EIO;
    if (!udf_tx_dirty(vol))
        return 0;
    int err = udf_inodes_flush(vol);
    if (!err)
        err = store->journal ? commit_journal(store) : store_commit_in_place(store);
    if (err)
        return store_fail(store, err, "changes could not be written");
    store_transaction_end(store);
    udf_space_committed(vol);
    return 0;
}
