/* SPDX-License-Identifier: MIT */
/*
 * The commit on a volume without a journal: everything goes to its place, in an order in which a power cut
 * between two writes leaks space or loses what was not synced, and no more. What it cannot help is a packet
 * that is torn while it is rewritten: see docs/crash-model.md.
 */
#include <errno.h>
#include <stdlib.h>

#include "udf/space_part.h"
#include "udf/store_part.h"

static bool item_goes_first(const struct udf_store *store, const struct store_item *item)
{
    const struct udf_volume *vol = store->vol;
    return item->lba.n == vol->lvid_at.n || space_holds_bitmap(vol, item->lba) ||
           !udf_space_block_live(store->vol, item->lba);
}

/* Moves the items that go first to the front, in order, the others behind
 * them. Returns how many those are. */
static int items_divide(const struct udf_store *store, struct store_item *items, uint32_t count,
                        uint32_t *first)
{
    struct store_item *later = calloc(count + 1, sizeof *later);
    uint32_t later_count = 0;
    if (!later)
        return -ENOMEM;
    *first = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (item_goes_first(store, &items[i]))
            items[(*first)++] = items[i];
        else
            later[later_count++] = items[i];
    }
    for (uint32_t i = 0; i < later_count; i++)
        items[*first + i] = later[i];
    free(later);
    return 0;
}

static int items_home(struct udf_store *store, const struct store_item *items, uint32_t count)
{
    int err = store_items_write(store, items, count);
    return !err && store_unsynced(store) ? store_sync(store) : err;
}

/* All that is held, in two steps: new blocks with the bitmap that has them
 * allocated, then what leads to them. */
static int held_home(struct udf_store *store)
{
    struct store_item *items;
    uint32_t count, first = 0;
    int err = store_held_list(store, STORE_HELD_ALL, &items, &count);
    if (err)
        return err;
    err = items_divide(store, items, count, &first);
    if (!err)
        err = items_home(store, items, first);
    if (!err)
        err = items_home(store, items + first, count - first);
    if (!err)
        store_held_drop(store, items, count);
    free(items);
    return err;
}

/* Last comes the bitmap in which what nothing leads to any longer is free. */
int store_commit_in_place(struct udf_store *store)
{
    struct udf_volume *vol = store->vol;
    int err = space_flush_allocated(vol);
    if (!err && store->counters_changed)
        err = store_lvid_put(store);
    if (!err)
        err = held_home(store);
    if (!err)
        err = udf_space_flush(vol);
    return err ? err : held_home(store);
}
